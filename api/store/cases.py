"""The case files at work: who holds which, where each stands, what came of it.

`held_until` decides who holds a file, not the session: a laptop that was closed gives its case back by doing nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, literal, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.fieldwork import case_file, contact_attempt
from api.store.roll import IN_SAMPLE, access_code, case, case_code, contact, draw, frame, frame_member
from api.store.surveys import stratum
from survey_forms.estimation.outcomes import final_of
from survey_forms.fieldwork.consequences import COMPLETE, INVITED, NOT_TRIED
from survey_forms.fieldwork.stage import Standing


class CaseOutcome(NamedTuple):
    """A case that rates are taken of: its weighting cell, its inclusion probability and its final outcome.

    `inclusion` is None where the draw took n of N of its stratum.
    """

    case_id: int
    stratum: str
    wcell: str
    inclusion: float | None
    outcome: str


def outcomes_of(connection: Connection, survey_id: int) -> list[CaseOutcome]:
    """The final outcome of each case of a survey that is in its sample, by number.

    1.1 where a code of the case is spent; else the strongest of its attempts; without any, 3.19 where it was given a
    code (an invitation went out and nothing came back) and 3.11 where it was not.
    """
    tried = (
        select(
            contact_attempt.c.case_id,
            func.array_agg(aggregate_order_by(contact_attempt.c.outcome, contact_attempt.c.id)).label("outcomes"),
        )
        .group_by(contact_attempt.c.case_id)
        .subquery()
    )
    coded = (
        select(case_code.c.case_id, func.bool_or(access_code.c.spent).label("spent"))
        .join(access_code, access_code.c.mac == case_code.c.mac)
        .where(access_code.c.survey_id == survey_id)
        .group_by(case_code.c.case_id)
        .subquery()
    )
    wanted: Select[Any] = (
        select(
            *(case.c.id, case.c.stratum, func.coalesce(case.c.wcell, case.c.stratum), case.c.inclusion),
            *(tried.c.outcomes, coded.c.spent),
        )
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .outerjoin(tried, tried.c.case_id == case.c.id)
        .outerjoin(coded, coded.c.case_id == case.c.id)
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        .order_by(case.c.id)
    )
    rows = connection.execute(wanted)
    return [CaseOutcome(row[0], row[1], row[2], row[3], _outcome(row[4], row[5])) for row in rows]


def _outcome(outcomes: Sequence[str] | None, spent: bool | None) -> str:  # noqa: FBT001 - the column, None: no code
    if spent:
        return COMPLETE
    if outcomes:
        return final_of(outcomes)
    return NOT_TRIED if spent is None else INVITED


@dataclass(frozen=True, slots=True)
class File:
    """A case's file. Who is behind it is sealed and stays out of anything that is printed."""

    case_id: int
    survey_id: int
    stage: str
    outcome: str | None
    attempts: int
    refusals: int
    last_at: datetime | None
    not_before: datetime | None
    held_by: int | None
    held_at: datetime | None
    held_until: datetime | None
    interview: bytes | None = field(repr=False)
    stratum: str
    stratum_zh: str
    stratum_en: str
    wcell: str
    member: str
    position: int
    traits: Mapping[str, str]
    contact: bytes | None = field(repr=False)

    def is_held_by(self, staff_id: int, now: datetime) -> bool:
        """Whether somebody holds it now."""
        return self.held_by == staff_id and self.held_until is not None and self.held_until > now


_OWN = ("case_id", "survey_id", "stage", "outcome", "attempts", "refusals", "last_at", "not_before")
_HOLD = ("held_by", "held_at", "held_until", "interview")
_FILE: Select[Any] = (
    select(
        *(case_file.c[name] for name in (*_OWN, *_HOLD)),
        case.c.stratum,
        func.coalesce(stratum.c.name_zh, case.c.stratum),
        func.coalesce(stratum.c.name_en, case.c.stratum),
        func.coalesce(case.c.wcell, case.c.stratum),
        case.c.member,
        case.c.position,
        frame_member.c.traits,
        contact.c.sealed,
    )
    .join(case, case.c.id == case_file.c.case_id)
    .join(draw, draw.c.id == case.c.draw_id)
    .outerjoin(frame_member, (frame_member.c.frame_id == draw.c.frame_id) & (frame_member.c.member == case.c.member))
    .outerjoin(stratum, (stratum.c.survey_id == case_file.c.survey_id) & (stratum.c.code == case.c.stratum))
    .outerjoin(contact, contact.c.case_id == case.c.id)
)


def add_files(connection: Connection, survey_id: int, stage: str) -> int:
    """Open a file for each case in the sample that has none, at a stage. Returns how many."""
    wanted = (
        select(case.c.id, literal(survey_id), literal(stage))
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
    )
    statement = upsert(case_file).from_select(["case_id", "survey_id", "stage"], wanted).on_conflict_do_nothing()
    return len(connection.execute(statement.returning(case_file.c.case_id)).all())


_SPENT = (
    select(case_code.c.case_id)
    .join(access_code, access_code.c.mac == case_code.c.mac)
    .where(case_code.c.case_id == case_file.c.case_id, access_code.c.spent)
    .exists()
)


def close_answered(connection: Connection, survey_id: int) -> int:
    """Close the files, held by nobody, of cases that have answered with a code of their own. Returns how many."""
    return connection.execute(
        update(case_file)
        .where(case_file.c.survey_id == survey_id, case_file.c.stage != "done", case_file.c.held_by.is_(None), _SPENT)
        .values(stage="done", outcome=COMPLETE, not_before=None)
    ).rowcount


def move_unanswered(connection: Connection, survey_id: int, stage: str, following: str) -> int:
    """Put the files at a stage into the one that follows. Returns how many."""
    return connection.execute(
        update(case_file)
        .where(case_file.c.survey_id == survey_id, case_file.c.stage == stage)
        .values(stage=following, not_before=None)
    ).rowcount


def numbers_by_stage(connection: Connection, survey_id: int) -> dict[str, int]:
    """How many files are at each stage."""
    rows = connection.execute(
        select(case_file.c.stage, func.count()).where(case_file.c.survey_id == survey_id).group_by(case_file.c.stage)
    )
    return {row[0]: row[1] for row in rows}


def hold_file(connection: Connection, case_id: int) -> File | None:
    """A file, kept from everybody else until the transaction ends."""
    row = connection.execute(_FILE.where(case_file.c.case_id == case_id).with_for_update(of=case_file)).first()
    return _file(row) if row else None


def survey_of(connection: Connection, case_id: int) -> int | None:
    """The survey of a case that has a file."""
    found: int | None = connection.execute(select(case_file.c.survey_id).where(case_file.c.case_id == case_id)).scalar()
    return found


def file_of(connection: Connection, case_id: int) -> File | None:
    """A file as it is now."""
    row = connection.execute(_FILE.where(case_file.c.case_id == case_id)).first()
    return _file(row) if row else None


def case_interviewed(connection: Connection, mac: bytes) -> int | None:
    """The case whose interview runs under a code."""
    found: int | None = connection.execute(select(case_file.c.case_id).where(case_file.c.interview == mac)).scalar()
    return found


def held_files(connection: Connection, staff_id: int, stage: str, now: datetime) -> list[File]:
    """What somebody holds at a stage, by the time of taking."""
    rows = connection.execute(
        _FILE.where(case_file.c.held_by == staff_id, case_file.c.stage == stage, case_file.c.held_until > now).order_by(
            case_file.c.held_at, case_file.c.case_id
        )
    )
    return [_file(row) for row in rows]


def left_interviews(connection: Connection, survey_id: int, now: datetime, most: int) -> list[int]:
    """Cases whose interview began and whose hold ran out, kept from others who would settle them."""
    rows = connection.execute(
        select(case_file.c.case_id)
        .where(case_file.c.survey_id == survey_id, case_file.c.interview.is_not(None), case_file.c.held_until <= now)
        .order_by(case_file.c.case_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return list(rows.scalars())


def extend_holds(connection: Connection, staff_id: int, stage: str, now: datetime, until: datetime) -> int:
    """Let somebody's holds at a stage last until a moment at least; those that ran out stay lost. Returns how many."""
    return connection.execute(
        update(case_file)
        .where(case_file.c.held_by == staff_id, case_file.c.stage == stage, case_file.c.held_until > now)
        .values(held_until=func.greatest(case_file.c.held_until, until))
    ).rowcount


def give_back(connection: Connection, case_id: int) -> None:
    """End the hold of a file, whatever was done meanwhile."""
    connection.execute(
        update(case_file)
        .where(case_file.c.case_id == case_id)
        .values(held_by=None, held_at=None, held_until=None, interview=None)
    )


def put_standing(connection: Connection, case_id: int, found: Standing, staff_id: int | None, at: datetime) -> None:
    """Write where a case is after an attempt, and end its hold."""
    connection.execute(
        update(case_file)
        .where(case_file.c.case_id == case_id)
        .values(
            stage=found.stage,
            outcome=found.outcome,
            attempts=found.attempts,
            refusals=found.refusals,
            not_before=found.not_before,
            last_staff=staff_id,
            last_at=at,
        )
    )
    give_back(connection, case_id)


def end_interview(connection: Connection, case_id: int) -> None:
    """Write that no interview runs any more; who holds the file keeps it."""
    connection.execute(update(case_file).where(case_file.c.case_id == case_id).values(interview=None))


def put_interview(connection: Connection, case_id: int, mac: bytes, now: datetime, until: datetime) -> None:
    """Write that an interview runs: from now on, under this code."""
    connection.execute(
        update(case_file)
        .where(case_file.c.case_id == case_id)
        .values(interview=mac, held_at=now, held_until=func.greatest(case_file.c.held_until, until))
    )


def sample_size(connection: Connection, survey_id: int, stratum_code: str) -> int:
    """How many cases of a stratum have a file."""
    return int(
        connection.execute(
            select(func.count())
            .select_from(case_file)
            .join(case, case.c.id == case_file.c.case_id)
            .where(case_file.c.survey_id == survey_id, case.c.stratum == stratum_code)
        ).scalar_one()
    )


def _file(row: Row[Any]) -> File:
    said: list[Any] = list(row)
    said[-2] = said[-2] or {}  # a member whose frame tells no traits
    return File(*said)
