"""What phones hand in: enrolled phones, blobs by their hash, and visits exactly as they were sent."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from api.store.base import facts, metadata, moment
from api.store.inspections import visit
from api.store.people import staff
from api.store.surveys import form_version

device = Table(
    "device",
    metadata,
    Column("id", Uuid, primary_key=True),  # drawn by the phone
    Column("staff_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),  # P-256, SubjectPublicKeyInfo; its other half cannot leave
    Column("label", Text, nullable=False, server_default=""),
    moment("enrolled_at"),
    moment("ended_at", null=True),
    schema="field",
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("staff_id", ForeignKey(staff.c.id), nullable=False),  # who brought it first
    moment("received_at"),
    Column("media_type", Text),  # what its first bytes say; null: nothing that is taken as evidence
    Column("refused", Text),  # why it is none, the code of the sentence
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("(media_type IS NULL) = (refused IS NOT NULL)", name="verdict"),
    schema="field",
)
"""Bytes received whole and kept; the file is on disk before its row commits."""

upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),  # drawn by the phone: the same visit is the same row
    Column("staff_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("device_id", ForeignKey(device.c.id)),
    Column("assignment_id", Uuid, nullable=False),  # as sent, whether there is one or not
    Column("visit_id", ForeignKey(visit.c.id)),  # where it went; the pair's two phones go into one visit
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of `body`
    Column("body", LargeBinary, nullable=False),  # the bytes as sent
    moment("received_at"),
    Column("blobs", ARRAY(LargeBinary), nullable=False),  # SHA-256 of everything that belongs to it
    Column("status", Text, nullable=False, server_default="waiting"),
    moment("settled_at", null=True),
    facts("problems"),  # what the office must look at: [{"code", "path", "facts"}, …]
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("chain_head", LargeBinary),
    Column("clock_offset_ms", Integer),  # the phone's clock minus ours, at sending
    Column("receipt", Text),  # signed, once nothing is missing
    CheckConstraint("status IN ('waiting','settled','held')", name="status"),
    CheckConstraint("(status = 'waiting') = (settled_at IS NULL)", name="settled"),
    schema="field",
)
Index("ix_upload_open", upload.c.received_at, postgresql_where=upload.c.status != "settled")

checklist = Table(
    "checklist",
    metadata,
    Column("upload_id", ForeignKey(upload.c.id), primary_key=True),
    Column("visit_id", ForeignKey(visit.c.id), nullable=False, index=True),
    Column("form_version", ForeignKey(form_version.c.version), nullable=False),
    facts("answers"),
    facts("faults"),  # what the compiled form says against them; taken in all the same
    Column("complete", Boolean, nullable=False),
    schema="field",
)
