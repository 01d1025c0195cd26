"""A photo becomes evidence: the original is kept first, then its row; then it is decoded apart and judged."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from api.actions.inspections import own_visit, refuse_if_closed
from api.evidence.decoder import Decoded, Decoder
from api.evidence.intake import Received
from api.objects import Objects
from api.store import people
from api.store.inspections import check_ins_of
from api.store.owed import emit
from api.store.photos import Photo, judge_photo, photo_hashed, put_photo
from survey_forms.inspection.datum import Datum, Position
from survey_forms.inspection.photo_claims import CheckedIn, Claims, camera_time, photo_flags
from survey_forms.refusal import Refused

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class PhotoSent:
    """Whose visit it is for, and the file's name and time on the phone; neither of the latter is believed."""

    visit_id: UUID
    staff_id: int
    original_name: str
    claimed_at: datetime


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
        },
    )


def _keep(objects: Objects, received: Received) -> None:
    """The object is on disk before its row commits, so every row that anybody sees has its photo."""
    try:
        objects.put("originals", received.sha256, received.content)
    except OSError as error:
        raise Refused("photo_store_unavailable") from error


def render(connection: Connection, objects: Objects, decoder: Decoder, sha256: bytes, now: datetime) -> None:
    """Judge one photo and keep its rendition and thumbnail; done already, it changes nothing.

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
    if photo is None or photo.verdict != "pending":
        return
    if not objects.has("originals", sha256):
        raise FileNotFoundError(f"the original of photo {sha256.hex()} is not in the store")
    verdict: dict[str, object]
    try:
        decoded = decoder.decode(objects.path("originals", sha256), photo.media_type)
    except Refused as refused:
        verdict = {"verdict": "refused", "verdict_code": refused.code}
    else:
        objects.put("renditions", sha256, decoded.rendition)
        objects.put("thumbnails", sha256, decoded.thumbnail)
        verdict = {"verdict": "clean"} | _read(connection, photo, decoded)
    judge_photo(connection, sha256, verdict)
    people.record_act(connection, "photo_judged", now, sha256=sha256.hex(), verdict=verdict["verdict"])


def _read(connection: Connection, photo: Photo, decoded: Decoded) -> dict[str, object]:
    """What the photo says of itself, and where that contradicts the visit's check-ins."""
    position = None
    if decoded.lat is not None and decoded.lon is not None:
        position = Position(decoded.lat, decoded.lon)
    claims = Claims(
        position, camera_time(decoded.taken, decoded.offset), photo.claimed_at, decoded.metadata_damaged
    )  # fmt: skip
    check_ins = [
        CheckedIn(
            Position(seen.lat, seen.lon, Datum(seen.datum)) if seen.lat is not None and seen.lon is not None else None,
            seen.claimed_at,
        )
        for seen in check_ins_of(connection, photo.visit_id)
    ]
    return {
        "exif_lat": decoded.lat,
        "exif_lon": decoded.lon,
        "exif_taken": f"{decoded.taken}{decoded.offset or ''}" if decoded.taken else None,
        "flags": [flag.value for flag in photo_flags(claims, check_ins)],
    }
