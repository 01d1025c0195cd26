"""Data-quality flags: they mark and never delete. A judgement is written beside a flag, the flag stays."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text, UniqueConstraint

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.surveys import survey

quality_flag = Table(
    "quality_flag",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # straight_lining, speeding, duplicate, overlap, …
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # id of the response, case, attempt or interviewer
    facts("facts"),
    moment("raised_at", now=True),
    Column("judgement", Text),
    Column("judged_by", ForeignKey(staff.c.id)),
    moment("judged_at", null=True),
    CheckConstraint("subject_kind IN ('response','case','attempt','interviewer')", name="subject_kind"),
    UniqueConstraint("survey_id", "kind", "subject_kind", "subject"),
    schema="result",
)
