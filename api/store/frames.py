"""Frames as they are loaded: the import that can be taken up again, and the lines it has read so far.

Nothing half is ever a frame: lines wait in a table of their own until the whole file was read without a fault.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, Numeric, Table, Text

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import frame
from api.store.surveys import survey

frame_import = Table(
    "frame_import",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("sha256", Text, nullable=False),  # of the file, kept among the objects until the import ends
    Column("file_name", Text, nullable=False),
    Column("encoding", Text),  # None: a workbook
    facts("columns"),  # what is read of each line → the file's heading
    Column("lines_total", Integer),
    Column("lines_read", Integer, nullable=False, server_default="0"),
    Column("status", Text, nullable=False, server_default="mapping"),
    facts("faults", null=True),
    Column("frame_id", ForeignKey(frame.c.id)),
    Column("started_by", ForeignKey(staff.c.id)),
    moment("started_at", now=True),
    moment("ended_at", null=True),
    CheckConstraint("status IN ('mapping','reading','refused','loaded','abandoned')", name="status"),
    CheckConstraint("(status = 'loaded') = (frame_id IS NOT NULL)", name="loaded"),
    schema="roll",
)

frame_line = Table(
    "frame_line",
    metadata,
    Column("import_id", ForeignKey(frame_import.c.id), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("stratum", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("psu", Text),
    Column("size", Numeric),
    Column("latitude", Numeric(9, 6)),
    Column("longitude", Numeric(9, 6)),
    Column("sort", Text),
    facts("traits", null=True),
    Column("contact", LargeBinary),  # sealed
    schema="roll",
)
