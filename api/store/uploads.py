"""What phones hand in: enrolled phones, blobs by their hash, and visits exactly as they were sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from api.store.base import facts, metadata, moment
from api.store.inspections import assignment, crew, visit
from api.store.people import staff
from api.store.surveys import form_version

device = Table(
    "device",
    metadata,
    Column("id", Uuid, primary_key=True),  # drawn by the phone
    Column("staff_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False, unique=True),  # P-256, SubjectPublicKeyInfo; one phone's alone
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
    Column("staff_id", ForeignKey(staff.c.id), primary_key=True),  # who brought it: knowing a hash brings nothing
    moment("received_at"),
    Column("media_type", Text),  # what its first bytes say; null: nothing that is taken as evidence
    Column("refused", Text),  # why it is none, the code of the sentence
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("(media_type IS NULL) = (refused IS NOT NULL)", name="verdict"),
    schema="field",
)
"""Bytes received whole and kept, once for each who brought them; the file is on disk before its row commits."""

upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),  # drawn by the phone: the same visit is the same row
    Column("staff_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("device_id", ForeignKey(device.c.id)),
    Column("assignment_id", Uuid, nullable=False),  # as sent, whether there is one or not
    Column("visit_id", ForeignKey(visit.c.id)),  # where it went; the pair's two phones go into one visit
    Column("digest", LargeBinary, nullable=False),  # of what makes it this visit (`api.actions.uploads`)
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
    Column("brought_by", ForeignKey(staff.c.id)),  # who at the office took it in from a file; null: the phone sent it
    CheckConstraint("status IN ('waiting','settled','held')", name="status"),
    CheckConstraint("(status = 'waiting') = (settled_at IS NULL)", name="settled"),
    schema="field",
)
Index("ix_upload_blobs", upload.c.blobs, postgresql_using="gin")
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


def lost_among(problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The problems that name, each by its hash, what was not here when a visit was taken in."""
    return [one for one in problems if one["code"] in {"upload_photo_missing", "upload_signature_missing"}]


@dataclass(frozen=True, slots=True)
class Upload:
    """A visit as one phone sent it, and what became of it."""

    id: UUID
    staff_id: int
    device_id: UUID | None
    assignment_id: UUID
    visit_id: UUID | None
    digest: bytes
    body: bytes
    received_at: datetime
    blobs: tuple[bytes, ...]
    status: str  # waiting, settled, held
    settled_at: datetime | None
    problems: list[dict[str, Any]]
    flags: tuple[str, ...]
    clock_offset_ms: int | None
    receipt: str | None
    brought_by: int | None
    inspector: str  # whose phone

    @property
    def lost(self) -> list[dict[str, Any]]:
        """Those of its problems that name what never came."""
        return lost_among(self.problems)


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are kept, and whether they are taken as evidence."""

    sha256: bytes
    size: int
    staff_id: int
    received_at: datetime
    media_type: str | None
    refused: str | None


_UPLOAD = select(
    *(column for column in upload.c if column.name != "chain_head"), staff.c.name.label("inspector")
).select_from(upload.join(staff, staff.c.id == upload.c.staff_id))


_DEALT_WITH = (upload.c.status == "settled") & or_(
    *(upload.c.problems.contains([{"code": code}]) for code in ("upload_resolved", "upload_taken_short"))
)


def put_device(connection: Connection, values: Mapping[str, Any]) -> None:
    """Enrol a phone unless it is enrolled."""
    connection.execute(insert(device).values(**values).on_conflict_do_nothing())


def device_numbered(connection: Connection, device_id: UUID) -> Any:
    """The phone's row, ended or not; None where nobody enrolled it."""
    return connection.execute(select(device).where(device.c.id == device_id)).first()


def put_blob(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Note bytes as kept unless they are; whether they are new."""
    statement = insert(blob).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(blob.c.sha256)).first() is not None


def blobs_brought(connection: Connection, hashes: Sequence[bytes], staff_ids: Iterable[int]) -> dict[bytes, Blob]:
    """Those of the hashes whose bytes one of these people brought, as the first of them did."""
    query = (
        select(blob)
        .where(blob.c.sha256.in_(list(hashes)), blob.c.staff_id.in_(list(staff_ids)))
        .order_by(blob.c.received_at.desc(), blob.c.staff_id)
    )
    return {row.sha256: Blob(*row) for row in connection.execute(query)}


def bringers_of(connection: Connection, assignment_id: UUID, staff_id: int) -> set[int]:
    """Whose bytes count for what a person hands in: their own, and their crew's where they are or were in it."""
    found = placed_on(connection, assignment_id)
    return found if staff_id in found else {staff_id}


def placed_on(connection: Connection, assignment_id: UUID) -> set[int]:
    """Who leads an assignment, or is or was in its crew."""
    people = select(crew.c.staff_id).where(crew.c.assignment_id == assignment_id)
    leads = select(assignment.c.inspector_id).where(assignment.c.id == assignment_id)
    return set(connection.execute(union(people, leads)).scalars())


def named_before(connection: Connection, one: Upload) -> frozenset[bytes]:
    """The hashes of an upload that the crew of another assignment named earlier, their bytes here or not."""
    place = is_placed(upload.c.assignment_id, upload.c.staff_id)
    query = select(upload.c.blobs).where(
        upload.c.blobs.overlap(list(one.blobs)),
        upload.c.assignment_id != one.assignment_id,
        tuple_(upload.c.received_at, upload.c.id) < (one.received_at, one.id),
        place,
    )
    named = {digest for blobs in connection.execute(query).scalars() for digest in blobs}
    return frozenset(named.intersection(one.blobs))


def was_placed(connection: Connection, assignment_id: UUID, staff_id: int) -> bool:
    """Whether somebody leads an assignment, or is or was in its crew."""
    return bool(connection.execute(select(is_placed(literal(assignment_id), literal(staff_id)))).scalar_one())


def is_placed(assignment_id: ColumnElement[UUID], staff_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether somebody leads an assignment, or is or was in its crew."""
    leads = exists().where(assignment.c.id == assignment_id, assignment.c.inspector_id == staff_id)
    return leads | exists().where(crew.c.assignment_id == assignment_id, crew.c.staff_id == staff_id)


def put_upload(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Keep what a phone sent unless its id is known; whether it is new."""
    statement = insert(upload).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(upload.c.id)).first() is not None


def upload_numbered(connection: Connection, upload_id: UUID, *, lock: bool = False) -> Upload | None:
    """The upload of that key; with `lock` it is held until the transaction ends."""
    query = _UPLOAD.where(upload.c.id == upload_id)
    row = connection.execute(query.with_for_update(of=upload) if lock else query).first()
    return _upload(row) if row else None


def uploads_of(
    connection: Connection, *, staff_id: int | None = None, status: str, most: int = 200, skip: int = 0
) -> list[Upload]:
    """Uploads in a state, one inspector's or everybody's, the oldest first."""
    query = _UPLOAD.where(upload.c.status == status).order_by(upload.c.received_at, upload.c.id)
    query = query.limit(most).offset(skip)
    if staff_id is not None:
        query = query.where(upload.c.staff_id == staff_id)
    return [_upload(row) for row in connection.execute(query)]


def uploads_resolved(connection: Connection, most: int = 200, skip: int = 0) -> list[Upload]:
    """Uploads that somebody at the office has dealt with, the latest first."""
    query = _UPLOAD.where(_DEALT_WITH).order_by(upload.c.settled_at.desc(), upload.c.id)
    query = query.limit(most).offset(skip)
    return [_upload(row) for row in connection.execute(query)]


def numbers_of(connection: Connection) -> dict[str, int]:
    """How many uploads are waiting, held, and dealt with by the office."""
    states = {"waiting": upload.c.status == "waiting", "held": upload.c.status == "held", "resolved": _DEALT_WITH}
    counted = (func.count().filter(state).label(name) for name, state in states.items())
    query = select(*counted).where((upload.c.status != "settled") | _DEALT_WITH)
    return dict(connection.execute(query).one()._asdict())


def uploads_into(connection: Connection, visit_id: UUID) -> list[Upload]:
    """What went into a visit, the first first."""
    query = _UPLOAD.where(upload.c.visit_id == visit_id).order_by(upload.c.received_at, upload.c.id)
    return [_upload(row) for row in connection.execute(query)]


def change_upload(connection: Connection, upload_id: UUID, values: Mapping[str, Any]) -> None:
    """Write what became of an upload; the caller holds it."""
    connection.execute(update(upload).where(upload.c.id == upload_id).values(**values))


def put_checklist(connection: Connection, values: Mapping[str, Any]) -> None:
    """Keep an upload's checklist unless it has one."""
    connection.execute(insert(checklist).values(**values).on_conflict_do_nothing())


def hold_assignment(connection: Connection, assignment_id: UUID) -> None:
    """Hold an assignment until the transaction ends: its crew's phones are taken in one after the other."""
    connection.execute(select(assignment.c.id).where(assignment.c.id == assignment_id).with_for_update())


def sign_visit(connection: Connection, visit_id: UUID, sha256: bytes, signed_by: str) -> None:
    """Note whose signature a visit has; the first one stays."""
    connection.execute(
        update(visit)
        .where(visit.c.id == visit_id, visit.c.signature.is_(None))
        .values(signature=sha256, signed_by=signed_by)
    )


def note_visit(connection: Connection, visit_id: UUID, words: str) -> None:
    """Put a note under those that a visit has, once."""
    known: str = connection.execute(select(visit.c.note).where(visit.c.id == visit_id)).scalar_one()
    if words and words not in known:
        connection.execute(update(visit).where(visit.c.id == visit_id).values(note=f"{known}\n{words}".strip()))


def _upload(row: Any) -> Upload:
    return Upload(**(row._asdict() | {"blobs": tuple(row.blobs), "flags": tuple(row.flags)}))
