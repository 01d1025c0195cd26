"""What everybody may see of a closed sealed ballot: its roots, its counts, its leaves; and where a receipt's box lies.

A receipt is sent in the body of a request, never in an address: addresses are logged and remembered.
"""

import json

from flask import Blueprint, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import ballots
from api.actions.ballots import Inclusion, Trees
from api.auth import allow_anyone
from api.pages.render import page
from api.services import services, utc_now
from api.store import boxes, closings, draws, surveys
from api.store.evaluations import evaluation_numbered
from api.store.windows import Window, window_of
from survey_forms.refusal import Refused
from survey_forms.transparency import HASH_LENGTH

pages = Blueprint("ballots_public", __name__, url_prefix="/ballots/<int(max=2147483647):survey_id>")

LONGEST_RECEIPT = 64
trees = Trees()


@pages.get("")
@allow_anyone
def state(survey_id: int) -> Response:
    """Counts and roots, what they prove, and the form to look a receipt up."""
    return _page(survey_id)


@pages.post("/receipt")
@allow_anyone
def receipt(survey_id: int) -> Response:
    """Whether a receipt's box is among the closed ones."""
    return _page(survey_id, _given())


@pages.post("/receipt.json")
@allow_anyone
def proof(survey_id: int) -> Response:
    """The proof of it as a file."""
    with services().database.read() as connection:
        _sealed(connection, survey_id)
        found = _inclusion(connection, survey_id, _given())
    if found is None:
        raise Refused("receipt_unknown")
    return _file(
        json.dumps(found.as_json(), indent=2).encode() + b"\n", f"receipt-{survey_id}.json", "application/json"
    )


@pages.get("/leaves.txt")
@allow_anyone
def leaves(survey_id: int) -> Response:
    """Every leaf of the tree in its order, a line each; anybody can compute the root from them."""
    with services().database.read() as connection:
        _sealed(connection, survey_id)
        tree = trees.tree(connection, ballots.closing_of(connection, survey_id))
    whole = tree.levels[0].hex()
    width = 2 * HASH_LENGTH
    lines = "".join(f"{whole[at : at + width]}\n" for at in range(0, len(whole), width))
    return _file(lines.encode(), f"leaves-{survey_id}.txt", "text/plain")


@pages.get("/closing.json")
@allow_anyone
def closing(survey_id: int) -> Response:
    """What was published at the close, for programs and witnesses."""
    with services().database.read() as connection:
        _sealed(connection, survey_id)
        closed = ballots.closing_of(connection, survey_id)
        key = boxes.key_of(connection, survey_id)
    told = {
        "survey_id": survey_id,
        "public_key": key.public_key.hex() if key else None,
        "boxes": closed.boxes,
        "counts": closed.counts,
        "merkle_root": closed.merkle_root,
        "box_root": closed.box_root,
        "closed_at": closed.closed_at.isoformat(),
        "result_digest": closed.result_digest,
    }
    return _file(json.dumps(told, indent=2).encode() + b"\n", f"closing-{survey_id}.json", "application/json")


def _page(survey_id: int, receipt: str | None = None) -> Response:
    found: Inclusion | None = None
    with services().database.read() as connection:
        survey = _sealed(connection, survey_id)
        evaluation = evaluation_numbered(connection, survey.evaluation_id)
        closed = closings.closing_of(connection, survey_id)
        strata = surveys.strata_of(connection, survey_id)
        key = boxes.key_of(connection, survey_id)
        drawn = draws.published_frames(connection, survey_id)
        if receipt and closed:
            found = _inclusion(connection, survey_id, receipt)
    return page(
        "ballots/public.html",
        evaluation=evaluation,
        survey=survey,
        closed=closed,
        key=key,
        strata=strata,
        drawn=drawn,
        receipt=receipt,
        found=found,
        is_over=survey.is_over(utc_now()),
    )


def _given() -> str:
    """The receipt in the body, however it was spaced, and no longer than any receipt."""
    return "".join(request.form.get("receipt", "").split())[: LONGEST_RECEIPT + 1]


def _inclusion(connection: Connection, survey_id: int, given: str) -> Inclusion | None:
    """Of the receipt as it was drawn, else as a respondent copies it from the page: with hyphens, in small letters."""
    drawn = trees.inclusion(connection, survey_id, given)
    return drawn or trees.inclusion(connection, survey_id, given.replace("-", "").upper())


def _sealed(connection: Connection, survey_id: int) -> Window:
    """The survey, if it is a sealed one and began.

    Raises:
        Refused: `not_found`.
    """
    window = window_of(connection, survey_id)
    if window is None or window.secrecy != "sealed" or window.round_status == "draft":
        raise Refused("not_found")
    return window


def _file(content: bytes, name: str, mimetype: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
