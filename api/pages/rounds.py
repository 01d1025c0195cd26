"""A round on the office's desk: extend it, freeze it, publish its results; each step says first what it does."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import rounds
from api.actions.opening import missing_to_open, open_round
from api.actions.publication import standing_publication
from api.actions.report import read_report
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.local_time import read_local, write_local
from api.pages.progress import waiting_in
from api.pages.render import language, page
from api.pages.result_facts import moved
from api.problems import say, status_of
from api.services import services, utc_now
from api.store.checkpoints import frozen_ledgers
from api.store.rounds import RoundState, publications_of, round_states
from api.store.survey_setup import maker_of, survey_heads
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_scheme

pages = Blueprint("rounds", __name__, url_prefix="/office/round")

FIELDS = frozenset({"checked", "closes_at", "reason", "correction"})
LONGEST_REASON = 500
WHERE = {
    "findings_undecided": "/office/findings",
    "reversals_undecided": "/office/ledger",
    "deductions_untold": "/office/slips",
    "objection_terms_running": "/office/slips",
    "objections_undecided": "/office/objections",
    "composite_incomplete": "/office/results",
}
"""Where the office sees to what stands before a publication."""

Step = Callable[[Connection, int, int, datetime], None]


@pages.get("")
@allow("office")
def state() -> Response:
    """How each round stands, what its next step does, and the form for it."""
    return _page()


@pages.post("/<int(max=2147483647):round_id>/opening")
@allow("office")
def opening(round_id: int) -> Response:
    """Let answers come in; whoever set the round up cannot."""
    return _take_step(round_id, open_round)


@pages.post("/<int(max=2147483647):round_id>/freeze")
@allow("office")
def freeze(round_id: int) -> Response:
    """Accept no more answers."""
    return _take_step(round_id, rounds.freeze)


@pages.post("/<int(max=2147483647):round_id>/publish")
@allow("office")
def publish(round_id: int) -> Response:
    """Show the units their results."""
    return _take_step(round_id, rounds.publish)


@pages.post("/<int(max=2147483647):round_id>/extension")
@allow("office")
def extend(round_id: int) -> Response:
    """Let the round end later."""
    try:
        reason = read_words(request.form, "reason", LONGEST_REASON)
        with services().database.write() as connection:
            rounds.extend(
                connection, round_id, read_local(request.form, "closes_at"), reason, current_staff().id, utc_now()
            )
    except Refused as refused:
        return _refused(round_id, refused)
    return redirect("/office/round", 303)


@pages.post("/<int(max=2147483647):round_id>/correction")
@allow("office")
def correct(round_id: int) -> Response:
    """Show the units what stands now instead of what was published."""

    def step(connection: Connection, key: int, staff_id: int, now: datetime) -> None:
        reason = read_words(request.form, "correction", LONGEST_REASON)
        rounds.publish_correction(connection, key, reason, staff_id, now)

    return _take_step(round_id, step)


def _take_step(round_id: int, step: Step) -> Response:
    if request.form.get("checked") != "yes":
        return _refused(round_id, Refused("round_unchecked", "checked"))
    try:
        with services().database.write() as connection:
            step(connection, round_id, current_staff().id, utc_now())
    except Refused as refused:
        return _refused(round_id, refused)
    return redirect("/office/round", 303)


def _refused(round_id: int, refused: Refused) -> Response:
    if refused.code in {"not_found", "try_again"}:
        raise refused
    return _page(status_of(refused.code), refused.faults, round_id)


def _page(status: int = 200, faults: tuple[Fault, ...] = (), about: int | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        report = read_report(connection, evaluation)
        standing = standing_publication(connection, evaluation.id)
        shown = [_shown(connection, one, standing) for one in round_states(connection, evaluation.id)]
        waiting = waiting_in(connection, evaluation.id)
    return page(
        "office/round.html",
        status,
        evaluation=evaluation,
        shown=shown,
        waiting=waiting,
        since=report.since,
        moved=moved(report),
        scheme=load_scheme(evaluation.scheme),
        faults=[(f"{fault.path}-{about}" if fault.path in FIELDS else "", say(fault, language())) for fault in faults],
        wrong={f"{fault.path}-{about}": say(fault, language()) for fault in faults if fault.path in FIELDS},
        given=request.form,
        about=about,
        now=utc_now(),
        local=write_local,
    )


def _shown(connection: Connection, one: RoundState, standing: RoundState | None) -> dict[str, Any]:
    """A round with its surveys, who made it, what its next step still lacks, and the history of what it published."""
    missing: list[Fault] = []
    is_standing = standing is not None and standing.id == one.id
    if one.status == "draft":
        missing = missing_to_open(connection, one.id)
    elif one.status == "frozen" or is_standing:
        missing = rounds.missing_to_publish(connection, one, utc_now())
    return {
        "round": one,
        "maker": maker_of(connection, one.id),
        "ledger": frozen_ledgers(connection).get(one.id),
        "surveys": survey_heads(connection, one.id),
        "missing": [(say(fault, language()), WHERE.get(fault.code, "")) for fault in missing],
        "standing": is_standing,
        "history": publications_of(connection, one.id),
    }
