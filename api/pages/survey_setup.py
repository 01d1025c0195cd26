"""A new survey on the office's desk: its name, window and secrecy, and the sheet that says who answers what."""

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import survey_setup
from api.actions.strata_sheet import COLUMNS
from api.actions.survey_setup import Plan
from api.auth import allow, current_staff
from api.downloads import Sheet, csv_lines
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.local_time import read_local
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import evaluations, surveys
from api.store import survey_setup as stored
from api.store.evaluations import Evaluation
from survey_forms.refusal import Refused

pages = Blueprint("survey_setup", __name__, url_prefix="/office/surveys")

FIELDS = ("name_zh", "name_en", "opens_at", "closes_at", "secrecy", "units_per_respondent", "sheet")


@pages.get("/new")
@allow("office")
def blank() -> Response:
    """The form for a new survey."""
    return _form()


@pages.post("/new")
@allow("office")
def set_up() -> Response:
    """Make the round in draft; all faults of form and sheet are shown at once and nothing is kept."""
    try:
        plan = _plan()
        with services().database.write() as connection:
            evaluation = evaluation_in_view(connection)
            survey_setup.set_up(connection, evaluation, plan, current_staff().id, utc_now())
    except Refused as refused:
        if refused.code in {"no_evaluation", "try_again"}:
            raise
        return _form(refused)
    return redirect("/office/round", 303)


@pages.get("/strata.csv")
@allow("office")
def template() -> Response:
    """The sheet of the newest survey, or an empty one with a line for each component that a survey can feed."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        rows = _rows_of_newest(connection, evaluation) or [
            ["", zh, en, path, "", "", zh, en, ""]
            for path, (zh, en) in survey_setup.surveyable(connection, evaluation).items()
        ]
    response = Response(csv_lines(Sheet("strata", COLUMNS, rows)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{evaluation.code}-strata.csv"'
    return response


def _rows_of_newest(connection: Connection, evaluation: Evaluation) -> list[list[str]]:
    known = surveys.surveys_of(connection, evaluation.id)
    if not known:
        return []
    groups = {one.code: one for one in surveys.groups_of(connection, known[-1])}
    names = {form.version: form.name for form in surveys.forms_of(connection, known[-1])}
    rows = []
    for one in surveys.strata_of(connection, known[-1]):
        group = groups[one.group]
        about = [group.code, group.name_zh, group.name_en, group.component, names[group.form_version]]
        rows.append([*about, one.code, one.name_zh, one.name_en, str(one.population)])
    return rows


def _plan() -> Plan:
    units = request.form.get("units_per_respondent", "").strip()
    sent = request.files.get("sheet")
    return Plan(
        name_zh=read_words(request.form, "name_zh", survey_setup.LONGEST_NAME),
        name_en=read_words(request.form, "name_en", survey_setup.LONGEST_NAME),
        opens_at=read_local(request.form, "opens_at"),
        closes_at=read_local(request.form, "closes_at"),
        secrecy=request.form.get("secrecy", ""),
        random_order=request.form.get("random_order") == "yes",
        # What is no number is none that any evaluation has units for.
        units_per_respondent=None if not units else int(units) if units.isdecimal() and len(units) < 6 else 0,
        sheet=sent.read() if sent else b"",
    )


def _form(refused: Refused | None = None) -> Response:
    faults = refused.faults if refused else ()
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        units = len(evaluations.units_of(connection, evaluation.id))
        forms = stored.newest_forms(connection)
        components = survey_setup.surveyable(connection, evaluation)
    told = [(fault.path if fault.path in FIELDS else "sheet", say(fault, language())) for fault in faults]
    return page(
        "office/survey_new.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        units=units,
        forms=sorted(forms),
        components=components,
        columns=COLUMNS,
        faults=told,
        wrong=dict(reversed(told)),
        given=request.form,
        here="/office/round",
    )
