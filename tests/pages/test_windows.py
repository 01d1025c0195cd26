"""A survey's window at the desk, and what those meet who come after its end or are in the middle of answering."""

import re

import pytest
from sqlalchemy import select, update

from api.actions.windows import close, forget_drafts
from api.app import create_app
from api.services import KEY, utc_now
from api.store import ballots, surveys
from api.store.windows import window_of
from tests.builders import DAY, a_survey, some_codes
from tests.desk import a_person
from tests.live import PHONE, a_phone, faults_of, serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look
from tests.pages.test_respondent import UNKNOWN, Phone
from tests.pages.tongues import a_book_of_tongues


@pytest.fixture
def survey(engine):
    with engine.begin() as connection:
        for name in ("office", "bureau"):
            a_person(connection, name, name)
        return a_survey(connection, a_book_of_tongues(), simulated=True)


@pytest.fixture
def codes(engine, survey, settings):
    with engine.begin() as connection:
        return some_codes(connection, survey, 3, settings.pepper)


@pytest.fixture
def office(app, survey):
    assert survey.id
    return signed_in(app, "office")


def send(client, survey, step, **fields):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/office/windows").text)[1]
    return client.post(f"/office/windows/{survey.id}/{step}", data={"form_token": token, **fields})


def the_window(engine, survey):
    with engine.connect() as connection:
        return window_of(connection, survey.id)


def drafts(engine):
    with engine.connect() as connection:
        return connection.execute(select(ballots.draft)).all()


def fresh(app):
    """A web process's memory of the booths is two seconds old at most; here it has just gone by."""
    booths = app.extensions[KEY].answering.booths
    booths._known = type(booths._known)({}, {}, {}, 0.0)
    return app


def end_early(engine, survey):
    with engine.begin() as connection:
        close(connection, survey.id, "样本已满", a_person(connection, "chief", "office"), utc_now())


# --- In the middle of answering ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ended", ["early", "by itself", "handing in", "this very second"])
def test_somebody_in_the_middle_is_told_that_it_ended_and_that_nothing_was_kept(app, engine, survey, codes, ended):
    phone = Phone(app)
    phone.enter(codes[0])
    phone.post("next", at="1", upto="2", police="good")
    phone.post("next", at="2", upto="2", words="")
    receipt = phone.receipt()
    assert len(drafts(engine)) == 1
    if ended == "by itself":
        with engine.begin() as connection:
            connection.execute(update(surveys.survey).values(closes_at=utc_now()))
            forget_drafts(connection, utc_now())
    else:
        end_early(engine, survey)
    if ended != "this very second":
        fresh(app)
    page = (
        phone.post("send", receipt=receipt)
        if ended == "handing in"
        else phone.post("next", at="1", upto="2", police="bad")
    )
    assert page.status_code == 410
    assert "评议已经结束" in page.text
    assert "草稿已经删除" in page.text
    assert 'id="code"' not in page.text
    assert "评议已经结束" in phone.get("/survey").text
    assert drafts(engine) == []
    with engine.connect() as connection:
        assert connection.execute(select(ballots.response)).all() == []


def test_who_comes_after_the_end_gets_the_one_reply(app, engine, survey, codes):
    end_early(engine, survey)
    late, unknown = Phone(fresh(app)).post("enter", code=codes[0]), Phone(app).post("enter", code=UNKNOWN)
    assert late.status_code == unknown.status_code == 410
    assert late.data == unknown.data


def test_who_has_handed_in_still_sees_the_receipt(app, engine, survey, codes):
    phone = Phone(app)
    phone.enter(codes[0])
    phone.post("next", at="1", upto="2", police="good")
    phone.post("next", at="2", upto="2", words="")
    page = phone.post("send", receipt=phone.receipt())
    end_early(engine, survey)
    assert phone.client.get("/survey").status_code == Phone(fresh(app)).get("/").status_code == 200
    assert "已提交" in page.text
    assert "已提交" in phone.get("/survey").text


# --- The desk ---------------------------------------------------------------------------------------------------


def test_the_office_ends_a_survey_early_with_a_reason_and_sees_who_did_it(office, engine, survey):
    answer = send(office, survey, "close", checked="yes", reason="样本已满")
    assert answer.status_code == 303
    page = text_of(office.get("/office/windows").text)
    assert "已结束" in page
    assert "样本已满" in page
    assert "office 某" in page
    assert "提前结束评议" in text_of(office.get("/office/audit").text)
    assert the_window(engine, survey).closed_at is not None


@pytest.mark.parametrize(
    ("fields", "missing"), [({"reason": "满"}, "checked"), ({"checked": "yes", "reason": " "}, "reason")]
)
def test_without_tick_or_reason_nothing_happens(office, engine, survey, fields, missing):
    answer = send(office, survey, "close", **fields)
    assert answer.status_code == 422
    assert f'href="#close-{missing}-{survey.id}"' in answer.text
    assert the_window(engine, survey).closed_at is None


def test_the_office_lets_a_survey_end_later_up_to_its_round(office, engine, survey):
    with engine.begin() as connection:
        connection.execute(update(surveys.survey).values(closes_at=utc_now() + DAY / 2))
    before = the_window(engine, survey)
    assert send(office, survey, "extension", closes_at="2099-01-01T00:00", reason="台风").status_code == 422
    assert send(office, survey, "extension", closes_at="soon", reason="台风").status_code == 422
    assert the_window(engine, survey) == before
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE office.round SET closes_at = '2099-12-31T00:00+08:00'")
    assert send(office, survey, "extension", closes_at="2099-01-01T08:00", reason="台风").status_code == 303
    assert the_window(engine, survey).closes_at.isoformat().startswith("2099-01-01T00:00")
    assert "台风" in text_of(office.get("/office/windows").text)


def test_nobody_but_the_office_comes_in_and_no_page_elsewhere(app, engine, survey, office):
    bureau = signed_in(app, "bureau")
    assert bureau.get("/office/windows").status_code == 403
    for step in ("close", "extension"):
        assert (
            bureau.post(f"/office/windows/{survey.id}/{step}", data={"checked": "yes", "reason": "x"}).status_code
            == 403
        )
        assert (
            office.post(f"/office/windows/{survey.id}/{step}", data={"checked": "yes", "reason": "x"}).status_code
            == 403
        )
    assert the_window(engine, survey).closed_at is None


# --- With eyes --------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, NARROW])
def test_every_state_at_the_desk_is_well_made(browser, app, survey, size):
    address = "/office/windows"
    assert survey.id
    with serving(app) as site, at_desk(browser, site, "office", size) as (page, complaints):
        look(page, f"{site}{address}")
        page.click("summary >> text=提前结束")
        page.click("main button >> text=提前结束这项评议")
        page.wait_for_load_state()
        assert faults_of(page) == []
        page.check("input[name=checked]")
        page.locator("details[open] input[name=reason]").fill("样本已满")
        page.click("main button >> text=提前结束这项评议")
        page.wait_for_load_state()
        look(page, f"{site}{address}")
        # 404 is the overview: the builder's evaluation is under no known scheme
        assert [one for one in complaints if "422" not in one and "404" not in one] == []


@pytest.mark.browser
@pytest.mark.parametrize("query", ["", "?lang=ug", "?large=1"])
def test_the_page_of_a_survey_that_ended_is_well_made(browser, engine, survey, settings, query):
    with engine.begin() as connection:
        codes = some_codes(connection, survey, 1, settings.pepper)
    app = create_app(settings)
    with serving(app) as site, a_phone(browser, size=PHONE) as page:
        page.goto(f"{site}/{query}")
        page.fill("#code", codes[0])
        page.locator("main button[value=enter]").click()
        page.wait_for_load_state()
        end_early(engine, survey)
        fresh(app)
        page.locator("main button[value=begin]").click()
        page.wait_for_load_state()
        assert page.locator("h1").count() == 1
        assert page.locator("#code").count() == 0
        assert faults_of(page) == []
    app.extensions[KEY].database.engine.dispose()
