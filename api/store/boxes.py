"""Sealed ballots: boxes that only the campaign's custodians can open, the key they hold, and the closing.

A box lies in the transaction that spent its code and tells nothing all the same: it is ciphertext of one size, and
the private key was never on this machine (docs/privacy.md).
"""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from api.store.base import facts, metadata, moment
from api.store.people import staff
from api.store.surveys import survey

box = Table(
    "box",
    metadata,
    Column("receipt_hash", LargeBinary, primary_key=True),  # SHA-256 of the receipt: proves inclusion, not content
    Column("survey_id", Integer, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    schema="ballot",
)

campaign_key = Table(
    "campaign_key",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("public_key", LargeBinary, nullable=False),  # X25519
    facts("custodians"),
    facts("tests"),  # SHA-256 of the words in the test ballots; the words themselves are kept nowhere
    Column("added_by", ForeignKey(staff.c.id)),
    moment("added_at", now=True),
    Column("rehearsed_by", ForeignKey(staff.c.id)),
    moment("rehearsed_at", null=True),
    schema="ballot",
)

closing = Table(
    "closing",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("boxes", Integer, nullable=False),
    facts("counts"),  # stratum → boxes
    Column("merkle_root", Text, nullable=False),  # over receipts and boxes: where a respondent finds theirs
    Column("box_root", Text, nullable=False),  # over strata and boxes: what the custodians compare
    Column("closed_by", ForeignKey(staff.c.id)),
    moment("closed_at", now=True),
    moment("counted_at", null=True),
    Column("counted_by", ForeignKey(staff.c.id)),
    Column("result_digest", Text),
    schema="ballot",
)
