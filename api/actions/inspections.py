"""An inspection's verbs: check in, file a finding, close the visit; and the second person's: decide on a finding.

Each may arrive twice, because a phone retries: the same id with the same content changes nothing, with other
content it is refused. A check-in is classified and never blocked.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection

from api.actions.arrivals import CheckInSent as CheckInSent  # noqa: PLC0414 - others take it from here
from api.actions.arrivals import check_in_values, visit_of
from api.actions.arrivals import judged as judged  # noqa: PLC0414 - same
from api.actions.ledger import MOST_POINTS, enter
from api.actions.presence import travel_flags_of
from api.actions.uploads import blobs_of, come_since
from api.store import evaluations, people
from api.store.crews import is_on_crew
from api.store.findings import Finding, decide, finding_numbered, lock_finding, put_finding
from api.store.inspections import (
    Assignment,
    CheckIn,
    Visit,
    assignment_numbered,
    check_in_numbered,
    lock_visit,
    put_check_in,
    visit_numbered,
)
from api.store.inspections import close_visit as mark_closed
from api.store.ledger import entry_of_finding
from api.store.photos import photos_hashed
from api.store.shortfalls import took_short
from api.store.uploads import uploads_into
from survey_forms.inspection.mornings import CHINA as CHINA  # noqa: PLC0414 - others take it from here
from survey_forms.inspection.mornings import last_opened
from survey_forms.inspection.presence import best_fix
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_catalogue
from survey_forms.scheme.model import Rule


@dataclass(frozen=True, slots=True)
class FindingSent:
    """A finding as the phone sends it; no points where the rule fixes them."""

    id: UUID
    visit_id: UUID
    rule: str
    points: Decimal | None
    description: str
    photos: tuple[bytes, ...]  # SHA-256 each


def opened(connection: Connection, assignment_id: UUID, staff_id: int, now: datetime) -> Assignment:
    """The crew's own assignment whose morning has come. Raises Refused `not_found` for any other, sealed or not."""
    found = assignment_numbered(connection, assignment_id)
    if found is None or found.withdrawn_at or found.day > last_opened(now):
        raise Refused("not_found")
    if not is_on_crew(connection, assignment_id, staff_id):
        raise Refused("not_found")
    return found


def own_visit(connection: Connection, visit_id: UUID, staff_id: int) -> Visit:
    """The visit of the inspector, or of the crew that they stand in. Raises Refused `not_found` for any other."""
    found = visit_numbered(connection, visit_id)
    if found is None or not (found.inspector_id == staff_id or is_on_crew(connection, found.assignment.id, staff_id)):
        raise Refused("not_found")
    return found


def refuse_if_closed(connection: Connection, visit: Visit) -> None:
    """Hold the visit open until the transaction ends, or raise Refused `visit_closed`."""
    lock_visit(connection, visit.id)
    fresh = visit_numbered(connection, visit.id)
    if fresh is None or fresh.closed_at is not None:
        raise Refused("visit_closed")


def check_in(connection: Connection, sent: CheckInSent, staff_id: int, now: datetime) -> CheckIn:
    """Begin or go on with a visit at an assignment's site.

    Raises:
        Refused: `not_found`; `check_in_reason_missing` where the class or the lack of a position asks for one;
            `visit_closed`; `sent_before_otherwise` where the id is known with other content.
    """
    assignment = opened(connection, sent.assignment_id, staff_id, now)
    judgement = judged(assignment, sent)
    if judgement.needs_reason and not sent.reason:
        raise Refused("check_in_reason_missing", "reason")
    visit_id = visit_of(connection, assignment, sent.visit_id, staff_id, sent.claimed_at, now)
    values = check_in_values(sent, judgement, visit_id, staff_id, now)
    if check_in_numbered(connection, sent.id) is None:
        refuse_if_closed(connection, own_visit(connection, visit_id, staff_id))
        if sent.fixes:
            travelled = travel_flags_of(connection, staff_id, best_fix(sent.fixes, sent.claimed_at))
            values["flags"] += [flag.value for flag in travelled]
        if put_check_in(connection, values):
            people.record_act(
                connection, "checked_in", now, staff_id, visit=str(visit_id), presence=judgement.presence.value
            )
    found = check_in_numbered(connection, sent.id)
    same = ("visit_id", "fixes", "reason")
    if found is None or any(getattr(found, name) != values[name] for name in same):
        raise Refused("sent_before_otherwise")
    return found


def close_visit(connection: Connection, visit_id: UUID, staff_id: int, note: str, now: datetime) -> None:
    """Close the inspector's own visit; closing it again changes nothing."""
    visit = own_visit(connection, visit_id, staff_id)
    if visit.closed_at is None:
        mark_closed(connection, visit.id, note, now)
        people.record_act(connection, "visit_closed", now, staff_id, visit=str(visit.id))


def file_finding(connection: Connection, sent: FindingSent, staff_id: int, now: datetime) -> Finding:
    """File a finding under a rule of the catalogue, with photos of the visit.

    Raises:
        Refused: `not_found`, `visit_closed`, `finding_rule_unknown`, `finding_points_unfit`,
            `finding_description_missing`, `finding_photo_unfit`, `sent_before_otherwise`.
    """
    visit = own_visit(connection, sent.visit_id, staff_id)
    if finding_numbered(connection, sent.id) is None:
        refuse_if_closed(connection, visit)
    return filed(connection, visit, sent, staff_id, now)


def filed(connection: Connection, visit: Visit, sent: FindingSent, staff_id: int, now: datetime) -> Finding:
    """File a finding in a visit that the caller has looked at, closed or not: a phone's record may come after that.

    Raises:
        Refused: as `file_finding`, but for `not_found` and `visit_closed`.
    """
    rule = rule_of(connection, visit, sent.rule)
    points = _points(rule, sent.points)
    if not sent.description:
        raise Refused("finding_description_missing", "description")
    photos = tuple(sorted(set(sent.photos)))
    values = {
        "id": sent.id,
        "visit_id": visit.id,
        "component": rule.of,
        "aspect": rule.aspect,
        "rule": rule.id,
        "points": points,
        "description": sent.description,
        "filed_by": staff_id,
        "filed_at": now,
    }
    if finding_numbered(connection, sent.id) is None:
        fit = {photo.sha256 for photo in photos_hashed(connection, list(photos)) if photo.visit_id == visit.id}
        if fit != set(photos):
            raise Refused("finding_photo_unfit", "photos")
        if put_finding(connection, values, photos):
            people.record_act(connection, "finding_filed", now, staff_id, finding=str(sent.id), rule=rule.id)
    found = finding_numbered(connection, sent.id)
    same = ("visit_id", "rule", "points", "description", "filed_by")
    if found is None or found.photos != photos or any(getattr(found, name) != values[name] for name in same):
        raise Refused("sent_before_otherwise")
    return found


def decide_finding(  # noqa: PLR0913, PLR0917 - which, who, what, why and when make a decision
    connection: Connection,
    finding_id: UUID,
    staff_id: int,
    confirm: bool,  # noqa: FBT001 - the decision itself
    note: str,
    now: datetime,
) -> int | None:
    """Confirm a finding, which enters its deduction, or reject it; the same decision again changes nothing.

    Returns:
        The ledger entry's sequence number, None for a rejected finding.

    Raises:
        Refused: `not_found`, `second_person_needed`, `finding_decided`, `decision_note_missing`,
            `finding_photos_pending`; `finding_taken_short` for who took its visit in without what was missing, and
            `finding_photos_come` while that is here and not taken in.
    """
    lock_finding(connection, finding_id)
    finding = finding_numbered(connection, finding_id)
    if finding is None:
        raise Refused("not_found")
    status = "confirmed" if confirm else "rejected"
    if finding.status != "filed":
        if (finding.status, finding.decided_by) != (status, staff_id):
            raise Refused("finding_decided")
        entry = entry_of_finding(connection, finding_id)
        return entry.seq if entry else None
    if finding.filed_by == staff_id:
        raise Refused("second_person_needed")
    if took_short(connection, finding.visit_id, staff_id):
        raise Refused("finding_taken_short")
    if any(come_since(one, blobs_of(connection, one)) for one in uploads_into(connection, finding.visit_id)):
        raise Refused("finding_photos_come")
    if not confirm and not note:
        raise Refused("decision_note_missing", "note")
    if confirm and any(photo.verdict == "pending" for photo in photos_hashed(connection, list(finding.photos))):
        raise Refused("finding_photos_pending")
    decision = {"status": status, "decided_by": staff_id, "decided_at": now, "decision_note": note}
    decide(connection, finding_id, decision)
    people.record_act(connection, f"finding_{status}", now, staff_id, finding=str(finding_id))
    return _entered(connection, finding, staff_id, now) if confirm else None


def rule_of(connection: Connection, visit: Visit, rule_id: str) -> Rule:
    """A rule of the catalogue under which a visit's findings are filed. Raises Refused `finding_rule_unknown`."""
    evaluation = evaluations.evaluation_numbered(connection, visit.assignment.evaluation_id)
    catalogue = load_catalogue(evaluation.scheme)
    found = catalogue.rule(rule_id) if catalogue else None
    if found is None:
        raise Refused("finding_rule_unknown", "rule", value=rule_id[:60])
    return found


def _points(rule: Rule, points: Decimal | None) -> Decimal:
    if points is None and rule.points is not None:
        return rule.points
    allowed = str(rule.points) if rule.points is not None else f"{rule.points_min}–{rule.points_max}"
    # The bounds first: to round what lies out of all bounds is an error of its own
    fits = points is not None and points.is_finite() and 0 < points <= MOST_POINTS and rule.allows(points)
    if points is None or not fits or points != round(points, 2):
        raise Refused("finding_points_unfit", "points", allowed=allowed)
    return points


def _entered(connection: Connection, finding: Finding, staff_id: int, now: datetime) -> int:
    visit = visit_numbered(connection, finding.visit_id)
    if visit is None:
        raise Refused("not_found")
    return enter(
        connection,
        evaluation_id=visit.assignment.evaluation_id,
        unit_id=visit.assignment.site.unit_id,
        component=finding.component,
        aspect=finding.aspect,
        rule=finding.rule,
        points=finding.points,
        basis=finding.description,
        filed_by=finding.filed_by,
        decided_by=staff_id,
        finding_id=finding.id,
        now=now,
    )
