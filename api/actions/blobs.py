"""Photos and signatures in pieces: kept on disk as they come, and taken in once the hash of the whole is right.

A piece counts when it is flushed to disk. The last one is written together with what lies there, straight into the
store of originals: so a partial file is never the whole, and a crash between any two steps costs one piece.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from mmap import mmap
from pathlib import Path

from sqlalchemy import Connection

from api.evidence.header import LARGEST, Content, read_header
from api.objects import Objects
from api.store import people
from api.store.uploads import blobs_brought, put_blob
from survey_forms.refusal import Refused

LARGEST_PIECE = 1024 * 1024
MOST_PARTIAL = 2 * 1024**3  # bytes of one person's unfinished uploads
MOST_PARTIALS = 2000
ABANDONED_AFTER = timedelta(days=30)
"""A phone that has not gone on for so long has lost what it had."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a blob: where they begin, and how long the whole is."""

    sha256: bytes
    offset: int
    length: int
    content: bytes


class Partial:
    """One person's unfinished blob, held by this process alone until the block of `held` ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    @property
    def size(self) -> int:
        """Bytes kept so far."""
        return os.fstat(self._descriptor).st_size

    def append(self, content: bytes) -> None:
        """Keep another piece; it is on disk when this returns, or nothing of it is."""
        before = self.size
        try:
            _write(self._descriptor, content, before)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, before)
            raise

    @contextmanager
    def with_end(self, content: bytes) -> Iterator[mmap]:
        """What is kept and these bytes behind it, in memory."""
        with mmap(-1, self.size + len(content)) as whole:
            whole[: self.size] = os.pread(self._descriptor, self.size, 0)
            whole[self.size :] = content
            yield whole

    def drop(self) -> None:
        """Forget what is kept."""
        self._path.unlink(missing_ok=True)


def kept_so_far(connection: Connection, objects: Objects, staff_id: int, digest: bytes) -> tuple[int, bool]:
    """Bytes of a blob that this person need not send again, and whether that is all of it."""
    known = blobs_brought(connection, [digest], [staff_id]).get(digest)
    if known:
        return known.size, True
    try:
        return _path(objects, staff_id, digest).stat().st_size, False
    except FileNotFoundError:
        return 0, False


def last_piece_at(objects: Objects, staff_ids: Collection[int], hashes: Collection[bytes]) -> datetime | None:
    """When a piece of any of these was last kept, of files that are not whole; None where there is none."""
    times = []
    for path in (_path(objects, staff_id, digest) for digest in hashes for staff_id in staff_ids):
        with suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return datetime.fromtimestamp(max(times), UTC) if times else None


@contextmanager
def held(objects: Objects, staff_id: int, digest: bytes) -> Iterator[Partial]:
    """One writer a blob, be it two tabs or two processes; the next one waits until the piece before is on disk.

    Raises:
        Refused: `partials_too_many` before a person's unfinished uploads fill the disk; `blob_store_full`.
    """
    path = _path(objects, staff_id, digest)
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _refuse_too_many(path.parent)
        descriptor = _locked(path)
    except OSError as error:
        raise Refused("blob_store_full") from error
    try:
        yield Partial(path, descriptor)
    finally:
        if not os.fstat(descriptor).st_size:
            path.unlink(missing_ok=True)  # nothing was kept; whoever waits for the lock sees that and opens anew
        os.close(descriptor)  # and with it the lock


def check_piece(piece: Piece) -> None:
    """Refuse what no blob of ours can have: `blob_too_large`, `blob_empty`, `piece_too_large`, `piece_beyond_end`."""
    if piece.length > LARGEST:
        raise Refused("blob_too_large", "Upload-Length", most=LARGEST // 1024 // 1024)
    if piece.length < 1:
        raise Refused("blob_empty", "Upload-Length")
    if len(piece.content) > LARGEST_PIECE:
        raise Refused("piece_too_large", most=LARGEST_PIECE // 1024)
    if piece.offset + len(piece.content) > piece.length:
        raise Refused("piece_beyond_end", "Upload-Offset")


def keep_piece(partial: Partial, piece: Piece) -> int:
    """Keep a piece that is not the last; the bytes kept then.

    Raises:
        Refused: `blob_store_full`, with nothing of the piece kept and nothing before it lost.
    """
    try:
        partial.append(piece.content)
    except OSError as error:
        raise Refused("blob_store_full") from error
    return partial.size


def take_in(  # noqa: PLR0913, PLR0917 - where to, what, from whom and when
    connection: Connection, objects: Objects, partial: Partial, piece: Piece, staff_id: int, now: datetime
) -> bool:
    """Put the last piece to the others and the whole into the store; the partial stays until the caller drops it.

    A file that is no photo is kept as well, with the reason why it is none: only the visit can tell the inspector.

    Returns:
        Whether the bytes are what their hash says; nothing is kept of them otherwise.

    Raises:
        Refused: `blob_store_full`, with the pieces before this one kept.
    """
    with partial.with_end(piece.content) as whole:
        return bring(connection, objects, piece.sha256, whole, staff_id, now)


def bring(  # noqa: PLR0913, PLR0917 - where to, what, whose and when
    connection: Connection,
    objects: Objects,
    digest: bytes,
    whole: Content,
    staff_id: int,
    now: datetime,
    *,
    by: int | None = None,
) -> bool:
    """Put a whole file into the store as an inspector's; `by` is who at the office brought it for them.

    Returns:
        Whether the bytes are what their hash says; nothing is kept of them otherwise.

    Raises:
        Refused: `blob_store_full`.
    """
    if sha256(whole).digest() != digest:
        return False
    media_type, refused = _verdict(whole)
    try:
        objects.put("originals", digest, whole)
    except OSError as error:
        raise Refused("blob_store_full") from error
    values = {
        "sha256": digest,
        "size": len(whole),
        "staff_id": staff_id,
        "received_at": now,
        "media_type": media_type,
        "refused": refused,
    }
    if put_blob(connection, values):
        about = {"sha256": digest.hex(), "refused": refused} | ({"inspector": staff_id} if by else {})
        people.record_act(connection, "blob_received", now, by or staff_id, **about)
    return True


def drop_abandoned(objects: Objects, before: datetime) -> int:
    """Drop unfinished uploads that nobody has touched since; how many."""
    dropped = 0
    for path in objects.partial.glob("*/*"):
        try:
            if path.stat().st_mtime < before.timestamp():
                descriptor = os.open(path, os.O_RDWR)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                    dropped += 1
                finally:
                    os.close(descriptor)
        except (FileNotFoundError, BlockingIOError):
            continue  # finished or in use this very moment
    return dropped


def _path(objects: Objects, staff_id: int, digest: bytes) -> Path:
    """By person: nobody spoils another's upload, and what one person holds can be counted."""
    return objects.partial / str(staff_id) / digest.hex()


def _locked(path: Path) -> int:
    """The file opened and locked; the one before us may have dropped it while we waited."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _refuse_too_many(directory: Path) -> None:
    sizes = [entry.stat().st_size for entry in os.scandir(directory)]
    if sum(sizes) >= MOST_PARTIAL or len(sizes) >= MOST_PARTIALS:
        raise Refused("partials_too_many", most=MOST_PARTIAL // 1024**3)


def _write(descriptor: int, content: bytes, at: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


def _verdict(whole: Content) -> tuple[str | None, str | None]:
    try:
        return read_header(whole).media_type, None
    except Refused as refused:
        return None, refused.code
