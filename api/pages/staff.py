"""Signing in and out, and where each role starts."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from api.auth import allow, allow_anyone, caller, set_session_cookie, sign_in, sign_out
from api.pages import phones
from api.pages.render import page
from api.store.people import ROLES
from survey_forms.refusal import Refused

pages = Blueprint("staff", __name__)

HOME = {
    "office": "/office",
    "inspector": "/inspector",
    "supervisor": "/supervisor",
    "interviewer": "/interviewer",
    "bureau": "/bureau",
    "unit": "/unit",
}


@pages.get("/login")
@allow_anyone
def login() -> Response:
    """Show the sign-in form; who is signed in already goes to the start page."""
    staff = caller()
    if staff:
        return redirect(HOME[staff.role])
    return page("login.html", next=_local(request.args.get("next", "")), username="", faults=())


@pages.post("/login")
@allow_anyone
def login_submit() -> Response:
    """Check user name and password."""
    username = request.form.get("username", "").strip()
    target = _local(request.form.get("next", ""))
    try:
        staff, cookie = sign_in(username, request.form.get("password", ""))
    except Refused as refused:
        if refused.code != "wrong_password":
            raise
        return page("login.html", 401, next=target, username=username, faults=refused.faults)
    response = redirect(target or HOME[staff.role])
    set_session_cookie(response, cookie)
    return response


@pages.post("/logout")
@allow(*ROLES)
def logout() -> Response:
    """End the session, and the tokens of the phone on which it was."""
    response = redirect(url_for("staff.login"))
    phones.sign_out(response)
    sign_out(response)
    return response


def _local(target: str) -> str:
    """A path of this site, or nothing: the sign-in page never sends anybody elsewhere."""
    parts = urlsplit(target)
    local = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if local and "\\" not in target and target.isprintable() else ""
