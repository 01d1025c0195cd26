"""Slips to units: a deduction told (扣分告知单), a reminder (提醒单), an urging (催办单). Each once, by its key."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Table, Text, UniqueConstraint

from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.ledger import ledger_entry
from api.store.people import staff
from api.store.rectifications import rectification

slip = Table(
    "slip",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),  # what it is about and which one: the clock may try again
    Column("number", BigInteger, nullable=False),  # 〔2026〕第 n 号
    Column("seq", ForeignKey(ledger_entry.c.seq)),
    Column("rectification_id", ForeignKey(rectification.c.id)),
    facts("about"),  # what it says, as facts at that moment
    Column("issued_by", ForeignKey(staff.c.id)),  # null: the clock
    moment("issued_at"),
    moment("due_at", null=True),
    Column("read_by", ForeignKey(staff.c.id)),
    moment("read_at", null=True),
    CheckConstraint("kind IN ('deduction','decision','rectification','reminder','urging')", name="kind"),
    UniqueConstraint("evaluation_id", "kind", "number"),
    schema="field",
)
