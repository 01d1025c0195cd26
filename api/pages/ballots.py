"""A sealed survey's ballot box on the office's desk: key, rehearsal, close, boxes out, answers back; each audited."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import ballots, count, keys
from api.auth import allow, current_staff
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import boxes, closings, people, surveys
from api.store.evaluations import evaluation_numbered
from api.store.windows import window_of
from survey_forms.ballot.files import read_answers_file
from survey_forms.refusal import Refused

pages = Blueprint("ballots", __name__, url_prefix="/office/surveys/<int(max=2147483647):survey_id>/ballot")

LARGEST_KEY_FILE = 64 * 1024
FIELDS = frozenset({"key", "proof", "result", "digest"})

Step = Callable[[Connection, int, datetime], object]
"""(connection, who, when)"""


@pages.get("")
@allow("office")
def state(survey_id: int) -> Response:
    """How far the ballot is, and the form for its next step."""
    return _page(survey_id)


@pages.post("/key")
@allow("office")
def add_key(survey_id: int) -> Response:
    """Take the public half of the campaign key."""
    content = _small_file("key")
    return _step(survey_id, lambda connection, who, now: keys.add_key(connection, survey_id, content, who, now))


@pages.post("/tests")
@allow("office")
def tests(survey_id: int) -> Response:
    """Test ballots for the custodians, sealed anew each time."""
    try:
        with services().database.write() as connection:
            content = keys.new_tests(connection, survey_id, current_staff().id, utc_now())
    except Refused as refused:
        return _refused(survey_id, refused)
    return _download(content, f"rehearsal-{survey_id}.json", "application/json")


@pages.post("/rehearsal")
@allow("office")
def rehearse(survey_id: int) -> Response:
    """Compare the custodians' proof."""
    content = _small_file("proof")
    return _step(survey_id, lambda connection, who, now: keys.rehearse(connection, survey_id, content, who, now))


@pages.post("/closing")
@allow("office")
def close(survey_id: int) -> Response:
    """Close the ballot of a survey that has ended."""
    return _step(survey_id, lambda connection, who, now: ballots.close_ballot(connection, survey_id, who, now))


@pages.post("/boxes")
@allow("office")
def export(survey_id: int) -> Response:
    """The sealed boxes for the count, without receipts."""
    try:
        with services().database.write() as connection:
            content = b"".join(ballots.export(connection, survey_id))
            people.record_act(connection, "ballot_exported", utc_now(), current_staff().id, survey=survey_id)
    except Refused as refused:
        return _refused(survey_id, refused)
    return _download(content, f"boxes-{survey_id}.jsonl", "application/jsonl")


@pages.post("/result")
@allow("office")
def load(survey_id: int) -> Response:
    """Take the answers back from the count."""
    given = request.files.get("result")
    digest = request.form.get("digest", "")[:200]

    def loaded(connection: Connection, who: int, now: datetime) -> None:
        result = read_answers_file(given.stream if given else [])
        count.load(connection, survey_id, result, digest, who, now)

    return _step(survey_id, loaded)


def _step(survey_id: int, step: Step) -> Response:
    try:
        with services().database.write() as connection:
            step(connection, current_staff().id, utc_now())
    except Refused as refused:
        return _refused(survey_id, refused)
    return redirect(f"/office/surveys/{survey_id}/ballot", 303)


def _small_file(field: str) -> bytes:
    given = request.files.get(field)
    return given.stream.read(LARGEST_KEY_FILE) if given else b""


def _download(content: bytes, name: str, mimetype: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(survey_id: int, refused: Refused) -> Response:
    if refused.code in {"not_found", "try_again"}:
        raise refused
    return _page(survey_id, refused)


def _page(survey_id: int, refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        window = window_of(connection, survey_id)
        if window is None:
            raise Refused("not_found")
        closed = closings.closing_of(connection, survey_id)
        shown = {
            "evaluation": evaluation_numbered(connection, window.evaluation_id),
            "survey": window,
            "key": boxes.key_of(connection, survey_id),
            "pictures": keys.forms_with_pictures(connection, survey_id),
            "closed": closed,
            "odds": ballots.at_odds(connection, survey_id) if closed is None else [],
            "strata": surveys.strata_of(connection, survey_id),
            "spent": boxes.spent_by_stratum(connection, survey_id),
            "kept": boxes.boxes_by_stratum(connection, survey_id),
        }
    faults = refused.faults if refused else ()
    return page(
        "office/ballot.html",
        status_of(refused.code) if refused else 200,
        faults=[(fault.path if fault.path in FIELDS else "", say(fault, language())) for fault in faults],
        is_over=window.round_status != "draft" and window.is_over(utc_now()),
        **shown,
    )
