"""Plans of draws as they were committed, and the draws that were refused.

A plan is committed with the name of a randomness that nobody knows yet; plans are added and never changed, so that
whoever asks later sees every one of them.
"""

from sqlalchemy import Column, ForeignKey, Table, Text

from api.store.base import metadata, moment, serial
from api.store.people import staff
from api.store.roll import frame

plan = Table(
    "plan",
    metadata,
    serial(),
    Column("frame_id", ForeignKey(frame.c.id), nullable=False, index=True),
    Column("text", Text, nullable=False),  # canonical; its SHA-256 is the digest
    Column("digest", Text, nullable=False),
    Column("source", Text, nullable=False),  # as the office wrote it (TOML)
    Column("randomness_source", Text, nullable=False),  # e.g. which lottery's draw of which day
    moment("known_from"),  # when that will be known; nobody draws before
    Column("committed_by", ForeignKey(staff.c.id)),
    moment("committed_at", now=True),
    schema="roll",
)

draw_refusal = Table(
    "draw_refusal",
    metadata,
    serial(),
    Column("frame_id", ForeignKey(frame.c.id), nullable=False, index=True),
    Column("code", Text, nullable=False),  # of the refusal
    Column("randomness", Text, nullable=False),
    Column("tried_by", ForeignKey(staff.c.id)),
    moment("tried_at", now=True),
    schema="roll",
)
