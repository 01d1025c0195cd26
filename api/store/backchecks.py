"""Back-checks: cases of their own in which somebody else asks whether an interview took place as it was told."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text

from api.store.base import facts, metadata, moment
from api.store.people import staff
from api.store.roll import case

backcheck = Table(
    "backcheck",
    metadata,
    Column("case_id", ForeignKey(case.c.id), primary_key=True),  # of kind backcheck
    Column("checks", ForeignKey(case.c.id), nullable=False, unique=True),
    Column("interviewer", ForeignKey(staff.c.id), nullable=False),
    Column("reason", Text, nullable=False),
    moment("made_at", now=True),
    facts("said", null=True),  # what the person said: took part, how long, which subjects
    Column("verdict", Text),
    Column("judged_by", ForeignKey(staff.c.id)),
    moment("judged_at", null=True),
    CheckConstraint("reason IN ('random','flag')", name="reason"),
    CheckConstraint("verdict IN ('confirmed','doubtful','false','not_reached')", name="verdict"),
    CheckConstraint("judged_by IS DISTINCT FROM interviewer", name="second_person"),
    schema="roll",
)
