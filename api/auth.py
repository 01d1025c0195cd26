"""Who is calling, and whether the route allows it.

Every view says who may call it (`@allow(...)` or `@allow_anyone`); a view that says nothing answers nobody, and a
house test walks all routes. Staff come with a session cookie or, on the API, with a bearer token, never both.
"""

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from api.services import services, utc_now
from api.store import people
from api.store.people import ROLES, Staff
from survey_forms.refusal import Refused

SESSION_COOKIE = "mc_staff"
FORM_TOKEN = "form_token"  # noqa: S105 - the field's name, not a secret
API_PREFIX = "/api/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Compared with when the user name is unknown, so that both answers take the same time.
NOBODY = generate_password_hash(secrets.token_hex(16))

View = TypeVar("View", bound=Callable[..., Any])


def allow(*roles: str) -> Callable[[View], View]:
    """Declare the staff roles that may call a view."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"roles {sorted(unknown) or 'missing'}")

    def mark(view: View) -> View:
        view.__dict__["allowed_roles"] = frozenset(roles)
        return view

    return mark


def allow_anyone(view: View) -> View:
    """Declare a view open to everyone: respondents (who hold a code, not a session) and the public."""
    view.__dict__["allowed_roles"] = frozenset()
    return view


def allowed_roles(app: Flask, endpoint: str, method: str) -> frozenset[str] | None:
    """What the view behind an endpoint declared; None when it declared nothing."""
    view: Any = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        view = getattr(view_class, method.lower() if method != "HEAD" else "get", view)
    found: frozenset[str] | None = getattr(view, "allowed_roles", None)
    return found


def caller() -> Staff | None:
    """The staff member of this request, or None."""
    found: Staff | None = g.get("staff")
    return found


def current_staff() -> Staff:
    """The staff member of this request; the route's `@allow` has made sure there is one."""
    staff = caller()
    if staff is None:
        raise Refused("sign_in_first")
    return staff


def init_app(app: Flask) -> None:
    """Check every request before its view runs."""
    app.before_request(_check)


def _check() -> None:
    if request.endpoint is None or request.endpoint == "static" or request.endpoint.endswith(".static"):
        return
    method = request.method if request.method != "OPTIONS" else "GET"
    roles = allowed_roles(current_app, request.endpoint, method)
    if roles is None:
        raise Refused("not_yours")
    g.staff = _identify()
    if request.method not in SAFE_METHODS:
        _refuse_foreign_origin()
    if not roles:
        return
    staff = current_staff()
    if staff.role not in roles:
        raise Refused("not_yours")
    if request.method not in SAFE_METHODS and not _has_token() and not _form_token_matches(staff):
        raise Refused("foreign_origin")


def _has_token() -> bool:
    return request.path.startswith(API_PREFIX) and request.headers.get("Authorization", "").startswith("Bearer ")


def _identify() -> Staff | None:
    if _has_token():
        token = request.headers["Authorization"].removeprefix("Bearer ").strip()
        with services().database.read() as connection:
            return people.staff_of_token(connection, _digest(token), utc_now())
    cookie = request.cookies.get(SESSION_COOKIE, "")
    if not cookie:
        return None
    now = utc_now()
    with services().database.write() as connection:
        staff = people.staff_of_session(connection, _digest(cookie), now)
        if staff:
            people.touch_session(connection, _digest(cookie), now)
        return staff


def _refuse_foreign_origin() -> None:
    """An unsafe request comes from a page of ours: by Origin, else by Sec-Fetch-Site; a bearer token needs neither."""
    if _has_token():
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin.partition("://")[2] != request.host:
            raise Refused("foreign_origin")
    elif request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refused("foreign_origin")


def _form_token_matches(staff: Staff) -> bool:
    sent = request.headers.get("X-Form-Token") or request.form.get(FORM_TOKEN, "")
    return hmac.compare_digest(sent.encode(), staff.form_token.encode())


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def sign_in(username: str, password: str) -> tuple[Staff, str]:
    """Check a password and begin a session; the cookie's value is returned, only its digest is stored.

    Raises:
        Refused: `wrong_password` for an unknown user, a wrong password or a disabled account alike.
    """
    now = utc_now()
    with services().database.read() as connection:
        found = people.staff_named(connection, username)
    if not check_password_hash(found[1] if found else NOBODY, password) or found is None:
        raise Refused("wrong_password")
    cookie = secrets.token_urlsafe(32)
    with services().database.write() as connection:
        people.open_session(connection, found[0].id, _digest(cookie), secrets.token_urlsafe(24), now)
        people.record_act(connection, "signed_in", now, found[0].id)
    return found[0], cookie


def sign_out(response: Response) -> None:
    """End the session of this request and drop its cookie."""
    cookie = request.cookies.get(SESSION_COOKIE, "")
    with services().database.write() as connection:
        people.close_session(connection, _digest(cookie))
    response.delete_cookie(SESSION_COOKIE)


def set_session_cookie(response: Response, cookie: str) -> None:
    """Send the session cookie: not for scripts, not for other sites, over TLS where the service is."""
    response.set_cookie(
        SESSION_COOKIE, cookie, httponly=True, samesite="Lax", secure=services().settings.secure_cookies
    )
