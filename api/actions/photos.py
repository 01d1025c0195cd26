"""A photo becomes evidence: the original is kept first, then its row; then it is decoded apart and judged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.actions.inspections import own_visit, refuse_if_closed
from api.actions.presence import best_of
from api.evidence.decoder import Decoded, Decoder
from api.evidence.intake import Received, received
from api.objects import Objects
from api.store import people
from api.store.inspections import check_ins_of
from api.store.owed import emit
from api.store.photos import Photo, alike, judge_photo, photo_hashed, put_photo
from api.store.signatures import signature_type
from survey_forms.inspection.datum import Position
from survey_forms.inspection.likeness import NEAR, likeness
from survey_forms.inspection.photo_claims import CheckedIn, Claims, PhotoFlag, camera_time, photo_flags
from survey_forms.refusal import Refused

LONGEST_NAME = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = 4_102_444_800_000  # the year 2100
ALIKE_WITHIN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class PhotoSent:
    """Whose visit it is for, and the file's name and time on the phone; neither of the latter is believed."""

    visit_id: UUID
    staff_id: int
    original_name: str
    claimed_at: datetime
    capture: Mapping[str, Any] | None = None  # the event as the phone chained it, with `ticket_issued_at` in ms


def add_photo(connection: Connection, objects: Objects, received: Received, sent: PhotoSent, now: datetime) -> Photo:
    """Take a photo into a visit; the same photo again is the same receipt.

    Raises:
        Refused: `not_found`, `visit_closed`, `photo_of_another_visit`, `photo_store_unavailable`.
    """
    visit = own_visit(connection, sent.visit_id, sent.staff_id)
    known = photo_hashed(connection, received.sha256)
    if known is None:
        refuse_if_closed(connection, visit)
        if _put(connection, received, sent, now):
            _keep(objects, received)
            emit(connection, "photos", received.sha256.hex(), 1)
            about = {"visit": str(visit.id), "sha256": received.sha256.hex()}
            people.record_act(connection, "photo_added", now, sent.staff_id, **about)
        known = photo_hashed(connection, received.sha256)
    if known is None or known.visit_id != visit.id:
        raise Refused("photo_of_another_visit")
    return known


def add_kept(connection: Connection, objects: Objects, sha256: bytes, sent: PhotoSent, now: datetime) -> Photo:
    """Take a photo into a visit whose bytes are in the store already; they are read, and hashed, once more.

    Raises:
        Refused: as `add_photo`, and what `received` refuses.
        FileNotFoundError: the bytes are not there.
    """
    with (
        objects.at_hand("originals", sha256) as path,
        path.open("rb") as file,
        received(file, sha256.hex()) as content,
    ):
        return add_photo(connection, objects, content, sent, now)


def _put(connection: Connection, received: Received, sent: PhotoSent, now: datetime) -> bool:
    name = "".join(letter for letter in sent.original_name if letter.isprintable())
    return put_photo(
        connection,
        {
            "visit_id": sent.visit_id,
            "sha256": received.sha256,
            "size": received.size,
            "media_type": received.header.media_type,
            "original_name": name[:LONGEST_NAME],
            "claimed_at": sent.claimed_at,
            "received_at": now,
            "claimed_sha256": received.claimed_sha256,
            "width": received.header.width,
            "height": received.header.height,
            "capture": sent.capture,
        },
    )


def _keep(objects: Objects, received: Received) -> None:
    """The object is on disk before its row commits, so every row that anybody sees has its photo."""
    try:
        objects.put("originals", received.sha256, received.content)
    except OSError as error:
        raise Refused("photo_store_unavailable") from error


def render(connection: Connection, objects: Objects, decoder: Decoder, sha256: bytes, now: datetime) -> None:
    """Judge one photo, or signature, and keep its clean copies; done already, it changes no copy and no verdict.

    Args:
        connection: in the transaction that settles the obligation.
        objects: holds the original, and gets the copies before the verdict commits.
        decoder: the process that opens pictures.
        sha256: which photo.
        now: when it is judged.

    Raises:
        FileNotFoundError: the original is not in the store; the obligation stays, and somebody must look.
        ChildProcessError: the decoding process did not do its work.
    """
    photo = photo_hashed(connection, sha256, lock=True)
    if photo is None:
        _render_signature(connection, objects, decoder, sha256, now)
        return
    if photo.verdict != "pending":
        return
    verdict: dict[str, object]
    try:
        with objects.at_hand("originals", sha256) as path:
            decoded = decoder.decode(path, photo.media_type)
    except Refused as refused:
        verdict = {"verdict": "refused", "verdict_code": refused.code}
    else:
        objects.put("renditions", sha256, decoded.rendition)
        objects.put("thumbnails", sha256, decoded.thumbnail)
        verdict = {"verdict": "clean"} | _read(connection, photo, decoded)
    judge_photo(connection, sha256, verdict)
    people.record_act(connection, "photo_judged", now, sha256=sha256.hex(), verdict=verdict["verdict"])


def _render_signature(connection: Connection, objects: Objects, decoder: Decoder, sha256: bytes, now: datetime) -> None:
    """A signature has its clean copy or none; it is no evidence of a finding, so nothing waits for its verdict."""
    media_type = signature_type(connection, sha256)
    if media_type is None or objects.has("renditions", sha256):
        return
    verdict = "clean"
    try:
        with objects.at_hand("originals", sha256) as path:
            objects.put("renditions", sha256, decoder.decode(path, media_type).rendition)
    except Refused as refused:
        verdict = refused.code
    people.record_act(connection, "signature_judged", now, sha256=sha256.hex(), verdict=verdict)


def _read(connection: Connection, photo: Photo, decoded: Decoded) -> dict[str, object]:
    """What the photo says of itself, where that contradicts the visit's check-ins, and what it resembles."""
    seen = replace(
        photo,
        exif_lat=decoded.lat,
        exif_lon=decoded.lon,
        exif_taken=f"{decoded.taken}{decoded.offset or ''}" if decoded.taken else None,
        likeness=likeness(decoded.grey),
    )
    claims = replace(claims_of(seen), metadata_damaged=decoded.metadata_damaged)
    flags = [flag.value for flag in photo_flags(claims, checked_in(connection, photo.visit_id))]
    if alike(connection, seen, ALIKE_WITHIN, NEAR):
        flags.append(PhotoFlag.ALIKE.value)
    return {
        "exif_lat": seen.exif_lat,
        "exif_lon": seen.exif_lon,
        "exif_taken": seen.exif_taken,
        "likeness": seen.likeness,
        "flags": list(dict.fromkeys([*photo.flags, *flags])),  # the phone's own record raised the first
    }


def claims_of(photo: Photo) -> Claims:
    """What a judged photo says of itself, and what the page saw when it was taken."""
    position = None
    if photo.exif_lat is not None and photo.exif_lon is not None:
        position = Position(photo.exif_lat, photo.exif_lon)
    taken = photo.exif_taken or ""
    capture = _event(photo.capture or {})
    return Claims(
        position,
        camera_time(taken[:19] or None, taken[19:] or None),
        _moment(capture.get("modified")) or photo.claimed_at,
        PhotoFlag.METADATA_DAMAGED in photo.flags,
        _position(capture.get("fix")),
        _moment(capture.get("ticket_issued_at")),
    )


def checked_in(connection: Connection, visit_id: UUID) -> list[CheckedIn]:
    """A visit's check-ins as photos are held against them."""
    found = ((best_of(seen), seen) for seen in check_ins_of(connection, visit_id))
    return [CheckedIn(best.position if best else None, seen.claimed_at) for best, seen in found]


def _event(capture: Mapping[str, Any]) -> Mapping[str, Any]:
    """The capture as it was chained: `event` is its text, byte by byte, with the phone's chain around it."""
    text = capture.get("event")
    if not isinstance(text, str):
        return capture
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {**capture, **event} if isinstance(event, dict) else {}


def _moment(value: object) -> datetime | None:
    """Milliseconds of a phone as a moment; None for anything else, for a phone may send anything."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return EPOCH + timedelta(milliseconds=value) if 0 <= value < LATEST_MS else None


def _position(fix: object) -> Position | None:
    """[lat, lon, …] of a phone as a position; None for anything else."""
    if not isinstance(fix, list) or len(fix) < 2 or not all(isinstance(part, int | float) for part in fix[:2]):
        return None
    try:
        return Position(float(fix[0]), float(fix[1]))
    except Refused:
        return None
