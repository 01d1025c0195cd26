"""A visit whose photos are lost for good, taken in without them: what came is evidence, what did not stays named.

Nobody can hide a photo so. Nothing of the visit has come for as long as a phone may lie about; it is another person
than those who went there, brought it, changed who was sent, or stopped a phone; they say why, decide on none of its
findings, and stand in the audit. The photo's hash stays in the chain; should the photo come, it is joined and marked.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from api.actions.blobs import last_piece_at
from api.actions.settling import settle
from api.actions.uploads import blobs_of
from api.actions.visit_surroundings import LATE
from api.objects import Objects
from api.store import people
from api.store.inspections import assignment_numbered
from api.store.people import Staff
from api.store.shortfalls import put_shortfall, shortfall_of
from api.store.sites import Site
from api.store.uploads import Upload, bringers_of, placed_on, upload_numbered
from api.store.visit_surroundings import changers_of, stoppers_of
from survey_forms.inspection.mornings import last_opened, morning_of
from survey_forms.refusal import Refused


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that is not taken in yet: where from, what it lacks, and when anything of it came last."""

    upload: Upload
    site: Site | None  # once its morning has come
    missing: tuple[bytes, ...]
    last_sign: datetime
    is_quiet: bool  # for so long that it may be taken in without what is missing

    @property
    def quiet_at(self) -> datetime:
        """When it will have been quiet for long enough, if nothing comes."""
        return self.last_sign + LATE


def waiting_for(connection: Connection, objects: Objects, upload: Upload, now: datetime) -> Waiting:
    """What a waiting record waits for."""
    here = blobs_of(connection, upload)
    missing = tuple(digest for digest in upload.blobs if digest not in here)
    signs = [upload.received_at, *(one.received_at for one in here.values())]
    piece = last_piece_at(objects, bringers_of(connection, upload.assignment_id, upload.staff_id), missing)
    last = max([*signs, *([piece] if piece else [])])
    assignment = assignment_numbered(connection, upload.assignment_id)
    opened = assignment is not None and assignment.day <= last_opened(now)
    return Waiting(upload, assignment.site if assignment and opened else None, missing, last, now - last >= LATE)


def take_short(  # noqa: PLR0913, PLR0917 - where, with what, which, who, why and when
    connection: Connection, objects: Objects, secret_key: bytes, upload_id: UUID, staff: Staff, note: str, now: datetime
) -> Upload:
    """Take a visit in without what is missing of it; done again, or with nothing missing any more, it changes nothing.

    Returns:
        The upload as it stands then.

    Raises:
        Refused: `not_found`; `upload_not_held` for one that does not wait; `upload_still_coming`;
            `upload_note_missing`; `upload_short_second` for its crew, its bringer, and whoever withdrew the
            assignment, replaced its crew, or stopped a phone of theirs.
    """
    upload = upload_numbered(connection, upload_id, lock=True)
    if upload is None:
        raise Refused("not_found")
    if shortfall_of(connection, upload_id) is not None:
        return upload
    if upload.status != "waiting":
        raise Refused("upload_not_held")
    found = waiting_for(connection, objects, upload, now)
    if found.missing:
        if not note:
            raise Refused("upload_note_missing", "note")
        if staff.id in _concerned(connection, upload):
            raise Refused("upload_short_second", "note")
        if not found.is_quiet:
            raise Refused("upload_still_coming", "note", hours=round(LATE.total_seconds() / 3600))
        put_shortfall(connection, upload_id, found.missing, staff.id, now, note)
        lost = [digest.hex() for digest in found.missing]
        people.record_act(
            connection, "upload_taken_short", now, staff.id, upload=str(upload_id), note=note, sha256=lost
        )
    return settle(connection, objects, secret_key, upload_id, now)


def _concerned(connection: Connection, upload: Upload) -> set[int | None]:
    """Those whose word that nothing more will come is no second person's: they went there, or could keep it away."""
    crew = {upload.staff_id, *placed_on(connection, upload.assignment_id)}
    assignment = assignment_numbered(connection, upload.assignment_id)
    since = min(upload.received_at, morning_of(assignment.day)) if assignment else upload.received_at
    changers = changers_of(connection, upload.assignment_id)
    return {upload.brought_by, *crew, *changers, *stoppers_of(connection, crew, since)}
