"""What of a visit was lost for good, as the office wrote it down when it took in the rest. A line never changes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKey, LargeBinary, Table, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from api.store.base import metadata, moment
from api.store.findings import finding_photo
from api.store.people import staff
from api.store.uploads import upload

shortfall = Table(
    "shortfall",
    metadata,
    Column("upload_id", ForeignKey(upload.c.id), primary_key=True),
    Column("missing", ARRAY(LargeBinary), nullable=False),  # SHA-256 of what had not come by then
    Column("taken_by", ForeignKey(staff.c.id), nullable=False),
    moment("taken_at"),
    Column("note", Text, nullable=False),
    CheckConstraint("cardinality(missing) > 0", name="missing"),
    CheckConstraint("note <> ''", name="note"),
    schema="field",
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """That somebody at the office took a visit in without what is missing, and why."""

    upload_id: UUID
    missing: tuple[bytes, ...]
    taken_by: int
    taken_at: datetime
    note: str
    taker: str


def put_shortfall(  # noqa: PLR0913, PLR0917 - of what, which, who, when and why
    connection: Connection, upload_id: UUID, missing: Collection[bytes], taken_by: int, taken_at: datetime, note: str
) -> None:
    """Write down what an upload lacks; the caller holds the upload."""
    values = {"upload_id": upload_id, "missing": list(missing), "taken_by": taken_by, "taken_at": taken_at}
    connection.execute(insert(shortfall).values(**values, note=note))


def shortfall_of(connection: Connection, upload_id: UUID) -> Shortfall | None:
    """What an upload lacked when it was taken in; None where nobody took it in short."""
    query = select(shortfall, staff.c.name).join(staff, staff.c.id == shortfall.c.taken_by)
    row = connection.execute(query.where(shortfall.c.upload_id == upload_id)).first()
    return Shortfall(row.upload_id, tuple(row.missing), *row[2:]) if row else None


def took_short(connection: Connection, visit_id: UUID, staff_id: int) -> bool:
    """Whether somebody took in anything of a visit without what was missing of it."""
    query = select(shortfall.c.upload_id).join(upload, upload.c.id == shortfall.c.upload_id)
    query = query.where(upload.c.visit_id == visit_id, shortfall.c.taken_by == staff_id)
    return connection.execute(query.limit(1)).first() is not None


def join_photos(connection: Connection, finding_id: UUID, hashes: Collection[bytes]) -> None:
    """Put photos that came late to their finding; the caller holds the finding, and nobody has decided on it."""
    rows = [{"finding_id": finding_id, "sha256": sha256} for sha256 in hashes]
    if rows:
        connection.execute(insert(finding_photo).on_conflict_do_nothing(), rows)
