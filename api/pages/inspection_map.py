"""The map of visits and its table: every site with its state, its visits and the points that stand against it."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from api.actions.inspections import CHINA
from api.auth import allow
from api.pages.desk import evaluation_in_view
from api.pages.map_drawing import DEEPEST, SHAPES, View, ground_of, legend, map_drawing, state_words
from api.pages.render import page
from api.services import services, utc_now
from api.store.inspection_overview import sites_shown
from survey_forms.refusal import Refused

pages = Blueprint("inspection_map", __name__, url_prefix="/office")


@pages.get("/inspections/map")
@allow("office")
def map_() -> Response:
    """Show the sites: of one state (`?state=`), and nearer (`?zoom=&x=&y=`) where the address asks."""
    view, state = _view(), request.args.get("state", "")
    today = utc_now().astimezone(CHINA).date()
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        known = sites_shown(connection, evaluation.id, today)
    sites = [one for one in known if state in {"", one.state}]
    ground = ground_of(sites)
    return page(
        "office/map.html",
        evaluation=evaluation,
        here="/office/ledger",
        sites=[(one, ground.view_of(place).asked()) for place, one in enumerate(sites)],
        drawing=map_drawing(sites, ground, view),
        legend=legend(),
        counts=[(one, sum(site.state == one for site in known)) for one in SHAPES],
        state=state,
        view=view,
        deepest=DEEPEST,
        state_words=state_words,
    )


def _view() -> View:
    """The view that the address asks for.

    Raises:
        Refused: `not_found` for one that is none.
    """
    try:
        zoom, x, y = (float(request.args.get(name, "0" if name == "zoom" else "0.5")) for name in ("zoom", "x", "y"))
    except ValueError as error:
        raise Refused("not_found", "zoom") from error
    if zoom not in range(DEEPEST + 1) or not (0 <= x <= 1 and 0 <= y <= 1):
        raise Refused("not_found", "zoom")
    return View(int(zoom), x, y)
