"""The interviewers' pages: who sees what, in one key or one press, well made in every state; the number while held."""

import os
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, text

from api.store import quotas
from tests.desk import PASSWORD, a_person
from tests.fieldwork import PLAN, an_appointment, now, some_work
from tests.live import a_phone, faults_of

DESK, TABLET, NARROW = {"width": 1280, "height": 800}, {"width": 820, "height": 1180}, {"width": 320, "height": 640}
SHOTS = os.environ.get("MINGCHA_SHOTS", "")


@pytest.fixture
def sign_in(app):
    def signed_in(username: str = "interviewer"):
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    return signed_in


def post(client, address: str, home: str = "/interviewer", **facts):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(home).text)[1]
    return client.post(address, data={"form_token": token, **facts})


def key(page: str) -> str:
    return re.search(r'name="key" value="(\w+)"', page)[1]


# --- Without script ---------------------------------------------------------------------------------------------


def test_the_number_is_shown_to_who_holds_the_case_and_to_nobody_else(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 1, 2)
    first, second = sign_in("interviewer"), sign_in("interviewer1")
    number = f"138{work.cases[0]:08}"
    assert number not in first.get("/interviewer").text
    assert post(first, "/interviewer/next", survey=work.survey_id).status_code == 303
    assert number in first.get("/interviewer").text
    assert number not in second.get("/interviewer").text
    assert "none=1" in post(second, "/interviewer/next", survey=work.survey_id).headers["Location"]
    post(first, f"/interviewer/cases/{work.cases[0]}/return")
    assert number not in first.get("/interviewer").text
    with engine.begin() as connection:
        told = connection.execute(text("SELECT staff_id FROM office.audit WHERE act = 'contact_shown'")).scalars().all()
    assert set(told) == {work.interviewers[0]}


def test_an_outcome_is_written_and_the_next_case_may_be_taken(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 2)
    client = sign_in()
    post(client, "/interviewer/next", survey=work.survey_id)
    page = client.get("/interviewer").text
    sent = {"key": key(page), "outcome": "3.13", "note": "晚上在家"}
    answer = post(client, f"/interviewer/cases/{work.cases[0]}/outcome", **sent)
    assert answer.headers["Location"].endswith("?done=3.13")
    again = post(client, f"/interviewer/cases/{work.cases[0]}/outcome", **sent)  # the browser sent it twice
    assert again.status_code == 303
    with engine.begin() as connection:
        assert connection.execute(text("SELECT outcome, note FROM roll.contact_attempt")).all() == [
            ("3.13", "晚上在家")
        ]


def test_what_is_wrong_comes_back_with_what_was_filled_in(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 1)
    client = sign_in()
    post(client, "/interviewer/next", survey=work.survey_id)
    answer = post(client, f"/interviewer/cases/{work.cases[0]}/outcome", key="0" * 32, outcome="3.13", note="长" * 301)
    assert answer.status_code == 422
    assert "备注最多 300 字" in answer.text
    assert "长" * 301 in answer.text
    late = post(
        client,
        f"/interviewer/cases/{work.cases[0]}/appointment",
        key="0" * 32,
        begins_at="2020-01-01T10:00",
        minutes="60",
    )
    assert late.status_code == 422
    assert "预约的时间已经过去" in late.text


def test_a_case_that_was_given_back_meanwhile_is_told_so(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 1, 2)
    client, other = sign_in(), sign_in("interviewer1")
    post(client, "/interviewer/next", survey=work.survey_id)
    with engine.begin() as connection:
        connection.execute(text("UPDATE roll.case_file SET held_until = now() - interval '1 second'"))
    assert f"138{work.cases[0]:08}" not in client.get("/interviewer").text
    post(other, "/interviewer/next", survey=work.survey_id)
    answer = post(client, f"/interviewer/cases/{work.cases[0]}/outcome", key="0" * 32, outcome="3.13")
    assert answer.status_code == 409
    assert "现在不在您手里" in answer.text
    assert post(client, f"/interviewer/cases/{work.cases[0]}/alive").status_code == 409


def test_quota_questions_are_asked_on_the_desk_and_a_full_cell_ends_the_case(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 1)
        cell = {"survey_id": work.survey_id, "name_zh": "女", "name_en": "f", "traits": {"sex": "f"}, "places": 0}
        connection.execute(insert(quotas.quota_cell), [cell])
    client = sign_in()
    post(client, "/interviewer/next", survey=work.survey_id)
    assert "性别" in client.get("/interviewer").text
    unasked = post(client, f"/interviewer/cases/{work.cases[0]}/interview")
    assert unasked.status_code == 422
    assert "请先问完配额问题：性别" in unasked.text
    full = post(client, f"/interviewer/cases/{work.cases[0]}/interview", **{"ask-sex": "f"})
    assert full.headers["Location"].endswith("?done=4.80")


def test_an_interview_opens_the_questionnaire_in_the_same_browser_and_a_break_off_takes_it_away(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 1)
    client = sign_in()
    post(client, "/interviewer/next", survey=work.survey_id)
    assert post(client, f"/interviewer/cases/{work.cases[0]}/interview").headers["Location"] == "/survey"
    assert "回到访问台" in client.get("/survey").text
    first = client.post("/survey", data={"do": "begin"}).text
    sheet = dict(re.findall(r'type="hidden" name="(at|upto)" value="([^"]*)"', first))
    shown = client.post("/survey", data={"do": "next", "police": "good", **sheet})
    assert shown.status_code == 200
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM ballot.draft")).scalar() == 1
    desk = client.get("/interviewer").text
    assert "访问进行中" in desk
    answer = post(client, f"/interviewer/cases/{work.cases[0]}/outcome", key=key(desk), outcome="2.12")
    assert answer.headers["Location"].endswith("?done=2.12")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM ballot.draft")).scalar() == 0
    assert "mc_survey" not in str(client.get_cookie("mc_survey"))
    assert 'name="code"' in client.get("/survey").text


def test_respondents_pages_look_the_same_to_everybody_else(engine, sign_in, app):
    with engine.begin() as connection:
        some_work(connection, 1)
        a_person(connection, "an-office", "office")
    for client in (app.test_client(), sign_in("an-office")):
        assert "/interviewer" not in client.get("/").text


def test_a_visit_is_recorded_with_its_place_and_only_outcomes_of_visits_are_offered(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 1, plan=replace(PLAN, modes=("visit",)))
    client, home = sign_in(), "/interviewer/visits"
    assert post(client, "/interviewer/next", home, survey=work.survey_id, stage="visit").headers["Location"] == home
    page = client.get(f"{home}/{work.cases[0]}").text
    assert 'value="2.24"' in page
    assert 'value="3.13"' not in page
    spot = {"latitude": "24.48", "longitude": "118.08", "accuracy": "12.5"}
    post(client, f"/interviewer/cases/{work.cases[0]}/outcome", home, key=key(page), outcome="2.24", **spot)
    with engine.begin() as connection:
        row = connection.execute(text("SELECT mode, latitude, longitude, accuracy FROM roll.contact_attempt")).one()
    assert tuple(row) == ("visit", 24.48, 118.08, 12.5)
    assert client.get(f"{home}/{work.cases[0]}").headers["Location"] == home


def test_the_office_writes_the_plan_and_every_fault_is_told_beside_its_field(engine, sign_in):
    with engine.begin() as connection:
        work = some_work(connection, 3, plan=replace(PLAN, modes=("web", "phone")))
        a_person(connection, "an-office", "office")
    client, address = sign_in("an-office"), f"/office/fieldwork/{work.survey_id}"
    page = client.get(address).text
    given = dict(re.findall(r'<input class="input input-short" id="\w+" name="(\w+)" value="([^"]*)"', page))
    assert given["calls_until"] == "24:00"
    wrong = post(client, address, address, **{**given, "most_calls": "many", "calls_from": "25:00", "script_zh": ""})
    assert wrong.status_code == 422
    for place in ("modes", "most_calls", "calls_from"):
        assert f'id="{place}-error"' in wrong.text
    right = {**given, "most_calls": "4", "modes": ["web", "phone", "visit"], "script_zh": "您好"}
    assert post(client, address, address, **right).headers["Location"].endswith("saved=1")
    moved = post(client, f"{address}/after-web", address)
    assert moved.headers["Location"].endswith("moved=3")


# --- In a real browser ------------------------------------------------------------------------------------------


@contextmanager
def at(browser, site, size, username="interviewer", language="zh-CN", *, js=True):
    with a_phone(browser, size=size, language=language, js=js) as page:
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site}/login")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_load_state()
        yield page
        assert complaints == []


def look(page, name: str) -> None:
    """Axe finds nothing, nothing sticks out sideways, what is pressed is big enough; a picture for human eyes."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    assert faults_of(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (DESK, "en-GB"), (NARROW, "zh-CN")])
def test_every_state_of_the_desk_is_well_made(browser, site, engine, size, language):
    with engine.begin() as connection:
        work = some_work(connection, 3)
        an_appointment(connection, work.cases[2], now() + timedelta(hours=2))
        a_person(connection, "an-office", "office")
    where = f"{size['width']}-{language[:2]}"
    with at(browser, site, size, language=language) as page:
        look(page, f"desk-empty-{where}")
        page.keyboard.press("n")
        page.wait_for_selector(".number")
        page.wait_for_load_state()
        look(page, f"desk-case-{where}")
        if size == DESK and language == "zh-CN":
            bottoms = "[...document.querySelectorAll('.outcome')].map(e => e.getBoundingClientRect().bottom)"
            assert max(page.evaluate(bottoms)) <= size["height"]  # every outcome is in sight
        page.keyboard.press("?")
        page.wait_for_selector("#help[open]")
        look(page, f"desk-help-{where}")
        page.keyboard.press("a")
        page.wait_for_selector("#appointment[open]")
        look(page, f"desk-appointment-{where}")
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        page.wait_for_url(f"{site}/survey")
        page.goto(f"{site}/interviewer")
        look(page, f"desk-running-{where}")
    with at(browser, site, size, "an-office", language) as page:
        page.goto(f"{site}/office/fieldwork/{work.survey_id}")
        look(page, f"plan-{where}")


@pytest.mark.browser
@pytest.mark.parametrize("size", [TABLET, NARROW])
def test_every_state_of_the_tablet_is_well_made(browser, site, engine, size):
    with engine.begin() as connection:
        work = some_work(connection, 3, plan=replace(PLAN, modes=("visit",)))
    with at(browser, site, size) as page:
        page.goto(f"{site}/interviewer/visits")
        look(page, f"visits-empty-{size['width']}")
        for _ in work.cases:
            page.click("text=领取下一个")
            page.wait_for_load_state()
        assert page.locator(".task").count() == len(work.cases)
        look(page, f"visits-{size['width']}")
        page.locator(".task").first.click()
        page.wait_for_selector(".outcome")
        look(page, f"visit-{size['width']}")
        page.context.grant_permissions(["geolocation"])
        page.context.set_geolocation({"latitude": 24.48, "longitude": 118.08, "accuracy": 9})
        page.click("text=记下现在的位置")
        page.wait_for_selector("text=误差约 9 米")
        page.click("text=家中无人")
        page.wait_for_selector("text=已记下")
    with engine.begin() as connection:
        spot = connection.execute(text("SELECT latitude, longitude FROM roll.contact_attempt")).one()
    assert tuple(spot) == (24.48, 118.08)


@pytest.mark.browser
def test_the_desk_works_with_the_mouse_and_without_script(browser, site, engine):
    with engine.begin() as connection:
        some_work(connection, 1)
    with at(browser, site, DESK, js=False) as page:
        page.click("text=取下一个")
        page.click("text=无人接听")
        assert "已记下" in page.inner_text("main")


@pytest.mark.browser
def test_keys_rest_while_somebody_writes_a_note(browser, site, engine):
    with engine.begin() as connection:
        some_work(connection, 1)
    with at(browser, site, DESK) as page:
        page.keyboard.press("n")
        page.wait_for_selector(".number")
        page.wait_for_load_state()
        page.focus("#note")
        page.keyboard.type("19:30 g a 1")
        assert page.input_value("#note") == "19:30 g a 1"
        page.keyboard.press("Escape")
        page.keyboard.press("1")
        page.wait_for_selector("text=已记下")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT outcome, note FROM roll.contact_attempt")).all() == [
            ("3.13", "19:30 g a 1")
        ]
