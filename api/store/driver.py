"""Statements of the hottest path, sent by the driver itself and prepared the first time.

What SQLAlchemy adds to one execution is more than PostgreSQL needs for several indexed look-ups. On a page nobody
notices; accepting an answer is little else than such statements (docs/performance.md).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, LiteralString, cast

from sqlalchemy import Connection

if TYPE_CHECKING:
    from psycopg import Connection as Session

Row = tuple[Any, ...]


def rows_of(connection: Connection, sql: LiteralString, given: Sequence[Any]) -> list[Row]:
    """The rows of a statement, in the transaction of the connection.

    Args:
        connection: whatever SQLAlchemy has begun on it or not.
        sql: with `%s`, or `%b` for what goes to the server as it is.
        given: the parameters.

    Raises:
        psycopg.Error: the driver's own, not wrapped by SQLAlchemy.
    """
    session = cast("Session[Row]", connection.connection.dbapi_connection)
    with session.cursor(binary=True) as cursor:
        return cursor.execute(sql, given, prepare=True).fetchall()
