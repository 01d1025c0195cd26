"""The fieldwork plan at the office's desk: modes, hours, spacing, cooling, how often, and what is said first."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from api.actions import fieldwork
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.render import language, page, t
from api.pages.supervisor import MODE_NAMES
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import cases
from api.store.fieldwork import plan_of
from api.store.windows import window_of
from survey_forms.fieldwork.plan import LIMITS, LONGEST_SCRIPT, Plan, modes_in_order
from survey_forms.refusal import Fault, Refused

pages = Blueprint("interviewer_plan", __name__, url_prefix="/office/fieldwork/<int(max=2147483647):survey_id>")

HOURS = frozenset({"calls_from", "calls_until"})
UNREAD = -1
"""A number that could not be read: outside all limits, which the rule refuses by the field's name."""


@pages.get("")
@allow("office")
def state(survey_id: int) -> Response:
    """The plan as it stands and the form to change it."""
    return _page(survey_id)


@pages.post("")
@allow("office")
def save(survey_id: int) -> Response:
    """Write the plan."""
    try:
        with services().database.write() as connection:
            fieldwork.set_plan(connection, survey_id, _plan_sent(), current_staff().id, utc_now())
    except Refused as refused:
        if status_of(refused.code) not in {409, 422}:
            raise
        return _page(survey_id, refused)
    return redirect(f"/office/fieldwork/{survey_id}?saved=1", 303)


@pages.post("/after-web")
@allow("office")
def after_web(survey_id: int) -> Response:
    """Let interviewers reach everybody who has not answered on the web."""
    try:
        with services().database.write() as connection:
            moved = fieldwork.leave_web(connection, survey_id, current_staff().id, utc_now())
    except Refused as refused:
        if status_of(refused.code) not in {409, 422}:
            raise
        return _page(survey_id, refused)
    return redirect(f"/office/fieldwork/{survey_id}?moved={moved}", 303)


def _plan_sent() -> Plan:
    form = request.form
    return Plan(
        modes=modes_in_order(form.getlist("modes")),
        script_zh=form.get("script_zh", "").replace("\r\n", "\n").strip(),
        script_en=form.get("script_en", "").replace("\r\n", "\n").strip(),
        **{name: _minutes(form.get(name, "")) if name in HOURS else _number(form.get(name, "")) for name in LIMITS},
    )


def _number(text: str) -> int:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 7 else UNREAD


def _minutes(text: str) -> int:
    """Minutes after midnight of `21:00`; the day's end may be written 24:00."""
    hours, colon, minutes = text.strip().partition(":")
    found = _number(hours), _number(minutes)
    if not colon or UNREAD in found or found[0] > 24 or found[1] > 59:
        return UNREAD
    return found[0] * 60 + found[1]


def _named(fault: Fault) -> Fault:
    return Fault(
        fault.code, fault.path, {**fault.facts, "mode": t(*MODE_NAMES.get(str(fault.facts.get("mode")), ("", "")))}
    )


def _page(survey_id: int, refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        window = window_of(connection, survey_id)
        if window is None:
            raise Refused("not_found")
        known = plan_of(connection, survey_id)
        stages = cases.numbers_by_stage(connection, survey_id)
        evaluation = evaluation_in_view(connection)
    fields = {*LIMITS, "modes", "script_zh", "script_en"}
    faults = [(one.path if one.path in fields else "", say(_named(one), language()))
              for one in (refused.faults if refused else ())]  # fmt: skip
    return page(
        "interviewer/plan.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        window=window,
        plan=known or Plan(),
        planned=known is not None,
        stages=stages,
        faults=faults,
        wrong=dict(faults),
        given=request.form,
        limits=LIMITS,
        hours=HOURS,
        longest=LONGEST_SCRIPT,
    )
