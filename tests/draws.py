"""Builders for draws: a loaded frame, a committed plan, and the moments around the public randomness."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from api.actions.draws import Commitment, commit_plan, draw_frame
from api.actions.frames import Registry
from tests.builders import StoredSurvey
from tests.desk import a_person
from tests.frames import NOW, a_csv, a_framed_survey, handed_in, members, read_whole

KNOWN = NOW + timedelta(days=4)
AFTER = KNOWN + timedelta(hours=1)
SOURCE = "2026-07-05 双色球第 2026076 期开奖号码"
FORM = "## ## ## ## ## ## + ##"
RANDOMNESS = "03 08 11 19 24 30 + 07"
PLAN = """
allocation = "proportional"
total = 60
minimum = 10
reserve = 4
"""


@dataclass(frozen=True, slots=True)
class Framed:
    """A survey with a frame, and two people of the office."""

    survey: StoredSurvey
    frame_id: int
    staff: int
    other: int


def a_frame(
    connection: Connection,
    registry: Registry,
    rows: list[tuple[str, ...]] | None = None,
    columns: dict[str, str] | None = None,
    headings: tuple[str, ...] | None = None,
) -> Framed:
    """A frame of 600 members in two strata, unless told otherwise."""
    survey = a_framed_survey(connection)
    staff, other = a_person(connection, "planner", "office"), a_person(connection, "drawer", "office")
    return Framed(survey, another_frame(connection, registry, survey, staff, rows, columns, headings), staff, other)


def another_frame(  # noqa: PLR0917
    connection: Connection,
    registry: Registry,
    survey: StoredSurvey,
    staff: int,
    rows: list[tuple[str, ...]] | None = None,
    columns: dict[str, str] | None = None,
    headings: tuple[str, ...] | None = None,
) -> int:
    """A frame of a survey; returns its key."""
    lines = rows or members(600)
    content = (a_csv(lines, headings) if headings else a_csv(lines)).encode()
    held = read_whole(connection, registry, handed_in(connection, registry, survey.id, staff, content, columns))
    assert held.frame_id, held.faults
    return held.frame_id


def planned(connection: Connection, framed: Framed, plan: str = PLAN) -> int:
    """Commit a plan; returns it."""
    return commit_plan(connection, framed.frame_id, Commitment(plan, SOURCE, KNOWN, FORM), framed.staff, NOW)


def drawn(connection: Connection, registry: Registry, framed: Framed, plan: str = PLAN) -> int:
    """Commit a plan and draw by it; returns the draw."""
    planned(connection, framed, plan)
    return draw_frame(connection, registry.safe, framed.frame_id, RANDOMNESS, framed.other, AFTER)
