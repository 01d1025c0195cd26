"""The office's second pair of eyes: findings to confirm or reject, the ledger, and reversals asked for and decided."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.inspections import decide_finding
from api.actions.ledger import ask_reversal, decide_reversal, hands_in
from api.actions.running_totals import running_totals
from api.auth import allow, current_staff
from api.pages import entry_words, inspection_words
from api.pages.checklist_shown import ChecklistShown, checklist_shown
from api.pages.desk import evaluation_in_view, number_in_address
from api.pages.inspector_forms import read_words
from api.pages.ledger_lines import Wish, lines_of
from api.pages.render import page
from api.problems import status_of
from api.services import services, utc_now
from api.store import evaluations
from api.store.entry_trail import checklists_of
from api.store.findings import Finding, findings_in, waiting_in
from api.store.inspections import CheckIn, Visit, check_ins_of, visit_numbered
from api.store.ledger import Entry, ReversalRequest, entries_of, people_of, requests_in
from api.store.objections import objections_in
from api.store.photos import Photo, photos_hashed
from api.store.uploads import Upload, uploads_into
from survey_forms.inspection.mornings import CHINA
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_catalogue

pages = Blueprint("ledger", __name__, url_prefix="/office")
inspection_words.init_pages(pages)
entry_words.init_pages(pages)

LONGEST_NOTE = 1000
LINES_A_PAGE = 100
FINDINGS_A_PAGE = 20
DECISIONS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Visited:
    """A visit with what phones told of it."""

    visit: Visit
    check_ins: list[CheckIn]
    uploads: list[Upload]  # with what was odd about each
    checklists: list[ChecklistShown]


@dataclass(frozen=True, slots=True)
class Case:
    """A finding with everything that whoever decides must see."""

    finding: Finding
    at: Visited
    photos: list[Photo]


@pages.get("/findings")
@allow("office")
def findings() -> Response:
    """Show the findings that wait for a decision, and the latest decided."""
    return _findings_page()


@pages.post("/findings/<uuid:finding_id>/decision")
@allow("office")
def decide_on_finding(finding_id: UUID) -> Response:
    """Confirm or reject a finding."""
    number = number_in_address("page")
    try:
        confirm, note = _decision()
        with services().database.write() as connection:
            decide_finding(connection, finding_id, current_staff().id, confirm, note, utc_now())
    except Refused as refused:
        return _findings_page(status_of(refused.code), refused.faults, str(finding_id))
    return redirect(url_for("ledger.findings", page=number), 303)


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
        found = waiting_in(connection, evaluation.id)
        last = max(1, -(-found // FINDINGS_A_PAGE))
        number = min(number_in_address("page"), last)
        skip = (number - 1) * FINDINGS_A_PAGE
        waiting = findings_in(connection, evaluation.id, filed=True, skip=skip, most=FINDINGS_A_PAGE)
        decided = findings_in(connection, evaluation.id, filed=False, most=FINDINGS_A_PAGE)
        sites = {key: _visit(connection, key).assignment.site for key in {one.visit_id for one in decided}}
        facts: dict[str, Any] = {
            "evaluation": evaluation,
            "catalogue": load_catalogue(evaluation.scheme),
            "waiting": _cases(connection, waiting),
            "decided": [(one, sites[one.visit_id]) for one in decided],
            "found": found,
            "number": number,
            "last": last,
        }
    given = {"about": about, "note": request.form.get("note", "")}
    return page("office/findings.html", status, faults=inspection_words.told(faults), given=given, **facts)


def _cases(connection: Connection, findings: list[Finding]) -> list[Case]:
    """The cases in order; what several findings of a visit share is read once."""
    at = {visit_id: _visited(connection, visit_id) for visit_id in {one.visit_id for one in findings}}
    photos = photos_hashed(connection, [sha256 for one in findings for sha256 in one.photos])
    return [Case(one, at[one.visit_id], [photo for photo in photos if photo.sha256 in one.photos]) for one in findings]


def _visited(connection: Connection, visit_id: UUID) -> Visited:
    visit = _visit(connection, visit_id)
    day = visit.claimed_at.astimezone(CHINA).date()
    checklists = [checklist_shown(one, day) for one in checklists_of(connection, visit_id)]
    return Visited(visit, check_ins_of(connection, visit_id), uploads_into(connection, visit_id), checklists)


def _visit(connection: Connection, visit_id: UUID) -> Visit:
    visit = visit_numbered(connection, visit_id)
    if visit is None:
        raise Refused("not_found")
    return visit


def _ledger_page(status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        requests = requests_in(connection, evaluation.id)
        entries = entries_of(connection, evaluation.id)
        units = evaluations.units_of(connection, evaluation.id)
        facts: dict[str, Any] = {"people": people_of(connection, evaluation.id)}
        undecided = {one.seq for one in objections_in(connection, evaluation.id) if not one.is_decided}
    wish = Wish.of(request.args)
    lines = [line for line in lines_of(entries, units, requests) if wish.wants(line)]
    last = max(1, -(-len(lines) // LINES_A_PAGE))
    number = min(number_in_address("page"), last)
    facts |= {
        "evaluation": evaluation,
        "catalogue": load_catalogue(evaluation.scheme),
        "lines": lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE],
        "found": len(lines),
        "number": number,
        "last": last,
        "wish": wish,
        "address": f"/office/ledger?{urlencode([*wish.arguments(), ('page', '')])}",
        "requests": requests,
        "asked": _asked(requests, entries),
        "undecided": undecided,
        "units": units,
        "rules": sorted({entry.rule for entry in entries}),
        "totals": running_totals(evaluation, entries),
    }
    return page("office/ledger.html", status, faults=inspection_words.told(faults), **facts)


def _asked(requests: list[ReversalRequest], entries: list[Entry]) -> list[tuple[ReversalRequest, bool, bool]]:
    """The requests that wait; whether who looks at them may decide, and whether the entry was reversed meanwhile."""
    entry_of = {entry.seq: entry for entry in entries}
    gone = {entry.reverses for entry in entries}
    me = current_staff().id
    asked = [one for one in requests if one.status == "asked"]
    return [(one, me not in hands_in(one, entry_of[one.seq]), one.seq in gone) for one in asked]
