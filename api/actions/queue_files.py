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
from api.actions.uploads import FORMAT, VisitSent
from api.actions.visit_flags import CLOCK_OFF, record_flags, ticket_of
from api.store.uploads import device_numbered
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

    visits: Mapping[str, Member]  # by the id in the name
    blobs: Mapping[bytes, Member]  # by the hash in the name, which nobody has checked
    is_cut: bool  # the file ends, or stops being readable, before its end


def read_queue(stream: IO[bytes]) -> QueueFile:
    """Look through a file.

    Raises:
        Refused: `queue_file_unreadable` where it does not begin as a tar file, `queue_file_strange` for a member that
            no phone of ours writes, or writes once and not twice, `queue_file_too_large`.
    """
    size = stream.seek(0, 2)
    if size > LARGEST_FILE:
        raise Refused("queue_file_too_large", "file", most=LARGEST_FILE // 1024**2)
    visits: dict[str, Member] = {}
    blobs: dict[bytes, Member] = {}
    at = 0
    for _ in range(MOST_MEMBERS):
        stream.seek(at)
        head = stream.read(_BLOCK)
        if head == bytes(_BLOCK):  # the end
            if not visits and not blobs:
                raise Refused("queue_file_empty", "file")
            return QueueFile(visits, blobs, is_cut=False)
        try:
            found = tarfile.TarInfo.frombuf(head, "latin-1", "strict")
        except tarfile.HeaderError as error:
            if not at:
                raise Refused("queue_file_unreadable", "file") from error
            break
        named = _NAME.fullmatch(found.name)
        visit, digest = (named["visit"], bytes.fromhex(named["blob"] or "")) if named else ("", b"")
        is_file = found.type in {tarfile.REGTYPE, tarfile.AREGTYPE} and found.size >= 0
        if not named or not is_file or visit in visits or digest in blobs:
            raise Refused("queue_file_strange", "file", name=clean(found.name, 80))
        member = Member(at + _BLOCK, found.size)
        at = member.begins + -(-found.size // _BLOCK) * _BLOCK
        if member.begins + member.size > size:
            break
        if visit:
            visits[visit] = member
        else:
            blobs[digest] = member
    return QueueFile(visits, blobs, is_cut=True)


def signer_of(connection: Connection, sent: VisitSent, secret_key: bytes) -> int:
    """Whose visit it is: whose phone signed it as it stands, in use then, whatever became of it since.

    Raises:
        Refused: `queue_visit_unproven` where no phone that we know did: what an office could write by itself is taken
            from no file, and the phone keeps its own. The ticket must be ours and the format one that we read: neither
            is the phone's to sign, and a record kept with another would stand in the way of the phone's own.
    """
    events = read_events(sent.events)
    device = device_numbered(connection, sent.device_id)
    signed_at = max((one.at for one in events.read), default=None)
    # A file does not tell how far its phone's clock was off: as far as a record of the phone's own may be unflagged
    key = key_of(connection, device.id, device.staff_id, signed_at - CLOCK_OFF) if device and signed_at else None
    if sent.format != FORMAT or ticket_of(sent, secret_key) is None or any(record_flags(sent, events, key)):
        raise Refused("queue_visit_unproven", "visit")
    return int(device.staff_id)
