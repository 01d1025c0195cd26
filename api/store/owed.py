"""What is owed. An obligation is a row written with the act that caused it; RQ is only the doorbell.

Nothing but the worker's dispatcher talks to the queue: an act that commits has its
row, and Redis may be away for as long as it likes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

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
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.base import metadata, moment

TOPICS = ("checkpoints", "compose", "frames", "notices", "photos", "quality", "slips")
"""`tally` needs no row here: an open answer is its own obligation (`ballot.untallied`)."""

LONGEST_DELAY = 300
"""Seconds between two tries of an obligation that keeps failing."""

DISPATCHER = "dispatcher"
"""Whose pulse tells how the queue is."""

FRESH = timedelta(seconds=30)
"""A process that has said nothing for so long counts as stopped."""

KEPT_DONE = timedelta(days=1)
"""How long a settled obligation stays to be looked at."""

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

# What the dispatcher last said of itself: the web asks here, and so needs no word with Redis.
pulse = Table(
    "pulse",
    metadata,
    Column("name", Text, primary_key=True),
    moment("at"),
    Column("state", Text, nullable=False),  # ok, or degraded: the dispatcher does the work itself
    schema="owed",
)


@dataclass(frozen=True, slots=True)
class Obligation:
    """One row of the outbox that this transaction holds."""

    id: int
    key: str
    attempts: int

    @property
    def subject(self) -> str:
        """What is to be done anew, however many events asked for it: the key up to its first colon."""
        return self.key.partition(":")[0]


def emit(connection: Connection, topic: str, key: str, version: int) -> None:
    """Owe `topic` for `key` at its data version, in the caller's transaction; a burst of one version is one row."""
    connection.execute(insert(outbox).values(topic=topic, key=key, version=version).on_conflict_do_nothing())


def due_topics(connection: Connection) -> set[str]:
    """The topics that have work to do now, by the database's clock."""
    due = select(outbox.c.topic).where(outbox.c.done_at.is_(None), outbox.c.due_at <= func.now()).distinct()
    return set(connection.execute(due).scalars())


def is_owed(connection: Connection, topic: str, subject: str) -> bool:
    """Whether anything of this topic is still to be done for a subject, due now or put off."""
    waiting = select(outbox.c.id).where(
        outbox.c.topic == topic, outbox.c.done_at.is_(None), func.split_part(outbox.c.key, ":", 1) == subject
    )
    return connection.execute(waiting.limit(1)).first() is not None


def take_due(connection: Connection, topic: str, most: int) -> list[Obligation]:
    """Hold up to `most` due obligations until the transaction ends; what another worker holds is passed over."""
    rows = connection.execute(
        select(outbox.c.id, outbox.c.key, outbox.c.attempts)
        .where(outbox.c.topic == topic, outbox.c.done_at.is_(None), outbox.c.due_at <= func.now())
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [Obligation(*row) for row in rows]


def mark_done(connection: Connection, ids: Sequence[int]) -> None:
    """Settle obligations, in the transaction that did the work."""
    connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(done_at=func.now()))


def mark_failed(connection: Connection, ids: Sequence[int], error: str) -> None:
    """Put obligations off: 1, 2, 4 … 300 seconds. Nothing is ever dropped."""
    wait = func.least(func.power(2, outbox.c.attempts), LONGEST_DELAY)
    connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids))
        .values(
            attempts=outbox.c.attempts + 1,
            due_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, wait),
            last_error=error,
        )
    )


def forget_done(connection: Connection) -> None:
    """Delete what was settled more than a day ago."""
    connection.execute(delete(outbox).where(outbox.c.done_at < func.now() - KEPT_DONE))


def beat(connection: Connection, name: str, state: str) -> None:
    """Say that a process lives, and how."""
    statement = insert(pulse).values(name=name, at=func.now(), state=state)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"at": func.now(), "state": state})
    )


def state_of(connection: Connection, name: str) -> str:
    """What a process last said of itself: `ok` or `degraded`; `stopped` when that was too long ago."""
    found = connection.execute(
        select(pulse.c.state).where(pulse.c.name == name, pulse.c.at > func.now() - FRESH)
    ).scalar()
    return found or "stopped"
