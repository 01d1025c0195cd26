"""A survey's window at the office's desk: end it early, let it end later; each says first what it does."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import windows
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.local_time import read_local, write_local
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store.windows import changes_of, windows_of
from survey_forms.refusal import Refused

pages = Blueprint("windows", __name__, url_prefix="/office/windows")

FIELDS = frozenset({"checked", "closes_at", "reason"})
LONGEST_REASON = 500

Act = Callable[[Connection, str, datetime], None]


@pages.get("")
@allow("office")
def state() -> Response:
    """Each survey's window, who changed it, and the forms to change it."""
    return _page()


@pages.post("/<int(max=2147483647):survey_id>/close")
@allow("office")
def close(survey_id: int) -> Response:
    """End a survey early."""
    if request.form.get("checked") != "yes":
        return _page(Refused("window_unchecked", "checked"), survey_id, "close")
    staff = current_staff().id

    def act(connection: Connection, reason: str, now: datetime) -> None:
        windows.close(connection, survey_id, reason, staff, now)

    return _change(survey_id, "close", act)


@pages.post("/<int(max=2147483647):survey_id>/extension")
@allow("office")
def extend(survey_id: int) -> Response:
    """Let a survey end later."""
    staff, until = current_staff().id, read_local(request.form, "closes_at")

    def act(connection: Connection, reason: str, now: datetime) -> None:
        windows.extend(connection, survey_id, until, reason, staff, now)

    return _change(survey_id, "extension", act)


def _change(survey_id: int, step: str, act: Act) -> Response:
    try:
        reason = read_words(request.form, "reason", LONGEST_REASON)
        with services().database.write() as connection:
            act(connection, reason, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again"}:
            raise
        return _page(refused, survey_id, step)
    return redirect("/office/windows", 303)


def _page(refused: Refused | None = None, about: int | None = None, step: str = "") -> Response:
    faults = refused.faults if refused else ()
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        shown = windows_of(connection, evaluation.id)
        changes = changes_of(connection, [one.survey_id for one in shown])
    places = [f"{step}-{fault.path}-{about}" if fault.path in FIELDS else "" for fault in faults]
    named = [(place, say(fault, language())) for place, fault in zip(places, faults, strict=True)]
    return page(
        "office/windows.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        shown=shown,
        changes=changes,
        faults=named,
        wrong=dict(named),
        given=request.form,
        about=f"{step}-{about}",
        now=utc_now(),
        local=write_local,
    )
