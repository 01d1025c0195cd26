"""Questionnaires that were handed in: every version, who brought it, and which surveys use it.

The tables are in `surveys`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.evaluations import evaluation, round_
from api.store.people import staff
from api.store.surveys import form_version, respondent_group, survey


@dataclass(frozen=True, slots=True)
class Kept:
    """A version without its files: its SHA-256, its form id, who handed it in (None: the demonstration), and when."""

    version: str
    name: str
    uploader: str | None
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """A respondent group of a survey and the version that it answers. Only while the round is a draft may it change."""

    version: str
    survey_id: int
    group: str
    group_zh: str
    group_en: str
    round_zh: str
    round_en: str
    status: str
    evaluation_id: int
    evaluation_zh: str
    evaluation_en: str


@dataclass(frozen=True, slots=True)
class Files:
    """What a version was made from and what it is."""

    workbook: bytes
    xform: bytes


_KEPT = select(form_version.c.version, form_version.c.name, staff.c.name, form_version.c.uploaded_at).outerjoin(
    staff, staff.c.id == form_version.c.uploaded_by
)


def versions(connection: Connection) -> list[Kept]:
    """Every version, by name, the newest of a name first."""
    rows = connection.execute(
        _KEPT.order_by(form_version.c.name, form_version.c.uploaded_at.desc(), form_version.c.version)
    )
    return [Kept(*row) for row in rows]


def version_called(connection: Connection, version: str) -> tuple[Kept, Files] | None:
    """A version with its files."""
    row = connection.execute(_KEPT.where(form_version.c.version == version)).first()
    if row is None:
        return None
    content = connection.execute(
        select(form_version.c.workbook, form_version.c.xform).where(form_version.c.version == version)
    ).one()
    return Kept(*row), Files(bytes(content.workbook), bytes(content.xform))


def uses(connection: Connection) -> list[Use]:
    """Which group of which survey answers which version; the latest surveys first."""
    rows = connection.execute(
        select(
            respondent_group.c.form_version,
            respondent_group.c.survey_id,
            respondent_group.c.code,
            respondent_group.c.name_zh,
            respondent_group.c.name_en,
            round_.c.name_zh,
            round_.c.name_en,
            round_.c.status,
            evaluation.c.id,
            evaluation.c.name_zh,
            evaluation.c.name_en,
        )
        .join(survey, survey.c.id == respondent_group.c.survey_id)
        .join(round_, round_.c.id == survey.c.round_id)
        .join(evaluation, evaluation.c.id == round_.c.evaluation_id)
        .order_by(respondent_group.c.survey_id.desc(), respondent_group.c.code)
    )
    return [Use(*row) for row in rows]


def add_version(connection: Connection, values: Mapping[str, object]) -> bool:
    """Keep a version; False when it is kept already, whoever brought it first."""
    done = connection.execute(
        upsert(form_version).values(**values).on_conflict_do_nothing().returning(form_version.c.version)
    )
    return done.first() is not None


def round_of_survey(connection: Connection, survey_id: int) -> int | None:
    """The round that a survey belongs to; None for a survey that is not there."""
    found: int | None = connection.execute(select(survey.c.round_id).where(survey.c.id == survey_id)).scalar()
    return found


def choose(connection: Connection, survey_id: int, group: str, version: str) -> bool:
    """Give a group another version; False unless the group is there and its round a draft.

    The round's state is part of the statement, so that no caller can forget it.
    """
    in_draft = (
        select(survey.c.id)
        .join(round_, round_.c.id == survey.c.round_id)
        .where(survey.c.id == survey_id, round_.c.status == "draft")
    )
    done = connection.execute(
        update(respondent_group)
        .where(
            respondent_group.c.survey_id.in_(in_draft),
            respondent_group.c.code == group,
        )
        .values(form_version=version)
    )
    return done.rowcount == 1
