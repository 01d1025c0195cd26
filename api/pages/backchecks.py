"""The four questions of a back-check, for whoever holds its case; the answers of the interview are asked nowhere."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from api.actions import backchecks
from api.actions.backchecks import LONGEST_MINUTES, Said, shown_to, subjects_of
from api.auth import allow, current_staff
from api.pages.render import language, named, page
from api.pages.survey_in_view import survey_in_view
from api.problems import say, status_of
from api.services import services, utc_now
from survey_forms.refusal import Refused

pages = Blueprint("backchecks", __name__, url_prefix="/backchecks")

FIELDS = {"took_place": "took_place-1", "told_answers": "told_answers-1", "subjects": "subjects-1"}

ABOUT_THE_ANSWERS = frozenset({"backcheck_choice_missing", "backcheck_minutes_unfit", "backcheck_subjects_unfit"})


@pages.get("/<int(max=2147483647):case_id>")
@allow("interviewer", "supervisor")
def questions(case_id: int) -> Response:
    """The questions, to be read out."""
    return _page(case_id)


@pages.post("/<int(max=2147483647):case_id>")
@allow("interviewer", "supervisor")
def answers(case_id: int) -> Response:
    """Write down what the person said; the case is done."""
    try:
        with services().database.write() as connection:
            staff, now = current_staff().id, utc_now()
            known = {unit.code for unit in subjects_of(connection, shown_to(connection, case_id, staff, now))}
            backchecks.write_said(connection, case_id, _said(known), staff, now)
    except Refused as refused:
        if refused.code not in ABOUT_THE_ANSWERS:
            raise
        return _page(case_id, refused)
    return redirect(f"/backchecks/{case_id}", 303)


def _said(known: set[str]) -> Said:
    """What the form says; what is no number of minutes is none that fits."""
    minutes = request.form.get("minutes", "").strip()
    ticked = request.form.getlist("subjects")
    if not set(ticked) <= known:
        raise Refused("backcheck_subjects_unfit", "subjects")
    return Said(
        took_place=request.form.get("took_place", ""),
        day=request.form.get("day", "")[:10],
        minutes=None if not minutes else int(minutes) if minutes.isdecimal() and len(minutes) < 5 else -1,
        subjects=tuple(ticked),
        told_answers=request.form.get("told_answers", ""),
    )


def _page(case_id: int, refused: Refused | None = None) -> Response:
    faults = refused.faults if refused else ()
    with services().database.read() as connection:
        check = shown_to(connection, case_id, current_staff().id, utc_now())
        evaluation, survey = survey_in_view(connection, check.survey_id)
        subjects = [(unit.code, named(unit)) for unit in subjects_of(connection, check)]
    told = [(FIELDS.get(fault.path, fault.path), say(fault, language())) for fault in faults]
    return page(
        "supervisor/backcheck.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        survey=survey,
        check=check,
        subjects=subjects,
        most=LONGEST_MINUTES,
        faults=told,
        wrong={fault.path: say(fault, language()) for fault in faults},
        given=request.form,
        ticked=request.form.getlist("subjects"),
    )
