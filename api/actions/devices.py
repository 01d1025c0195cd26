"""An inspector's phone: enrolled with a public key of its own, and with a token that outlives two weeks offline."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Connection

from api.store import people
from api.store.people import Staff
from api.store.phones import end_phone, token_label
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
        Refused: `device_key_unfit`; `device_of_another` where the id or the key is another phone's, or the phone was
            taken out of use: it draws both anew then.
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
    if known is None or (known.staff_id, known.public_key, known.ended_at) != (staff.id, public_key, None):
        raise Refused("device_of_another", "device")
    token, expires_at = PREFIX + secrets.token_urlsafe(32), now + LIFE
    digest = sha256(token.encode()).digest()
    people.add_token(connection, staff.id, digest, token_label(device_id), now, expires_at)
    people.record_act(connection, "phone_enrolled", now, staff.id, device=str(device_id), label=values["label"])
    return token, expires_at


def end(connection: Connection, device_id: UUID, staff: Staff, now: datetime) -> None:
    """Take a phone out of use, with its tokens; what it has recorded still comes in, by its owner's next sign-in.

    The owner's sessions end too where the office ends a phone: it may be lost, with a session of its browser open, and
    whoever holds it could enrol it anew. Twice is once.

    Args:
        connection: in a transaction.
        device_id: which.
        staff: who says so: its inspector, or the office.
        now: when.

    Raises:
        Refused: `not_found` for a phone that nobody enrolled or, to an inspector, somebody else's.
    """
    known = device_numbered(connection, device_id)
    if known is None or (staff.role != "office" and known.staff_id != staff.id):
        raise Refused("not_found")
    if not end_phone(connection, device_id, now):
        return
    tokens = people.revoke_tokens(connection, known.staff_id, token_label(device_id), now)
    if staff.id != known.staff_id:
        people.close_sessions_of(connection, known.staff_id)
    about = {"device": str(device_id), "label": known.label, "inspector": known.staff_id, "tokens": tokens}
    people.record_act(connection, "phone_ended", now, staff.id, **about)


def sign_out(connection: Connection, device_id: UUID, staff: Staff, now: datetime) -> None:
    """End the tokens of the phone on which somebody signs out; the phone stays enrolled."""
    if people.revoke_tokens(connection, staff.id, token_label(device_id), now):
        people.record_act(connection, "phone_signed_out", now, staff.id, device=str(device_id))


def key_of(
    connection: Connection, device_id: UUID, staff_id: int, signed_at: datetime
) -> EllipticCurvePublicKey | None:
    """The key of the inspector's own phone, if it was in use when it signed; None for any other's."""
    known = device_numbered(connection, device_id)
    if known is None or known.staff_id != staff_id or (known.ended_at is not None and known.ended_at <= signed_at):
        return None
    return read_public_key(known.public_key)


def has_ended(connection: Connection, device_id: UUID, received_at: datetime) -> bool:
    """Whether a record came when its phone was out of use: by our clock, which no phone can set back."""
    known = device_numbered(connection, device_id)
    return known is not None and known.ended_at is not None and bool(known.ended_at <= received_at)
