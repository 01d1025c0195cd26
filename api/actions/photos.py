"""A photo becomes evidence of a visit: the original is kept first, then its row, and the rendition is owed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from api.actions.inspections import own_visit, refuse_if_closed
from api.evidence.intake import Received
from api.objects import Objects
from api.store import people
from api.store.owed import emit
from api.store.photos import Photo, photo_hashed, put_photo
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
