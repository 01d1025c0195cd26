"""How a page is made: the reader's language, the template's helpers, inline assets, headers, and refusals as pages.

Respondent pages carry their style and script inside (one request a page, mobile.md section 2.2); the Content
Security Policy names those by hash, so no other inline script or style can run.
"""

import base64
import logging
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, jsonify, redirect, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from api.auth import API_PREFIX, FORM_TOKEN, caller
from api.catalogue import translated
from api.pages.languages import COOKIE as LANGUAGE_COOKIE
from api.problems import LANGUAGES, say, status_of
from survey_forms.refusal import Fault, Refused

INLINE = ("respondent.css", "respondent.js")
HTTP_CODES = {
    400: "unreadable_request",
    401: "sign_in_first",
    403: "not_yours",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    503: "try_again",
}

log = logging.getLogger(__name__)


def language() -> str:
    """The reader's language: what the address asks, else what was chosen before, else the browser's, else Chinese.

    A respondent's page has settled it by its form's languages (`api/pages/languages.py`).
    """
    if "language" not in g:
        wish = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
        g.language = wish if wish in LANGUAGES else request.accept_languages.best_match(LANGUAGES, default="zh") or "zh"
    return str(g.language)


def t(zh: str, en: str) -> str:
    """The wording in the reader's language; both stand side by side where they are used."""
    known = language()
    return en if known == "en" else zh if known == "zh" else translated(known, zh)


def named(thing: Any) -> str:
    """The name of anything that has `name_zh` and `name_en`, in the reader's language."""
    get = thing.get if isinstance(thing, Mapping) else lambda key: getattr(thing, key)
    return str(get("name_en") if language() == "en" else get("name_zh"))


def page(template: str, status: int = 200, **facts: Any) -> Response:
    """Render a page; it is never cached, for it shows what is true now to the one who asks."""
    response = Response(render_template(template, **facts), status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


@cache
def inline_asset(name: str) -> Markup:
    """The text of a small stylesheet or script that a page carries inside."""
    # The assets are files of ours, not anybody's input.
    return Markup(files("api.pages").joinpath("static", name).read_text(encoding="utf-8"))  # noqa: S704


@cache
def content_security_policy() -> str:
    """No inline code but the assets named by hash, no foreign host at all."""
    hashes = {name: _hash(str(inline_asset(name))) for name in INLINE if _exists(name)}
    style = " ".join(value for name, value in hashes.items() if name.endswith(".css"))
    script = " ".join(value for name, value in hashes.items() if name.endswith(".js"))
    return (
        f"default-src 'none'; style-src 'self' {style}; script-src 'self' {script}; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
        "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )


def _exists(name: str) -> bool:
    return files("api.pages").joinpath("static", name).is_file()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def wants_json() -> bool:
    """Whether the caller talks to the API."""
    return request.path.startswith(API_PREFIX)


def refusal(refused: Refused) -> Response:
    """A refusal as the caller reads it: JSON on the API, a page elsewhere."""
    status = status_of(refused.code)
    if refused.code == "sign_in_first" and _is_browsing():
        response: Response = redirect(f"/login?{urlencode({'next': request.full_path.rstrip('?')})}")
        return response
    if wants_json():
        response = jsonify(refusal_body(refused.faults))
        response.status_code = status
    else:
        response = page("problem.html", status, faults=refused.faults, say=say, code=status)
    if status in {429, 503}:
        response.headers["Retry-After"] = "3"
    if status == 401 and wants_json():
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _is_browsing() -> bool:
    """A person opening a page, as opposed to the API's caller or a script of ours, who need the status itself."""
    mode = request.headers.get("Sec-Fetch-Mode", "navigate")
    return request.method in {"GET", "HEAD"} and mode == "navigate" and not wants_json()


def refusal_body(faults: tuple[Fault, ...]) -> dict[str, Any]:
    """The API's one error shape: the first fault's code, and every fault in both languages."""
    return {
        "code": faults[0].code,
        "errors": [
            {"code": fault.code, "path": fault.path, "zh": say(fault, "zh"), "en": say(fault, "en")} for fault in faults
        ],
    }


def init_app(app: Flask) -> None:
    """Teach the app our helpers, our headers and our way to say no."""
    app.jinja_env.globals.update(
        t=t,
        named=named,
        language=language,
        caller=caller,
        inline_asset=inline_asset,
        FORM_TOKEN=FORM_TOKEN,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_error_handler(Refused, refusal)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_finish)


def _http_error(error: HTTPException) -> Any:
    if error.code is not None and error.code < 400:
        return error
    code = "body_too_large" if isinstance(error, RequestEntityTooLarge) else HTTP_CODES.get(error.code or 500)
    response = refusal(Refused(code or ("internal" if (error.code or 500) >= 500 else "unreadable_request")))
    for name, value in error.get_headers():
        if not name.lower().startswith("content-"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    """The last resort: recorded with its traceback, answered without it. The message never holds a code or answers."""
    log.error("unexpected %s in %s", type(error).__name__, request.endpoint, exc_info=error)
    return refusal(Refused("internal"))


@cache
def _headers() -> tuple[tuple[str, str], ...]:
    """What every answer says, unless its view has said it already."""
    return (
        ("Content-Security-Policy", content_security_policy()),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    )


def _finish(response: Response) -> Response:
    # Not `setdefault`: it makes and catches an exception for each header that is not there.
    said = {name.lower() for name, _ in response.headers}
    response.headers.extend([(name, value) for name, value in _headers() if name.lower() not in said])
    wish = request.args.get("lang")
    if wish in LANGUAGES or wish in g.get("offered", ()):
        response.set_cookie(LANGUAGE_COOKIE, str(wish), max_age=31_536_000, samesite="Lax", httponly=True)
    return response
