"""Questionnaires at the office's desk: all faults in a table, a version kept once, shown as its respondents see it."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient

from survey_forms.forms.template import template_workbook
from survey_forms.forms.workbook import convert_workbook
from tests.actions.test_forms import a_draft_survey, a_rating_book, chosen, keep
from tests.desk import PASSWORD, Desk, a_desk, a_person
from tests.live import PHONE, a_phone, serving
from tests.rules.books import YES_NO, a_book, a_row

DESK = {"width": 1280, "height": 800}
NARROW = {"width": 320, "height": 640}
FORM = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGES = [
    a_row("begin_group", "one", appearance="field-list"),
    a_row("select_one yes_no", "used") | {"label::English (en)": "Did you go?", "label::维吾尔文": "باردىڭىزمۇ؟"},
    a_row("integer", "times"),
    a_row("end_group"),
    a_row("note", "thanks", relevant="${used} = 'yes'") | {"label": "谢谢您去过", "label::English (en)": "Thank you"},
    a_row("text", "why") | {"label::English (en)": "Why?"},
]
WRONG = a_book(
    a_row("geopoint", "where"),
    a_row("integer", "年龄"),
    a_row("integer", "n", relevant="${m} > 1", constraint=". => 1"),
    choices=(*YES_NO, ("yes_no", "not sure", "说不清", None)),
)


@pytest.fixture
def desk(engine) -> Desk:
    with engine.begin() as connection:
        return a_desk(connection)


@pytest.fixture
def office(app, desk) -> FlaskClient:
    assert desk.staff
    client = app.test_client()
    assert client.post("/login", data={"username": "office", "password": PASSWORD}).status_code == 302
    return client


def token(client: FlaskClient, address: str = "/office/forms") -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get(address).text)
    assert found
    return found[1]


def hand_in(client: FlaskClient, book: bytes, name: str = "问卷.xlsx"):
    data = {"form_token": token(client), "file": (BytesIO(book), name, FORM)}
    return client.post("/office/forms", data=data, content_type="multipart/form-data")


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


class TestHandingIn:
    def test_all_faults_stand_in_a_table_with_sheet_row_and_column_and_nothing_is_kept(self, office):
        answer = hand_in(office, WRONG)
        assert answer.status_code == 422
        rows = re.findall(r"<tr><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td>", answer.text)
        assert [" ".join(row) for row in rows] == [
            "survey 2 A type",
            "survey 3 B name",
            "survey 4 D relevant",
            "survey 4 E constraint",
            "choices 4 B name",
        ]
        assert "有 5 处要改" in answer.text
        assert "a-form" not in office.get("/office/forms").text

    def test_the_table_is_in_english_too(self, office):
        office.get("/office/forms?lang=en")
        answer = hand_in(office, WRONG)
        assert "5 things to put right" in answer.text
        assert "Write “&gt;=” instead of “=&gt;”" in answer.text

    def test_a_right_workbook_is_a_version_to_look_at_and_to_download(self, office):
        book = a_rating_book()
        answer = hand_in(office, book)
        version = convert_workbook(book).version
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/office/forms/{version}?kept=new"
        page = office.get(answer.headers["Location"]).text
        assert version in page
        assert "评价 education/overall" in page
        assert "office 某" in page
        assert office.get(f"/office/forms/{version}/workbook").data == book
        assert office.get(f"/office/forms/{version}/xform").data == convert_workbook(book).xform
        assert version[:12] in office.get("/office/forms").text

    def test_the_same_workbook_again_is_the_same_version(self, office):
        first, again = hand_in(office, a_rating_book()), hand_in(office, a_rating_book())
        assert first.headers["Location"].replace("new", "again") == again.headers["Location"]
        assert "早已保存" in office.get(again.headers["Location"]).text
        assert office.get("/office/audit").text.count("上传问卷") == 1

    @pytest.mark.parametrize(
        ("book", "code", "told"),
        [(b"", 422, "文件是空的"), (b"name,label\n", 422, "CSV"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 422, ".xls")],
    )
    def test_a_file_of_another_kind_is_named(self, office, book, code, told):
        answer = hand_in(office, book)
        assert (answer.status_code, told in answer.text) == (code, True)

    def test_no_file_at_all_is_said_at_the_form(self, office):
        answer = office.post("/office/forms", data={"form_token": token(office)})
        assert answer.status_code == 422
        assert "请选择要上传的工作簿" in answer.text

    def test_the_template_is_handed_out_and_taken_back(self, office):
        book = office.get("/office/forms/template.xlsx")
        assert book.mimetype == FORM
        assert hand_in(office, book.data).status_code == 303

    def test_what_was_put_right_by_itself_is_told_beside_the_version(self, office):
        book = a_book(a_row("integer", "n", constraint="．≥１"))
        page = office.get(hand_in(office, book).headers["Location"]).text
        assert "已把“．≥１”按“.&gt;=1”读取" in page

    def test_it_works_before_there_is_any_evaluation(self, app, engine):
        with engine.begin() as connection:
            a_person(connection, "first", "office")
        client = app.test_client()
        client.post("/login", data={"username": "first", "password": PASSWORD})
        assert hand_in(client, a_rating_book()).status_code == 303
        assert client.get("/office/forms").status_code == 200


class TestVersions:
    @pytest.fixture
    def two(self, engine, desk) -> tuple[str, str]:
        with engine.begin() as connection:
            old = keep(connection, desk, a_rating_book())
            return old, keep(connection, desk, a_rating_book("health", "卫健委"))

    def test_the_difference_says_what_breaks_comparability(self, office, two):
        page = words(office.get("/office/forms/difference", query_string={"old": two[0], "new": two[1]}).text)
        assert "有 1 处会使结果不可比" in page
        assert "education/overall 改为 health/overall" in page
        assert "“市教育局”改为“卫健委”" in page

    def test_a_version_and_itself_are_the_same(self, office, two):
        page = office.get("/office/forms/difference", query_string={"old": two[0], "new": two[0]}).text
        assert "没有区别" in page

    def test_a_group_of_a_draft_round_is_given_the_version(self, office, two, engine, desk):
        with engine.begin() as connection:
            survey_id = a_draft_survey(connection, desk, two[0])
        address = f"/office/forms/{two[1]}"
        data = {"form_token": token(office, address), "group": f"{survey_id}:residents"}
        assert office.post(f"{address}/use", data=data).status_code == 303
        with engine.connect() as connection:
            assert chosen(connection, survey_id) == two[1]
        assert "更换问卷" in office.get("/office/audit").text

    def test_a_version_in_use_stays_and_the_page_says_why(self, office, two, engine, desk):
        with engine.begin() as connection:
            survey_id = a_draft_survey(connection, desk, two[0], status="open")
        address = f"/office/forms/{two[1]}"
        data = {"form_token": token(office, "/office/forms"), "group": f"{survey_id}:residents"}
        answer = office.post(f"{address}/use", data=data)
        assert answer.status_code == 409
        assert "正在使用的问卷不能更换" in answer.text
        assert "没有可以更换的群体" in office.get(address).text

    @pytest.mark.parametrize("group", ["", "x:residents", "９:residents", "99999999999:residents"])
    def test_a_group_that_no_page_offers_is_refused(self, office, two, group):
        address = f"/office/forms/{two[0]}"
        data = {"form_token": token(office, "/office/forms"), "group": group}
        assert office.post(f"{address}/use", data=data).status_code in {400, 422}

    @pytest.mark.parametrize("path", ["", "/workbook", "/xform", "/preview"])
    def test_an_unknown_version_is_not_found(self, office, path):
        assert office.get(f"/office/forms/{'0' * 64}{path}").status_code == 404


class TestPreview:
    @pytest.fixture
    def preview(self, engine, desk) -> str:
        with engine.begin() as connection:
            return f"/office/forms/{keep(connection, desk, a_book(*PAGES))}/preview"

    def test_every_screen_is_shown_also_those_that_some_answers_lead_to(self, office, preview):
        seen = [words(office.get(preview, query_string={"page": number}).text) for number in (1, 2)]
        assert "题目 used" in seen[0]
        assert "谢谢您去过" in seen[1]
        assert "第 2 屏，共 2 屏" in seen[1]

    def test_it_speaks_every_language_of_the_form_and_from_the_right(self, office, preview):
        english = office.get(preview, query_string={"lang": "en"}).text
        assert "Did you go?" in english
        uyghur = office.get(preview, query_string={"lang": "ug"}).text
        assert "باردىڭىزمۇ؟" in uyghur
        assert 'dir="rtl"' in uyghur

    def test_large_type_has_one_question_a_screen(self, office, preview):
        assert (
            "共 3 屏" in words(office.get(preview, query_string={"large": "1"}).text)
            or "large" in office.get(preview, query_string={"large": "1"}).text.partition("<head>")[0]
        )

    def test_nothing_can_be_answered(self, office, preview):
        page = office.get(preview).text
        assert re.search(r"<main[^>]*>\s*<div inert>", page)
        assert " checked" not in page

    def test_a_page_beyond_the_last_is_the_last(self, office, preview):
        assert "第 2 屏，共 2 屏" in words(office.get(preview, query_string={"page": 99}).text)


@pytest.fixture
def site(app, desk) -> Iterator[str]:
    assert desk.staff
    with serving(app) as address:
        yield address


@pytest.mark.browser
class TestInTheBrowser:
    def sign_in(self, page, site: str) -> None:
        page.goto(f"{site}/login?next=/office/forms")
        page.fill("#username", "office")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")

    def test_an_author_hands_in_faults_then_the_mended_book_and_looks_at_it(self, browser, site, tmp_path):
        (tmp_path / "wrong.xlsx").write_bytes(WRONG)
        (tmp_path / "right.xlsx").write_bytes(a_book(*PAGES))
        with a_phone(browser, size=DESK) as page:
            self.sign_in(page, site)
            page.set_input_files("#file", tmp_path / "wrong.xlsx")
            page.click("text=上传并检查")
            assert page.locator("#faults-caption").count() == 1
            assert Axe().run(page).response["violations"] == []
            page.set_input_files("#file", tmp_path / "right.xlsx")
            page.click("text=上传并检查")
            page.wait_for_selector("text=已保存")
            assert Axe().run(page).response["violations"] == []
            page.click("text=预览每一页")
            page.wait_for_url("**/preview**")
            assert page.locator("main [inert] input[type=radio]").count() == 2
            assert Axe().run(page).response["violations"] == []
            page.click("nav >> text=下一屏")
            page.wait_for_url("**page=2**")
            assert "谢谢您去过" in page.inner_text("main")
            page.click("text=大字版")
            page.wait_for_url("**large=1**")
            assert page.locator("html.large").count() == 1
            page.click("nav >> text=回到问卷")
            page.wait_for_selector("h1")

    @pytest.mark.parametrize("screen", [(DESK, "en-GB"), (PHONE, "zh-CN"), (NARROW, "en-GB")])
    def test_every_page_is_well_made_on_every_screen(self, browser, site, engine, desk, screen):
        with engine.begin() as connection:
            one, other = keep(connection, desk, a_rating_book()), keep(connection, desk, template_workbook())
            a_draft_survey(connection, desk, one)
        size, language = screen
        addresses = ["", f"/{other}", f"/difference?old={one}&new={other}", f"/{other}/preview?page=4"]
        with a_phone(browser, size=size, language=language) as page:
            self.sign_in(page, site)
            for address in addresses:
                page.goto(f"{site}/office/forms{address}")
                assert Axe().run(page).response["violations"] == [], address
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address

    def test_an_inert_answer_cannot_be_chosen(self, browser, site, engine, desk):
        with engine.begin() as connection:
            version = keep(connection, desk, a_book(*PAGES))
        with a_phone(browser, size=DESK) as page:
            self.sign_in(page, site)
            page.goto(f"{site}/office/forms/{version}/preview")
            box = page.locator("input[type=radio]").first.bounding_box()
            assert box
            page.mouse.click(box["x"] + 5, box["y"] + 5)
            assert page.locator("input:checked").count() == 0
