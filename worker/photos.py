"""What happens to a photo after it arrived: decoded apart, judged, and its clean copies kept."""

import atexit
from datetime import datetime

from sqlalchemy import Connection

from api.evidence.decoder import Decoded, Decoder
from api.objects import Objects
from api.store import people
from api.store.inspections import check_ins_of
from api.store.photos import Photo, judge_photo, photo_hashed
from survey_forms.inspection.datum import Datum, Position
from survey_forms.inspection.photo_claims import CheckedIn, Claims, camera_time, photo_flags
from survey_forms.refusal import Refused

# One decoding process for all photos of a drain: its start costs more than a small photo.
_decoder = Decoder()
atexit.register(_decoder.close)


def render(connection: Connection, objects: Objects, key: str, now: datetime) -> None:
    """Judge one photo and keep its rendition and thumbnail; done already, it changes nothing.

    Args:
        connection: in the transaction that settles the obligation.
        objects: holds the original, and gets the copies before the verdict commits.
        key: the photo's SHA-256 as hexadecimal.
        now: when it is judged.

    Raises:
        FileNotFoundError: the original is not in the store; the obligation stays, and somebody must look.
        ChildProcessError: the decoding process did not do its work.
    """
    sha256 = bytes.fromhex(key)
    photo = photo_hashed(connection, sha256, lock=True)
    if photo is None or photo.verdict != "pending":
        return
    if not objects.has("originals", sha256):
        raise FileNotFoundError(f"the original of photo {key} is not in the store")
    try:
        decoded = _decoder.decode(objects.path("originals", sha256), photo.media_type)
    except Refused as refused:
        verdict = {"verdict": "refused", "verdict_code": refused.code}
    else:
        objects.put("renditions", sha256, decoded.rendition)
        objects.put("thumbnails", sha256, decoded.thumbnail)
        verdict = {"verdict": "clean"} | _read(connection, photo, decoded)
    judge_photo(connection, sha256, verdict)
    people.record_act(connection, "photo_judged", now, sha256=key, verdict=verdict["verdict"])


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
