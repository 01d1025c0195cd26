"""Weights of a survey, every step of them, by weighting cell; the margins they are raked to; covariance of units.

A weighting is never changed: a new one is added, and the newest is read.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, ForeignKey, Integer, Table, Text

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.surveys import survey

margin = Table(
    "margin",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("group_code", Text, primary_key=True),
    Column("trait", Text, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("total", Integer, nullable=False),  # persons
    CheckConstraint("total > 0", name="total"),
    schema="office",
)

weighting = Table(
    "weighting",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("digest", Text, nullable=False),  # SHA-256 of what went in: equal digests, equal weights
    facts("rules"),
    facts("report"),
    Column("made_by", ForeignKey(staff.c.id)),
    moment("made_at", now=True),
    schema="result",
)

weight = Table(
    "weight",
    metadata,
    Column("weighting_id", ForeignKey(weighting.c.id), primary_key=True),
    Column("stratum", Text, primary_key=True),
    Column("wcell", Text, primary_key=True),
    facts("outcomes"),  # AAPOR class → cases
    Column("merged_into", Text),  # weighting cell that its nonresponse was adjusted with
    Column("base", Float, nullable=False),
    Column("eligibility", Float, nullable=False),  # weights after each step, not factors
    Column("nonresponse", Float, nullable=False),
    Column("raked", Float, nullable=False),
    Column("final", Float, nullable=False),
    schema="result",
)

covariance = Table(
    "covariance",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("group_code", Text, primary_key=True),
    facts("units"),
    facts("matrix"),  # between the units, in squared points
    Column("tally_version", BigInteger, nullable=False),
    schema="result",
)
