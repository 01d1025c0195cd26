"""Access codes (一人一号): how they are made, read, recognised, and what they unlock.

Typed codes are ten random characters and one check character of an alphabet of 29 without look-alikes;
tokens in QR codes are sixteen random characters. A prime alphabet makes one weighted sum catch every single
wrong character and every exchange of two characters, neighbours or not.

The code itself is never stored. The database holds `code_mac`, and a draft holds `draft_id` and bytes under
`draft_key`: three values that nobody can join without the code *and* the pepper, which no database holds.
"""

import hmac
import unicodedata
from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from survey_forms.refusal import Refused

ALPHABET = "23456789ABCDEFGHJKMNPQRTVWXYZ"
RANDOM_CHARACTERS = 10
CODE_LENGTH = RANDOM_CHARACTERS + 1
TOKEN_LENGTH = 16
NONCE_LENGTH = 12
MINIMUM_PEPPER = 16

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_LONGEST_INPUT = 100  # a code with a separator after every character is far shorter
_IGNORED = {"Pd", "Zs", "Cf", "Cc"}  # dashes, spaces, invisible marks and line ends of any script
_MINUS = "\u2212"  # the one dash that Unicode files under mathematics


def new_code(choose: Callable[[int], int]) -> str:
    """A typed code: ten random characters and the check character, without hyphens.

    Args:
        choose: chance; `choose(k)` returns one of 0..k-1. In the service, `secrets.randbelow`.
    """
    body = "".join(ALPHABET[choose(len(ALPHABET))] for _ in range(RANDOM_CHARACTERS))
    return body + check_character(body)


def new_token(choose: Callable[[int], int]) -> str:
    """A token for a QR code: sixteen random characters (77.7 bits). Nobody types it: no check."""
    return "".join(ALPHABET[choose(len(ALPHABET))] for _ in range(TOKEN_LENGTH))


def check_character(body: str) -> str:
    """The character c with 1·v1 + 2·v2 + … + k·vk + (k+1)·c = 0 (mod 29).

    The weights 1..k+1 differ and none is 0 mod 29, so one wrong character or two exchanged ones always show.
    """
    total = sum(weight * _VALUE[character] for weight, character in enumerate(body, start=1))
    inverse = pow(len(body) + 1, -1, len(ALPHABET))
    return ALPHABET[-total * inverse % len(ALPHABET)]


def display(code: str) -> str:
    """The code as printed: `XXXX-XXXX-XXX`, a token `XXXX-XXXX-XXXX-XXXX`."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read_code(text: str) -> str:
    """What a respondent typed, or a QR code carried, as the canonical code.

    Full-width characters of Chinese keyboards, small letters, spaces and hyphens of every kind are accepted.
    The check character is tested here, before any database is asked.

    Raises:
        Refused: `code_mistyped`. The typed text is not among its facts: refusals are logged, codes are not.
    """
    if len(text) > _LONGEST_INPUT:
        raise Refused("code_mistyped")
    code = "".join(
        character
        for character in unicodedata.normalize("NFKC", text).upper()
        if character != _MINUS and unicodedata.category(character) not in _IGNORED
    )
    if not _VALUE.keys() >= set(code):
        raise Refused("code_mistyped")
    if len(code) == TOKEN_LENGTH or (len(code) == CODE_LENGTH and check_character(code[:-1]) == code[-1]):
        return code
    raise Refused("code_mistyped")


def code_mac(pepper: bytes, namespace: str, code: str) -> bytes:
    """The 32 bytes by which the database recognises a code: HMAC-SHA-256 under the service's pepper.

    Args:
        pepper: the service's secret, at least 16 bytes, kept out of the database.
        namespace: the evaluation. One code works in all its surveys, and the respondent names none.
        code: canonical, from `read_code` or `new_code`.
    """
    return hmac.digest(_checked(pepper), _labelled("code", namespace, code), sha256)


def draft_id(pepper: bytes, namespace: str, code: str) -> bytes:
    """The 16 bytes under which a respondent's unfinished answers are kept; unrelated to `code_mac`."""
    return _derived(pepper, _labelled("draft-id", namespace), code, length=16)


def draft_key(pepper: bytes, namespace: str, code: str) -> bytes:
    """The 32-byte key of a respondent's unfinished answers (HKDF-SHA-256, RFC 5869), nowhere stored.

    A typed code alone has 48.6 bits, few enough to be tried offline by an owner of the database; the pepper
    as HKDF's salt takes that away from everybody who holds the database without the service's secret.
    """
    return _derived(pepper, _labelled("draft-key", namespace), code, length=32)


def order_key(pepper: bytes, namespace: str, code: str) -> bytes:
    """The 16-byte key of the order in which this code's holder meets the units (`order.lot`)."""
    return _derived(pepper, _labelled("order", namespace), code, length=16)


def seal_draft(key: bytes, draft: bytes, nonce: bytes) -> bytes:
    """The draft under ChaCha20-Poly1305 (RFC 8439), the nonce in front.

    Args:
        key: 32 bytes of `draft_key`.
        draft: the unfinished answers, serialised.
        nonce: 12 fresh random bytes for every call.
    """
    if len(nonce) != NONCE_LENGTH:
        raise ValueError(f"a nonce has {NONCE_LENGTH} bytes, not {len(nonce)}")
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, draft, None)


def open_draft(key: bytes, sealed: bytes) -> bytes:
    """The draft that `seal_draft` sealed.

    Raises:
        Refused: `draft_unreadable` for another key or changed bytes.
    """
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], None)
    except (InvalidTag, ValueError) as error:
        raise Refused("draft_unreadable") from error


def _derived(pepper: bytes, label: bytes, code: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=_checked(pepper), info=label).derive(code.encode())


def _labelled(purpose: str, *parts: str) -> bytes:
    """Purpose and parts, each with its length before it: no two lists of parts give the same bytes."""
    encoded = [part.encode() for part in (f"mingcha/{purpose}/1", *parts)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _checked(pepper: bytes) -> bytes:
    if len(pepper) < MINIMUM_PEPPER:
        raise ValueError(f"the pepper needs at least {MINIMUM_PEPPER} bytes")
    return pepper
