"""Who goes where: assignments being made, opened and withdrawn, and the crews that stand or have been replaced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.directories import inspector, recusal
from api.store.evaluations import unit
from api.store.inspections import assignment, crew, is_of, visit
from api.store.people import staff
from api.store.sites import site


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody drawn for or put into an assignment; `left_at` where somebody else took the place."""

    assignment_id: UUID
    staff_id: int
    name: str
    position: int  # 0 leads
    placed_by: int | None  # None: by the draw
    placed_at: datetime
    left_at: datetime | None
    left_reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """An inspector as the directory has them; without an entry there, the office's own, without skills."""

    staff_id: int
    name: str
    organisation: str
    skills: tuple[str, ...]
    gone: bool  # disabled, withdrawn from the directory, or no inspector at all


def put_assignment(connection: Connection, values: Mapping[str, Any], people: Sequence[int], by: int | None) -> bool:
    """Write an assignment with its crew, the leader first, unless its id is known; whether it is new."""
    statement = upsert(assignment).values(**values, inspector_id=people[0]).on_conflict_do_nothing()
    if connection.execute(statement.returning(assignment.c.id)).first() is None:
        return False
    rows = [
        {"assignment_id": values["id"], "staff_id": one, "position": place, "placed_by": by}
        for place, one in enumerate(people)
    ]
    connection.execute(insert(crew), rows)
    return True


def set_site(connection: Connection, assignment_id: UUID, site_id: int) -> None:
    """Open a seal: from here on the row says where."""
    connection.execute(update(assignment).where(assignment.c.id == assignment_id).values(site_id=site_id))


def people_of(connection: Connection, staff_ids: Iterable[int]) -> dict[int, Person]:
    """Inspectors by their number."""
    query = (
        select(
            staff.c.id,
            staff.c.name,
            staff.c.role,
            staff.c.disabled_at,
            inspector.c.organisation,
            inspector.c.skills,
            inspector.c.withdrawn_at,
        )
        .select_from(staff.outerjoin(inspector, inspector.c.staff_id == staff.c.id))
        .where(staff.c.id.in_(list(staff_ids)))
    )
    return {
        row.id: Person(
            row.id,
            row.name,
            row.organisation or "",
            tuple(row.skills or ()),
            row.role != "inspector" or row.disabled_at is not None or row.withdrawn_at is not None,
        )
        for row in connection.execute(query)
    }


def recused_among(connection: Connection, staff_ids: Iterable[int], unit_id: int) -> dict[int, str]:
    """Which of these inspectors must stay away from a unit, and why."""
    query = select(recusal.c.staff_id, recusal.c.reason).where(
        recusal.c.staff_id.in_(list(staff_ids)), recusal.c.unit_id == unit_id, recusal.c.withdrawn_at.is_(None)
    )
    return {row.staff_id: row.reason for row in connection.execute(query)}


def owner_of(connection: Connection, site_id: int, *, withdrawn: bool = False) -> tuple[int, int] | None:
    """(unit, evaluation) of a site; None when there is none, or it was withdrawn and those are not asked for."""
    query = select(unit.c.id, unit.c.evaluation_id).join(site, site.c.unit_id == unit.c.id).where(site.c.id == site_id)
    if not withdrawn:
        query = query.where(site.c.withdrawn_at.is_(None))
    row = connection.execute(query).first()
    return (row.id, row.evaluation_id) if row else None


def crews_of(connection: Connection, assignment_ids: Iterable[UUID]) -> dict[UUID, list[Member]]:
    """Everybody of these crews, those replaced included, by assignment; leaders first."""
    query = (
        select(crew, staff.c.name)
        .join(staff, staff.c.id == crew.c.staff_id)
        .where(crew.c.assignment_id.in_(list(assignment_ids)))
        .order_by(crew.c.assignment_id, crew.c.left_at.is_not(None), crew.c.position, crew.c.placed_at)
    )
    found: dict[UUID, list[Member]] = {}
    for row in connection.execute(query):
        found.setdefault(row.assignment_id, []).append(Member(**row._asdict()))
    return found


def drawn_a_day(connection: Connection, days: Iterable[date]) -> dict[tuple[int, date], int]:
    """How many drawn assignments that stand somebody goes to on each of some days, of every evaluation."""
    query = (
        select(crew.c.staff_id, assignment.c.day, func.count())
        .join(assignment, assignment.c.id == crew.c.assignment_id)
        .where(assignment.c.draw_id.is_not(None), assignment.c.withdrawn_at.is_(None), crew.c.left_at.is_(None))
        .where(assignment.c.day.in_(list(days)))
        .group_by(crew.c.staff_id, assignment.c.day)
    )
    return {(staff_id, day): count for staff_id, day, count in connection.execute(query)}


def is_on_crew(connection: Connection, assignment_id: UUID, staff_id: int) -> bool:
    """Whether an assignment is somebody's, by leading it or standing in its crew."""
    query = select(assignment.c.id).where(assignment.c.id == assignment_id, is_of(staff_id))
    return connection.execute(query).first() is not None


def leave_crew(connection: Connection, assignment_id: UUID, staff_id: int, reason: str, now: datetime) -> None:
    """Let somebody's place in a crew end."""
    connection.execute(
        update(crew)
        .where(crew.c.assignment_id == assignment_id, crew.c.staff_id == staff_id, crew.c.left_at.is_(None))
        .values(left_at=now, left_reason=reason)
    )


def join_crew(connection: Connection, member: Mapping[str, Any]) -> None:
    """Put somebody into a crew: the columns of `crew`; who leads is the assignment's inspector too."""
    connection.execute(insert(crew).values(**member))
    if member["position"] == 0:
        connection.execute(
            update(assignment).where(assignment.c.id == member["assignment_id"]).values(inspector_id=member["staff_id"])
        )


def withdraw(connection: Connection, assignment_id: UUID, reason: str, now: datetime) -> None:
    """Withdraw an assignment; its seal stays closed."""
    connection.execute(
        update(assignment)
        .where(assignment.c.id == assignment_id, assignment.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_reason=reason)
    )


@dataclass(frozen=True, slots=True)
class Row:
    """An assignment as it lies in the table, sealed or not."""

    id: UUID
    draw_id: int | None
    site_id: int | None
    sealed: bytes | None
    day: date
    kind: str
    announced: bool
    item_id: int | None
    made_by: int | None
    withdrawn_at: datetime | None
    begun: bool  # somebody checked in


def row_numbered(connection: Connection, assignment_id: UUID, *, hold: bool = False) -> Row | None:
    """The assignment of that key; `hold` keeps others from changing it until the transaction ends."""
    if hold:
        connection.execute(select(assignment.c.id).where(assignment.c.id == assignment_id).with_for_update())
    return next(iter(_rows(connection, assignment.c.id == assignment_id)), None)


def rows_of_draw(connection: Connection, draw_id: int) -> list[Row]:
    """All assignments of a draw."""
    return _rows(connection, assignment.c.draw_id == draw_id)


def unopened(connection: Connection, through: date) -> list[Row]:
    """Assignments of days up to `through` that stand and are still sealed, held by this transaction.

    Those that another transaction is opening are left to it.
    """
    query = (
        select(assignment.c.id)
        .where(assignment.c.site_id.is_(None), assignment.c.day <= through, assignment.c.withdrawn_at.is_(None))
        .order_by(assignment.c.id)
        .with_for_update(skip_locked=True)
    )
    held = list(connection.execute(query).scalars())
    return _rows(connection, assignment.c.id.in_(held)) if held else []


def sealed_revisits(connection: Connection) -> list[Row]:
    """Re-inspections that stand and are still sealed."""
    sealed = (assignment.c.kind == "revisit") & assignment.c.site_id.is_(None) & assignment.c.withdrawn_at.is_(None)
    return _rows(connection, sealed)


def _rows(connection: Connection, which: ColumnElement[bool]) -> list[Row]:
    query = (
        select(
            assignment.c.id,
            assignment.c.draw_id,
            assignment.c.site_id,
            assignment.c.sealed,
            assignment.c.day,
            assignment.c.kind,
            assignment.c.announced,
            assignment.c.item_id,
            assignment.c.made_by,
            assignment.c.withdrawn_at,
            visit.c.id.is_not(None).label("begun"),
        )
        .select_from(assignment.outerjoin(visit, visit.c.assignment_id == assignment.c.id))
        .where(which)
        .order_by(assignment.c.id)
    )
    return [Row(**row._asdict()) for row in connection.execute(query)]
