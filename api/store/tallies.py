"""Integer cells: what all estimates are read from. Only the worker writes here."""

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, select

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


def cells_of(connection: Connection, survey_id: int) -> list[tuple[str, str, str, str, int, int, int]]:
    """(stratum, wcell, unit, item, n, s1, s2) of a survey, in key order."""
    rows = connection.execute(
        select(cell.c.stratum, cell.c.wcell, cell.c.unit, cell.c.item, cell.c.n, cell.c.s1, cell.c.s2)
        .where(cell.c.survey_id == survey_id)
        .order_by(cell.c.stratum, cell.c.wcell, cell.c.unit, cell.c.item)
    )
    return [(r.stratum, r.wcell, r.unit, r.item, r.n, r.s1, r.s2) for r in rows]


def respondents_of(connection: Connection, survey_id: int) -> dict[tuple[str, str], int]:
    """(stratum, wcell) → responding persons."""
    rows = connection.execute(
        select(respondents.c.stratum, respondents.c.wcell, respondents.c.n).where(respondents.c.survey_id == survey_id)
    )
    return {(r.stratum, r.wcell): r.n for r in rows}


def version_of(connection: Connection, survey_id: int) -> int:
    """How many folds the cells have seen; 0 before the first."""
    found = connection.execute(select(progress.c.version).where(progress.c.survey_id == survey_id)).scalar()
    return int(found or 0)
