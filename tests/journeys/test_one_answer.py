"""One answer, from the letter in the hand to the figure on the office's desk: docs/architecture.md tells this story."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from api.actions.tally import fold
from api.store import ballots, tallies
from survey_forms.sampling.codes import display
from tests.builders import a_survey, some_codes, the_book
from tests.live import a_phone, requests_of, wait_until_kept

pytestmark = pytest.mark.browser

UNITS = (
    "市教育局", "市民政局", "市卫生和计划生育委员会", "市人力资源和社会保障局", "市公安局", "市司法局",
    "市文化广电新闻出版局", "市体育局",
)  # fmt: skip
SUGGESTION = "窗口“少”，<b>排队</b>久😀"
ENGLISH = (
    "Education Bureau", "Civil Affairs Bureau", "Health and Family Planning Commission",
    "Human Resources and Social Security Bureau", "Public Security Bureau", "Justice Bureau",
)  # fmt: skip


@pytest.fixture
def code(engine, settings):
    with engine.begin() as connection:
        survey = a_survey(connection, the_book("residents"), simulated=True)
        return some_codes(connection, survey, 1, settings.pepper)[0]


def go_on(page: Page, words: str) -> None:
    page.get_by_role("main").get_by_role("button", name=words, exact=True).click()
    page.wait_for_load_state()


def rate(page: Page, unit: str, rating: str) -> None:
    page.get_by_role("group", name=unit).get_by_role("radio", name=rating, exact=True).check(force=True)


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def the_one_row(engine):
    with engine.connect() as connection:
        return connection.execute(select(ballots.response)).one()


def fill_in(page: Page) -> None:
    """From the first page to the summary: one mistake, one change of type, one change of mind."""
    assert heading(page) == "先了解一下您的情况"
    page.get_by_label("思明区").check()
    go_on(page, "下一页")
    expect(page.get_by_role("alert")).to_contain_text("请选择您的年龄段")
    expect(page.get_by_label("思明区")).to_be_checked()
    page.get_by_role("radio", name="60 岁及以上").check()
    page.get_by_role("radio", name="否", exact=True).check()
    go_on(page, "下一页")

    page.get_by_role("button", name="大字版").click()
    met = []
    for _ in UNITS:  # one unit a screen, in an order of this person's own
        met.append(page.locator(".rows legend").inner_text())
        rate(page, met[-1], {"市教育局": "非常满意", "市民政局": "不满意"}.get(met[-1], "不了解"))
        go_on(page, "下一页")
    assert sorted(met) == sorted(UNITS)

    assert heading(page) == "您对有的单位不太满意，请告诉我们原因"
    page.get_by_role("button", name="标准字").click()
    go_on(page, "上一页")
    expect(page.get_by_role("group", name="市民政局").get_by_role("radio", name="不满意", exact=True)).to_be_checked()
    rate(page, "市民政局", "基本满意")
    go_on(page, "下一页")

    assert heading(page) == "最后两题"
    page.get_by_label("变好了").check()
    page.get_by_role("textbox").fill(SUGGESTION)
    go_on(page, "下一页")


@pytest.mark.parametrize("js", [True, False])
def test_a_citizen_answers_in_chinese(browser, site, engine, code, js):
    with a_phone(browser, js=js) as page, requests_of(page) as asked:
        page.goto(f"{site}/#{code}" if js else site)
        expect(page.get_by_role("heading", level=1)).to_have_text("某市 2015 年度公众评议")
        if not js:
            page.get_by_label("评议码").fill(display(code).lower())
        go_on(page, "开始评议")
        go_on(page, "开始答题")

        fill_in(page)
        assert heading(page) == "请核对您的回答"
        expect(page.get_by_role("main")).to_contain_text(SUGGESTION)
        page.get_by_role("link", name="修改 您平时住在哪个区？").click()
        page.get_by_label("湖里区").check()
        go_on(page, "查看并确认")
        expect(page.get_by_role("main")).to_contain_text("湖里区")
        go_on(page, "提交")

        assert heading(page) == "已提交，谢谢您"
        receipt = page.locator(".receipt").inner_text()
        assert code not in "".join(asked) + page.content()

    row = the_one_row(engine)
    assert row.answers["district"] == "huli"
    assert row.answers["overall_civil_affairs"] == "fairly_satisfied"
    assert "reasons" not in row.answers
    assert row.answers["suggestion"] == SUGGESTION
    assert len(receipt) == 24

    with a_phone(browser, js=js) as other:
        other.goto(site)
        other.get_by_label("评议码").fill(code)
        go_on(other, "开始评议")
        expect(other.get_by_role("alert")).to_contain_text("这个评议码现在不能使用")

    with engine.begin() as connection:
        assert fold(connection, 10) == 1
        counted = {
            (row.unit, row.item): (row.n, row.s1) for row in connection.execute(select(tallies.cell)) if row.unit != "*"
        }
        assert connection.execute(select(ballots.untallied)).all() == []
    assert counted["education", "overall"] == (1, 100)
    assert counted["civil_affairs", "overall"] == (1, 60)
    assert not any(unit == "health" for unit, _ in counted)


def test_a_visitor_answers_in_english_half_on_one_phone_and_half_on_another(browser, site, engine, code):
    with a_phone(browser, language="en-GB") as page:
        page.goto(f"{site}/#{code}")
        go_on(page, "Start")
        go_on(page, "Begin")
        page.get_by_role("radio", name="Siming").check()
        page.get_by_role("radio", name="30 to 44").check()
        page.get_by_role("radio", name="No", exact=True).check()
        go_on(page, "Next")
        for unit in ENGLISH[:3]:
            rate(page, unit, "Satisfied")
        rate(page, ENGLISH[3], "Don't know")
        wait_until_kept(page, site, 4)
    with a_phone(browser, js=False, language="en-GB") as page:
        page.goto(site)
        page.get_by_label("Your code").fill(code)
        go_on(page, "Start")
        expect(page.get_by_role("status")).to_contain_text("What you filled in last time is here")
        for unit in ENGLISH[:3]:
            satisfied = page.get_by_role("group", name=unit).get_by_role("radio", name="Satisfied", exact=True)
            expect(satisfied).to_be_checked()
        for unit in (*ENGLISH[4:], "Culture, Radio", "Sports Bureau"):
            rate(page, unit, "Very satisfied")
        go_on(page, "Next")
        page.get_by_role("radio", name="Don't know").or_(page.get_by_role("radio", name="Hard to say")).first.check()
        go_on(page, "Next")
        assert heading(page) == "Check your answers"
        go_on(page, "Hand in")
        assert heading(page) == "Handed in. Thank you"
    answers = the_one_row(engine).answers
    assert answers["overall_education"] == "satisfied"
    assert answers["overall_human_resources"] == "dk"
    assert answers["overall_sports"] == "very_satisfied"
