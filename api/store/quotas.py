"""Quota cells: places are taken when an interview begins, so that they cannot be overshot."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Table, Text

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import case
from api.store.surveys import survey

quota_cell = Table(
    "quota_cell",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    facts("traits"),  # {"sex": "f"}; what a case must be to belong here
    Column("places", Integer, nullable=False),
    Column("taken", Integer, nullable=False, server_default="0"),  # begun or complete
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("closing", Text, nullable=False, server_default="soft"),  # soft: interviews under way may end
    moment("closed_at", null=True),
    Column("closed_by", ForeignKey(staff.c.id)),
    CheckConstraint("closing IN ('soft','hard')", name="closing"),
    CheckConstraint("taken BETWEEN 0 AND places", name="never_overshot"),
    schema="roll",
)

quota_place = Table(
    "quota_place",
    metadata,
    Column("cell_id", ForeignKey(quota_cell.c.id), primary_key=True),
    Column("case_id", ForeignKey(case.c.id), primary_key=True),
    moment("taken_at", now=True),
    moment("until", null=True),  # an interview that never ended gives its place back; None: complete
    schema="roll",
)
