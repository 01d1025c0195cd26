"""What was computed: group estimates and composites, each with the inputs it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    case,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import evaluation

estimate = Table(
    "estimate",
    metadata,
    Column("survey_id", Integer, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("group_code", Text, primary_key=True),
    Column("value", Float),  # points of 0..100; null = not measured
    Column("se", Float),
    Column("df", Float),
    Column("low", Float),
    Column("high", Float),
    Column("n", Integer, nullable=False),  # persons who rated the unit
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("tally_version", BigInteger, nullable=False),
    schema="result",
)

composite = Table(
    "composite",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False),
    Column("inputs_digest", Text, nullable=False),  # SHA-256 of the canonical input
    Column("scheme_digest", Text, nullable=False),
    Column("ledger_seq", BigInteger, nullable=False),  # the last entry that was read
    facts("input"),  # the exchange format: `mingcha score` recomputes `output` from it
    facts("output", null=True),  # null while something is missing
    facts("problems"),  # what is missing: [{code, path, facts}]
    facts("errors"),  # a unit's standard error, interval and grade probabilities
    moment("computed_at", now=True),
    Column("was_published", Boolean, nullable=False, server_default="false"),  # from then on it stays as it was
    UniqueConstraint("evaluation_id", "inputs_digest"),
    schema="result",
)


@dataclass(frozen=True, slots=True)
class Composite:
    """A computed composite of all units of an evaluation, and everything it was computed from."""

    id: int
    inputs_digest: str
    scheme_digest: str
    ledger_seq: int
    input: dict[str, Any]
    output: dict[str, Any] | None
    problems: list[dict[str, Any]]
    errors: dict[str, Any]
    computed_at: datetime


_COMPOSITE = (
    composite.c.id,
    composite.c.inputs_digest,
    composite.c.scheme_digest,
    composite.c.ledger_seq,
    composite.c.input,
    composite.c.output,
    composite.c.problems,
    composite.c.errors,
    composite.c.computed_at,
)


def latest_composite(connection: Connection, evaluation_id: int) -> Composite | None:
    """The newest composite of an evaluation."""
    row = connection.execute(
        select(*_COMPOSITE)
        .where(composite.c.evaluation_id == evaluation_id)
        .order_by(composite.c.computed_at.desc(), composite.c.id.desc())
        .limit(1)
    ).first()
    return Composite(*row) if row else None


def composite_called(connection: Connection, evaluation_id: int, inputs_digest: str) -> Composite | None:
    """The composite that was computed from the inputs of this digest, while it is kept."""
    row = connection.execute(
        select(*_COMPOSITE).where(
            composite.c.evaluation_id == evaluation_id, composite.c.inputs_digest == inputs_digest
        )
    ).first()
    return Composite(*row) if row else None


def hold_composites(connection: Connection, evaluation_id: int) -> None:
    """Let nobody else compute this evaluation until the transaction ends: the last one written has seen the most."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('composite'), :evaluation)"), {"evaluation": evaluation_id}
    )


def put_composite(connection: Connection, evaluation_id: int, values: Mapping[str, Any]) -> None:
    """Keep a composite; the same inputs are the same row, which then counts as computed now.

    Of one that was published nothing else changes: its errors stay those that were shown.
    """
    statement = insert(composite).values(evaluation_id=evaluation_id, **values)
    anew = {
        name: case((composite.c.was_published, composite.c[name]), else_=statement.excluded[name])
        for name in ("ledger_seq", "output", "problems", "errors")
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["evaluation_id", "inputs_digest"],
            set_={**anew, "computed_at": statement.excluded.computed_at},
        )
    )


def pin_composite(connection: Connection, composite_id: int) -> None:
    """Keep a composite for good, as it is: it is published."""
    connection.execute(update(composite).where(composite.c.id == composite_id).values(was_published=True))


def forget_old_composites(connection: Connection, evaluation_id: int, keep: int) -> None:
    """Delete all but the newest `keep` composites of an evaluation; a year of answers would leave thousands.

    What was ever published stays.
    """
    newest = (
        select(composite.c.id)
        .where(composite.c.evaluation_id == evaluation_id)
        .order_by(composite.c.computed_at.desc(), composite.c.id.desc())
        .limit(keep)
    )
    connection.execute(
        delete(composite).where(
            composite.c.evaluation_id == evaluation_id,
            ~composite.c.was_published,
            composite.c.id.not_in(newest),
        )
    )


def put_estimates(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write group estimates; an older tally never overwrites a newer one."""
    if not rows:
        return
    statement = insert(estimate)
    keys = ("survey_id", "unit", "group_code")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=keys,
            set_={
                column.name: statement.excluded[column.name] for column in estimate.columns if column.name not in keys
            },
            where=estimate.c.tally_version <= statement.excluded.tally_version,
        ),
        rows,
    )


def estimates_of(connection: Connection, survey_id: int) -> list[dict[str, Any]]:
    """The group estimates of a survey, by unit and group."""
    rows = connection.execute(
        select(estimate).where(estimate.c.survey_id == survey_id).order_by(estimate.c.unit, estimate.c.group_code)
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented public name
