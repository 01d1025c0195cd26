"""The office sees whether the ledger is what was signed, asks for a checkpoint, and reads the scores of any."""

import re
from decimal import Decimal

import pytest
from sqlalchemy import text

from api.actions import ledger
from api.actions.checkpoints import TOPIC, keep_checkpoint
from api.actions.results import compose
from api.store import checkpoints
from api.store.owed import take_due
from survey_forms.signed_notes import log_signer
from tests.desk import NOW, a_scored_desk
from tests.pages.test_desk import signed_in, text_of

SIGNER = log_signer(b"k" * 40, "test/mingcha-ledger")
BASE = "/office/ledger/checkpoints"


@pytest.fixture
def desk(engine):
    with engine.begin() as connection:
        desk = a_scored_desk(connection)
        compose(connection, desk.evaluation.id, NOW)
    return desk


@pytest.fixture
def office(app, desk):
    assert desk.staff
    return signed_in(app, "office")


def keep(engine):
    with engine.begin() as connection:
        return keep_checkpoint(connection, SIGNER, "hourly", NOW)


def test_checkpoints_are_listed_with_their_note_and_asked_for(office, engine, app):
    assert "还没有校验点" in text_of(office.get(BASE).text)
    assert keep(engine) is None
    page = office.get(BASE).text
    assert "每小时" in text_of(page)
    address = re.search(r'href="(/api/v1/ledger/checkpoint\?size=\d+)"', page)
    assert app.test_client().get(address[1]).text.startswith("test/mingcha-ledger\n")
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    assert office.post(BASE, data={"form_token": token}).status_code == 303
    with engine.begin() as connection:
        assert [one.subject for one in take_due(connection, TOPIC, 9)] == ["asked"]


def test_the_scores_of_a_checkpoint_stand_beside_those_of_now(office, engine, desk):
    assert keep(engine) is None
    with engine.begin() as connection:
        size = connection.execute(text("SELECT count(*) FROM field.ledger_entry")).scalar_one()
        unit = connection.execute(
            text("SELECT id FROM office.unit WHERE evaluation_id = :e ORDER BY id LIMIT 1"), {"e": desk.evaluation.id}
        ).scalar_one()
        ledger.enter(
            connection, evaluation_id=desk.evaluation.id, unit_id=unit, component="inspection", aspect=None,
            rule="late_or_early", points=Decimal(3), basis="-", now=NOW,
            filed_by=desk.staff["office"], decided_by=desk.staff["office2"],
        )  # fmt: skip
        compose(connection, desk.evaluation.id, NOW)
    page = text_of(office.get(f"{BASE}/{size}").text)
    assert "当时" in page
    rows = re.findall(r"(\d+\.\d+)\s+(\d+\.\d+)", page)
    assert rows
    assert [float(then) - float(now) for then, now in rows if then != now] == [3.0]
    assert office.get(f"{BASE}/{size + 1}").status_code == 404


def test_a_bent_ledger_is_told_at_the_head_of_the_offices_pages(office, engine):
    keep(engine)
    for address in ("/office", "/office/ledger", BASE):
        assert "已停止签署" not in office.get(address).text
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE field.ledger_entry SET points = points + 1 WHERE seq = 1"))
    wrong = keep(engine)
    assert wrong.code == "ledger_entry_bent"
    for address in ("/office", "/office/ledger", BASE):
        page = text_of(office.get(address).text)
        assert "台账被改过，已停止签署" in page, address
        assert "第 1 号台账被改过" in page


def test_nobody_else_sees_the_page(app, desk):
    assert desk.staff
    assert app.test_client().get(BASE).status_code == 302
    assert signed_in(app, "unit").get(BASE).status_code == 403


def test_what_a_freeze_found_stands_with_its_round(office, engine, desk):
    assert keep(engine) is None
    with engine.begin() as connection:
        key = connection.execute(text("SELECT id FROM office.round")).scalar_one()
        assert keep_checkpoint(connection, SIGNER, "freeze", NOW, round_id=key) is None
        connection.execute(text("UPDATE office.round SET status = 'frozen', frozen_at = :now, frozen_by = :who"),
                           {"now": NOW, "who": desk.staff["office"]})  # fmt: skip
        (kept,) = checkpoints.checkpoints(connection)
    assert kept.occasion == "hourly"
    assert f"{kept.size} 条 · 根 {kept.root.hex()}" in text_of(office.get(BASE).text)
    assert f"{kept.size} 条 · 根 {kept.root.hex()[:16]}…" in text_of(office.get("/office/round").text)
