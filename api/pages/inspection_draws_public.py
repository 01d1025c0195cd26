"""What everybody may see of double-random draws: hashes and counts at once, the record with the secret afterwards."""

import json
from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from api.actions.inspection_draws import is_replaced
from api.auth import allow_anyone
from api.pages.render import page
from api.services import services, utc_now
from api.store import acts_about
from api.store import inspection_draws as stored
from api.store.evaluations import evaluation_numbered
from api.store.inspection_draws import HeldDraw
from survey_forms.refusal import Refused

pages = Blueprint("inspection_draws_public", __name__, url_prefix="/inspections/draws")

NUMBER = "<int(max=2147483647):number>"
MOST_SHOWN = 200


@pages.get("")
@allow_anyone
def all_of_them() -> Response:
    """Every committed plan and every draw, the newest first."""
    with services().database.read() as connection:
        found = stored.inspection_draws(connection, MOST_SHOWN)
        shown = [(one, evaluation_numbered(connection, one.evaluation_id), is_replaced(one, found)) for one in found]
    return page("inspections/public_index.html", shown=shown, now=utc_now())


@pages.get(f"/{NUMBER}")
@allow_anyone
def state(number: int) -> Response:
    """One draw: what was committed, when it was drawn, and once it is published who went where."""
    with services().database.read() as connection:
        held = _held(number, stored.draw_numbered(connection, number))
        evaluation = evaluation_numbered(connection, held.evaluation_id)
        refusals = acts_about.of_draw(connection, number, ("inspection_draw_refused",))
    record = held.record or {}
    return page(
        "inspections/public.html",
        held=held,
        evaluation=evaluation,
        refusals=refusals,
        record=record,
        sites={one["id"]: one for one in held.plan["sites"]},
        hands={one["id"]: one for one in held.plan["inspectors"]},
    )


@pages.get(f"/{NUMBER}/record.json")
@allow_anyone
def record(number: int) -> Response:
    """The published record: `mingcha inspections verify` repeats it. Nothing before its last day is over."""
    with services().database.read() as connection:
        held = _held(number, stored.draw_numbered(connection, number))
    if held.record is None:
        raise Refused("not_found")
    return _json(held.record, f"inspection-draw-{number}.json")


def _held(number: int, found: HeldDraw | None) -> HeldDraw:
    if found is None:
        raise Refused("not_found", str(number))
    return found


def _json(value: dict[str, Any], name: str) -> Response:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    response = Response(text.encode(), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
