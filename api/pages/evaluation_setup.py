"""A new evaluation on the office's desk; the first page of an office whose system is still empty."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from api.actions import evaluation_setup
from api.actions.evaluation_setup import COLUMNS, Plan
from api.auth import allow, current_staff
from api.downloads import Sheet, csv_lines
from api.pages.inspector_forms import read_words
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_scheme, scheme_ids

pages = Blueprint("evaluation_setup", __name__, url_prefix="/office/evaluations")

FIELDS = ("scheme", "code", "year", "name_zh", "name_en", "supplied", "units")


@pages.get("/new")
@allow("office")
def blank() -> Response:
    """The form for a new evaluation."""
    return _form()


@pages.post("/new")
@allow("office")
def set_up() -> Response:
    """Make the evaluation; all faults are shown at once and nothing is kept."""
    try:
        plan = _plan()
        with services().database.write() as connection:
            evaluation_setup.set_up(connection, plan, current_staff().id, utc_now())
    except Refused as refused:
        if refused.code == "try_again":
            raise
        return _form(refused)
    return redirect(f"/office?evaluation={plan.code}", 303)


@pages.get("/units.csv")
@allow("office")
def template() -> Response:
    """An empty sheet of units."""
    response = Response(csv_lines(Sheet("units", COLUMNS, [])), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="units.csv"'
    return response


def _plan() -> Plan:
    sent = request.files.get("units")
    year = request.form.get("year", "").strip()
    return Plan(
        scheme=request.form.get("scheme", ""),
        code=request.form.get("code", "").strip(),
        year=int(year) if year.isascii() and year.isdecimal() and len(year) < 6 else 0,
        name_zh=read_words(request.form, "name_zh", evaluation_setup.LONGEST_NAME),
        name_en=read_words(request.form, "name_en", evaluation_setup.LONGEST_NAME),
        supplied=request.form.get("supplied", "").encode("utf-8", "replace"),
        units=sent.read() if sent else b"",
    )


def _form(refused: Refused | None = None) -> Response:
    faults = refused.faults if refused else ()
    schemes = [load_scheme(one) for one in scheme_ids()]
    told = [(_field(fault.path), say(fault, language())) for fault in faults]
    return page(
        "office/evaluation_new.html",
        status_of(refused.code) if refused else 200,
        schemes=schemes,
        choices=[(one.id, one.en if language() == "en" else one.zh) for one in schemes],
        columns=COLUMNS,
        faults=told,
        wrong=dict(reversed(told)),
        given=request.form,
        year=utc_now().year,
    )


def _field(path: str) -> str:
    """The field of the form where a fault is put right: a row's place in the sheet, a path in the supplied values."""
    head = path.partition(".")[0]
    return head if head in FIELDS else "units"
