"""Findings: what an inspector says is wrong, with its photos, until a second person decides.

A finding's id is drawn by the phone (UUID), so that a retry is the same row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Select,
    Table,
    Text,
    Uuid,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from api.store.base import POINTS, metadata, moment
from api.store.inspections import assignment, visit
from api.store.people import staff
from api.store.photos import photo

finding = Table(
    "finding",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("visit_id", ForeignKey(visit.c.id), nullable=False, index=True),
    Column("component", Text, nullable=False),  # path in the scheme's tree that the deduction is taken from
    Column("aspect", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("points", POINTS, nullable=False),
    Column("description", Text, nullable=False),
    Column("filed_by", ForeignKey(staff.c.id), nullable=False),
    moment("filed_at"),
    Column("status", Text, nullable=False, server_default="filed"),
    Column("decided_by", ForeignKey(staff.c.id)),
    moment("decided_at", null=True),
    Column("decision_note", Text, nullable=False, server_default=""),
    CheckConstraint("status IN ('filed','confirmed','rejected')", name="status"),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("decided_by IS NULL OR decided_by <> filed_by", name="second_person"),
    CheckConstraint("(status = 'filed') = (decided_by IS NULL)", name="decided"),
    schema="field",
)
Index("ix_finding_filed", finding.c.filed_at, postgresql_where=finding.c.status == "filed")

finding_photo = Table(
    "finding_photo",
    metadata,
    Column("finding_id", ForeignKey(finding.c.id), primary_key=True),
    Column("sha256", ForeignKey(photo.c.sha256), primary_key=True),
    schema="field",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding under a rule of the catalogue."""

    id: UUID
    visit_id: UUID
    component: str
    aspect: str
    rule: str
    points: Decimal
    description: str
    filed_by: int
    filed_at: datetime
    status: str  # filed, confirmed, rejected
    decided_by: int | None
    decided_at: datetime | None
    decision_note: str
    filer: str
    decider: str | None
    photos: tuple[bytes, ...]  # SHA-256, in order


_filer, _decider = staff.alias("filer"), staff.alias("decider")
_HASHES = (
    select(func.array_agg(aggregate_order_by(finding_photo.c.sha256, finding_photo.c.sha256)))
    .where(finding_photo.c.finding_id == finding.c.id)
    .scalar_subquery()
)
_FINDING: Select[Any] = select(
    finding, _filer.c.name.label("filer"), _decider.c.name.label("decider"), _HASHES.label("photos")
).select_from(
    finding.join(_filer, _filer.c.id == finding.c.filed_by).outerjoin(_decider, _decider.c.id == finding.c.decided_by)
)


def put_finding(connection: Connection, values: Mapping[str, Any], hashes: Iterable[bytes]) -> bool:
    """Write a finding with its photos unless it is known; whether it is new."""
    statement = insert(finding).values(**values).on_conflict_do_nothing()
    if connection.execute(statement.returning(finding.c.id)).first() is None:
        return False
    rows = [{"finding_id": values["id"], "sha256": sha256} for sha256 in hashes]
    if rows:
        connection.execute(insert(finding_photo), rows)
    return True


def finding_numbered(connection: Connection, finding_id: UUID) -> Finding | None:
    """The finding of that key."""
    row = connection.execute(_FINDING.where(finding.c.id == finding_id)).first()
    return _finding(row) if row else None


def lock_finding(connection: Connection, finding_id: UUID) -> None:
    """Hold a finding until the transaction ends."""
    connection.execute(select(finding.c.id).where(finding.c.id == finding_id).with_for_update())


def findings_of(connection: Connection, visit_id: UUID) -> list[Finding]:
    """A visit's findings in the order of filing."""
    query = _FINDING.where(finding.c.visit_id == visit_id).order_by(finding.c.filed_at, finding.c.id)
    return [_finding(row) for row in connection.execute(query)]


def findings_in(
    connection: Connection, evaluation_id: int, *, filed: bool, skip: int = 0, most: int = 100
) -> list[Finding]:
    """An evaluation's findings: those that wait for a decision (the oldest first), or the latest decided."""
    query = _FINDING.join(visit, visit.c.id == finding.c.visit_id).join(
        assignment, assignment.c.id == visit.c.assignment_id
    )
    query = query.where(assignment.c.evaluation_id == evaluation_id)
    if filed:
        query = query.where(finding.c.status == "filed").order_by(finding.c.filed_at, finding.c.id)
    else:
        query = query.where(finding.c.status != "filed").order_by(finding.c.decided_at.desc(), finding.c.id)
    return [_finding(row) for row in connection.execute(query.offset(skip).limit(most))]


def waiting_in(connection: Connection, evaluation_id: int) -> int:
    """How many findings of an evaluation wait for a decision."""
    query = (
        select(func.count())
        .select_from(
            finding.join(visit, visit.c.id == finding.c.visit_id).join(
                assignment, assignment.c.id == visit.c.assignment_id
            )
        )
        .where(assignment.c.evaluation_id == evaluation_id, finding.c.status == "filed")
    )
    return int(connection.execute(query).scalar_one())


def decide(connection: Connection, finding_id: UUID, values: Mapping[str, Any]) -> None:
    """Write a decision; the caller holds the finding."""
    connection.execute(update(finding).where(finding.c.id == finding_id).values(**values))


def _finding(row: Any) -> Finding:
    return Finding(**(row._asdict() | {"photos": tuple(row.photos or ())}))
