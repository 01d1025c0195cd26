"""Objections: a unit files its own and follows it; the office explains; somebody without a part in it decides."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.due import terms_of
from api.actions.objections import (
    VERDICTS,
    DecisionSent,
    ObjectionSent,
    decide,
    decide_by,
    explain,
    file_objection,
    may_object,
    term_of,
)
from api.auth import allow, current_staff
from api.pages import inspection_words, life_words
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.life_words import LONGEST_TEXT, errors_by_field, own_unit, papers_sent
from api.pages.render import page
from api.problems import status_of
from api.services import services, utc_now
from api.store import evaluations
from api.store.ledger import Entry, entry_numbered, people_of, reversal_of
from api.store.objections import Objection, objection_numbered, objection_of, objections_in, objections_of
from api.store.papers import papers_of_objection
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_catalogue

pages = Blueprint("objections", __name__)
life_words.init_pages(pages)
SEQ = "<int(max=9007199254740991):seq>"
NUMBER = "<int(max=2147483647):objection_id>"


@pages.get(f"/unit/entries/{SEQ}/objection")
@allow("unit")
def file(seq: int) -> Response:
    """The form to object to an entry; where one was filed, that one; where it is too late, why."""
    with services().database.read() as connection:
        _, unit = own_unit(connection)
        entry = _own_entry(connection, seq, unit.id)
        filed = objection_of(connection, seq)
        if filed is None:
            may_object(connection, entry, utc_now())
    if filed is not None:
        return redirect(url_for("objections.own", objection_id=filed.id), 303)
    return _form(seq)


@pages.post(f"/unit/entries/{SEQ}/objection")
@allow("unit")
def hand_in(seq: int) -> Response:
    """Object to an entry, with grounds and papers."""
    try:
        grounds = read_words(request.form, "grounds", LONGEST_TEXT)
        papers = papers_sent()
        with services().database.write() as connection:
            _, unit = own_unit(connection)
            sent = ObjectionSent(seq, unit.id, current_staff().id, grounds, papers)
            key = file_objection(connection, services().objects, sent, utc_now())
    except Refused as refused:
        if not any(fault.path for fault in refused.faults):
            raise
        return _form(seq, status_of(refused.code), refused.faults)
    return redirect(url_for("objections.own", objection_id=key), 303)


@pages.get("/unit/objections")
@allow("unit")
def own_list() -> Response:
    """The unit's objections."""
    with services().database.read() as connection:
        evaluation, unit = own_unit(connection)
        found = objections_of(connection, unit.id)
        entries = {one.seq: entry_numbered(connection, one.seq) for one in found}
    catalogue = load_catalogue(evaluation.scheme)
    return page("unit/objections.html", evaluation=evaluation, objections=found, entries=entries, catalogue=catalogue)


@pages.get(f"/unit/objections/{NUMBER}")
@allow("unit")
def own(objection_id: int) -> Response:
    """How far an objection of the unit has come."""
    with services().database.read() as connection:
        evaluation, unit = own_unit(connection)
        found = objection_numbered(connection, objection_id)
        if found is None or found.unit_id != unit.id:
            raise Refused("not_found")
        facts = _facts(connection, found)
    return page("unit/objection.html", evaluation=evaluation, unit=unit, **facts)


@pages.get("/office/objections")
@allow("office")
def waiting() -> Response:
    """The evaluation's objections: what waits, and what was decided."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        found = objections_in(connection, evaluation.id)
        entries = {one.seq: entry_numbered(connection, one.seq) for one in found}
        units = {unit.id: unit for unit in evaluations.units_of(connection, evaluation.id)}
        overdue = life_words.late_objections(connection, evaluation.id, utc_now())
    facts: dict[str, Any] = {
        "overdue": overdue,
        "objections": found,
        "entries": entries,
        "units": units,
        "catalogue": load_catalogue(evaluation.scheme),
    }
    return page("office/objections.html", evaluation=evaluation, **facts)


@pages.get(f"/office/objections/{NUMBER}")
@allow("office")
def one(objection_id: int) -> Response:
    """An objection with all that whoever explains or decides must see."""
    return _office_page(objection_id)


@pages.post(f"/office/objections/{NUMBER}/explanation")
@allow("office")
def say_why(objection_id: int) -> Response:
    """Explain the deduction for the assessing department."""
    try:
        words = read_words(request.form, "explanation", LONGEST_TEXT)
        with services().database.write() as connection:
            explain(connection, objection_id, current_staff().id, words, utc_now())
    except Refused as refused:
        return _office_page(objection_id, status_of(refused.code), refused.faults)
    return redirect(url_for("objections.one", objection_id=objection_id), 303)


@pages.post(f"/office/objections/{NUMBER}/decision")
@allow("office")
def decide_on(objection_id: int) -> Response:
    """Decide on the objection."""
    try:
        with services().database.write() as connection:
            decide(connection, _decision(objection_id), utc_now())
    except Refused as refused:
        return _office_page(objection_id, status_of(refused.code), refused.faults)
    return redirect(url_for("objections.one", objection_id=objection_id), 303)


def _decision(objection_id: int) -> DecisionSent:
    verdict = request.form.get("verdict", "")
    told = request.form.get("points", "").strip()
    points = plain_decimal(told) if verdict == "reduced" else None
    if verdict == "reduced" and points is None:
        raise Refused("finding_points_unreadable", "points")
    note = read_words(request.form, "note", LONGEST_TEXT)
    return DecisionSent(objection_id, current_staff().id, verdict, note, points)


def _own_entry(connection: Connection, seq: int, unit_id: int) -> Entry:
    entry = entry_numbered(connection, seq)
    if entry is None or entry.unit_id != unit_id:
        raise Refused("not_found")
    return entry


def _form(seq: int, status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    with services().database.read() as connection:
        evaluation, unit = own_unit(connection)
        entry = _own_entry(connection, seq, unit.id)
        last_day = term_of(connection, entry)
    facts = {"entry": entry, "last_day": last_day, "catalogue": load_catalogue(evaluation.scheme)}
    told = {"faults": inspection_words.told(faults), "errors": errors_by_field(faults)}
    given = {"grounds": request.form.get("grounds", "")}
    return page("unit/objection_new.html", status, evaluation=evaluation, given=given, **facts, **told)


def _office_page(objection_id: int, status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    with services().database.read() as connection:
        found = objection_numbered(connection, objection_id)
        if found is None:
            raise Refused("not_found")
        facts = _facts(connection, found)
        entry: Entry = facts["entry"]
        evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
        units = evaluations.units_of(connection, evaluation.id)
        facts |= {"people": people_of(connection, evaluation.id), "gone": reversal_of(connection, entry.seq)}
    facts |= {"unit": next(unit for unit in units if unit.id == found.unit_id), "verdicts": VERDICTS}
    facts |= {"may_decide": current_staff().id not in found.involved}
    told = {"faults": inspection_words.told(faults), "errors": errors_by_field(faults)}
    return page("office/objection.html", status, evaluation=evaluation, given=request.form, **facts, **told)


def _facts(connection: Connection, found: Objection) -> dict[str, Any]:
    entry = entry_numbered(connection, found.seq)
    if entry is None:
        raise Refused("not_found")
    evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
    catalogue = load_catalogue(evaluation.scheme)
    return {
        "objection": found,
        "entry": entry,
        "papers": papers_of_objection(connection, found.id),
        "decide_by": decide_by(found, terms_of(evaluation.scheme)),
        "catalogue": catalogue,
        "rule": catalogue.rule(entry.rule) if catalogue else None,
    }
