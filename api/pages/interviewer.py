"""The interviewers' desk: the next case, its card, one key for each outcome, and the way into the questionnaire.

All of it works with the mouse and without script; the script (static/interviewer.js) presses the buttons by key, counts
the seconds, and says every minute that the page is still open.
"""

from datetime import datetime, timedelta

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import fieldwork, interviews
from api.actions.attempts import Position, Sent
from api.actions.fieldwork import Wish
from api.auth import allow, current_staff
from api.pages import interviewer_shown as shown
from api.pages.local_time import read_local
from api.pages.render import page
from api.pages.respondent_cookie import Pass, hand_pass, shown_pass, take_pass
from api.problems import status_of
from api.services import services, utc_now
from api.store import cases
from api.store.backchecks import check_of
from api.store.cases import File
from api.store.fieldwork import next_bookings
from survey_forms.estimation.outcomes import CODES
from survey_forms.refusal import Fault, Refused

pages = Blueprint("interviewer", __name__, url_prefix="/interviewer")
pages.after_request(shown.remember_survey)

HOME = {"phone": "/interviewer", "visit": "/interviewer/visits"}
MINUTES = (15, 30, 60, 120, 240)
ABOUT_THE_FORM = frozenset({409, 422})
CASE = "/cases/<int(max=2147483647):case_id>"


@pages.get("")
@allow("interviewer", "supervisor")
def desk() -> Response:
    """Show the case in hand, or what there is to do; a case that has answered meanwhile is closed first."""
    return _desk()


@pages.post("/next")
@allow("interviewer", "supervisor")
def take() -> Response:
    """Take the next case."""
    stage = "visit" if request.form.get("stage") == "visit" else "phone"
    try:
        with services().database.write() as connection:
            found = fieldwork.take(connection, _survey_sent(), stage, current_staff().id, utc_now())
    except Refused as refused:
        return _desk_or_visits(stage, refused)
    return redirect(HOME[stage] if found else f"{HOME[stage]}?none=1", 303)


@pages.get("/visits")
@allow("interviewer", "supervisor")
def visits() -> Response:
    """Show the visits in hand."""
    return _visits()


@pages.get("/visits/<int(max=2147483647):case_id>")
@allow("interviewer", "supervisor")
def visit(case_id: int) -> Response:
    """Show one of them."""
    return _visit(case_id)


@pages.post(f"{CASE}/outcome")
@allow("interviewer", "supervisor")
def outcome(case_id: int) -> Response:
    """Write what came of an attempt, and give the case back."""
    now, staff = utc_now(), current_staff().id
    try:
        with services().database.write() as connection:
            code = _interview_here(connection, case_id)
            stage = _stage_of(connection, case_id)
            found = fieldwork.record(connection, _sent(case_id), staff, now)
            _forget(connection, code)
    except Refused as refused:
        return _again(case_id, refused)
    return _put_down(redirect(f"{HOME[stage]}?done={found.outcome}", 303), code)


@pages.post(f"{CASE}/appointment")
@allow("interviewer", "supervisor")
def appointment(case_id: int) -> Response:
    """Make an appointment, and give the case back until then."""
    now, staff = utc_now(), current_staff().id
    begins, minutes = read_local(request.form, "begins_at"), request.form.get("minutes", "")
    lasts = timedelta(minutes=int(minutes) if minutes in map(str, MINUTES) else 0)
    own, note = request.form.get("own") == "yes", request.form.get("note", "").strip()
    wish = Wish(request.form.get("key", ""), case_id, begins, begins + lasts, own=own, note=note)
    try:
        with services().database.write() as connection:
            code = _interview_here(connection, case_id)
            stage = _stage_of(connection, case_id)
            fieldwork.appoint(connection, wish, staff, now)
            _forget(connection, code)
    except Refused as refused:
        return _again(case_id, refused)
    return _put_down(redirect(f"{HOME[stage]}?done=2.30", 303), code)


@pages.post(f"{CASE}/interview")
@allow("interviewer", "supervisor")
def interview(case_id: int) -> Response:
    """Begin an interview: the respondent's own pages open in this browser under a code of its own."""
    now, pepper = utc_now(), services().settings.pepper
    answers = {name.removeprefix("ask-"): value for name, value in request.form.items() if name.startswith("ask-")}
    try:
        with services().database.write() as connection:
            stage = _stage_of(connection, case_id)
            if check_of(connection, case_id):
                return redirect(f"/backchecks/{case_id}", 303)
            begun = interviews.begin(connection, pepper, case_id, answers, current_staff().id, now)
    except Refused as refused:
        return _again(case_id, refused)
    if isinstance(begun, str):
        return redirect(f"{HOME[stage]}?done={'4.80' if begun == 'full' else '1.1'}", 303)
    response = redirect("/survey", 303)
    hand_pass(response, Pass(code=services().answering.booths.canonical(begun.typed)))
    return response


@pages.post(f"{CASE}/return")
@allow("interviewer", "supervisor")
def give_back(case_id: int) -> Response:
    """Give a case back untried."""
    with services().database.write() as connection:
        code = _interview_here(connection, case_id)
        stage = _stage_of(connection, case_id)
        fieldwork.hand_back(connection, case_id, current_staff().id, utc_now())
        _forget(connection, code)
    return _put_down(redirect(HOME[stage], 303), code)


@pages.post(f"{CASE}/alive")
@allow("interviewer", "supervisor")
def alive(case_id: int) -> Response:
    """The page that holds a case is still open."""
    with services().database.write() as connection:
        fieldwork.beat(connection, case_id, current_staff().id, utc_now())
    return Response(status=204)


@pages.get("/return")
@allow("interviewer", "supervisor")
def back() -> Response:
    """From the questionnaire back to where the interview was begun; its answer closes the case there."""
    now, staff = utc_now(), current_staff().id
    with services().database.read() as connection:
        held = [one for stage in HOME for one in cases.held_files(connection, staff, stage, now) if one.interview]
    response = redirect(HOME[held[-1].stage] if held else HOME["phone"], 303)
    if shown_pass().receipt:
        take_pass(response)
    return response


def _desk_or_visits(stage: str, refused: Refused) -> Response:
    if status_of(refused.code) not in ABOUT_THE_FORM:
        raise refused
    return _visits(refused) if stage == "visit" else _desk(refused)


def _again(case_id: int, refused: Refused) -> Response:
    """The page that the form came from, with what is wrong and everything that was filled in."""
    with services().database.read() as connection:
        stage = _stage_of(connection, case_id)
    if stage == "visit" and refused.code != "case_not_held" and status_of(refused.code) in ABOUT_THE_FORM:
        return _visit(case_id, refused)
    return _desk_or_visits(stage, refused)


def _desk(refused: Refused | None = None) -> Response:
    now, staff = utc_now(), current_staff().id
    with services().database.write() as connection:
        held, finished = _held(connection, "phone", staff, now)
        window, windows = shown.survey_in_hand(connection, held, now)
        facts = shown.case_facts(connection, held[0], staff, now) if held else {}
        bookings = next_bookings(connection, window.survey_id, staff, now, shown.MOST_APPOINTMENTS) if window else []
        return _page(
            "interviewer/desk.html",
            refused,
            finished,
            evaluation=shown.evaluation_of(connection, window),
            window=window,
            windows=windows,
            stages=cases.numbers_by_stage(connection, window.survey_id) if window else {},
            today=shown.numbers_of_today(connection, staff, now),
            appointments=bookings,
            now=now,
            **facts,
        )


def _visits(refused: Refused | None = None) -> Response:
    now, staff = utc_now(), current_staff().id
    with services().database.write() as connection:
        held, finished = _held(connection, "visit", staff, now)
        window, windows = shown.survey_in_hand(connection, held, now)
        return _page(
            "interviewer/visits.html",
            refused,
            finished,
            evaluation=shown.evaluation_of(connection, window),
            held=held,
            window=window,
            windows=windows,
            today=shown.numbers_of_today(connection, staff, now),
        )


def _visit(case_id: int, refused: Refused | None = None) -> Response:
    now, staff = utc_now(), current_staff().id
    with services().database.write() as connection:
        held, finished = _held(connection, "visit", staff, now)
        mine = next((one for one in held if one.case_id == case_id), None)
        if mine is None:
            return redirect(f"{HOME['visit']}?done={finished}" if finished else HOME["visit"], 303)
        return _page(
            "interviewer/visit.html", refused, finished, now=now, **shown.case_facts(connection, mine, staff, now)
        )


def _page(template: str, refused: Refused | None, finished: str, **facts: object) -> Response:
    faults = shown.told(refused.faults) if refused else []
    done = finished or request.args.get("done", "")
    return page(
        template,
        status_of(refused.code) if refused else 200,
        faults=faults,
        wrong=dict(faults),
        given=request.form,
        done=done if done in CODES else "",
        nobody="none" in request.args,
        name_of=shown.name_of,
        trait_name=shown.trait_name,
        minutes=MINUTES,
        **facts,
    )


def _held(connection: Connection, stage: str, staff_id: int, now: datetime) -> tuple[list[File], str]:
    """What somebody has in hand, and `1.1` where a case among it has answered and was closed just now."""
    held, finished = [], ""
    for one in cases.held_files(connection, staff_id, stage, now):
        file = cases.hold_file(connection, one.case_id)
        if file is not None and interviews.noticed(connection, file, now):
            finished = "1.1"
        else:
            held.append(one)
    return held, finished


def _stage_of(connection: Connection, case_id: int) -> str:
    file = cases.file_of(connection, case_id)
    return "visit" if file is not None and file.stage == "visit" else "phone"


def _interview_here(connection: Connection, case_id: int) -> str:
    """The code of the case's interview if this browser has it."""
    code, file, booths = shown_pass().code, cases.file_of(connection, case_id), services().answering.booths
    return code if code and file is not None and file.interview == booths.mac(code) else ""


def _forget(connection: Connection, code: str) -> None:
    """Delete what was filled in under a code; after the case was settled, as whoever hands in takes both in turn."""
    if code:
        interviews.forget(connection, services().answering.booths.pepper, code)


def _put_down(response: Response, code: str) -> Response:
    if code:
        take_pass(response)
    return response


def _sent(case_id: int) -> Sent:
    """The attempt as the form tells it; a position is sent whole or not at all."""
    form = request.form
    try:
        numbers = [float(form[name]) for name in ("latitude", "longitude", "accuracy") if form.get(name)]
    except ValueError as error:
        raise Refused("attempt_place_unfit", "position") from error
    spot = Position(numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None
    return Sent(form.get("key", ""), case_id, form.get("outcome", ""), form.get("note", "").strip(), spot)


def _survey_sent() -> int:
    sent = request.form.get("survey", "")
    if not (sent.isascii() and sent.isdecimal() and len(sent) < 10):
        raise Refused.of([Fault("fieldwork_unplanned")])
    return int(sent)
