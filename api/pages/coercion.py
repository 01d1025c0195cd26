"""“有人要求我怎么填”: the respondent's short form, and the office's inbox."""

from math import ceil
from uuid import UUID, uuid4

from flask import Blueprint, current_app, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import coercion
from api.actions.booths import local_day
from api.actions.coercion import HOW, WHO, ReportCap
from api.actions.windows import survey_of_code
from api.auth import allow, allow_anyone, current_staff
from api.pages.desk import evaluation_in_view, number_in_address
from api.pages.inspector_forms import read_words
from api.pages.render import language, page, t
from api.pages.respondent_cookie import Pass, shown_pass
from api.pages.respondent_frame import init_frame
from api.pages.respondent_welcome import frame_of
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import notices
from api.store.notices import Report
from api.store.windows import windows_of
from survey_forms.refusal import Refused

pages = Blueprint("coercion", __name__)
desk = Blueprint("coercion_desk", __name__, url_prefix="/office/reports")
init_frame(pages)

REPORTS_A_PAGE = 50
CAP = "mingcha_report_cap"


@pages.record_once
def _cap_of_the_app(state: object) -> None:
    state.app.extensions[CAP] = ReportCap()  # type: ignore[attr-defined]  # BlueprintSetupState has it


@pages.get("/report")
@allow_anyone
def form() -> Response:
    """Who, how, and what one wants to add; nothing else is asked."""
    with services().database.read() as connection:
        survey_id = _survey_of(connection, shown_pass())
        frame_of(connection, survey_id)
    return _form() if survey_id else _form(Refused("report_needs_code"))


@pages.post("/report")
@allow_anyone
def submit() -> Response:
    """Keep the report; it needs the pass that a code gave, so that no stranger can flood the office."""
    held, day = shown_pass(), local_day(utc_now())
    cap: ReportCap = current_app.extensions[CAP]
    with services().database.read() as connection:
        survey_id = _survey_of(connection, held)
        frame_of(connection, survey_id)
    if survey_id is None:
        return _form(Refused("report_needs_code"))
    who, how = request.form.get("who", ""), request.form.get("how", "")
    try:
        words = _words()
        coercion.check_report(who, how, words)
        cap.take(held.code or held.receipt, day)
        try:
            with services().database.write() as connection:
                coercion.keep_report(connection, Report(uuid4(), survey_id, day, who, how, words))
        except Refused:
            cap.give_back(held.code or held.receipt)
            raise
    except Refused as refused:
        return _form(refused)
    return page("respondent/reported.html")


def _survey_of(connection: Connection, held: Pass) -> int | None:
    """The survey of the pass that came with this request; None without one."""
    if held.code:
        return survey_of_code(connection, services().answering.booths.mac(held.code))
    return held.survey_id


def _words() -> str:
    """What the person wrote; one character too many is refused with the form's other faults."""
    try:
        return read_words(request.form, "words", coercion.LONGEST_WORDS)
    except Refused:
        return request.form["words"]


def _form(refused: Refused | None = None) -> Response:
    faults = refused.faults if refused else ()
    return page(
        "respondent/coercion.html",
        status_of(refused.code) if refused else 200,
        faults=[(fault.path, say(fault, language())) for fault in faults],
        wrong={fault.path: say(fault, language()) for fault in faults},
        ready=refused is None or refused.code != "report_needs_code",
        given=request.form,
        most=coercion.LONGEST_WORDS,
        who_named=who_named(),
        how_named=how_named(),
    )


def who_named() -> dict[str, str]:
    """Who put on the pressure, in the reader's language."""
    words = (
        t("领导", "A superior"),
        t("工作人员", "A member of staff"),
        t("调查员", "An interviewer"),
        t("被评单位的人", "Somebody of a rated unit"),
        t("其他人", "Somebody else"),
    )
    return dict(zip(WHO, words, strict=True))


def how_named() -> dict[str, str]:
    """By which way, in the reader's language."""
    words = (
        t("当面", "In person"),
        t("打电话", "By telephone"),
        t("发微信、短信", "By message"),
        t("其他方式", "In another way"),
    )
    return dict(zip(HOW, words, strict=True))


@desk.get("")
@allow("office")
def inbox() -> Response:
    """What respondents reported: unread first."""
    number = number_in_address("page")
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        total, unread = notices.number_of_reports(connection, evaluation.id)
        last = max(ceil(total / REPORTS_A_PAGE), 1)
        if number > last:
            raise Refused("not_found", "page")
        return page(
            "office/reports.html",
            evaluation=evaluation,
            reports=notices.reports_in(connection, evaluation.id, REPORTS_A_PAGE, REPORTS_A_PAGE * (number - 1)),
            surveys={one.survey_id: one for one in windows_of(connection, evaluation.id)},
            who_named=who_named(),
            how_named=how_named(),
            total=total,
            unread=unread,
            number=number,
            last=last,
        )


@desk.post("/<uuid:report_id>/read")
@allow("office")
def read(report_id: UUID) -> Response:
    """Say that it has been read."""
    with services().database.write() as connection:
        coercion.mark_read(connection, report_id, current_staff().id, utc_now())
    return redirect("/office/reports", 303)
