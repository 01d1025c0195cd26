"""Messages to listed cases by real processes: they go out, and nothing of them stays in database, Redis or logs."""

import json
import re
import time
from dataclasses import replace

import pytest
import redis
from sqlalchemy import select, text

from api.actions import listed
from api.actions.listed import Mailing, Office
from api.actions.messages import Post
from api.actions.sealed_words import Safe
from api.senders.http_sender import HttpSender
from api.store.owed import emit
from api.store.schema import metadata
from survey_forms.sampling.contacts import DEFAULTS
from tests.gateway import a_gateway, answering
from tests.invitations import an_inviting_survey, now
from worker.drain import drain

PEPPER, SECRET = b"p" * 40, b"k" * 40  # those of `run_worker`
OFFICE = Office(PEPPER, Safe(SECRET), "http://127.0.0.1")
CONTACTS = "成员编号,手机,邮箱\nM001,13800000001,\nM002,13800000002,\nM003,13800000003,\n".encode()
INVITE = Mailing("invitation", "sms", DEFAULTS["invitation"])


def invite(engine):
    with engine.begin() as connection:
        made = an_inviting_survey(connection, secrecy="sealed", members=3)
        listed.load_contacts(connection, OFFICE, made.survey.id, CONTACTS, made.staff, now())
        assert listed.invite(connection, OFFICE, made.survey.id, INVITE, made.staff, now()) == 3
    return made


def everything_in(engine):
    """Every value of every table as text, bytes in hexadecimal too."""
    with engine.connect() as connection:
        values = [
            value for table in metadata.sorted_tables for row in connection.execute(select(table)) for value in row
        ]
    return "\n".join(f"{value} {value.hex()}" if isinstance(value, bytes) else f"{value}" for value in values)


def assert_nothing_of(sent, where):
    for one in sent:
        codes = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}|#([0-9A-Z]{16})", one["text"])
        assert codes
        code = re.search(r"评议码 (\S+)。", one["text"])[1]
        token = re.search(r"/#(\w{16})", one["text"])[1]
        for secret in (one["to"], code, code.replace("-", ""), token, one["text"]):
            assert secret not in where
            assert secret.encode().hex() not in where


@pytest.fixture
def post(shop):
    """The shop with a way out to a gateway of the test."""

    def to(gateway):
        return replace(shop, post=Post(Safe(SECRET), HttpSender(gateway.url, b"s" * 32)), now=now)

    return to


def test_the_worker_sends_what_is_owed_and_keeps_nothing_of_it(engine, own_valkey, run_worker, tmp_path):
    invite(engine)
    file = tmp_path / "notices.jsonl"
    with run_worker("dispatch"), run_worker("notices"):
        for _ in range(300):
            if file.exists() and len(file.read_text().splitlines()) == 3:
                break
            time.sleep(0.1)
        time.sleep(0.5)  # the last commit, and the bell's own end
        with redis.Redis.from_url(own_valkey.url()) as client:
            kept = b"\n".join(client.dump(key) or b"" for key in client.keys("*")).decode("latin-1")
            kept += "".join(key.decode() for key in client.keys("*"))
    sent = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert sorted(one["to"] for one in sent) == ["13800000001", "13800000002", "13800000003"]
    logs = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    assert "notices starts" in logs
    for where in (everything_in(engine), kept, logs):
        assert_nothing_of(sent, where)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM roll.message WHERE sent_at IS NOT NULL")).scalar() == 3


def test_a_gateway_that_is_away_costs_nothing_but_time(engine, post, caplog):
    invite(engine)
    with a_gateway(answering(503), answering(503), answering(503), answering(200, b'{"id": "g"}')) as gateway:
        shop = post(gateway)
        assert drain(shop, "notices") == 3
        with engine.begin() as connection:
            errors = connection.execute(text("SELECT DISTINCT last_error FROM owed.outbox")).scalars().all()
            connection.execute(text("UPDATE owed.outbox SET due_at = now()"))
        assert errors == ["NotSentError: gateway_503"]
        assert drain(shop, "notices") == 3
        assert drain(shop, "notices") == 0
    bodies = gateway.bodies()
    assert len(bodies) == 6
    assert len({one["id"] for one in bodies}) == 3
    assert_nothing_of(bodies, everything_in(engine) + caplog.text)


def test_a_bell_that_rings_twice_sends_once(engine, post):
    invite(engine)
    with a_gateway() as gateway:
        drain(post(gateway), "notices")
        with engine.begin() as connection:
            for number in connection.execute(text("SELECT id FROM roll.message")).scalars().all():
                emit(connection, "notices", str(number), 2)
        assert drain(post(gateway), "notices") == 3
    assert len(gateway.came) == 3


def test_one_message_that_is_refused_holds_up_no_other(engine, post):
    invite(engine)
    with a_gateway(answering(422), answering(200, b'{"id": "g"}')) as gateway:
        drain(post(gateway), "notices")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT failed, provider_id, sealed FROM roll.message ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("gateway_422", None, None), (None, "g", None), (None, "g", None)]
