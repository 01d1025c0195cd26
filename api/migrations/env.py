"""Alembic's entry: one transaction a migration, under an advisory lock, never waiting long for a table."""

from alembic import context
from sqlalchemy import Connection, text

from api.store.base import make_engine
from api.store.schema import metadata

MIGRATION_LOCK = 0x6D696772  # "migr"


def run(connection: Connection) -> None:
    """Migrate on a connection whose transaction the caller owns."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = make_engine(context.config.attributes["url"])
    with engine.begin() as own:
        run(own)
    engine.dispose()
