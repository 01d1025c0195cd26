"""The respondent's pages in the languages of the form: each part in one, and each says which."""

import re
import string
from pathlib import Path

import pytest
from sqlalchemy import update

from api.catalogue import catalogues
from api.pages.languages import direction, own_name, page_language, tag
from api.problems import sentences
from api.services import KEY, utc_now
from api.store import surveys
from tests.builders import a_survey, some_codes
from tests.live import PHONE, a_phone, serving
from tests.pages.test_respondent import Phone
from tests.pages.test_respondent_phone import every_state
from tests.pages.tongues import TONGUES, a_book_of_tongues

PAGES = Path("api/pages")
WORDS = re.compile(r"""\bt\(\s*(['"])(.+?)\1\s*,""")


@pytest.fixture
def enter(app, engine, settings):
    """A phone that has entered a survey in these languages, with the page that it saw."""

    def open_survey(*languages, accept="zh-CN", cookie=""):
        with engine.begin() as connection:
            survey = a_survey(connection, a_book_of_tongues(*languages))
            (code,) = some_codes(connection, survey, 1, settings.pepper)
        phone = Phone(app)
        phone.client.delete_cookie("mc_lang")
        phone.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = accept
        if cookie:
            phone.client.set_cookie("mc_lang", cookie)
        return phone, phone.enter(code)

    return open_survey


def switch(page) -> list[str]:
    """The languages that the header offers."""
    tools = page.text.partition('<div class="tools">')[2].partition("</div>")[0]
    return re.findall(r"lang=([\w-]+)\"", tools.replace('hreflang="', "").replace('lang="', ""))


def html_tag(page) -> str:
    return re.search(r"<html[^>]*>", page.text)[0]


# --- Which language ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "language", "way"),
    [("zh-CN", "zh-CN", "ltr"), ("en-GB", "en", "ltr"), ("ug-CN", "ug", "rtl"), ("fr", "zh-CN", "ltr")],
)
def test_the_page_speaks_as_the_phone_does_where_the_form_can(enter, accept, language, way):
    _, page = enter(accept=accept)
    assert f'lang="{language}" dir="{way}"' in html_tag(page)


def test_the_switch_lists_the_forms_other_languages_by_their_own_names_and_no_more(enter):
    _, page = enter("zh", "ug")
    assert switch(page) == ["ug"]
    assert "ئۇيغۇرچە" in page.text
    assert "English" not in page.text


def test_a_form_in_one_language_offers_no_switch_and_speaks_it_whatever_the_phone_wants(enter):
    _, page = enter("zh", accept="en", cookie="en")
    assert switch(page) == []
    assert 'lang="zh-CN"' in html_tag(page)
    assert "下一页" in page.text


def test_a_choice_lasts_over_the_survey_and_is_dropped_where_a_form_lacks_it(enter):
    phone, _ = enter("zh", "en", "ug")
    page = phone.client.post("/survey?lang=ug", data={"do": "stay", "at": "1"})
    assert 'dir="rtl"' in html_tag(page)
    assert 'dir="rtl"' in html_tag(phone.get("/survey"))
    page = phone.client.post("/survey?lang=bo", data={"do": "stay", "at": "1"})
    assert phone.client.get_cookie("mc_lang").value == "ug"
    assert 'dir="rtl"' in html_tag(page)


def test_the_first_page_offers_the_languages_of_the_open_forms(app, engine):
    with engine.begin() as connection:
        a_survey(connection, a_book_of_tongues("zh", "ug"))
    phone = Phone(app)
    assert switch(phone.get("/")) == ["en", "ug"]
    assert 'dir="rtl"' in html_tag(phone.get("/?lang=ug"))
    assert "باھالاشنى باشلاش" in phone.get("/").text


def test_a_language_of_respondents_leaves_the_staffs_pages_alone(app):
    client = app.test_client()
    client.set_cookie("mc_lang", "ug")
    page = client.get("/login", headers={"Accept-Language": "zh-CN"})
    assert '<html lang="zh-CN"' in page.text
    assert "登录" in page.text


# --- Whose words ------------------------------------------------------------------------------------------------


def test_in_uyghur_question_and_page_are_uyghur(enter):
    _, page = enter(accept="ug")
    assert TONGUES["维吾尔文 (ug)"][0] in page.text
    assert "كېيىنكى بەت" in page.text
    assert "下一页" not in page.text


def test_in_a_language_without_page_words_each_part_says_which_it_is(enter):
    _, page = enter(accept="bo")
    assert 'lang="zh-CN"' in html_tag(page)
    assert "下一页" in page.text
    question = TONGUES["藏文 (bo)"][0]
    before = page.text[: page.text.index(question, page.text.index("<main"))]
    assert re.findall(r'lang="([\w-]+)"', before)[-1] == "bo"
    option = page.text[: page.text.index(TONGUES["藏文 (bo)"][1])]
    assert re.findall(r'lang="([\w-]+)"', option)[-1] == "bo"


def test_a_refusal_comes_in_the_readers_language(enter):
    phone, _ = enter(accept="ug")
    page = phone.post("next", at="1")
    assert page.status_code == 422
    assert "بۇ سوئالغا جاۋاب بېرىڭ." in page.text


@pytest.mark.parametrize(
    ("code", "way"),
    [("ug", "rtl"), ("ar", "rtl"), ("fa", "rtl"), ("ur", "rtl"), ("he", "rtl"), ("ug-CN", "rtl"), ("kk", "rtl"),
     ("kk-Cyrl", "ltr"), ("zh", "ltr"), ("bo", "ltr"), ("mn", "ltr"), ("en-GB", "ltr"), ("xx", "ltr")],
)  # fmt: skip
def test_the_direction_is_that_of_the_script(code, way):
    assert direction(code) == way


def test_a_language_that_nobody_named_is_called_by_its_code():
    assert (own_name("xx"), own_name("ug-CN"), page_language("zh-Hant"), tag("zh")) == ("xx", "ئۇيغۇرچە", "zh", "zh-CN")


# --- The catalogues ---------------------------------------------------------------------------------------------


def said() -> set[str]:
    """Every phrase that a respondent's page can say."""
    sources = [*PAGES.glob("templates/respondent/**/*.html"), *PAGES.glob("respondent*.py"), PAGES / "coercion.py"]
    return {words for path in sources for _, words in WORDS.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", catalogues())
def test_a_catalogue_has_every_phrase_and_none_that_nothing_says(language):
    words = catalogues()[language].words
    assert sorted(said() - set(words)) == []
    assert sorted(set(words) - said()) == []


@pytest.mark.parametrize("language", catalogues())
def test_a_translation_keeps_its_blanks(language):
    for zh, words in catalogues()[language].words.items():
        assert re.findall(r"%\w", words) == re.findall(r"%\w", zh), zh
        assert words.strip()
    for code, words in catalogues()[language].sentences.items():
        blanks = {name for _, name, _, _ in string.Formatter().parse(words) if name}
        assert blanks <= {name for _, name, _, _ in string.Formatter().parse(sentences()[code].zh) if name}, code


# --- With eyes --------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("query", ["?lang=ug", "?lang=ug&large=1", "?lang=bo", "?contrast=1", "?lang=ug&contrast=1"])
def test_no_state_of_any_page_has_a_barrier_in_any_language_or_contrast(browser, app, engine, settings, query):
    with engine.begin() as connection:
        survey = a_survey(connection, a_book_of_tongues())
        (code,) = some_codes(connection, survey, 1, settings.pepper)
    with serving(app) as site, a_phone(browser, size=PHONE) as page:
        assert every_state(page, site, code, query) == []


@pytest.mark.browser
def test_uyghur_is_laid_out_from_the_right_and_numbers_are_not(browser, app, engine, settings):
    with engine.begin() as connection:
        survey = a_survey(connection, a_book_of_tongues())
        (code,) = some_codes(connection, survey, 1, settings.pepper)
    with serving(app) as site, a_phone(browser, size=PHONE) as page:
        page.goto(f"{site}/?lang=ug")
        field = page.locator("#code")
        assert field.evaluate("field => getComputedStyle(field).direction") == "ltr"
        brand, middle = page.locator(".brand").bounding_box(), PHONE["width"] / 2
        assert brand["x"] + brand["width"] > middle
        field.fill(code)
        page.locator("main button[value=enter]").click()
        page.locator("main button[value=begin]").click()
        radio = page.locator("input[type=radio]").first.bounding_box()
        assert radio["x"] > middle
        assert page.locator("footer a[href='tel:12345']").get_attribute("dir") == "ltr"


@pytest.mark.browser
def test_high_contrast_is_a_cookie_without_script_and_the_browsers_own_wish_is_followed(browser, app, engine):
    with engine.begin() as connection:
        a_survey(connection)
    ground = "getComputedStyle(document.body).backgroundColor"
    with serving(app) as site, a_phone(browser, js=False) as page:
        page.goto(site)
        page.get_by_role("link", name="高对比度").click()
        assert page.locator("html").get_attribute("class") == "contrast"
        page.goto(site)
        page.get_by_role("link", name="标准色").click()
        assert page.locator("html").get_attribute("class") is None
    with serving(app) as site, a_phone(browser) as page:
        page.goto(f"{site}/?contrast=1")
        assert page.evaluate(ground) == "rgb(0, 0, 0)"
        page.goto(f"{site}/?contrast=0")
        page.emulate_media(contrast="more")
        edge = "getComputedStyle(document.querySelector('#code')).borderTopColor"
        assert page.evaluate(edge) == "rgb(0, 0, 0)"
        page.emulate_media(forced_colors="active")
        assert page.evaluate("matchMedia('(forced-colors: active)').matches")
        assert page.locator("main button[value=enter]").is_visible()


def test_a_survey_that_ended_in_the_middle_says_so_in_the_readers_language(app, enter, engine):
    phone, _ = enter("zh", "ug", cookie="ug")
    phone.post("begin")
    with engine.begin() as connection:
        connection.execute(update(surveys.survey).values(closes_at=utc_now()))
    booths = app.extensions[KEY].answering.booths
    booths._known = type(booths._known)({}, {}, {}, 0.0)  # what the process remembers is two seconds old at most
    page = phone.post("next", at="1")
    assert page.status_code == 410
    assert 'lang="ug"' in html_tag(page)
    assert 'dir="rtl"' in html_tag(page)
