"""What a visit is held against: who was sent and until when, what its item asks for, its site, and other visits."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, exists, select

from api.store.inspection_draws import inspection_item
from api.store.inspections import assignment, crew, visit
from api.store.people import audit
from api.store.uploads import checklist

PLACE = frozenset({"lat", "lon", "datum", "radius_m", "fence"})
"""What of a site decides who is within it."""
_CHANGES = ("assignment_withdrawal_asked", "assignment_withdrawn", "inspector_replaced")


def ended_at(connection: Connection, assignment_id: UUID, staff_id: int) -> datetime | None:
    """When an assignment ended for somebody: withdrawn, or another sent in their place; None while it stands."""
    withdrawn = select(assignment.c.withdrawn_at).where(assignment.c.id == assignment_id)
    left = select(crew.c.left_at).where(crew.c.assignment_id == assignment_id, crew.c.staff_id == staff_id)
    found = [*connection.execute(withdrawn).scalars(), *connection.execute(left).scalars()]
    return min((moment for moment in found if moment is not None), default=None)


def changers_of(connection: Connection, assignment_id: UUID) -> set[int]:
    """Who at the office asked for an assignment's withdrawal, withdrew it, or replaced one of its crew."""
    query = select(audit.c.staff_id).where(
        audit.c.act.in_(_CHANGES), audit.c.about["assignment"].as_string() == str(assignment_id)
    )
    return set(connection.execute(query).scalars())


def stoppers_of(connection: Connection, inspectors: Iterable[int], since: datetime) -> set[int]:
    """Who took a phone of one of these inspectors out of use since then: what it had not sent may lie on it."""
    whose = audit.c.about["inspector"].as_integer().in_(list(inspectors))
    query = select(audit.c.staff_id).where(audit.c.act == "phone_ended", whose, audit.c.at >= since)
    return set(connection.execute(query).scalars())


def forms_of(connection: Connection, assignment_id: UUID) -> tuple[str | None, set[str]]:
    """The checklist that an assignment's item asks for, and those that its visit has."""
    asked = (
        select(inspection_item.c.form_version)
        .join(assignment, assignment.c.item_id == inspection_item.c.id)
        .where(assignment.c.id == assignment_id)
    )
    filled = (
        select(checklist.c.form_version)
        .join(visit, visit.c.id == checklist.c.visit_id)
        .where(visit.c.assignment_id == assignment_id)
    )
    return connection.execute(asked).scalar_one_or_none(), set(connection.execute(filled).scalars())


def is_signed_elsewhere(connection: Connection, sha256: bytes, visit_id: UUID) -> bool:
    """Whether another visit has the very same picture of a signature: nobody writes twice alike."""
    return bool(
        connection.execute(select(exists().where(visit.c.signature == sha256, visit.c.id != visit_id))).scalar_one()
    )


def has_moved_since(connection: Connection, site_id: int, since: datetime) -> bool:
    """Whether a site's position or fence was changed after that moment."""
    query = select(audit.c.about).where(
        audit.c.act == "site_changed", audit.c.about["site"].as_integer() == site_id, audit.c.at > since
    )
    return any(PLACE.intersection(about.get("before", {})) for about in connection.execute(query).scalars())
