"""The chain of a visit's events: what was changed, left out or moved after the phone wrote it down shows here.

Each event is a JSON object in the very text that the phone wrote; its `prev` is the SHA-256 of the text before it, so
nothing has to be put into a canonical form. The phone signs the last hash, and of which visit, assignment and ticket it
is the end, with a key that cannot leave it (ECDSA, P-256, SHA-256). That ties a record to a phone, not to a place
(mobile.md section 5.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from survey_forms.refusal import Refused

START = "0" * 64
"""What stands for the hash before the first event."""

COORDINATE = 32
"""Bytes of r and of s in a signature over P-256."""


class Breach(StrEnum):
    """In what way a chain does not hold; the values are also the codes of the sentences."""

    CHANGED = "chain_event_changed"
    REMOVED = "chain_event_removed"
    OUT_OF_ORDER = "chain_out_of_order"
    HEAD = "chain_head_differs"


@dataclass(frozen=True, slots=True)
class Break:
    """One place where it does not hold; `event` counts from 0, None where it is the whole."""

    breach: Breach
    event: int | None = None


def event_hash(text: str) -> str:
    """SHA-256 of an event's text as UTF-8, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


def head_of(texts: Sequence[str]) -> str:
    """The hash of the last event, `START` for none."""
    return event_hash(texts[-1]) if texts else START


def sealed_text(visit: UUID, assignment: UUID, ticket: object, head: str) -> str:
    """What a phone signs: the end of a chain, and where it belongs, so that nobody can hand it in as another's.

    Args:
        visit: the visit's id.
        assignment: its assignment's.
        ticket: the signature of its ticket, as sent; nothing for one without a ticket.
        head: the last event's hash.
    """
    return f"{visit}{assignment}{ticket}{head}"


def chain_breaks(texts: Sequence[str], events: Sequence[Any], head: str) -> tuple[Break, ...]:
    """Every place where the chain does not hold, in the order of the events.

    Args:
        texts: the events as sent.
        events: the same texts, parsed; anything that is no object counts as changed.
        head: what the phone says the last hash is.

    Returns:
        An event that was edited is named itself, by the link of the one after it; the last event by the head.
    """
    found: list[Break] = []
    before, expected = START, 0
    for at, (text, event) in enumerate(zip(texts, events, strict=True)):
        number = event.get("n") if isinstance(event, dict) else None
        if type(number) is not int or number < 0:
            found.append(Break(Breach.CHANGED, at))
            number = expected
        elif number < expected:
            found.append(Break(Breach.OUT_OF_ORDER, number))
        elif number > expected:
            found.extend(Break(Breach.REMOVED, gone) for gone in range(expected, min(number, expected + len(texts))))
        elif event.get("prev") != before:
            found.append(Break(Breach.CHANGED, max(0, at - 1)))
        before, expected = event_hash(text), number + 1
    if head != before:
        found.append(Break(Breach.HEAD))
    return tuple(dict.fromkeys(found))


def read_public_key(spki: bytes) -> EllipticCurvePublicKey:
    """A phone's public key from its SubjectPublicKeyInfo (RFC 5280).

    Raises:
        Refused: `device_key_unfit` for anything but a point on P-256.
    """
    try:
        key = load_der_public_key(spki)
    except Exception as error:  # OpenSSL's parser raises what it likes for hostile bytes
        raise Refused("device_key_unfit", "public_key") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Refused("device_key_unfit", "public_key")
    return key


def signature_holds(key: EllipticCurvePublicKey, text: str, signature: bytes) -> bool:
    """Whether a phone signed a text, as `sealed_text` has it: r and s side by side as WebCrypto writes them."""
    if len(signature) != 2 * COORDINATE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:COORDINATE], signature[COORDINATE:]))
    try:
        key.verify(encode_dss_signature(r, s), text.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
