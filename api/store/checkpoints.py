"""Signed checkpoints of the ledger's Merkle log; they are added and never changed."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text

from api.store.base import metadata, moment
from api.store.evaluations import round_

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),  # the signed note, byte for byte
    Column("verifier_key", Text, nullable=False),  # whose signature it is: "name+hash+key"
    Column("occasion", Text, nullable=False),
    Column("round_id", ForeignKey(round_.c.id)),
    moment("made_at"),
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("octet_length(root) = 32", name="root"),
    CheckConstraint("occasion IN ('hourly','freeze','asked')", name="occasion"),
    schema="field",
)
