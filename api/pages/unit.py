"""An assessed unit's own page: what was deducted and why, its indicator scores, and after publication its result."""

from flask import Blueprint
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.running_totals import running_totals
from api.auth import allow, current_staff
from api.pages import entry_words, inspection_words
from api.pages.entry_facts import trail_of
from api.pages.ledger_lines import lines_of
from api.pages.render import page
from api.pages.unit_result import group_chart, own_page
from api.services import services, utc_now
from api.store import evaluations, results
from api.store.evaluations import Evaluation, Unit
from api.store.ledger import entries_of
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_catalogue, load_scheme
from survey_forms.transparency import canonical_json

pages = Blueprint("unit", __name__, url_prefix="/unit")
inspection_words.init_pages(pages)
entry_words.init_pages(pages)


@pages.get("")
@allow("unit")
def own_result() -> Response:
    """The unit's own score down to its inputs, or before publication what may be shown of it."""
    with services().database.read() as connection:
        evaluation, unit = _own(connection)
        shown = own_page(connection, evaluation, unit.code)
    return page("unit/result.html", evaluation=evaluation, shown=shown, chart=group_chart(shown))


@pages.get("/inputs/<digest>")
@allow("unit")
def own_inputs(digest: str) -> Response:
    """The unit's part of the document that its composite was computed from: it gives the same composite.

    Ranks need the other units and are not in it; with a hidden cell in it, it is not handed out at all.
    """
    with services().database.read() as connection:
        evaluation, unit = _own(connection)
        found = results.composite_called(connection, evaluation.id, digest)
        shown = own_page(connection, evaluation, unit.code)
    if found is None or not shown.is_open or shown.holds_hidden:
        raise Refused("not_found")
    own = [one for one in found.input["units"] if one["id"] == unit.code]
    response = Response(canonical_json({**found.input, "units": own}), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{unit.code}-{digest[:12]}.json"'
    return response


@pages.get("/entries")
@allow("unit")
def own_entries() -> Response:
    """Every deduction of the unit, and what counts of them."""
    with services().database.read() as connection:
        evaluation, unit = _own(connection)
        entries = entries_of(connection, evaluation.id, unit.id)
    return page(
        "unit/entries.html",
        evaluation=evaluation,
        catalogue=load_catalogue(evaluation.scheme),
        units=[unit],
        totals=running_totals(evaluation, entries),
        lines=lines_of(entries, [unit], []),
    )


@pages.get("/entries/<int(max=9007199254740991):seq>")
@allow("unit")
def own_entry(seq: int) -> Response:
    """One deduction of the unit with its evidence; another unit's is none."""
    with services().database.read() as connection:
        evaluation, unit = _own(connection)
        trail = trail_of(connection, evaluation, seq, utc_now(), unit.id)
    name = load_scheme(evaluation.scheme).zh
    return page("unit/entry.html", evaluation=evaluation, trail=trail, scheme_name=name, here="/unit/entries")


def _own(connection: Connection) -> tuple[Evaluation, Unit]:
    """The caller's unit and the evaluation that it takes part in."""
    unit_id = current_staff().unit_id
    for evaluation in evaluations.evaluations(connection):
        for unit in evaluations.units_of(connection, evaluation.id):
            if unit.id == unit_id:
                return evaluation, unit
    raise Refused("not_found", "unit")
