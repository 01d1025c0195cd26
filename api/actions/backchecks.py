"""Back-checks: some interviews, chosen by chance, and every flagged one are checked by somebody else.

Four questions, the same for everybody, about whether the interview took place; never what was answered. What the
person said is written by who calls; the verdict by a second person. Back-checks are in no rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.actions import attempts
from api.actions.attempts import Sent
from api.actions.hand_in import settle_all_left
from api.actions.sealed_words import Safe
from api.actions.tally import form_of_version
from api.store import backchecks, cases, surveys
from api.store.backchecks import Check, Done
from api.store.evaluations import Unit, units_of
from api.store.people import record_act
from api.store.windows import window_of
from survey_forms.fieldwork.consequences import COMPLETE
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.assign import block_units, rated_units
from survey_forms.sampling.backchecks import Interview, choose, ticket_of

TOOK_PLACE = ("yes", "no", "unsure")
TOLD_ANSWERS = ("yes", "no", "unsure")
VERDICTS = ("confirmed", "doubtful", "false", "not_reached")
LONGEST_MINUTES = 600
MOST_SUBJECTS = 600


@dataclass(frozen=True, slots=True)
class Said:
    """The answers to the four questions; the subjects are those of the case's own questionnaire, by their codes."""

    took_place: str
    day: str = ""  # as the person remembers it
    minutes: int | None = None
    subjects: tuple[str, ...] = ()
    told_answers: str = "no"


def choose_checks(connection: Connection, safe: Safe, survey_id: int, staff_id: int, now: datetime) -> tuple[int, int]:
    """Open back-checks of a survey: by chance, and of every flagged interview. Asking again opens nothing twice.

    Interviews whose browser was closed are settled first: one that was handed in is complete whoever noticed it.

    Returns:
        How many were opened by chance, and how many for a flag.

    Raises:
        Refused: `fieldwork_unplanned`.
    """
    percent = attempts.planned(connection, survey_id).backcheck_percent
    backchecks.hold_checks(connection, survey_id)
    settle_all_left(connection, survey_id, now)
    checked = {one.checks for one in backchecks.checks_of(connection, survey_id)}
    done = {one.case_id: one for one in backchecks.completed(connection, survey_id)}
    window = window_of(connection, survey_id)
    over = window is not None and window.is_over(now) and not backchecks.is_any_open(connection, survey_id)
    drawn = [Interview(one.case_id, one.interviewer, _ticket(one)) for one in done.values()]
    chosen = [done[one.case_id] for one in choose(drawn, percent, over=over) if one.case_id not in checked]
    taken = checked | {one.case_id for one in chosen}
    flagged = [
        done[case_id] for case_id in sorted(backchecks.flagged_cases(connection, survey_id) - taken) if case_id in done
    ]
    for one in chosen:
        _open(connection, safe, one, "random", survey_id, now)
    for one in flagged:
        _open(connection, safe, one, "flag", survey_id, now)
    if chosen or flagged:
        about = {"survey": survey_id, "by_chance": len(chosen), "flagged": len(flagged)}
        record_act(connection, "backchecks_chosen", now, staff_id, **about)
    return len(chosen), len(flagged)


def shown_to(connection: Connection, case_id: int, staff_id: int, now: datetime) -> Check:
    """A back-check for who asks its questions: who holds its case, or did until they were answered.

    Raises:
        Refused: `not_found`; `backcheck_own` for who made the interview; `case_not_held`.
    """
    check = backchecks.check_of(connection, case_id)
    if check is None:
        raise Refused("not_found")
    if check.interviewer == staff_id:
        raise Refused("backcheck_own")
    file = cases.file_of(connection, case_id)
    asked = check.said is not None and check.said.get("asked_by") == staff_id
    if not asked and (file is None or not file.is_held_by(staff_id, now)):
        raise Refused("case_not_held")
    return check


def write_said(connection: Connection, case_id: int, said: Said, staff_id: int, now: datetime) -> None:
    """Write what the person said; the case is done.

    Raises:
        Refused: `not_found`, `backcheck_own` for who made the interview, `case_not_held`, and every fault at once:
            `backcheck_choice_missing`, `backcheck_minutes_unfit`, `backcheck_subjects_unfit`.
    """
    check = _held(connection, case_id)
    if check.interviewer == staff_id:
        raise Refused("backcheck_own")
    file = attempts.own_file(connection, case_id, staff_id, now)
    faults = _faults(said)
    if faults:
        raise Refused.of(faults)
    facts: dict[str, Any] = {"took_place": said.took_place, "told_answers": said.told_answers, "asked_by": staff_id}
    if said.took_place != "no":
        facts |= {"day": said.day, "minutes": said.minutes, "subjects": list(said.subjects)}
    backchecks.put_said(connection, case_id, facts)
    sent = Sent(f"backcheck-{case_id}", case_id, COMPLETE)
    attempts.write(connection, file, sent, staff_id, file.held_at or now, now, now)


def judge(connection: Connection, survey_id: int, case_id: int, verdict: str, staff_id: int, now: datetime) -> None:  # noqa: PLR0913, PLR0917 - which, what, who, when
    """Write the verdict of a second person, who neither made the interview nor asked the questions.

    Raises:
        Refused: `not_found`, `backcheck_verdict_unfit`, `backcheck_second_person`, `backcheck_unasked` for a verdict on
            nothing that was said; `backcheck_judged`.
    """
    check = _held(connection, case_id)
    if check.survey_id != survey_id:
        raise Refused("not_found")
    if verdict not in VERDICTS:
        raise Refused("backcheck_verdict_unfit", "verdict")
    if check.verdict is not None:
        raise Refused("backcheck_judged", "verdict")
    asked = {check.interviewer, (check.said or {}).get("asked_by")}
    if staff_id in asked or backchecks.asked_by(connection, case_id, staff_id):
        raise Refused("backcheck_second_person", "verdict")
    if (check.said is None) != (verdict == "not_reached"):
        raise Refused("backcheck_unasked", "verdict")
    backchecks.put_verdict(connection, case_id, verdict, staff_id, now)
    record_act(connection, "backcheck_judged", now, staff_id, survey=check.survey_id, case=case_id, verdict=verdict)


def subjects_of(connection: Connection, check: Check) -> list[Unit]:
    """The units that the checked interview's questionnaire asked about: those of its block, in its order."""
    stratum = backchecks.stratum_of(connection, check.case_id)
    booth = surveys.booths(connection)[check.survey_id, stratum]
    units = rated_units(form_of_version(connection, booth.form_version))
    asked = block_units(units, booth.units_per_respondent, backchecks.block_of(connection, check.checks))
    known = {unit.code: unit for unit in units_of(connection, booth.evaluation_id)}
    return [known[code] for code in asked if code in known]


def results_of(checks: list[Check]) -> Mapping[int, Mapping[str, int]]:
    """Interviewer → verdict (`open` where there is none yet) → how many."""
    found: dict[int, dict[str, int]] = {}
    for check in checks:
        mine = found.setdefault(check.interviewer, dict.fromkeys((*VERDICTS, "open"), 0))
        mine[check.verdict or "open"] += 1
    return found


def _ticket(done: Done) -> str:
    return ticket_of(done.seed, done.case_ticket, done.began_at)


def _open(connection: Connection, safe: Safe, done: Done, reason: str, survey_id: int, now: datetime) -> None:  # noqa: PLR0913, PLR0917
    case_id = backchecks.add_check(connection, done, _ticket(done), reason, survey_id, now)
    sealed = backchecks.sealed_contact(connection, done.case_id)
    if sealed is not None:
        contact = safe.open_contact(done.case_id, sealed)
        backchecks.put_contact(connection, case_id, safe.seal_contact(case_id, contact))


def _held(connection: Connection, case_id: int) -> Check:
    check = backchecks.check_of(connection, case_id, hold=True)
    if check is None:
        raise Refused("not_found")
    return check


def _faults(said: Said) -> list[Fault]:
    faults = []
    if said.took_place not in TOOK_PLACE:
        faults.append(Fault("backcheck_choice_missing", "took_place"))
    if said.told_answers not in TOLD_ANSWERS:
        faults.append(Fault("backcheck_choice_missing", "told_answers"))
    if said.minutes is not None and not 0 <= said.minutes <= LONGEST_MINUTES:
        faults.append(Fault("backcheck_minutes_unfit", "minutes", {"most": LONGEST_MINUTES}))
    if len(said.subjects) > MOST_SUBJECTS or len(said.day) > 10:
        faults.append(Fault("backcheck_subjects_unfit", "subjects"))
    return faults
