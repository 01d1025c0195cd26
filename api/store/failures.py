"""Typed codes that opened nothing, of all web processes together: when, and nothing else.

Unlogged: the rows say nothing that is worth a write-ahead log, and an emptied table after a crash is the right one.
"""

from sqlalchemy import Boolean, Column, Connection, DateTime, Index, Table, func, select, text

from api.store.base import metadata

KEPT_SECONDS = 60

failed_code = Table(
    "failed_code",
    metadata,
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("digits", Boolean, nullable=False),  # which spelling: digits are easier to guess and counted apart
    schema="roll",
    prefixes=["UNLOGGED"],
)
Index("ix_failed_code_at", failed_code.c.at)

_ADD = text(
    "WITH old AS (DELETE FROM roll.failed_code WHERE at < clock_timestamp() - make_interval(secs => :kept))"
    " INSERT INTO roll.failed_code (digits) VALUES (:digits)"
)


def add_failure(connection: Connection, *, digits: bool) -> None:
    """Note a try that failed, by the database's clock, and forget those of long ago."""
    connection.execute(_ADD, {"digits": digits, "kept": KEPT_SECONDS})


def failures_within(connection: Connection, seconds: float, *, digits: bool) -> int:
    """How many tries failed in the last seconds."""
    since = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    return int(
        connection.execute(
            select(func.count())
            .select_from(failed_code)
            .where(failed_code.c.digits.is_(digits), failed_code.c.at > since)
        ).scalar_one()
    )
