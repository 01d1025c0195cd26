"""An inspector's phone: enrolled with a public key of its own, and with a token that outlives two weeks offline."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Connection

from api.store import people
from api.store.people import Staff
from api.store.uploads import device_numbered, put_device
from survey_forms.inspection.chain import read_public_key
from survey_forms.inspection.visit_events import clean
from survey_forms.refusal import Refused

LIFE = timedelta(days=14)
LARGEST_KEY = 200  # bytes; the SubjectPublicKeyInfo of a point on P-256 has 91
PREFIX = "mingcha_"


def enrol(  # noqa: PLR0913, PLR0917 - who, which phone, its key, its name and when make an enrolment
    connection: Connection, staff: Staff, device_id: UUID, public_key: bytes, label: str, now: datetime
) -> tuple[str, datetime]:
    """Enrol a phone, or give one that is enrolled a new token.

    Args:
        connection: in a transaction.
        staff: the inspector who is signed in.
        device_id: drawn by the phone, once.
        public_key: SubjectPublicKeyInfo of a key on P-256 that cannot leave the phone.
        label: what the inspector sees in a list of phones.
        now: when.

    Returns:
        The token, which is shown once and stored as its digest, and when it expires.

    Raises:
        Refused: `device_key_unfit`; `device_of_another` where the id is somebody else's phone, has another key, or
            was taken out of use: the phone draws a new id then.
    """
    if len(public_key) > LARGEST_KEY:
        raise Refused("device_key_unfit", "public_key")
    read_public_key(public_key)
    values = {
        "id": device_id,
        "staff_id": staff.id,
        "public_key": public_key,
        "label": clean(label, 100),
        "enrolled_at": now,
    }
    put_device(connection, values)
    known = device_numbered(connection, device_id)
    if known.staff_id != staff.id or known.public_key != public_key or known.ended_at is not None:
        raise Refused("device_of_another", "device")
    token, expires_at = PREFIX + secrets.token_urlsafe(32), now + LIFE
    digest = sha256(token.encode()).digest()
    people.add_token(connection, staff.id, digest, f"phone {device_id}", now, expires_at)
    people.record_act(connection, "phone_enrolled", now, staff.id, device=str(device_id), label=values["label"])
    return token, expires_at


def key_of(connection: Connection, device_id: UUID, staff_id: int) -> EllipticCurvePublicKey | None:
    """The key of the inspector's own phone; None for any other's."""
    known = device_numbered(connection, device_id)
    return read_public_key(known.public_key) if known is not None and known.staff_id == staff_id else None
