"""The office takes a round to its end at the desk: it is told what each step does, and two people stand for it."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from api.actions.results import compose
from api.actions.rounds import freeze
from api.actions.slips import tell_deduction
from api.app import create_app
from api.services import KEY
from api.store import ballots
from api.store.owed import emit, mark_done, take_due
from api.store.results import latest_composite
from api.store.rounds import round_states
from tests.builders import a_survey, some_codes, the_book
from tests.desk import NOW, PASSWORD, Desk, a_deduction, a_person, a_scored_desk
from tests.live import a_phone, faults_of
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look
from tests.pages.test_respondent import UNKNOWN, Phone, answer_everything

CHECKED = {"checked": "yes"}


@pytest.fixture
def desk(engine) -> Desk:
    with engine.begin() as connection:
        found = a_scored_desk(connection)
    settle(engine)
    return found


@pytest.fixture
def enter(app, desk) -> Callable[[str], FlaskClient]:
    """Sign somebody in at the desk that is there."""
    assert desk.staff
    return lambda username: signed_in(app, username)


def settle(engine):
    """Do what the worker owes: the slips and the composites; the time to object has run out long ago."""
    with engine.begin() as connection:
        for one in take_due(connection, "slips", 100):
            tell_deduction(connection, int(one.subject), NOW)
            mark_done(connection, [one.id])
        for one in take_due(connection, "compose", 100):
            compose(connection, int(one.subject), NOW)
            mark_done(connection, [one.id])


def the_round(engine, desk):
    with engine.connect() as connection:
        (found,) = round_states(connection, desk.evaluation.id)
    return found


def send(client, engine, desk, step, **fields):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/office/round").text)
    assert token
    data = {"form_token": token[1], **fields}
    return client.post(f"/office/round/{the_round(engine, desk).id}/{step}", data=data)


class TestTheWholeWay:
    def test_one_person_freezes_another_publishes_and_the_unit_sees_its_result(self, enter, engine, desk):
        office, office2, unit = enter("office"), enter("office2"), enter("unit")
        composite = own_composite(engine, desk)
        assert "截止收卷并冻结" in office.get("/office/round").text
        assert send(office, engine, desk, "freeze", **CHECKED).status_code == 303
        settle(engine)
        page = text_of(office.get("/office/round").text)
        assert "已冻结" in page
        assert "office 某 ·" in page
        assert "等另一位同事公布" in page
        assert composite not in unit.get("/unit").text
        assert unit.get("/api/v1/evaluations/xiamen-2015/results").status_code == 403
        assert "公布结果" in office2.get("/office/round").text
        assert send(office2, engine, desk, "publish", **CHECKED).status_code == 303
        page = text_of(office2.get("/office/round").text)
        assert "结果已公布" in page
        assert "office2 某 ·" in page
        assert composite in unit.get("/unit").text
        assert unit.get("/api/v1/evaluations/xiamen-2015/results").status_code == 200
        audit = text_of(office.get("/office/audit").text)
        assert "冻结轮次" in audit
        assert "公布结果" in audit

    def test_the_overview_leads_to_it(self, enter):
        assert 'href="/office/round"' in enter("office").get("/office").text


class TestAfterwards:
    def test_a_later_deduction_is_told_beside_the_result_until_a_second_person_corrects_it(self, enter, engine, desk):
        office, office2, unit = enter("office"), enter("office2"), enter("unit")
        before = own_composite(engine, desk)
        send(office, engine, desk, "freeze", **CHECKED)
        settle(engine)
        send(office2, engine, desk, "publish", **CHECKED)
        with engine.begin() as connection:
            seq = a_deduction(connection, desk, "education", "0.3")
        assert "正在按现行台账复算" in text_of(unit.get("/unit").text)
        settle(engine)
        after = own_composite(engine, desk)
        assert after != before
        told = text_of(unit.get("/unit").text)
        assert before in told
        assert re.search(rf"公布后台账有变动：\s*L{seq}\s*；\s*按现行台账复算为\s*{re.escape(after)}", told)
        for client, address in ((office, "/office/results"), (enter("bureau"), "/bureau")):
            assert re.search(rf"已公布\s*{re.escape(before)}.*复算为\s*{re.escape(after)}", client.get(address).text)
        results = unit.get("/api/v1/evaluations/xiamen-2015/results").json
        assert [one["composite"] for one in results["units"]] == [before]
        assert send(office2, engine, desk, "correction", correction="漏记一笔", **CHECKED).status_code == 403
        assert send(office, engine, desk, "correction", correction=" ", **CHECKED).status_code == 422
        assert send(office, engine, desk, "correction", correction="漏记一笔", **CHECKED).status_code == 303
        told = text_of(unit.get("/unit").text)
        assert after in told
        assert "公布后台账有变动" not in told
        page = text_of(office.get("/office/round").text)
        assert "公布更正：漏记一笔" in page

    def test_what_is_under_way_is_named_with_the_way_to_it(self, enter, engine, desk):
        send(enter("office"), engine, desk, "freeze", **CHECKED)
        with engine.begin() as connection:
            a_deduction(connection, desk, "education", "0.3")
        page = enter("office2").get("/office/round").text
        assert "异议期尚未起算" in page
        assert '<a href="/office/slips">' in page


def own_composite(engine, desk):
    with engine.connect() as connection:
        found = latest_composite(connection, desk.evaluation.id)
    return next(unit["composite"] for unit in found.output["units"] if unit["id"] == "education")


class TestNo:
    @pytest.mark.parametrize("step", ["freeze", "publish"])
    def test_nothing_happens_unchecked(self, enter, engine, desk, step):
        answer = send(enter("office"), engine, desk, step)
        assert answer.status_code == 422
        assert "error-summary" in answer.text
        assert f'href="#checked-{the_round(engine, desk).id}"' in answer.text
        assert the_round(engine, desk).status == "open"

    def test_whoever_froze_it_is_refused_in_words_even_past_the_page(self, enter, engine, desk):
        office = enter("office")
        send(office, engine, desk, "freeze", **CHECKED)
        settle(engine)
        answer = send(office, engine, desk, "publish", **CHECKED)
        assert answer.status_code == 403
        assert "这个轮次是您冻结的" in text_of(answer.text)
        assert the_round(engine, desk).status == "frozen"

    def test_what_is_not_ready_is_named_and_the_button_is_not_there(self, enter, engine, desk):
        send(enter("office"), engine, desk, "freeze", **CHECKED)
        office2 = enter("office2")
        page = office2.get("/office/round").text
        assert "综合得分正在重新计算" in page
        assert "公布结果</button>" not in page
        answer = send(office2, engine, desk, "publish", **CHECKED)
        assert answer.status_code == 409
        assert "综合得分正在重新计算" in answer.text

    def test_a_round_that_does_not_exist_is_not_found(self, enter, engine, desk):
        office = enter("office")
        token = re.search(r'name="form_token" value="([^"]+)"', office.get("/office/round").text)
        answer = office.post("/office/round/999999/freeze", data={"form_token": token[1], **CHECKED})
        assert answer.status_code == 404
        assert the_round(engine, desk).status == "open"

    @pytest.mark.parametrize("username", ["bureau", "inspector", "unit"])
    def test_nobody_but_the_office_comes_in(self, enter, engine, desk, username):
        client, found = enter(username), the_round(engine, desk)
        assert client.get("/office/round").status_code == 403
        for step in ("freeze", "publish", "extension"):
            assert client.post(f"/office/round/{found.id}/{step}", data=CHECKED).status_code == 403
        assert the_round(engine, desk) == found

    def test_a_page_elsewhere_cannot_freeze(self, enter, engine, desk):
        answer = enter("office").post(f"/office/round/{the_round(engine, desk).id}/freeze", data=CHECKED)
        assert answer.status_code == 403
        assert the_round(engine, desk).status == "open"


class TestExtending:
    def test_the_end_is_given_by_the_clock_in_china(self, enter, engine, desk):
        answer = send(enter("office"), engine, desk, "extension", closes_at="2099-01-02T18:30", reason="台风")
        assert answer.status_code == 303
        assert the_round(engine, desk).closes_at.isoformat() == "2099-01-02T10:30:00+00:00"
        assert "2099-01-02 18:30" in enter("office").get("/office/round").text

    @pytest.mark.parametrize("moment", ["", "soon", "2015-12-11T00:00", "0001-01-01T00:00"])
    def test_an_end_that_is_none_or_not_later_is_refused_and_what_was_written_stays(self, enter, engine, desk, moment):
        before = the_round(engine, desk)
        answer = send(enter("office"), engine, desk, "extension", closes_at=moment, reason="台风停工")
        assert answer.status_code == 422
        assert f'href="#closes_at-{before.id}"' in answer.text
        assert 'value="台风停工"' in answer.text
        assert the_round(engine, desk) == before


def test_a_code_of_a_frozen_round_is_told_what_an_unknown_one_is_told_and_one_under_way_that_it_ended(settings, engine):
    with engine.begin() as connection:
        survey = a_survey(connection, the_book("residents"))
        late, early = some_codes(connection, survey, 2, settings.pepper)
        office = a_person(connection, "office", "office")
    app = create_app(settings)
    under_way = Phone(app)
    answer_everything(under_way, early)
    receipt = under_way.receipt()
    with engine.begin() as connection:
        freeze(connection, survey.round_id, office, NOW)
    handed_in = under_way.post("send", receipt=receipt)
    fresh = create_app(settings)
    told, unknown = Phone(fresh).enter(late), Phone(fresh).enter(UNKNOWN)
    assert handed_in.status_code == told.status_code == unknown.status_code == 410
    assert "评议已经结束" in handed_in.text
    assert told.text.replace(late, "") == unknown.text.replace(UNKNOWN, "")
    with engine.connect() as connection:
        assert connection.execute(select(ballots.response)).all() == []
    for made in (app, fresh):
        made.extensions[KEY].database.engine.dispose()


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, NARROW])
def test_every_state_is_well_made(browser, site, engine, desk, size):
    address = f"{site}/office/round"
    with at_desk(browser, site, "office", size) as (page, complaints):
        look(page, address)
        page.locator("main form").first.evaluate("form => form.noValidate = true")
        page.click("text=截止收卷并冻结")
        page.wait_for_load_state()
        assert faults_of(page) == []
        page.check("input[name=checked]")
        page.click("text=截止收卷并冻结")
        page.wait_for_load_state()
        look(page, address)
        settle(engine)
        look(page, address)
        assert [one for one in complaints if "422" not in one] == []
    with engine.begin() as connection:
        emit(connection, "compose", f"{desk.evaluation.id}:round", 99)
    with at_desk(browser, site, "office2", size) as (page, _):
        look(page, address)
        settle(engine)
        look(page, address)
        page.check("input[name=checked]")
        page.click("main button >> text=公布结果")
        page.wait_for_load_state()
        look(page, address)
    assert the_round(engine, desk).status == "published"


@pytest.mark.browser
def test_it_works_without_script(browser, site, engine, desk):
    with a_phone(browser, js=False, size=DESK) as page:
        page.goto(f"{site}/office/round")
        page.fill("#username", "office")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.click("text=截止收卷并冻结")
        assert the_round(engine, desk).status == "open"  # the browser itself asks for the tick
        page.check("input[name=checked]")
        page.click("text=截止收卷并冻结")
        page.wait_for_load_state()
        assert the_round(engine, desk).status == "frozen"
