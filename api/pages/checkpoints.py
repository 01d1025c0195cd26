"""The office's view of the log: whether it still is what was signed, its checkpoints, and the scores at each."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from api.actions.checkpoints import ask_checkpoint, composite_at, last_look
from api.auth import allow
from api.pages.desk import evaluation_in_view
from api.pages.render import page
from api.problems import say
from api.services import services, utc_now
from api.store import checkpoints, evaluations
from api.store.results import latest_composite
from api.store.rounds import round_states

pages = Blueprint("checkpoints", __name__, url_prefix="/office/ledger/checkpoints")
HERE = "/office/ledger"


@dataclass(frozen=True, slots=True)
class Shown:
    """When the ledger was last computed anew, and in both languages what was wrong with it."""

    at: datetime
    wrong: tuple[str, str] | None


@pages.app_template_global("ledger_look")
def ledger_look() -> Shown | None:
    """What the worker last saw of the ledger, for pages that warn when it was bent."""
    with services().database.read() as connection:
        look = last_look(connection)
    if look is None:
        return None
    return Shown(look.at, (say(look.wrong, "zh"), say(look.wrong, "en")) if look.wrong else None)


@pages.get("")
@allow("office")
def listed() -> Response:
    """Show all checkpoints, the newest first."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        kept = checkpoints.checkpoints(connection)[::-1]
        size = checkpoints.ledger_size(connection)
        rounds = round_states(connection, evaluation.id)
        frozen = checkpoints.frozen_ledgers(connection)
    return page(
        "office/checkpoints.html",
        evaluation=evaluation,
        checkpoints=kept,
        size=size,
        frozen=[(one, frozen[one.id]) for one in rounds if one.id in frozen],
        here=HERE,
    )


@pages.post("")
@allow("office")
def ask() -> Response:
    """Ask the worker for a checkpoint now."""
    with services().database.write() as connection:
        ask_checkpoint(connection, utc_now())
    return redirect(url_for("checkpoints.listed"), 303)


@pages.get("/<int(max=9007199254740991):size>")
@allow("office")
def scores(size: int) -> Response:
    """Show the scores as the ledger stood at a checkpoint, beside those of now."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        past = composite_at(connection, evaluation.id, size)
        units = {unit.code: unit for unit in evaluations.units_of(connection, evaluation.id)}
        latest = latest_composite(connection, evaluation.id)
    now = {row["id"]: row for row in latest.output["units"]} if latest and latest.output else {}
    return page("office/checkpoint_scores.html", evaluation=evaluation, past=past, units=units, now=now, here=HERE)
