"""The queue that a phone saved as a file and somebody brought to the office: what is in it, and whose each visit is.

Nothing is unpacked: headers are read one by one, a member's name is a visit's id or a hash or the file is none of
ours, and no name ever becomes a path. Long names, links and other kinds of member have no place in it.
"""

import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Connection

from api.actions.devices import key_of
from api.actions.uploads import VisitSent
from api.actions.visit_flags import record_flags
from api.store.uploads import device_numbered, placed_on, upload_numbered
from survey_forms.inspection.visit_events import clean, read_events
from survey_forms.refusal import Refused

LARGEST_FILE = 1024**3
MOST_MEMBERS = 20_000

_NAME = re.compile(r"visits/(?P<visit>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json|blobs/(?P<blob>[0-9a-f]{64})")
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class Member:
    """Where in the file the bytes of a visit, photo or signature stand."""

    begins: int
    size: int


@dataclass(frozen=True, slots=True)
class QueueFile:
    """What a saved queue holds; its bytes stay in the file until each is asked for."""

    visits: tuple[tuple[str, Member], ...]  # by the id in the name; one that came twice is twice here
    blobs: Mapping[bytes, Member]  # by the hash in the name, which nobody has checked
    is_cut: bool  # the file ends, or stops being readable, before its end


def read_queue(stream: IO[bytes]) -> QueueFile:
    """Look through a file.

    Raises:
        Refused: `queue_file_unreadable` where it does not begin as a tar file, `queue_file_strange` for a member that
            no phone of ours writes, `queue_file_too_large`.
    """
    size = stream.seek(0, 2)
    if size > LARGEST_FILE:
        raise Refused("queue_file_too_large", "file", most=LARGEST_FILE // 1024**2)
    visits: list[tuple[str, Member]] = []
    blobs: dict[bytes, Member] = {}
    at = 0
    for _ in range(MOST_MEMBERS):
        stream.seek(at)
        head = stream.read(_BLOCK)
        if head == bytes(_BLOCK):  # the end
            if not visits and not blobs:
                raise Refused("queue_file_empty", "file")
            return QueueFile(tuple(visits), blobs, is_cut=False)
        try:
            found = tarfile.TarInfo.frombuf(head, "latin-1", "strict")
        except tarfile.HeaderError as error:
            if not at:
                raise Refused("queue_file_unreadable", "file") from error
            break
        named = _NAME.fullmatch(found.name)
        if named is None or found.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or found.size < 0:
            raise Refused("queue_file_strange", "file", name=clean(found.name, 80))
        member = Member(at + _BLOCK, found.size)
        at = member.begins + -(-found.size // _BLOCK) * _BLOCK
        if member.begins + member.size > size:
            break
        if named["visit"]:
            visits.append((named["visit"], member))
        else:
            blobs.setdefault(bytes.fromhex(named["blob"]), member)
    return QueueFile(tuple(visits), blobs, is_cut=True)


def sender_of(connection: Connection, sent: VisitSent) -> int:
    """Whose visit it is: who sent it before, else whose phone wrote it down, else the only one who was sent there.

    Raises:
        Refused: `queue_visit_nobodys` where none of these tells.
    """
    known = upload_numbered(connection, sent.id)
    if known is not None:
        return known.staff_id
    device = device_numbered(connection, sent.device_id)
    if device is not None:
        return int(device.staff_id)
    placed = placed_on(connection, sent.assignment_id)
    if len(placed) != 1:
        raise Refused("queue_visit_nobodys", "visit")
    return placed.pop()


def is_proven(connection: Connection, sent: VisitSent, staff_id: int) -> bool:
    """Whether a phone of that person signed the visit as it stands: then nobody has touched it on the way."""
    events = read_events(sent.events)
    signed_at = max((one.at for one in events.read), default=None)
    key = key_of(connection, sent.device_id, staff_id, signed_at) if signed_at is not None else None
    return not any(record_flags(sent, events, key))
