"""The office changes a survey's window: an early close, an extension; each with its reason, both in the audit.

What nobody handed in goes with the survey: drafts are deleted in the transaction that closes it, or within a minute
of the window's own end (`forget_drafts`, the worker's tick), pictures included.
"""

from datetime import datetime

from sqlalchemy import Connection

from api.actions.ballots import close_if_sealed
from api.store import people, rounds, windows
from api.store.roll import stratum_of_code
from api.store.windows import Window
from survey_forms.refusal import Fault, Refused


def close(connection: Connection, survey_id: int, reason: str, staff_id: int, now: datetime) -> None:
    """End an open survey now: each answer is wholly before it, and counts, or is refused. It cannot be taken back.

    Closing a survey that was closed early changes nothing.

    Raises:
        Refused: `not_found`; `survey_not_open`; `close_reason_missing`.
    """
    held = _hold(connection, survey_id)
    if held.closed_at is not None:
        return
    if held.is_over(now) or held.round_status != "open":
        raise Refused("survey_not_open")
    if not reason.strip():
        raise Refused("close_reason_missing", "reason")
    rounds.shut_out_answers(connection, [survey_id])
    windows.mark_closed(connection, survey_id, reason.strip(), now)
    close_if_sealed(connection, survey_id, staff_id, now)
    dropped = windows.drop_drafts_of(connection, [survey_id])
    people.record_act(
        connection,
        "survey_closed",
        now,
        staff_id,
        survey=survey_id,
        before=held.closes_at.isoformat(),
        after=now.isoformat(timespec="seconds"),
        reason=reason.strip(),
        drafts_deleted=dropped,
    )


def extend(  # noqa: PLR0913, PLR0917 - who, what, until when, why
    connection: Connection, survey_id: int, closes_at: datetime, reason: str, staff_id: int, now: datetime
) -> None:
    """Let a survey that is not over end later, at its round's end at the latest.

    Raises:
        Refused: `not_found`; `survey_not_open` also for one that is over: its drafts are gone, and in a sealed survey
            its boxes may have been counted; else everything wrong at once: `survey_extension_not_later`,
            `survey_beyond_round`, `survey_extension_reason_missing`.
    """
    held = _hold(connection, survey_id)
    if held.is_over(now):
        raise Refused("survey_not_open")
    faults = []
    if closes_at <= max(held.closes_at, now):
        faults.append(Fault("survey_extension_not_later", "closes_at"))
    elif closes_at > held.round_closes_at:
        faults.append(Fault("survey_beyond_round", "closes_at"))
    if not reason.strip():
        faults.append(Fault("survey_extension_reason_missing", "reason"))
    if faults:
        raise Refused.of(faults)
    windows.move_survey_end(connection, survey_id, closes_at)
    people.record_act(
        connection,
        "survey_extended",
        now,
        staff_id,
        survey=survey_id,
        before=held.closes_at.isoformat(),
        after=closes_at.isoformat(),
        reason=reason.strip(),
    )


def forget_drafts(connection: Connection, now: datetime) -> int:
    """Delete the drafts of every survey that is over, also those kept in the moment of its end; returns how many."""
    return windows.drop_drafts_of_closed(connection, now)


def has_closed(connection: Connection, mac: bytes, now: datetime) -> bool:
    """Whether an unspent code's survey is over: what somebody in the middle of answering may be told.

    Only for a code that opened it before, from the respondent's own sealed cookie; to whoever types a code there is
    one reply.
    """
    found = stratum_of_code(connection, mac)
    if found is None or found[2]:
        return False
    window = windows.window_of(connection, found[0])
    return window is not None and window.is_over(now)


def survey_of_code(connection: Connection, mac: bytes) -> int | None:
    """The survey of a code, spent or not; for codes from the respondent's own cookie."""
    found = stratum_of_code(connection, mac)
    return found[0] if found else None


def _hold(connection: Connection, survey_id: int) -> Window:
    held = windows.hold_window(connection, survey_id)
    if held is None:
        raise Refused("not_found")
    return held
