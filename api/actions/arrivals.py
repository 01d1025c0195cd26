"""Arriving at a site: what a phone sends, how it is judged, and the visit that it begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.actions.presence import site_of
from api.store.inspections import Assignment, assignment_numbered, put_visit
from survey_forms.inspection.datum import Datum
from survey_forms.inspection.presence import Fix, Judgement, best_fix, judge
from survey_forms.refusal import Refused


@dataclass(frozen=True, slots=True)
class CheckInSent:
    """A check-in as the phone sends it; no fixes where it gave no position."""

    id: UUID
    visit_id: UUID  # of the visit that this begins, unless the assignment has one
    assignment_id: UUID
    fixes: tuple[Fix, ...]
    claimed_at: datetime
    reason: str = ""


def judged(assignment: Assignment, sent: CheckInSent) -> Judgement:
    """The class and flags of a check-in, before it is kept."""
    return judge(site_of(assignment.site), sent.fixes, sent.claimed_at)


def visit_of(  # noqa: PLR0913, PLR0917 - what begins a visit: where, under what id, by whom and when
    connection: Connection, assignment: Assignment, visit_id: UUID, staff_id: int, claimed_at: datetime, now: datetime
) -> UUID:
    """The assignment's one visit, begun now under this id unless there is one.

    Raises:
        Refused: `sent_before_otherwise` where the id belongs to another assignment's visit.
    """
    if assignment.visit_id is None:
        values = {
            "id": visit_id,
            "assignment_id": assignment.id,
            "inspector_id": staff_id,
            "claimed_at": claimed_at,
            "received_at": now,
        }
        if put_visit(connection, values):
            return visit_id
    fresh = assignment_numbered(connection, assignment.id)
    if fresh is None or fresh.visit_id is None:
        raise Refused("sent_before_otherwise")
    return fresh.visit_id


def check_in_values(
    sent: CheckInSent, judgement: Judgement, visit_id: UUID, staff_id: int, now: datetime
) -> dict[str, Any]:
    """A check-in as it is stored: the best fix, and everything the phone saw."""
    best = best_fix(sent.fixes, sent.claimed_at) if sent.fixes else None
    return {
        "id": sent.id,
        "visit_id": visit_id,
        "staff_id": staff_id,
        "lat": best.position.lat if best else None,
        "lon": best.position.lon if best else None,
        "accuracy_m": best.accuracy_m if best else None,
        "datum": best.position.datum.value if best else Datum.WGS_84.value,
        "fix_at": best.taken_at if best else None,
        "fixes": [
            [fix.position.lat, fix.position.lon, fix.accuracy_m, round(fix.taken_at.timestamp() * 1000)]
            for fix in sent.fixes
        ],
        "claimed_at": sent.claimed_at,
        "received_at": now,
        "presence": judgement.presence.value,
        "distance_m": judgement.distance_m,
        "flags": [flag.value for flag in judgement.flags],
        "reason": sent.reason,
    }
