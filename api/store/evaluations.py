"""Evaluations, their rounds, the units under assessment, and the scheme texts in force."""

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
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    select,
)

from api.store.base import facts, metadata, moment, serial

ROUND_STATUSES = ("draft", "open", "frozen", "published", "archived")

scheme_version = Table(
    "scheme_version",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of the TOML text
    Column("scheme", Text, nullable=False),
    Column("source", Text, nullable=False),
    moment("loaded_at", now=True),
    schema="office",
)

evaluation = Table(
    "evaluation",
    metadata,
    serial(),
    Column("code", Text, nullable=False, unique=True),
    Column("year", Integer, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("scheme_digest", ForeignKey(scheme_version.c.digest), nullable=False),
    facts("supplied"),  # values that the document leaves out, by dotted path (docs/adding_a_scheme.md)
    Column("supplied_note", Text, nullable=False, server_default=""),
    Column("simulated", Boolean, nullable=False, server_default="false"),  # told wherever a figure is shown
    schema="office",
)

round_ = Table(
    "round",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    moment("opens_at"),
    moment("closes_at"),
    Column("status", Text, nullable=False, server_default="draft"),
    # By name: `people` imports this module for its units.
    Column("made_by", Integer, ForeignKey("office.staff.id")),
    Column("opened_by", Integer, ForeignKey("office.staff.id")),
    moment("opened_at", null=True),
    Column("frozen_by", Integer, ForeignKey("office.staff.id")),
    moment("frozen_at", null=True),
    Column("published_by", Integer, ForeignKey("office.staff.id")),
    moment("published_at", null=True),
    Column("published_digest", Text),  # of the composite that the units are shown; it changes by a correction alone
    Column("corrected_by", Integer, ForeignKey("office.staff.id")),
    moment("corrected_at", null=True),
    CheckConstraint("status IN ('draft','open','frozen','published','archived')", name="status"),
    CheckConstraint(
        "(frozen_by IS NULL) = (frozen_at IS NULL) AND (published_by IS NULL) = (published_at IS NULL)", name="stamped"
    ),
    CheckConstraint(
        "published_by IS NULL OR (frozen_by IS NOT NULL AND published_by <> frozen_by)", name="second_person"
    ),
    CheckConstraint(
        "(corrected_by IS NULL) = (corrected_at IS NULL) AND (corrected_by IS NULL OR published_by IS NOT NULL)",
        name="corrected",
    ),
    # By name too: `results` imports this module. What was published can so never be deleted.
    ForeignKeyConstraint(
        ["evaluation_id", "published_digest"],
        ["result.composite.evaluation_id", "result.composite.inputs_digest"],
        name="fk_round_published_composite",
    ),
    CheckConstraint("(opened_by IS NULL) = (opened_at IS NULL)", name="opening_stamped"),
    CheckConstraint("opened_by IS NULL OR made_by IS NULL OR opened_by <> made_by", name="second_person_opens"),
    schema="office",
)

unit = Table(
    "unit",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False),
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("class", Text, key="class_"),
    UniqueConstraint("evaluation_id", "code"),
    schema="office",
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One year's evaluation under one scheme text."""

    id: int
    code: str
    year: int
    name_zh: str
    name_en: str
    scheme: str
    scheme_digest: str
    supplied: dict[str, Any]
    supplied_note: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit under assessment."""

    id: int
    code: str
    name_zh: str
    name_en: str
    class_: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """A round of an evaluation: when it is open, and how far it has come (`ROUND_STATUSES`)."""

    id: int
    name_zh: str
    name_en: str
    opens_at: datetime
    closes_at: datetime
    status: str


_EVALUATION: Select[Any] = select(
    evaluation.c.id,
    evaluation.c.code,
    evaluation.c.year,
    evaluation.c.name_zh,
    evaluation.c.name_en,
    scheme_version.c.scheme,
    evaluation.c.scheme_digest,
    evaluation.c.supplied,
    evaluation.c.supplied_note,
    evaluation.c.simulated,
).join(scheme_version, scheme_version.c.digest == evaluation.c.scheme_digest)


def evaluations(connection: Connection) -> list[Evaluation]:
    """All evaluations, newest first."""
    return [_evaluation(row) for row in connection.execute(_EVALUATION.order_by(evaluation.c.id.desc()))]


def evaluation_called(connection: Connection, code: str) -> Evaluation | None:
    """The evaluation of that code."""
    row = connection.execute(_EVALUATION.where(evaluation.c.code == code)).first()
    return _evaluation(row) if row else None


def evaluation_numbered(connection: Connection, evaluation_id: int) -> Evaluation:
    """The evaluation of that key; it must exist."""
    return _evaluation(connection.execute(_EVALUATION.where(evaluation.c.id == evaluation_id)).one())


def rounds_of(connection: Connection, evaluation_id: int) -> list[Round]:
    """The rounds of an evaluation, oldest first."""
    rows = connection.execute(
        select(round_.c.id, round_.c.name_zh, round_.c.name_en, round_.c.opens_at, round_.c.closes_at, round_.c.status)
        .where(round_.c.evaluation_id == evaluation_id)
        .order_by(round_.c.opens_at, round_.c.id)
    )
    return [Round(*row) for row in rows]


def units_called(connection: Connection, code: str) -> list[Unit]:
    """The units of that code, of the newest evaluation first."""
    rows = connection.execute(select(unit).where(unit.c.code == code).order_by(unit.c.id.desc()))
    return [Unit(row.id, row.code, row.name_zh, row.name_en, row.class_) for row in rows]


def units_of(connection: Connection, evaluation_id: int) -> list[Unit]:
    """The units under assessment, in the order they were entered."""
    rows = connection.execute(select(unit).where(unit.c.evaluation_id == evaluation_id).order_by(unit.c.id))
    return [Unit(row.id, row.code, row.name_zh, row.name_en, row.class_) for row in rows]


def _evaluation(row: Row[*tuple[Any, ...]]) -> Evaluation:
    return Evaluation(*row)
