"""Indicator scores, kept as they came: a correction is a newer row, and the newest counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on

from api.store.base import POINTS, hold_row, metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.people import staff

batch = Table(
    "batch",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("file_name", Text, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("filed_by", ForeignKey(staff.c.id), nullable=False),
    moment("filed_at"),
    Column("status", Text, nullable=False, server_default="filed"),  # counts only once a second person confirmed it
    Column("decided_by", ForeignKey(staff.c.id)),
    moment("decided_at", null=True),
    CheckConstraint("status IN ('filed','confirmed','rejected')", name="status"),
    CheckConstraint("decided_by IS NULL OR decided_by <> filed_by", name="second_person"),
    CheckConstraint("(status = 'filed') = (decided_by IS NULL)", name="decided"),
    schema="indicator",
)

score = Table(
    "score",
    metadata,
    serial(),
    Column("batch_id", ForeignKey(batch.c.id), nullable=False, index=True),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("component", Text, nullable=False),  # path in the scheme's tree, e.g. "indicator.differential"
    Column("points", POINTS, nullable=False),
    Column("basis", Text, nullable=False),
    CheckConstraint("points >= 0", name="points"),
    schema="indicator",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A file of indicator scores and deductions as it was handed in, and who stands for it."""

    id: int
    evaluation_id: int
    file_name: str
    sha256: bytes
    content: bytes
    rows: int
    filed_by: int
    filer: str
    filed_at: datetime
    status: str
    decided_by: int | None
    decider: str | None
    decided_at: datetime | None


_decider = staff.alias("decider")
_BATCH: Select[Any] = (
    select(
        batch.c.id,
        batch.c.evaluation_id,
        batch.c.file_name,
        batch.c.sha256,
        batch.c.content,
        batch.c.rows,
        batch.c.filed_by,
        staff.c.name.label("filer"),
        batch.c.filed_at,
        batch.c.status,
        batch.c.decided_by,
        _decider.c.name.label("decider"),
        batch.c.decided_at,
    )
    .join(staff, staff.c.id == batch.c.filed_by)
    .outerjoin(_decider, _decider.c.id == batch.c.decided_by)
)


def hold_batches(connection: Connection, evaluation_id: int) -> None:
    """Let nobody else file into this evaluation until the transaction ends, so that one file is one batch."""
    connection.execute(
        select(evaluation.c.id).where(evaluation.c.id == evaluation_id).with_for_update(key_share=True)
    ).one()


def batches_of(connection: Connection, evaluation_id: int) -> list[Batch]:
    """The files of an evaluation, newest first."""
    rows = connection.execute(_BATCH.where(batch.c.evaluation_id == evaluation_id).order_by(batch.c.id.desc()))
    return [Batch(*row) for row in rows]


def batch_of_file(connection: Connection, evaluation_id: int, sha256: bytes) -> Batch | None:
    """The batch of exactly this file, unless it was rejected: a rejected file may be handed in again."""
    row = connection.execute(
        _BATCH.where(
            batch.c.evaluation_id == evaluation_id, batch.c.sha256 == sha256, batch.c.status != "rejected"
        ).order_by(batch.c.id)
    ).first()
    return Batch(*row) if row else None


def batch_numbered(connection: Connection, batch_id: int, *, lock: bool = False) -> Batch | None:
    """The batch of that key; `lock` holds its row until the transaction ends."""
    if lock:
        hold_row(connection, batch, batch_id)
    row = connection.execute(_BATCH.where(batch.c.id == batch_id)).first()
    return Batch(*row) if row else None


def add_batch(connection: Connection, values: dict[str, Any], scores: Iterable[dict[str, Any]]) -> int:
    """Keep a file and its scores, which count once the batch is confirmed; returns the batch's key."""
    batch_id: int = connection.execute(insert(batch).values(**values).returning(batch.c.id)).scalar_one()
    rows = [{"batch_id": batch_id, **one} for one in scores]
    if rows:
        connection.execute(insert(score), rows)
    return batch_id


def decide_batch(connection: Connection, batch_id: int, status: str, staff_id: int, now: datetime) -> None:
    """Write a second person's decision."""
    connection.execute(
        update(batch).where(batch.c.id == batch_id).values(status=status, decided_by=staff_id, decided_at=now)
    )


def scores_of(connection: Connection, evaluation_id: int) -> dict[tuple[str, str], Decimal]:
    """(unit code, component path) → the newest confirmed points."""
    rows = connection.execute(
        select(unit.c.code, score.c.component, score.c.points)
        .select_from(score)
        .join(unit, unit.c.id == score.c.unit_id)
        .join(batch, batch.c.id == score.c.batch_id)
        .where(unit.c.evaluation_id == evaluation_id, batch.c.status == "confirmed")
        .order_by(unit.c.id, score.c.component, score.c.id.desc())
        .ext(distinct_on(unit.c.id, score.c.component))
    )
    return {(row.code, row.component): row.points for row in rows}
