"""A visit whose bytes are all here is taken into the file: check-ins, photos, findings, checklist, signature, note.

Where the office took it in without what was lost, so is one that lacks something, each time that more of it comes.

It happens in one transaction, and doing it again changes nothing: every row has an id that the phone drew or that
follows from one. What does not fit is told and kept in the upload; everything beside it is taken in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.actions.arrivals import visit_of
from api.actions.devices import has_ended, key_of
from api.actions.receipts import signed_receipt
from api.actions.uploads import FORMAT, VisitSent, blobs_of, missing_of, read_visit
from api.actions.visit_flags import Ticket, flags_of, ticket_of
from api.actions.visit_surroundings import has_begun_before, late_findings, surrounding_flags
from api.actions.visit_taking import Taking, take_in
from api.objects import Objects
from api.store import people
from api.store.inspections import Assignment, Visit, assignment_numbered, visit_numbered
from api.store.shortfalls import Shortfall, shortfall_of
from api.store.uploads import (
    Upload,
    change_upload,
    hold_assignment,
    named_before,
    upload_numbered,
    uploads_into,
    was_placed,
)
from api.store.visit_surroundings import ended_at
from survey_forms.inspection.mornings import last_opened
from survey_forms.inspection.visit_events import Events, clean, read_events
from survey_forms.refusal import Fault, Refused

MAY_GO = ("flag_photo_missing", "flag_checklist_missing")
"""What is told of a record until it has come."""


def settle(  # noqa: PLR0913 - where, with what, which and when
    connection: Connection, objects: Objects, secret_key: bytes, upload_id: UUID, now: datetime, *, again: bool = False
) -> Upload:
    """Take an upload in, if it waits and nothing of it is missing; `again`: even one that was looked at before.

    One that the office took in short lacks what it lacks, and is taken in once more whenever that has changed.

    Returns:
        The upload as it stands then.

    Raises:
        Refused: `not_found`.
    """
    upload = upload_numbered(connection, upload_id, lock=True)
    if upload is None:
        raise Refused("not_found")
    missing, short = missing_of(connection, upload), shortfall_of(connection, upload_id)
    if (missing and short is None) or not (again or _is_due(upload, short, missing)):
        return upload
    late = frozenset(short.missing).difference(missing) if short else frozenset[bytes]()
    sent = read_visit(upload.body)
    events = read_events(sent.events)
    offset = timedelta(milliseconds=upload.clock_offset_ms or 0)
    ticket = ticket_of(sent, secret_key)
    flags = _own_flags(connection, upload, sent, events, offset, secret_key)
    faults = [*events.faults, *(() if sent.format == FORMAT else (Fault("visit_format_unknown", "format"),))]
    visit_id = None
    try:
        visit = _visit_for(connection, upload, events, _Begun(ticket, offset), now)
    except Refused as refused:
        faults.extend(refused.faults)
    else:
        visit_id = visit.id
        named = blobs_of(connection, upload), named_before(connection, upload)
        taking = Taking(connection, objects, secret_key, upload, sent, events, ticket, offset, visit, now, *named, late)
        faults.extend(take_in(taking))
        faults.extend(late_findings(taking))
        flags.extend(surrounding_flags(taking))
    flags.extend(code for code, on in (("flag_photo_missing", missing), ("flag_photo_came_late", late)) if on)
    # What was told of it stays told, and the database holds us to it; what was missing may have come
    flags.extend(code for code in upload.flags if code not in {*flags, *MAY_GO})
    values = {
        "status": "settled" if all(map(_is_of_a_loss, faults)) else "held",
        "settled_at": now,
        "visit_id": visit_id or upload.visit_id,
        "problems": _problems(upload, [*faults, *_lost(events, missing), *_taken_short(short)]),
        "flags": flags,
        "receipt": upload.receipt or (None if missing else _receipt(secret_key, upload, sent, events)),
    }
    return _settled(connection, upload, values, now)


def _settled(connection: Connection, upload: Upload, values: dict[str, Any], now: datetime) -> Upload:
    """The upload with these values; where only the time is new, nothing is written."""
    if replace(upload, **values | {"settled_at": upload.settled_at, "flags": tuple(values["flags"])}) == upload:
        return upload
    change_upload(connection, upload.id, values)
    about = {"upload": str(upload.id), "status": values["status"]}
    people.record_act(connection, "upload_settled", now, upload.staff_id, **about)
    settled = upload_numbered(connection, upload.id)
    if settled is None:
        raise Refused("not_found")
    return settled


def _problems(upload: Upload, faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """What is to be told of an upload, with what the office noted when it dealt with it before."""
    told = [{"code": one.code, "path": one.path, "facts": dict(one.facts)} for one in faults]
    return told + [one for one in upload.problems if one["code"] == "upload_resolved"]


def _own_flags(  # noqa: PLR0913, PLR0917 - the record twice, its phone's clock, and our key
    connection: Connection, upload: Upload, sent: VisitSent, events: Events, offset: timedelta, secret_key: bytes
) -> list[str]:
    """What is odd in the record itself; its signature counts if its phone was in use at the last event."""
    signed_at = max((one.at - offset for one in events.read), default=upload.received_at)
    key = key_of(connection, sent.device_id, upload.staff_id, signed_at)
    flags = [*flags_of(sent, events, key, secret_key, offset, upload.received_at)]
    if has_ended(connection, sent.device_id, upload.received_at):
        flags.append("flag_device_ended")
    if upload.brought_by is not None:
        flags.append("flag_brought_as_file")
    return flags


def _is_due(upload: Upload, short: Shortfall | None, missing: Iterable[bytes]) -> bool:
    """Whether nobody has looked at an upload yet, or something came since the office took it in short."""
    if short is None or upload.status == "waiting":
        return upload.status == "waiting"
    return {one["facts"]["sha256"] for one in upload.lost} != {digest.hex() for digest in missing}


def _taken_short(short: Shortfall | None) -> list[Fault]:
    return [Fault("upload_taken_short", "", {"by": short.taker, "note": short.note})] if short else []


def _lost(events: Events, missing: Iterable[bytes]) -> Iterator[Fault]:
    """What never came, each by its place in the record and its hash."""
    for digest in missing:
        named = ((n, one) for n, one in enumerate(events.parsed, 1) if isinstance(one, dict))
        n, event = next(((n, one) for n, one in named if one.get("sha256") == digest.hex()), (0, {}))
        name = event.get("name")
        facts = {"n": n, "name": clean(name, 200) if isinstance(name, str) else "—", "sha256": digest.hex()}
        code = "upload_signature_missing" if event.get("kind") == "signature" else "upload_photo_missing"
        yield Fault(code, f"events[{n - 1}].sha256", facts)


def _is_of_a_loss(fault: Fault) -> bool:
    """Whether a fault is of what never came alone: whoever took the visit in without it has dealt with that."""
    facts = fault.facts
    return fault.code == "finding_photo_left_out" and facts.get("lost") == facts["count"]


@dataclass(frozen=True, slots=True)
class _Begun:
    """What tells that a phone set out while its assignment stood."""

    ticket: Ticket | None
    offset: timedelta


def _visit_for(connection: Connection, upload: Upload, events: Events, begun: _Begun, now: datetime) -> Visit:
    """The visit that an upload goes into: its assignment's one, begun now if this is the first.

    A withdrawal or replacement cannot undo what inspectors did before it while their phones were offline.

    Raises:
        Refused: `upload_assignment_unknown`, `upload_not_yours`, `upload_withdrawn`, `upload_after_closing`.
    """
    hold_assignment(connection, upload.assignment_id)  # two phones of a pair, one after the other
    assignment = assignment_numbered(connection, upload.assignment_id)
    if assignment is None or assignment.day > last_opened(now):
        raise Refused("upload_assignment_unknown", "assignment")
    if not was_placed(connection, assignment.id, upload.staff_id):
        raise Refused("upload_not_yours", "assignment")
    ended = ended_at(connection, assignment.id, upload.staff_id)
    if ended is not None and not has_begun_before(begun.ticket, events, begun.offset, ended):
        raise Refused("upload_withdrawn" if assignment.withdrawn_at else "upload_not_yours", "assignment")
    if _is_late(connection, assignment, upload):
        raise Refused("upload_after_closing", "visit")
    first = events.read[0].at if events.read else now
    visit_id = visit_of(connection, assignment, upload.id, upload.staff_id, first, now)
    visit = visit_numbered(connection, visit_id)
    if visit is None:
        raise Refused("upload_assignment_unknown", "assignment")
    return visit


def _is_late(connection: Connection, assignment: Assignment, upload: Upload) -> bool:
    """Whether the visit is over for this person: closed, and not merely by the other phone of the pair."""
    if assignment.closed_at is None or assignment.visit_id is None:
        return False
    before = [one for one in uploads_into(connection, assignment.visit_id) if one.id != upload.id]
    own = any(one.staff_id == upload.staff_id for one in before)
    return (own or not before) and upload.visit_id != assignment.visit_id


def _receipt(secret_key: bytes, upload: Upload, sent: VisitSent, events: Events) -> str:
    """What the phone keeps: that we have all of it, by its digest."""
    began = min((one.at for one in events.read), default=None)
    return signed_receipt(
        secret_key,
        {
            "kind": "visit",
            "visit": str(upload.id),
            "assignment": str(upload.assignment_id),
            "digest": upload.digest.hex(),
            "blobs": [digest.hex() for digest in upload.blobs],
            "inspector": upload.staff_id,
            "device": str(sent.device_id),
            "claimed_at": began.isoformat() if began else None,
            "received_at": upload.received_at.isoformat(),
        },
    )
