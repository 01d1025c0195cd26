"""Assignments as the office may see them: when, what kind and who at once; where only when nobody is forewarned."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Case, Column, ColumnElement, Connection, case, null, or_, select

from api.store.evaluations import unit
from api.store.inspection_draws import inspection_item
from api.store.inspections import assignment, visit
from api.store.sites import site


@dataclass(frozen=True, slots=True)
class Listed:
    """An assignment; without a site as long as the office may not see it."""

    id: UUID
    day: date
    kind: str
    announced: bool
    draw_id: int | None
    withdrawn_at: datetime | None
    withdrawn_reason: str
    visit_id: UUID | None
    closed_at: datetime | None
    opened: bool  # its row holds the site
    site_zh: str | None
    site_en: str | None
    unit_zh: str | None
    unit_en: str | None
    item_zh: str | None
    item_en: str | None


def is_told(today: date) -> ColumnElement[bool]:
    """Whether the office may see where an assignment leads: after its day, once its visit began, or announced.

    Drawn or made by hand alike; the query joins `visit`.
    """
    return or_(assignment.c.day < today, visit.c.id.is_not(None), assignment.c.announced)


def assignments_between(
    connection: Connection, evaluation_id: int, first: date, last: date, today: date
) -> list[Listed]:
    """The assignments of some days, by day; where they lead only as `is_told` says.

    The condition stands in the query, so that no page can show what it should not.
    """
    seen = is_told(today)

    def told(column: Column[str]) -> Case[Any]:
        return case((seen, column), else_=null())

    query = (
        select(
            assignment.c.id,
            assignment.c.day,
            assignment.c.kind,
            assignment.c.announced,
            assignment.c.draw_id,
            assignment.c.withdrawn_at,
            assignment.c.withdrawn_reason,
            visit.c.id.label("visit_id"),
            visit.c.closed_at,
            assignment.c.site_id.is_not(None).label("opened"),
            told(site.c.name_zh).label("site_zh"),
            told(site.c.name_en).label("site_en"),
            told(unit.c.name_zh).label("unit_zh"),
            told(unit.c.name_en).label("unit_en"),
            inspection_item.c.name_zh.label("item_zh"),
            inspection_item.c.name_en.label("item_en"),
        )
        .select_from(
            assignment.outerjoin(site, site.c.id == assignment.c.site_id)
            .outerjoin(unit, unit.c.id == site.c.unit_id)
            .outerjoin(visit, visit.c.assignment_id == assignment.c.id)
            .outerjoin(inspection_item, inspection_item.c.id == assignment.c.item_id)
        )
        .where(assignment.c.evaluation_id == evaluation_id, assignment.c.day.between(first, last))
        .order_by(assignment.c.day, assignment.c.kind, assignment.c.id)
    )
    return [Listed(**row._asdict()) for row in connection.execute(query)]
