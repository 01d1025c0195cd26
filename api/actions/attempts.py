"""An attempt on a case: written once, whoever sends it twice, and the case moves by the rule of all its attempts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.store import cases, fieldwork
from api.store.cases import File
from api.store.windows import keep_unfrozen
from survey_forms.fieldwork.plan import Plan
from survey_forms.fieldwork.stage import Standing, standing
from survey_forms.refusal import Refused

LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Position:
    """Where a visit was made, WGS-84, and how well the device knew it, in metres."""

    latitude: float
    longitude: float
    accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt as an interviewer sends it; the page drew the key."""

    key: str
    case_id: int
    outcome: str
    note: str = ""
    position: Position | None = None


def planned(connection: Connection, survey_id: int) -> Plan:
    """How a survey is worked.

    Raises:
        Refused: `fieldwork_unplanned`.
    """
    plan = fieldwork.plan_of(connection, survey_id)
    if plan is None:
        raise Refused("fieldwork_unplanned")
    return plan


def own_file(connection: Connection, case_id: int, staff_id: int, now: datetime, *, late: bool = False) -> File:
    """A file that an interviewer holds, kept from everybody else until the transaction ends.

    With `late` a hold that ran out counts as long as nobody else took the case: what was tried was tried.

    Raises:
        Refused: `case_not_held` where it is another's, nobody's, or was given back meanwhile; `fieldwork_over` once the
            round is frozen.
    """
    survey_id = cases.survey_of(connection, case_id)
    window = keep_unfrozen(connection, survey_id) if survey_id is not None else None
    found = cases.hold_file(connection, case_id)
    if found is None or not (found.is_held_by(staff_id, now) or (late and found.held_by == staff_id)):
        raise Refused("case_not_held")
    if window is None or window.is_frozen:
        raise Refused("fieldwork_over")
    return found


def write(  # noqa: PLR0913, PLR0917 - the columns of an attempt
    connection: Connection,
    file: File,
    sent: Sent,
    staff_id: int | None,
    began_at: datetime,
    ended_at: datetime,
    now: datetime,
) -> Standing:
    """Write an attempt on a file that this transaction holds; move the case and end its hold.

    The same attempt again changes nothing. Returns where the case is now.

    Raises:
        Refused: `attempt_key_unfit` where the key is that of another attempt.
    """
    spot = sent.position
    is_new = fieldwork.add_attempt(
        connection,
        {
            "case_id": file.case_id,
            "key": sent.key,
            "mode": file.stage,
            "staff_id": staff_id,
            "began_at": began_at,
            "ended_at": max(began_at, ended_at),
            "outcome": sent.outcome,
            "note": sent.note,
            "latitude": spot.latitude if spot else None,
            "longitude": spot.longitude if spot else None,
            "accuracy": spot.accuracy if spot else None,
        },
    )
    if not is_new and fieldwork.attempt_known(connection, sent.key) != (file.case_id, sent.outcome):
        raise Refused("attempt_key_unfit", "key")
    found = standing(file.stage, fieldwork.attempts_of(connection, file.case_id), planned(connection, file.survey_id))
    # An appointment that began was kept or broken by this attempt; a case that is done needs none.
    fieldwork.end_bookings(connection, file.case_id, None if found.stage == "done" else now, now)
    cases.put_standing(connection, file.case_id, found, staff_id, ended_at)
    return found
