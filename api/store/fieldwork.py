"""Reaching people: how a survey is to be worked, a case's file, every attempt on it, and its appointments.

One file a case whatever the mode. Attempts are added and never changed; the case's outcome is the strongest of them.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import case
from api.store.surveys import survey

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
