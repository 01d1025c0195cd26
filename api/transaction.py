"""One request, one transaction, one decision: nothing is kept unless the block ends without an exception."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from survey_forms.refusal import Refused

# SQLAlchemy's own, and the driver's where a statement went past SQLAlchemy (api/store/driver.py).
AWAY = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)


class Database:
    """The engine, and the only three ways to use it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits when the block ends.

        Raises:
            Refused: `try_again` when the database went away or the commit is in doubt; writes are idempotent, so
                the caller's retry is safe either way.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except AWAY as error:
            raise Refused("try_again") from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot for everything a page shows; nothing can be written in it.

        Raises:
            Refused: `try_again` when the database is away.
        """
        try:
            with self.engine.connect() as connection:
                quiet = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                with quiet.begin():
                    yield quiet
        except AWAY as error:
            raise Refused("try_again") from error

    @contextmanager
    def busy(self) -> Iterator[Connection]:
        """A connection for transactions of the caller's own, one after the other: `with connection.begin(): ...`.

        It belongs to no pool: taking one from there asks each time whether it still works.

        Raises:
            Refused: `try_again`, as `write` does.
        """
        try:
            with self.engine.connect() as connection:
                connection.detach()
                yield connection
        except AWAY as error:
            raise Refused("try_again") from error
