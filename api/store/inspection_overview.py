"""Sites and days at a glance: for the map and the calendar of visits.

What is unannounced is counted and never placed, drawn or made by hand: until the day after, unless its visit has
begun, it tells the office its day and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Date, and_, case, cast, func, literal, select

from api.store.assignment_list import is_told
from api.store.evaluations import unit
from api.store.findings import finding
from api.store.inspections import assignment, visit
from api.store.ledger import ledger_entry
from api.store.objections import objection
from api.store.rectifications import is_void, rectification
from api.store.sites import SITE_COLUMNS, Site, site


@dataclass(frozen=True, slots=True)
class SiteState:
    """A site with what is known of it: visits closed, the last of them, tasks that are open, points that stand."""

    site: Site
    unit_code: str
    risk: str
    visits: int
    last_visit: datetime | None
    due: int
    overdue: int  # rectifications
    standing: Decimal
    entries: tuple[int, ...]  # those whose points stand

    @property
    def state(self) -> str:
        """What the map shows it as; of several, what asks for most."""
        if self.overdue:
            return "overdue"
        if self.entries:
            return "deducted"
        if self.due:
            return "due"
        return "visited" if self.visits else "unvisited"


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day: assignments still sealed, open ones, those never begun, visits, findings filed, rectifications due."""

    sealed: int = 0
    due: int = 0
    missed: int = 0
    visited: int = 0
    findings: int = 0
    rectifications: int = 0


def sites_shown(connection: Connection, evaluation_id: int, today: date) -> list[SiteState]:
    """Every site of an evaluation's units that is in the directory, or has been visited."""
    tasks = (
        select(
            assignment.c.site_id,
            func.count(visit.c.id).filter(visit.c.closed_at.is_not(None)).label("visits"),
            func.max(visit.c.received_at).filter(visit.c.closed_at.is_not(None)).label("last_visit"),
            func.count().filter(and_(is_told(today), visit.c.closed_at.is_(None))).label("due"),
        )
        .select_from(assignment.outerjoin(visit, visit.c.assignment_id == assignment.c.id))
        .where(assignment.c.evaluation_id == evaluation_id, assignment.c.withdrawn_at.is_(None))
        .group_by(assignment.c.site_id)
        .subquery()
    )
    query = (
        select(
            *SITE_COLUMNS,
            unit.c.code,
            site.c.risk,
            site.c.withdrawn_at,
            tasks.c.visits,
            tasks.c.last_visit,
            tasks.c.due,
        )
        .select_from(site.join(unit, unit.c.id == site.c.unit_id).outerjoin(tasks, tasks.c.site_id == site.c.id))
        .where(unit.c.evaluation_id == evaluation_id)
        .order_by(unit.c.code, site.c.name_zh, site.c.id)
    )
    against = _standing_at(connection, evaluation_id)
    late = _overdue_at(connection, evaluation_id, today)
    found = []
    for row in connection.execute(query):
        place = Site(*row[: len(SITE_COLUMNS)])
        points, entries = against.get(place.id, (Decimal(0), ()))
        if row.withdrawn_at is None or row.visits or entries:
            visits, due = row.visits or 0, row.due or 0
            late_here = late.get(place.id, 0)
            found.append(SiteState(place, row.code, row.risk, visits, row.last_visit, due, late_here, points, entries))
    return found


def days_shown(
    connection: Connection, evaluation_id: int, first: date, last: date, today: date
) -> dict[date, DayCount]:
    """What happened, or will, on each day from `first` to `last` in China; days without anything are left out."""
    counts: dict[date, dict[str, int]] = {}
    told = is_told(today)
    state = case(
        (visit.c.id.is_not(None), literal("visited")),
        (~told, literal("sealed")),
        (assignment.c.day < today, literal("missed")),
        else_=literal("due"),
    )
    tasks = (
        select(assignment.c.day, state.label("state"), func.count())
        .select_from(assignment.outerjoin(visit, visit.c.assignment_id == assignment.c.id))
        .where(assignment.c.evaluation_id == evaluation_id, assignment.c.withdrawn_at.is_(None))
        .where(assignment.c.day.between(first, last))
        .group_by(assignment.c.day, state)
    )
    filed = cast(func.timezone("Asia/Shanghai", finding.c.filed_at), Date)
    findings = (
        select(filed, literal("findings"), func.count())
        .select_from(
            finding.join(visit, visit.c.id == finding.c.visit_id).join(
                assignment, assignment.c.id == visit.c.assignment_id
            )
        )
        .where(assignment.c.evaluation_id == evaluation_id, filed.between(first, last))
        .group_by(filed)
    )
    due = (
        select(rectification.c.due_on, literal("rectifications"), func.count())
        .where(rectification.c.evaluation_id == evaluation_id, rectification.c.due_on.between(first, last))
        .where(rectification.c.status != "closed")
        .group_by(rectification.c.due_on)
    )
    for query in (tasks, findings, due):
        _add(counts, connection.execute(query))
    return {day: DayCount(**named) for day, named in counts.items()}


def _add(counts: dict[date, dict[str, int]], rows: Iterable[Any]) -> None:
    for day, name, number in rows:
        counts.setdefault(day, {})[name] = number


def _standing_at(connection: Connection, evaluation_id: int) -> dict[int, tuple[Decimal, tuple[int, ...]]]:
    """Site → points that stand, and their entries; an entry that replaces another is found by that one's finding."""
    reversing = ledger_entry.alias("reversing")
    replaced = ledger_entry.alias("replaced")
    behind = func.coalesce(ledger_entry.c.finding_id, replaced.c.finding_id)
    rows = connection.execute(
        select(assignment.c.site_id, func.sum(ledger_entry.c.points), func.array_agg(ledger_entry.c.seq))
        .select_from(
            ledger_entry.outerjoin(reversing, reversing.c.reverses == ledger_entry.c.seq)
            .outerjoin(replaced, replaced.c.seq == ledger_entry.c.body["instead_of"].as_integer())
            .join(finding, finding.c.id == behind)
            .join(visit, visit.c.id == finding.c.visit_id)
            .join(assignment, assignment.c.id == visit.c.assignment_id)
        )
        .where(ledger_entry.c.evaluation_id == evaluation_id, ledger_entry.c.reverses.is_(None))
        .where(reversing.c.seq.is_(None))
        .group_by(assignment.c.site_id)
    )
    return {site_id: (points, tuple(sorted(entries))) for site_id, points, entries in rows}


def _overdue_at(connection: Connection, evaluation_id: int, today: date) -> dict[int, int]:
    """Site → rectifications whose unit let the last day pass; the finding is the entry's, or of what it replaced."""
    replaced = ledger_entry.alias("replaced")
    behind = func.coalesce(ledger_entry.c.finding_id, replaced.c.finding_id)
    rows = connection.execute(
        select(assignment.c.site_id, func.count())
        .select_from(
            rectification.join(ledger_entry, ledger_entry.c.seq == rectification.c.seq)
            .outerjoin(replaced, replaced.c.seq == ledger_entry.c.body["instead_of"].as_integer())
            .outerjoin(objection, objection.c.seq == rectification.c.seq)
            .join(finding, finding.c.id == behind)
            .join(visit, visit.c.id == finding.c.visit_id)
            .join(assignment, assignment.c.id == visit.c.assignment_id)
        )
        .where(rectification.c.evaluation_id == evaluation_id, rectification.c.due_on < today)
        .where(rectification.c.status.in_(("ordered", "returned")), ~is_void)
        .group_by(assignment.c.site_id)
    )
    return {row[0]: row[1] for row in rows}
