"""Indicator scores, kept as they came: a correction is a newer row, and the newest counts."""

from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    select,
)

from api.store.base import POINTS, metadata, moment, serial
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


def scores_of(connection: Connection, evaluation_id: int) -> dict[tuple[str, str], Decimal]:
    """(unit code, component path) → the newest confirmed points."""
    rows = connection.execute(
        select(unit.c.code, score.c.component, score.c.points)
        .select_from(score)
        .join(unit)
        .join(batch, batch.c.id == score.c.batch_id)
        .where(unit.c.evaluation_id == evaluation_id, batch.c.status == "confirmed")
        .order_by(unit.c.id, score.c.component, score.c.id.desc())
        .distinct(unit.c.id, score.c.component)
    )
    return {(row.code, row.component): row.points for row in rows}
