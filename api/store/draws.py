"""Plans of draws as they were committed, and the draws that were refused.

A plan is committed with the name of a randomness that nobody knows yet; plans are added and never changed, so that
whoever asks later sees every one of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Select, Table, Text, func, insert, or_, select

from api.store.base import metadata, moment, serial
from api.store.people import staff
from api.store.roll import case, draw, frame, frame_member

plan = Table(
    "plan",
    metadata,
    serial(),
    Column("frame_id", ForeignKey(frame.c.id), nullable=False, index=True),
    Column("text", Text, nullable=False),  # canonical; its SHA-256 is the digest
    Column("digest", Text, nullable=False),
    Column("source", Text, nullable=False),  # as the office wrote it (TOML)
    Column("randomness_source", Text, nullable=False),  # which lottery's draw of which day; line 2: its form
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
    """A plan as it was committed; `role` is what everybody is told of who did it.

    `randomness_form` is how the randomness will be spelt, each digit as #; plans of old have none.
    """

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
    randomness_form: str


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
    """A draw or a plan that was refused: why, with which randomness (of a plan, its name), when."""

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


CASE = select(
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
    found = []
    for row in connection.execute(wanted):
        name, _, form = row.randomness_source.partition("\n")
        found.append(Committed(**{**row._asdict(), "randomness_source": name, "randomness_form": form}))
    return found


def texts_elsewhere(connection: Connection, survey_id: int, frame_id: int) -> list[str]:
    """The canonical texts of all plans that were ever committed for a survey's other frames."""
    rows = connection.execute(
        select(plan.c.text)
        .join(frame, frame.c.id == plan.c.frame_id)
        .where(frame.c.survey_id == survey_id, frame.c.id != frame_id)
    )
    return list(rows.scalars())


def first_wave(connection: Connection, seed: str) -> int | None:
    """The frame of the published draw that has this seed and made its tickets of it."""
    published_plan = select(plan.c.id).where(plan.c.frame_id == draw.c.frame_id).exists()
    found: int | None = connection.execute(
        select(draw.c.frame_id)
        .where(draw.c.seed == seed, draw.c.record["permanent"].astext.is_(None), published_plan)
        .order_by(draw.c.id)
    ).scalar()
    return found


def waves_since(connection: Connection, seed: str, survey_id: int) -> int:
    """How many surveys but this one were drawn with tickets of a first wave's seed."""
    counted = (
        select(func.count(frame.c.survey_id.distinct()))
        .join(draw, draw.c.frame_id == frame.c.id)
        .where(draw.c.record["permanent"].astext == seed, frame.c.survey_id != survey_id)
    )
    return int(connection.execute(counted).scalar_one())


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
        CASE.where(
            case.c.draw_id == draw_id, case.c.stratum == stratum, case.c.member == member, case.c.kind != "backcheck"
        )
    ).first()
    return DrawnCase(*row) if row else None


def add_refusal(connection: Connection, values: Mapping[str, object]) -> None:
    """Write that a draw or a plan was tried and refused."""
    connection.execute(insert(draw_refusal).values(dict(values)))


def refusals_of(connection: Connection, frame_id: int) -> list[TriedAgain]:
    """What was refused for a frame, and for frames of its survey that have no plan and no page, oldest first."""
    survey_id = select(frame.c.survey_id).where(frame.c.id == frame_id).scalar_subquery()
    planned = select(plan.c.id).where(plan.c.frame_id == frame.c.id).exists()
    rows = connection.execute(
        select(draw_refusal.c.code, draw_refusal.c.randomness, draw_refusal.c.tried_at)
        .join(frame, frame.c.id == draw_refusal.c.frame_id)
        .where(or_(frame.c.id == frame_id, (frame.c.survey_id == survey_id) & ~planned))
        .order_by(draw_refusal.c.id)
    )
    return [TriedAgain(*row) for row in rows]


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


@dataclass(frozen=True, slots=True)
class Published:
    """A frame that everybody may look at: how many members, when its plan was first committed, when it was drawn."""

    frame_id: int
    survey_id: int
    members: int
    committed_at: datetime
    drawn_at: datetime | None


def published(connection: Connection, most: int) -> list[Published]:
    """The frames for which a plan was committed, the newest first."""
    first = func.min(plan.c.committed_at)
    rows = connection.execute(
        select(frame.c.id, frame.c.survey_id, frame.c.members, first, draw.c.drawn_at)
        .join(plan, plan.c.frame_id == frame.c.id)
        .outerjoin(draw, draw.c.frame_id == frame.c.id)
        .group_by(frame.c.id, draw.c.drawn_at)
        .order_by(first.desc(), frame.c.id.desc())
        .limit(most)
    )
    return [Published(*row) for row in rows]
