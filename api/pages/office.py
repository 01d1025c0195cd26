"""The evaluation office's desk: how the round stands, the results with their traces, the survey, the audit."""

from math import ceil
from typing import Any

from flask import Blueprint
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.auth import allow
from api.pages.desk import evaluation_in_view, number_in_address
from api.pages.life_words import matters_in
from api.pages.progress import progress_of, response_chart, sealed_in, waiting_in
from api.pages.render import page
from api.pages.result_facts import result_facts
from api.pages.reviews_shown import missing, reviews
from api.pages.shown import claim_words, flag_words, grade_words, place_words
from api.pages.survey_facts import survey_facts
from api.pages.unit_result import group_chart, office_page
from api.problems import say
from api.services import services, utc_now
from api.store import evaluations, people, results
from api.store.evaluations import Evaluation
from api.store.notices import number_of_reports
from survey_forms.refusal import Refused
from survey_forms.transparency import canonical_json

pages = Blueprint("office", __name__, url_prefix="/office")
pages.add_app_template_global(flag_words)
pages.add_app_template_global(grade_words)
pages.add_app_template_global(place_words)
pages.add_app_template_global(claim_words)

ACTS_A_PAGE = 50


@pages.get("")
@allow("office")
def overview() -> Response:
    """How the round stands, and what to do next."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        groups = progress_of(connection, evaluation)
        return page(
            "office/overview.html",
            evaluation=evaluation,
            others=[one for one in evaluations.evaluations(connection) if one.id != evaluation.id],
            rounds=evaluations.rounds_of(connection, evaluation.id),
            groups=groups,
            sealed=sealed_in(connection, evaluation.id),
            chart=response_chart(groups),
            waiting=waiting_in(connection, evaluation.id),
            matters=matters_in(connection, evaluation.id, utc_now()),
            reports=number_of_reports(connection, evaluation.id),
            now=utc_now(),
            **_computed(connection, evaluation),
        )


@pages.get("/results")
@allow("office")
def results_of_all() -> Response:
    """Every unit's composite with interval, grade with probability, rank as an interval."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        facts = _computed(connection, evaluation)
    return page("office/results.html", evaluation=evaluation, **facts)


@pages.get("/results/<unit_code>")
@allow("office")
def result_of_unit(unit_code: str) -> Response:
    """One unit's score down to articles, answers and ledger entries."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        shown = office_page(connection, evaluation, unit_code)
    return page(
        "office/unit_result.html",
        evaluation=evaluation,
        shown=shown,
        chart=group_chart(shown),
    )


@pages.get("/results/inputs/<digest>")
@allow("office")
def inputs(digest: str) -> Response:
    """The document that a composite was computed from, byte for byte as its digest was taken."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        found = results.composite_called(connection, evaluation.id, digest)
    if found is None:
        raise Refused("not_found")
    response = Response(canonical_json(found.input), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{evaluation.code}-{digest[:12]}.json"'
    return response


@pages.get("/survey")
@allow("office")
def survey() -> Response:
    """Respondent groups, strata, the draw, and the questionnaires in use."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        facts = survey_facts(connection, evaluation)
    return page("office/survey.html", evaluation=evaluation, **facts)


@pages.get("/audit")
@allow("office")
def audit() -> Response:
    """Who did what, the latest first."""
    number = number_in_address("page")
    with services().database.read() as connection:
        last = max(ceil(people.number_of_acts(connection) / ACTS_A_PAGE), 1)
        if number > last:
            raise Refused("not_found", "page")
        return page(
            "office/audit.html",
            evaluation=evaluation_in_view(connection),
            acts=people.acts(connection, ACTS_A_PAGE, ACTS_A_PAGE * (number - 1)),
            number=number,
            last=last,
        )


def _computed(connection: Connection, evaluation: Evaluation) -> dict[str, Any]:
    """The latest composite as it may be shown, and what is missing for one, in sentences."""
    facts = result_facts(connection, evaluation)
    lacking, problems = missing(facts.report)
    return {
        **facts.for_page(),
        "reviews": [] if facts.standings else reviews(connection, facts.report),
        "lacking": lacking,
        "problems": problems,
        "say": say,
    }
