"""What a re-inspection needs: whether one is under way, who may be sent, and where to."""

from sqlalchemy import Connection, select, text

from api.store.directories import inspector, recusal
from api.store.findings import finding_numbered
from api.store.inspections import assignment, visit, visit_numbered
from api.store.ledger import entry_numbered
from api.store.objections import objection_that_led_to
from api.store.people import staff
from api.store.rectifications import rectification
from api.store.sites import site

_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('revisit'), :rectification)")


def hold_revisits(connection: Connection, key: int) -> None:
    """Let nobody else order a re-inspection of a rectification, or close it, until the transaction ends.

    A lock on the row would stay in its header (xmax), and tell which unit's morning has not come.
    """
    connection.execute(_IN_TURN, {"rectification": key})


def revisit_is_open(connection: Connection, key: int) -> bool:
    """Whether a re-inspection whose morning has come stands, and its visit is not over."""
    query = (
        select(assignment.c.id)
        .join(rectification, rectification.c.assignment_id == assignment.c.id)
        .outerjoin(visit, visit.c.assignment_id == assignment.c.id)
        .where(rectification.c.id == key, assignment.c.withdrawn_at.is_(None), visit.c.closed_at.is_(None))
    )
    return connection.execute(query.limit(1)).first() is not None


def site_seen(connection: Connection, seq: int) -> int | None:
    """Where an entry's finding was seen; a reduced deduction's by the entry that it replaced."""
    reduced = objection_that_led_to(connection, seq)
    entry = entry_numbered(connection, reduced.seq if reduced else seq)
    finding = finding_numbered(connection, entry.finding_id) if entry and entry.finding_id else None
    visited = visit_numbered(connection, finding.visit_id) if finding else None
    return visited.assignment.site.id if visited else None


def inspectors_for(connection: Connection, unit_id: int) -> list[tuple[int, str]]:
    """Inspectors who may go to a unit: in service, and not recused from it."""
    recused = select(recusal.c.id).where(
        recusal.c.staff_id == staff.c.id, recusal.c.unit_id == unit_id, recusal.c.withdrawn_at.is_(None)
    )
    query = (
        select(staff.c.id, staff.c.name)
        .outerjoin(inspector, inspector.c.staff_id == staff.c.id)
        .where(staff.c.role == "inspector", staff.c.disabled_at.is_(None), inspector.c.withdrawn_at.is_(None))
        .where(~recused.exists())
        .order_by(staff.c.name, staff.c.id)
    )
    return [(row.id, row.name) for row in connection.execute(query)]


def places_of(connection: Connection, unit_id: int) -> list[tuple[int, str, str]]:
    """A unit's sites: number and names."""
    query = select(site.c.id, site.c.name_zh, site.c.name_en).where(
        site.c.unit_id == unit_id, site.c.withdrawn_at.is_(None)
    )
    return [(row.id, row.name_zh, row.name_en) for row in connection.execute(query.order_by(site.c.id))]
