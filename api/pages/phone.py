"""The inspector's phone: an installed page that works for days without a network.

The shell is the same for everybody and holds no secret, so anyone may fetch it; what it shows comes from the API by
the phone's token. All its files lie under an address that names their content (`/inspector/phone/<version>/…`), so
a shell never meets files of another version: the service worker keeps one whole version and changes to the next one.
The files are made beforehand (`phone_bundle.py`).
"""

import base64
import json
import re
from uuid import UUID

from flask import Blueprint, abort, jsonify, make_response, request
from werkzeug.wrappers import Response

from api.actions import devices
from api.auth import allow, allow_anyone, current_staff
from api.pages import phones
from api.pages.phone_bundle import KEPT, SCOPE, made, read, zipped
from api.pages.phone_icon import icon
from api.pages.ui import A_YEAR
from api.services import services, utc_now
from survey_forms.refusal import Fault, Refused

pages = Blueprint("phone", __name__, url_prefix="/inspector/phone")

KINDS = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}
NAMED = {*KEPT, "en.json"}  # the files whose address names the version
ICON_SIZES = (180, 192, 512)
LARGEST_ENROLMENT = 4096
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
NEVER_STALE = "no-cache"  # asked anew each time; answered with 304 when nothing changed


@pages.get("/")
@allow_anyone
def shell() -> Response:
    """Show the shell."""
    return _asked_anew(_file("index.html"))


@pages.get("/sw.js")
@allow_anyone
def worker() -> Response:
    """Show the service worker, which names the version and the files of the shell."""
    return _asked_anew(_file("sw.js"))


@pages.get("/manifest.webmanifest")
@allow_anyone
def manifest() -> Response:
    """Show what the home screen needs to know."""
    base = f"{SCOPE}{made().version}"
    icons = [{"src": f"{base}/mark.svg", "sizes": "any", "type": "image/svg+xml"}] + [
        {"src": f"{base}/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in ICON_SIZES[1:]
        for purpose in ("any", "maskable")
    ]
    facts = {
        "id": SCOPE,
        "name": "明察 · 察访",
        "short_name": "明察",
        "description": "察访核验：任务、签到、照片、问题、签名，断网可用。",
        "lang": "zh-CN",
        "start_url": SCOPE,
        "scope": SCOPE,
        "display": "standalone",
        "theme_color": "#07424b",
        "background_color": "#faf8f4",
        "icons": icons,
    }
    response = make_response(json.dumps(facts, ensure_ascii=False))
    response.mimetype = "application/manifest+json"
    return _asked_anew(response)


@pages.get("/<version>/<name>")
@allow_anyone
def file(version: str, name: str) -> Response:
    """Show one file of the shell; its address names its content, so it is kept for a year."""
    if version != made().version:
        abort(404)
    picture = {f"icon-{size}.png": size for size in ICON_SIZES}.get(name)
    if picture:
        response: Response = make_response(icon(picture))
        response.mimetype = "image/png"
    elif name in NAMED:
        response = _file(name)
    else:
        abort(404)
    response.headers["Cache-Control"] = A_YEAR
    return response


@pages.get("/session")
@allow("inspector")
def session() -> Response:
    """Tell the page who is signed in and the form token that its enrolment needs."""
    staff = current_staff()
    response: Response = jsonify(form_token=staff.form_token, inspector={"id": staff.id, "name": staff.name})
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post("/enrol")
@allow("inspector")
def enrol() -> Response:
    """Enrol this phone: its public key is kept, and it gets a token for its API calls."""
    staff, now = current_staff(), utc_now()
    device, public_key, label = _enrolment()
    with services().database.write() as connection:
        token, expires_at = devices.enrol(connection, staff, device, public_key, label, now)
    response: Response = jsonify(
        token=token,
        expires_at=expires_at.isoformat(),
        device=str(device),
        inspector={"id": staff.id, "name": staff.name},
        server_time=round(now.timestamp() * 1000),
    )
    response.status_code = 201
    phones.remember(response, device)
    response.headers["Cache-Control"] = "no-store"
    return response


def _enrolment() -> tuple[UUID, bytes, str]:
    """What the phone sent: its id, its public key, its name.

    Raises:
        Refused: `invalid_fields`, naming the fields.
    """
    body = request.get_json(silent=True) if (request.content_length or 0) <= LARGEST_ENROLMENT else None
    sent = body if isinstance(body, dict) else {}
    device, key, label = (sent.get(name) for name in ("device", "public_key", "label"))
    faults: list[Fault] = []
    if not (isinstance(device, str) and UUID_SHAPE.fullmatch(device)):
        faults.append(Fault("invalid_fields", "device"))
    try:
        spki = base64.b64decode(key if isinstance(key, str) else "!", validate=True)
    except ValueError:
        faults.append(Fault("invalid_fields", "public_key"))
    if faults:
        raise Refused.of(faults)
    return UUID(device), spki, label if isinstance(label, str) else ""


def _file(name: str) -> Response:
    """A file of the shell in the smallest coding that the client takes."""
    takes = request.accept_encodings
    if takes["br"] > 0:
        coding, content = "br", read(f"{name}.br")
    elif takes["gzip"] > 0:
        coding, content = "gzip", zipped(name)
    else:
        coding, content = "", read(name)
    response = make_response(content)
    response.mimetype = KINDS[name.rpartition(".")[2]]
    response.vary.add("Accept-Encoding")
    if coding:
        response.headers["Content-Encoding"] = coding
    return response


def _asked_anew(response: Response) -> Response:
    response.headers["Cache-Control"] = NEVER_STALE
    response.add_etag()
    return response.make_conditional(request)
