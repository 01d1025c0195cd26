"""`mingcha recount` and `mingcha token new`, as a person types them."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from api.actions.tally import fold
from api.auth import _digest
from api.cli import group
from api.store import people
from survey_forms.refusal import Refused
from tests.worker.town import answer, rate_all


@pytest.fixture
def run(settings, monkeypatch, town):  # noqa: ARG001 - the commands find the town in the database
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    return lambda *arguments: CliRunner().invoke(group, arguments)


def test_recount_agrees_after_a_fold(run, shop, town):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate_all("v4")), ("enterprises", rate_all("v1")))
        fold(connection, 500)
    told = run("recount")
    assert (told.exit_code, told.stdout) == (0, "")
    assert "1 surveys agree" in told.stderr


def test_recount_names_what_differs_and_repairs_it(run, shop, town):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate_all("v4")))
        fold(connection, 500)
        connection.execute(text("UPDATE tally.cell SET n = 7 WHERE unit = 'library' AND item = 'honesty'"))
    told = run("recount")
    assert told.exit_code == 1
    assert told.stdout == f"{town.survey_id}\tdeputies_1/deputies_1/library/honesty\t7 80 6400\t1 80 6400\n"
    assert run("recount", "--repair").exit_code == 1
    assert run("recount").exit_code == 0


def test_a_token_is_shown_once_and_opens_the_api_until_it_expires(run, shop):
    told = run("token", "new", "--user", "bureau@town-2026", "--label", "统计局月报", "--days", "30")
    assert told.exit_code == 0, told.output
    token = told.stdout.strip()
    assert token.startswith("mingcha_")
    now = datetime.now(UTC)
    with shop.database.read() as connection:
        staff = people.staff_of_token(connection, _digest(token), now)
        assert staff is not None
        assert staff.role == "bureau"
        assert people.staff_of_token(connection, _digest(token), now.replace(year=now.year + 1)) is None
        stored = connection.execute(text("SELECT token_hash, label FROM office.api_token")).one()
        assert token.encode() not in bytes(stored.token_hash)


def test_a_token_for_nobody_is_refused(run):
    told = run("token", "new", "--user", "nobody", "--label", "x")
    assert isinstance(told.exception, Refused)
    assert told.exception.code == "no_such_user"
