"""What a unit must put right: ordered, proven, looked at again, returned, extended, closed; each step stays.

Whoever ordered it does not close it, and nobody closes what they handed in; the database refuses both too. While a
re-inspection is under way nothing is closed. docs/objections.md has the rules.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from api.actions.due import day_of, end_of, terms_of
from api.actions.papers import PaperSent, further_papers, keep_papers
from api.actions.revisits import revisit_under_way
from api.actions.slips import Issue, issue
from api.objects import Objects
from api.store import evaluations, people
from api.store.ledger import Entry, entry_numbered, reversal_of
from api.store.papers import papers_of_rectification
from api.store.rectifications import (
    Rectification,
    Step,
    add_step,
    change_rectification,
    put_rectification,
    rectification_numbered,
    rectification_of,
    steps_of,
)
from api.store.revisits import hold_revisits
from api.store.slips import slips_about
from survey_forms.refusal import Fault, Refused

LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class OrderSent:
    """What is demanded after an entry; a day other than the usual one needs its reason."""

    seq: int
    staff_id: int
    demand: str
    due_on: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProofSent:
    """What a unit says that it put right, with its papers."""

    rectification_id: int
    unit_id: int
    staff_id: int
    note: str
    papers: tuple[PaperSent, ...] = ()


def usual_day(connection: Connection, entry: Entry, now: datetime) -> date:
    """The day on which an order of now is due if nobody says otherwise."""
    evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
    return day_of(now) + timedelta(days=terms_of(evaluation.scheme).rectification_days)


def order(connection: Connection, sent: OrderSent, now: datetime) -> int:
    """Order a unit to put something right; the same order again is the same one.

    Returns:
        The rectification's key.

    Raises:
        Refused: `not_found`, `rectification_of_reversed`, `rectification_ordered`; `rectification_demand_missing`,
            `rectification_due_unfit`, `rectification_reason_missing`.
    """
    entry = entry_numbered(connection, sent.seq)
    if entry is None:
        raise Refused("not_found")
    known = rectification_of(connection, sent.seq)
    if known is not None:
        return _same(connection, known, entry, sent)
    if entry.reverses is not None or reversal_of(connection, entry.seq) is not None:
        raise Refused("rectification_of_reversed", seq=entry.seq)
    due_on = sent.due_on or usual_day(connection, entry, now)
    faults = [] if sent.demand else [Fault("rectification_demand_missing", "demand")]
    if not day_of(now) < due_on <= day_of(now) + timedelta(days=LONGEST_DAYS):
        faults.append(Fault("rectification_due_unfit", "due_on"))
    elif due_on != usual_day(connection, entry, now) and not sent.reason:
        faults.append(Fault("rectification_reason_missing", "reason"))
    if faults:
        raise Refused.of(faults)
    key = put_rectification(
        connection,
        {
            "evaluation_id": entry.evaluation_id,
            "seq": entry.seq,
            "unit_id": entry.unit_id,
            "demand": sent.demand,
            "ordered_by": sent.staff_id,
            "ordered_at": now,
            "due_on": due_on,
        },
    )
    if key is None:
        first = rectification_of(connection, sent.seq)
        if first is None:
            raise Refused("try_again")
        return _same(connection, first, entry, sent)
    add_step(connection, key, "ordered", sent.staff_id, now, sent.reason)
    _record(connection, "ordered", key, sent.staff_id, now, due_on=due_on.isoformat())
    says = {"demand": sent.demand, "due_on": due_on.isoformat(), "reason": sent.reason}
    slip = Issue("rectification", f"rectification:{key}", entry, says, end_of(due_on), sent.staff_id, key)
    issue(connection, slip, now)
    return key


def prove(connection: Connection, objects: Objects, sent: ProofSent, now: datetime) -> None:
    """Hand in for the unit what was put right; late is better than never, and shown as late.

    The same words again by the same person, while they wait, are the same proof: further papers are added to it.

    Raises:
        Refused: `not_found`, `rectification_closed`, `rectification_proven`, `rectification_proof_missing`,
            `papers_too_many`.
    """
    found = _hold(connection, sent.rectification_id)
    if found.unit_id != sent.unit_id:
        raise Refused("not_found")
    _refuse_closed(found)
    if found.status == "proven":
        _add_to_proof(connection, objects, sent, now)
        return
    if not sent.note:
        raise Refused("rectification_proof_missing", "note")
    step = add_step(connection, found.id, "proven", sent.staff_id, now, sent.note)
    keep_papers(connection, objects, sent.papers, step_id=step, staff_id=sent.staff_id, now=now)
    change_rectification(connection, found.id, {"status": "proven"})
    _record(connection, "proven", found.id, sent.staff_id, now)


def send_back(connection: Connection, key: int, staff_id: int, reason: str, now: datetime) -> None:
    """Return a proof that does not do, with the reason; the unit proves anew, and has time to.

    It gets the days that were left to it when it handed in, and no fewer than those of a reminder, counted from now:
    what the office took to look is not the unit's. Urgings that there were stay counted.

    Raises:
        Refused: `not_found`, `rectification_closed`, `rectification_not_proven`, `rectification_reason_missing`.
    """
    found = _hold(connection, key)
    _refuse_closed(found)
    if found.status == "returned":
        last = _last(connection, key, "returned")
        if (last.staff_id, last.note) == (staff_id, reason):
            return
    if found.status != "proven":
        raise Refused("rectification_not_proven")
    if not reason:
        raise Refused("rectification_reason_missing", "reason")
    due_on = _day_after_return(connection, found, now)
    add_step(connection, key, "returned", staff_id, now, reason)
    change_rectification(connection, key, {"status": "returned"})
    _record(connection, "returned", key, staff_id, now, due_on=due_on.isoformat())
    if due_on > found.due_on:
        add_step(connection, key, "extended", staff_id, now, f"{found.due_on} → {due_on}")
        change_rectification(connection, key, {"due_on": due_on})


def extend(  # noqa: PLR0913, PLR0917 - which, until when, why, by whom and when
    connection: Connection, key: int, due_on: date, reason: str, staff_id: int, now: datetime
) -> None:
    """Give a unit more time, with the reason; reminders and urgings are counted from the new day.

    Raises:
        Refused: `not_found`, `rectification_closed`, `rectification_due_unfit`, `rectification_reason_missing`.
    """
    found = _hold(connection, key)
    last = steps_of(connection, key)[-1]
    if found.due_on == due_on and (last.kind, last.staff_id) == ("extended", staff_id):
        return
    _refuse_closed(found)
    faults = [] if reason else [Fault("rectification_reason_missing", "reason")]
    today = day_of(now)
    if not max(found.due_on, today) < due_on <= today + timedelta(days=LONGEST_DAYS):
        faults.append(Fault("rectification_due_unfit", "due_on"))
    if faults:
        raise Refused.of(faults)
    add_step(connection, key, "extended", staff_id, now, f"{found.due_on} → {due_on} {reason}")
    change_rectification(connection, key, {"due_on": due_on, "escalated": 0})
    _record(connection, "extended", key, staff_id, now, before=found.due_on.isoformat(), after=due_on.isoformat())


def close(  # noqa: PLR0913, PLR0917 - which, under which key, by whom, why and when
    connection: Connection, key: int, secret_key: bytes, staff_id: int, note: str, now: datetime
) -> None:
    """Find a rectification done: by another than whoever ordered it. One of a reversed entry is closed unproven.

    Raises:
        Refused: `not_found`, `rectification_closed` by somebody else, `rectification_orderer`,
            `rectification_not_proven`, `rectification_reason_missing`, `rectification_revisit_open`.
    """
    hold_revisits(connection, key)
    found = _hold(connection, key)
    if found.status == "closed" and found.closed_by == staff_id:
        return
    _refuse_closed(found)
    if found.ordered_by == staff_id:
        raise Refused("rectification_orderer")
    if found.status != "proven" and not found.is_void:
        raise Refused("rectification_not_proven")
    if not note:
        raise Refused("rectification_reason_missing", "note")
    if revisit_under_way(connection, secret_key, key) is not None:
        raise Refused("rectification_revisit_open")  # last, and kept (`note_told`): nobody asks the seal unseen
    add_step(connection, key, "closed", staff_id, now, note)
    change_rectification(connection, key, {"status": "closed", "closed_by": staff_id, "closed_at": now})
    _record(connection, "closed", key, staff_id, now)


def _add_to_proof(connection: Connection, objects: Objects, sent: ProofSent, now: datetime) -> None:
    """Add to a proof that waits the papers that it does not have yet; it is not said anew."""
    last = _last(connection, sent.rectification_id, "proven")
    if (last.staff_id, last.note) != (sent.staff_id, sent.note):
        raise Refused("rectification_proven")
    kept = [one for one in papers_of_rectification(connection, sent.rectification_id) if one.step_id == last.id]
    papers = further_papers(kept, sent.papers)
    keep_papers(connection, objects, papers, step_id=last.id, staff_id=sent.staff_id, now=now)


def _day_after_return(connection: Connection, found: Rectification, now: datetime) -> date:
    left = (found.due_on - day_of(_last(connection, found.id, "proven").at)).days
    least = terms_of(evaluations.evaluation_numbered(connection, found.evaluation_id).scheme).reminder_days
    return max(found.due_on, day_of(now) + timedelta(days=max(left, least)))


def _last(connection: Connection, key: int, kind: str) -> Step:
    return next(one for one in reversed(steps_of(connection, key)) if one.kind == kind)


def _hold(connection: Connection, key: int) -> Rectification:
    found = rectification_numbered(connection, key, lock=True)
    if found is None:
        raise Refused("not_found")
    return found


def _refuse_closed(found: Rectification) -> None:
    if found.status == "closed":
        raise Refused("rectification_closed")


def _same(connection: Connection, known: Rectification, entry: Entry, sent: OrderSent) -> int:
    """The standing order's key if this is that order: by the same person, in the same words, due on the same day."""
    told = next(one for one in slips_about(connection, known.id) if one.kind == "rectification").about
    due_on = sent.due_on or usual_day(connection, entry, known.ordered_at)
    asked = (sent.seq, sent.staff_id, sent.demand, due_on.isoformat(), sent.reason)
    if asked != (known.seq, known.ordered_by, known.demand, told["due_on"], told["reason"]):
        raise Refused("rectification_ordered", seq=known.seq)
    return known.id


def _record(connection: Connection, what: str, key: int, staff_id: int, now: datetime, **more: object) -> None:
    people.record_act(connection, f"rectification_{what}", now, staff_id, rectification=key, **more)
