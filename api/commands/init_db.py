"""`mingcha init-db`: bring the tables of a database to this version."""

import os

import click
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from api.config import database_url
from api.store.base import make_engine
from api.store.migrate import alembic_config, migrate
from api.store.roles import grant_roles
from survey_forms.refusal import Refused


def newest_revision() -> str:
    """The table layout that this version of the product needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""


def revision_of(engine: Engine) -> str | None:
    """The table layout that a database has; nothing for an empty one.

    Raises:
        Refused: the server does not answer, or does not let us in.
    """
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as trouble:
        raise Refused("database_unreachable", "DATABASE_URL", reason=_reason(trouble)) from None


def _reason(trouble: OperationalError | ProgrammingError) -> str:
    """The server's or the network's own first line; psycopg leaves passwords out of it."""
    return str(trouble.orig).strip().partition("\n")[0]


def make_roles(engine: Engine) -> None:
    """Grant each process what it needs and nothing else.

    Raises:
        Refused: `roles_not_made` where this account may not make roles.
    """
    try:
        with engine.begin() as connection:
            grant_roles(connection)
    except ProgrammingError as trouble:
        raise Refused("roles_not_made", "DATABASE_URL", reason=_reason(trouble)) from None


@click.command("init-db", help="建立或升级数据库表。Create or upgrade the tables of DATABASE_URL.")
@click.option(
    "--roles", is_flag=True, help="同时建立最小权限角色并授权。Make the least-privilege roles and grant them."
)
def init_db(*, roles: bool) -> None:
    """Upgrade in one transaction; harmless to repeat and to run twice at once."""
    engine = make_engine(database_url(os.environ))
    before = revision_of(engine)
    migrate(engine)
    after = revision_of(engine)
    if roles:
        make_roles(engine)
    engine.dispose()
    click.echo(f"数据库表：{before or '空'} → {after} / tables: {before or 'none'} → {after}", err=True)
