"""The inspector's phone: an installed page that works for days without a network.

The shell is the same for everybody and holds no secret, so anyone may fetch it; what it shows comes from the API by
the phone's token. All its files lie under an address that names their content (`/inspector/phone/<version>/…`), so
a shell never meets files of another version: the service worker keeps one whole version and changes to the next one.
The scripts go out as one file (`phone_bundle.py`).
"""

import base64
import gzip
import json
import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from uuid import UUID

from flask import Blueprint, abort, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response

from api.actions import devices
from api.auth import allow, allow_anyone, current_staff
from api.pages import phones
from api.pages.phone_bundle import KEPT, built, read, squeezed
from api.pages.phone_icon import icon
from api.pages.ui import A_YEAR
from api.services import services, utc_now
from survey_forms.refusal import Fault, Refused

pages = Blueprint("phone", __name__, url_prefix="/inspector/phone")

SCOPE = "/inspector/phone/"
KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "json": "application/json"}
ICON_SIZES = (180, 192, 512)
LARGEST_ENROLMENT = 4096
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
NEVER_STALE = "no-cache"  # asked anew each time; answered with 304 when nothing changed


@pages.get("/")
@allow_anyone
def shell() -> Response:
    """Show the shell."""
    return _text(_shell(), "text/html")


@pages.get("/sw.js")
@allow_anyone
def worker() -> Response:
    """Show the service worker, which names the version and the files of the shell."""
    names = [f"{SCOPE}{version()}/{name}" for name in KEPT]
    facts = f"const VERSION = {json.dumps(version())};\nconst FILES = {json.dumps(names)};\n"
    return _text(facts + squeezed(read("field/sw.js")), "text/javascript")


@pages.get("/manifest.webmanifest")
@allow_anyone
def manifest() -> Response:
    """Show what the home screen needs to know."""
    base = f"{SCOPE}{version()}"
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
        "orientation": "portrait",
        "theme_color": "#07424b",
        "background_color": "#faf8f4",
        "icons": icons,
    }
    return _text(json.dumps(facts, ensure_ascii=False), "application/manifest+json")


@pages.get("/<version_asked>/<name>")
@allow_anyone
def file(version_asked: str, name: str) -> Response:
    """Show one file of the shell; its address names its content, so it is kept for a year."""
    if version_asked != version():
        abort(404)
    picture = {f"icon-{size}.png": size for size in ICON_SIZES}.get(name)
    if picture:
        response: Response = make_response(icon(picture))
        response.mimetype = "image/png"
    elif name in built():
        response = _packed(name)
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


@cache
def version() -> str:
    """The first 12 hex digits of the SHA-256 over everything that the shell consists of."""
    parts = [*built().values(), read("field/sw.js"), _template()]
    return sha256("\0".join(parts).encode()).hexdigest()[:12]


@cache
def _shell() -> str:
    return render_template("inspector/phone.html", base=f"{SCOPE}{version()}")


def _template() -> str:
    return files("api.pages").joinpath("templates", "inspector", "phone.html").read_text(encoding="utf-8")


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


def _packed(name: str) -> Response:
    """A file of the shell, compressed as well as can be, once."""
    takes = request.accept_encodings["gzip"] > 0
    response = make_response(packed(name) if takes else built()[name])
    response.mimetype = KINDS[name.rpartition(".")[2]]
    response.vary.add("Accept-Encoding")
    if takes:
        response.headers["Content-Encoding"] = "gzip"
    return response


@cache
def packed(name: str) -> bytes:
    """A file of the shell as gzip."""
    return gzip.compress(built()[name].encode(), 9, mtime=0)


def _text(text: str, kind: str) -> Response:
    response = make_response(text)
    response.mimetype = kind
    response.headers["Cache-Control"] = NEVER_STALE
    response.add_etag()
    return response.make_conditional(request)
