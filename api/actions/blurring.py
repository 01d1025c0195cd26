"""Faces and plates of bystanders: the office covers them in a second copy; original and clean rendition stay.

Units see the covered copy as soon as there is one. Rectangles drawn later make another copy under another key, so
nothing is overwritten, and the audit tells who covered what and when.
"""

from collections.abc import Sequence
from datetime import datetime
from math import isfinite

from sqlalchemy import Connection

from api.evidence.decoder import Decoder
from api.objects import Objects
from api.store import people
from api.store.photos import Photo, blurred_key, photo_hashed, put_blurs
from survey_forms.refusal import Fault, Refused

MOST_COVERS = 40
PLACES = 4  # decimals of a share: a tenth of a pixel of a rendition

Covers = list[list[float]]
"""[x, y, width, height] of each rectangle, as shares of the picture's width and height."""


def read_covers(rows: Sequence[Sequence[str]]) -> Covers:
    """Rectangles from a form's percentages; rows that are empty are none.

    Raises:
        Refused: `cover_unfit` for each row that is no rectangle inside the picture; `covers_too_many`.
    """
    filled = [(place, row) for place, row in enumerate(rows, 1) if any(text.strip() for text in row)]
    if len(filled) > MOST_COVERS:
        raise Refused("covers_too_many", "covers", most=MOST_COVERS)
    covers, faults = [], []
    for place, row in filled:
        cover = _cover(row)
        if cover is None:
            faults.append(Fault("cover_unfit", f"cover-{place}", {"number": place}))
        else:
            covers.append(cover)
    if faults:
        raise Refused.of(faults)
    return covers


def _cover(row: Sequence[str]) -> list[float] | None:
    try:
        x, y, width, height = (float(text.strip().removesuffix("%")) / 100 for text in row)
    except ValueError:
        return None
    inside = all(isfinite(share) for share in (x, y, width, height)) and min(x, y) >= 0 and min(width, height) > 0
    if not inside or max(x + width, y + height) > 1.0001:  # three decimals of a percentage may add up to more
        return None
    return [round(share, PLACES) for share in (x, y, min(width, 1 - x), min(height, 1 - y))]


def cover(  # noqa: PLR0913, PLR0917 - the photo, the tools, what, who and when
    connection: Connection,
    objects: Objects,
    decoder: Decoder,
    sha256: bytes,
    covers: Covers,
    staff_id: int,
    now: datetime,
) -> Photo:
    """Make the covered copy of a clean photo and show it from now on; no rectangles show the clean one again.

    Raises:
        Refused: `not_found`; `photo_not_clean`; what the decoder refuses.
    """
    photo = photo_hashed(connection, sha256, lock=True)
    if photo is None:
        raise Refused("not_found")
    if photo.verdict != "clean":
        raise Refused("photo_not_clean")
    if covers == (photo.blurs or []):
        return photo
    if covers:
        key = blurred_key(sha256, covers)
        with objects.at_hand("renditions", sha256) as path:
            rendition, thumbnail = decoder.cover(path, covers)
        objects.put("blurred", key, rendition)
        objects.put("blurred_thumbnails", key, thumbnail)
    put_blurs(connection, sha256, covers or None, staff_id, now)
    people.record_act(connection, "photo_blurred", now, staff_id, sha256=sha256.hex(), covers=covers)
    return photo_hashed(connection, sha256) or photo
