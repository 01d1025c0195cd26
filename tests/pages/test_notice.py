"""What a respondent is told before the first question, where it can be read again, and who may change it."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select, update

from api.actions.notices import default_words, publish_notice
from api.store import people, surveys
from api.store.notices import latest_notice, notices_of
from tests.builders import a_survey, some_codes
from tests.desk import a_desk
from tests.live import PHONE, a_phone, faults_of, serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look
from tests.pages.test_respondent import Phone
from tests.pages.tongues import a_book_of_tongues

NOW = datetime.now(UTC) - timedelta(hours=2)


@pytest.fixture
def survey(engine):
    with engine.begin() as connection:
        return a_survey(connection, a_book_of_tongues())


@pytest.fixture
def codes(engine, survey, settings):
    with engine.begin() as connection:
        return some_codes(connection, survey, 4, settings.pepper)


@pytest.fixture
def digest(engine, survey):
    """A published notice with a help line of its own."""
    with engine.begin() as connection:
        words = default_words(connection, survey.id)
        words["zh"]["help_line"] = "0592-1234567"
        return publish_notice(connection, survey.id, words, None, NOW)


# --- Before the first question ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("survey")
def test_between_the_code_and_the_first_question_stands_who_asks_and_what_is_promised(app, codes, digest):
    phone = Phone(app)
    page = phone.post("enter", code=codes[0])
    shown = text_of(page.text)
    for words in (
        "谁在问",
        "要多久",
        "截止时间",
        "为什么问",
        "收集什么",
        "保存多久",
        "您的权利",
        "怎么联系",
        "求助电话",
    ):
        assert words in shown, words
    assert "大约 1 分钟" in shown
    assert "某市 2015 年度公众评议的组织单位" in shown
    assert 'name="at"' not in page.text
    assert "<details>" in page.text
    assert f'href="/notice/{digest}"' in page.text
    assert 'name="at" value="1"' in phone.post("begin").text


def test_a_reload_shows_it_again_and_a_draft_goes_on_where_it_was(app, codes):
    phone = Phone(app)
    phone.post("enter", code=codes[0])
    assert 'value="begin"' in phone.get("/survey").text
    phone.post("next", at="1", upto="2", police="good")
    assert 'value="begin"' not in phone.get("/survey").text
    assert 'value="begin"' not in Phone(app).post("enter", code=codes[0]).text
    assert 'value="begin"' in phone.get("/survey?at=start").text


PROMISES = {"open": "没有用加密箱", "sealed": "三位密钥保管人"}


@pytest.mark.parametrize("secrecy", PROMISES)
def test_the_promise_is_the_surveys_own(app, engine, survey, digest, secrecy):
    """What is promised of joining answers and people differs, and neither promises the other's."""
    with engine.begin() as connection:
        connection.execute(update(surveys.survey).where(surveys.survey.c.id == survey.id).values(secrecy=secrecy))
    shown = text_of(Phone(app).get(f"/notice/{digest}").text).partition("谁在问")[0]
    assert [name for name, words in PROMISES.items() if words in shown] == [secrecy]


def test_the_promise_stands_before_the_first_question(app, codes):
    assert PROMISES["open"] in text_of(Phone(app).post("enter", code=codes[0]).text)


def test_while_nothing_is_published_the_default_is_shown_without_an_address(app, codes):
    page = Phone(app).post("enter", code=codes[0])
    assert "组织单位" in page.text
    assert "/notice/" not in page.text


@pytest.mark.usefixtures("digest")
def test_the_notice_comes_in_the_questions_language_where_it_has_one(app, codes):
    phone = Phone(app)
    phone.post("enter", code=codes[0])
    assert "performance office that sent your letter" in unescape(phone.get("/survey?at=start&lang=en").text)
    assert "ئۇيۇشتۇرغۇچى ئورۇن" in phone.get("/survey?at=start&lang=ug").text
    assert "某市 2015 年度公众评议的组织单位" in phone.get("/survey?at=start&lang=bo").text


# --- Help in the same place -------------------------------------------------------------------------------------


def test_the_help_line_stands_first_in_every_pages_footer_and_can_be_dialled(app, codes, digest):
    phone = Phone(app)
    pages = [phone.get("/"), phone.post("enter", code="x"), phone.post("enter", code=codes[0]), phone.post("begin")]
    pages += [phone.post("next", at="1", upto="2"), phone.post("next", at="1", upto="2", police="good")]
    pages += [phone.post("next", at="2", upto="2", words=""), phone.get("/report"), phone.get(f"/notice/{digest}")]
    pages.append(phone.post("send", receipt=phone.receipt()))
    assert "已提交" in pages[-1].text
    for page in pages:
        footer = page.text.partition("<footer>")[2]
        links = re.findall(r'<a href="([^"]+)"', footer)
        assert links[0] == "tel:05921234567", page.text[-900:]


def test_a_survey_without_a_notice_names_the_governments_hotline(app, codes):
    assert 'href="tel:12345"' in Phone(app).get("/").text
    assert 'href="tel:12345"' in Phone(app).post("enter", code=codes[0]).text


# --- An address that names its content --------------------------------------------------------------------------


def test_the_public_address_is_the_sha256_of_the_document_behind_it(app, digest):
    client = app.test_client()
    document = client.get(f"/notice/{digest}.json")
    assert hashlib.sha256(document.data).hexdigest() == digest
    page = client.get(f"/notice/{digest}")
    assert (page.status_code, digest in page.text) == (200, True)
    assert client.get(f"/notice/{'0' * 64}").status_code == 404
    assert client.get("/notice/x.json").status_code == 404


def test_an_earlier_version_stays_and_leads_to_the_one_in_force(app, engine, survey, digest):
    with engine.begin() as connection:
        words = {"zh": latest_notice(connection, survey.id).words["zh"] | {"purpose": "换了说法"}}
        newer = publish_notice(connection, survey.id, words, None, NOW + timedelta(hours=1))
    client = app.test_client()
    old = client.get(f"/notice/{digest}")
    assert "以前的版本" in old.text
    assert f'href="/notice/{newer}"' in old.text
    assert "换了说法" not in old.text
    assert "以前的版本" not in client.get(f"/notice/{newer}").text


# --- The office writes it ---------------------------------------------------------------------------------------


@pytest.fixture
def desk(engine):
    with engine.begin() as connection:
        return a_desk(connection)


def publish_at_desk(client, survey_id, **words):
    page = client.get("/office/notice").text
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    section = page.partition(f'action="/office/notice/{survey_id}"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="([\w-]+\.\w+)" value="([^"]*)"', section))
    fields |= dict(re.findall(r'<textarea[^>]* name="([\w-]+\.\w+)"[^>]*>(.*?)</textarea>', section, re.DOTALL))
    data = {name: unescape(value) for name, value in fields.items()}
    data |= {name.replace("__", "."): value for name, value in words.items()}
    return client.post(f"/office/notice/{survey_id}", data={"form_token": token, **data})


def test_the_office_publishes_the_default_then_a_change_and_sees_the_difference(app, engine, desk):
    client = signed_in(app, "office")
    assert "还没有发布" in text_of(client.get("/office/notice").text)
    assert publish_at_desk(client, desk.survey_id).status_code == 303
    with engine.connect() as connection:
        before = latest_notice(connection, desk.survey_id).words["zh"]["purpose"]
    wait_for_the_next_second()
    assert publish_at_desk(client, desk.survey_id, zh__purpose=before + "\n只用于本年度考评。").status_code == 303
    page = client.get("/office/notice").text
    assert "<ins>只用于本年度考评。</ins>" in page
    assert "<del>" not in page
    assert "office 某" in text_of(page)
    with engine.connect() as connection:
        assert len(notices_of(connection, desk.survey_id)) == 2
        acts = connection.execute(select(people.audit).where(people.audit.c.act == "notice_published")).all()
    assert len(acts) == 2
    assert "发布个人信息说明" in text_of(client.get("/office/audit").text)


def wait_for_the_next_second():
    """Two versions never share a second."""
    second = datetime.now(UTC).second
    while datetime.now(UTC).second == second:
        pass


def test_what_is_wrong_is_told_at_the_field_and_what_was_written_stays(app, engine, desk):
    client = signed_in(app, "office")
    answer = publish_at_desk(client, desk.survey_id, zh__purpose="", zh__help_line="问办公室", zh__rights="我的话")
    assert answer.status_code == 422
    assert f'href="#{desk.survey_id}.zh.purpose"' in answer.text
    assert f'id="{desk.survey_id}.zh.help_line-error"' in answer.text
    assert "我的话" in answer.text
    with engine.connect() as connection:
        assert latest_notice(connection, desk.survey_id) is None


@pytest.mark.parametrize("username", ["bureau", "inspector", "unit"])
def test_nobody_but_the_office_writes_it(app, desk, username):
    client = signed_in(app, username)
    assert client.get("/office/notice").status_code == 403
    assert client.post(f"/office/notice/{desk.survey_id}", data={}).status_code == 403


def test_a_survey_that_does_not_exist_has_none(app, desk):
    client = signed_in(app, "office")
    assert desk.survey_id
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/office/notice").text)[1]
    assert client.post("/office/notice/999999", data={"form_token": token}).status_code == 404


# --- With eyes --------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("query", ["", "?lang=en", "?lang=ug", "?large=1", "?contrast=1"])
def test_the_public_page_is_well_made(browser, app, digest, query):
    with serving(app) as site, a_phone(browser, size=PHONE) as page:
        look(page, f"{site}/notice/{digest}{query}")


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, NARROW])
def test_the_offices_page_is_well_made(browser, app, engine, desk, size):
    with serving(app) as site, at_desk(browser, site, "office", size) as (page, complaints):
        look(page, f"{site}/office/notice")
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        wait_for_the_next_second()
        with engine.begin() as connection:
            words = {"zh": {**latest_notice(connection, desk.survey_id).words["zh"], "purpose": "一\n二"}}
            publish_notice(connection, desk.survey_id, words, None, datetime.now(UTC))
        look(page, f"{site}/office/notice")
        page.locator("main summary").first.click()
        page.fill("textarea >> nth=0", "")
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        assert page.locator(".error-summary li").count() == 1
        assert faults_of(page) == []
        assert [one for one in complaints if "422" not in one] == []
