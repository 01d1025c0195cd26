"""Photos: the original by its hash, what was found in it, and whose visit it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from api.store.base import facts, metadata, moment
from api.store.inspections import visit
from api.store.people import staff

photo = Table(
    "photo",
    metadata,
    Column("visit_id", ForeignKey(visit.c.id), primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", Integer, nullable=False),  # bytes of the original
    Column("media_type", Text, nullable=False),
    Column("original_name", Text, nullable=False),
    moment("claimed_at"),
    moment("received_at"),
    Column("claimed_sha256", LargeBinary),  # what the phone computed, where it could
    Column("verdict", Text, nullable=False, server_default="pending"),
    Column("verdict_code", Text),
    Column("width", Integer, nullable=False),  # pixels, as stored
    Column("height", Integer, nullable=False),
    Column("exif_lat", Float),  # degrees, WGS-84
    Column("exif_lon", Float),
    Column("exif_taken", Text),  # as written by the camera: it has no zone
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("likeness", BigInteger),  # perceptual hash, 64 bits as a signed number
    facts("capture", null=True),  # the capture event as the phone chained it: position, times, ticket, event before
    Column("receipt", Text),  # what the phone was given for it, signed
    facts("blurs", null=True),  # rectangles made unrecognisable in the copy that units see: [[x, y, w, h] of 1, …]
    Column("blurred_by", ForeignKey(staff.c.id)),
    moment("blurred_at", null=True),
    CheckConstraint("verdict IN ('pending','clean','refused')", name="verdict"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("(verdict = 'refused') = (verdict_code IS NOT NULL)", name="verdict_code"),
    UniqueConstraint("sha256"),  # one photo shows one visit; the database decides between two phones at once
    schema="field",
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a visit, as received and as judged."""

    visit_id: UUID
    sha256: bytes
    size: int
    media_type: str
    original_name: str
    claimed_at: datetime
    received_at: datetime
    verdict: str  # pending, clean, refused
    verdict_code: str | None
    width: int
    height: int
    exif_lat: float | None
    exif_lon: float | None
    exif_taken: str | None
    flags: tuple[str, ...]

    @property
    def name(self) -> str:
        """The hash as hexadecimal: the photo's name in addresses, and in the ledger."""
        return self.sha256.hex()


_PHOTO: Select[Any] = select(
    photo.c.visit_id,
    photo.c.sha256,
    photo.c.size,
    photo.c.media_type,
    photo.c.original_name,
    photo.c.claimed_at,
    photo.c.received_at,
    photo.c.verdict,
    photo.c.verdict_code,
    photo.c.width,
    photo.c.height,
    photo.c.exif_lat,
    photo.c.exif_lon,
    photo.c.exif_taken,
    photo.c.flags,
)


def put_photo(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Write a photo unless its bytes are known already; whether it is new."""
    statement = insert(photo).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(photo.c.sha256)).first() is not None


def photo_hashed(connection: Connection, sha256: bytes, *, lock: bool = False) -> Photo | None:
    """The photo with that hash; with `lock` it is held until the transaction ends, yet findings may point at it."""
    query = _PHOTO.where(photo.c.sha256 == sha256)
    row = connection.execute(query.with_for_update(key_share=True) if lock else query).first()
    return _photo(row) if row else None


def photos_of(connection: Connection, visit_id: UUID) -> list[Photo]:
    """A visit's photos in the order of arrival."""
    query = _PHOTO.where(photo.c.visit_id == visit_id).order_by(photo.c.received_at, photo.c.sha256)
    return [_photo(row) for row in connection.execute(query)]


def photos_hashed(connection: Connection, hashes: list[bytes]) -> list[Photo]:
    """The photos with those hashes, in the order of arrival."""
    query = _PHOTO.where(photo.c.sha256.in_(hashes)).order_by(photo.c.received_at, photo.c.sha256)
    return [_photo(row) for row in connection.execute(query)]


def judge_photo(connection: Connection, sha256: bytes, values: Mapping[str, Any]) -> None:
    """Write the verdict on a photo and what was read from it."""
    connection.execute(update(photo).where(photo.c.sha256 == sha256).values(**values))


def _photo(row: Any) -> Photo:
    return Photo(**(row._asdict() | {"flags": tuple(row.flags)}))
