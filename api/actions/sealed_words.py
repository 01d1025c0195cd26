"""Contacts and messages at rest: sealed under keys that come from the service's secret, which no database holds."""

import secrets
from dataclasses import asdict, dataclass
from functools import cache

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from survey_forms.refusal import Refused
from survey_forms.sampling.contacts import Contact

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Words:
    """What is sent to whom."""

    to: str
    text: str


class Safe:
    """Seals for one purpose; what belongs to one case does not open as another's."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal_contact(self, case_id: int, contact: Contact) -> bytes:
        """A case's contact, sealed."""
        return self._seal("contact", case_id, asdict(contact))

    def open_contact(self, case_id: int, sealed: bytes) -> Contact:
        """A case's contact.

        Raises:
            Refused: `contact_unreadable` after the service's secret was changed.
        """
        found = self._open("contact", case_id, sealed)
        return Contact(**found)

    def seal_member(self, import_id: int, member: str, contact: Contact) -> bytes:
        """The contact of a frame's member, sealed: it opens with its own import and member alone."""
        return self._seal("member", f"{import_id}/{member}", asdict(contact))

    def open_member(self, import_id: int, member: str, sealed: bytes) -> Contact:
        """The contact of a frame's member.

        Raises:
            Refused: `contact_unreadable`, as `open_contact`.
        """
        found = self._open("member", f"{import_id}/{member}", sealed)
        return Contact(**found)

    def seal_words(self, case_id: int, words: Words) -> bytes:
        """A message to a case, sealed."""
        return self._seal("message", case_id, {"to": words.to, "text": words.text})

    def open_words(self, case_id: int, sealed: bytes) -> Words:
        """A message to a case.

        Raises:
            Refused: `contact_unreadable`, as `open_contact`.
        """
        found = self._open("message", case_id, sealed)
        return Words(found["to"], found["text"])

    def _seal(self, purpose: str, whose: int | str, facts: dict[str, str]) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + _cipher(self._secret, purpose).encrypt(nonce, orjson.dumps(facts), str(whose).encode())

    def _open(self, purpose: str, whose: int | str, sealed: bytes) -> dict[str, str]:
        try:
            plain = _cipher(self._secret, purpose).decrypt(sealed[:_NONCE], sealed[_NONCE:], str(whose).encode())
        except (InvalidTag, ValueError) as error:
            raise Refused("contact_unreadable") from error
        found: dict[str, str] = orjson.loads(plain)
        return found


@cache
def _cipher(secret: bytes, purpose: str) -> ChaCha20Poly1305:
    label = f"mingcha/{purpose}/1".encode()
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret))
