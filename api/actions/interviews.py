"""An interview is the respondent's own pages under a code of its own, opened in the interviewer's browser.

While it runs the case's other unspent codes are suspended; a break-off gives them back. All of it happens under the
lock of the case's codes, which whoever answers must pass: one answer a case, whatever happens at the same moment.

The interview's code is made, handed to the browser and forgotten. A break-off therefore keeps nothing: what was filled
in is deleted with the draft, for nobody could open it again, and the next interview begins from the first question.
An answer is handed in whole or not at all, so no interview is ever partial (1.2): below that it is a break-off (2.12).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from api.actions import attempts, quotas
from api.actions.attempts import Sent
from api.actions.drafts import Drawer, forget_draft
from api.actions.invitations import Code, mint
from api.actions.tally import form_of_version
from api.store import backchecks, case_codes, cases, invitations, listed, people, surveys
from api.store.case_codes import CaseCode
from api.store.cases import File
from api.store.quotas import cells_of
from api.store.windows import window_of
from survey_forms.fieldwork.consequences import COMPLETE, QUOTA_FULL
from survey_forms.fieldwork.stage import Standing
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.assign import blocks_for, rated_units

LONGEST_INTERVIEW = timedelta(hours=2)
"""An interview holds its case so long without a sign of life: the questionnaire's pages give none."""

ELSE = "other"
"""A quota answer that is none of the cells' levels."""


def quota_questions(connection: Connection, file: File) -> dict[str, list[str]]:
    """What is to be asked before an interview: quota trait → its levels; those that the frame tells are not here."""
    levels: dict[str, set[str]] = {}
    for cell in cells_of(connection, file.survey_id):
        for name, level in cell.traits.items():
            levels.setdefault(name, set()).add(level)
    return {name: sorted(found) for name, found in sorted(levels.items()) if name not in file.traits}


def begin(  # noqa: PLR0913, PLR0917 - whose, what they said, who, when
    connection: Connection, pepper: bytes, case_id: int, answers: Mapping[str, str], staff_id: int, now: datetime
) -> Code | Literal["full", "answered"]:
    """Begin an interview with a case that the interviewer holds.

    Returns:
        The code that opens the questionnaire, known to nobody else; `full` where a quota had no place (written as
        4.80, after all quota questions were asked); `answered` where the person answered on the web meanwhile.

    Raises:
        Refused: `case_not_held`, `fieldwork_not_open`, `backcheck_no_interview`; every `quota_answer_unfit`;
            `too_few_for_blocks`.
    """
    file = attempts.own_file(connection, case_id, staff_id, now)
    window = window_of(connection, file.survey_id)
    if window is None or not window.is_open(now):
        raise Refused("fieldwork_not_open")
    if backchecks.check_of(connection, case_id):
        raise Refused("backcheck_no_interview")
    listed.hold_cases(connection, [case_id])  # against an invitation of this very moment
    codes = case_codes.hold_codes(connection, case_id)
    if answered(connection, file, codes, now):
        return "answered"
    _end(connection, file, codes, now)
    traits = {**_asked(quota_questions(connection, file), answers), **file.traits}
    if quotas.take_place(connection, file.survey_id, case_id, traits, now) is False:
        full = Sent(f"full-{case_id}-{now.timestamp():.0f}", case_id, QUOTA_FULL)
        attempts.write(connection, file, full, staff_id, file.held_at or now, now, now)
        return "full"
    case_codes.set_revoked(connection, [one.mac for one in codes], revoked=True)
    code = _minted(connection, pepper, file, codes, staff_id, now)
    cases.put_interview(connection, case_id, code.mac, now, now + LONGEST_INTERVIEW)
    people.record_act(connection, "interview_begun", now, staff_id, survey=file.survey_id, case=case_id)
    return code


def answered(connection: Connection, file: File, codes: list[CaseCode], now: datetime) -> bool:
    """Whether the case has answered; if so it is closed: complete by the interview, or on the web."""
    spent = next((one.mac for one in codes if one.spent), None)
    if spent is None:
        return False
    if spent == file.interview:
        began, who = file.held_at or now, case_codes.interviewer_of(connection, spent)
        done = Sent(f"interview-{spent.hex()}", file.case_id, COMPLETE)
        attempts.write(connection, file, done, who, began, min(now, file.held_until or now), now)
        quotas.fill_place(connection, file.case_id, now)
    else:
        quotas.give_back(connection, file.case_id, now)
        closed = Standing("done", COMPLETE, file.attempts, file.refusals)
        cases.put_standing(connection, file.case_id, closed, file.held_by, file.last_at or now)
    return True


def settle(connection: Connection, file: File, now: datetime) -> bool:
    """Close a case that has answered, else end the interview that ran; whether it has answered.

    The caller's transaction holds the file.
    """
    codes = case_codes.hold_codes(connection, file.case_id)
    if answered(connection, file, codes, now):
        return True
    _end(connection, file, codes, now)
    return False


def noticed(connection: Connection, file: File, now: datetime) -> bool:
    """Close a case that has answered, and leave an interview that runs alone; whether it has answered."""
    return answered(connection, file, case_codes.hold_codes(connection, file.case_id), now)


def settle_left(connection: Connection, survey_id: int, now: datetime, most: int = 20) -> int:
    """End the interviews whose browser was closed or lost: count what was handed in, give codes back for the rest."""
    left = cases.left_interviews(connection, survey_id, now, most)
    for case_id in left:
        file = cases.hold_file(connection, case_id)
        if file is not None and not settle(connection, file, now):
            cases.give_back(connection, case_id)
    return len(left)


def forget(connection: Connection, pepper: bytes, code: str) -> None:
    """Delete what was filled in under an interview's code (canonical)."""
    forget_draft(connection, Drawer.of(pepper, code))


def _end(connection: Connection, file: File, codes: list[CaseCode], now: datetime) -> None:
    """Take an interview's code back, if one runs, and give the case its own code back: the newest that it was sent.

    Older ones were replaced when that was made, and those of a revoked batch stay revoked.
    """
    if file.interview is None:
        return
    case_codes.set_revoked(connection, [file.interview], revoked=True)
    cases.end_interview(connection, file.case_id)
    own = [one for one in codes if one.kind != "interview"]
    if own and not own[-1].voided:
        case_codes.set_revoked(connection, [own[-1].mac], revoked=False)
    quotas.give_back(connection, file.case_id, now)
    # Whose it was: the file may be in the next one's hands by now.
    who = case_codes.interviewer_of(connection, file.interview)
    people.record_act(connection, "interview_broken_off", now, who, survey=file.survey_id, case=file.case_id)


def _asked(questions: Mapping[str, list[str]], answers: Mapping[str, str]) -> dict[str, str]:
    given = {name: answers.get(name, "") for name in questions}
    wrong = [name for name, level in given.items() if level not in {*questions[name], ELSE}]
    if wrong:
        raise Refused.of(Fault("quota_answer_unfit", name, {"trait": name}) for name in wrong)
    return given


def _minted(  # noqa: PLR0913, PLR0917 - what a code is made of
    connection: Connection, pepper: bytes, file: File, codes: list[CaseCode], staff_id: int, now: datetime
) -> Code:
    batch_id = case_codes.interview_batch(connection, file.survey_id)
    if batch_id is None:
        invitations.hold_invitations(connection, file.survey_id)
        batch_id = case_codes.interview_batch(connection, file.survey_id) or invitations.add_batch(
            connection, file.survey_id, "interview", {}, staff_id, now
        )
    over = codes[-1].blocks if codes else _blocks(connection, file)
    about = invitations.Whose(file.wcell, file.stage, staff_id)
    (code,) = mint(connection, pepper, file.survey_id, batch_id, file.stratum, [None], whose=[about], over=over)
    listed.link_codes(connection, [(code.mac, file.case_id)])
    return code


def _blocks(connection: Connection, file: File) -> int | None:
    """Over how many blocks of units a case that never had a code draws its own; None where everybody rates all."""
    booth = surveys.booths(connection)[file.survey_id, file.stratum]
    per = booth.units_per_respondent
    if per is None:
        return None
    known = invitations.blocks_over(connection, file.survey_id).get(file.stratum)
    units = rated_units(form_of_version(connection, booth.form_version))
    return known or blocks_for(cases.sample_size(connection, file.survey_id, file.stratum), len(units), per)
