"""Weights of a survey, every step of them, by weighting cell; the margins they are raked to; covariance of units.

A weighting is never changed: a new one is added, and the newest is read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import IN_SAMPLE, case, draw, frame
from api.store.surveys import survey

margin = Table(
    "margin",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("group_code", Text, primary_key=True),
    Column("trait", Text, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("total", Integer, nullable=False),  # persons
    CheckConstraint("total > 0", name="total"),
    schema="office",
)

weighting = Table(
    "weighting",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("digest", Text, nullable=False),  # SHA-256 of what went in: equal digests, equal weights
    facts("rules"),
    facts("report"),
    Column("made_by", ForeignKey(staff.c.id)),
    moment("made_at", now=True),
    schema="result",
)

weight = Table(
    "weight",
    metadata,
    Column("weighting_id", ForeignKey(weighting.c.id), primary_key=True),
    Column("stratum", Text, primary_key=True),
    Column("wcell", Text, primary_key=True),
    facts("outcomes"),  # AAPOR class → cases
    Column("merged_into", Text),  # weighting cell that its nonresponse was adjusted with
    Column("base", Float, nullable=False),
    Column("eligibility", Float, nullable=False),  # weights after each step, not factors
    Column("nonresponse", Float, nullable=False),
    Column("raked", Float, nullable=False),
    Column("final", Float, nullable=False),
    schema="result",
)

covariance = Table(
    "covariance",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("group_code", Text, primary_key=True),
    facts("units"),
    facts("matrix"),  # between the units, in squared points
    Column("tally_version", BigInteger, nullable=False),
    schema="result",
)


@dataclass(frozen=True, slots=True)
class Margin:
    """How many persons of a group's population have a level of a trait."""

    group: str
    trait: str
    level: str
    total: int


@dataclass(frozen=True, slots=True)
class StoredWeighting:
    """A weighting: what went in (by digest), by which rules, and what came of it as a whole."""

    id: int
    digest: str
    rules: dict[str, Any]
    report: dict[str, Any]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class StoredWeight:
    """A weighting cell: its cases by AAPOR class, and a respondent's weight after each step."""

    stratum: str
    wcell: str
    outcomes: dict[str, int]
    merged_into: str | None
    base: float
    eligibility: float
    nonresponse: float
    raked: float
    final: float


@dataclass(frozen=True, slots=True)
class StoredCovariance:
    """The covariance of a group's scores of `units`, in squared points of 0..100, as of a state of the tally."""

    units: list[str]
    matrix: NDArray[np.float64]
    tally_version: int


def put_margins(connection: Connection, survey_id: int, margins: Iterable[Margin]) -> None:
    """Put margins in the place of all that a survey has."""
    connection.execute(delete(margin).where(margin.c.survey_id == survey_id))
    rows = [
        {"survey_id": survey_id, "group_code": one.group, "trait": one.trait, "level": one.level, "total": one.total}
        for one in margins
    ]
    if rows:
        connection.execute(insert(margin), rows)


def margins_of(connection: Connection, survey_id: int) -> list[Margin]:
    """The margins of a survey, by group, trait and level."""
    rows = connection.execute(
        select(margin.c.group_code, margin.c.trait, margin.c.level, margin.c.total)
        .where(margin.c.survey_id == survey_id)
        .order_by(margin.c.group_code, margin.c.trait, margin.c.level)
    )
    return [Margin(*row) for row in rows]


def add_weighting(
    connection: Connection, survey_id: int, values: Mapping[str, Any], weights: Iterable[StoredWeight]
) -> int:
    """Keep a weighting with its cells; returns its key."""
    key: int = connection.execute(
        insert(weighting).values(survey_id=survey_id, **values).returning(weighting.c.id)
    ).scalar_one()
    names = ("stratum", "wcell", "outcomes", "merged_into", "base", "eligibility", "nonresponse", "raked", "final")
    rows = [{"weighting_id": key} | {name: getattr(one, name) for name in names} for one in weights]
    connection.execute(insert(weight), rows)
    return key


def latest_weighting(connection: Connection, survey_id: int) -> StoredWeighting | None:
    """The weighting that estimates are read with: the newest."""
    row = connection.execute(
        select(weighting.c.id, weighting.c.digest, weighting.c.rules, weighting.c.report, weighting.c.made_at)
        .where(weighting.c.survey_id == survey_id)
        .order_by(weighting.c.id.desc())
        .limit(1)
    ).first()
    return StoredWeighting(*row) if row else None


def weights_of(connection: Connection, weighting_id: int) -> list[StoredWeight]:
    """The cells of a weighting, by stratum and cell."""
    rows = connection.execute(
        select(*(column for column in weight.c if column.name != "weighting_id"))
        .where(weight.c.weighting_id == weighting_id)
        .order_by(weight.c.stratum, weight.c.wcell)
    )
    return [StoredWeight(*row) for row in rows]


def put_covariance(connection: Connection, survey_id: int, group: str, found: StoredCovariance) -> None:
    """Keep the covariance of a group's scores in the place of the one before."""
    statement = upsert(covariance).values(
        survey_id=survey_id,
        group_code=group,
        units=found.units,
        matrix=found.matrix.tolist(),
        tally_version=found.tally_version,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["survey_id", "group_code"],
            set_={name: statement.excluded[name] for name in ("units", "matrix", "tally_version")},
        )
    )


def covariances_of(connection: Connection, survey_id: int) -> dict[str, StoredCovariance]:
    """Group → the covariance of its scores, as it was last computed."""
    rows = connection.execute(
        select(covariance.c.group_code, covariance.c.units, covariance.c.matrix, covariance.c.tally_version)
        .where(covariance.c.survey_id == survey_id)
        .order_by(covariance.c.group_code)
    )
    return {
        row.group_code: StoredCovariance(row.units, np.array(row.matrix, dtype=np.float64), row.tally_version)
        for row in rows
    }


def forget_covariances(connection: Connection, survey_id: int) -> None:
    """Forget a survey's covariances: they were read with other weights."""
    connection.execute(delete(covariance).where(covariance.c.survey_id == survey_id))


def cells_drawn(connection: Connection, survey_id: int) -> list[tuple[str, str]]:
    """(stratum, weighting cell) of the cases that somebody is to reach, each once."""
    wcell = func.coalesce(case.c.wcell, case.c.stratum)
    rows = connection.execute(
        select(case.c.stratum, wcell)
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        .distinct()
        .order_by(case.c.stratum, wcell)
    )
    return [(stratum, cell) for stratum, cell in rows]
