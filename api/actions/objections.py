"""A unit objects to a deduction; the office explains; somebody who had no hand in it decides, once.

The score follows the ledger alone: a decision for the unit is a reversing entry, and where fewer points are right a new
entry `instead_of` the old one. Who may do what stands in docs/objections.md; the database refuses the wrong person too.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from api.actions import ledger
from api.actions.due import day_of, end_after, is_over, terms_of
from api.actions.papers import PaperSent, further_papers, keep_papers
from api.actions.slips import Issue, issue
from api.objects import Objects
from api.store import evaluations, people
from api.store.ledger import Entry, entry_numbered, lock_ledger, reversal_of
from api.store.objections import (
    Objection,
    change_objection,
    objection_numbered,
    objection_of,
    objection_that_led_to,
    put_objection,
)
from api.store.papers import papers_of_objection
from api.store.slips import slip_of
from survey_forms.numbers import plain
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_catalogue
from survey_forms.scheme.model import Terms

VERDICTS = ("upheld", "reduced", "dismissed")


@dataclass(frozen=True, slots=True)
class ObjectionSent:
    """What a unit says against an entry, with its papers."""

    seq: int
    unit_id: int
    staff_id: int
    grounds: str
    papers: tuple[PaperSent, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionSent:
    """How somebody of the office decides; `points` are those that stand when it is reduced."""

    objection_id: int
    staff_id: int
    verdict: str  # one of VERDICTS
    note: str
    points: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a decision left in the ledger."""

    points: Decimal
    reversal: int | None = None
    replacement: int | None = None


def term_of(connection: Connection, entry: Entry) -> date | None:
    """The unit's last day to object to an entry, from the day on which it was told; None while it was not told."""
    told = slip_of(connection, entry.seq)
    return day_of(told.due_at) if told and told.due_at else None


def file_objection(connection: Connection, objects: Objects, sent: ObjectionSent, now: datetime) -> int:
    """Object to one's own entry; the same objection again by the same person is the same one.

    Papers that come with it again and are not kept yet are added, until the office has explained.

    Returns:
        The objection's key.

    Raises:
        Refused: `not_found`; `objection_needs_deduction`, `objection_final`, `objection_of_reversed`,
            `objection_late`, `objection_filed`, `objection_papers_late`; `objection_grounds_missing`,
            `papers_too_many`.
    """
    entry = entry_numbered(connection, sent.seq)
    if entry is None or entry.unit_id != sent.unit_id:
        raise Refused("not_found")
    known = objection_of(connection, sent.seq)
    if known is not None:
        return _same(connection, objects, sent, now)
    may_object(connection, entry, now)
    if not sent.grounds:
        raise Refused("objection_grounds_missing", "grounds")
    terms = _terms(connection, entry)
    key = put_objection(
        connection,
        {
            "seq": entry.seq,
            "unit_id": entry.unit_id,
            "entry_filed_by": entry.filed_by,
            "entry_decided_by": entry.decided_by,
            "grounds": sent.grounds,
            "filed_by": sent.staff_id,
            "filed_at": now,
            "due_at": end_after(now, terms.explanation_days),
        },
    )
    if key is None:  # somebody else of the unit, or the same press again, was first
        return _same(connection, objects, sent, now)
    keep_papers(connection, objects, sent.papers, objection_id=key, staff_id=sent.staff_id, now=now)
    people.record_act(connection, "objection_filed", now, sent.staff_id, objection=key, seq=entry.seq)
    return key


def may_object(connection: Connection, entry: Entry, now: datetime) -> None:
    """Refuse where nobody can object to an entry any more, or never could.

    Raises:
        Refused: `objection_needs_deduction`, `objection_final`, `objection_of_reversed`, `objection_late`.
    """
    if entry.reverses is not None:
        raise Refused("objection_needs_deduction", seq=entry.seq)
    before = objection_that_led_to(connection, entry.seq)
    if before is not None:
        raise Refused("objection_final", seq=entry.seq, before=before.seq)
    done = reversal_of(connection, entry.seq)
    if done is not None:
        raise Refused("objection_of_reversed", seq=entry.seq, by=done.seq)
    told = slip_of(connection, entry.seq)
    if told and told.due_at and is_over(told.due_at, now):
        raise Refused("objection_late", seq=entry.seq, last=day_of(told.due_at).isoformat())


def explain(connection: Connection, objection_id: int, staff_id: int, explanation: str, now: datetime) -> None:
    """Say for the office how the deduction came about; said again by the same person in the same words, once.

    Whoever filed or confirmed the entry may explain it, and may not decide then.

    Raises:
        Refused: `not_found`, `objection_explanation_missing`, `objection_explained`.
    """
    found = objection_numbered(connection, objection_id, lock=True)
    if found is None:
        raise Refused("not_found")
    if found.explained_by is not None:
        if (found.explained_by, found.explanation) != (staff_id, explanation):
            raise Refused("objection_explained", name=found.explainer or "")
        return
    if not explanation:
        raise Refused("objection_explanation_missing", "explanation")
    said = {"explanation": explanation, "explained_by": staff_id, "explained_at": now, "status": "explained"}
    change_objection(connection, objection_id, said)
    people.record_act(connection, "objection_explained", now, staff_id, objection=objection_id, seq=found.seq)


def decide(connection: Connection, sent: DecisionSent, now: datetime) -> None:
    """Decide on an objection: once, with reasons, by somebody who had no part in it.

    A deduction that was reversed meanwhile leaves one decision: for the unit.

    Raises:
        Refused: `not_found`, `objection_unexplained`, `objection_decided`, `objection_involved`,
            `objection_verdict_unknown`, `objection_note_missing`, `objection_points_unfit`, `objection_entry_gone`.
    """
    found = objection_numbered(connection, sent.objection_id, lock=True)
    if found is None:
        raise Refused("not_found")
    if sent.verdict not in VERDICTS:
        raise Refused("objection_verdict_unknown", "verdict")
    if found.is_decided:
        asked = sent.points if sent.verdict == "reduced" else found.points
        if (found.decided_by, found.status, found.points) != (sent.staff_id, sent.verdict, asked):
            raise Refused("objection_decided", name=found.decider or "")
        return
    if sent.staff_id in found.involved:
        raise Refused("objection_involved")
    if found.status == "filed":
        raise Refused("objection_unexplained")
    if not sent.note:
        raise Refused("objection_note_missing", "note")
    entry = entry_numbered(connection, found.seq)
    if entry is None:
        raise Refused("not_found")
    outcome = _settle(connection, found, entry, sent, now)
    decision = {
        "status": sent.verdict,
        "decided_by": sent.staff_id,
        "decided_at": now,
        "decision_note": sent.note,
        "points": outcome.points,
        "reversal_seq": outcome.reversal,
        "replacement_seq": outcome.replacement,
    }
    change_objection(connection, found.id, decision)
    people.record_act(
        connection, "objection_decided", now, sent.staff_id, objection=found.id, seq=found.seq, verdict=sent.verdict
    )
    says = {"verdict": sent.verdict, "note": sent.note, "left": plain(outcome.points), "grounds": found.grounds}
    told = says | {"by": outcome.reversal, "instead": outcome.replacement, "explanation": found.explanation}
    key = f"objection:{found.id}"
    issue(connection, Issue("decision", key, entry, told, issued_by=sent.staff_id), now)


def decide_by(found: Objection, terms: Terms) -> datetime:
    """The end of the last day to decide."""
    return end_after(found.filed_at, terms.decision_days)


def owed_too_late(found: Objection, terms: Terms, now: datetime) -> str | None:
    """What the office has let the last day pass for: the decision, or before it the explanation; None for neither."""
    if found.is_decided:
        return None
    if is_over(decide_by(found, terms), now):
        return "decision"
    return "explanation" if found.status == "filed" and is_over(found.due_at, now) else None


def _settle(connection: Connection, found: Objection, entry: Entry, sent: DecisionSent, now: datetime) -> _Outcome:
    """Write into the ledger what the decision asks for, with the ledger held: nobody reverses the entry meanwhile."""
    lock_ledger(connection)
    gone = reversal_of(connection, entry.seq)
    if gone is not None:
        if sent.verdict != "upheld":
            raise Refused("objection_entry_gone", "verdict", seq=entry.seq, by=gone.seq)
        return _Outcome(Decimal(0), gone.seq)
    if sent.verdict == "dismissed":
        return _Outcome(entry.points)
    if sent.verdict == "upheld":
        return _Outcome(Decimal(0), _reverse(connection, found, sent, now))
    points = _fewer(connection, entry, sent.points)
    reversal = _reverse(connection, found, sent, now)
    replacement = ledger.enter(
        connection,
        evaluation_id=entry.evaluation_id,
        unit_id=entry.unit_id,
        component=entry.component,
        aspect=entry.aspect,
        rule=entry.rule,
        points=points,
        basis=entry.basis,
        filed_by=found.explained_by or entry.filed_by,
        decided_by=sent.staff_id,
        instead_of=entry.seq,
        now=now,
    )
    return _Outcome(points, reversal, replacement)


def _reverse(connection: Connection, found: Objection, sent: DecisionSent, now: datetime) -> int:
    return ledger.reverse(connection, found.seq, sent.note, found.filed_by, sent.staff_id, now)


def _fewer(connection: Connection, entry: Entry, points: Decimal | None) -> Decimal:
    """The points that stand instead: fewer than were deducted, and of the rule's range."""
    evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
    catalogue = load_catalogue(evaluation.scheme)
    rule = catalogue.rule(entry.rule) if catalogue else None
    if points is not None and points.is_finite() and 0 < points < entry.points and points == round(points, 4):
        if rule is None or rule.allows(points):
            return points
        if rule.points is not None:
            raise Refused("objection_points_fixed", "points", points=plain(rule.points))
    least = plain(rule.points_min) if rule and rule.points_min is not None else "0"
    raise Refused("objection_points_unfit", "points", least=least, below=plain(entry.points))


def _same(connection: Connection, objects: Objects, sent: ObjectionSent, now: datetime) -> int:
    """The standing objection's key if this is that one; papers that it lacks are added until the office explains."""
    first = objection_of(connection, sent.seq)
    known = first and objection_numbered(connection, first.id, lock=True)
    if known is None:
        raise Refused("try_again")
    if (known.filed_by, known.grounds) != (sent.staff_id, sent.grounds):
        raise Refused("objection_filed", seq=known.seq, name=known.filer)
    papers = further_papers(papers_of_objection(connection, known.id), sent.papers)
    if papers and known.status != "filed":
        raise Refused("objection_papers_late", "papers", seq=known.seq)
    keep_papers(connection, objects, papers, objection_id=known.id, staff_id=sent.staff_id, now=now)
    return known.id


def _terms(connection: Connection, entry: Entry) -> Terms:
    return terms_of(evaluations.evaluation_numbered(connection, entry.evaluation_id).scheme)
