"""Rectification: the office orders, returns, extends, has it looked at again and closes; a unit proves its own."""

from datetime import date
from typing import Any

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.due import day_of
from api.actions.rectifications import (
    OrderSent,
    ProofSent,
    close,
    extend,
    order,
    prove,
    send_back,
    usual_day,
)
from api.actions.revisits import note_told, order_revisit, revisit_under_way
from api.auth import allow, current_staff
from api.pages import inspection_words, life_words
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.life_words import LONGEST_TEXT, errors_by_field, own_unit, papers_sent
from api.pages.render import page
from api.problems import status_of
from api.services import services, utc_now
from api.store import evaluations
from api.store.crews import row_numbered
from api.store.ledger import entry_numbered
from api.store.papers import Paper, papers_of_rectification
from api.store.rectifications import (
    Rectification,
    rectification_numbered,
    rectification_of,
    rectifications_in,
    rectifications_of,
    steps_of,
)
from api.store.revisits import inspectors_for, places_of
from api.store.slips import slips_about
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_catalogue

pages = Blueprint("rectifications", __name__)
life_words.init_pages(pages)
NUMBER = "<int(max=2147483647):rectification_id>"
SEQ = "<int(max=9007199254740991):seq>"


@pages.get("/unit/rectifications")
@allow("unit")
def own_list() -> Response:
    """What the unit must put right, and did."""
    with services().database.read() as connection:
        evaluation, unit = own_unit(connection)
        found = rectifications_of(connection, unit.id)
        rules = _rules(connection, found)
    facts: dict[str, Any] = {"rectifications": found, "rules": rules, "today": day_of(utc_now())}
    return page("unit/rectifications.html", evaluation=evaluation, catalogue=load_catalogue(evaluation.scheme), **facts)


@pages.get(f"/unit/rectifications/{NUMBER}")
@allow("unit")
def own(rectification_id: int) -> Response:
    """One of the unit's rectifications."""
    return _own_page(rectification_id)


@pages.post(f"/unit/rectifications/{NUMBER}/proof")
@allow("unit")
def hand_in(rectification_id: int) -> Response:
    """Hand in what was put right, with papers."""
    try:
        note = read_words(request.form, "note", LONGEST_TEXT)
        papers = papers_sent()
        with services().database.write() as connection:
            _, unit = own_unit(connection)
            sent = ProofSent(rectification_id, unit.id, current_staff().id, note, papers)
            prove(connection, services().objects, sent, utc_now())
    except Refused as refused:
        return _own_page(rectification_id, status_of(refused.code), refused.faults)
    return redirect(url_for("rectifications.own", rectification_id=rectification_id), 303)


@pages.get("/office/rectifications")
@allow("office")
def open_ones() -> Response:
    """The evaluation's rectifications: overdue first, then what waits."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        found = rectifications_in(connection, evaluation.id)
        rules = _rules(connection, found)
        units = {unit.id: unit for unit in evaluations.units_of(connection, evaluation.id)}
    facts: dict[str, Any] = {"rectifications": found, "rules": rules, "units": units, "today": day_of(utc_now())}
    return page(
        "office/rectifications.html", evaluation=evaluation, catalogue=load_catalogue(evaluation.scheme), **facts
    )


@pages.get(f"/office/entries/{SEQ}/rectification")
@allow("office")
def order_form(seq: int) -> Response:
    """The form that orders a unit to put something right; where that is ordered, the order."""
    with services().database.read() as connection:
        known = rectification_of(connection, seq)
    if known is not None:
        return redirect(url_for("rectifications.one", rectification_id=known.id), 303)
    return _order_page(seq)


@pages.post(f"/office/entries/{SEQ}/rectification")
@allow("office")
def order_it(seq: int) -> Response:
    """Order a unit to put something right."""
    try:
        sent = OrderSent(
            seq,
            current_staff().id,
            read_words(request.form, "demand", LONGEST_TEXT),
            _day("due_on"),
            read_words(request.form, "reason", LONGEST_TEXT),
        )
        with services().database.write() as connection:
            key = order(connection, sent, utc_now())
    except Refused as refused:
        return _order_page(seq, status_of(refused.code), refused.faults)
    return redirect(url_for("rectifications.one", rectification_id=key), 303)


@pages.get(f"/office/rectifications/{NUMBER}")
@allow("office")
def one(rectification_id: int) -> Response:
    """A rectification with its steps and papers, and what can be done about it."""
    return _office_page(rectification_id)


@pages.post(f"/office/rectifications/{NUMBER}/<act>")
@allow("office")
def act_on(rectification_id: int, act: str) -> Response:
    """Return a proof, extend the term, send inspectors again, or close."""
    if act not in _ACTS:
        raise Refused("not_found")
    try:
        with services().database.write() as connection:
            _ACTS[act](connection, rectification_id)
    except Refused as refused:
        if refused.code == "rectification_revisit_open":
            with services().database.write() as connection:
                note_told(connection, rectification_id, services().settings.secret_key, current_staff().id, utc_now())
        return _office_page(rectification_id, status_of(refused.code), refused.faults, act)
    return redirect(url_for("rectifications.one", rectification_id=rectification_id), 303)


def _send_back(connection: Connection, key: int) -> None:
    reason = read_words(request.form, "reason", LONGEST_TEXT)
    send_back(connection, key, current_staff().id, reason, utc_now())


def _extend(connection: Connection, key: int) -> None:
    reason = read_words(request.form, "reason", LONGEST_TEXT)
    due_on = _day("due_on")
    if due_on is None:
        raise Refused("rectification_due_unfit", "due_on")
    extend(connection, key, due_on, reason, current_staff().id, utc_now())


def _revisit(connection: Connection, key: int) -> None:
    day, crew = _day("day"), [int(one) for one in request.form.getlist("crew") if _is_number(one)]
    site = request.form.get("site", "")
    if day is None:
        raise Refused("invalid_fields", "day")
    place = int(site) if _is_number(site) else None
    secret_key = services().settings.secret_key
    order_revisit(connection, key, crew, day, place, secret_key, current_staff().id, utc_now())


def _close(connection: Connection, key: int) -> None:
    note = read_words(request.form, "note", LONGEST_TEXT)
    close(connection, key, services().settings.secret_key, current_staff().id, note, utc_now())


_ACTS = {"return": _send_back, "extension": _extend, "revisit": _revisit, "closing": _close}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _day(name: str) -> date | None:
    """A day of the form; None where it is empty."""
    told = request.form.get(name, "").strip()
    if not told:
        return None
    try:
        return date.fromisoformat(told)
    except ValueError as error:
        raise Refused("rectification_due_unfit", name) from error


def _rules(connection: Connection, found: list[Rectification]) -> dict[int, str]:
    entries = [entry_numbered(connection, one.seq) for one in found]
    return {entry.seq: entry.rule for entry in entries if entry is not None}


def _own_page(rectification_id: int, status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    with services().database.read() as connection:
        evaluation, unit = own_unit(connection)
        found = rectification_numbered(connection, rectification_id)
        if found is None or found.unit_id != unit.id:
            raise Refused("not_found")
        facts = _facts(connection, found)
        facts["steps"] = steps_of(connection, found.id, day_of(utc_now()))
    told = {"faults": inspection_words.told(faults), "errors": errors_by_field(faults), "given": request.form}
    return page("unit/rectification.html", status, evaluation=evaluation, **facts, **told)


def _order_page(seq: int, status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    with services().database.read() as connection:
        entry = entry_numbered(connection, seq)
        if entry is None:
            raise Refused("not_found")
        evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
        unit = next(one for one in evaluations.units_of(connection, evaluation.id) if one.id == entry.unit_id)
        usual = usual_day(connection, entry, utc_now())
    facts = {"entry": entry, "unit": unit, "usual": usual, "catalogue": load_catalogue(evaluation.scheme)}
    told = {"faults": inspection_words.told(faults), "errors": errors_by_field(faults), "given": request.form}
    return page("office/rectification_new.html", status, evaluation=evaluation, **facts, **told)


def _office_page(rectification_id: int, status: int = 200, faults: tuple[Fault, ...] = (), act: str = "") -> Response:
    with services().database.read() as connection:
        found = rectification_numbered(connection, rectification_id)
        if found is None:
            raise Refused("not_found")
        evaluation = evaluations.evaluation_numbered(connection, found.evaluation_id)
        facts = _facts(connection, found)
        facts |= {
            "unit": next(one for one in evaluations.units_of(connection, evaluation.id) if one.id == found.unit_id),
            "inspectors": inspectors_for(connection, found.unit_id),
            "places": places_of(connection, found.unit_id),
            "revisit": _revisit_shown(connection, found),
        }
    told = {"faults": inspection_words.told(faults), "errors": errors_by_field(faults) if act else {}, "act": act}
    return page("office/rectification.html", status, evaluation=evaluation, given=request.form, **facts, **told)


def _revisit_shown(connection: Connection, found: Rectification) -> tuple[date, bool] | None:
    """The day of the last re-inspection, and whether it is over; one under seal only to whoever ordered it."""
    standing = revisit_under_way(connection, services().settings.secret_key, found.id)
    if standing is not None and (standing.site_id is not None or standing.made_by == current_staff().id):
        return standing.day, False
    last = row_numbered(connection, found.assignment_id) if found.assignment_id else None
    return (last.day, True) if last else None


def _facts(connection: Connection, found: Rectification) -> dict[str, Any]:
    papers: dict[int, list[Paper]] = {}
    for paper in papers_of_rectification(connection, found.id):
        papers.setdefault(paper.step_id or 0, []).append(paper)
    entry = entry_numbered(connection, found.seq)
    if entry is None:
        raise Refused("not_found")
    evaluation = evaluations.evaluation_numbered(connection, found.evaluation_id)
    return {
        "rectification": found,
        "entry": entry,
        "catalogue": load_catalogue(evaluation.scheme),
        "steps": steps_of(connection, found.id),
        "papers": papers,
        "slips": slips_about(connection, found.id),
        "today": day_of(utc_now()),
    }
