"""Double-random draws at the desk: write the plan, commit it; another person draws; counts until all is over."""

from collections import Counter
from collections.abc import Mapping

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import inspection_draws as verbs
from api.actions.inspection_draws import REFUSALS, is_replaced
from api.actions.inspection_items import rate_of
from api.actions.inspection_plan import Said
from api.auth import allow, current_staff
from api.pages.asked_again import asked_again
from api.pages.desk import evaluation_in_view
from api.pages.field_forms import read_day, read_days, read_line, read_whole
from api.pages.local_time import read_local
from api.pages.render import page
from api.services import services, utc_now
from api.store import acts_about, crews, site_directory
from api.store import inspection_draws as stored
from api.store.directories import inspectors
from api.store.evaluations import Evaluation
from api.store.inspection_draws import HeldDraw
from survey_forms.inspection.mornings import CHINA
from survey_forms.refusal import Refused

pages = Blueprint("inspection_draws", __name__, url_prefix="/office/inspections")

NUMBER = "<int(max=2147483647):number>"
MOST_SHOWN = 100
FIRST = {"crew": "2", "a_day": "3", "apart_km": "30", "announced": "no"}
MOST_RAISED = 200


@pages.get("")
@allow("office")
def overview() -> Response:
    """The draws so far, and what the directories hold."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        draws = stored.inspection_draws(connection, MOST_SHOWN, evaluation.id)
        items = {one.id: one for one in stored.items_of(connection, evaluation.id)}
        sites = [one for one in site_directory.entries(connection, evaluation.id) if not one.withdrawn]
        hands = [one for one in inspectors(connection) if one.entered and not one.withdrawn]
    return page(
        "inspections/overview.html",
        evaluation=evaluation,
        draws=[(one, items.get(one.item_id), is_replaced(one, draws)) for one in draws],
        items=[one for one in items.values() if not one.withdrawn],
        risks=Counter(one.risk for one in sites),
        sites=len(sites),
        hands=len(hands),
        now=utc_now(),
    )


@pages.get("/new")
@allow("office")
def new() -> Response:
    """The form for a plan."""
    return _new(FIRST)


@pages.post("/new")
@allow("office")
def commit() -> Response:
    """Commit a plan."""
    try:
        with services().database.write() as connection:
            said = _said(connection, evaluation_in_view(connection))
            key = services().settings.secret_key
            number = verbs.commit(connection, said, key, current_staff().id, utc_now())
    except Refused as refused:
        return _new(request.form, refused)
    return redirect(f"/office/inspections/{number}", 303)


@pages.get(f"/{NUMBER}")
@allow("office")
def draw(number: int) -> Response:
    """One draw: its plan, the form to draw, what goes out on which day; never where."""
    return _draw(number)


@pages.post(f"/{NUMBER}/draw")
@allow("office")
def draw_now(number: int) -> Response:
    """Draw by the randomness that was named; what is refused is kept and shown."""
    randomness = read_line(request.form, "randomness", verbs.LONGEST_RANDOMNESS)
    staff_id, now = current_staff().id, utc_now()
    if request.form.get("checked") != "yes":
        return _draw(number, Refused("round_unchecked", "checked"))
    try:
        with services().database.write() as connection:
            key = services().settings.secret_key
            verbs.draw_inspection(connection, number, randomness, key, staff_id, now)
    except Refused as refused:
        if refused.code in REFUSALS:
            with services().database.write() as connection:
                verbs.note_refusal(connection, number, refused.code, randomness, staff_id, now)
        return _draw(number, refused)
    return redirect(f"/office/inspections/{number}#out", 303)


@pages.post(f"/{NUMBER}/publish")
@allow("office")
def publish(number: int) -> Response:
    """Publish the record now that the last day is over; the worker does it by itself as well."""
    try:
        with services().database.write() as connection:
            verbs.publish(connection, number, services().settings.secret_key, current_staff().id, utc_now())
    except Refused as refused:
        return _draw(number, refused)
    return redirect(f"/inspections/draws/{number}", 303)


def _said(connection: Connection, evaluation: Evaluation) -> Said:
    form = request.form
    if form.get("checked") != "yes":
        raise Refused("round_unchecked", "checked")
    raised = _raised(connection, evaluation, form.get("raised", ""))
    return Said(
        item_id=read_whole(form, "item"),
        title=read_line(form, "title"),
        first_day=read_day(form, "first_day"),
        last_day=read_day(form, "last_day"),
        randomness_source=read_line(form, "randomness_source"),
        known_from=read_local(form, "known_from"),
        randomness_form=read_line(form, "randomness_form"),
        announced=form.get("announced") == "yes",
        crew=read_whole(form, "crew", 2),
        a_day=read_whole(form, "a_day", 3),
        apart_km=read_whole(form, "apart_km", 30),
        without=read_days(form, "without"),
        also=read_days(form, "also"),
        raised=raised,
        raised_rate=_raised_rate(form) if raised else None,
    )


def _raised(connection: Connection, evaluation: Evaluation, text: str) -> dict[int, str]:
    """Sites drawn at another rate, one a line: unit's code/site's code, a blank, the reason."""
    known = {f"{one.unit_code}/{one.called}": one.id for one in site_directory.entries(connection, evaluation.id)}
    found: dict[int, str] = {}
    for line in text.splitlines()[:MOST_RAISED]:
        if line.strip():
            name, _, reason = line.strip().partition(" ")
            if name not in known or not reason.strip():
                raise Refused("inspection_raised_line", "raised", line=line.strip()[:60])
            found[known[name]] = read_line({"reason": reason}, "reason", 150)
    return found


def _raised_rate(form: Mapping[str, str]) -> dict[str, object]:
    rate = rate_of(form.get("raised_share", ""), "0", "")
    if rate is None:
        raise Refused("item_rate", "raised_share", group="raised")
    return rate


def _new(given: Mapping[str, str], refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        items = [one for one in stored.items_of(connection, evaluation.id) if not one.withdrawn]
    return asked_again("inspections/new.html", refused, evaluation=evaluation, items=items, given=given)


def _draw(number: int, refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        held = stored.draw_numbered(connection, number)
        if held is None or held.evaluation_id != evaluation.id:
            raise Refused("not_found")
        rows = crews.rows_of_draw(connection, number)
        committed = acts_about.of_draw(connection, number, ("inspection_plan_committed",))
        drawn = acts_about.of_draw(connection, number, ("inspection_drawn",))
        refusals = acts_about.of_draw(connection, number, ("inspection_draw_refused",))
        others = stored.inspection_draws(connection, MOST_SHOWN, evaluation.id)
    return asked_again(
        "inspections/draw.html",
        refused,
        evaluation=evaluation,
        held=held,
        replaced=is_replaced(held, others),
        groups=Counter(one["group"] for one in held.plan["sites"]),
        days=sorted(Counter(row.day for row in rows).items()),
        begun=sum(row.begun for row in rows),
        withdrawn=sum(row.withdrawn_at is not None for row in rows),
        unreachable=_called(held, committed[0].about.get("unreachable", {}) if committed else {}),
        unsent=drawn[0].about["unsent"] if drawn else {},
        refusals=refusals,
        now=utc_now(),
        over=utc_now().astimezone(CHINA).date() > held.last_day,
        given=request.form,
    )


def _called(held: HeldDraw, unreachable: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The sites that no crew could go to, by reason, as unit and name."""
    sites = {one["id"]: f"{one['unit']} {one['name']}" for one in held.plan["sites"]}
    return {why: [sites[one] for one in ids] for why, ids in unreachable.items()}
