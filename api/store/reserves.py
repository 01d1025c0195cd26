"""Reserves of a draw: the line that they stand in, and those that were let out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text, update

from api.store.draws import CASE, DrawnCase
from api.store.fieldwork import case_file
from api.store.people import staff
from api.store.roll import IN_SAMPLE, access_code, case, case_code, draw, frame
from survey_forms.estimation.outcomes import class_of
from survey_forms.sampling.reserve import LineCase


@dataclass(frozen=True, slots=True)
class Release:
    """A released reserve: its stratum, its place in the order of tickets, whom it replaces, when, by whom."""

    stratum: str
    position: int
    member: str
    predecessor: str
    released_at: datetime
    name: str | None


def hold_drawn_case(connection: Connection, survey_id: int, case_id: int) -> DrawnCase | None:
    """A case of a survey, kept from everybody else who would replace it until the transaction ends."""
    row = connection.execute(
        CASE.join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, case.c.id == case_id)
        .with_for_update(of=case)
    ).first()
    return DrawnCase(*row) if row else None


# An untried case has no outcome to be replaced for, whatever closed its file.
_FINAL = (case_file.c.stage == "done") & (case_file.c.attempts > 0) & case_file.c.outcome.is_not(None)


def line_of(connection: Connection, held: DrawnCase) -> dict[int, LineCase]:
    """The line of a case's draw and stratum, by case: what is final, what is an interview, what was released.

    Nobody else changes the line of this draw until the transaction ends.
    """
    own, before = case.alias("own"), case.alias("before")
    draw_id = connection.execute(select(case.c.draw_id).where(case.c.id == held.id)).scalar_one()
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('reserves'), :draw)"), {"draw": draw_id})
    spent = (
        select(case_code.c.mac)
        .join(access_code, access_code.c.mac == case_code.c.mac)
        .where(case_code.c.case_id == own.c.id, access_code.c.spent)
        .exists()
    )
    rows = connection.execute(
        select(
            *(own.c.id, own.c.member, own.c.stratum, own.c.position, own.c.kind),
            *(_FINAL, case_file.c.outcome, spent, own.c.released_at.is_not(None), before.c.member),
        )
        .outerjoin(case_file, case_file.c.case_id == own.c.id)
        .outerjoin(before, before.c.id == own.c.predecessor_id)
        .where(own.c.draw_id == draw_id, own.c.stratum == held.stratum, own.c.kind != "backcheck")
    )
    return {
        row[0]: LineCase(
            row[1],
            row[2],
            row[3],
            row[4],
            final=bool(row[5]),
            answered=_answered(row[6]) or row[7],
            released=row[8],
            replaces=row[9],
        )
        for row in rows
    }


def _answered(outcome: str | None) -> bool:
    return outcome is not None and class_of(outcome) in {"I", "P"}


def release(connection: Connection, reserve_id: int, case_id: int, staff_id: int | None, now: datetime) -> None:
    """Let a reserve take a case's place."""
    connection.execute(
        update(case)
        .where(case.c.id == reserve_id)
        .values(predecessor_id=case_id, released_at=now, released_by=staff_id)
    )


@dataclass(frozen=True, slots=True)
class Lost:
    """A case that a reserve may replace: it was tried, its file is closed, and it is no interview."""

    case_id: int
    stratum: str
    member: str
    outcome: str


def lost_of(connection: Connection, draw_id: int, most: int) -> list[Lost]:
    """The lost cases of a draw that nothing replaces yet, of strata with a reserve left."""
    after, waiting = case.alias("after"), case.alias("waiting")
    left = (
        select(waiting.c.id)
        .where(
            waiting.c.draw_id == draw_id,
            waiting.c.stratum == case.c.stratum,
            waiting.c.kind == "reserve",
            waiting.c.released_at.is_(None),
        )
        .exists()
    )
    spent = (
        select(case_code.c.mac)
        .join(access_code, access_code.c.mac == case_code.c.mac)
        .where(case_code.c.case_id == case.c.id, access_code.c.spent)
        .exists()
    )
    rows = connection.execute(
        select(case.c.id, case.c.stratum, case.c.member, case_file.c.outcome)
        .join(case_file, case_file.c.case_id == case.c.id)
        .outerjoin(after, after.c.predecessor_id == case.c.id)
        .where(case.c.draw_id == draw_id, _FINAL, after.c.id.is_(None), IN_SAMPLE, left, ~spent)
        .order_by(case.c.stratum, case.c.position)
    )
    found = [Lost(*row) for row in rows]
    return [one for one in found if not _answered(one.outcome)][:most]


def releases_of(connection: Connection, draw_id: int) -> list[Release]:
    """The released reserves of a draw, oldest first."""
    before = case.alias("before")
    rows = connection.execute(
        select(case.c.stratum, case.c.position, case.c.member, before.c.member, case.c.released_at, staff.c.name)
        .join(before, before.c.id == case.c.predecessor_id)
        .outerjoin(staff, staff.c.id == case.c.released_by)
        .where(case.c.draw_id == draw_id, case.c.kind == "reserve")
        .order_by(case.c.released_at, case.c.id)
    )
    return [Release(*row) for row in rows]


def reserves_of(connection: Connection, draw_id: int) -> dict[str, tuple[int, int]]:
    """By stratum: reserves that were drawn, and those released."""
    rows = connection.execute(
        select(case.c.stratum, func.count(), func.count(case.c.released_at))
        .where(case.c.draw_id == draw_id, case.c.kind == "reserve")
        .group_by(case.c.stratum)
    )
    return {stratum: (int(drawn), int(released)) for stratum, drawn, released in rows}
