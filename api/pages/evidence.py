"""Photos as they are looked at: clean copies for those concerned, the original as a download for the few, each audited.

Whatever a photo holds, its bytes are never run: the type is ours, sniffing is off, and the page that would show
them is a sandbox without anything allowed (docs/evidence.md). Where the settings name a host for evidence,
the bytes come from there alone, by links that live five minutes.
"""

from flask import Blueprint, current_app, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.auth import allow, allow_anyone, current_staff
from api.evidence.header import EXTENSIONS
from api.evidence.links import check_link, signed_link
from api.pages.render import content_security_policy
from api.services import services, utc_now
from api.store import people
from api.store.crews import is_on_crew
from api.store.inspections import visit_numbered
from api.store.ledger import entered_with
from api.store.people import Staff
from api.store.photos import Photo, photo_hashed
from api.store.signatures import is_signature
from survey_forms.refusal import Refused

pages = Blueprint("evidence", __name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}
COPIES = {
    "rendition": "renditions",
    "thumbnail": "thumbnails",
    "original": "originals",
    "blurred": "blurred",
    "blurred-thumbnail": "blurred_thumbnails",
    "signature": "renditions",
}
"""A copy's name in an address → its area in the store."""


@pages.before_app_request
def keep_hosts_apart() -> None:
    """The host of evidence serves photos and nothing else, and they are served nowhere else."""
    host = services().settings.evidence_host
    is_there = bool(host) and request.host.lower() == host
    if is_there != (request.endpoint == "evidence.seen"):
        raise Refused("not_found")


@pages.after_app_request
def name_host(response: Response) -> Response:
    """Pages may show pictures of the host of evidence."""
    settings = services().settings
    if settings.evidence_host and "Content-Security-Policy" not in response.headers:
        policy = content_security_policy().replace("img-src 'self'", f"img-src 'self' {_origin()}", 1)
        response.headers["Content-Security-Policy"] = policy
    return response


@pages.get("/evidence/<name>/rendition")
@allow("office", "supervisor", "inspector", "unit")
def rendition(name: str) -> Response:
    """Show the clean copy, at most 2,560 pixels a side; units see the covered one where there is one."""
    return _copy(name, "rendition", "blurred")


@pages.get("/evidence/<name>/thumbnail")
@allow("office", "supervisor", "inspector", "unit")
def thumbnail(name: str) -> Response:
    """Show the small copy, at most 320 pixels a side; units see the covered one where there is one."""
    return _copy(name, "thumbnail", "blurred-thumbnail")


@pages.get("/evidence/<name>/blurred")
@allow("office", "supervisor", "inspector", "unit")
def blurred(name: str) -> Response:
    """Show the copy with faces and plates covered, where there is one."""
    return _copy(name, "blurred", "blurred")


@pages.get("/evidence/<name>/signature")
@allow("office", "unit")
def signature(name: str) -> Response:
    """Show the clean copy of a visit's signature, on white: to the office, and to the unit whose entry it stands by."""
    with services().database.read() as connection:
        if not is_signature(connection, _digest(name), current_staff().unit_id):
            raise Refused("not_found")
    if services().settings.evidence_host:
        return _linked(_digest(name).hex(), "signature")
    return _answer(services().objects.get("renditions", _digest(name)), "image/jpeg")


@pages.get("/evidence/<name>/original")
@allow("office", "inspector")
def original(name: str) -> Response:
    """Download the bytes as they came; who did so is recorded."""
    staff = current_staff()
    with services().database.write() as connection:
        photo = _visible(connection, name, staff)
        people.record_act(connection, "original_read", utc_now(), staff.id, sha256=photo.name)
    return _served(photo, "original")


@pages.get("/seen/<name>/<copy>")
@allow_anyone
def seen(name: str, copy: str) -> Response:
    """Show what a signed link is for, on the host of evidence."""
    if copy not in COPIES:
        raise Refused("not_found")
    check_link(services().settings.secret_key, name, copy, request.args, utc_now())
    if copy == "signature":
        return _answer(services().objects.get("renditions", _digest(name)), "image/jpeg")
    with services().database.read() as connection:
        photo = photo_hashed(connection, _digest(name))
    if photo is None:
        raise Refused("not_found")
    return _bytes(photo, copy)


def _copy(name: str, clear: str, covered: str) -> Response:
    staff = current_staff()
    with services().database.read() as connection:
        photo = _visible(connection, name, staff)
    return _served(photo, covered if staff.role == "unit" and photo.blurs else clear)


def _served(photo: Photo, copy: str) -> Response:
    """The bytes, or the way to them on the host of evidence."""
    return _linked(photo.name, copy) if services().settings.evidence_host else _bytes(photo, copy)


def _linked(name: str, copy: str) -> Response:
    link = signed_link(services().settings.secret_key, name, copy, current_staff().id, utc_now())
    response: Response = redirect(_origin() + link)
    response.headers.update(HEADERS)
    return response


def _origin() -> str:
    settings = services().settings
    return f"{settings.base_url.partition('://')[0]}://{settings.evidence_host}"


def _visible(connection: Connection, name: str, staff: Staff) -> Photo:
    """The photo, for the office, its inspectors, and the unit whose ledger names it; for anybody else there is none."""
    photo = photo_hashed(connection, _digest(name))
    if photo is not None:
        if staff.role in {"office", "supervisor"}:
            return photo
        if staff.unit_id is not None and entered_with(connection, photo.sha256, staff.unit_id):
            return photo
        visit = visit_numbered(connection, photo.visit_id)
        if visit is not None and (
            visit.inspector_id == staff.id or is_on_crew(connection, visit.assignment.id, staff.id)
        ):
            return photo
    raise Refused("not_found")


def _digest(name: str) -> bytes:
    try:
        return bytes.fromhex(name)
    except ValueError as error:
        raise Refused("not_found") from error


def _bytes(photo: Photo, copy: str) -> Response:
    key = photo.blurred_key if copy.startswith("blurred") else photo.sha256
    kind = photo.media_type if copy == "original" else "image/jpeg"
    response = _answer(services().objects.get(COPIES[copy], key) if key else None, kind)
    if copy == "original":
        response.headers["Content-Disposition"] = f'attachment; filename="{photo.name}.{EXTENSIONS[kind]}"'
    return response


def _answer(content: bytes | None, kind: str) -> Response:
    """A picture as it is looked at: its type is ours, and nothing in it is run."""
    if content is None:
        raise Refused("not_found")
    response: Response = current_app.response_class(content, mimetype=kind)
    response.headers.update(HEADERS)
    if services().settings.evidence_host:
        response.headers["Cross-Origin-Resource-Policy"] = "same-site"  # the service's pages show it
    return response
