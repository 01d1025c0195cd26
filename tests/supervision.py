"""Builders of a survey in the field: a frame that was drawn, its cases and files, and people who work them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, update

from api.store import fieldwork, quotas, roll, surveys
from survey_forms.sampling.traits import wcell_of
from tests.builders import StoredSurvey, a_survey
from tests.desk import a_person

MORNING = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
"""10 o'clock in China."""
SEED = "ab" * 32


@dataclass(frozen=True, slots=True)
class Field:
    """A sealed survey with its drawn cases, in the order of the draw."""

    survey: StoredSurvey
    draw_id: int
    cases: tuple[int, ...]
    interviewers: tuple[int, ...]


def a_field(
    connection: Connection,
    people: Sequence[Mapping[str, str]] = ({"sex": "f"},) * 4,
    *,
    interviewers: int = 2,
    inclusion: float = 0.5,
    code: str = "city-2015",
) -> Field:
    """A drawn survey: a case for each of `people` (their traits), every file on the telephone."""
    survey = a_survey(connection, code=code)
    connection.execute(update(surveys.survey).where(surveys.survey.c.id == survey.id).values(secrecy="sealed"))
    draw_id = _a_draw(connection, survey, people)
    cases = tuple(
        connection.execute(
            insert(roll.case)
            .values(
                draw_id=draw_id,
                stratum=survey.stratum,
                member=f"m{number}",
                ticket=f"{number:064x}",
                position=number + 1,
                inclusion=inclusion,
                wcell=wcell_of(traits, survey.stratum),
            )
            .returning(roll.case.c.id)
        ).scalar_one()
        for number, traits in enumerate(people)
    )
    if cases:
        files = [{"case_id": case_id, "survey_id": survey.id, "stage": "phone"} for case_id in cases]
        connection.execute(insert(fieldwork.case_file), files)
    hands = tuple(a_person(connection, f"{code}-caller{number}", "interviewer") for number in range(interviewers))
    _a_plan(connection, survey.id)
    return Field(survey, draw_id, cases, hands)


def _a_draw(connection: Connection, survey: StoredSurvey, people: Sequence[Mapping[str, str]]) -> int:
    frame_id = connection.execute(
        insert(roll.frame).values(survey_id=survey.id, digest="f" * 64, members=len(people)).returning(roll.frame.c.id)
    ).scalar_one()
    members = [
        {"frame_id": frame_id, "member": f"m{number}", "stratum": survey.stratum, "row": number + 1, "traits": traits}
        for number, traits in enumerate(people)
    ]
    if members:
        connection.execute(insert(roll.frame_member), [{**one, "traits": dict(one["traits"])} for one in members])
    draw_id: int = connection.execute(
        insert(roll.draw)
        .values(frame_id=frame_id, plan_digest="p" * 64, plan={}, randomness="dice 314", seed=SEED)
        .returning(roll.draw.c.id)
    ).scalar_one()
    return draw_id


def _a_plan(connection: Connection, survey_id: int) -> None:
    connection.execute(
        insert(fieldwork.fieldwork_plan).values(
            survey_id=survey_id,
            modes=["phone"],
            script_zh="您好",
            calls_from=9 * 60,
            calls_until=21 * 60,
            spacing_minutes=60,
            cooling_days=2,
            most_calls=7,
            most_visits=3,
            hold_minutes=15,
            backcheck_percent=10,
        )
    )


def a_cell(connection: Connection, survey_id: int, places: int, **traits: str) -> int:
    """A quota cell."""
    cell_id: int = connection.execute(
        insert(quotas.quota_cell)
        .values(
            survey_id=survey_id,
            name_zh="、".join(traits.values()),
            name_en=", ".join(traits.values()),
            traits=traits,
            places=places,
        )
        .returning(quotas.quota_cell.c.id)
    ).scalar_one()
    return cell_id


def an_attempt(
    connection: Connection,
    case_id: int,
    staff_id: int,
    outcome: str,
    *,
    began: datetime = MORNING,
    minutes: float = 5.0,
    mode: str = "phone",
    **more: object,
) -> int:
    """An attempt as it was told."""
    values = {"case_id": case_id, "staff_id": staff_id, "mode": mode, "outcome": outcome, **more}
    attempt_id: int = connection.execute(
        insert(fieldwork.contact_attempt)
        .values(
            key=f"{case_id}-{staff_id}-{began.timestamp()}-{outcome}",
            began_at=began,
            ended_at=began + timedelta(minutes=minutes),
            **values,
        )
        .returning(fieldwork.contact_attempt.c.id)
    ).scalar_one()
    return attempt_id
