"""Builders for handing out codes: a survey with its notice, listed cases, and what a camera reads on a sheet."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import zxingcpp
from PIL import Image
from sqlalchemy import Connection, insert, update

from api.actions.notices import PARTS, publish_notice
from api.store import roll, surveys
from tests.builders import StoredSurvey, a_survey
from tests.desk import a_person

MEMBERS = tuple(f"M{number:03}" for number in range(1, 13))
SPONSOR = "某市机关效能建设领导小组办公室"
HELP_LINE = "0592-12345"


@dataclass(frozen=True, slots=True)
class Inviting:
    """A survey that codes may be handed out for, and who of the office does it."""

    survey: StoredSurvey
    staff: int
    cases: tuple[int, ...] = ()


def now() -> datetime:
    """The builders' surveys are open around the real present."""
    return datetime.now(UTC)


def an_inviting_survey(
    connection: Connection,
    book: bytes | None = None,
    *,
    secrecy: str = "open",
    per: int | None = None,
    members: int = 0,
) -> Inviting:
    """A survey with a published notice; `members` of its stratum are drawn by name."""
    survey = a_survey(connection, book)
    connection.execute(
        update(surveys.survey).where(surveys.survey.c.id == survey.id).values(secrecy=secrecy, units_per_respondent=per)
    )
    staff = a_person(connection, "printer", "office")
    words = {"zh": {part: f"说明 {part}" for part in PARTS} | {"sponsor": SPONSOR, "help_line": HELP_LINE}}
    publish_notice(connection, survey.id, words, staff, now())
    return Inviting(survey, staff, some_cases(connection, survey, MEMBERS[:members]) if members else ())


def some_cases(connection: Connection, survey: StoredSurvey, members: tuple[str, ...]) -> tuple[int, ...]:
    """Members of the survey's stratum, all of them drawn."""
    frame_id = connection.execute(
        insert(roll.frame).values(survey_id=survey.id, digest="f", members=len(members)).returning(roll.frame.c.id)
    ).scalar_one()
    draw_id = connection.execute(
        insert(roll.draw)
        .values(frame_id=frame_id, plan_digest="p", plan={}, randomness="r", seed="s")
        .returning(roll.draw.c.id)
    ).scalar_one()
    return tuple(
        connection.execute(
            insert(roll.case)
            .values(draw_id=draw_id, stratum=survey.stratum, member=member, ticket=f"{place:064x}", position=place)
            .returning(roll.case.c.id)
        ).scalar_one()
        for place, member in enumerate(members, start=1)
    )


def qr_of(picture: bytes) -> list[str]:
    """What a phone's camera reads on a picture."""
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))]
