"""Enrolled phones: an inspector's own, and for the office all of them. A lost one is stopped here.

Signing out on a phone ends that phone's tokens: enrolment leaves a cookie with the phone's id, which goes to `/logout`
alone and is worth nothing without the session of the phone's own inspector.
"""

from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from api.actions import devices
from api.auth import allow, current_staff
from api.pages.render import page, t
from api.services import services, utc_now
from api.store.phones import PhoneShown
from api.store.phones import phones as enrolled

pages = Blueprint("phones", __name__)

COOKIE = "mc_phone"
COOKIE_PATH = "/logout"
KINDS = (("iPhone", "iPhone", "iPhone"), ("Android", "安卓手机", "Android phone"), ("", "手机", "Phone"))


@pages.get("/inspector/phones")
@allow("inspector")
def own() -> Response:
    """Show the caller's phones."""
    with services().database.read() as connection:
        return page("inspector/phones.html", phones=enrolled(connection, utc_now(), staff_id=current_staff().id))


@pages.get("/office/phones")
@allow("office")
def all_of_them() -> Response:
    """Show everybody's phones."""
    with services().database.read() as connection:
        return page("office/phones.html", phones=enrolled(connection, utc_now()))


@pages.post("/inspector/phones/<uuid:device_id>")
@allow("inspector")
def end_own(device_id: UUID) -> Response:
    """Take one's own phone out of use."""
    return _ended(device_id, "phones.own")


@pages.post("/office/phones/<uuid:device_id>")
@allow("office")
def end_any(device_id: UUID) -> Response:
    """Take anybody's phone out of use."""
    return _ended(device_id, "phones.all_of_them")


@pages.app_template_filter("phone_kind")
def kind_of(phone: PhoneShown) -> str:
    """What sort of phone it says it is."""
    return next(t(zh, en) for word, zh, en in KINDS if word in phone.label)


@pages.app_template_filter("phone_label")
def label_of(phone: PhoneShown) -> str:
    """What it was called at enrolment; the page of ours sends what the browser says of itself, which is no name."""
    return "" if phone.label.startswith("Mozilla/") else phone.label


def remember(response: Response, device_id: UUID) -> None:
    """Leave the phone's id in its browser, for signing out."""
    life, secure = int(devices.LIFE.total_seconds()), services().settings.secure_cookies
    response.set_cookie(COOKIE, str(device_id), life, path=COOKIE_PATH, httponly=True, samesite="Lax", secure=secure)


def sign_out(response: Response) -> None:
    """End the tokens of the phone that signs out, if it is one."""
    try:
        device_id = UUID(request.cookies.get(COOKIE, ""))
    except ValueError:
        return
    with services().database.write() as connection:
        devices.sign_out(connection, device_id, current_staff(), utc_now())
    response.delete_cookie(COOKIE, path=COOKIE_PATH)


def _ended(device_id: UUID, shown: str) -> Response:
    with services().database.write() as connection:
        devices.end(connection, device_id, current_staff(), utc_now())
    return redirect(url_for(shown), 303)
