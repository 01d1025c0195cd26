"""“有人要求我怎么填”: from the footer of every page to the office's inbox, and nothing goes with it."""

import re
from datetime import date
from unittest.mock import ANY
from uuid import uuid4

import pytest
from sqlalchemy import select

from api.actions import coercion
from api.actions.coercion import MOST_A_PASS, keep_report
from api.actions.windows import close
from api.services import utc_now
from api.store import notices
from api.store.notices import Report
from tests.builders import a_survey, some_codes
from tests.desk import a_desk, a_person
from tests.live import PHONE, a_phone, faults_of, serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look
from tests.pages.test_respondent import Phone, everything
from tests.pages.test_respondent_phone import too_small
from tests.pages.tongues import a_book_of_tongues

GIVEN = {"who": "leader", "how": "phone", "words": "处长要求一律打满分"}


@pytest.fixture
def survey(engine):
    with engine.begin() as connection:
        a_person(connection, "office", "office")
        return a_survey(connection, a_book_of_tongues(), simulated=True)


@pytest.fixture
def codes(engine, survey, settings):
    with engine.begin() as connection:
        return some_codes(connection, survey, 5, settings.pepper)


@pytest.fixture
def phone(app, codes):
    """A phone with the pass of a code."""
    made = Phone(app)
    made.post("enter", code=codes[0])
    return made


def reports(engine):
    with engine.connect() as connection:
        return connection.execute(select(notices.coercion_report)).all()


def send(phone, **fields):
    return phone.client.post("/report", data=GIVEN | fields)


def hand_in(phone):
    phone.post("next", at="1", upto="2", police="good")
    phone.post("next", at="2", upto="2", words="")
    assert "已提交" in phone.post("send", receipt=phone.receipt()).text


def test_every_page_of_the_survey_and_the_receipt_lead_there(phone):
    pages = [
        phone.post("begin"),
        phone.post("next", at="1", upto="2"),
        phone.post("next", at="1", upto="2", police="good"),
    ]
    pages.append(phone.get("/survey?at=start"))
    hand_in(phone)
    pages.append(phone.get("/survey"))
    assert "已提交" in pages[-1].text
    for page in pages:
        assert 'href="/report"' in page.text.partition("<footer>")[2], page.text[-600:]


def test_with_a_code_it_reaches_the_office_and_nothing_goes_with_it(phone, engine, survey, codes):
    phone.post("next", at="1", upto="2", police="bad")
    assert "已收到" in send(phone).text
    (row,) = reports(engine)
    assert dict(row._mapping) == {
        "id": ANY,
        "survey_id": survey.id,
        "day": ANY,
        "kind": "leader:phone",
        "words": "处长要求一律打满分",
        "read_by": None,
        "read_at": None,
    }
    assert codes[0] not in everything(engine)
    assert "police" not in str(row)
    assert 'name="at" value="2"' in phone.get("/survey").text  # and answering goes on


def test_after_handing_in_the_receipts_pass_is_enough(phone, engine, survey):
    hand_in(phone)
    assert "已收到" in send(phone).text
    assert [row.survey_id for row in reports(engine)] == [survey.id]


def test_after_the_close_it_can_still_be_reported(phone, engine, survey):
    with engine.begin() as connection:
        close(connection, survey.id, "样本已满", a_person(connection, "chief", "office"), utc_now())
    assert "已收到" in send(phone).text


def test_a_stranger_is_told_to_come_with_a_code_and_leaves_nothing(app, engine, survey):
    stranger = Phone(app)
    assert survey.id
    for page in (stranger.get("/report"), send(stranger)):
        assert page.status_code == 401
        assert "请先用评议码" in page.text
        assert "<textarea" not in page.text
    stranger.client.set_cookie("mc_survey", "AAAA" * 30)
    assert send(stranger).status_code == 401
    assert reports(engine) == []


def test_a_page_of_another_site_cannot_report(phone, engine):
    answer = phone.client.post("/report", data=GIVEN, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert reports(engine) == []


def test_what_is_missing_is_told_at_the_field_and_the_words_stay(phone, engine):
    page = send(phone, who="boss", how="", words="长" * 1001)
    assert page.status_code == 422
    for name in ("who", "how", "words"):
        assert f'href="#{name}"' in page.text
        assert f'id="e-{name}"' in page.text
    assert "长" * 1001 in page.text
    assert reports(engine) == []


def test_one_pass_reports_a_few_times_and_another_still_can(phone, app, engine, codes):
    assert [send(phone).status_code for _ in range(MOST_A_PASS + 2)] == [200] * MOST_A_PASS + [429] * 2
    other = Phone(app)
    other.post("enter", code=codes[1])
    assert send(other).status_code == 200
    assert len(reports(engine)) == MOST_A_PASS + 1


def test_a_full_inbox_is_told_honestly_and_takes_nothing(phone, engine, monkeypatch):
    monkeypatch.setattr(coercion, "MOST_A_DAY", 1)
    assert send(phone).status_code == 200
    page = send(phone)
    assert page.status_code == 429
    assert "没有收下" in page.text
    assert len(reports(engine)) == 1


def test_blanks_and_invisible_letters_are_not_words(phone, engine):
    assert send(phone, words=" \u200b\r\n 字 \0").status_code == 200
    assert [row.words for row in reports(engine)] == ["字"]


# --- The office -------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(engine):
    """A desk with one report."""
    with engine.begin() as connection:
        made = a_desk(connection)
        report = Report(uuid4(), made.survey_id, date(2015, 12, 9), "leader", "phone", "<b>一律</b>满分")
        keep_report(connection, report)
        return made


def test_the_office_sees_counts_words_and_marks_them_read(app, desk):
    assert desk.survey_id
    office = signed_in(app, "office")
    assert "1 件受干预反映未读" in text_of(office.get("/office").text)
    page = office.get("/office/reports")
    assert "共 1 件，未读 1 件" in text_of(page.text)
    assert "&lt;b&gt;一律&lt;/b&gt;满分" in page.text
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)[1]
    address = re.search(r'action="(/office/reports/[\w-]+/read)"', page.text)[1]
    assert office.post(address, data={"form_token": token}).status_code == 303
    assert "未读 0 件" in text_of(office.get("/office/reports").text)
    assert "受干预反映未读" not in text_of(office.get("/office").text)
    assert "阅读受干预反映" in text_of(office.get("/office/audit").text)
    assert (
        office.post("/office/reports/00000000-0000-0000-0000-000000000001/read", data={"form_token": token}).status_code
        == 404
    )
    assert office.post(address).status_code == 403


@pytest.mark.parametrize("username", ["bureau", "inspector", "unit"])
def test_nobody_else_reads_them(app, desk, username):
    assert desk.survey_id
    assert signed_in(app, username).get("/office/reports").status_code == 403


# --- With eyes --------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(
    ("query", "size"),
    [("", PHONE), ("?lang=ug", PHONE), ("?large=1", NARROW), ("?contrast=1", PHONE), ("?lang=en", NARROW)],
)
def test_every_state_is_well_made_and_needs_no_script(browser, app, codes, query, size):
    with serving(app) as site, a_phone(browser, js=True, size=size) as page:
        look(page, f"{site}/report{query}")  # a stranger's
        page.goto(f"{site}/{query}")
        page.fill("#code", codes[2])
        page.locator("main button[value=enter]").click()
        page.wait_for_load_state()
        look(page, f"{site}/report")
        assert too_small(page, 60 if "large" in query else 44) == []
        page.locator("main form button").click()
        page.wait_for_load_state()
        assert page.locator(".errors a").count() == 2
        assert faults_of(page) == []
        page.locator("#who").check()
        page.locator("#how").check()
        page.locator("main form button").click()
        page.wait_for_load_state()
        assert faults_of(page) == []
    with serving(app) as site, a_phone(browser, js=False, size=size) as page:
        page.goto(f"{site}/{query}")
        page.fill("#code", codes[3])
        page.locator("main button[value=enter]").click()
        page.locator("footer a[href='/report']").click()
        page.locator("#who").check()
        page.locator("#how").check()
        page.locator("main form button").click()
        assert page.locator(".mark").count() == 1


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, NARROW])
def test_the_inbox_is_well_made_full_and_read(browser, app, desk, size):
    assert desk.survey_id
    with serving(app) as site, at_desk(browser, site, "office", size) as (page, complaints):
        look(page, f"{site}/office/reports")
        page.click("text=标为已读")
        page.wait_for_load_state()
        look(page, f"{site}/office/reports")
        assert complaints == []
