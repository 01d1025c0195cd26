"""What a supervisor made of a flag; the flag itself stays."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text

from api.store.base import metadata, moment
from api.store.people import staff

flag_review = Table(
    "flag_review",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),  # a UUID, or a hash in hexadecimal
    Column("flag", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("reviewed_by", ForeignKey(staff.c.id), nullable=False),
    moment("reviewed_at"),
    CheckConstraint("subject IN ('check_in','photo','upload')", name="subject"),
    CheckConstraint("verdict IN ('explained','doubtful')", name="verdict"),
    schema="field",
)
