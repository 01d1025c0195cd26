"""Plans of draws as they were committed, and the draws that were refused.

A plan is committed with the name of a randomness that nobody knows yet; plans are added and never changed, so that
whoever asks later sees every one of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Select, Table, Text, func, insert, select, text, update

from api.store.base import metadata, moment, serial
from api.store.fieldwork import case_file
from api.store.people import staff
from api.store.roll import access_code, case, case_code, draw, frame, frame_member
from survey_forms.estimation.outcomes import class_of
from survey_forms.sampling.reserve import LineCase

plan = Table(
    "plan",
    metadata,
    serial(),
    Column("frame_id", ForeignKey(frame.c.id), nullable=False, index=True),
    Column("text", Text, nullable=False),  # canonical; its SHA-256 is the digest
    Column("digest", Text, nullable=False),
    Column("source", Text, nullable=False),  # as the office wrote it (TOML)
    Column("randomness_source", Text, nullable=False),  # e.g. which lottery's draw of which day
    moment("known_from"),  # when that will be known; nobody draws before
    Column("committed_by", ForeignKey(staff.c.id)),
    moment("committed_at", now=True),
    schema="roll",
)

draw_refusal = Table(
    "draw_refusal",
    metadata,
    serial(),
    Column("frame_id", ForeignKey(frame.c.id), nullable=False, index=True),
    Column("code", Text, nullable=False),  # of the refusal
    Column("randomness", Text, nullable=False),
    Column("tried_by", ForeignKey(staff.c.id)),
    moment("tried_at", now=True),
    schema="roll",
)


@dataclass(frozen=True, slots=True)
class Committed:
    """A plan as it was committed; `role` is what everybody is told of who did it."""

    id: int
    frame_id: int
    text: str
    digest: str
    source: str
    randomness_source: str
    known_from: datetime
    committed_by: int | None
    role: str | None
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draw; `record` is what is published of it."""

    id: int
    frame_id: int
    plan_digest: str
    randomness: str
    seed: str
    record: dict[str, Any]
    role: str | None
    drawn_at: datetime


@dataclass(frozen=True, slots=True)
class TriedAgain:
    """A draw that was refused: why, with which randomness, when."""

    code: str
    randomness: str
    tried_at: datetime


@dataclass(frozen=True, slots=True)
class DrawnCase:
    """A case as its draw made it."""

    id: int
    stratum: str
    member: str
    position: int
    kind: str
    predecessor_id: int | None
    released_at: datetime | None


_CASE = select(
    *(case.c[name] for name in ("id", "stratum", "member", "position", "kind", "predecessor_id", "released_at"))
)


def add_plan(connection: Connection, values: Mapping[str, object]) -> int:
    """Commit a plan; returns its key."""
    return int(connection.execute(insert(plan).values(dict(values)).returning(plan.c.id)).scalar_one())


def plans_of(connection: Connection, frame_id: int) -> list[Committed]:
    """The plans of a frame, the newest first."""
    names = ("id", "frame_id", "text", "digest", "source", "randomness_source", "known_from", "committed_by")
    wanted: Select[Any] = (
        select(*(plan.c[name] for name in names), staff.c.role, plan.c.committed_at)
        .outerjoin(staff, staff.c.id == plan.c.committed_by)
        .where(plan.c.frame_id == frame_id)
        .order_by(plan.c.id.desc())
    )
    return [Committed(*row) for row in connection.execute(wanted)]


def draw_of(connection: Connection, frame_id: int) -> Drawn | None:
    """The one draw of a frame."""
    names = ("id", "frame_id", "plan_digest", "randomness", "seed", "record")
    wanted: Select[Any] = (
        select(*(draw.c[name] for name in names), staff.c.role, draw.c.drawn_at)
        .outerjoin(staff, staff.c.id == draw.c.drawn_by)
        .where(draw.c.frame_id == frame_id)
    )
    row = connection.execute(wanted).first()
    return Drawn(*row) if row else None


def add_draw(connection: Connection, values: Mapping[str, object]) -> int:
    """Write a draw; returns its key."""
    return int(connection.execute(insert(draw).values(dict(values)).returning(draw.c.id)).scalar_one())


def add_cases(connection: Connection, cases: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Write what was drawn; returns each member's case."""
    found: dict[str, int] = {}
    rest = iter(cases)
    while piece := [dict(one) for one in islice(rest, 2000)]:
        rows = connection.execute(insert(case).values(piece).returning(case.c.member, case.c.id))
        found |= {row.member: row.id for row in rows}
    return found


def facts_of_members(
    connection: Connection, frame_id: int, members: Sequence[str]
) -> dict[str, tuple[dict[str, str], bytes | None]]:
    """Traits and sealed contact of some members of a frame."""
    found: dict[str, tuple[dict[str, str], bytes | None]] = {}
    for start in range(0, len(members), 5000):
        rows = connection.execute(
            select(frame_member.c.member, frame_member.c.traits, frame_member.c.contact).where(
                frame_member.c.frame_id == frame_id, frame_member.c.member.in_(members[start : start + 5000])
            )
        )
        found |= {row.member: (row.traits or {}, row.contact) for row in rows}
    return found


def stratum_of_member(connection: Connection, frame_id: int, member: str) -> str | None:
    """The stratum of a member, if the frame has them; one look at an index, whoever is asked for."""
    found: str | None = connection.execute(
        select(frame_member.c.stratum).where(frame_member.c.frame_id == frame_id, frame_member.c.member == member)
    ).scalar()
    return found


def case_of_member(connection: Connection, draw_id: int, stratum: str, member: str) -> DrawnCase | None:
    """The case of a member; reserves too, released or not, and never a back-check's."""
    row = connection.execute(
        _CASE.where(
            case.c.draw_id == draw_id, case.c.stratum == stratum, case.c.member == member, case.c.kind != "backcheck"
        )
    ).first()
    return DrawnCase(*row) if row else None


def add_refusal(connection: Connection, values: Mapping[str, object]) -> None:
    """Write that a draw was tried and refused."""
    connection.execute(insert(draw_refusal).values(dict(values)))


def refusals_of(connection: Connection, frame_id: int) -> list[TriedAgain]:
    """The refused draws of a frame, oldest first."""
    rows = connection.execute(
        select(draw_refusal.c.code, draw_refusal.c.randomness, draw_refusal.c.tried_at)
        .where(draw_refusal.c.frame_id == frame_id)
        .order_by(draw_refusal.c.id)
    )
    return [TriedAgain(*row) for row in rows]


def hold_drawn_case(connection: Connection, survey_id: int, case_id: int) -> DrawnCase | None:
    """A case of a survey, kept from everybody else who would replace it until the transaction ends."""
    row = connection.execute(
        _CASE.join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, case.c.id == case_id)
        .with_for_update(of=case)
    ).first()
    return DrawnCase(*row) if row else None


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
            *(case_file.c.stage == "done", case_file.c.outcome, spent, own.c.released_at.is_not(None), before.c.member),
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
class Release:
    """A released reserve: its stratum, its place in the order of tickets, whom it replaces, when, by whom."""

    stratum: str
    position: int
    member: str
    predecessor: str
    released_at: datetime
    name: str | None


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


def drawn_strata(connection: Connection, survey_id: int) -> set[str]:
    """The strata of a survey of which a sample was drawn, from whatever frame."""
    rows = connection.execute(
        select(case.c.stratum)
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id)
        .distinct()
    )
    return set(rows.scalars())


def published_frames(connection: Connection, survey_id: int) -> list[int]:
    """The frames of a survey for which a plan was committed, oldest first."""
    rows = connection.execute(
        select(frame.c.id)
        .where(frame.c.survey_id == survey_id, select(plan.c.id).where(plan.c.frame_id == frame.c.id).exists())
        .order_by(frame.c.id)
    )
    return list(rows.scalars())
