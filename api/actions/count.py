"""The answers come back from the counting table: checked against the closing, written once, counted by the worker."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from api.actions.ballots import at_odds
from api.actions.booths import local_day
from api.store import closings, people, surveys
from api.store.closings import Closed, Counted
from survey_forms.ballot.files import Opened, Result
from survey_forms.ballot.roots import counts_of
from survey_forms.refusal import Fault, Refused

AT_ONCE = 1000


def load(  # noqa: PLR0913, PLR0917 - what, whose, as announced, who, when
    connection: Connection, survey_id: int, result: Result, digest: str, staff_id: int | None, now: datetime
) -> bool:
    """Write the answers of a count; True when they are new, False when just these were written before.

    Args:
        connection: the transaction; all of it or nothing.
        survey_id: whose.
        result: the count's file.
        digest: the result's digest as the custodians announced it, typed by whoever loads: not copied from the file.
        staff_id: who loads it; None at the console.
        now: the moment.

    Raises:
        Refused: `ballot_not_closed`; `ballot_counted_otherwise`; `loader_closed`, for it takes another person; else
            everything that does not fit: `result_not_announced`, `result_of_other_boxes`, `result_count_differs`
            by stratum, `result_form_unknown`, `ballot_at_odds`.
    """
    closed = closings.closing_of(connection, survey_id, hold=True)
    if closed is None:
        raise Refused("ballot_not_closed")
    if closed.counted_at is not None:
        if closed.result_digest == result.digest:
            return False
        raise Refused("ballot_counted_otherwise")
    if staff_id is not None and staff_id == closed.closed_by:
        raise Refused("loader_closed")
    faults = [] if digest.strip().lower() == result.digest else [Fault("result_not_announced", "digest")]
    faults += _misfits(connection, closed, result)
    if faults:
        raise Refused.of(faults)
    day = local_day(closed.closed_at)
    answers = [_counted(one) for one in result.answers]
    for start in range(0, len(answers), AT_ONCE):
        closings.load_counted(connection, survey_id, day, answers[start : start + AT_ONCE])
    closings.mark_result(connection, survey_id, result.digest, staff_id, now)
    people.record_act(
        connection,
        "ballot_counted",
        now,
        staff_id,
        survey=survey_id,
        answers=len(result.answers),
        spoiled=sum(result.spoiled.values()),
        result_digest=result.digest,
    )
    return True


def _counted(one: Opened) -> Counted:
    envelope, about = one.envelope, one.envelope.about
    return Counted(
        uuid4(), one.stratum, about.wcell, about.mode, about.interviewer, envelope.form_version, envelope.answers
    )


def _misfits(connection: Connection, closed: Closed, result: Result) -> list[Fault]:
    """Counted and spoiled boxes are the closed ones, stratum by stratum, and the codes that were spent."""
    faults = []
    if (result.survey_id, result.box_root) != (closed.survey_id, closed.box_root):
        faults.append(Fault("result_of_other_boxes"))
    counted = counts_of(one.stratum for one in result.answers)
    forms = {group.code: group.form_version for group in surveys.groups_of(connection, closed.survey_id)}
    form_of = {one.code: forms[one.group] for one in surveys.strata_of(connection, closed.survey_id)}
    for stratum in sorted({*counted, *result.spoiled, *closed.counts}):
        found = counted.get(stratum, 0) + result.spoiled.get(stratum, 0)
        if found != closed.counts.get(stratum, 0):
            faults.append(
                Fault("result_count_differs", stratum, {"found": found, "boxes": closed.counts.get(stratum, 0)})
            )
    strange = {one.stratum for one in result.answers if one.envelope.form_version != form_of.get(one.stratum)}
    faults += [Fault("result_form_unknown", stratum) for stratum in sorted(strange)]
    return faults + at_odds(connection, closed.survey_id)
