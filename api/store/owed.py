"""What is owed. An obligation is a row written with the act that caused it; RQ is only the doorbell.

Nothing but the worker's dispatcher talks to the queue (reliability.md section 4): an act that commits has its
row, and Redis may be away for as long as it likes.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.base import metadata, moment

TOPICS = ("compose", "photos")
"""`tally` needs no row here: an open answer is its own obligation (`ballot.untallied`)."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    moment("due_at", now=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    moment("done_at", null=True),
    Column("last_error", Text),
    UniqueConstraint("topic", "key", "version"),
    schema="owed",
)
Index(
    "ix_outbox_due",
    outbox.c.topic,
    outbox.c.due_at,
    outbox.c.id,
    postgresql_where=text("done_at IS NULL"),
)


def emit(connection: Connection, topic: str, key: str, version: int) -> None:
    """Owe `topic` for `key` at its data version, in the caller's transaction; a burst of one version is one row."""
    connection.execute(insert(outbox).values(topic=topic, key=key, version=version).on_conflict_do_nothing())
