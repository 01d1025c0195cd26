"""A saved queue taken in at the office, by the verbs by which phones hand in: doing it again changes nothing.

Each visit, and each photo, is a transaction of its own: what was taken in stays so, whatever comes after it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Literal
from uuid import UUID

from api.actions.blobs import bring
from api.actions.queue_files import Member, QueueFile, read_queue, signer_of
from api.actions.settling import settle
from api.actions.uploads import LARGEST_VISIT, keep, missing_of, read_visit
from api.evidence.header import LARGEST
from api.services import services, utc_now
from api.store import people
from api.store.inspections import visit_numbered
from api.store.people import Staff
from api.store.sites import Site
from api.store.uploads import upload_numbered
from survey_forms.refusal import Fault, Refused


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of one visit of a file."""

    visit: str
    state: Literal["taken", "here", "missing", "refused"]
    inspector: str = ""
    site: Site | None = None  # where the visit took place, once it is taken in
    missing: int = 0  # files that are neither here nor in the saved queue
    is_held: bool = False  # something in it does not fit and waits for the office
    faults: tuple[Fault, ...] = ()  # why it was refused


@dataclass(frozen=True, slots=True)
class _Kept:
    upload_id: UUID
    staff_id: int
    was_waiting: bool


def bring_in(stream: IO[bytes], staff: Staff) -> tuple[list[Brought], tuple[Fault, ...]]:
    """Take in a saved queue for the inspectors whose visits are in it.

    Args:
        stream: the file, seekable.
        staff: who at the office brought it; the audit, and every visit that comes first this way, name them.

    Returns:
        What became of each visit, in the file's order, and what is wrong with the file itself.

    Raises:
        Refused: what `read_queue` does, before anything is taken in.
    """
    queue = read_queue(stream)
    kept: list[_Kept | Brought] = []
    for name, member in queue.visits.items():
        try:
            kept.append(_keep(_content(stream, member, LARGEST_VISIT), name, staff))
        except Refused as refused:
            kept.append(Brought(name, "refused", faults=refused.faults))
    faults = [Fault("queue_file_cut", "file")] if queue.is_cut else []
    faults.extend(_photos(stream, queue, [one for one in kept if isinstance(one, _Kept)], staff))
    return [_state(one) if isinstance(one, _Kept) else one for one in kept], tuple(faults)


def _keep(body: bytes, name: str, staff: Staff) -> _Kept:
    try:
        sent = read_visit(body)
    except Refused as refused:
        raise Refused("queue_visit_unreadable", "visit") from refused
    if str(sent.id) != name:
        raise Refused("queue_visit_misnamed", "visit")
    with services().database.write() as connection:
        known = upload_numbered(connection, sent.id)
        staff_id = known.staff_id if known else signer_of(connection, sent, services().settings.secret_key)
        try:
            new = keep(connection, sent, staff_id, utc_now(), by=staff.id)
        except Refused as refused:
            raise Refused("queue_visit_otherwise", "visit") from refused
        about = {"upload": str(sent.id), "inspector": staff_id, "new": new}
        people.record_act(connection, "visit_brought", utc_now(), staff.id, **about)
    return _Kept(sent.id, staff_id, known is None or known.status == "waiting")


def _photos(stream: IO[bytes], queue: QueueFile, kept: Iterable[_Kept], staff: Staff) -> Iterator[Fault]:
    """Put into the store what these visits lack and the file has."""
    database, objects = services().database, services().objects
    for one in kept:
        with database.read() as connection:
            upload = upload_numbered(connection, one.upload_id)
            lacking = missing_of(connection, upload) if upload else []
        for digest in (one for one in lacking if one in queue.blobs):
            try:
                content = _content(stream, queue.blobs[digest], LARGEST)
                with database.write() as connection:
                    if not bring(connection, objects, digest, content, one.staff_id, utc_now(), by=staff.id):
                        yield Fault("queue_photo_differs", "file", {"name": digest.hex()[:12]})
            except Refused as refused:
                yield from refused.faults


def _state(one: _Kept) -> Brought:
    known = services()
    with known.database.write() as connection:
        upload = settle(connection, known.objects, known.settings.secret_key, one.upload_id, utc_now())
        missing = missing_of(connection, upload)
        visit = visit_numbered(connection, upload.visit_id) if upload.visit_id else None
    return Brought(
        str(upload.id),
        "missing" if missing else "taken" if one.was_waiting else "here",
        upload.inspector,
        visit.assignment.site if visit else None,
        len(missing),
        upload.status == "held",
    )


def _content(stream: IO[bytes], member: Member, most: int) -> bytes:
    """A member's bytes.

    Raises:
        Refused: `queue_member_too_large`.
    """
    if member.size > most:
        raise Refused("queue_member_too_large", "file", most=most // 1024**2)
    stream.seek(member.begins)
    return stream.read(member.size)
