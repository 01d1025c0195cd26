"""Reaching people: how a survey is to be worked, a case's file, every attempt on it, and its appointments.

One file a case whatever the mode. Attempts are added and never changed; the case's outcome is the strongest of them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import case
from api.store.surveys import survey
from survey_forms.fieldwork.plan import Plan
from survey_forms.fieldwork.stage import Attempt

fieldwork_plan = Table(
    "fieldwork_plan",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    facts("modes"),  # in their order: ["web", "phone", "visit"]
    Column("script_zh", Text, nullable=False),
    Column("script_en", Text, nullable=False, server_default=""),
    Column("calls_from", Integer, nullable=False),  # minutes after midnight in China
    Column("calls_until", Integer, nullable=False),
    Column("spacing_minutes", Integer, nullable=False),
    Column("cooling_days", Integer, nullable=False),  # after a first refusal
    Column("most_calls", Integer, nullable=False),
    Column("most_visits", Integer, nullable=False),
    Column("hold_minutes", Integer, nullable=False),
    Column("backcheck_percent", Integer, nullable=False),
    moment("changed_at", now=True),
    Column("changed_by", ForeignKey(staff.c.id)),
    CheckConstraint("calls_from BETWEEN 0 AND 1439 AND calls_until BETWEEN calls_from + 1 AND 1440", name="hours"),
    CheckConstraint("backcheck_percent BETWEEN 0 AND 100", name="backcheck_percent"),
    schema="office",
)

case_file = Table(
    "case_file",
    metadata,
    Column("case_id", ForeignKey(case.c.id), primary_key=True),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False),
    Column("stage", Text, nullable=False),  # the mode that has it now, or done
    Column("outcome", Text),  # AAPOR code: the strongest so far
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("refusals", Integer, nullable=False, server_default="0"),
    Column("last_staff", ForeignKey(staff.c.id)),
    moment("last_at", null=True),
    moment("not_before", null=True),
    Column("priority", Integer, nullable=False, server_default="0"),  # of its quota cell
    Column("held_by", ForeignKey(staff.c.id)),
    moment("held_at", null=True),
    moment("held_until", null=True),
    Column("interview", LargeBinary),  # MAC of the code of the interview under way
    CheckConstraint("stage IN ('web','phone','visit','done')", name="stage"),
    CheckConstraint("(held_by IS NULL) = (held_until IS NULL)", name="held"),
    Index("ix_case_file_next", "survey_id", "stage", "not_before"),
    schema="roll",
    postgresql_with={"fillfactor": "80"},
)

contact_attempt = Table(
    "contact_attempt",
    metadata,
    serial(),
    Column("case_id", ForeignKey(case.c.id), nullable=False, index=True),
    Column("key", Text, nullable=False, unique=True),  # the page drew it: the same attempt sent twice is one
    Column("mode", Text, nullable=False),
    Column("staff_id", ForeignKey(staff.c.id)),
    moment("began_at"),
    moment("ended_at"),
    Column("outcome", Text, nullable=False),  # AAPOR code
    Column("note", Text, nullable=False, server_default=""),
    Column("latitude", Float),  # of a visit, WGS-84
    Column("longitude", Float),
    Column("accuracy", Float),  # metres
    CheckConstraint("mode IN ('web','phone','visit')", name="mode"),
    CheckConstraint("ended_at >= began_at", name="order"),
    schema="roll",
)

appointment = Table(
    "appointment",
    metadata,
    serial(),
    Column("case_id", ForeignKey(case.c.id), nullable=False, index=True),
    moment("begins_at"),
    moment("ends_at"),
    Column("for_staff", ForeignKey(staff.c.id)),  # None: anybody
    Column("made_by", ForeignKey(staff.c.id)),
    moment("made_at", now=True),
    moment("done_at", null=True),  # kept, broken or replaced: the attempts tell which
    CheckConstraint("ends_at > begins_at", name="order"),
    schema="roll",
)


@dataclass(frozen=True, slots=True)
class Told:
    """An attempt as it stands in a case's history."""

    mode: str
    outcome: str
    began_at: datetime
    ended_at: datetime
    name: str | None  # of the interviewer
    note: str


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment that was not kept, broken or replaced yet."""

    id: int
    case_id: int
    begins_at: datetime
    ends_at: datetime
    for_staff: int | None


def plan_of(connection: Connection, survey_id: int) -> Plan | None:
    """How a survey is worked; None before somebody said so."""
    columns = [fieldwork_plan.c[name] for name in Plan.__dataclass_fields__]
    row = connection.execute(select(*columns).where(fieldwork_plan.c.survey_id == survey_id)).mappings().first()
    return Plan(**{**row, "modes": tuple(row["modes"])}) if row else None


def put_plan(connection: Connection, survey_id: int, plan: Plan, staff_id: int, now: datetime) -> None:
    """Write how a survey is worked, in the place of what was said before."""
    values = {**asdict(plan), "modes": list(plan.modes), "changed_at": now, "changed_by": staff_id}
    statement = upsert(fieldwork_plan).values(survey_id=survey_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["survey_id"], set_=values))


def add_attempt(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Write an attempt; False where one with this key is there already."""
    statement = upsert(contact_attempt).values(**values).on_conflict_do_nothing(index_elements=["key"])
    return connection.execute(statement.returning(contact_attempt.c.id)).first() is not None


def attempt_known(connection: Connection, key: str) -> tuple[int, str] | None:
    """The case and the outcome of the attempt with this key."""
    row = connection.execute(
        select(contact_attempt.c.case_id, contact_attempt.c.outcome).where(contact_attempt.c.key == key)
    ).first()
    return (row[0], row[1]) if row else None


def attempts_of(connection: Connection, case_id: int) -> list[Attempt]:
    """The attempts on a case, the oldest first."""
    columns = (contact_attempt.c[name] for name in ("mode", "outcome", "began_at", "ended_at"))
    rows = connection.execute(
        select(*columns)
        .where(contact_attempt.c.case_id == case_id)
        .order_by(contact_attempt.c.ended_at, contact_attempt.c.id)
    )
    return [Attempt(*row) for row in rows]


def history_of(connection: Connection, case_id: int) -> list[Told]:
    """The attempts on a case with who made them, the newest first."""
    columns = [contact_attempt.c[name] for name in ("mode", "outcome", "began_at", "ended_at")]
    wanted: Select[Any] = (
        select(*columns, staff.c.name, contact_attempt.c.note)
        .outerjoin(staff, staff.c.id == contact_attempt.c.staff_id)
        .where(contact_attempt.c.case_id == case_id)
        .order_by(contact_attempt.c.ended_at.desc(), contact_attempt.c.id.desc())
    )
    rows = connection.execute(wanted)
    return [Told(*row) for row in rows]


def outcomes_by(connection: Connection, staff_id: int, since: datetime) -> dict[str, int]:
    """How often somebody had each outcome since a moment."""
    rows = connection.execute(
        select(contact_attempt.c.outcome, func.count())
        .where(contact_attempt.c.staff_id == staff_id, contact_attempt.c.ended_at >= since)
        .group_by(contact_attempt.c.outcome)
    )
    return {row[0]: row[1] for row in rows}


def add_appointment(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write an appointment."""
    connection.execute(insert(appointment).values(**values))


def bookings_of(connection: Connection, case_id: int) -> list[Booking]:
    """The open appointments of a case, the earliest first."""
    columns = (appointment.c[name] for name in ("id", "case_id", "begins_at", "ends_at", "for_staff"))
    rows = connection.execute(
        select(*columns)
        .where(appointment.c.case_id == case_id, appointment.c.done_at.is_(None))
        .order_by(appointment.c.begins_at, appointment.c.id)
    )
    return [Booking(*row) for row in rows]


def next_bookings(connection: Connection, survey_id: int, staff_id: int, now: datetime, most: int) -> list[Booking]:
    """The appointments of a survey that have not ended and that somebody may keep, the earliest first."""
    columns = (appointment.c[name] for name in ("id", "case_id", "begins_at", "ends_at", "for_staff"))
    mine = appointment.c.for_staff.is_(None) | (appointment.c.for_staff == staff_id)
    rows = connection.execute(
        select(*columns)
        .join(case_file, case_file.c.case_id == appointment.c.case_id)
        .where(case_file.c.survey_id == survey_id, appointment.c.done_at.is_(None), appointment.c.ends_at > now, mine)
        .order_by(appointment.c.begins_at, appointment.c.id)
        .limit(most)
    )
    return [Booking(*row) for row in rows]


def end_bookings(connection: Connection, case_id: int, begun_by: datetime | None, now: datetime) -> None:
    """Close a case's open appointments: those that began by a moment, or (None) all."""
    mine = (appointment.c.case_id == case_id) & appointment.c.done_at.is_(None)
    if begun_by is not None:
        mine &= appointment.c.begins_at <= begun_by
    connection.execute(update(appointment).where(mine).values(done_at=now))


def planned_surveys(connection: Connection) -> list[int]:
    """The surveys that have a plan, the newest first."""
    return list(
        connection.execute(select(fieldwork_plan.c.survey_id).order_by(fieldwork_plan.c.survey_id.desc())).scalars()
    )
