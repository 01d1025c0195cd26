"""Quotas: a place is reserved when an interview starts, so that no cell is ever overshot.

All quota questions are asked before anybody is screened out: weights need the traits of those, too, for whom there
was no place. A place is kept for `PLACE_FOR`; an interview that never ended gives it back when another needs it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.store import quotas
from api.store.base import dumps
from api.store.people import record_act
from api.store.quotas import QuotaCell
from api.store.windows import window_of
from survey_forms.refusal import Fault, Refused

PLACE_FOR = timedelta(hours=2)
"""Longer than any interview: only one that was forgotten loses its place."""

LONGEST_REASON = 500
CLOSINGS = ("soft", "hard")
"""soft: interviews under way may end; hard: none may complete."""


def take_place(
    connection: Connection, survey_id: int, case_id: int, traits: Mapping[str, str], now: datetime
) -> bool | None:
    """Reserve a place in every cell that a case belongs to, or in none. Asking again renews the places it has.

    Args:
        connection: in a transaction, which holds the cells until its end.
        survey_id: whose quotas.
        case_id: who is to be interviewed.
        traits: the answers to all quota questions, e.g. `{"age": "18-34", "sex": "f"}`.
        now: the time.

    Returns:
        None where no quota applies; False where a cell is full or closed (outcome 4.80).

    Raises:
        Refused: `quota_trait_missing`, naming every question that has not been asked.
    """
    needed = quotas.trait_names(connection, survey_id)
    unasked = [name for name in needed if not traits.get(name, "").strip()]
    if unasked:
        raise Refused.of(Fault("quota_trait_missing", name, {"trait": name}) for name in unasked)
    mine = {name: traits[name] for name in needed}
    cells = quotas.hold_cells(connection, quotas.cells_matching(connection, survey_id, mine))
    if not cells:
        return None
    held = quotas.places_of(connection, case_id)
    wanted = [cell.id for cell in cells if cell.id not in held]
    if any(_is_shut(cell, begun=cell.id in held) for cell in cells):
        return False
    until = now + PLACE_FOR
    quotas.renew_places(connection, case_id, until)
    quotas.give_back_expired(connection, wanted, now)
    with connection.begin_nested() as attempt:
        if all(quotas.take_in(connection, cell_id, case_id, now, until) for cell_id in wanted):
            return True
        attempt.rollback()
    return False


def may_end(connection: Connection, case_id: int, now: datetime) -> bool:
    """Whether an interview that is being handed in may complete: it has its places still, or takes them again.

    A place is lost where it ran out and another took it. The caller holds the case's cells. Where the answer is False
    places may have been taken again all the same: end the interview, which gives them back.
    """
    mine = quotas.hold_cells(connection, quotas.cells_held_by_case(connection, case_id))
    if any(cell.closed_at is not None and cell.closing == "hard" for cell in mine):
        return False
    lost = quotas.places_lost(connection, case_id)
    quotas.give_back_expired(connection, lost, now)
    return all(quotas.take_again(connection, cell_id, case_id, now + PLACE_FOR) for cell_id in lost)


def fill_place(connection: Connection, case_id: int, now: datetime) -> bool:  # noqa: ARG001 - as every verb
    """The interview is complete: its places are taken for good. Whether it had any."""
    cells = quotas.hold_cells(connection, quotas.cells_held_by_case(connection, case_id))
    held = quotas.places_of(connection, case_id)
    if not held:
        return False
    quotas.fill(connection, case_id)
    set_priorities(connection, cells[0].survey_id)
    return True


def give_back(connection: Connection, case_id: int, now: datetime) -> None:  # noqa: ARG001 - as every verb
    """The interview was broken off: its places are free again. What is complete stays."""
    quotas.hold_cells(connection, quotas.cells_held_by_case(connection, case_id))
    quotas.give_back_of_case(connection, case_id)


def close_cell(  # noqa: PLR0913, PLR0917 - who, what, how, why and when
    connection: Connection, survey_id: int, cell_id: int, closing: str, reason: str, staff_id: int, now: datetime
) -> None:
    """Let no more interviews begin in a cell; with `hard` let none complete either (`may_end`).

    Raises:
        Refused: `not_found`, `quota_round_over`, `quota_closing_unfit`, `quota_reason_missing`.
    """
    cell = _held(connection, survey_id, cell_id)
    if closing not in CLOSINGS:
        raise Refused("quota_closing_unfit", "closing")
    quotas.put_cell(connection, {"closing": closing, "closed_at": now, "closed_by": staff_id}, cell_id)
    _tell(connection, "quota_closed", cell, reason, staff_id, now, closing=closing)


def reopen_cell(  # noqa: PLR0913, PLR0917 - as `close_cell`
    connection: Connection, survey_id: int, cell_id: int, reason: str, staff_id: int, now: datetime
) -> None:
    """Let interviews begin again in a closed cell.

    Raises:
        Refused: `not_found`, `quota_round_over`, `quota_reason_missing`.
    """
    cell = _held(connection, survey_id, cell_id)
    quotas.put_cell(connection, {"closing": "soft", "closed_at": None, "closed_by": None}, cell_id)
    _tell(connection, "quota_reopened", cell, reason, staff_id, now)


def set_priorities(connection: Connection, survey_id: int) -> None:
    """Give each case file the priority of the most urgent open cell that it belongs to."""
    open_cells = [cell for cell in quotas.cells_of(connection, survey_id) if cell.closed_at is None]
    urgent = [(dumps(cell.traits), cell.priority) for cell in open_cells if cell.taken < cell.places]
    quotas.set_priorities(connection, survey_id, urgent)


def _is_shut(cell: QuotaCell, *, begun: bool) -> bool:
    """Whether a cell keeps somebody out, and somebody who has begun there, too."""
    return cell.closed_at is not None and (cell.closing == "hard" or not begun)


def may_change(connection: Connection, survey_id: int) -> None:
    """Nothing is changed about the quotas of a round that takes no answers any more: they tell how it was made.

    Raises:
        Refused: `not_found`, `quota_round_over`.
    """
    window = window_of(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    if window.round_status not in {"draft", "open"}:
        raise Refused("quota_round_over")


def _held(connection: Connection, survey_id: int, cell_id: int) -> QuotaCell:
    may_change(connection, survey_id)
    cells = quotas.hold_cells(connection, [cell_id])
    if not cells or cells[0].survey_id != survey_id:
        raise Refused("not_found")
    return cells[0]


def _tell(  # noqa: PLR0913, PLR0917 - the columns of the audit
    connection: Connection, act: str, cell: QuotaCell, reason: str, staff_id: int, now: datetime, **about: object
) -> None:
    """Record what was done to a cell, and let the desk follow it."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise Refused("quota_reason_missing", "reason", most=LONGEST_REASON)
    facts = {"survey": cell.survey_id, "cell": cell.name_zh, "reason": reason.strip(), **about}
    record_act(connection, act, now, staff_id, **facts)
    set_priorities(connection, cell.survey_id)
