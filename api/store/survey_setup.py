"""Writing a new round and its survey, and what stands between a round in draft and its opening."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import array

from api.store.boxes import campaign_key
from api.store.evaluations import round_
from api.store.fieldwork import fieldwork_plan
from api.store.notices import privacy_notice
from api.store.roll import IN_SAMPLE, access_code, case, draw, frame
from api.store.surveys import form_version, respondent_group, stratum, survey


@dataclass(frozen=True, slots=True)
class SurveyHead:
    """A survey as a list shows it."""

    id: int
    name_zh: str
    name_en: str
    secrecy: str


def survey_heads(connection: Connection, round_id: int) -> list[SurveyHead]:
    """The surveys of a round, oldest first."""
    rows = connection.execute(
        select(survey.c.id, survey.c.name_zh, survey.c.name_en, survey.c.secrecy)
        .where(survey.c.round_id == round_id)
        .order_by(survey.c.id)
    )
    return [SurveyHead(*row) for row in rows]


def newest_forms(connection: Connection) -> dict[str, str]:
    """The newest version of each questionnaire, by its name."""
    rows = connection.execute(
        select(form_version.c.name, form_version.c.version).order_by(form_version.c.uploaded_at, form_version.c.version)
    )
    return {row.name: row.version for row in rows}


def add_round(
    connection: Connection,
    evaluation_id: int,
    names: tuple[str, str],
    window: tuple[datetime, datetime],
    staff_id: int,
) -> int:
    """A round in draft; returns its key."""
    values = {
        "evaluation_id": evaluation_id,
        "name_zh": names[0],
        "name_en": names[1],
        "opens_at": window[0],
        "closes_at": window[1],
        "made_by": staff_id,
    }
    return int(connection.execute(insert(round_).values(values).returning(round_.c.id)).scalar_one())


def add_survey(connection: Connection, values: Mapping[str, object]) -> int:
    """A survey of a round; returns its key."""
    return int(connection.execute(insert(survey).values(dict(values)).returning(survey.c.id)).scalar_one())


def add_groups(connection: Connection, survey_id: int, groups: Sequence[Mapping[str, object]]) -> None:
    """The respondent groups of a survey."""
    connection.execute(insert(respondent_group), [{"survey_id": survey_id, **group} for group in groups])


def add_strata(connection: Connection, survey_id: int, strata: Sequence[Mapping[str, object]]) -> None:
    """The strata of a survey."""
    connection.execute(insert(stratum), [{"survey_id": survey_id, **one} for one in strata])


def strata_unreached(connection: Connection, survey_id: int) -> list[str]:
    """Chinese names of the strata in which nobody holds a code, nor is anybody drawn whom interviewers are to reach."""
    has_codes = (
        select(access_code.c.mac)
        .where(
            access_code.c.survey_id == survey_id,
            access_code.c.stratum == stratum.c.code,
            access_code.c.revoked.is_(False),
        )
        .exists()
    )
    is_drawn = (
        select(case.c.id)
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, case.c.stratum == stratum.c.code, IN_SAMPLE)
        .exists()
    )
    has_interviewers = (
        select(fieldwork_plan.c.survey_id)
        .where(fieldwork_plan.c.survey_id == survey_id, fieldwork_plan.c.modes.has_any(array(["phone", "visit"])))
        .exists()
    )
    rows = connection.execute(
        select(stratum.c.name_zh)
        .where(stratum.c.survey_id == survey_id, ~has_codes, ~(is_drawn & has_interviewers))
        .order_by(stratum.c.code)
    )
    return [row.name_zh for row in rows]


def has_notice(connection: Connection, survey_id: int) -> bool:
    """Whether respondents are told what becomes of their data."""
    counted = select(func.count()).select_from(privacy_notice).where(privacy_notice.c.survey_id == survey_id)
    return bool(connection.execute(counted).scalar_one())


def is_rehearsed(connection: Connection, survey_id: int) -> bool:
    """Whether a sealed survey's custodians have shown that they can open its boxes; True for an open one."""
    secrecy = connection.execute(select(survey.c.secrecy).where(survey.c.id == survey_id)).scalar_one()
    rehearsed = connection.execute(
        select(campaign_key.c.rehearsed_at).where(campaign_key.c.survey_id == survey_id)
    ).scalar()
    return secrecy != "sealed" or rehearsed is not None


def mark_opened(connection: Connection, round_id: int, staff_id: int, now: datetime) -> None:
    """Write that a round was opened, and by whom."""
    connection.execute(
        update(round_).where(round_.c.id == round_id).values(status="open", opened_by=staff_id, opened_at=now)
    )


def maker_of(connection: Connection, round_id: int) -> int | None:
    """Who set a round up."""
    found: int | None = connection.execute(select(round_.c.made_by).where(round_.c.id == round_id)).scalar_one()
    return found


def set_populations(connection: Connection, survey_id: int, populations: Mapping[str, int]) -> None:
    """Let strata be as large as said."""
    for code, number in populations.items():
        connection.execute(
            update(stratum).where(stratum.c.survey_id == survey_id, stratum.c.code == code).values(population=number)
        )


def set_units_per_respondent(connection: Connection, survey_id: int, number: int, *, draft: bool) -> bool:
    """Let each respondent rate so many units, of a draft alone; whether the survey says so now."""
    if draft:
        connection.execute(update(survey).where(survey.c.id == survey_id).values(units_per_respondent=number))
    return (
        draft
        or connection.execute(select(survey.c.units_per_respondent).where(survey.c.id == survey_id)).scalar_one()
        == number
    )
