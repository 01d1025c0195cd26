"""A photo arrives: hashed by us, compared with the phone's word, looked at from outside. Nothing is decoded here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from typing import IO

from api.evidence.header import Content, Header, check_size, read_header
from survey_forms.refusal import Refused


@dataclass(frozen=True, slots=True)
class Received:
    """One upload that may be kept: its bytes as they came, and what they are."""

    content: Content
    sha256: bytes
    claimed_sha256: bytes | None
    header: Header

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content)


@contextmanager
def received(stream: IO[bytes], claimed_sha256: str = "") -> Iterator[Received]:
    """Check an upload that the web server has put into a file; large ones are mapped, never held in memory.

    Args:
        stream: the upload, seekable.
        claimed_sha256: 64 hex digits that the phone computed before sending; "" where it could not.

    Raises:
        Refused: `photo_hash_differs`, `photo_hash_unreadable`, or what `read_header` refuses.
    """
    claimed = _claimed(claimed_sha256)
    number = stream.fileno()  # a small upload that is still in memory goes to its file now
    size = stream.seek(0, 2)  # and seeking writes out what is buffered
    check_size(size)
    with mmap(number, size, access=ACCESS_READ) as content:
        found = sha256(content).digest()
        if claimed not in {None, found}:
            raise Refused("photo_hash_differs")
        yield Received(content, found, claimed, read_header(content))


def _claimed(text: str) -> bytes | None:
    if not text:
        return None
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32 or len(text) != 64:
        raise Refused("photo_hash_unreadable")
    return digest
