"""Signed notes and checkpoints in the text formats of C2SP: what a log signs and its witnesses countersign.

c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature; Ed25519 throughout. A note is read by
people in a gazette and by programs of other logs alike.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from survey_forms.refusal import Refused

ED25519, COSIGNATURE = 1, 4  # kinds of signatures; the second carries its moment
MOST_NOTE_BYTES = 100_000
MOST_SIGNATURES = 100
_KEY_ID, _PUBLIC, _SIGNATURE, _MOMENT = 4, 32, 64, 8  # bytes
_PRIVATE = "PRIVATE+KEY+"
_DASH = "\N{EM DASH}"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Whose signatures are looked for: a name and a public key, written `name+id+base64`."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256 over name and key, by which a note names its signer."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_KEY_ID]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> "Verifier":
        """Read a verifier key.

        Raises:
            Refused: `verifier_key_unreadable`.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, key = rest.partition("+")
        content = _decoded(key)
        if content is None or len(content) != 1 + _PUBLIC or content[0] not in {ED25519, COSIGNATURE}:
            raise Refused("verifier_key_unreadable", value=text[:120])
        found = cls(name, content[1:], content[0])
        if not _is_name(name) or found.id.hex() != key_id:
            raise Refused("verifier_key_unreadable", value=text[:120])
        return found

    def signed(self, note: "Note") -> bool:
        """Whether the note carries a signature of this key, and no false one that names it."""
        mine = [one for one in note.signatures if (one.name, one.key_id) == (self.name, self.id)]
        return bool(mine) and all(self._holds(note.text, one.content) for one in mine)

    def _holds(self, text: str, content: bytes) -> bool:
        moment = content[:_MOMENT] if self.kind == COSIGNATURE else b""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(content[len(moment) :], _message(text, moment))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a name and the 32 bytes that the private key is."""

    name: str
    seed: bytes = field(repr=False)
    kind: int = ED25519

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(
            self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw(), self.kind
        )

    def written(self) -> str:
        """The private key as a line of a file that its owner alone may read."""
        key = b64encode(bytes([self.kind]) + self.seed).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{key}"

    @classmethod
    def read(cls, text: str) -> "Signer":
        """Read a private key.

        Raises:
            Refused: `signer_key_unreadable`; its content is never repeated.
        """
        name, _, rest = text.strip().removeprefix(_PRIVATE).partition("+")
        key_id, _, key = rest.partition("+")
        content = _decoded(key)
        if content is None or len(content) != 1 + _PUBLIC or content[0] not in {ED25519, COSIGNATURE}:
            raise Refused("signer_key_unreadable")
        found = cls(name, content[1:], content[0])
        if not (_is_name(name) and found.verifier.id.hex() == key_id and text.startswith(_PRIVATE)):
            raise Refused("signer_key_unreadable")
        return found

    def signed(self, note: "Note", moment: int = 0) -> "Note":
        """The note with this signature added at its end; a witness' says when (seconds since 1970)."""
        stamp = moment.to_bytes(_MOMENT) if self.kind == COSIGNATURE else b""
        content = stamp + Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(note.text, stamp))
        return Note(note.text, (*note.signatures, Signature(self.name, self.verifier.id, content)))


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        return f"{_DASH} {self.name} {b64encode(self.key_id + self.content).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with its line, and who signed it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    @classmethod
    def read(cls, content: bytes) -> "Note":
        """Read a note; that it is well formed says nothing of its signatures.

        Raises:
            Refused: `note_unreadable`.
        """
        try:
            whole = content.decode() if len(content) <= MOST_NOTE_BYTES else ""
        except UnicodeDecodeError:
            whole = ""
        text, blank, below = whole.rpartition("\n\n")
        lines = below.removesuffix("\n").split("\n")
        signatures = [_signature(line) for line in lines[: MOST_SIGNATURES + 1]]
        known = tuple(one for one in signatures if one is not None)
        plain = all(char >= " " or char == "\n" for char in whole)
        if not (blank and text and plain and below.endswith("\n")) or not len(lines) == len(known) <= MOST_SIGNATURES:
            raise Refused("note_unreadable")
        return cls(text + "\n", known)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log says of itself: its name, how many entries it has, and their root."""

    origin: str
    size: int
    root: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body of the note."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Read a note's body; lines that another version may add below are left alone.

        Raises:
            Refused: `note_unreadable`.
        """
        lines = text.split("\n")
        root = _decoded(lines[2]) if len(lines) > 3 else None
        if root is None or len(root) != sha256().digest_size or not lines[0] or not _NUMBER.fullmatch(lines[1]):
            raise Refused("note_unreadable")
        return cls(lines[0], int(lines[1]), root)


def read_checkpoint(content: bytes, key: Verifier) -> tuple[Note, Checkpoint]:
    """A checkpoint that this key signed.

    Raises:
        Refused: `note_unreadable`; `note_not_signed` by that key, or one of its signatures is false.
    """
    note = Note.read(content)
    if not key.signed(note):
        raise Refused("note_not_signed", name=key.name)
    return note, Checkpoint.read(note.text)


def log_signer(secret: bytes, origin: str) -> Signer:
    """Who signs the ledger's checkpoints, from the secret of `MINGCHA_LEDGER_KEY`."""
    return Signer(origin, sha256(b"mingcha ledger" + secret).digest())


def _message(text: str, moment: bytes) -> bytes:
    if not moment:
        return text.encode()
    return f"cosignature/v1\ntime {int.from_bytes(moment)}\n{text}".encode()


def _signature(line: str) -> Signature | None:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    content = _decoded(encoded)
    if dash != _DASH or not _is_name(name) or content is None or len(content) <= _KEY_ID:
        return None
    return Signature(name, content[:_KEY_ID], content[_KEY_ID:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() or char < " " for char in name)


def _decoded(text: str) -> bytes | None:
    """Bytes of standard base64 in its one spelling."""
    try:
        content = b64decode(text, validate=True)
    except ValueError:
        return None
    return content if b64encode(content).decode() == text else None
