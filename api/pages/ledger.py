"""The office's second pair of eyes: findings to confirm or reject, the ledger, and reversals asked for and decided."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.inspections import decide_finding
from api.actions.ledger import ask_reversal, decide_reversal
from api.auth import allow, current_staff
from api.pages import inspection_words
from api.pages.desk import evaluation_in_view
from api.pages.inspector_forms import read_words
from api.pages.render import page
from api.problems import status_of
from api.services import services, utc_now
from api.store import evaluations
from api.store.evaluations import Unit
from api.store.findings import Finding, findings_in
from api.store.inspections import CheckIn, Visit, check_ins_of, visit_numbered
from api.store.ledger import Entry, ReversalRequest, entries_of, people_of, requests_in
from api.store.photos import Photo, photos_hashed
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_catalogue

pages = Blueprint("ledger", __name__, url_prefix="/office")
inspection_words.init_pages(pages)

LONGEST_NOTE = 1000
DECISIONS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Case:
    """A finding with everything that whoever decides must see."""

    finding: Finding
    visit: Visit
    check_ins: list[CheckIn]
    photos: list[Photo]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it: what became of it, and the unit's sum of standing points up to here."""

    entry: Entry
    unit: Unit
    reversed_by: int | None
    waiting: ReversalRequest | None
    total: Decimal


@pages.get("/findings")
@allow("office")
def findings() -> Response:
    """Show the findings that wait for a decision, and the latest decided."""
    return _findings_page()


@pages.post("/findings/<uuid:finding_id>/decision")
@allow("office")
def decide_on_finding(finding_id: UUID) -> Response:
    """Confirm or reject a finding."""
    try:
        confirm, note = _decision()
        with services().database.write() as connection:
            decide_finding(connection, finding_id, current_staff().id, confirm, note, utc_now())
    except Refused as refused:
        return _findings_page(status_of(refused.code), refused.faults, str(finding_id))
    return redirect(url_for("ledger.findings"), 303)


@pages.get("/ledger")
@allow("office")
def ledger() -> Response:
    """Show every entry, the standing points, and what waits to be reversed."""
    return _ledger_page()


@pages.post("/ledger/<int(max=9007199254740991):seq>/reversal")
@allow("office")
def ask(seq: int) -> Response:
    """Ask for an entry to be reversed."""
    try:
        reason = read_words(request.form, "reason", LONGEST_NOTE)
        with services().database.write() as connection:
            ask_reversal(connection, seq, current_staff().id, reason, utc_now())
    except Refused as refused:
        return _ledger_page(status_of(refused.code), refused.faults)
    return redirect(url_for("ledger.ledger", _anchor=f"entry-{seq}"), 303)


@pages.post("/reversals/<int(max=2147483647):request_id>/decision")
@allow("office")
def decide_on_reversal(request_id: int) -> Response:
    """Grant or decline a reversal."""
    try:
        grant, note = _decision()
        with services().database.write() as connection:
            decide_reversal(connection, request_id, current_staff().id, grant, note, utc_now())
    except Refused as refused:
        return _ledger_page(status_of(refused.code), refused.faults)
    return redirect(url_for("ledger.ledger"), 303)


def _decision() -> tuple[bool, str]:
    decision = request.form.get("decision", "")
    if decision not in DECISIONS:
        raise Refused("invalid_fields", "decision")
    return DECISIONS[decision], read_words(request.form, "note", LONGEST_NOTE)


def _findings_page(status: int = 200, faults: tuple[Fault, ...] = (), about: str = "") -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        facts = {
            "evaluation": evaluation,
            "catalogue": load_catalogue(evaluation.scheme),
            "waiting": [_case(connection, one) for one in findings_in(connection, evaluation.id, filed=True)],
            "decided": [_case(connection, one) for one in findings_in(connection, evaluation.id, filed=False, most=20)],
        }
    given = {"about": about, "note": request.form.get("note", "")}
    return page("office/findings.html", status, faults=inspection_words.told(faults), given=given, **facts)


def _case(connection: Connection, finding: Finding) -> Case:
    visit = visit_numbered(connection, finding.visit_id)
    if visit is None:
        raise Refused("not_found")
    return Case(finding, visit, check_ins_of(connection, visit.id), photos_hashed(connection, list(finding.photos)))


def _ledger_page(status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        requests = requests_in(connection, evaluation.id)
        entries = entries_of(connection, evaluation.id)
        units = evaluations.units_of(connection, evaluation.id)
        facts: dict[str, Any] = {"people": people_of(connection, evaluation.id)}
    facts |= {
        "evaluation": evaluation,
        "catalogue": load_catalogue(evaluation.scheme),
        "lines": lines_of(entries, units, requests),
        "requests": requests,
        "units": units,
        "totals": standing(entries),
    }
    return page("office/ledger.html", status, faults=inspection_words.told(faults), **facts)


def lines_of(entries: list[Entry], units: list[Unit], requests: list[ReversalRequest]) -> list[Line]:
    """The ledger read from its beginning, the newest line first."""
    unit_of = {unit.id: unit for unit in units}
    points = {entry.seq: entry.points for entry in entries}
    reversed_by = {entry.reverses: entry.seq for entry in entries if entry.reverses is not None}
    waiting = {one.seq: one for one in requests if one.status == "asked"}
    totals: dict[int, Decimal] = defaultdict(Decimal)
    lines = []
    for entry in entries:
        totals[entry.unit_id] += entry.points if entry.reverses is None else -points[entry.reverses]
        lines.append(
            Line(
                entry,
                unit_of[entry.unit_id],
                reversed_by.get(entry.seq),
                waiting.get(entry.seq),
                totals[entry.unit_id],
            )
        )
    return lines[::-1]


def standing(entries: list[Entry]) -> dict[int, Decimal]:
    """Unit → points of its entries that nobody reversed, before any cap of the scheme."""
    gone = {entry.reverses for entry in entries}
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if entry.reverses is None and entry.seq not in gone:
            totals[entry.unit_id] += entry.points
    return dict(totals)
