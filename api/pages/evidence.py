"""Photos as they are looked at: clean copies for those concerned, the original as a download for the few, each audited.

Whatever a photo holds, its bytes are never run: the type is ours, sniffing is off, and the page that would show
them is a sandbox without anything allowed (reliability.md section 5).
"""

from flask import Blueprint, current_app
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.auth import allow, current_staff
from api.evidence.header import EXTENSIONS
from api.services import services, utc_now
from api.store import people
from api.store.inspections import visit_numbered
from api.store.ledger import entered_with
from api.store.people import Staff
from api.store.photos import Photo, photo_hashed
from survey_forms.refusal import Refused

pages = Blueprint("evidence", __name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


@pages.get("/evidence/<name>/rendition")
@allow("office", "inspector", "unit")
def rendition(name: str) -> Response:
    """Show the clean copy, at most 2,560 pixels a side."""
    return _copy(name, "renditions")


@pages.get("/evidence/<name>/thumbnail")
@allow("office", "inspector", "unit")
def thumbnail(name: str) -> Response:
    """Show the small copy, at most 320 pixels a side."""
    return _copy(name, "thumbnails")


@pages.get("/evidence/<name>/original")
@allow("office", "inspector")
def original(name: str) -> Response:
    """Download the bytes as they came; who did so is recorded."""
    staff = current_staff()
    with services().database.write() as connection:
        photo = _visible(connection, name, staff)
        people.record_act(connection, "original_read", utc_now(), staff.id, sha256=photo.name)
    response = _bytes("originals", photo, photo.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{photo.name}.{EXTENSIONS[photo.media_type]}"'
    return response


def _copy(name: str, area: str) -> Response:
    with services().database.read() as connection:
        photo = _visible(connection, name, current_staff())
    return _bytes(area, photo, "image/jpeg")


def _visible(connection: Connection, name: str, staff: Staff) -> Photo:
    """The photo, for the office, its inspector, and the unit whose ledger names it; for anybody else there is none."""
    photo = photo_hashed(connection, _digest(name))
    if photo is not None:
        if staff.role == "office":
            return photo
        if staff.unit_id is not None and entered_with(connection, photo.sha256, staff.unit_id):
            return photo
        visit = visit_numbered(connection, photo.visit_id)
        if visit is not None and visit.inspector_id == staff.id:
            return photo
    raise Refused("not_found")


def _digest(name: str) -> bytes:
    try:
        return bytes.fromhex(name)
    except ValueError as error:
        raise Refused("not_found") from error


def _bytes(area: str, photo: Photo, media_type: str) -> Response:
    content = services().objects.get(area, photo.sha256)
    if content is None:
        raise Refused("not_found")
    response = current_app.response_class(content, mimetype=media_type)
    response.headers.update(HEADERS)
    return response
