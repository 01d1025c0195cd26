"""Surveys of a round: form versions, respondent groups and their strata."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from api.store.base import metadata, moment, serial
from api.store.evaluations import round_
from api.store.people import staff

form_version = Table(
    "form_version",
    metadata,
    Column("version", Text, primary_key=True),  # SHA-256 of the XForm
    Column("name", Text, nullable=False),
    Column("workbook", LargeBinary, nullable=False),
    Column("xform", LargeBinary, nullable=False),
    Column("uploaded_by", ForeignKey(staff.c.id)),
    moment("uploaded_at", now=True),
    schema="office",
)

survey = Table(
    "survey",
    metadata,
    serial(),
    Column("round_id", ForeignKey(round_.c.id), nullable=False, index=True),
    Column("name_zh", Text, nullable=False, server_default=""),  # empty: the round's own name says enough
    Column("name_en", Text, nullable=False, server_default=""),
    Column("secrecy", Text, nullable=False, server_default="open"),
    moment("opens_at"),
    moment("closes_at"),
    moment("closed_at", null=True),  # ended before closes_at, and why
    Column("early_reason", Text),
    Column("random_order", Boolean, nullable=False, server_default="true"),  # of the units, by respondent
    Column("units_per_respondent", Integer),  # None: everybody rates every unit
    CheckConstraint("secrecy IN ('open','sealed')", name="secrecy"),
    CheckConstraint("units_per_respondent > 0", name="units_per_respondent"),
    CheckConstraint("(closed_at IS NULL) = (early_reason IS NULL)", name="closed_with_reason"),
    schema="office",
)

respondent_group = Table(
    "respondent_group",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("code", Text, primary_key=True),  # e.g. cppcc_members
    Column("component", Text, nullable=False),  # path in the scheme's tree that its score feeds
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("form_version", ForeignKey(form_version.c.version), nullable=False),
    schema="office",
)

stratum = Table(
    "stratum",
    metadata,
    Column("survey_id", Integer, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("group_code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("population", Integer, nullable=False),  # N_h, persons
    CheckConstraint("population > 0", name="population"),
    ForeignKeyConstraint(["survey_id", "group_code"], [respondent_group.c.survey_id, respondent_group.c.code]),
    schema="office",
)


@dataclass(frozen=True, slots=True)
class Group:
    """A respondent group of a survey and the path in the scheme's tree that its score feeds."""

    code: str
    component: str
    name_zh: str
    name_en: str
    form_version: str


@dataclass(frozen=True, slots=True)
class Stratum:
    """A stratum of a survey: its respondent group and its population N_h in persons."""

    code: str
    group: str
    name_zh: str
    name_en: str
    population: int


@dataclass(frozen=True, slots=True)
class FormVersion:
    """A frozen questionnaire and the codes of the groups that answer it."""

    version: str
    name: str
    uploaded_at: datetime
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Booth:
    """All that a code opens: the survey, its window, the stratum's group and form. No person, no code."""

    survey_id: int
    evaluation_id: int
    stratum: str
    group: str
    group_zh: str
    group_en: str
    form_version: str
    opens_at: datetime
    closes_at: datetime
    round_status: str
    secrecy: str
    closed_at: datetime | None = None  # early
    random_order: bool = True
    units_per_respondent: int | None = None
    name_zh: str = ""
    name_en: str = ""

    def is_open(self, now: datetime) -> bool:
        """Whether an answer given now is accepted."""
        return self.round_status == "open" and self.closed_at is None and self.opens_at <= now < self.closes_at


def booths(connection: Connection) -> dict[tuple[int, str], Booth]:
    """Every (survey, stratum) and what a code of that stratum opens; small, cached by the web process."""
    rows = connection.execute(
        select(
            survey.c.id,
            round_.c.evaluation_id,
            stratum.c.code,
            respondent_group.c.code,
            respondent_group.c.name_zh,
            respondent_group.c.name_en,
            respondent_group.c.form_version,
            survey.c.opens_at,
            survey.c.closes_at,
            round_.c.status,
            survey.c.secrecy,
            survey.c.closed_at,
            survey.c.random_order,
            survey.c.units_per_respondent,
            survey.c.name_zh,
            survey.c.name_en,
        )
        .select_from(survey)
        .join(round_, round_.c.id == survey.c.round_id)
        .join(respondent_group, respondent_group.c.survey_id == survey.c.id)
        .join(
            stratum,
            (stratum.c.survey_id == survey.c.id) & (stratum.c.group_code == respondent_group.c.code),
        )
    )
    return {(row[0], row[2]): Booth(*row) for row in rows}


def strata_of(connection: Connection, survey_id: int) -> list[Stratum]:
    """The strata of a survey in code order."""
    rows = connection.execute(
        select(
            stratum.c.code,
            stratum.c.group_code,
            stratum.c.name_zh,
            stratum.c.name_en,
            stratum.c.population,
        )
        .where(stratum.c.survey_id == survey_id)
        .order_by(stratum.c.code)
    )
    return [Stratum(*row) for row in rows]


def groups_of(connection: Connection, survey_id: int) -> list[Group]:
    """The respondent groups of a survey in code order."""
    rows = connection.execute(
        select(
            respondent_group.c.code,
            respondent_group.c.component,
            respondent_group.c.name_zh,
            respondent_group.c.name_en,
            respondent_group.c.form_version,
        )
        .where(respondent_group.c.survey_id == survey_id)
        .order_by(respondent_group.c.code)
    )
    return [Group(*row) for row in rows]


def forms_of(connection: Connection, survey_id: int) -> list[FormVersion]:
    """The form versions that a survey's groups answer, by name."""
    rows = connection.execute(
        select(
            form_version.c.version,
            form_version.c.name,
            form_version.c.uploaded_at,
            func.array_agg(aggregate_order_by(respondent_group.c.code, respondent_group.c.code)),
        )
        .join(respondent_group, respondent_group.c.form_version == form_version.c.version)
        .where(respondent_group.c.survey_id == survey_id)
        .group_by(form_version.c.version)
        .order_by(form_version.c.name)
    )
    return [FormVersion(version, name, uploaded_at, tuple(groups)) for version, name, uploaded_at, groups in rows]


def workbook_of(connection: Connection, version: str) -> tuple[str, bytes] | None:
    """Name and content of the workbook that a form version was made from."""
    row = connection.execute(
        select(form_version.c.name, form_version.c.workbook).where(form_version.c.version == version)
    ).first()
    return (row.name, bytes(row.workbook)) if row else None


def surveys_of(connection: Connection, evaluation_id: int) -> list[int]:
    """The surveys of an evaluation's rounds, oldest first."""
    rows = connection.execute(
        select(survey.c.id)
        .join(round_, round_.c.id == survey.c.round_id)
        .where(round_.c.evaluation_id == evaluation_id)
        .order_by(survey.c.id)
    )
    return [row.id for row in rows]


def evaluation_of_survey(connection: Connection, survey_id: int) -> int:
    """The evaluation that a survey belongs to; it must exist."""
    return int(
        connection.execute(
            select(round_.c.evaluation_id)
            .join(survey, survey.c.round_id == round_.c.id)
            .where(survey.c.id == survey_id)
        ).scalar_one()
    )


def xform_of(connection: Connection, version: str) -> bytes | None:
    """The frozen XForm of a form version."""
    found: Any = connection.execute(select(form_version.c.xform).where(form_version.c.version == version)).scalar()
    return bytes(found) if found is not None else None
