"""The seal of an unannounced assignment: where it leads, under a key of the service, which no database holds.

AES-256-GCM under a key that HKDF-SHA-256 derives from the service's secret, bound to the assignment's own id, so that
a seal moved to another row does not open. Every seal is as long as every other: its length tells nothing.
"""

import secrets
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from survey_forms.refusal import Refused

_NONCE = 12
_GOAL = Struct(">II")
_INFO = b"mingcha assignments"
_INFO_WORDS = b"mingcha assignment words"
_INFO_SECRETS = b"mingcha inspection draws"


@dataclass(frozen=True, slots=True)
class Goal:
    """Where an assignment leads, and which rectification it looks at again: that names the unit as well."""

    site_id: int
    rectification_id: int | None = None


def seal_goal(secret_key: bytes, assignment_id: UUID, goal: Goal) -> bytes:
    """Where an assignment leads, sealed for it alone; 36 bytes whatever stands in it."""
    plain = _GOAL.pack(goal.rectification_id or 0, goal.site_id)
    return _seal(secret_key, _INFO, assignment_id.bytes, plain)


def open_goal(secret_key: bytes, assignment_id: UUID, sealed: bytes) -> Goal:
    """What stands in a seal.

    Raises:
        Refused: `assignment_seal_broken` after the service's secret was changed, or for another row's seal.
    """
    rectification_id, site_id = _GOAL.unpack(_open(secret_key, _INFO, assignment_id.bytes, sealed))
    return Goal(site_id, rectification_id or None)


def seal_words(secret_key: bytes, assignment_id: UUID, words: str, length: int) -> str:
    """Words about an assignment that would tell something of its site, sealed until publication; hex.

    Blanks fill them up to `length` bytes, which the caller takes from what is public: no length tells the site.
    """
    plain = words.encode()
    if len(plain) > length:
        raise ValueError("the words are longer than what they are to be hidden in")
    return _seal(secret_key, _INFO_WORDS, assignment_id.bytes, plain.ljust(length)).hex()


def open_words(secret_key: bytes, assignment_id: UUID, sealed: str) -> str:
    """Those words, with the blanks behind them.

    Raises:
        Refused: `assignment_seal_broken`, as `open_goal`.
    """
    return _open(secret_key, _INFO_WORDS, assignment_id.bytes, bytes.fromhex(sealed)).decode()


def seal_secret(secret_key: bytes, commitment: bytes, secret: bytes) -> bytes:
    """The secret of a draw, sealed until the draw is published; bound to its public commitment."""
    return _seal(secret_key, _INFO_SECRETS, commitment, secret)


def open_secret(secret_key: bytes, commitment: bytes, sealed: bytes) -> bytes:
    """The secret of a draw.

    Raises:
        Refused: `assignment_seal_broken`, as `open_goal`.
    """
    return _open(secret_key, _INFO_SECRETS, commitment, sealed)


def _seal(secret_key: bytes, info: bytes, bound_to: bytes, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + _cipher(secret_key, info).encrypt(nonce, plain, bound_to)


def _open(secret_key: bytes, info: bytes, bound_to: bytes, sealed: bytes) -> bytes:
    try:
        return _cipher(secret_key, info).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise Refused("assignment_seal_broken") from error


def _cipher(secret_key: bytes, info: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret_key))
