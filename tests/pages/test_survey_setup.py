"""A new survey at the desk: the sheet comes from the page itself, faults come back, and two people open the round."""

from io import BytesIO

import pytest

from api.store.evaluations import rounds_of
from api.store.rounds import surveys_of_round
from tests.actions.test_survey_setup import SIMING, complete, sheet
from tests.builders import a_form_version, a_short_book
from tests.desk import a_desk
from tests.live import PHONE, serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look

CHECKED = {"checked": "yes"}
FIELDS = {
    "name_zh": "下半年评议",
    "name_en": "Second half",
    "opens_at": "2026-01-01T09:00",
    "closes_at": "2036-01-20T18:00",
    "secrecy": "open",
    "random_order": "yes",
    "units_per_respondent": "",
}


@pytest.fixture
def desk(engine):
    with engine.begin() as connection:
        found = a_desk(connection)
        a_form_version(connection, a_short_book())
    return found


def handed_in(client, content: bytes, **changes):
    page = client.get("/office/surveys/new").text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    data = {**FIELDS, **changes, "form_token": token, "sheet": (BytesIO(content), "strata.csv")}
    return client.post("/office/surveys/new", data=data, content_type="multipart/form-data")


def test_the_sheet_of_the_survey_before_can_be_handed_in_as_it_is(app, engine, desk):
    office = signed_in(app, "office")
    given = office.get("/office/surveys/strata.csv")
    assert given.mimetype == "text/csv"
    answer = handed_in(office, given.data)
    assert (answer.status_code, answer.location) == (303, "/office/round")
    with engine.connect() as connection:
        statuses = [(one.name_zh, one.status) for one in rounds_of(connection, desk.evaluation.id)]
    assert ("下半年评议", "draft") in statuses
    page = text_of(office.get("/office/round").text)
    assert "开放之前还要做" in page
    assert "等另一位同事开放" in page


def test_faults_come_back_by_row_and_what_was_typed_stays(app, desk):
    assert desk.staff
    answer = handed_in(signed_in(app, "office"), sheet(SIMING.replace("516000", "half a million")), closes_at="soon")
    assert answer.status_code == 422
    page = text_of(answer.text)
    assert "第 2 行“总体人数”：“half a million”不是人数" in page
    assert "截止时间要晚于开始时间" in page
    assert 'value="下半年评议"' in answer.text


def test_without_a_sheet_nothing_is_made(app, desk):
    assert desk.staff
    answer = handed_in(signed_in(app, "office"), b"")
    assert answer.status_code == 422
    assert "没有数据行" in text_of(answer.text)


def test_a_second_person_opens_the_round_from_its_page(app, engine, desk):
    office, office2 = signed_in(app, "office"), signed_in(app, "office2")
    assert handed_in(office, sheet(SIMING)).status_code == 303
    with engine.begin() as connection:
        made = max(rounds_of(connection, desk.evaluation.id), key=lambda one: one.id)
        complete(connection, desk, surveys_of_round(connection, made.id)[0])
    token = office.get("/office/round").text.partition('name="form_token" value="')[2].partition('"')[0]
    own = office.post(f"/office/round/{made.id}/opening", data={"form_token": token, **CHECKED})
    assert own.status_code == 403
    token = office2.get("/office/round").text.partition('name="form_token" value="')[2].partition('"')[0]
    assert office2.post(f"/office/round/{made.id}/opening", data={"form_token": token}).status_code == 422
    assert office2.post(f"/office/round/{made.id}/opening", data={"form_token": token, **CHECKED}).status_code == 303
    with engine.connect() as connection:
        assert {one.id: one.status for one in rounds_of(connection, desk.evaluation.id)}[made.id] == "open"


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB"), (NARROW, "zh-CN")])
@pytest.mark.usefixtures("desk")
def test_the_pages_are_well_made(browser, app, tmp_path, size, language):
    path = tmp_path / "strata.csv"
    path.write_bytes(sheet(SIMING.replace("siming", "Si Ming")))
    with serving(app) as site, at_desk(browser, site, "office", size, language) as (page, complaints):
        look(page, f"{site}/office/surveys/new")
        page.set_input_files("#sheet", path)
        page.click("main form button[type=submit]")
        page.wait_for_selector(".error-summary")
        look(page, page.url)
        if size is DESK:
            handed_in(signed_in(app, "office"), sheet(SIMING))
            look(page, f"{site}/office/round")
        assert [one for one in complaints if "422" not in one] == []
