"""Margins on the office's desk: the totals that residents are raked to, from a sheet, with every fault by row."""

from dataclasses import dataclass

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import margins
from api.actions.margins import COLUMNS
from api.auth import allow, current_staff
from api.downloads import Sheet, Value, csv_lines
from api.pages.desk import evaluation_in_view
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import surveys, weightings
from api.store.evaluations import Evaluation
from api.store.surveys import Group
from survey_forms.refusal import Refused

pages = Blueprint("margins", __name__, url_prefix="/office/margins")


@dataclass(frozen=True, slots=True)
class Known:
    """One trait of a group: its levels with their totals, and the levels that the sample has."""

    group: Group
    population: int
    trait: str
    totals: list[tuple[str, int]]
    levels: list[str]


@pages.get("/<int(max=2147483647):survey_id>")
@allow("office")
def shown(survey_id: int) -> Response:
    """The margins as they stand, and the form for a sheet."""
    return _page(survey_id)


@pages.post("/<int(max=2147483647):survey_id>")
@allow("office")
def upload(survey_id: int) -> Response:
    """Put a sheet in the place of all margins; its faults are shown at once, and then nothing changes."""
    sent = request.files.get("sheet")
    try:
        with services().database.write() as connection:
            evaluation_of(connection, survey_id)
            margins.set_margins(connection, survey_id, sent.read() if sent else b"", current_staff().id, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "no_evaluation"}:
            raise
        return _page(survey_id, refused)
    return redirect(f"/office/margins/{survey_id}", 303)


@pages.get("/<int(max=2147483647):survey_id>/margins.csv")
@allow("office")
def template(survey_id: int) -> Response:
    """The margins as a sheet; where there are none, a line a level of the sample, its total left blank."""
    with services().database.read() as connection:
        evaluation = evaluation_of(connection, survey_id)
        known_rows = weightings.margins_of(connection, survey_id)
        rows: list[list[Value]] = [[one.group, one.trait, one.level, one.total] for one in known_rows]
        if not rows:
            known = margins.levels_of(connection, survey_id)
            rows = [
                [group, trait, level, None]
                for group in sorted(known)
                for trait in sorted(known[group])
                for level in sorted(known[group][trait])
            ]
    response = Response(csv_lines(Sheet("margins", COLUMNS, rows)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{evaluation.code}-margins.csv"'
    return response


def evaluation_of(connection: Connection, survey_id: int) -> Evaluation:
    """The evaluation in view, which the survey must belong to.

    Raises:
        Refused: `not_found`.
    """
    evaluation = evaluation_in_view(connection)
    if survey_id not in surveys.surveys_of(connection, evaluation.id):
        raise Refused("not_found", "survey")
    return evaluation


def _page(survey_id: int, refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_of(connection, survey_id)
        known = _known(connection, survey_id)
    faults = [("sheet", say(fault, language())) for fault in refused.faults] if refused else []
    return page(
        "office/margins.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        survey_id=survey_id,
        known=known,
        columns=COLUMNS,
        faults=faults,
        here="/office/survey",
    )


def _known(connection: Connection, survey_id: int) -> list[Known]:
    populations = margins.populations_of(connection, survey_id)
    levels = margins.levels_of(connection, survey_id)
    given: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for one in weightings.margins_of(connection, survey_id):
        given.setdefault((one.group, one.trait), []).append((one.level, one.total))
    found = []
    for group in surveys.groups_of(connection, survey_id):
        traits = {trait for code, trait in given if code == group.code} | set(levels.get(group.code, ()))
        for trait in sorted(traits):
            in_sample = sorted(levels[group.code].get(trait, ())) if group.code in levels else []
            totals = given.get((group.code, trait), [])
            found.append(Known(group, populations.get(group.code, 0), trait, totals, in_sample))
    return found
