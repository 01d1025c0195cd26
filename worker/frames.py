"""The frames topic: one piece of a file a job, and the file goes when its import has ended.

What one job has opened the next one goes on with, so a workbook is not unpacked again for each piece. That is memory
and no truth: where a reader stands elsewhere than the import's own count of lines, the count is right.
"""

import secrets
from datetime import datetime

from sqlalchemy import Connection

from api.actions.frame_file import Reader
from api.actions.frames import TOPIC, Registry, read_piece
from api.store import frames
from api.store.frames import FrameImport
from api.store.owed import emit

SKIP_SECONDS = 4.0
"""How long one job passes over lines that were read before a restart; the next one goes on."""

_open: dict[int, Reader] = {}


def read_on(connection: Connection, registry: Registry, import_id: int, now: datetime) -> None:
    """Read the next piece of an import, and owe the one after it."""
    held = frames.hold_import(connection, import_id)
    if held is None:
        return
    if held.status != "reading":
        _forget()
        if held.status != "mapping" and not frames.is_file_wanted(connection, held.sha256):
            registry.files.drop(held.sha256)
        return
    try:
        reader = _reader(registry, held)
        arrived = reader.skip_to(held.lines_read, SKIP_SECONDS)
        done = arrived and read_piece(connection, registry, held, reader, now)
    except BaseException:
        _forget()
        raise
    if not done:
        emit(connection, TOPIC, f"{import_id}:{secrets.token_hex(8)}", 1)


def _reader(registry: Registry, held: FrameImport) -> Reader:
    """The file of an import, opened once; one file at a time."""
    known = _open.get(held.id)
    if known is None or known.read > held.lines_read:
        _forget()
        known = _open[held.id] = Reader(registry.files.open(held.sha256), held.encoding)
    return known


def _forget() -> None:
    for reader in _open.values():
        reader.close()
    _open.clear()
