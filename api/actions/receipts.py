"""What a phone is given for what it hands in: a text that we signed, checked by anybody with the public key alone.

A receipt is one line of canonical JSON and one of its Ed25519 signature (RFC 8032) in base64; the key is derived from
the service's secret (HKDF with SHA-256, RFC 5869). Tickets, which a phone takes along, are signed with it as well.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from survey_forms.refusal import Refused

_RECEIPT, _TICKET = b"mingcha receipt\n", b"mingcha ticket\n"  # what is signed as one is never taken for the other


def receipt_key(secret_key: bytes) -> str:
    """The public key's 32 bytes in base64."""
    raw = _private(secret_key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def signed_receipt(secret_key: bytes, facts: Mapping[str, Any]) -> str:
    """The facts as a receipt."""
    line = _canonical(facts)
    return f"{line.decode()}\n{_signature(secret_key, _RECEIPT + line)}\n"


def read_receipt(text: str, key: str) -> dict[str, Any]:
    """The facts of a receipt.

    Args:
        text: the receipt.
        key: what `receipt_key` gave.

    Raises:
        Refused: `receipt_key_unreadable`, `receipt_unreadable`, `receipt_forged`.
    """
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.strip(), validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refused("receipt_key_unreadable", "key") from error
    lines = text.strip().splitlines()
    try:
        facts = orjson.loads(lines[0])
        signature = base64.b64decode(lines[1], validate=True)
    except (IndexError, ValueError) as error:
        raise Refused("receipt_unreadable") from error
    if len(lines) != 2 or not isinstance(facts, dict):
        raise Refused("receipt_unreadable")
    try:
        public.verify(signature, _RECEIPT + lines[0].encode())
    except InvalidSignature as error:
        raise Refused("receipt_forged") from error
    return facts


def signed_ticket(secret_key: bytes, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with their signature."""
    return {**facts, "signature": _signature(secret_key, _TICKET + _canonical(facts))}


def is_our_ticket(secret_key: bytes, ticket: Mapping[str, Any]) -> bool:
    """Whether we signed this very ticket."""
    facts = {name: value for name, value in ticket.items() if name != "signature"}
    try:
        signature = base64.b64decode(str(ticket.get("signature", "")), validate=True)
        _private(secret_key).public_key().verify(signature, _TICKET + _canonical(facts))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _canonical(facts: Mapping[str, Any]) -> bytes:
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)


def _signature(secret_key: bytes, signed: bytes) -> str:
    return base64.b64encode(_private(secret_key).sign(signed)).decode()


def _private(secret_key: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mingcha receipts").derive(secret_key)
    return Ed25519PrivateKey.from_private_bytes(seed)
