"""Flags of fieldwork: what the attempts themselves show, without an answer. They mark and never delete.

What the answers show is looked at after the count, by the worker (`api/actions/answer_quality.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection

from api.actions import supervision
from api.actions.hand_in import settle_all_left
from api.actions.supervision import is_interview
from api.store import fieldwork, flags, paradata
from api.store.flags import Flag, flagged_responses
from api.store.paradata import Tried
from api.store.people import record_act
from survey_forms.estimation.outcomes import class_of
from survey_forms.estimation.quality import Moments, Outlier, moments, outliers
from survey_forms.inspection.datum import Datum, Position
from survey_forms.inspection.presence import distance_m
from survey_forms.refusal import Refused

__all__ = ["flagged_responses", "judge_flag", "measures", "raise_field_flags"]

FEWEST_INTERVIEWS = 5
"""Of a mode, before one of them can be short for it."""

MOST_A_MINUTE = 3
NEAR_M = 2000.0
"""A visit farther from the address than this, beyond what the device itself was unsure of, was not there."""

LONGEST_JUDGEMENT = 1000


def raise_field_flags(connection: Connection, survey_id: int, now: datetime) -> int:
    """Look at all attempts of a survey and mark what cannot or hardly can be. Returns how many marks are new.

    Interviews whose browser was closed are settled first.
    """
    settle_all_left(connection, survey_id, now)
    tries = paradata.attempts_in(connection, survey_id)
    plan = fieldwork.plan_of(connection, survey_id)
    found = [*_lengths(tries), *_crowds(tries), *_places(tries, paradata.homes_of(connection, survey_id))]
    found += [
        _flag("overlap", one, other=other.id, seconds=_seconds_together(one, other))
        for one, other in supervision.overlaps(tries)
    ]
    found += [_flag("outside_hours", one) for one in tries if one.staff_id and supervision.outside_hours(one, plan)]
    for measure, rows in measures(tries).items():
        found += [
            Flag(measure, "interviewer", str(one.key), {"mean": one.mean, "others": one.others, "z": one.z, "p": one.p})
            for one in rows
            if one.stands_out
        ]
    return flags.put_flags(connection, survey_id, found, now)


def judge_flag(connection: Connection, survey_id: int, flag_id: int, words: str, staff_id: int, now: datetime) -> None:  # noqa: PLR0913, PLR0917
    """Write beside a flag what somebody made of it; the flag stays.

    Raises:
        Refused: `not_found`, `flag_judgement_missing`, `flag_judged`.
    """
    found = flags.flag_numbered(connection, flag_id)
    if found is None or found.survey_id != survey_id:
        raise Refused("not_found")
    if not 0 < len(words.strip()) <= LONGEST_JUDGEMENT:
        raise Refused("flag_judgement_missing", "judgement", most=LONGEST_JUDGEMENT)
    if found.judged_at is not None:
        raise Refused("flag_judged", "judgement")
    flags.put_judgement(connection, flag_id, words.strip(), staff_id, now)
    record_act(connection, "flag_judged", now, staff_id, survey=survey_id, flag=flag_id)


def measures(tries: Sequence[Tried]) -> dict[str, list[Outlier]]:
    """Each interviewer beside the others: contacts of attempts, completes of those asked, mean length in minutes."""
    by_whom: dict[int, list[Tried]] = {}
    for one in tries:
        if one.staff_id:
            by_whom.setdefault(one.staff_id, []).append(one)
    kinds: Mapping[str, Callable[[Tried], float | None]] = {
        "contact_rate": lambda one: float(class_of(one.outcome) in supervision.CONTACTS),
        "cooperation": lambda one: {"I": 1.0, "P": 1.0, "R": 0.0}.get(class_of(one.outcome)),
        "length": lambda one: one.seconds / 60 if is_interview(one) else None,
    }
    return {kind: outliers({who: _moments(mine, of) for who, mine in by_whom.items()}) for kind, of in kinds.items()}


def _moments(mine: Sequence[Tried], of: Callable[[Tried], float | None]) -> Moments:
    return moments(value for one in mine if (value := of(one)) is not None)


def _flag(kind: str, one: Tried, **more: object) -> Flag:
    facts = {"case": one.case_id, "mode": one.mode, "interviewer": one.staff_id, "began_at": one.began_at.isoformat()}
    return Flag(kind, "attempt", str(one.id), facts | more)


def _lengths(tries: Sequence[Tried]) -> Iterator[Flag]:
    """Interviews without a length, and those far shorter than their mode's usually are."""
    talks = [one for one in tries if is_interview(one) and one.staff_id]
    usual = supervision.medians(tries)
    enough = {mode for mode in usual if sum(one.mode == mode for one in talks) >= FEWEST_INTERVIEWS}
    for one in talks:
        if one.seconds < 1:
            yield _flag("no_duration", one, seconds=one.seconds)
        elif one.mode in enough and supervision.is_short(one, usual):
            yield _flag("speeding", one, seconds=one.seconds, median=usual[one.mode])


def _crowds(tries: Sequence[Tried]) -> Iterator[Flag]:
    """Attempts that ended with too many others of the same interviewer within one minute."""
    mine = sorted((one for one in tries if one.staff_id), key=lambda one: (one.staff_id or 0, one.ended_at, one.id))
    for _, some in groupby(mine, lambda one: one.staff_id):
        ended = list(some)
        for place in range(MOST_A_MINUTE, len(ended)):
            if ended[place].ended_at - ended[place - MOST_A_MINUTE].ended_at <= timedelta(minutes=1):
                yield _flag("crowded", ended[place], within_a_minute=MOST_A_MINUTE + 1)


def _places(tries: Sequence[Tried], homes: Mapping[int, tuple[float, float]]) -> Iterator[Flag]:
    """Visits that were made far from where the frame has the person."""
    for one in tries:
        if one.mode != "visit" or one.latitude is None or one.longitude is None or one.case_id not in homes:
            continue
        there = Position(one.latitude, one.longitude, Datum.WGS_84)
        metres = distance_m(there, Position(*homes[one.case_id], Datum.WGS_84))
        if metres > NEAR_M + (one.accuracy or 0.0):
            yield _flag("far_away", one, metres=round(metres), accuracy=one.accuracy)


def _seconds_together(one: Tried, other: Tried) -> float:
    return (min(one.ended_at, other.ended_at) - one.began_at).total_seconds()
