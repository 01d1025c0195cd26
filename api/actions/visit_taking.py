"""The events of one upload into its visit: check-ins judged, photos with their receipts, findings, and the rest.

Every row has an id that the phone drew or that follows from one, so that taking the same upload in again adds nothing.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid5

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from api.actions.arrivals import CheckInSent, check_in_values, judged
from api.actions.checklists import check_answers
from api.actions.inspections import FindingSent, filed
from api.actions.presence import travel_flags_of
from api.actions.receipts import signed_receipt
from api.actions.uploads import VisitSent
from api.actions.visit_flags import Ticket, photo_flags_of
from api.evidence.header import read_header
from api.objects import Objects
from api.store import people
from api.store.findings import finding_numbered, lock_finding
from api.store.inspections import Visit, put_check_in, visit_numbered
from api.store.inspections import close_visit as mark_closed
from api.store.owed import emit
from api.store.photos import photo_hashed, photos_hashed, put_photo
from api.store.shortfalls import join_photos
from api.store.surveys import xform_of
from api.store.uploads import Blob, Upload, note_visit, put_checklist, sign_visit
from survey_forms.inspection.mornings import CHINA
from survey_forms.inspection.presence import best_fix, check_out_flags
from survey_forms.inspection.visit_events import (
    Arrival,
    ChecklistDone,
    Event,
    Events,
    FindingMade,
    Noted,
    PhotoTaken,
    Signed,
)
from survey_forms.refusal import Fault, Refused

log = logging.getLogger(__name__)

MOST_ARRIVALS = 50
"""Of one upload: nobody comes and goes more often, and a flood of them hides what others did."""


@dataclass(frozen=True, slots=True)
class Taking:
    """One upload on its way into one visit."""

    connection: Connection
    objects: Objects
    secret_key: bytes = field(repr=False)
    upload: Upload
    sent: VisitSent
    events: Events
    ticket: Ticket | None
    offset: timedelta  # the phone's clock minus ours
    visit: Visit
    now: datetime
    blobs: Mapping[bytes, Blob]
    named_before: frozenset[bytes]  # hashes that are another crew's: whoever names a photo first has taken it
    late: frozenset[bytes]  # hashes whose bytes came after the office had taken the visit in without them


def take_in(taking: Taking) -> Iterator[Fault]:
    """Take in event by event, photos before the findings that show them; what does not fit comes back."""
    photos = [one for one in taking.events.read if isinstance(one, PhotoTaken)]
    rest = [one for one in taking.events.read if not isinstance(one, PhotoTaken)]
    # Photos by their hash: whoever else takes the same ones in does it in the same order, and nobody waits in a ring.
    for event in (*sorted(photos, key=lambda one: one.sha256), *rest):
        yield from _guarded(taking, event)
    if any(isinstance(one, Arrival) and one.out for one in rest):
        fresh = visit_numbered(taking.connection, taking.visit.id)
        if fresh is not None and fresh.closed_at is None:
            mark_closed(taking.connection, fresh.id, fresh.note, taking.now)
            people.record_act(
                taking.connection, "visit_closed", taking.now, taking.upload.staff_id, visit=str(fresh.id)
            )


def _guarded(taking: Taking, event: Event) -> Iterator[Fault]:
    """One event; what the rules or, at the very last, the database does not let in is told with its place.

    So is what nobody foresaw: one event that we cannot take in must not keep the rest of a visit out for ever.
    """
    try:
        with taking.connection.begin_nested():
            found = list(_take(taking, event))
    except Refused as refused:
        found = list(refused.faults)
    except (DataError, IntegrityError, ArithmeticError, LookupError, TypeError, ValueError):
        log.exception("event %s of upload %s does not fit", event.n, taking.upload.id)
        found = [Fault("event_unfit")]
    for one in found:
        yield Fault(one.code, f"events[{event.n}].{one.path}".rstrip("."), {"n": event.n + 1, **one.facts})


def _take(taking: Taking, event: Event) -> Iterator[Fault]:
    connection, visit = taking.connection, taking.visit
    match event:
        case PhotoTaken():
            yield from _photo(taking, event)
        case Arrival():
            if sum(isinstance(one, Arrival) for one in taking.events.read if one.n < event.n) >= MOST_ARRIVALS:
                raise Refused("check_ins_too_many", most=MOST_ARRIVALS)
            _arrival(taking, event)
        case FindingMade():
            yield from _finding(taking, event)
        case ChecklistDone():
            yield from _checklist(taking, event)
        case Signed():
            found = taking.blobs.get(event.sha256)  # none: it never came, which the settling tells
            if found is not None and found.refused:
                yield Fault(found.refused, "sha256")
            elif found is not None:
                sign_visit(connection, visit.id, event.sha256, event.signed_by)
                emit(connection, "photos", event.sha256.hex(), 1)  # its picture is a stranger's too
        case Noted():
            note_visit(connection, visit.id, event.words)


def _arrival(taking: Taking, event: Arrival) -> None:
    """A check-in or check-out, judged by the phone's clock against itself: fixes and event share it."""
    key = uuid5(taking.upload.id, str(event.n))
    sent = CheckInSent(key, taking.visit.id, taking.visit.assignment.id, event.fixes, event.at, event.reason)
    values = check_in_values(
        sent, judged(taking.visit.assignment, sent), taking.visit.id, taking.upload.staff_id, taking.now
    )
    came = next((one for one in taking.events.read if isinstance(one, Arrival) and not one.out and one.fixes), None)
    if event.out and event.fixes and came is not None:
        apart = check_out_flags(best_fix(came.fixes, came.at), best_fix(event.fixes, event.at))
        values["flags"] += [flag.value for flag in apart]
    if event.fixes:
        travelled = travel_flags_of(taking.connection, taking.upload.staff_id, best_fix(event.fixes, event.at))
        values["flags"] += [flag.value for flag in travelled]
    put_check_in(taking.connection, values | {"kind": "out" if event.out else "in"})


def _photo(taking: Taking, event: PhotoTaken) -> Iterator[Fault]:
    connection, upload = taking.connection, taking.upload
    found = taking.blobs.get(event.sha256)
    if found is None:  # it never came, which the settling tells
        return
    if found.refused or found.media_type is None:
        yield Fault(found.refused or "photo_other_kind", "sha256")
        return
    if event.sha256 in taking.named_before:
        yield Fault("photo_of_another_visit", "sha256")
        return
    if put_photo(connection, _photo_values(taking, event, found, found.media_type)):
        emit(connection, "photos", event.sha256.hex(), 1)
        about = {"visit": str(taking.visit.id), "sha256": event.sha256.hex()}
        people.record_act(connection, "photo_added", taking.now, upload.staff_id, **about)
        return
    known = photo_hashed(connection, event.sha256)
    if known is None or known.visit_id != taking.visit.id:
        yield Fault("photo_of_another_visit", "sha256")


def _photo_values(taking: Taking, event: PhotoTaken, found: Blob, media_type: str) -> dict[str, object]:
    header = read_header(taking.objects.get("originals", event.sha256) or b"")
    claimed_at = event.modified or event.at
    receipt = {
        "kind": "photo",
        "sha256": event.sha256.hex(),
        "size": found.size,
        "inspector": taking.upload.staff_id,
        "device": str(taking.sent.device_id),
        "visit": str(taking.visit.id),
        "claimed_at": claimed_at.isoformat(),
        "received_at": found.received_at.isoformat(),
    }
    return {
        "visit_id": taking.visit.id,
        "sha256": event.sha256,
        "size": found.size,
        "media_type": media_type,
        "original_name": event.name,
        "claimed_at": claimed_at,
        "received_at": found.received_at,
        "claimed_sha256": event.sha256,
        "width": header.width,
        "height": header.height,
        "flags": [
            *photo_flags_of(event, taking.events, taking.ticket, taking.offset),
            *(["flag_photo_came_late"] if event.sha256 in taking.late else []),
        ],
        "capture": {"upload": str(taking.upload.id), "n": event.n, "event": event.text},
        "receipt": signed_receipt(taking.secret_key, receipt),
    }


def _finding(taking: Taking, event: FindingMade) -> Iterator[Fault]:
    """A finding with those of its photos that are evidence of this visit; the others are told, not silently dropped."""
    kept = photos_hashed(taking.connection, list(event.photos))
    fit = {photo.sha256 for photo in kept if photo.visit_id == taking.visit.id}
    photos = frozenset(event.photos) & fit
    late = _too_late(taking, event, photos)
    sent = FindingSent(event.id, taking.visit.id, event.rule, event.points, event.description, tuple(photos - late))
    filed(taking.connection, taking.visit, sent, taking.upload.staff_id, taking.now)
    if late:
        yield Fault("finding_photo_after_decision", "photos", {"count": len(late)})
    left_out = frozenset(event.photos) - photos
    if left_out:
        lost = left_out.difference(taking.blobs).intersection(taking.events.blobs)
        yield Fault("finding_photo_left_out", "photos", {"count": len(left_out), "lost": len(lost)})


def _too_late(taking: Taking, event: FindingMade, photos: frozenset[bytes]) -> frozenset[bytes]:
    """Join photos that came late to their finding; given back are those that came after its decision, which stands."""
    lock_finding(taking.connection, event.id)
    known = finding_numbered(taking.connection, event.id)
    if known is None or (known.visit_id, known.filed_by) != (taking.visit.id, taking.upload.staff_id):
        return frozenset()
    late = (photos & taking.late).difference(known.photos)
    if not late or known.status != "filed":
        return late
    join_photos(taking.connection, known.id, late)
    about = {"finding": str(known.id), "sha256": sorted(digest.hex() for digest in late)}
    people.record_act(taking.connection, "finding_photo_joined", taking.now, taking.upload.staff_id, **about)
    return frozenset()


def _checklist(taking: Taking, event: ChecklistDone) -> Iterator[Fault]:
    if xform_of(taking.connection, event.form) is None:
        yield Fault("checklist_form_unknown", "form")
        return
    day = (event.at - taking.offset).astimezone(CHINA).date()
    checked = check_answers(taking.connection, event.form, event.answers, day)
    values = {
        "upload_id": taking.upload.id,
        "visit_id": taking.visit.id,
        "form_version": event.form,
        "answers": dict(event.answers),
        "faults": checked.in_words(),
        "complete": checked.complete,
    }
    put_checklist(taking.connection, values)
