"""A frame's plan and draw at the office's desk: write the plan, see what it gives, commit it; another person draws."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from api.actions import draws
from api.actions.draws import REFUSALS, Commitment, Looked
from api.actions.reserves import release_next
from api.actions.sealed_words import Safe
from api.auth import allow, current_staff
from api.pages.frame_shown import frame_page
from api.pages.inspector_forms import read_words
from api.pages.local_time import read_local, write_local
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import draws as stored
from api.store import frames, surveys
from api.store.evaluations import evaluation_numbered
from api.store.windows import window_of
from survey_forms.refusal import Refused
from survey_forms.sampling.plan import ORDERS, SELECTIONS

pages = Blueprint("draws", __name__, url_prefix="/office/frames/<int(max=2147483647):number>")

LONGEST_PLAN = 100_000
WHOLE = ("total", "minimum", "cap", "reserve")
FORM_RULES = ("proportional", "equal", "kish")
FIELDS = frozenset({"allocation", *WHOLE, "importance", "selection", "order"})
FIRST = {"allocation": "proportional", "selection": "tickets", "order": "none", "total": "600", "reserve": "50"}


@pages.get("/plan")
@allow("office")
def plan(number: int) -> Response:
    """The form for a plan."""
    return _plan_page(number, FIRST, written(FIRST))


@pages.post("/plan")
@allow("office")
def look_or_commit(number: int) -> Response:
    """Write the plan from the form's fields, see what it gives, or commit it; what is refused is kept and shown."""
    wish = request.form.get("do", "look")
    source = written(request.form) if wish == "write" else request.form.get("source", "")[:LONGEST_PLAN]
    source = source.replace("\r\n", "\n")
    try:
        if wish == "commit":
            _commit(number, source)
            return redirect(f"/office/frames/{number}#plan", 303)
        with services().database.read() as connection:
            looked = draws.look_at_plan(connection, number, source)
    except Refused as refused:
        if wish == "commit" and refused.code in REFUSALS:
            _note(number, refused.code, read_words(request.form, "randomness_source", 2000))
        return _plan_page(number, request.form, source, refused=refused)
    return _plan_page(number, request.form, source, looked)


@pages.post("/draw")
@allow("office")
def draw(number: int) -> Response:
    """Draw by the committed plan; what is refused is kept and shown."""
    randomness = request.form.get("randomness", "").replace("\r\n", "\n").strip()
    staff_id, now = current_staff().id, utc_now()
    if request.form.get("checked") != "yes":
        return frame_page(number, Refused("round_unchecked", "checked"))
    try:
        with services().database.write() as connection:
            safe = Safe(services().settings.secret_key)
            draws.draw_frame(connection, safe, number, randomness, staff_id, now)
    except Refused as refused:
        if refused.code in REFUSALS:
            _note(number, refused.code, randomness)
        return frame_page(number, refused)
    return redirect(f"/office/frames/{number}#draw", 303)


@pages.post("/reserves/<int(max=2147483647):case_id>")
@allow("office")
def release(number: int, case_id: int) -> Response:
    """Let the next reserve take a lost case's place."""
    try:
        with services().database.write() as connection:
            frame = frames.frame_numbered(connection, number)
            release_next(connection, frame.survey_id if frame else 0, case_id, current_staff().id, utc_now())
    except Refused as refused:
        return frame_page(number, refused)
    return redirect(f"/office/frames/{number}#releases", 303)


def _note(number: int, code: str, randomness: str) -> None:
    """Keep a refusal in a transaction of its own: the one that tried is undone."""
    with services().database.write() as connection:
        draws.note_refusal(connection, number, code, randomness, current_staff().id, utc_now())


def written(form: Mapping[str, str]) -> str:
    """The fields of the form as a plan; what is no number is told by the plan's own reading."""
    lines = [f'allocation = "{_word(form.get("allocation", ""))}"']
    lines += [f"{name} = {_number(value)}" for name in WHOLE if (value := form.get(name, "").strip())]
    if form.get("allocation") == "kish":
        lines.append("importance = 1.0")
    selection = form.get("selection", "tickets")
    lines.append(f'selection = "{_word(selection)}"')
    if selection.startswith("systematic"):
        lines.append(f'order = "{_word(form.get("order", ""))}"')
    return "\n".join(lines) + "\n"


def _number(text: str) -> str:
    return str(int(text)) if text.isascii() and text.isdecimal() and len(text) < 12 else f'"{_word(text)}"'


def _word(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() and letter not in '"\\')[:40]


def _commit(number: int, source: str) -> None:
    if request.form.get("checked") != "yes":
        raise Refused("round_unchecked", "checked")
    said = Commitment(
        source,
        read_words(request.form, "randomness_source", 2000),
        read_local(request.form, "known_from"),
        read_words(request.form, "randomness_form", 2000),
    )
    with services().database.write() as connection:
        draws.commit_plan(connection, number, said, current_staff().id, utc_now())


def _plan_page(
    number: int,
    given: Mapping[str, str],
    source: str,
    looked: Looked | None = None,
    refused: Refused | None = None,
) -> Response:
    if refused is not None and refused.code in {"not_found", "try_again"}:
        raise refused
    with services().database.read() as connection:
        frame = frames.frame_numbered(connection, number)
        window = window_of(connection, frame.survey_id) if frame else None
        if frame is None or window is None:
            raise Refused("not_found")
        names = {one.code: one for one in surveys.strata_of(connection, frame.survey_id)}
        plans = stored.plans_of(connection, number)
        evaluation = evaluation_numbered(connection, window.evaluation_id)
    told = [(_field(fault.path), say(fault, language())) for fault in (refused.faults if refused else ())]
    return page(
        "office/draw_plan.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        window=window,
        frame=frame,
        names=names,
        plans=plans,
        source=source,
        looked=looked,
        rules=FORM_RULES,
        selections=SELECTIONS,
        orders=ORDERS,
        earliest=write_local(utc_now() + timedelta(days=1)),
        faults=told,
        wrong=dict(reversed(told)),
        given=given,
        here="/office/frames",
    )


def _field(path: str) -> str:
    """The field that a fault is beside: those of the form when it was written from them, else the plan's text."""
    _, _, key = path.partition(":")
    if not key:
        return path if path in {"checked", "randomness_source", "randomness_form", "known_from"} else "source"
    return key if request.form.get("do") == "write" and key in FIELDS else "source"
