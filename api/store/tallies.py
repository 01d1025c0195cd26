"""Integer cells: what all estimates are read from. Only the worker writes here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Connection,
    Integer,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.ballots import response, untallied
from api.store.base import metadata

cell = Table(
    "cell",
    metadata,
    Column("survey_id", Integer, primary_key=True),
    Column("stratum", Text, primary_key=True),
    Column("wcell", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),  # answered
    Column("s1", BigInteger, nullable=False),  # sum of points
    Column("s2", BigInteger, nullable=False),  # sum of squared points
    schema="tally",
)

respondents = Table(
    "respondents",
    metadata,
    Column("survey_id", Integer, primary_key=True),
    Column("stratum", Text, primary_key=True),
    Column("wcell", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),  # responding persons n_h, whoever they rated
    schema="tally",
)

progress = Table(
    "progress",
    metadata,
    Column("survey_id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),  # grows with each fold; names the state that results read
    schema="tally",
)

CellRow = tuple[str, str, str, str, int, int, int]
"""stratum, wcell, unit, item, n, s1, s2"""

RespondentRow = tuple[str, str, int]
"""stratum, wcell, n"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is stored; nothing of it but its id is None when its row is gone."""

    id: UUID
    survey_id: int | None
    stratum: str
    wcell: str
    form_version: str
    answers: dict[str, Any]


_KEPT = (
    response.c.survey_id,
    response.c.stratum,
    response.c.wcell,
    response.c.form_version,
    response.c.answers,
)


def take_untallied(connection: Connection, most: int, *, stuck: bool = False) -> list[Kept]:
    """Hold up to `most` answers that wait to be counted; those that another worker holds are passed over.

    Args:
        connection: in a transaction, which holds them until its end.
        most: how many at once.
        stuck: those that could not be counted before, instead of the fresh ones.
    """
    again = untallied.c.attempts > 0 if stuck else untallied.c.attempts == 0
    rows = connection.execute(
        select(untallied.c.response_id, *_KEPT)
        .select_from(untallied)
        .outerjoin(response, response.c.id == untallied.c.response_id)
        .where(again)
        .limit(most)
        .with_for_update(skip_locked=True, of=untallied)
    )
    return [Kept(*row) for row in rows]


def is_waiting(connection: Connection, survey_id: int) -> bool:
    """Whether answers of a survey wait to be counted, for whatever reason."""
    waiting = (
        select(untallied.c.response_id)
        .join(response, response.c.id == untallied.c.response_id)
        .where(response.c.survey_id == survey_id)
    )
    return connection.execute(waiting.limit(1)).first() is not None


def are_waiting(connection: Connection, *, stuck: bool = False) -> bool:
    """Whether answers wait to be counted (`stuck`: could not be)."""
    again = untallied.c.attempts > 0 if stuck else untallied.c.attempts == 0
    return connection.execute(select(untallied.c.response_id).where(again).limit(1)).first() is not None


def mark_counted(connection: Connection, ids: Sequence[UUID]) -> None:
    """Settle the obligation of answers, in the transaction that added them to the cells."""
    statement = delete(untallied).where(untallied.c.response_id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    connection.execute(statement, {"ids": list(ids)})


def mark_uncounted(connection: Connection, response_id: UUID, error: str) -> None:
    """Remember that an answer could not be counted; it stays owed."""
    connection.execute(
        update(untallied)
        .where(untallied.c.response_id == response_id)
        .values(attempts=untallied.c.attempts + 1, last_error=error)
    )


def hold_cells(connection: Connection, survey_ids: Iterable[int], *, to_write: bool) -> None:
    """Keep the cells of these surveys to ourselves (or, to read them, from changing) until the transaction ends.

    Always in the order of survey numbers, so that two who need several never wait for each other in a ring.
    """
    shared = "" if to_write else "_shared"
    lock = text(f"SELECT pg_advisory_xact_lock{shared}(hashtext('tally'), :survey)")
    for survey in sorted(survey_ids):
        connection.execute(lock, {"survey": survey})


_ADD_CELLS = text(
    """
    INSERT INTO tally.cell (survey_id, stratum, wcell, unit, item, n, s1, s2)
    SELECT :survey, * FROM unnest(:stratum, :wcell, :unit, :item, :n, :s1, :s2)
    ON CONFLICT (survey_id, stratum, wcell, unit, item)
    DO UPDATE SET n = cell.n + excluded.n, s1 = cell.s1 + excluded.s1, s2 = cell.s2 + excluded.s2
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("stratum", "wcell", "unit", "item")),
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("n", "s1", "s2")),
)

_ADD_RESPONDENTS = text(
    """
    INSERT INTO tally.respondents (survey_id, stratum, wcell, n)
    SELECT :survey, * FROM unnest(:stratum, :wcell, :n)
    ON CONFLICT (survey_id, stratum, wcell) DO UPDATE SET n = respondents.n + excluded.n
    """
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("stratum", "wcell")),
    bindparam("n", type_=ARRAY(BigInteger)),
)


def add_to_cells(
    connection: Connection, survey_id: int, cells: Sequence[CellRow], persons: Sequence[RespondentRow]
) -> int:
    """Add counts to the cells of a survey (the caller holds them) and return the tally's new version."""
    if cells:
        columns = zip(("stratum", "wcell", "unit", "item", "n", "s1", "s2"), _columns(cells), strict=True)
        connection.execute(_ADD_CELLS, {"survey": survey_id, **dict(columns)})
    if persons:
        columns = zip(("stratum", "wcell", "n"), _columns(persons), strict=True)
        connection.execute(_ADD_RESPONDENTS, {"survey": survey_id, **dict(columns)})
    return _next_version(connection, survey_id)


def replace_cells(
    connection: Connection, survey_id: int, cells: Sequence[CellRow], persons: Sequence[RespondentRow]
) -> int:
    """Put counts in the place of a survey's cells (the caller holds them) and return the tally's new version."""
    connection.execute(delete(cell).where(cell.c.survey_id == survey_id))
    connection.execute(delete(respondents).where(respondents.c.survey_id == survey_id))
    return add_to_cells(connection, survey_id, cells, persons)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _next_version(connection: Connection, survey_id: int) -> int:
    statement = insert(progress).values(survey_id=survey_id, version=1)
    counted = statement.on_conflict_do_update(
        index_elements=["survey_id"], set_={"version": progress.c.version + 1}
    ).returning(progress.c.version)
    return int(connection.execute(counted).scalar_one())


def counted_answers(connection: Connection, survey_id: int, batch: int = 2000) -> Iterable[Kept]:
    """The answers of a survey that its cells must hold: all that are stored and do not wait; streamed."""
    waiting: Select[Any] = select(untallied.c.response_id).where(untallied.c.response_id == response.c.id)
    rows = connection.execute(
        select(response.c.id, *_KEPT).where(response.c.survey_id == survey_id, ~waiting.exists()),
        execution_options={"yield_per": batch},
    )
    return (Kept(*row) for row in rows)


def cells_of(connection: Connection, survey_id: int) -> list[CellRow]:
    """(stratum, wcell, unit, item, n, s1, s2) of a survey, in key order."""
    rows = connection.execute(
        select(cell.c.stratum, cell.c.wcell, cell.c.unit, cell.c.item, cell.c.n, cell.c.s1, cell.c.s2)
        .where(cell.c.survey_id == survey_id)
        .order_by(cell.c.stratum, cell.c.wcell, cell.c.unit, cell.c.item)
    )
    return [(r.stratum, r.wcell, r.unit, r.item, r.n, r.s1, r.s2) for r in rows]


def respondents_of(connection: Connection, survey_id: int) -> dict[tuple[str, str], int]:
    """(stratum, wcell) → responding persons."""
    rows: Iterable[Row[Any]] = connection.execute(
        select(respondents.c.stratum, respondents.c.wcell, respondents.c.n).where(respondents.c.survey_id == survey_id)
    )
    return {(r.stratum, r.wcell): r.n for r in rows}


def respondents_by_stratum(persons: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Stratum → responding persons, over its weighting cells."""
    sums: dict[str, int] = {}
    for (stratum, _), n in persons.items():
        sums[stratum] = sums.get(stratum, 0) + n
    return sums


def version_of(connection: Connection, survey_id: int) -> int:
    """How many folds the cells have seen; 0 before the first."""
    found = connection.execute(select(progress.c.version).where(progress.c.survey_id == survey_id)).scalar()
    return int(found or 0)
