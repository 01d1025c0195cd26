"""Who goes out on which day, at the office's desk: make special work, replace an inspector, withdraw; never where."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from uuid import UUID, uuid4

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from api.actions import assignments as verbs
from api.actions.assignments import LEAST_CREW, Work
from api.actions.crew_changes import note_refusal, replace_inspector, withdraw_assignment
from api.auth import allow, current_staff
from api.pages.asked_again import asked_again
from api.pages.desk import evaluation_in_view
from api.pages.field_forms import read_day, read_line, read_whole
from api.pages.inspector_forms import read_uuid
from api.services import services, utc_now
from api.store import acts_about, crews, site_directory
from api.store.assignment_list import assignments_between
from api.store.directories import inspectors
from api.store.inspection_draws import items_of
from survey_forms.inspection.mornings import CHINA, last_opened
from survey_forms.refusal import Refused

pages = Blueprint("assignments", __name__, url_prefix="/office/assignments")

BEFORE, AFTER = timedelta(days=7), timedelta(days=31)
"""The days shown about the one asked for."""


@pages.get("")
@allow("office")
def by_day() -> Response:
    """The assignments of a week ago to a month ahead, or about `?day=`."""
    return _by_day()


@pages.get("/new")
@allow("office")
def new() -> Response:
    """The form for work made by hand."""
    return _new({"kind": "special", "id": str(uuid4())})


@pages.post("/new")
@allow("office")
def make() -> Response:
    """Make special, patrol, third-party or repeated work."""
    form = request.form
    try:
        item = form.get("item", "")
        work = Work(
            site_id=read_whole(form, "site"),
            crew=tuple(dict.fromkeys(read_whole({"crew": one}, "crew") for one in form.getlist("crew") if one)),
            day=read_day(form, "day"),
            kind=form.get("kind", ""),
            announced=form.get("announced") == "yes",
            item_id=read_whole(form, "item") if item else None,
            id=read_uuid(form, "id"),
        )
        with services().database.write() as connection:
            verbs.assign(connection, work, services().settings.secret_key, current_staff().id, utc_now())
    except Refused as refused:
        return _new(form, refused, form.getlist("crew"))
    return redirect(f"/office/assignments?day={work.day.isoformat()}", 303)


@pages.post("/<uuid:assignment_id>/replace")
@allow("office")
def replace(assignment_id: UUID) -> Response:
    """Let the next in line stand in for an inspector."""
    try:
        leaver, reason = read_whole(request.form, "leaver"), read_line(request.form, "reason", 200)
    except Refused as refused:
        return _by_day(refused)
    staff_id, now = current_staff().id, utc_now()
    try:
        with services().database.write() as connection:
            replace_inspector(connection, assignment_id, leaver, reason, services().settings.secret_key, staff_id, now)
    except Refused as refused:
        with services().database.write() as connection:
            note_refusal(connection, assignment_id, leaver, refused.code, staff_id, now)
        return _by_day(refused)
    return redirect(f"/office/assignments#a-{assignment_id}", 303)


@pages.post("/<uuid:assignment_id>/withdraw")
@allow("office")
def withdraw(assignment_id: UUID) -> Response:
    """Withdraw an assignment with a reason, or ask for it where a second person must."""
    try:
        reason = read_line(request.form, "reason", 200)
        with services().database.write() as connection:
            withdraw_assignment(connection, assignment_id, reason, current_staff().id, utc_now())
    except Refused as refused:
        return _by_day(refused)
    return redirect(f"/office/assignments#a-{assignment_id}", 303)


def _by_day(refused: Refused | None = None) -> Response:
    now = utc_now()
    today = now.astimezone(CHINA).date()
    middle = read_day(request.args, "day") if "day" in request.args else today
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        found = assignments_between(connection, evaluation.id, middle - BEFORE, middle + AFTER, today)
        members = crews.crews_of(connection, [one.id for one in found])
        asked = acts_about.withdrawals_asked(connection, [one.id for one in found])
    return asked_again(
        "inspections/assignments.html",
        refused,
        has_fields=False,  # every row has its own
        evaluation=evaluation,
        days=[(day, list(rows)) for day, rows in groupby(found, key=lambda one: one.day)],
        crews=members,
        asked=asked,
        today=today,
        opened=last_opened(now),
        earlier=(middle - AFTER).isoformat(),
        later=(middle + AFTER).isoformat(),
    )


def _new(given: Mapping[str, str], refused: Refused | None = None, crew: list[str] | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        sites = [one for one in site_directory.entries(connection, evaluation.id) if not one.withdrawn]
        hands = [one for one in inspectors(connection) if not one.withdrawn]
        items = [one for one in items_of(connection, evaluation.id) if not one.withdrawn]
    return asked_again(
        "inspections/assignment_new.html",
        refused,
        evaluation=evaluation,
        sites=sites,
        hands=hands,
        items=items,
        kinds=tuple(LEAST_CREW),
        given=given,
        crew=crew or [],
    )
