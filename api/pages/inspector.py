"""The inspector's phone: assignments, check-in, photos, findings, the end of a visit; none needs a script."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, jsonify, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from api.actions import inspections
from api.actions.assignments import open_due
from api.actions.inspections import judged, opened, own_visit
from api.actions.photos import PhotoSent, add_photo
from api.auth import allow, current_staff
from api.evidence.intake import received
from api.pages import inspection_words
from api.pages.inspector_forms import check_in_sent, finding_sent, read_moment, read_words
from api.pages.render import page, refusal_body
from api.problems import status_of
from api.services import services, utc_now
from api.store import evaluations, people
from api.store.findings import findings_of
from api.store.inspections import Assignment, Visit, check_ins_of, opened_assignments, sealed_days
from api.store.photos import Photo, photos_of
from survey_forms.inspection.mornings import last_opened
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_catalogue

pages = Blueprint("inspector", __name__)
inspection_words.init_pages(pages)

LONGEST_NOTE = 1000


@pages.get("/inspector")
@allow("inspector")
def assignments() -> Response:
    """Show what is assigned: sites whose day has come; of later days only that there is something."""
    now = utc_now()
    today = last_opened(now)
    with services().database.write() as connection:
        open_due(connection, services().settings.secret_key, now)
        found = opened_assignments(connection, current_staff().id, today)
        sealed = sealed_days(connection, current_staff().id, today)
        known = {one.evaluation_id: evaluations.evaluation_numbered(connection, one.evaluation_id) for one in found}
    shown = next(iter(known.values()), None)
    return page("inspector/assignments.html", assignments=found, sealed=sealed, today=today, evaluation=shown)


@pages.get("/inspector/assignments/<uuid:assignment_id>")
@allow("inspector")
def arrival(assignment_id: UUID) -> Response:
    """Show one assignment and its check-in; a visit that has begun is shown instead, unless asked for again."""
    with services().database.read() as connection:
        found = opened(connection, assignment_id, current_staff().id, utc_now())
        if found.visit_id and "again" not in request.args:
            return redirect(url_for("inspector.visit", visit_id=found.visit_id))
        return _arrival_page(connection, found)


@pages.post("/inspector/assignments/<uuid:assignment_id>/check-in")
@allow("inspector")
def check_in(assignment_id: UUID) -> Response:
    """Check in; where the position raises a question, ask for the reason and keep what was sent."""
    now, staff = utc_now(), current_staff()
    try:
        sent = check_in_sent(request.form, assignment_id, now)
        with services().database.write() as connection:
            seen = inspections.check_in(connection, sent, staff.id, now)
    except Refused as refused:
        if status_of(refused.code) != 422:
            raise
        with services().database.read() as connection:
            found = opened(connection, assignment_id, staff.id, now)
            asked = judged(found, sent) if refused.code == "check_in_reason_missing" else None
            return _arrival_page(connection, found, 422, refused.faults, asked)
    return redirect(url_for("inspector.visit", visit_id=seen.visit_id), 303)


@pages.get("/inspector/visits/<uuid:visit_id>")
@allow("inspector")
def visit(visit_id: UUID) -> Response:
    """Show a visit: where the inspector was, the photos, the findings, and what is left to do."""
    return _visit_page(visit_id)


@pages.post("/inspector/visits/<uuid:visit_id>/photos")
@allow("inspector")
def add_photos(visit_id: UUID) -> Response:
    """Take photos: one a request from the script, which gets a receipt, or several from the plain form."""
    uploads = [one for one in request.files.getlist("photo") if one.filename]
    kept: list[Photo] = []
    faults = [] if uploads else [Fault("photo_missing", "photo")]
    for upload in uploads:
        try:
            kept.append(_taken(visit_id, upload))
        except Refused as refused:
            faults += refused.faults
    if request.accept_mimetypes.best == "application/json":
        return _receipts(kept, faults)
    if faults:
        return _visit_page(visit_id, status_of(faults[0].code), faults)
    return redirect(url_for("inspector.visit", visit_id=visit_id, _anchor="photos"), 303)


@pages.get("/inspector/visits/<uuid:visit_id>/findings")
@allow("inspector")
def finding(visit_id: UUID) -> Response:
    """Show the form for a finding: the catalogue's rules, the points, the words, the photos."""
    return _finding_page(visit_id)


@pages.post("/inspector/visits/<uuid:visit_id>/findings")
@allow("inspector")
def file_finding(visit_id: UUID) -> Response:
    """File a finding; what does not fit comes back with everything that was filled in."""
    try:
        sent = finding_sent(request.form, request.form.getlist("photos"), visit_id)
        with services().database.write() as connection:
            inspections.file_finding(connection, sent, current_staff().id, utc_now())
    except Refused as refused:
        if status_of(refused.code) != 422:
            raise
        return _finding_page(visit_id, 422, refused.faults)
    return redirect(url_for("inspector.visit", visit_id=visit_id, _anchor="findings"), 303)


@pages.post("/inspector/visits/<uuid:visit_id>/close")
@allow("inspector")
def close(visit_id: UUID) -> Response:
    """Close the visit."""
    note = read_words(request.form, "note", LONGEST_NOTE)
    with services().database.write() as connection:
        inspections.close_visit(connection, visit_id, current_staff().id, note, utc_now())
    return redirect(url_for("inspector.visit", visit_id=visit_id), 303)


def _taken(visit_id: UUID, upload: FileStorage) -> Photo:
    """Keep one upload; a refused one leaves a line in the audit."""
    staff, now = current_staff(), utc_now()
    try:
        sent = PhotoSent(visit_id, staff.id, upload.filename or "", read_moment(request.form.get("file_at", ""), now))
        with (
            received(upload.stream, request.form.get("sha256", "")) as content,
            services().database.write() as connection,
        ):
            return add_photo(connection, services().objects, content, sent, now)
    except Refused as refused:
        with services().database.write() as connection:
            people.record_act(connection, "photo_refused", now, staff.id, visit=str(visit_id), code=refused.code)
        raise


def _receipts(kept: list[Photo], faults: list[Fault]) -> Response:
    """What the script hears: the receipts, or why not."""
    if faults:
        response = jsonify(refusal_body(tuple(faults)))
        response.status_code = status_of(faults[0].code)
    else:
        response = jsonify(
            receipts=[
                {"sha256": one.name, "size": one.size, "received_at": one.received_at.isoformat()} for one in kept
            ]
        )
    return response


def _arrival_page(
    connection: Connection, found: Assignment, status: int = 200, faults: Any = (), asked: Any = None
) -> Response:
    evaluation = evaluations.evaluation_numbered(connection, found.evaluation_id)
    given = {"check_in": str(uuid4()), "visit": str(found.visit_id or uuid4())} | request.form.to_dict()
    facts = {"assignment": found, "evaluation": evaluation, "asked": asked, "given": given}
    return page("inspector/arrival.html", status, faults=inspection_words.told(faults), **facts)


def _visit_page(visit_id: UUID, status: int = 200, faults: Any = ()) -> Response:
    with services().database.read() as connection:
        found = own_visit(connection, visit_id, current_staff().id)
        facts = _facts_of(connection, found)
    return page("inspector/visit.html", status, faults=inspection_words.told(faults), **facts)


def _finding_page(visit_id: UUID, status: int = 200, faults: Any = ()) -> Response:
    with services().database.read() as connection:
        found = own_visit(connection, visit_id, current_staff().id)
        if found.closed_at is not None:
            raise Refused("visit_closed")
        facts = _facts_of(connection, found)
    given = {"finding": str(uuid4())} | request.form.to_dict()
    chosen = request.form.getlist("photos")
    return page(
        "inspector/finding.html", status, faults=inspection_words.told(faults), given=given, chosen=chosen, **facts
    )


def _facts_of(connection: Connection, found: Visit) -> dict[str, Any]:
    """Everything that the pages of a visit show."""
    evaluation = evaluations.evaluation_numbered(connection, found.assignment.evaluation_id)
    return {
        "visit": found,
        "site": found.assignment.site,
        "evaluation": evaluation,
        "catalogue": load_catalogue(evaluation.scheme),
        "check_ins": check_ins_of(connection, found.id),
        "photos": photos_of(connection, found.id),
        "findings": findings_of(connection, found.id),
    }
