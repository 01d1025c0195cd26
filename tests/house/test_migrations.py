"""One head, and the tables in the code are the tables in the database."""

from alembic import command
from alembic.script import ScriptDirectory

from api.store.migrate import alembic_config


def test_there_is_one_head():
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_the_migrated_database_is_what_the_tables_say(engine):
    with engine.begin() as connection:
        command.check(alembic_config(connection))


def test_the_first_migration_can_be_undone_and_done_again(engine):
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
        command.upgrade(alembic_config(connection), "head")
        command.check(alembic_config(connection))
