"""What every table shares: naming convention, schemas, column shorthands, and the engine.

SQL is written with SQLAlchemy Core, joins where they are read; there are no ORM relationships to walk by accident.
"""

from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Identity,
    Integer,
    MetaData,
    Numeric,
    Table,
    create_engine,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SCHEMAS = ("office", "roll", "ballot", "tally", "field", "indicator", "result", "owed")
"""People (`roll`) and answers (`ballot`) live apart; migrations create them in this order."""

POINTS = Numeric(10, 4)
"""Points of a score or a deduction, exact."""


def dumps(value: Any) -> str:
    """JSON for a JSONB column."""
    return orjson.dumps(value).decode()


def make_engine(url: str, pool_size: int = 8, max_overflow: int = 8) -> Engine:
    """An engine on PostgreSQL ≥ 15 through psycopg 3.

    Pool waits are short: a request that finds no connection within 5 s answers 503 and the client's retry is safe.
    """
    return create_engine(
        url,
        json_serializer=dumps,
        json_deserializer=orjson.loads,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": "mingcha"},
    )


def serial() -> Column[int]:
    """A plain numeric key for things whose order is no secret (never for answers)."""
    return Column("id", Integer, Identity(always=False), primary_key=True)


def moment(name: str, *, now: bool = False, null: bool = False) -> Column[Any]:
    """A point in time with its zone; `now` lets the database stamp it."""
    return Column(name, DateTime(timezone=True), nullable=null, server_default=func.now() if now else None)


def facts(name: str, *, null: bool = False) -> Column[Any]:
    """A JSONB column."""
    return Column(name, JSONB(none_as_null=True), nullable=null)


def hold_row(connection: Connection, table: Table, key: int) -> None:
    """Hold a row until the transaction ends, by a statement of its own: what is read next is read after the wait.

    A query that joins and locks at once reads the locked row anew after waiting, and the joined ones as they were.
    """
    connection.execute(select(table.c.id).where(table.c.id == key).with_for_update())
