"""What everybody may see of a draw: hashes, plan, randomness, seed, thresholds; and for whoever knows an id, why.

No id is listed. An id is sent in the body of a request, never in an address: addresses are logged and remembered.
"""

import json
import shlex
from typing import Any

from flask import Blueprint, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.draw_record import LONGEST_ID, Answer, public_record, was_drawn
from api.auth import allow_anyone
from api.pages.render import language, page
from api.problems import say
from api.services import services
from api.store import draws, frames, surveys
from api.store.draws import Committed, Drawn
from api.store.evaluations import evaluation_numbered
from api.store.frames import Frame
from api.store.windows import window_of
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.tickets import LABEL

index = Blueprint("draws_index", __name__)
pages = Blueprint("draws_public", __name__, url_prefix="/draws/<int(max=2147483647):number>")

MOST_SHOWN = 200
UNSAID = {"known": "…", "strata": "…", "form": "…"}
"""Facts that a kept refusal no longer has."""


@index.get("/draws")
@allow_anyone
def all_of_them() -> Response:
    """Every committed plan and every draw, the newest first."""
    with services().database.read() as connection:
        shown = [
            (one, evaluation_numbered(connection, window.evaluation_id), window)
            for one in draws.published(connection, MOST_SHOWN)
            if (window := window_of(connection, one.survey_id))
        ]
    return page("draws/index.html", shown=shown)


@pages.get("")
@allow_anyone
def state(number: int) -> Response:
    """Hashes, plan, randomness and what came of them, and the form to look an id up."""
    return _page(number)


@pages.post("/check")
@allow_anyone
def check(number: int) -> Response:
    """Whether somebody was drawn, and the arithmetic of it."""
    member = "".join(request.form.get("member", "").split())[:LONGEST_ID]
    if not member.isprintable():  # as no frame's line may be; a database would choke on NUL
        raise Refused("draw_member_unfit", "member")
    return _page(number, member)


@pages.get("/record.json")
@allow_anyone
def record(number: int) -> Response:
    """The record for programs and witnesses."""
    with services().database.read() as connection:
        held, plans, found = _public(connection, number)
        told = public_record(connection, held, plans, found)
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    return _file(text, f"draw-{number}.json", "application/json")


@pages.get("/plan.txt")
@allow_anyone
def plan(number: int) -> Response:
    """The canonical text of the plan, byte by byte what its hash is of."""
    with services().database.read() as connection:
        _, plans, _ = _public(connection, number)
    return _file(plans[0].text, f"plan-{number}.txt", "text/plain")


@pages.get("/plan.toml")
@allow_anyone
def plan_as_written(number: int) -> Response:
    """The plan as the office wrote it; what it keeps secret until the draw is told with the draw."""
    with services().database.read() as connection:
        held, plans, found = _public(connection, number)
        source = public_record(connection, held, plans, found)["plan_source"]
    if source is None:
        raise Refused("not_found")
    return _file(source, f"plan-{number}.toml", "text/plain")


def _page(number: int, member: str = "") -> Response:
    answer: Answer | None = None
    with services().database.read() as connection:
        held, plans, found = _public(connection, number)
        told = public_record(connection, held, plans, found)
        window = window_of(connection, held.survey_id)
        if window is None:
            raise Refused("not_found")
        evaluation = evaluation_numbered(connection, window.evaluation_id)
        strata = {one.code: one for one in surveys.strata_of(connection, held.survey_id)}
        others = [one for one in draws.published_frames(connection, held.survey_id) if one != number]
        if member and found:
            answer = was_drawn(connection, found, member)
    return page(
        "draws/public.html",
        evaluation=evaluation,
        survey=window,
        number=number,
        frame=held,
        plan=plans[0],
        earlier=plans[1:],
        drawn=found,
        record=told,
        names=strata,
        others=others,
        refusals=[(one["at"], say(Fault(one["code"], "", UNSAID), language())) for one in told["refused"]],
        member=member,
        answer=answer,
        commands=_commands(told, answer),
    )


def _commands(told: dict[str, Any], answer: Answer | None) -> dict[str, str]:
    """What anybody types to work seed and ticket out."""
    hashes = f"{told['frame_sha256']} {told['plan_sha256']}"
    randomness = shlex.quote(told.get("randomness", "…"))
    commands = {"seed": f"printf '%s\\n' {LABEL} {hashes} {randomness} | sha256sum"}
    if answer and answer.told:
        commands["ticket"] = f"printf %s {shlex.quote(answer.told)} | sha256sum"
    return commands


def _public(connection: Connection, number: int) -> tuple[Frame, list[Committed], Drawn | None]:
    """A frame of which a plan was committed.

    Raises:
        Refused: `not_found`.
    """
    held = frames.frame_numbered(connection, number)
    plans = draws.plans_of(connection, number) if held else []
    if held is None or not plans:
        raise Refused("not_found")
    return held, plans, draws.draw_of(connection, number)


def _file(text: str, name: str, mimetype: str) -> Response:
    response = Response(text.encode(), mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
