"""Visits as phones hand them in: kept as sent, once, and told what is still missing until nothing is.

A visit is refused only where it cannot be kept at all. Whatever is odd in it is kept and told; the office looks at it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from api.store import people
from api.store.people import Staff
from api.store.uploads import (
    Blob,
    Upload,
    blobs_brought,
    bringers_of,
    change_upload,
    device_numbered,
    put_upload,
    upload_numbered,
)
from api.store.visit_surroundings import changers_of
from survey_forms.inspection.visit_events import moment_of, read_events
from survey_forms.refusal import Fault, Refused

FORMAT = 1  # of what phones write
LARGEST_VISIT = 2 * 1024 * 1024
MOST_EVENTS = 500
_MOST_OFFSET_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class VisitSent:
    """A visit as one phone sends it; nothing in it is believed yet."""

    id: UUID
    assignment_id: UUID
    device_id: UUID
    ticket: dict[str, Any]
    events: tuple[str, ...]
    head: str
    signature: str
    sent_at: datetime | None
    format: Any
    digest: bytes  # of all but what may differ between two tries, or what no phone signs (`_digest_of`)
    body: bytes


def read_visit(body: bytes) -> VisitSent:
    """A body as a visit.

    Raises:
        Refused: `visit_unreadable` and `invalid_fields` for one that cannot be kept, `visit_too_many_events`.
    """
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused("visit_unreadable") from error
    if not isinstance(sent, dict):
        raise Refused("visit_unreadable")
    events, keys = sent.get("events"), {}
    faults = []
    for name in ("visit", "assignment", "device"):
        try:
            keys[name] = UUID(str(sent.get(name)))
        except ValueError:
            faults.append(Fault("invalid_fields", name))
    if not isinstance(events, list) or not all(isinstance(one, str) for one in events):
        faults.append(Fault("invalid_fields", "events"))
        events = []
    if len(events) > MOST_EVENTS:
        faults.append(Fault("visit_too_many_events", "events", {"most": MOST_EVENTS}))
    if faults:
        raise Refused.of(faults)
    try:
        digest = _digest_of(keys, sent, events)
    except TypeError as error:  # nested deeper than JSON is written
        raise Refused("visit_unreadable") from error
    ticket = sent.get("ticket")
    return VisitSent(
        id=keys["visit"],
        assignment_id=keys["assignment"],
        device_id=keys["device"],
        ticket=ticket if isinstance(ticket, dict) else {},
        events=tuple(events),
        head=str(sent.get("head", "")),
        signature=str(sent.get("signature", "")),
        sent_at=moment_of(sent.get("sent_at")),
        format=sent.get("format"),
        digest=digest,
        body=body,
    )


def _digest_of(keys: Mapping[str, UUID], sent: Mapping[str, Any], events: Sequence[str]) -> bytes:
    """SHA-256 of whose visit it is, its ticket, its events and its head, as JSON with sorted keys and no blanks.

    What no phone signs makes no other visit: whoever held a saved queue could else change one such member, hand it in
    first and shut out the phone's own.
    """
    whole: dict[str, Any] = {name: str(key) for name, key in keys.items()}
    whole |= {"ticket": sent.get("ticket"), "events": events, "head": sent.get("head")}
    return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).digest()


def keep(connection: Connection, sent: VisitSent, staff_id: int, now: datetime, *, by: int | None = None) -> bool:
    """Keep a visit as it was sent; whether it is new. `by` is who at the office brought it as a file.

    A file tells nothing of the phone's clock: `sent_at` is when it was saved, whenever it is brought.

    Raises:
        Refused: `visit_of_another` where the id is somebody else's, `visit_sent_otherwise` where it came before with
            other content; what came first is kept.
    """
    device = device_numbered(connection, sent.device_id)
    offset = round((sent.sent_at - now).total_seconds() * 1000) if sent.sent_at and by is None else None
    values = {
        "id": sent.id,
        "staff_id": staff_id,
        "device_id": sent.device_id if device is not None and device.staff_id == staff_id else None,
        "assignment_id": sent.assignment_id,
        "digest": sent.digest,
        "body": sent.body,
        "received_at": now,
        "blobs": list(read_events(sent.events).blobs),
        "problems": [],
        "chain_head": _head(sent.head),
        "clock_offset_ms": None if offset is None else max(-_MOST_OFFSET_MS, min(_MOST_OFFSET_MS, offset)),
        "brought_by": by,
    }
    if put_upload(connection, values):
        return True
    known = upload_numbered(connection, sent.id)
    if known is None or known.staff_id != staff_id:
        raise Refused("visit_of_another", "visit")
    if known.digest != sent.digest:
        raise Refused("visit_sent_otherwise", "visit")
    return False


def blobs_of(connection: Connection, upload: Upload) -> dict[bytes, Blob]:
    """What of a visit is here, by hash: brought by its sender or the crew, for a hash alone proves nothing."""
    return blobs_brought(connection, upload.blobs, bringers_of(connection, upload.assignment_id, upload.staff_id))


def missing_of(connection: Connection, upload: Upload) -> list[bytes]:
    """What of a visit has not arrived, in its order."""
    kept = blobs_of(connection, upload)
    return [digest for digest in upload.blobs if digest not in kept]


def come_since(upload: Upload, here: Collection[bytes]) -> frozenset[bytes]:
    """What a visit was taken in without, lies here now, and nobody has taken in yet."""
    return frozenset(bytes.fromhex(one["facts"]["sha256"]) for one in upload.lost).intersection(here)


def still_waits(connection: Connection, upload: Upload) -> Refused:
    """Why a waiting record is not dealt with: `upload_waits` for what is missing, else `upload_unsettled`."""
    count = len(missing_of(connection, upload))
    return Refused("upload_waits", count=count) if count else Refused("upload_unsettled")


def refused_of(connection: Connection, upload: Upload) -> dict[bytes, str]:
    """What arrived and is no evidence: the code of the reason by hash."""
    return {digest: found.refused for digest, found in blobs_of(connection, upload).items() if found.refused}


def resolve(connection: Connection, upload_id: UUID, staff: Staff, note: str, now: datetime) -> None:
    """Note that the office has dealt with a held upload; what was sent, and its problems, stay as they are.

    Raises:
        Refused: `not_found`, `upload_not_held`, `upload_note_missing`; `upload_waits` and `upload_unsettled` for one
            that nobody has looked at yet; `upload_resolve_second` for who withdrew the assignment or replaced its
            inspectors: nobody makes a visit disappear alone.
    """
    upload = upload_numbered(connection, upload_id, lock=True)
    if upload is None:
        raise Refused("not_found")
    if upload.status == "waiting":
        raise still_waits(connection, upload)
    if upload.status != "held":
        raise Refused("upload_not_held")
    if not note:
        raise Refused("upload_note_missing", "note")
    if staff.id in {upload.staff_id, *changers_of(connection, upload.assignment_id)}:
        raise Refused("upload_resolve_second", "note")
    resolved = {"code": "upload_resolved", "path": "", "facts": {"note": note, "by": staff.name}}
    change_upload(connection, upload_id, {"status": "settled", "problems": [*upload.problems, resolved]})
    people.record_act(connection, "upload_resolved", now, staff.id, upload=str(upload_id), note=note)


def _head(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)[:32] or None
    except ValueError:
        return None
