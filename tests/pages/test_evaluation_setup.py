"""An office whose system is still empty makes its first evaluation at the desk."""

from io import BytesIO

import pytest

from tests.actions.test_evaluation_setup import SUPPLIED, UNITS
from tests.desk import a_person
from tests.live import PHONE, serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, at_desk, look

FIELDS = {
    "scheme": "xiamen-wf-2015",
    "code": "city-2026",
    "year": "2026",
    "name_zh": "某市 2026 年度考评",
    "name_en": "A city 2026",
}


@pytest.fixture
def app(app, engine):
    with engine.begin() as connection:
        a_person(connection, "office", "office", None)
    return app


def handed_in(client, **changes):
    page = client.get("/office/evaluations/new").text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    data = {**FIELDS, "units": (BytesIO(UNITS), "units.csv"), **changes, "form_token": token}
    return client.post("/office/evaluations/new", data=data, content_type="multipart/form-data")


def test_an_empty_desk_leads_to_the_form_and_the_form_to_the_desk(app):
    office = signed_in(app, "office")
    empty = office.get("/office")
    assert empty.status_code == 404
    assert 'href="/office/evaluations/new"' in empty.text
    import_of = str(SUPPLIED).replace("'", '"')
    answer = handed_in(office, supplied=import_of)
    assert (answer.status_code, answer.location) == (303, "/office?evaluation=city-2026")
    assert "某市 2026 年度考评" in text_of(office.get(answer.location).text)
    assert office.get("/office/surveys/new").status_code == 200


def test_faults_come_back_and_what_was_typed_stays(app):
    answer = handed_in(signed_in(app, "office"), code="City", supplied="none")
    assert answer.status_code == 422
    page = text_of(answer.text)
    assert "考评代码只用小写字母" in page
    assert "JSON 对象，例如 {&#34;share&#34;: &#34;60&#34;}" in page
    assert 'value="City"' in answer.text


@pytest.mark.parametrize("scheme", ["", "no-such-scheme", "../xiamen-wf-2015"])
def test_a_scheme_that_is_not_there_is_refused(app, scheme):
    assert handed_in(signed_in(app, "office"), scheme=scheme).status_code in {404, 422}


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB")])
def test_the_page_is_well_made(browser, app, size, language):
    with serving(app) as site, at_desk(browser, site, "office", size, language) as (page, complaints):
        look(page, f"{site}/office/evaluations/new")
        page.click("main form button[type=submit]")
        page.wait_for_selector(".error-summary")
        look(page, page.url)
        assert [one for one in complaints if "422" not in one and "404" not in one] == []
