"""Entries followed to their evidence, by the office and by the unit; the map and the calendar of visits."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update

from api.actions.assignments import Work, assign
from api.actions.checkpoints import keep_checkpoint
from api.actions.inspections import CHINA
from api.objects import Objects
from api.pages.entry_facts import TREES
from api.store.checkpoints import last_checkpoint
from api.store.inspections import assignment
from api.store.ledger import entry_numbered, ledger_entry
from api.store.rectifications import rectification
from survey_forms.signed_notes import Signer
from survey_forms.transparency import verify_inclusion
from tests.entries import Life, a_life
from tests.inspections import NOW, PASSWORD, an_assignment, an_entry


@pytest.fixture
def life(engine, settings) -> Life:
    with engine.begin() as connection:
        return a_life(connection, Objects(settings.objects))


@pytest.fixture
def enter(app, life) -> Callable[[str], FlaskClient]:
    assert life.stands

    def entered(username: str) -> FlaskClient:
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    return entered


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


class TestTheOffice:
    def test_follows_a_deducted_point_to_rule_photo_place_people_and_what_came_of_it(self, enter, life):
        page = enter("office").get(f"/office/ledger/{life.stands}").text
        told = words_of(page)
        for shown in (
            "工作时间服务窗口无人值守", "演示目录1", "湖滨南路办事大厅", "林察", "王核", "照片清楚。", "扣分告知单",
            "当时窗口人员在引导群众。", "待说明", "窗口不得空岗", "下达整改", "最迟",
        ):  # fmt: skip
            assert shown in told, shown
        assert re.search(
            r'<a href="/evidence/[0-9a-f]{64}/rendition"><img src="/evidence/[0-9a-f]{64}/thumbnail"', page
        )
        assert '<svg class="place"' in page
        assert "<polygon" in page

    def test_an_objection_leads_from_the_old_entry_to_the_new_and_back(self, enter, life):
        client = enter("office")
        old = client.get(f"/office/ledger/{life.reversed}").text
        assert f'href="/office/ledger/{life.reversal}"' in old
        assert f'href="/office/ledger/{life.replacement}"' in old
        assert "部分成立" in old
        new = client.get(f"/office/ledger/{life.replacement}").text
        assert f"代替 L{life.reversed}" in new
        assert "湖滨南路办事大厅" in new
        reversal = client.get(f"/office/ledger/{life.reversal}").text
        assert f'href="/office/ledger/{life.reversed}"' in reversal

    def test_an_entry_that_rests_on_no_visit_still_says_who_and_why(self, enter, life):
        told = words_of(enter("office").get(f"/office/ledger/{life.elsewhere}").text)
        assert "9:40 未到岗" in told
        assert "林察 / 王核" in told

    def test_what_is_not_there_is_not_found(self, enter):
        client = enter("office")
        for address in ("ledger/999", "ledger/0", "inspections/calendar?month=2026-13", "inspections/map?zoom=nan"):
            assert client.get(f"/office/{address}").status_code == 404, address

    def test_the_ledger_is_filtered_by_unit_rule_and_state(self, enter, life):
        client = enter("office")

        def seqs(asked: str) -> list[int]:
            page = client.get(f"/office/ledger{asked}").text
            return [int(seq) for seq in re.findall(r'<tr id="entry-(\d+)">', page)]

        assert seqs("") == [life.elsewhere, life.replacement, life.reversal, life.reversed, life.stands]
        assert seqs("?unit=transport") == [life.elsewhere]
        assert seqs("?rule=overdue_matter&state=counts") == [life.replacement]
        assert seqs("?state=reversal") == [life.reversal]
        assert seqs("?state=none-such") == []

    def test_running_totals_stand_above_the_ledger(self, enter):
        told = words_of(enter("office").get("/office/ledger").text)
        assert "察访核验 2 6 未触及 6" in told  # 5 for the window, 1 for the matter that was reduced from 2.5


class TestTheUnit:
    def test_sees_its_own_entries_and_no_others(self, enter, life):
        client = enter("unit")
        page = client.get("/unit/entries").text
        assert f'href="/unit/entries/{life.stands}"' in page
        assert f"L{life.elsewhere}<" not in page
        assert client.get(f"/unit/entries/{life.stands}").status_code == 200
        assert client.get(f"/unit/entries/{life.elsewhere}").status_code == 404
        assert enter("unit2").get(f"/unit/entries/{life.stands}").status_code == 404

    def test_is_told_who_decided_and_not_who_inspected(self, enter, life):
        page = enter("unit").get(f"/unit/entries/{life.stands}").text
        assert "王核" in page
        assert "林察" not in page
        assert "/original" not in page
        assert "陈访" not in page

    def test_reaches_each_entry_from_its_result(self, enter, life):
        assert f'href="/unit/entries/{life.stands}"' in enter("unit").get("/unit").text

    def test_has_no_door_to_the_offices_pages(self, enter, life):
        client = enter("unit")
        for address in (f"ledger/{life.stands}", "inspections/map", "inspections/calendar"):
            assert client.get(f"/office/{address}").status_code == 403


class TestTheMapAndTheCalendar:
    def test_a_sites_state_is_what_asks_for_most(self, enter, engine):
        client = enter("office")
        assert 'id="site-' in client.get("/office/inspections/map?state=deducted").text
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # as time would, past the guard
            connection.execute(update(rectification).values(due_on=NOW.date() - timedelta(days=1)))
        assert 'id="site-' in client.get("/office/inspections/map?state=overdue").text
        assert 'id="site-' not in client.get("/office/inspections/map?state=deducted").text

    def test_a_view_is_asked_for_by_its_address(self, enter):
        client = enter("office")
        whole = client.get("/office/inspections/map").text
        assert "放大" in whole
        assert "缩小" not in whole
        near = client.get("/office/inspections/map?zoom=6&x=0.5&y=0.5").text
        assert "放大" not in near
        assert "缩小" in near

    def test_a_sealed_task_is_a_number_on_its_day_and_nowhere_else(self, enter, engine, life):
        today = datetime.now(UTC).astimezone(CHINA).date()
        with engine.begin() as connection:
            connection.execute(update(assignment).values(day=today))
            work = Work(life.town.site_id, (life.town.inspector,), today + timedelta(days=1), "patrol")
            assign(connection, work, b"of the service", life.town.office, datetime.now(UTC))
        client = enter("office")
        month = f"{today + timedelta(days=1):%Y-%m}"
        assert "密封 1" in client.get(f"/office/inspections/calendar?month={month}").text
        assert 'id="site-' not in client.get("/office/inspections/map?state=due").text

    def test_a_day_tells_visits_findings_and_what_is_due(self, enter):
        told = words_of(enter("office").get("/office/inspections/calendar?month=2026-11").text)
        assert "已察访 1" in told
        assert "问题 2" in told
        due = words_of(enter("office").get("/office/inspections/calendar?month=2026-12").text)
        assert "整改到期 1" in due

    def test_what_is_announced_waits_on_the_map_and_nothing_else_does(self, enter, engine, life):
        with engine.begin() as connection:
            key = an_assignment(connection, life.town, day=datetime.now(UTC).date() + timedelta(days=3))
        client = enter("office")
        assert "待察访 1" not in words_of(client.get("/office/inspections/map").text)
        with engine.begin() as connection:
            connection.execute(update(assignment).where(assignment.c.id == key).values(announced=True))
        assert "待察访 1" in words_of(client.get("/office/inspections/map").text)


def test_the_pages_run_no_inline_code(enter, life):
    client = enter("office")
    for address in (f"ledger/{life.stands}", "ledger", "inspections/map", "inspections/calendar"):
        for language in ("zh", "en"):
            page = client.get(f"/office/{address}?lang={language}").text
            assert not re.search(r"<[^>]+\s(style|on\w+)=|<style|<script(?![^>]*\bsrc=)", page), address


def test_a_ledger_of_many_entries_has_pages(enter, engine, life):
    with engine.begin() as connection:
        for _ in range(100):
            an_entry(connection, life.town, points="0.1")
    client = enter("office")
    assert len(re.findall(r'<tr id="entry-', client.get("/office/ledger").text)) == 100
    assert len(re.findall(r'<tr id="entry-', client.get("/office/ledger?page=2").text)) == 5


class TestTheProof:
    def test_an_entry_shows_its_path_to_the_signed_root_and_a_bent_ledger_is_named(self, enter, engine, life):
        signer = Signer("example.org/ledger", bytes(range(32)))
        address = f"/office/ledger/{life.stands}"
        client = enter("office")
        assert "下一次签名校验点" in client.get(address).text
        with engine.begin() as connection:
            assert keep_checkpoint(connection, signer, "asked", NOW) is None
        page = client.get(address).text
        with engine.connect() as connection:
            kept = last_checkpoint(connection)
            entry = entry_numbered(connection, life.stands)
        shown = re.findall(r"<dd class=\"mono fold\">([0-9a-f\n]+)</dd>", page)
        path = next(path for root, path in pairwise(shown) if root == kept.root.hex())
        siblings = [bytes.fromhex(step) for step in path.split()]
        assert verify_inclusion(entry.leaf_hash, entry.seq - 1, kept.size, siblings, kept.root)
        assert "signed checkpoint" in client.get(f"{address}?lang=en").text
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE field.ledger_entry DISABLE TRIGGER USER"))
            connection.execute(update(ledger_entry).where(ledger_entry.c.seq == 2).values(leaf_hash=bytes(32)))
        TREES._kept.clear()
        assert "contradicts its checkpoint" in client.get(address).text
