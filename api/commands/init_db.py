"""`mingcha init-db`: bring the tables of a database to this version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("api") / "migrations").replace("%", "%%"))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> str:
    """Bring the database to the newest revision, which is returned; one that is there already is left alone."""
    config = _config(url)
    newest = newest_revision()
    if revision_of(url) != newest:
        command.upgrade(config, "head")
    return newest


def newest_revision() -> str:
    """The revision that this version of the product needs."""
    return ScriptDirectory.from_config(_config("")).get_current_head() or ""


def revision_of(url: str) -> str | None:
    """The revision a database is at; nothing for an empty one."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
