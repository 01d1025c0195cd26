"""Photos: the original by its hash, what was found in it, and whose visit it belongs to."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    and_,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, insert

from api.store.base import facts, metadata, moment
from api.store.inspections import assignment, visit
from api.store.people import staff
from api.store.sites import site
from survey_forms.inspection.mornings import CHINA

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
    likeness: int | None = None
    capture: Mapping[str, Any] | None = None  # as the phone chained it
    blurs: list[list[float]] | None = None
    blurred_by: int | None = None
    blurred_at: datetime | None = None

    @property
    def name(self) -> str:
        """The hash as hexadecimal: the photo's name in addresses, and in the ledger."""
        return self.sha256.hex()

    @property
    def blurred_key(self) -> bytes | None:
        """Where the copy with covered rectangles is kept: other rectangles are another copy, none is overwritten."""
        return blurred_key(self.sha256, self.blurs) if self.blurs else None


@dataclass(frozen=True, slots=True)
class Alike:
    """A photo of another visit that shows nearly the same picture."""

    sha256: bytes
    visit_id: UUID
    received_at: datetime
    bits: int  # of 64 that differ
    unit_id: int

    @property
    def name(self) -> str:
        """The hash as hexadecimal."""
        return self.sha256.hex()


def blurred_key(sha256: bytes, blurs: Sequence[Sequence[float]]) -> bytes:
    """The SHA-256 over the original's hash and the rectangles."""
    return hashlib.sha256(sha256 + json.dumps([list(one) for one in blurs]).encode()).digest()


_PLACED = visit.join(assignment, assignment.c.id == visit.c.assignment_id).join(site, site.c.id == assignment.c.site_id)

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
    photo.c.likeness,
    photo.c.capture,
    photo.c.blurs,
    photo.c.blurred_by,
    photo.c.blurred_at,
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


def alike(connection: Connection, one: Photo, within: timedelta, bits: int) -> list[Alike]:
    """Photos of other visits that differ in few bits: of the same unit within that time, of any unit that day (China).

    Both times are the server's. The nearest first.
    """
    if one.likeness is None:
        return []
    others = photo.alias("other")
    apart = func.bit_count(cast(others.c.likeness.bitwise_xor(one.likeness), BIT(64)))
    here = select(site.c.unit_id).select_from(_PLACED).where(visit.c.id == one.visit_id).scalar_subquery()
    begins = one.received_at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(others.c.sha256, others.c.visit_id, others.c.received_at, apart.label("bits"), site.c.unit_id)
        .select_from(_PLACED.join(others, others.c.visit_id == visit.c.id))
        .where(others.c.visit_id != one.visit_id, others.c.likeness.is_not(None), apart <= bits)
        .where(
            or_(
                and_(
                    site.c.unit_id == here,
                    others.c.received_at.between(one.received_at - within, one.received_at + within),
                ),
                and_(others.c.received_at >= begins, others.c.received_at < begins + timedelta(days=1)),
            )
        )
        .order_by("bits", others.c.received_at, others.c.sha256)
    )
    return [Alike(*row) for row in connection.execute(query)]


def put_blurs(connection: Connection, sha256: bytes, blurs: list[list[float]] | None, by: int, now: datetime) -> None:
    """Write which rectangles are covered, and who said so; None uncovers."""
    values = {"blurs": blurs, "blurred_by": by, "blurred_at": now}
    connection.execute(update(photo).where(photo.c.sha256 == sha256).values(**values))


def blurrer_of(connection: Connection, sha256: bytes) -> str:
    """The name of who covered a photo last; "" for nobody."""
    query = select(staff.c.name).join(photo, photo.c.blurred_by == staff.c.id).where(photo.c.sha256 == sha256)
    return connection.execute(query).scalar() or ""


def judge_photo(connection: Connection, sha256: bytes, values: Mapping[str, Any]) -> None:
    """Write the verdict on a photo and what was read from it."""
    connection.execute(update(photo).where(photo.c.sha256 == sha256).values(**values))


def _photo(row: Any) -> Photo:
    return Photo(**(row._asdict() | {"flags": tuple(row.flags)}))
