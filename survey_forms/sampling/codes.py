"""Access codes (一人一号): how they are made, read, recognised, and what they unlock.

A code is ten random characters of an alphabet of 29 without look-alikes (48.6 bits) and has three spellings:

    typed    the ten and a check character; a prime alphabet makes one weighted sum catch every single wrong
             character and every exchange of two characters, neighbours or not
    digits   for lists of elderly citizens: the ten characters as a number of fourteen digits and a check digit
             (only codes drawn for it are below 10^14: 46.4 bits)
    token    in QR codes and links: the ten and six more that only the service can write (HMAC under the pepper).
             Guessing one takes 77.7 bits, so tokens need no cap on failures

`canonical` makes one of the three: there is one MAC, one draft and one row whichever way somebody came in, and
whatever spends or revokes the code does it to all three.

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
DIGITS_LENGTH = 15
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


def new_digits(choose: Callable[[int], int]) -> str:
    """A code that can be typed on a number pad: fourteen random digits and the check digit.

    One body in eleven has no check digit and is drawn again.
    """
    while True:
        body = "".join(str(choose(10)) for _ in range(DIGITS_LENGTH - 1))
        if check := _check_digit(body):
            return body + check


def token_of(pepper: bytes, namespace: str, code: str) -> str:
    """The token of a canonical code for its QR code or link: 16 characters. Nobody types it: no check character."""
    body = code[:RANDOM_CHARACTERS]
    return body + _tail(pepper, namespace, body)


def canonical(pepper: bytes, namespace: str, code: str) -> str:
    """The one spelling of a code that everything else goes by: ten characters and the check character.

    A token that the service did not write stays as it is: no database knows it, so it is refused as any unknown code
    is, after the same steps.

    Args:
        pepper: the service's secret, at least 16 bytes.
        namespace: the evaluation.
        code: from `read_code`, `new_code` or `new_digits`.
    """
    if len(code) == DIGITS_LENGTH:
        return _from_digits(code)
    body = code[:RANDOM_CHARACTERS]
    if len(code) == TOKEN_LENGTH and hmac.compare_digest(code, body + _tail(pepper, namespace, body)):
        return body + check_character(body)
    return code


def check_character(body: str) -> str:
    """The character c with 1·v1 + 2·v2 + … + k·vk + (k+1)·c = 0 (mod 29).

    The weights 1..k+1 differ and none is 0 mod 29, so one wrong character or two exchanged ones always show.
    """
    total = sum(weight * _VALUE[character] for weight, character in enumerate(body, start=1))
    inverse = pow(len(body) + 1, -1, len(ALPHABET))
    return ALPHABET[-total * inverse % len(ALPHABET)]


def display(code: str) -> str:
    """The code as printed: `XXXX-XXXX-XXX`, a token `XXXX-XXXX-XXXX-XXXX`, digits `NNNNN NNNNN NNNNN`."""
    if len(code) == DIGITS_LENGTH:
        return " ".join(code[start : start + 5] for start in range(0, len(code), 5))
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read_code(text: str) -> str:
    """What a respondent typed, or a QR code carried: a typed code, digits or a token, told apart by their length.

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
    if not _is_code(code):
        raise Refused("code_mistyped")
    return code


def _is_code(code: str) -> bool:
    if len(code) == DIGITS_LENGTH:
        return code.isascii() and code.isdecimal() and _check_digit(code[:-1]) == code[-1]
    if not _VALUE.keys() >= set(code):
        return False
    return len(code) == TOKEN_LENGTH or (len(code) == CODE_LENGTH and check_character(code[:-1]) == code[-1])


def _check_digit(body: str) -> str:
    """The digit c with w1·d1 + … + w14·d14 + w15·c = 0 (mod 11), weights 1..10 and again from 1; "" where it is ten.

    No weight is 0 mod 11 and two weights differ unless their places lie ten apart: one wrong digit, exchanged
    neighbours and exchanged digits next but one always show.
    """
    total = sum((place % 10 + 1) * int(digit) for place, digit in enumerate(body))
    check = -total * pow(len(body) % 10 + 1, -1, 11) % 11
    return str(check) if check < 10 else ""


def _from_digits(code: str) -> str:
    """The fourteen digits as ten characters (29^10 is four times 10^14) and their check character."""
    number, body = int(code[:-1]), ""
    for _ in range(RANDOM_CHARACTERS):
        number, value = divmod(number, len(ALPHABET))
        body = ALPHABET[value] + body
    return body + check_character(body)


def _tail(pepper: bytes, namespace: str, body: str) -> str:
    """The six characters of a token that prove where it comes from."""
    number = int.from_bytes(hmac.digest(_checked(pepper), _labelled("token", namespace, body), sha256), "big")
    tail = ""
    for _ in range(TOKEN_LENGTH - RANDOM_CHARACTERS):
        number, value = divmod(number, len(ALPHABET))
        tail += ALPHABET[value]
    return tail


def code_mac(pepper: bytes, namespace: str, code: str) -> bytes:
    """The 32 bytes by which the database recognises a code: HMAC-SHA-256 under the service's pepper.

    Args:
        pepper: the service's secret, at least 16 bytes, kept out of the database.
        namespace: the evaluation. One code works in all its surveys, and the respondent names none.
        code: from `canonical` (`new_code` is canonical already).
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
