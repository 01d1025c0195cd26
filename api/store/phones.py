"""Enrolled phones as lists show them, and their end. The table is in `uploads.py`, beside what phones hand in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, String, cast, func, literal, select, update

from api.store.people import api_token, staff
from api.store.uploads import device, upload


@dataclass(frozen=True, slots=True)
class PhoneShown:
    """An enrolled phone."""

    id: UUID
    staff_id: int
    inspector: str  # whose
    label: str  # what it said of itself
    enrolled_at: datetime
    ended_at: datetime | None
    seen_at: datetime  # the latest of: enrolled, given a token, a record of it received
    open_until: datetime | None  # until when a token of it is good; null: it has to sign in first


def token_label(device_id: UUID) -> str:
    """What the tokens of a phone are called: they are found by it."""
    return f"phone {device_id}"


def phones(connection: Connection, now: datetime, *, staff_id: int | None = None) -> list[PhoneShown]:
    """Phones, one person's or everybody's: those in use first, then the latest seen."""
    of_phone = (api_token.c.staff_id == device.c.staff_id) & (
        api_token.c.label == literal("phone ") + cast(device.c.id, String)
    )
    signed_in = select(func.max(api_token.c.created_at)).where(of_phone).scalar_subquery()
    good = of_phone & api_token.c.revoked_at.is_(None) & (api_token.c.expires_at > now)
    open_until = select(func.max(api_token.c.expires_at)).where(good).scalar_subquery()
    handed_in = select(func.max(upload.c.received_at)).where(upload.c.device_id == device.c.id).scalar_subquery()
    seen_at = func.greatest(device.c.enrolled_at, signed_in, handed_in).label("seen_at")
    columns = (device.c.id, device.c.staff_id, staff.c.name, device.c.label, device.c.enrolled_at, device.c.ended_at)
    query = (
        select(*columns, seen_at, open_until.label("open_until"))
        .join(staff, staff.c.id == device.c.staff_id)
        .order_by(device.c.ended_at.desc().nulls_first(), seen_at.desc(), device.c.id)
    )
    if staff_id is not None:
        query = query.where(device.c.staff_id == staff_id)
    return [PhoneShown(*row) for row in connection.execute(query)]


def end_phone(connection: Connection, device_id: UUID, now: datetime) -> bool:
    """Take a phone out of use; False where it was already."""
    statement = update(device).where(device.c.id == device_id, device.c.ended_at.is_(None)).values(ended_at=now)
    return connection.execute(statement.returning(device.c.id)).first() is not None
