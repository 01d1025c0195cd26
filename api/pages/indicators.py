"""Indicator files on the office's desk: hand in, look at what would change, confirm or turn down."""

from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import indicators
from api.actions.indicators import File
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import evaluations
from api.store import indicators as stored
from api.store.evaluations import Evaluation
from api.store.indicators import Batch
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_scheme

pages = Blueprint("indicators", __name__, url_prefix="/office/indicators")

TEMPLATE = "\ufeff单位,指标,得分,扣分,依据\r\n"
"""What a new file begins with; the mark lets Excel see that it is UTF-8."""


@pages.get("")
@allow("office")
def batches() -> Response:
    """The files so far, and the form to hand in another."""
    return _list(())


@pages.post("")
@allow("office")
def file() -> Response:
    """Take a file; its faults are shown by row and nothing is kept unless it has none."""
    try:
        content = _sent_file()
        with services().database.write() as connection:
            evaluation = evaluation_in_view(connection)
            batch_id = indicators.file_batch(connection, evaluation, content, current_staff().id, utc_now())
    except Refused as refused:
        if not refused.code.startswith(("csv_", "file_")):
            raise
        return _list(refused.faults, status_of(refused.code))
    return redirect(f"/office/indicators/{batch_id}", 303)


@pages.get("/template.csv")
@allow("office")
def template() -> Response:
    """An empty file with the headings and a line for everything that the evaluation takes."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        units = evaluations.units_of(connection, evaluation.id)
        accepts = indicators.accepts_of(connection, evaluation, units)
    lines = [f"{unit.code},{path},,,\r\n" for unit in units for path in accepts[unit.class_ or ""].scores]
    response = Response(TEMPLATE + "".join(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{evaluation.code}-indicators.csv"'
    return response


@pages.get("/<int:batch_id>")
@allow("office")
def batch(batch_id: int) -> Response:
    """One file: what it changes, and the decision."""
    return _batch(batch_id, ())


@pages.get("/<int:batch_id>/file")
@allow("office")
def content(batch_id: int) -> Response:
    """The file as it was handed in."""
    with services().database.read() as connection:
        found = _found(connection, batch_id)
    response = Response(found.content, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="indicators-{batch_id}.csv"'
    return response


@pages.post("/<int:batch_id>/decision")
@allow("office")
def decide(batch_id: int) -> Response:
    """A second person confirms the file or turns it down."""
    decision, reason = request.form.get("decision"), request.form.get("reason", "").strip()
    if decision not in {"confirm", "reject"}:
        raise Refused("invalid_fields", "decision")
    try:
        with services().database.write() as connection:
            if decision == "confirm":
                indicators.confirm_batch(connection, batch_id, current_staff().id, utc_now())
            else:
                indicators.reject_batch(connection, batch_id, current_staff().id, reason, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again"}:
            raise
        return _batch(batch_id, refused.faults, status_of(refused.code))
    return redirect(f"/office/indicators/{batch_id}", 303)


def _sent_file() -> File:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Refused("file_missing", "file")
    return File(sent.filename, sent.read())


def _list(faults: tuple[Fault, ...], status: int = 200) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        units = evaluations.units_of(connection, evaluation.id)
        facts = {
            "batches": stored.batches_of(connection, evaluation.id),
            "accepts": indicators.accepts_of(connection, evaluation, units),
            "scheme": load_scheme(evaluation.scheme),
            "units": units,
            "scores": stored.scores_of(connection, evaluation.id),
        }
    return page("office/indicators.html", status, evaluation=evaluation, faults=_told(faults), **facts)


def _batch(batch_id: int, faults: tuple[Fault, ...], status: int = 200) -> Response:
    with services().database.read() as connection:
        found = _found(connection, batch_id)
        evaluation = evaluations.evaluation_numbered(connection, found.evaluation_id)
        changes, broken = _changes(connection, evaluation, found)
    return page(
        "office/indicator_batch.html",
        status,
        evaluation=evaluation,
        batch=found,
        changes=changes,
        faults=_told(faults),
        broken=_told(broken),
        scheme=load_scheme(evaluation.scheme),
        staff_id=current_staff().id,
    )


def _changes(connection: Connection, evaluation: Evaluation, found: Batch) -> tuple[list[Any], tuple[Fault, ...]]:
    """What the file changes; for one that was decided, what it said; or why it can no longer be confirmed."""
    if found.status != "filed":
        return indicators.rows_of(connection, evaluation, found.content), ()
    try:
        return indicators.read_file(connection, evaluation, found.content), ()
    except Refused as refused:
        return [], refused.faults


def _found(connection: Connection, batch_id: int) -> Batch:
    found = stored.batch_numbered(connection, batch_id)
    if found is None:
        raise Refused("not_found")
    return found


def _told(faults: tuple[Fault, ...]) -> list[tuple[str, str]]:
    """The faults as the error summary shows them."""
    return [("file" if fault.code.startswith(("csv_", "file_")) else "", say(fault, language())) for fault in faults]
