"""The ledger's verbs: enter a deduction, ask for its reversal, decide on that. Two people each time, no change ever.

Every entry is hashed over its canonical body (survey_forms/transparency.py), and owes a new composite.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.store import evaluations, people
from api.store.findings import finding_numbered
from api.store.ledger import (
    Entry,
    ReversalRequest,
    append_entry,
    body_numbered,
    decide_request,
    entry_numbered,
    entry_of_finding,
    lock_ledger,
    put_request,
    request_numbered,
    reversal_of,
    upload_digests,
    waiting_request,
)
from api.store.objections import objection_of
from api.store.owed import emit
from survey_forms.ledger_copy import Evidence
from survey_forms.numbers import plain
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_scheme
from survey_forms.transparency import canonical_json, leaf_hash

FORMAT = 2  # of the body; the first had no evidence root, and its entries stay as they are and readable
MOST_POINTS = Decimal(100_000)
NOTHING = Evidence()


@dataclass(frozen=True, slots=True)
class _Content:
    """What an entry says, before it has its number."""

    evaluation_id: int
    unit_id: int
    component: str
    aspect: str | None
    rule: str
    points: Decimal
    basis: str
    filed_by: int
    decided_by: int
    finding_id: UUID | None = None
    reverses: int | None = None
    instead_of: int | None = None
    evidence: Evidence = NOTHING


def enter(  # noqa: PLR0913 - an entry has this many facts
    connection: Connection,
    *,
    evaluation_id: int,
    unit_id: int,
    component: str,
    aspect: str | None,
    rule: str,
    points: Decimal,
    basis: str,
    filed_by: int,
    decided_by: int,
    finding_id: UUID | None = None,
    instead_of: int | None = None,
    now: datetime,
) -> int:
    """Enter a deduction that two people stand for; a finding that has its entry keeps that one.

    `component` is the dotted path of a component of the scheme that takes deductions, `basis` says in words what
    was found. What the finding rests on goes into the entry's body. A deduction that an objection reduced is
    entered `instead_of` the reversed one, and rests on what that rested on.

    Returns:
        The entry's sequence number.

    Raises:
        Refused: `second_person_needed`, `ledger_component_unknown`, `ledger_unit_unknown`, `ledger_points_unfit`;
            `not_found` where there is no entry that this could replace.
    """
    if filed_by == decided_by:
        raise Refused("second_person_needed")
    _check(connection, evaluation_id, unit_id, component, points)
    content = _Content(
        evaluation_id, unit_id, component, aspect, rule, points, basis, filed_by, decided_by,
        finding_id=finding_id, instead_of=instead_of, evidence=_evidence(connection, finding_id, instead_of),
    )  # fmt: skip
    seq = lock_ledger(connection)
    known = entry_of_finding(connection, finding_id) if finding_id else None
    return known.seq if known else _append(connection, seq, content, now)


def reverse(  # noqa: PLR0913, PLR0917 - which, why, who twice and when make a reversal
    connection: Connection, seq: int, basis: str, filed_by: int, decided_by: int, now: datetime
) -> int:
    """Take an entry back by a new one that reverses it, for which two people stand; who made it does not grant that.

    Returns:
        The reversing entry's sequence number.

    Raises:
        Refused: `second_person_needed`, `not_found`, `entry_reversed`, `entry_is_reversal`; `third_person_needed`
            where `decided_by` filed or confirmed the entry.
    """
    if filed_by == decided_by:
        raise Refused("second_person_needed")
    own = lock_ledger(connection)
    old = _reversible(connection, seq)
    if decided_by in old.hands:
        raise Refused("third_person_needed", seq=seq)
    content = _Content(
        old.evaluation_id, old.unit_id, old.component, old.aspect, old.rule, old.points, basis, filed_by, decided_by,
        reverses=old.seq,
    )  # fmt: skip
    return _append(connection, own, content, now)


def ask_reversal(connection: Connection, seq: int, staff_id: int, reason: str, now: datetime) -> int:
    """Ask for an entry to be reversed; asking again while that waits is the same request.

    Returns:
        The request's key.

    Raises:
        Refused: `not_found`, `entry_reversed`, `entry_is_reversal`, `reversal_reason_missing`, `reversal_asked`;
            `reversal_objected` while the unit's objection waits for its own decision.
    """
    if not reason:
        raise Refused("reversal_reason_missing", "reason")
    _reversible(connection, seq)
    _unobjected(connection, seq)
    values = {"seq": seq, "reason": reason, "asked_by": staff_id, "asked_at": now}
    request_id = put_request(connection, values)
    if request_id is None:
        waiting = waiting_request(connection, seq)
        if waiting is None or waiting.asked_by != staff_id:
            raise Refused("reversal_asked", seq=seq)
        return waiting.id
    people.record_act(connection, "reversal_asked", now, staff_id, seq=seq, request=request_id)
    return request_id


def decide_reversal(  # noqa: PLR0913, PLR0917 - which, who, what, why and when make a decision
    connection: Connection,
    request_id: int,
    staff_id: int,
    grant: bool,  # noqa: FBT001 - the decision itself
    note: str,
    now: datetime,
) -> int | None:
    """Grant or decline a request; the same decision by the same person again changes nothing.

    Returns:
        The reversing entry's sequence number, None where the request was declined.

    Raises:
        Refused: `not_found`, `reversal_decided`, `decision_note_missing`, `entry_reversed`, `reversal_objected`;
            `second_person_needed` where who decides asked, `third_person_needed` where they filed or confirmed.
    """
    request = request_numbered(connection, request_id, lock=True)
    entry = entry_numbered(connection, request.seq) if request else None
    if request is None or entry is None:
        raise Refused("not_found")
    status = "granted" if grant else "declined"
    if request.status != "asked":
        if (request.status, request.decided_by) != (status, staff_id):
            raise Refused("reversal_decided", seq=request.seq)
        done = reversal_of(connection, request.seq)
        return done.seq if done and grant else None
    if request.asked_by == staff_id:
        raise Refused("second_person_needed")
    if staff_id in hands_in(request, entry):
        raise Refused("third_person_needed", seq=request.seq)
    if not grant and not note:
        raise Refused("decision_note_missing", "note")
    reversing = None
    if grant:
        _unobjected(connection, request.seq)
        reversing = reverse(connection, request.seq, request.reason, request.asked_by, staff_id, now)
    decide_request(  # after the entry: the database looks for it
        connection, request_id, {"status": status, "decided_by": staff_id, "decided_at": now, "decision_note": note}
    )
    people.record_act(connection, f"reversal_{status}", now, staff_id, seq=request.seq, request=request_id)
    return reversing


def hands_in(request: ReversalRequest, entry: Entry) -> frozenset[int]:
    """Who has a part in a request already and does not decide on it: who asked, and its entry's two people."""
    return entry.hands | {request.asked_by}


def _append(connection: Connection, seq: int, content: _Content, now: datetime) -> int:
    body = _body(connection, seq, content, now)
    append_entry(
        connection,
        {
            "seq": seq,
            "evaluation_id": content.evaluation_id,
            "unit_id": content.unit_id,
            "component": content.component,
            "aspect": content.aspect,
            "rule": content.rule,
            "points": content.points,
            "reverses": content.reverses,
            "finding_id": content.finding_id,
            "basis": content.basis,
            "filed_by": content.filed_by,
            "decided_by": content.decided_by,
            "entered_at": now,
            "body": body,
            "leaf_hash": leaf_hash(canonical_json(body)),
            "evidence_root": content.evidence.root,
        },
    )
    people.record_act(connection, "ledger_entered", now, content.decided_by, seq=seq, reverses=content.reverses)
    emit(connection, "compose", f"{content.evaluation_id}:ledger", seq)
    emit(connection, "slips", str(seq), seq)  # the unit is told in writing
    return seq


def _evidence(connection: Connection, finding_id: UUID | None, instead_of: int | None) -> Evidence:
    """What a deduction rests on, in the order in which its root is built."""
    if instead_of is not None:
        if (body := body_numbered(connection, instead_of)) is None:
            raise Refused("not_found")
        return Evidence.of_body(body)
    if finding_id is None:
        return Evidence()
    finding = finding_numbered(connection, finding_id)
    uploads = upload_digests(connection, finding_id)
    return Evidence(finding.photos if finding else (), uploads)


def _body(connection: Connection, seq: int, content: _Content, now: datetime) -> dict[str, Any]:
    """The JSON that the leaf hash covers: text and whole numbers only, readable without the database."""
    units = {unit.id: unit.code for unit in evaluations.units_of(connection, content.evaluation_id)}
    return {
        "format": FORMAT,
        "seq": seq,
        "evaluation": evaluations.evaluation_numbered(connection, content.evaluation_id).code,
        "unit": units[content.unit_id],
        "component": content.component,
        "aspect": content.aspect,
        "rule": content.rule,
        "points": plain(content.points),
        "reverses": content.reverses,
        "instead_of": content.instead_of,
        "finding": str(content.finding_id) if content.finding_id else None,
        "basis": content.basis,
        "evidence": [sha256.hex() for sha256 in content.evidence.photos],
        "uploads": [digest.hex() for digest in content.evidence.uploads],
        "evidence_root": content.evidence.root.hex(),
        "filed_by": content.filed_by,
        "decided_by": content.decided_by,
        "entered_at": now.astimezone(UTC).isoformat(timespec="microseconds"),
    }


def _check(connection: Connection, evaluation_id: int, unit_id: int, component: str, points: Decimal) -> None:
    evaluation = evaluations.evaluation_numbered(connection, evaluation_id)
    found = load_scheme(evaluation.scheme).by_path.get(component)
    if found is None or "deductions" not in found.takes:
        raise Refused("ledger_component_unknown", "component", value=component[:60])
    if unit_id not in {unit.id for unit in evaluations.units_of(connection, evaluation_id)}:
        raise Refused("ledger_unit_unknown", "unit")
    if not (points.is_finite() and 0 < points < MOST_POINTS and points == round(points, 4)):
        raise Refused("ledger_points_unfit", "points", value=str(points)[:40])


def _reversible(connection: Connection, seq: int) -> Entry:
    entry = entry_numbered(connection, seq)
    if entry is None:
        raise Refused("not_found")
    if entry.reverses is not None:
        raise Refused("entry_is_reversal", seq=seq)
    if (done := reversal_of(connection, seq)) is not None:
        raise Refused("entry_reversed", seq=seq, by=done.seq)
    return entry


def _unobjected(connection: Connection, seq: int) -> None:
    """An objection is decided as one, with its explanation and by people who had no part in the entry."""
    objected = objection_of(connection, seq)
    if objected is not None and not objected.is_decided:
        raise Refused("reversal_objected", seq=seq)
