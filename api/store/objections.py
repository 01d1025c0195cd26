"""A unit objects to an entry: explained by the office, decided by somebody who had no hand in it before."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Integer, Table, Text

from api.store.base import POINTS, metadata, moment, serial
from api.store.evaluations import unit
from api.store.ledger import ledger_entry
from api.store.people import staff

objection = Table(
    "objection",
    metadata,
    serial(),
    Column("seq", BigInteger, nullable=False, unique=True),  # one objection an entry; its decision is final
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("entry_filed_by", Integer, nullable=False),
    Column("entry_decided_by", Integer, nullable=False),
    Column("grounds", Text, nullable=False),
    Column("filed_by", ForeignKey(staff.c.id), nullable=False),
    moment("filed_at"),
    moment("due_at"),  # of the explanation
    Column("explanation", Text, nullable=False, server_default=""),
    Column("explained_by", ForeignKey(staff.c.id)),
    moment("explained_at", null=True),
    Column("status", Text, nullable=False, server_default="filed"),
    Column("decided_by", ForeignKey(staff.c.id)),
    moment("decided_at", null=True),
    Column("decision_note", Text, nullable=False, server_default=""),
    Column("points", POINTS),  # that stand after the decision: null while undecided, 0 when it is upheld whole
    Column("reversal_seq", ForeignKey(ledger_entry.c.seq)),
    Column("replacement_seq", ForeignKey(ledger_entry.c.seq)),
    ForeignKeyConstraint(
        ["seq", "entry_filed_by", "entry_decided_by"],
        ["field.ledger_entry.seq", "field.ledger_entry.filed_by", "field.ledger_entry.decided_by"],
        name="fk_objection_entry",
    ),
    CheckConstraint("status IN ('filed','explained','upheld','reduced','dismissed')", name="status"),
    CheckConstraint("(status IN ('upheld','reduced','dismissed')) = (decided_by IS NOT NULL)", name="decided"),
    CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
    CheckConstraint("(explained_by IS NULL) = (explained_at IS NULL)", name="explained"),
    CheckConstraint("decided_by IS NULL OR explained_by IS NOT NULL", name="explained_first"),
    CheckConstraint("decided_by IS NULL OR decision_note <> ''", name="decided_with_reason"),
    CheckConstraint(
        "decided_by IS NULL OR decided_by NOT IN (filed_by, entry_filed_by, entry_decided_by, explained_by)",
        name="decided_by_another",
    ),
    CheckConstraint("(status IN ('upheld','reduced')) = (reversal_seq IS NOT NULL)", name="reversal"),
    CheckConstraint("(status = 'reduced') = (replacement_seq IS NOT NULL)", name="replacement"),
    schema="field",
)
