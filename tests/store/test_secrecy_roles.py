"""A4: what each process may do in the database, said by PostgreSQL itself; and the product runs under it."""

import re
import secrets
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from api.actions import ballots, count
from api.actions.results import compose
from api.actions.tally import fold
from api.app import create_app
from api.commands.init_db import make_roles
from api.objects import Objects
from api.services import KEY
from api.store.base import make_engine
from api.store.roles import BUREAU, COUNT, GRANTS, NOTICES, WEB, WORKER, as_role
from api.transaction import Database
from survey_forms.ballot import files
from survey_forms.ballot.counting import count_boxes
from tests.ballots import a_sealed_survey, end, now
from tests.builders import a_survey, some_codes
from tests.desk import a_scored_desk
from tests.house.test_doors import address
from tests.pages.test_desk import signed_in
from worker.dispatch import Dispatcher, connect
from worker.shop import Shop

DENIED = {
    WEB: (
        "SELECT answers FROM ballot.response",
        "SELECT xmin FROM ballot.response",
        "SELECT * FROM ballot.response",
        "UPDATE ballot.response SET answers = '{}'",
        "DELETE FROM ballot.response",
        "SELECT * FROM ballot.response_file",
        "DELETE FROM ballot.box",
        "UPDATE ballot.box SET stratum = ''",
        "DELETE FROM ballot.untallied",
        "DELETE FROM ballot.closing",
        "DELETE FROM office.audit",
        "UPDATE field.ledger_entry SET points = 0",
        "UPDATE tally.cell SET s1 = 0",
        "UPDATE roll.draw SET seed = ''",
        "DELETE FROM roll.draw",
        "UPDATE roll.frame SET id = id",
        "DELETE FROM roll.frame",
        "UPDATE roll.frame_member SET member = ''",
        "DELETE FROM roll.frame_member",
        'DELETE FROM roll."case"',
        "DELETE FROM roll.backcheck",
    ),
    WORKER: (
        "SELECT mac FROM roll.access_code",
        "SELECT xmin FROM roll.access_code",
        "SELECT * FROM roll.case_code",
        "SELECT * FROM roll.contact",
        "SELECT * FROM roll.frame_member",
        "UPDATE roll.access_code SET spent = false",
        "SELECT sealed FROM ballot.draft",
        "INSERT INTO ballot.response SELECT * FROM ballot.response",
        "UPDATE ballot.response SET answers = '{}'",
        "DELETE FROM ballot.box",
        "SELECT password_hash FROM office.staff",
        "SELECT * FROM office.session",
        "UPDATE office.survey SET secrecy = 'open'",
    ),
    NOTICES: (
        "SELECT * FROM ballot.response",
        "SELECT * FROM ballot.box",
        "SELECT * FROM ballot.draft",
        "SELECT * FROM ballot.receipt",
        "UPDATE roll.access_code SET spent = false",
        "SELECT password_hash FROM office.staff",
        "UPDATE roll.frame SET digest = ''",
        "DELETE FROM roll.frame",
        "UPDATE roll.frame_member SET member = ''",
        "DELETE FROM roll.frame_member",
    ),
    COUNT: (
        "SELECT answers FROM ballot.response",
        "SELECT mac FROM roll.access_code",
        "SELECT * FROM ballot.draft",
        "UPDATE ballot.box SET stratum = ''",
        "SELECT password_hash FROM office.staff",
    ),
    BUREAU: (
        "SELECT * FROM roll.access_code",
        "SELECT * FROM ballot.response",
        "SELECT * FROM ballot.box",
        "SELECT * FROM office.staff",
        "SELECT * FROM office.audit",
        "SELECT * FROM office.coercion_report",
        "UPDATE result.composite SET output = NULL",
        "SELECT * FROM result.quality_flag",
    ),
}


@pytest.fixture
def granted(engine):
    make_roles(engine)
    return engine


def names(engine):
    with engine.connect() as connection:
        return {
            f'{schema}."{name}"'
            for schema, name in connection.execute(
                text(
                    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
                    " AND table_schema IN ('office','roll','ballot','tally','field','indicator','result','owed')"
                )
            )
        }


def may(engine, role, statement):
    """Whether PostgreSQL lets a role run a statement; nothing is kept."""
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        try:
            connection.execute(text(statement))
        except ProgrammingError as error:
            if "permission denied" not in str(error):
                raise
            return False
        finally:
            transaction.rollback()
        return True


@pytest.mark.parametrize("role", GRANTS)
def test_a_role_is_denied_what_is_not_its_business(granted, role):
    assert [statement for statement in DENIED[role] if may(granted, role, statement)] == []


@pytest.mark.parametrize(
    ("role", "schemas"),
    [
        (WEB, {"office", "roll", "field", "indicator", "result", "owed", "tally", "ballot"}),
        (WORKER, {"office", "field", "indicator", "result", "owed", "tally", "ballot"}),
        (NOTICES, {"office", "roll", "owed"}),
        (COUNT, {"office", "ballot"}),
        (BUREAU, {"office", "tally", "result"}),
    ],
)
def test_a_role_reads_no_table_whole_outside_its_schemas(granted, role, schemas):
    readable = {name for name in names(granted) if may(granted, role, f"SELECT * FROM {name} LIMIT 0")}  # noqa: S608
    assert {name.partition(".")[0] for name in readable} == schemas


def test_no_role_but_the_worker_reads_answers(granted):
    readers = {role for role in GRANTS if may(granted, role, "SELECT answers FROM ballot.response")}
    assert readers == {WORKER}


def test_granting_again_takes_away_what_was_given_by_hand(granted):
    with granted.begin() as connection:
        connection.execute(text(f"GRANT SELECT ON ballot.response TO {WEB}"))
    make_roles(granted)
    assert not may(granted, WEB, "SELECT answers FROM ballot.response")


@pytest.fixture
def web(settings, granted):
    """The web application as it runs with its role."""
    assert granted
    app = create_app(replace(settings, database_url=as_role(settings.database_url, WEB)))
    with app.extensions[KEY].database.engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == WEB
    yield app
    app.extensions[KEY].database.engine.dispose()


@pytest.fixture
def engine_as(settings, granted):
    assert granted
    made = {}

    def of(role):
        if role not in made:
            made[role] = make_engine(as_role(settings.database_url, role))
        return made[role]

    yield of
    for one in made.values():
        one.dispose()


def test_a_sealed_and_an_open_survey_run_from_the_answer_to_the_tally_under_the_roles(
    web: Flask, engine, engine_as, settings
):
    with engine.begin() as connection:
        sealed = a_sealed_survey(connection)
        other = a_survey(connection, code="open")
        codes = [
            *some_codes(connection, sealed.survey, 3, settings.pepper),
            *some_codes(connection, other, 2, settings.pepper),
        ]
    client = web.test_client()
    for code in codes:
        body = {"code": code, "answers": {"police": "good"}, "receipt": secrets.token_urlsafe(20)}
        assert [client.post("/api/v1/responses", json=body).status_code for _ in range(2)] == [201, 200]
    with engine.begin() as connection:
        end(connection, sealed)
    shop = Shop(Database(engine_as(WORKER)), Objects(settings.objects), now, None)
    Dispatcher(shop, connect(settings.redis_url)).look()
    with engine_as(WORKER).begin() as connection:
        assert fold(connection, 100) == 2
    with engine_as(COUNT).begin() as connection:
        lines = list(ballots.export(connection, sealed.id))
        result = count_boxes(files.read_boxes(lines), sealed.private_key, secrets.randbelow)
        assert count.load(connection, sealed.id, result, result.digest, sealed.staff[1], now())
    with engine_as(WORKER).begin() as connection:
        assert fold(connection, 100) == 3


def test_every_page_of_the_desk_is_served_under_the_role(web: Flask, engine, engine_as, monkeypatch):
    with engine.begin() as connection:
        desk = a_scored_desk(connection)
    with engine_as(WORKER).begin() as connection:
        compose(connection, desk.evaluation.id, now())
    broken = []
    web.config["PROPAGATE_EXCEPTIONS"] = False
    assert monkeypatch
    for username in ("office", "bureau", "unit", "inspector"):
        client = signed_in(web, username)
        for rule in web.url_map.iter_rules():
            if "GET" in rule.methods and rule.endpoint != "static" and "logout" not in rule.rule:
                answer = client.get(address(rule))
                if answer.status_code >= 500:
                    broken.append((username, rule.rule, answer.status_code))
    assert broken == []


def test_an_account_that_may_make_no_roles_is_told_so(engine):
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS nobody_much"))
        connection.execute(text("CREATE ROLE nobody_much NOLOGIN"))
    poor = make_engine(as_role(engine.url.render_as_string(hide_password=False), "nobody_much"))
    try:
        with pytest.raises(Exception, match=re.compile("roles_not_made")):
            make_roles(poor)
    finally:
        poor.dispose()
