"""Signed checkpoints of the ledger's Merkle log; they are added and never changed."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.base import metadata, moment
from api.store.evaluations import evaluation, round_, unit
from api.store.ledger import Entry, entry_columns, ledger_entry
from api.store.owed import pulse

AT_ONCE = 2000  # entries that a reading of the whole ledger holds in memory

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),  # the signed note, byte for byte
    Column("verifier_key", Text, nullable=False),  # whose signature it is: "name+hash+key"
    Column("occasion", Text, nullable=False),
    moment("made_at"),
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("octet_length(root) = 32", name="root"),
    CheckConstraint("occasion IN ('hourly','freeze','asked')", name="occasion"),
    schema="field",
)

frozen_ledger = Table(
    "frozen_ledger",  # the ledger as a freeze found it, also where a checkpoint of its size was signed before
    metadata,
    Column("round_id", ForeignKey(round_.c.id), primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    moment("seen_at"),
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("octet_length(root) = 32", name="root"),
    schema="field",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint as it was kept."""

    size: int
    root: bytes
    note: str
    verifier_key: str
    occasion: str  # hourly, freeze, asked
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Frozen:
    """How many entries the ledger had when a round was frozen, and their root."""

    round_id: int
    size: int
    root: bytes
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """An entry twice: the body that its leaf covers, and the columns that the scores are computed from."""

    entry: Entry
    evaluation: str
    unit: str
    body: Mapping[str, Any]


def checkpoints(connection: Connection) -> list[Kept]:
    """All checkpoints, the smallest first."""
    return [Kept(*row) for row in connection.execute(select(checkpoint).order_by(checkpoint.c.size))]


def last_checkpoint(connection: Connection, below: int | None = None) -> Kept | None:
    """The largest that the ledger has the entries for; one that claims more is none, whoever wrote it."""
    size = select(func.coalesce(func.max(ledger_entry.c.seq), 0)).scalar_subquery()
    query = select(checkpoint).where(checkpoint.c.size <= size)
    if below is not None:
        query = query.where(checkpoint.c.size < below)
    row = connection.execute(query.order_by(checkpoint.c.size.desc()).limit(1)).first()
    return Kept(*row) if row else None


def checkpoint_of(connection: Connection, size: int) -> Kept | None:
    """The checkpoint of that many entries."""
    row = connection.execute(select(checkpoint).where(checkpoint.c.size == size)).first()
    return Kept(*row) if row else None


def put_checkpoint(connection: Connection, kept: Kept) -> bool:
    """Keep a checkpoint unless one of its size is kept; whether it is new."""
    values = {column.name: getattr(kept, column.name) for column in checkpoint.columns}
    statement = insert(checkpoint).values(values).on_conflict_do_nothing()
    return connection.execute(statement.returning(checkpoint.c.size)).first() is not None


def put_frozen(connection: Connection, frozen: Frozen) -> None:
    """Keep what a freeze found; the first look after it is the one that stays."""
    values = {column.name: getattr(frozen, column.name) for column in frozen_ledger.columns}
    connection.execute(insert(frozen_ledger).values(values).on_conflict_do_nothing())


def frozen_ledgers(connection: Connection) -> dict[int, Frozen]:
    """What each freeze found, by round."""
    return {row.round_id: Frozen(*row) for row in connection.execute(select(frozen_ledger))}


def ledger_size(connection: Connection) -> int:
    """How many entries there are."""
    return int(connection.execute(select(func.count()).select_from(ledger_entry)).scalar_one())


def leaves(connection: Connection, size: int) -> list[bytes]:
    """The leaf hashes of the first entries."""
    query = select(ledger_entry.c.leaf_hash).where(ledger_entry.c.seq <= size).order_by(ledger_entry.c.seq)
    return [bytes(leaf) for leaf in connection.execute(query).scalars()]


def bodies(connection: Connection, first: int, last: int) -> Generator[tuple[dict[str, Any], bytes], None, None]:
    """Entries' bodies and leaf hashes from one number to another, a few at a time."""
    query = (
        select(ledger_entry.c.body, ledger_entry.c.leaf_hash)
        .where(ledger_entry.c.seq.between(first, last))
        .order_by(ledger_entry.c.seq)
    )
    with connection.execute(query, execution_options={"yield_per": AT_ONCE}) as found:
        for body, leaf in found:
            yield body, bytes(leaf)


def rows(connection: Connection) -> Generator[Row, None, None]:
    """The whole ledger in sequence, a few entries at a time."""
    query = (
        select(*entry_columns, evaluation.c.code, unit.c.code, ledger_entry.c.body)
        .join(evaluation, evaluation.c.id == ledger_entry.c.evaluation_id)
        .join(unit, unit.c.id == ledger_entry.c.unit_id)
        .order_by(ledger_entry.c.seq)
    )
    with connection.execute(query, execution_options={"yield_per": AT_ONCE}) as found:
        for row in found:
            yield Row(Entry(*row[:-3]), *row[-3:])


def unit_of_entry(connection: Connection, seq: int) -> int | None:
    """The key of the unit that an entry is about."""
    return connection.execute(select(ledger_entry.c.unit_id).where(ledger_entry.c.seq == seq)).scalar()


def last_look(connection: Connection) -> tuple[datetime, str] | None:
    """When the whole ledger was last recomputed, and what was found: `ok`, or what is wrong."""
    row = connection.execute(select(pulse.c.at, pulse.c.state).where(pulse.c.name == LOOK)).first()
    return (row.at, row.state) if row else None


WELL = "ok"
LOOK = "ledger"
"""Under this name the worker says what it found (`api/store/owed.py`)."""
