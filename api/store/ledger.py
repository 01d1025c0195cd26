"""The deduction ledger: it only grows. Triggers refuse UPDATE, DELETE and TRUNCATE; a mistake is reversed.

Sequence numbers are dense (max + 1 under an advisory lock), so a gap is a missing entry and never an accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    Table,
    Text,
    UniqueConstraint,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.base import POINTS, facts, hold_row, metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.findings import finding, finding_photo
from api.store.people import staff
from api.store.photos import photo
from api.store.uploads import upload

ADVISORY_LOCK = 0x6D696E67  # "ming"

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False),
    Column("component", Text, nullable=False),  # path in the scheme's tree, e.g. "inspection", "indicator.common"
    Column("aspect", Text),
    Column("rule", Text, nullable=False),
    Column("points", POINTS, nullable=False),
    Column("reverses", ForeignKey("field.ledger_entry.seq"), unique=True),
    Column("finding_id", ForeignKey(finding.c.id), unique=True),
    Column("basis", Text, nullable=False),
    Column("filed_by", ForeignKey(staff.c.id), nullable=False),
    Column("decided_by", ForeignKey(staff.c.id), nullable=False),
    moment("entered_at"),
    facts("body"),  # the canonical content that `leaf_hash` covers (survey_forms/transparency.py)
    Column("leaf_hash", LargeBinary, nullable=False, unique=True),
    Column("evidence_root", LargeBinary),  # Merkle root over what the deduction rests on; also in `body` (format 2)
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("filed_by <> decided_by", name="second_person"),
    CheckConstraint("reverses IS NULL OR reverses < seq", name="reverses_earlier"),
    CheckConstraint("octet_length(leaf_hash) = 32", name="leaf_hash"),
    UniqueConstraint("seq", "filed_by", "decided_by"),  # what an objection points at, to keep these two out of it
    schema="field",
)

reversal_request = Table(
    "reversal_request",
    metadata,
    serial(),
    Column("seq", ForeignKey(ledger_entry.c.seq), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", ForeignKey(staff.c.id), nullable=False),
    moment("asked_at"),
    Column("status", Text, nullable=False, server_default="asked"),
    Column("decided_by", ForeignKey(staff.c.id)),
    moment("decided_at", null=True),
    Column("decision_note", Text, nullable=False, server_default=""),
    CheckConstraint("status IN ('asked','granted','declined')", name="status"),
    CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second_person"),
    CheckConstraint("(status = 'asked') = (decided_by IS NULL)", name="decided"),
    schema="field",
)
Index(
    "uq_reversal_request_open",
    reversal_request.c.seq,
    unique=True,
    postgresql_where=reversal_request.c.status == "asked",
)

APPEND_ONLY = """
CREATE FUNCTION field.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger only grows: % on % is refused; enter a reversing entry', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER ledger_entry_only_grows BEFORE UPDATE OR DELETE ON field.ledger_entry
  FOR EACH ROW EXECUTE FUNCTION field.refuse_change();
CREATE TRIGGER ledger_entry_never_emptied BEFORE TRUNCATE ON field.ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION field.refuse_change();
"""
"""Run by the first migration, kept here beside the table that it guards."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry: points deducted under a rule, or the reversal of an earlier one."""

    seq: int
    evaluation_id: int
    unit_id: int
    component: str
    aspect: str | None
    rule: str
    points: Decimal
    reverses: int | None
    finding_id: UUID | None
    basis: str
    filed_by: int
    decided_by: int
    entered_at: datetime
    leaf_hash: bytes
    evidence_root: bytes | None  # none in entries of the first format
    instead_of: int | None  # the reversed entry that this one replaces

    @property
    def hands(self) -> frozenset[int]:
        """Who filed and who confirmed it: neither decides whether it is taken back."""
        return frozenset((self.filed_by, self.decided_by))


@dataclass(frozen=True, slots=True)
class ReversalRequest:
    """One person asks for an entry to be reversed; another grants or declines it."""

    id: int
    seq: int
    reason: str
    asked_by: int
    asked_at: datetime
    status: str
    decided_by: int | None
    decided_at: datetime | None
    decision_note: str
    asker: str
    decider: str | None


entry_columns = (
    ledger_entry.c.seq,
    ledger_entry.c.evaluation_id,
    ledger_entry.c.unit_id,
    ledger_entry.c.component,
    ledger_entry.c.aspect,
    ledger_entry.c.rule,
    ledger_entry.c.points,
    ledger_entry.c.reverses,
    ledger_entry.c.finding_id,
    ledger_entry.c.basis,
    ledger_entry.c.filed_by,
    ledger_entry.c.decided_by,
    ledger_entry.c.entered_at,
    ledger_entry.c.leaf_hash,
    ledger_entry.c.evidence_root,
    ledger_entry.c.body["instead_of"].as_integer(),
)
"""In the order of `Entry`."""
_ENTRY: Select[Any] = select(*entry_columns)


def entered_with(connection: Connection, sha256: bytes, unit_id: int) -> bool:
    """Whether a photo is evidence of an entry of that unit."""
    query = (
        select(ledger_entry.c.seq)
        .join(finding_photo, finding_photo.c.finding_id == ledger_entry.c.finding_id)
        .where(ledger_entry.c.unit_id == unit_id, finding_photo.c.sha256 == sha256)
    )
    return connection.execute(query.limit(1)).first() is not None


def evidence_of(connection: Connection, unit_id: int) -> dict[int, list[str]]:
    """Sequence number → SHA-256 (hexadecimal) of the clean photos that a unit's entries rest on."""
    rows = connection.execute(
        select(ledger_entry.c.seq, finding_photo.c.sha256)
        .join(finding_photo, finding_photo.c.finding_id == ledger_entry.c.finding_id)
        .join(photo, photo.c.sha256 == finding_photo.c.sha256)
        .where(ledger_entry.c.unit_id == unit_id, photo.c.verdict == "clean")
        .order_by(ledger_entry.c.seq, finding_photo.c.sha256)
    )
    found: dict[int, list[str]] = {}
    for seq, sha256 in rows:
        found.setdefault(seq, []).append(bytes(sha256).hex())
    return found


def lock_ledger(connection: Connection) -> int:
    """Hold the ledger until the transaction ends and return the next sequence number."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    return int(connection.execute(select(func.coalesce(func.max(ledger_entry.c.seq), 0) + 1)).scalar_one())


def append_entry(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write one entry; the caller holds `lock_ledger` and took its sequence number from there."""
    connection.execute(insert(ledger_entry).values(**values))


def entry_numbered(connection: Connection, seq: int) -> Entry | None:
    """The entry of that sequence number."""
    row = connection.execute(_ENTRY.where(ledger_entry.c.seq == seq)).first()
    return Entry(*row) if row else None


def body_numbered(connection: Connection, seq: int) -> dict[str, Any] | None:
    """What the entry of that sequence number says, as its leaf hash covers it."""
    return connection.execute(select(ledger_entry.c.body).where(ledger_entry.c.seq == seq)).scalar()


def upload_digests(connection: Connection, finding_id: UUID) -> tuple[bytes, ...]:
    """The digests of what phones handed in for the visit of a finding, in the order of their bytes."""
    query = select(upload.c.digest).join(finding, finding.c.visit_id == upload.c.visit_id)
    return tuple(sorted(map(bytes, connection.execute(query.where(finding.c.id == finding_id)).scalars())))


def entry_of_finding(connection: Connection, finding_id: UUID) -> Entry | None:
    """The entry that a confirmed finding led to."""
    row = connection.execute(_ENTRY.where(ledger_entry.c.finding_id == finding_id)).first()
    return Entry(*row) if row else None


def reversal_of(connection: Connection, seq: int) -> Entry | None:
    """The entry that reverses another, if one does."""
    row = connection.execute(_ENTRY.where(ledger_entry.c.reverses == seq)).first()
    return Entry(*row) if row else None


def entries_of(connection: Connection, evaluation_id: int, unit_id: int | None = None) -> list[Entry]:
    """An evaluation's entries in sequence, of one unit where it is named."""
    query = _ENTRY.where(ledger_entry.c.evaluation_id == evaluation_id).order_by(ledger_entry.c.seq)
    if unit_id is not None:
        query = query.where(ledger_entry.c.unit_id == unit_id)
    return [Entry(*row) for row in connection.execute(query)]


def people_of(connection: Connection, evaluation_id: int) -> dict[int, str]:
    """The names of those who filed or decided an evaluation's entries, by their keys."""
    named = or_(ledger_entry.c.filed_by == staff.c.id, ledger_entry.c.decided_by == staff.c.id)
    query = select(staff.c.id, staff.c.name).where(exists().where(named, ledger_entry.c.evaluation_id == evaluation_id))
    return {row.id: row.name for row in connection.execute(query)}


_asker, _decider = staff.alias("asker"), staff.alias("decider")
_REQUEST: Select[Any] = select(
    reversal_request, _asker.c.name.label("asker"), _decider.c.name.label("decider")
).select_from(
    reversal_request.join(_asker, _asker.c.id == reversal_request.c.asked_by).outerjoin(
        _decider, _decider.c.id == reversal_request.c.decided_by
    )
)


def put_request(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Write a request for a reversal; its key, or None when one for that entry waits already."""
    statement = upsert(reversal_request).values(**values).on_conflict_do_nothing()
    row = connection.execute(statement.returning(reversal_request.c.id)).first()
    return int(row.id) if row else None


def request_numbered(connection: Connection, request_id: int, *, lock: bool = False) -> ReversalRequest | None:
    """The request of that key; with `lock` it is held until the transaction ends."""
    if lock:
        hold_row(connection, reversal_request, request_id)
    row = connection.execute(_REQUEST.where(reversal_request.c.id == request_id)).first()
    return ReversalRequest(*row) if row else None


def waiting_request(connection: Connection, seq: int) -> ReversalRequest | None:
    """The request for the reversal of that entry that nobody has decided."""
    query = _REQUEST.where(reversal_request.c.seq == seq, reversal_request.c.status == "asked")
    row = connection.execute(query).first()
    return ReversalRequest(*row) if row else None


def requests_in(connection: Connection, evaluation_id: int) -> list[ReversalRequest]:
    """An evaluation's requests for reversals, the newest first."""
    query = (
        _REQUEST.join(ledger_entry, ledger_entry.c.seq == reversal_request.c.seq)
        .where(ledger_entry.c.evaluation_id == evaluation_id)
        .order_by(reversal_request.c.id.desc())
    )
    return [ReversalRequest(*row) for row in connection.execute(query)]


def decide_request(connection: Connection, request_id: int, values: Mapping[str, Any]) -> None:
    """Write a decision; the caller holds the request."""
    connection.execute(update(reversal_request).where(reversal_request.c.id == request_id).values(**values))
