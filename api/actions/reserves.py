"""Reserves: the next in line is let out when a case is lost for good, never before, and everybody can count them."""

from datetime import datetime

from sqlalchemy import Connection

from api.actions.fieldwork import open_files
from api.store import people, reserves
from api.store.cases import hold_file
from api.store.windows import keep_unfrozen
from survey_forms.refusal import Refused
from survey_forms.sampling.reserve import next_reserve


def release_next(
    connection: Connection, survey_id: int, case_id: int, staff_id: int | None, now: datetime
) -> int | None:
    """Let the next reserve of the same stratum take the place of a case that is lost.

    The replacement is a case of its own, with a file of its own; both stand in every rate.

    Returns:
        The replacement's case; None where the stratum has no reserve left.

    Raises:
        Refused: `not_found`; `fieldwork_over`; `reserve_predecessor_open` before the file's end or where nobody
            tried, `reserve_predecessor_answered`, `reserve_replaced_already`, `reserve_not_released`,
            `reserve_unknown`.
    """
    window = keep_unfrozen(connection, survey_id)
    if window is not None and window.is_over(now):
        raise Refused("fieldwork_over")
    hold_file(connection, case_id)
    held = reserves.hold_drawn_case(connection, survey_id, case_id)
    if held is None:
        raise Refused("not_found")
    line = reserves.line_of(connection, held)
    try:
        following = next_reserve(list(line.values()), held.member)
    except Refused as refused:
        if refused.code == "reserve_none_left":
            return None
        raise
    reserve_id = next(number for number, one in line.items() if one is following)
    reserves.release(connection, reserve_id, case_id, staff_id, now)
    open_files(connection, survey_id, now)
    people.record_act(
        connection, "reserve_released", now, staff_id, survey=survey_id, case=reserve_id, predecessor=case_id
    )
    return reserve_id
