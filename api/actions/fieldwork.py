"""Working a survey's cases: the plan, the next case, what came of it, appointments, giving a case back.

A case is held by one interviewer and for a while; the page's sign of life renews the hold, and a laptop that was closed
gives the case back by falling silent. Names, numbers and addresses are opened for who holds the case, each time with a
line in the audit.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.actions import attempts, interviews
from api.actions.attempts import LONGEST_NOTE, Sent, planned
from api.actions.sealed_words import Safe
from api.store import cases, fieldwork, people, taking
from api.store.cases import CaseOutcome, File, outcomes_of
from api.store.windows import keep_unfrozen, window_of
from survey_forms.fieldwork.consequences import APPOINTMENT, BREAK_OFF, KEYS
from survey_forms.fieldwork.order import may_call
from survey_forms.fieldwork.plan import MODES, Plan, check_plan
from survey_forms.fieldwork.stage import Standing
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.contacts import Contact

__all__ = ["CaseOutcome", "outcomes_of"]

VISIT_HOLD = timedelta(hours=16)  # a working day: visits are taken in the morning, and a phone may be out of reach
MOST_VISITS_HELD = 20
LONGEST_APPOINTMENT = timedelta(hours=12)
MOST_TRIES = 50
KEY = re.compile(r"[0-9a-f]{32}")
"""Of an attempt that somebody sends, drawn by the page; those of the system's own attempts never look like it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An appointment as it is asked for; `own`: only the interviewer who makes it is to keep it."""

    key: str
    case_id: int
    begins_at: datetime
    ends_at: datetime
    own: bool = False
    note: str = ""


def set_plan(connection: Connection, survey_id: int, plan: Plan, staff_id: int, now: datetime) -> None:
    """Say how a survey is worked; its case files are opened, and those of a mode left out go to the next one.

    Raises:
        Refused: `not_found`, `listed_needs_sealed`, `fieldwork_over`, every fault of `check_plan`; every
            `fieldwork_mode_in_use`: a mode left out in which cases wait that no later mode would try.
    """
    window = keep_unfrozen(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    if window.is_over(now):
        raise Refused("fieldwork_over")
    if window.secrecy != "sealed":
        raise Refused("listed_needs_sealed")
    check_plan(plan)
    left_out = [mode for mode in MODES if mode not in plan.modes]
    cases.close_answered(connection, survey_id)
    waiting = cases.numbers_by_stage(connection, survey_id)
    stranded = [mode for mode in left_out if waiting.get(mode) and plan.after(mode) == "done"]
    if stranded:
        raise Refused.of(
            Fault("fieldwork_mode_in_use", "modes", {"mode": mode, "number": waiting[mode]}) for mode in stranded
        )
    fieldwork.put_plan(connection, survey_id, plan, staff_id, now)
    for mode in left_out:
        if waiting.get(mode):
            cases.move_unanswered(connection, survey_id, mode, plan.after(mode))
    people.record_act(connection, "fieldwork_planned", now, staff_id, survey=survey_id, modes=list(plan.modes))
    open_files(connection, survey_id, now)


def open_files(connection: Connection, survey_id: int, now: datetime) -> int:  # noqa: ARG001 - as every verb
    """Open a file for every case of the sample that has none; close those that have answered. Returns how many new.

    A new case begins with the plan's first mode; once the web's time is over, with the one after it.
    """
    plan = fieldwork.plan_of(connection, survey_id) or Plan()
    at = cases.numbers_by_stage(connection, survey_id)
    first = plan.after("web") if plan.modes[0] == "web" and at and not at.get("web") else plan.modes[0]
    opened = cases.add_files(connection, survey_id, plan.modes[0] if first == "done" else first)
    cases.close_answered(connection, survey_id)
    return opened


def leave_web(connection: Connection, survey_id: int, staff_id: int, now: datetime) -> int:
    """Let interviewers reach everybody who has not answered on the web. Returns how many; codes stay good.

    Raises:
        Refused: `fieldwork_unplanned`, `fieldwork_over`; `fieldwork_no_next_mode` where the plan ends with the web.
    """
    window = keep_unfrozen(connection, survey_id)
    if window is None or window.is_over(now):
        raise Refused("fieldwork_over")
    plan = planned(connection, survey_id)
    following = plan.after("web")
    if following == "done":
        raise Refused("fieldwork_no_next_mode")
    open_files(connection, survey_id, now)
    moved = cases.move_unanswered(connection, survey_id, "web", following)
    people.record_act(connection, "web_left", now, staff_id, survey=survey_id, cases=moved, mode=following)
    return moved


def take(connection: Connection, survey_id: int, stage: str, staff_id: int, now: datetime) -> File | None:
    """Take the next case of a stage. Who holds one at the telephone already is given that one again.

    Between the survey's end and the freeze of its round back-checks are left to do, and nothing else.

    Raises:
        Refused: `fieldwork_unplanned`, `fieldwork_not_open`; `visits_held` above the number one person may hold.
    """
    plan = planned(connection, survey_id)
    window = window_of(connection, survey_id)
    over = window is not None and window.is_over(now) and not window.is_frozen
    if window is None or not (window.is_open(now) or over):
        raise Refused("fieldwork_not_open")
    taking.one_hand(connection, staff_id)
    held = cases.held_files(connection, staff_id, stage, now)
    if stage == "phone" and held:
        return held[0]
    if len(held) >= MOST_VISITS_HELD:
        raise Refused("visits_held", most=MOST_VISITS_HELD)
    interviews.settle_left(connection, survey_id, now)
    until = now + (VISIT_HOLD if stage == "visit" else timedelta(minutes=plan.hold_minutes))
    for _ in range(MOST_TRIES):
        calling = may_call(now, plan)
        case_id = taking.take_next(
            connection, survey_id, stage, staff_id, calling=calling, now=now, until=until, only_checks=over
        )
        file = cases.hold_file(connection, case_id) if case_id is not None else None
        if file is None and not over and open_files(connection, survey_id, now):
            continue  # cases were drawn, or reserves released, since somebody asked last
        if file is None:
            return None
        if not interviews.settle(connection, file, now):  # it answered this very moment, or its interview was left
            people.record_act(connection, "case_taken", now, staff_id, survey=survey_id, case=file.case_id)
            return file
    return None


def beat(connection: Connection, case_id: int, staff_id: int, now: datetime) -> None:
    """The page that holds a case is open still.

    Raises:
        Refused: `case_not_held` where the hold ran out, or the person has answered on the web.
    """
    file = attempts.own_file(connection, case_id, staff_id, now)
    until = now + timedelta(minutes=planned(connection, file.survey_id).hold_minutes)
    cases.extend_holds(connection, staff_id, "phone", now, until)


def reveal(connection: Connection, safe: Safe, file: File, staff_id: int, now: datetime) -> Contact:
    """How to reach a case, for who holds it; the audit says who saw it.

    Raises:
        Refused: `case_not_held`; `contact_unreadable`.
    """
    if not file.is_held_by(staff_id, now):
        raise Refused("case_not_held")
    people.record_act(connection, "contact_shown", now, staff_id, survey=file.survey_id, case=file.case_id)
    return safe.open_contact(file.case_id, file.contact) if file.contact else Contact()


def record(connection: Connection, sent: Sent, staff_id: int, now: datetime) -> Standing:
    """Write what came of an attempt and give the case back. The same key again is the same attempt.

    Raises:
        Refused: `case_not_held`; `fieldwork_over`; every fault at once: `attempt_key_unfit`, `outcome_unfit` for one
            that is not of the case's mode, `attempt_note_long`, `attempt_place_unfit`.
    """
    if found := _known(connection, sent.key, sent.case_id):
        return found
    file = attempts.own_file(connection, sent.case_id, staff_id, now, late=True)
    faults = _faults(sent)
    if sent.outcome not in {*KEYS.get(file.stage, {}).values(), BREAK_OFF}:
        faults.append(Fault("outcome_unfit", "outcome"))
    if faults:
        raise Refused.of(faults)
    if interviews.settle(connection, file, now):
        return _standing(connection, sent.case_id)
    return attempts.write(connection, file, sent, staff_id, file.held_at or now, now, now)


def appoint(connection: Connection, wish: Wish, staff_id: int, now: datetime) -> Standing:
    """Make an appointment in the place of earlier ones; the talk in which it was made is an attempt of its own.

    Raises:
        Refused: `case_not_held`; `fieldwork_over`; every fault at once: `appointment_order`, `appointment_past`,
            `appointment_late` after the survey's end, `attempt_key_unfit`, `attempt_note_long`.
    """
    if found := _known(connection, wish.key, wish.case_id):
        return found
    file = attempts.own_file(connection, wish.case_id, staff_id, now, late=True)
    sent = Sent(wish.key, wish.case_id, APPOINTMENT, wish.note)
    window = window_of(connection, file.survey_id)
    faults = _faults(sent)
    if not wish.begins_at < wish.ends_at <= wish.begins_at + LONGEST_APPOINTMENT:
        faults.append(Fault("appointment_order", "begins_at"))
    if wish.ends_at <= now:
        faults.append(Fault("appointment_past", "begins_at"))
    if window is None or wish.begins_at >= window.closes_at:
        faults.append(Fault("appointment_late", "begins_at"))
    if faults:
        raise Refused.of(faults)
    if interviews.settle(connection, file, now):
        return _standing(connection, wish.case_id)
    found = attempts.write(connection, file, sent, staff_id, file.held_at or now, now, now)
    if found.stage != "done":
        fieldwork.end_bookings(connection, wish.case_id, None, now)
        values = {
            "case_id": wish.case_id,
            "begins_at": wish.begins_at,
            "ends_at": wish.ends_at,
            "for_staff": staff_id if wish.own else None,
            "made_by": staff_id,
            "made_at": now,
        }
        fieldwork.add_appointment(connection, values)
    return found


def hand_back(connection: Connection, case_id: int, staff_id: int, now: datetime) -> None:
    """Give a case back untried; an interview that ran ends.

    Raises:
        Refused: `case_not_held`.
    """
    file = attempts.own_file(connection, case_id, staff_id, now)
    if not interviews.settle(connection, file, now):
        cases.give_back(connection, case_id)
        people.record_act(connection, "case_given_back", now, staff_id, survey=file.survey_id, case=case_id)


def _faults(sent: Sent) -> list[Fault]:
    faults = []
    if not KEY.fullmatch(sent.key):
        faults.append(Fault("attempt_key_unfit", "key"))
    if len(sent.note) > LONGEST_NOTE:
        faults.append(Fault("attempt_note_long", "note", {"most": LONGEST_NOTE}))
    if (spot := sent.position) is not None:
        fits = abs(spot.latitude) <= 90 and abs(spot.longitude) <= 180
        if not fits or not 0 <= (spot.accuracy or 0) <= 100_000:
            faults.append(Fault("attempt_place_unfit", "position"))
    return faults


def _known(connection: Connection, key: str, case_id: int) -> Standing | None:
    """Where a case is whose attempt with this key was written before; its file is held from here on."""
    survey_id = cases.survey_of(connection, case_id)
    if survey_id is not None:
        keep_unfrozen(connection, survey_id)  # before the file, by the order of locks
    cases.hold_file(connection, case_id)  # first: the same attempt may be on its way in another request
    known = fieldwork.attempt_known(connection, key)
    if known is not None and (known[0] != case_id or not KEY.fullmatch(key)):
        raise Refused("attempt_key_unfit", "key")
    return None if known is None else _standing(connection, case_id)


def _standing(connection: Connection, case_id: int) -> Standing:
    file = cases.file_of(connection, case_id)
    if file is None:
        raise Refused("not_found")
    return Standing(file.stage, file.outcome, file.attempts, file.refusals, file.not_before)
