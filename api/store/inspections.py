"""Assignments, visits and check-ins.

Ids of visits and check-ins are drawn by the phone (UUID), so that a retry is the same row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    Date,
    Float,
    ForeignKey,
    LargeBinary,
    Select,
    SmallInteger,
    Table,
    Text,
    Uuid,
    exists,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from api.store.base import facts, metadata, moment
from api.store.evaluations import evaluation, unit
from api.store.inspection_draws import inspection_draw, inspection_item
from api.store.people import staff
from api.store.sites import SITE_COLUMNS, Site, site

assignment = Table(
    "assignment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("site_id", ForeignKey(site.c.id)),  # null while sealed: not even the database's owner can read it
    Column("inspector_id", ForeignKey(staff.c.id), nullable=False, index=True),  # who leads; `crew` has the others
    Column("day", Date, nullable=False),  # sealed until its morning
    Column("announced", Boolean, nullable=False, server_default="false"),
    Column("kind", Text, nullable=False, server_default="special"),
    Column("item_id", ForeignKey(inspection_item.c.id)),
    Column("draw_id", ForeignKey(inspection_draw.c.id), index=True),
    Column("sealed", LargeBinary),  # the site under the service's key, opened on the day
    Column("made_by", ForeignKey(staff.c.id)),
    moment("made_at", now=True),
    moment("withdrawn_at", null=True),
    Column("withdrawn_reason", Text, nullable=False, server_default=""),
    CheckConstraint("kind IN ('random','special','patrol','third_party','revisit')", name="kind"),
    CheckConstraint("site_id IS NOT NULL OR sealed IS NOT NULL", name="site_or_seal"),
    schema="field",
)

crew = Table(
    "crew",
    metadata,
    Column("assignment_id", ForeignKey(assignment.c.id), primary_key=True),
    Column("staff_id", ForeignKey(staff.c.id), primary_key=True),
    Column("position", SmallInteger, nullable=False),  # 0: leads
    Column("placed_by", ForeignKey(staff.c.id)),  # null: by the draw
    moment("placed_at", now=True),
    moment("left_at", null=True),
    Column("left_reason", Text, nullable=False, server_default=""),
    CheckConstraint("left_at IS NULL OR left_reason <> ''", name="left_with_reason"),
    schema="field",
)
"""Everybody drawn for or put into an assignment, those replaced included."""

visit = Table(
    "visit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("assignment_id", ForeignKey(assignment.c.id), nullable=False, unique=True),
    Column("inspector_id", ForeignKey(staff.c.id), nullable=False),
    moment("claimed_at"),  # the phone's clock
    moment("received_at"),
    moment("closed_at", null=True),
    Column("note", Text, nullable=False, server_default=""),
    Column("signature", LargeBinary),  # SHA-256 of the picture of the unit's representative's signature
    Column("signed_by", Text, nullable=False, server_default=""),
    CheckConstraint("signature IS NULL OR octet_length(signature) = 32", name="signature"),
    schema="field",
)

check_in = Table(
    "check_in",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("visit_id", ForeignKey(visit.c.id), nullable=False, index=True),
    Column("lat", Float),  # null when the phone gave no position
    Column("lon", Float),
    Column("accuracy_m", Float),  # radius of 95 % confidence (W3C)
    Column("datum", Text, nullable=False, server_default="WGS-84"),
    moment("fix_at", null=True),
    facts("fixes"),  # everything the phone saw: [[lat, lon, accuracy_m, epoch in ms], …]
    moment("claimed_at"),
    moment("received_at"),
    Column("presence", Text, nullable=False),
    Column("distance_m", Float),
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False, server_default="in"),
    Column("staff_id", ForeignKey(staff.c.id)),  # whose phone; null: the visit's inspector
    CheckConstraint("kind IN ('in','out')", name="kind"),
    CheckConstraint("presence IN ('certain','likely','unclear','outside')", name="presence"),
    schema="field",
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A crew's task: a site on a day. Before that morning nobody is told a drawn site: its row does not hold it."""

    site: Site
    id: UUID
    evaluation_id: int
    inspector_id: int
    day: date
    announced: bool
    visit_id: UUID | None
    closed_at: datetime | None  # of the visit
    kind: str = "special"
    item_id: int | None = None
    draw_id: int | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What an inspector does at a site, from the first check-in to the closing."""

    assignment: Assignment
    id: UUID
    inspector_id: int
    inspector: str
    claimed_at: datetime
    received_at: datetime
    closed_at: datetime | None
    note: str
    signature: bytes | None = None  # SHA-256 of its picture
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One position, or the lack of one with its reason, as classified on arrival."""

    id: UUID
    visit_id: UUID
    lat: float | None  # degrees, in `datum`
    lon: float | None
    accuracy_m: float | None
    datum: str
    fix_at: datetime | None
    fixes: list[list[float]]
    claimed_at: datetime
    received_at: datetime
    presence: str
    distance_m: float | None
    flags: tuple[str, ...]
    reason: str
    kind: str  # in, out
    staff_id: int | None  # whose phone; None: the visit's inspector


_ASSIGNMENT = (
    assignment.c.id,
    assignment.c.evaluation_id,
    assignment.c.inspector_id,
    assignment.c.day,
    assignment.c.announced,
    visit.c.id.label("visit_id"),
    visit.c.closed_at,
    assignment.c.kind,
    assignment.c.item_id,
    assignment.c.draw_id,
    assignment.c.withdrawn_at,
)
_VISIT = (
    visit.c.id, visit.c.inspector_id, staff.c.name, visit.c.claimed_at, visit.c.received_at, visit.c.closed_at,
    visit.c.note, visit.c.signature, visit.c.signed_by,
)  # fmt: skip


def is_of(staff_id: int) -> ColumnElement[bool]:
    """Whether an assignment is somebody's: they lead it, or stand in its crew."""
    stands = exists().where(
        crew.c.assignment_id == assignment.c.id, crew.c.staff_id == staff_id, crew.c.left_at.is_(None)
    )
    return (assignment.c.inspector_id == staff_id) | stands


def opened_assignments(connection: Connection, inspector_id: int, today: date) -> list[Assignment]:
    """The inspector's assignments of all days up to `today` that are open and stand: unclosed first, then the newest.

    `today` is the last day whose morning has come (`survey_forms.inspection.mornings.last_opened`).
    """
    query = (
        _assignments()
        .where(is_of(inspector_id), assignment.c.day <= today, assignment.c.withdrawn_at.is_(None))
        .order_by(visit.c.closed_at.is_not(None), assignment.c.day.desc(), assignment.c.id)
    )
    return [_assignment(row) for row in connection.execute(query)]


def sealed_days(connection: Connection, inspector_id: int, today: date) -> list[date]:
    """The days of the inspector's assignments that are still sealed, one a task; nothing else about them."""
    unopened = (assignment.c.day > today) | assignment.c.site_id.is_(None)
    query = (
        select(assignment.c.day)
        .where(is_of(inspector_id), unopened, assignment.c.withdrawn_at.is_(None))
        .order_by(assignment.c.day)
    )
    return list(connection.execute(query).scalars())


def assignment_numbered(connection: Connection, assignment_id: UUID) -> Assignment | None:
    """The assignment of that key, withdrawn or not: the caller looks at its day; None while its site is sealed."""
    row = connection.execute(_assignments().where(assignment.c.id == assignment_id)).first()
    return _assignment(row) if row else None


def visit_numbered(connection: Connection, visit_id: UUID) -> Visit | None:
    """The visit of that key, with its assignment and site."""
    query = (
        select(*_VISIT, *_ASSIGNMENT, *SITE_COLUMNS)
        .select_from(
            visit.join(staff, staff.c.id == visit.c.inspector_id)
            .join(assignment, assignment.c.id == visit.c.assignment_id)
            .join(site, site.c.id == assignment.c.site_id)
            .join(unit, unit.c.id == site.c.unit_id)
        )
        .where(visit.c.id == visit_id)
    )
    row = connection.execute(query).first()
    return Visit(_assignment(row[len(_VISIT) :]), *row[: len(_VISIT)]) if row else None


def lock_visit(connection: Connection, visit_id: UUID) -> None:
    """Hold a visit against being closed until the transaction ends; several holders do not disturb each other."""
    connection.execute(select(visit.c.id).where(visit.c.id == visit_id).with_for_update(read=True))


def put_visit(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Write a visit unless its key or its assignment has one; whether it is new."""
    statement = insert(visit).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(visit.c.id)).first() is not None


def close_visit(connection: Connection, visit_id: UUID, note: str, now: datetime) -> None:
    """Close a visit that is open."""
    connection.execute(
        update(visit).where(visit.c.id == visit_id, visit.c.closed_at.is_(None)).values(closed_at=now, note=note)
    )


def put_check_in(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Write a check-in unless it is known; whether it is new."""
    statement = insert(check_in).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(check_in.c.id)).first() is not None


def check_in_numbered(connection: Connection, check_in_id: UUID) -> CheckIn | None:
    """The check-in of that key."""
    return next(iter(_check_ins(connection, select(check_in).where(check_in.c.id == check_in_id))), None)


def check_ins_of(connection: Connection, visit_id: UUID) -> list[CheckIn]:
    """A visit's check-ins, the first first."""
    return _check_ins(
        connection, select(check_in).where(check_in.c.visit_id == visit_id).order_by(check_in.c.received_at)
    )


def _assignments() -> Select[Any]:
    return select(*_ASSIGNMENT, *SITE_COLUMNS).select_from(
        assignment.join(site, site.c.id == assignment.c.site_id)
        .join(unit, unit.c.id == site.c.unit_id)
        .outerjoin(visit, visit.c.assignment_id == assignment.c.id)
    )


def _assignment(row: Any) -> Assignment:
    return Assignment(Site(*row[len(_ASSIGNMENT) :]), *row[: len(_ASSIGNMENT)])


def _check_ins(connection: Connection, query: Select[Any]) -> list[CheckIn]:
    return [CheckIn(**(row._asdict() | {"flags": tuple(row.flags)})) for row in connection.execute(query)]
