"""`mingcha staff`, as a person types it."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from werkzeug.security import check_password_hash

from api.cli import group
from api.store import people

PASSWORD = "a long enough one"


@pytest.fixture
def run(settings, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    return lambda *arguments, typed=f"{PASSWORD}\n{PASSWORD}\n": CliRunner().invoke(group, arguments, input=typed)


def test_an_account_is_made_with_the_password_that_was_typed_twice(run, engine):
    told = run("staff", "add", "wang", "--name", "王静", "--role", "office")
    assert told.exit_code == 0, told.output
    assert PASSWORD not in told.output
    with engine.connect() as connection:
        staff, stored = people.staff_named(connection, "wang")
        assert (staff.name, staff.role) == ("王静", "office")
        assert check_password_hash(stored, PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "typed", "code"),
    [
        (("wang", "--name", "王", "--role", "office"), "short\nshort\n", "password_too_short"),
        (("wang", "--name", "王", "--role", "unit"), None, "staff_unit_unfit"),
        (("wang", "--name", "王", "--role", "unit", "--unit", "nowhere"), None, "staff_unit_unfit"),
        (("wang", "--name", "王", "--role", "office", "--unit", "education"), None, "staff_unit_unfit"),
    ],
)
def test_an_unfit_account_is_refused_and_not_made(run, engine, arguments, typed, code):
    told = run("staff", "add", *arguments, **({"typed": typed} if typed else {}))
    assert told.exception.code == code
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM office.staff")).scalar_one() == 0


def test_a_name_is_taken_once_and_a_disabled_account_no_longer_signs_in(run, engine):
    run("staff", "add", "wang", "--name", "王静", "--role", "bureau")
    assert run("staff", "add", "wang", "--name", "另一人", "--role", "bureau").exception.code == "staff_name_taken"
    assert run("staff", "disable", "wang").exit_code == 0
    with engine.connect() as connection:
        assert people.staff_named(connection, "wang") is None
    assert run("staff", "disable", "wang").exception.code == "no_such_user"
