"""The clock's part: it reminds units of what is due soon and urges what is overdue, each slip once.

What the office itself owes to an objection and lets pass is written into the audit, once, and stands as 督办 on its
overview until it is done.

A clock that stood still writes what is right now, not what it missed: no reminder after the day itself, and one urging,
the next a week later. One that goes back writes nothing twice, for slips are known by their keys.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from api.actions.due import day_of, end_of, terms_of
from api.actions.objections import decide_by, owed_too_late
from api.actions.slips import Issue, issue
from api.store import evaluations, people
from api.store.ledger import Entry, entry_numbered
from api.store.objections import hold_undecided
from api.store.rectifications import Rectification, add_step, change_rectification, hold_free, waiting_for_units
from api.store.slips import slips_about
from survey_forms.refusal import Refused

URGED_EVERY = timedelta(days=7)
ESCALATES_AT = 2
"""Urgings after which the overdue matter is put before the office's leaders."""


def remind_due(connection: Connection, now: datetime) -> int:
    """Write every reminder and urging that is due at this moment; how many slips. Doing it again writes none.

    What the office owes and is late with goes into the audit beside it (`note_late_objections`).
    """
    note_late_objections(connection, now)
    count = 0
    for key in waiting_for_units(connection):
        found = hold_free(connection, key)
        if found is None or found.status not in {"ordered", "returned"} or found.is_void:
            continue
        entry = entry_numbered(connection, found.seq)
        if entry is None:
            raise Refused("not_found")
        count += _remind(connection, found, entry, now) or _urge(connection, found, entry, now)
    return count


def note_late_objections(connection: Connection, now: datetime) -> int:
    """Write into the audit which explanations and decisions are overdue at this moment, each once; how many lines."""
    count = 0
    for found in hold_undecided(connection, now):
        entry = entry_numbered(connection, found.seq)
        if entry is None:
            raise Refused("not_found")
        terms = terms_of(evaluations.evaluation_numbered(connection, entry.evaluation_id).scheme)
        owed = owed_too_late(found, terms, now)
        if owed is None or people.is_recorded(connection, "objection_late", objection=found.id, owed=owed):
            continue
        due = found.due_at if owed == "explanation" else decide_by(found, terms)
        last = day_of(due).isoformat()
        people.record_act(connection, "objection_late", now, objection=found.id, seq=found.seq, owed=owed, due_on=last)
        count += 1
    return count


def _remind(connection: Connection, found: Rectification, entry: Entry, now: datetime) -> bool:
    scheme = evaluations.evaluation_numbered(connection, found.evaluation_id).scheme
    days = (found.due_on - day_of(now)).days
    if not 0 <= days <= terms_of(scheme).reminder_days:
        return False
    says = {"demand": found.demand, "due_on": found.due_on.isoformat(), "days_left": days}
    return _write(connection, found, entry, ("reminder", f"reminder:{found.id}:{found.due_on}", "reminded"), says, now)


def _urge(connection: Connection, found: Rectification, entry: Entry, now: datetime) -> bool:
    today = day_of(now)
    if today <= found.due_on or today < _next_urging(connection, found):
        return False
    times = found.escalated + 1
    says = {
        "demand": found.demand,
        "due_on": found.due_on.isoformat(),
        "days_late": (today - found.due_on).days,
        "times": times,
        "escalated": times >= ESCALATES_AT,
    }
    key = f"urging:{found.id}:{found.due_on}:{times}"
    if not _write(connection, found, entry, ("urging", key, "urged"), says, now):
        return False
    change_rectification(connection, found.id, {"escalated": times})
    if times == ESCALATES_AT:
        add_step(connection, found.id, "escalated", None, now)
    return True


def _next_urging(connection: Connection, found: Rectification) -> date:
    """The day after it was due, and then a week after the last urging."""
    urged = [one.issued_at for one in slips_about(connection, found.id) if one.kind == "urging"]
    return day_of(max(urged)) + URGED_EVERY if found.escalated and urged else found.due_on + timedelta(days=1)


def _write(  # noqa: PLR0913, PLR0917 - a slip and its step
    connection: Connection,
    found: Rectification,
    entry: Entry,
    what: tuple[str, str, str],  # the slip's kind and key, and the step's kind
    says: dict[str, object],
    now: datetime,
) -> bool:
    kind, key, step = what
    slip = Issue(kind, key, entry, says, end_of(found.due_on), rectification_id=found.id)
    if issue(connection, slip, now) is None:
        return False
    add_step(connection, found.id, step, None, now)
    return True
