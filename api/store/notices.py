"""What respondents are told about their data, version by version, and what they report of pressure on them."""

from sqlalchemy import Column, Date, ForeignKey, Table, Text, Uuid

from api.store.base import facts, metadata, moment
from api.store.people import staff
from api.store.surveys import survey

privacy_notice = Table(
    "privacy_notice",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of survey and canonical JSON
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    facts("notice"),  # language → sponsor, purpose, kinds, retention, rights, contact, help_line
    moment("published_at", now=True),
    Column("published_by", ForeignKey(staff.c.id)),
    schema="office",
)

# Who reported it is not here, and nothing that could lead to the answers: the survey and the day.
coercion_report = Table(
    "coercion_report",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("day", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("read_by", ForeignKey(staff.c.id)),
    moment("read_at", null=True),
    schema="office",
)
