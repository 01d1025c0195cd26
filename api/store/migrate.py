"""Bring a database to the newest table layout."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings, bound to a connection whose transaction the caller owns."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine) -> None:
    """Upgrade to the head in one transaction; harmless to repeat, safe to run from two processes at once."""
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
