"""The worker signs the ledger every hour, at a freeze and when asked; what was bent stays unsigned and is an alert."""

import logging
from dataclasses import replace

import pytest
from sqlalchemy import text

from api.actions.checkpoints import ask_checkpoint, last_look
from api.actions.rounds import freeze
from api.store import checkpoints
from survey_forms.signed_notes import log_signer
from tests.inspections import a_town as an_inspected_town
from tests.inspections import an_entry
from tests.worker.town import NOW
from worker.dispatch import Dispatcher, connect
from worker.drain import drain


@pytest.fixture
def signing(shop, tmp_path):
    return replace(shop, signer=log_signer(b"k" * 40, "test/mingcha-ledger"), own_notes=tmp_path / "notes")


def kept(engine):
    with engine.connect() as connection:
        return [(one.size, one.occasion) for one in checkpoints.checkpoints(connection)]


def test_a_freeze_and_a_request_are_signed_once(engine, signing, town, tmp_path):
    with engine.begin() as connection:
        inspected = an_inspected_town(connection)
        an_entry(connection, inspected)
        round_id = connection.execute(text("SELECT id FROM office.round")).scalar_one()
        freeze(connection, round_id, town.staff_ids["office"], NOW)
    drain(signing, "checkpoints")
    assert kept(engine) == [(1, "freeze")]
    with engine.connect() as connection:
        assert checkpoints.frozen_ledgers(connection)[round_id].size == 1
    with engine.begin() as connection:
        ask_checkpoint(connection, NOW)
    drain(signing, "checkpoints")
    assert len(kept(engine)) == 1
    with engine.begin() as connection:
        an_entry(connection, inspected)
        ask_checkpoint(connection, NOW.replace(minute=1))
    drain(signing, "checkpoints")
    assert kept(engine)[1:] == [(2, "asked")]
    assert sorted(file.name for file in (tmp_path / "notes").iterdir()) == ["1.note", "2.note", "log.keys"]


def test_the_dispatcher_signs_when_it_starts_and_every_hour(engine, signing, valkey_url):
    moment = [0.0]
    dispatcher = Dispatcher(signing, connect(valkey_url), lambda: moment[0])
    with engine.begin() as connection:
        town = an_inspected_town(connection)
    for at, entries in ((1.0, [0]), (1800.0, [0]), (3700.0, [0, 2])):
        moment[0] = at
        dispatcher.look()
        assert [size for size, _ in kept(engine)] == entries
        with engine.begin() as connection:
            an_entry(connection, town)


def test_a_bent_ledger_is_an_alert_and_stays_unsigned(engine, signing, caplog):
    with engine.begin() as connection:
        town = an_inspected_town(connection)
        an_entry(connection, town)
        an_entry(connection, town)
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE field.ledger_entry SET points = 1 WHERE seq = 2"))
        ask_checkpoint(connection, NOW)
    with caplog.at_level(logging.ERROR):
        drain(signing, "checkpoints")
    assert "ALERT Entry 2 was changed" in caplog.text
    assert kept(engine) == []
    with engine.connect() as connection:
        assert last_look(connection).wrong.code == "ledger_entry_bent"
