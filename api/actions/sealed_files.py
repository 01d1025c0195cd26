"""Files with people in them, kept sealed until they have been read: pieces under a key of the service, read at will.

A frame's file holds telephone numbers, and its reading may take minutes and survive a restart. So what lies on the
disk is ciphertext; each piece is bound to its file and place, and the last one says that it is the last.
"""

import io
import os
import secrets
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from survey_forms.refusal import Refused

PIECE = 256 * 1024
_NONCE, _TAG = 12, 16
_WHOLE = PIECE + _NONCE + _TAG


class SealedFiles:
    """Files by the SHA-256 of their content, in a directory of their own."""

    def __init__(self, root: Path, secret: bytes) -> None:
        self._root = root
        self._cipher = ChaCha20Poly1305(
            HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mingcha/file/1").derive(secret)
        )

    def path(self, name: str) -> Path:
        """Where a file is or would be; `name` is 64 hex digits."""
        return self._root / name

    def keep(self, name: str, content: IO[bytes]) -> None:
        """Keep a file under its SHA-256; keeping it again changes nothing. A crash leaves the whole file or none."""
        target = self.path(name)
        if target.exists():
            return
        self._root.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{name}.{secrets.token_hex(4)}")
        with temporary.open("xb") as file:
            for index, (piece, last) in enumerate(_pieces(content)):
                nonce = secrets.token_bytes(_NONCE)
                file.write(nonce + self._cipher.encrypt(nonce, piece, _place(name, index, last=last)))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o440)
        temporary.replace(target)

    def open(self, name: str) -> io.BufferedReader:
        """The file's content, seekable.

        Raises:
            Refused: `sealed_file_gone`; `contact_unreadable` after the service's secret was changed, on reading.
        """
        try:
            file = self.path(name).open("rb")
        except FileNotFoundError as error:
            raise Refused("sealed_file_gone") from error
        return io.BufferedReader(_Opened(file, name, self._cipher), PIECE)

    def drop(self, name: str) -> None:
        """Forget a file."""
        self.path(name).unlink(missing_ok=True)


def digest_of(content: IO[bytes]) -> str:
    """The SHA-256 of a file from its beginning, which is where it is left."""
    content.seek(0)
    digest = sha256()
    while piece := content.read(PIECE):
        digest.update(piece)
    content.seek(0)
    return digest.hexdigest()


def _pieces(content: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """(piece, whether it is the last); an empty file is one empty piece."""
    piece = content.read(PIECE)
    while True:
        following = content.read(PIECE)
        yield piece, not following
        if not following:
            return
        piece = following


def _place(name: str, index: int, *, last: bool) -> bytes:
    return f"{name}/{index}/{'last' if last else 'more'}".encode()


class _Opened(io.RawIOBase):
    """The plaintext of a sealed file: pieces are opened as they are read, the last few kept."""

    def __init__(self, file: IO[bytes], name: str, cipher: ChaCha20Poly1305) -> None:
        self._file, self._name, self._cipher = file, name, cipher
        sealed = os.fstat(file.fileno()).st_size
        self._count = max(-(-sealed // _WHOLE), 1)
        self._size = sealed - self._count * (_NONCE + _TAG)
        self._at = 0
        self._piece = lru_cache(maxsize=4)(self._opened)

    def _opened(self, index: int) -> bytes:
        self._file.seek(index * _WHOLE)
        sealed = self._file.read(_WHOLE)
        place = _place(self._name, index, last=index == self._count - 1)
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except (InvalidTag, ValueError) as error:
            raise Refused("contact_unreadable") from error

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # collections.abc.Buffer is of 3.12
        """Read what is left of one piece, no more."""
        if self._at >= self._size:
            return 0
        index, start = divmod(self._at, PIECE)
        found = self._piece(index)[start : start + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        """Close the file below."""
        if not self.closed:
            self._file.close()
            self._piece.cache_clear()
        super().close()
