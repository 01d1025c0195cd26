"""What a unit must put right after a deduction, every step of it, and the papers that units hand in."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from api.store.base import metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.inspections import assignment
from api.store.ledger import ledger_entry
from api.store.objections import objection
from api.store.people import staff

rectification = Table(
    "rectification",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("seq", ForeignKey(ledger_entry.c.seq), nullable=False, unique=True),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("demand", Text, nullable=False),
    Column("ordered_by", ForeignKey(staff.c.id), nullable=False),
    moment("ordered_at"),
    Column("due_on", Date, nullable=False),
    Column("status", Text, nullable=False, server_default="ordered"),
    Column("assignment_id", ForeignKey(assignment.c.id)),  # the re-inspection
    Column("escalated", Integer, nullable=False, server_default="0"),  # how many times it was urged
    Column("closed_by", ForeignKey(staff.c.id)),
    moment("closed_at", null=True),
    CheckConstraint("status IN ('ordered','proven','returned','closed')", name="status"),
    CheckConstraint("(status = 'closed') = (closed_by IS NOT NULL)", name="closed"),
    CheckConstraint("(closed_by IS NULL) = (closed_at IS NULL)", name="closed_at"),
    schema="field",
)

rectification_step = Table(
    "rectification_step",
    metadata,
    serial(),
    Column("rectification_id", ForeignKey(rectification.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("staff_id", ForeignKey(staff.c.id)),  # null: the clock
    moment("at"),
    Column("note", Text, nullable=False, server_default=""),
    CheckConstraint(
        "kind IN ('ordered','proven','returned','extended','revisit','closed','reminded','urged','escalated')",
        name="kind",
    ),
    schema="field",
)
"""Added and never changed."""

paper = Table(
    "paper",
    metadata,
    serial(),
    Column("objection_id", ForeignKey(objection.c.id), index=True),
    Column("step_id", ForeignKey(rectification_step.c.id), index=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),  # as told; never a path
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("added_by", ForeignKey(staff.c.id), nullable=False),
    moment("added_at"),
    CheckConstraint("num_nonnulls(objection_id, step_id) = 1", name="belongs"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("media_type IN ('image/jpeg','image/png','application/pdf')", name="media_type"),
    schema="field",
)
