"""A round on the office's desk: extend it, freeze it, publish its results; each step says first what it does."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import rounds
from api.actions.opening import missing_to_open, open_round
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.local_time import read_local, write_local
from api.pages.progress import waiting_in
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store.rounds import RoundState, round_states
from api.store.survey_setup import maker_of, survey_heads
from survey_forms.refusal import Fault, Refused

pages = Blueprint("rounds", __name__, url_prefix="/office/round")

FIELDS = frozenset({"checked", "closes_at", "reason"})
LONGEST_REASON = 500

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
        shown = [_shown(connection, one) for one in round_states(connection, evaluation.id)]
        waiting = waiting_in(connection, evaluation.id)
    return page(
        "office/round.html",
        status,
        evaluation=evaluation,
        shown=shown,
        waiting=waiting,
        faults=[(f"{fault.path}-{about}" if fault.path in FIELDS else "", say(fault, language())) for fault in faults],
        wrong={f"{fault.path}-{about}": say(fault, language()) for fault in faults if fault.path in FIELDS},
        given=request.form,
        about=about,
        now=utc_now(),
        local=write_local,
    )


def _shown(connection: Connection, one: RoundState) -> dict[str, Any]:
    """A round with its surveys, who made it, and what its next step still lacks."""
    missing: list[Fault] = []
    if one.status == "draft":
        missing = missing_to_open(connection, one.id)
    elif one.status == "frozen":
        missing = rounds.missing_to_publish(connection, one)
    return {
        "round": one,
        "maker": maker_of(connection, one.id),
        "surveys": survey_heads(connection, one.id),
        "missing": [say(fault, language()) for fault in missing],
    }
