"""A checklist's fields on a phone: what is asked appears, what is wrong is said beside it, nothing typed is lost."""

import json

import pytest
from playwright.sync_api import expect

from api.actions.checklists import check_answers, forms_for_phones
from api.pages.phone_bundle import made, read
from tests.builders import a_form_version
from tests.checklists import FIELD, hall, scored
from tests.javarosa.books import a_book, a_list, a_row, as_xlsx
from tests.javarosa.submissions import TODAY
from tests.live import PHONE, a_phone, faults_of

pytestmark = pytest.mark.browser

TARGET = 44
A_BLINK_MS = 100
SHELL = (
    '<!doctype html><html lang="{}"><head><meta name="viewport" content="width=device-width"><title>检查表</title>'
    '</head><body><main><h1>检查表</h1><h2>一</h2><div id="place"></div></main></body></html>'
)
SHOWN = """([form, answers]) => {
  window.answers = answers;
  window.told = 0;
  window.form = form;
  window.handle = McChecklist.render(document.getElementById("place"), form, answers, () => { window.told += 1; });
}"""


@pytest.fixture
def phone(browser):
    with a_phone(browser) as page:
        yield page


@pytest.fixture
def asked(connection, phone):
    """Shows a workbook's questions on the phone, as the bundle brings them."""

    def show(book, answers=None, language="zh-CN"):
        version = a_form_version(connection, book if isinstance(book, bytes) else as_xlsx(book))
        form = forms_for_phones(connection, [version])[version]
        phone.set_content(SHELL.format(language))
        for sheet in (FIELD.parent / "tokens.css", FIELD / "app.css", FIELD / "checklist.css"):
            phone.add_style_tag(path=str(sheet))
        phone.add_script_tag(content=read("app.js").decode()[: made().checklists])  # as it is sent
        phone.evaluate(SHOWN, [json.loads(json.dumps(form)), answers or {}])
        return version

    return show


def field(phone, label):
    return phone.locator(".checklist .field:visible").filter(has_text=label).first


def answers_of(phone):
    return phone.evaluate("answers")


def test_a_question_appears_when_its_condition_holds_and_its_words_quote_answers(phone, asked):
    asked(hall())
    expect(phone.get_by_text("应当开放的窗口有几个？")).to_be_hidden()
    field(phone, "大厅开门吗").get_by_label("是").check()
    phone.get_by_label("应当开放的窗口有几个？").fill("8")
    phone.get_by_label("其中有人值守的有几个？").fill("6")
    expect(phone.get_by_text("没有人的 2 个窗口是哪几个")).to_be_visible()
    expect(phone.get_by_text("· 工作时间服务窗口无人值守")).to_be_visible()
    phone.get_by_label("其中有人值守的有几个？").fill("9")
    expect(phone.get_by_text("不能多于应当开放的 8 个。")).to_be_visible()
    assert answers_of(phone) == {"open": "yes", "windows": "8", "staffed": "9"}
    assert phone.evaluate("told") >= 4


def test_what_is_missing_is_shown_together_and_the_first_is_reached(phone, asked):
    asked(hall())
    expect(phone.locator(".field-error:visible")).to_have_count(0)
    phone.evaluate("handle.show()")
    wrong = phone.locator(".field-error:visible")
    listed = phone.evaluate("McChecklist.errors(form, answers)")
    assert [one["words"] for one in listed] == wrong.all_inner_texts()
    assert listed[0]["label"] == "在公示的办公时间内，大厅开门吗？"
    assert phone.evaluate("document.activeElement.closest('.field').textContent").startswith("在公示的办公时间内")


def test_the_phones_faults_are_those_of_the_server(connection, phone, asked):
    version = asked(hall())
    for answers in ({}, {"open": "maybe", "files": "3", "overdue": "4", "phone": "12", "displayed": "none fees"}):
        errors = phone.evaluate("(answers) => McChecklist.errors(form, answers)", answers)
        checked = check_answers(connection, version, answers, TODAY).in_words()
        assert [(one["name"], one["words"]) for one in errors] == [(one["path"], one["zh"]) for one in checked]


def test_one_may_take_back_a_choice_and_nothing_else_is_lost(phone, asked):
    asked(hall(), {"manner_seen": "rude", "manner_what": "你自己看墙上"})
    expect(phone.get_by_label("当时的对话和情形")).to_have_value("你自己看墙上")
    field(phone, "窗口人员待人怎样").get_by_role("button", name="清除").click()
    expect(phone.get_by_label("当时的对话和情形")).to_be_hidden()
    assert answers_of(phone) == {"manner_seen": "", "manner_what": "你自己看墙上"}


def test_a_field_that_is_being_typed_into_keeps_its_place(phone, asked):
    asked(scored())
    name = phone.get_by_label("题 name")
    expect(name).to_have_value("张三")
    name.press("Home")
    name.press_sequentially("老", delay=5)
    assert phone.evaluate("document.activeElement.selectionStart") == 1
    expect(phone.get_by_text("你好 老张三")).to_be_visible()


def test_words_of_authors_and_inspectors_stay_words(phone, asked):
    nasty = "<img src=x onerror=document.title='bad'>"
    survey = [a_row("text", "t", nasty), a_row("select_one abc", "o", nasty), a_row("note", "n", "说 ${t}")]
    asked(a_book("nasty", survey, a_list("abc", "a", "b")), {"t": nasty})
    expect(phone.get_by_text(f"说 {nasty}")).to_be_visible()
    assert phone.locator(".checklist img").count() == 0
    assert phone.title() == "检查表"


def test_choices_follow_the_answer_that_filters_them(phone, asked):
    kinds, places = (
        a_list("kind", "a", "b"),
        [{**one, "of": one["name"][0]} for one in a_list("place", "a1", "a2", "b1")],
    )
    survey = [a_row("select_one kind", "kind"), a_row("select_one place", "place", choice_filter="of = ${kind}")]
    asked(a_book("filtered", survey, [*places, *kinds]))
    offered = field(phone, "题 place").locator(".choice:visible")
    expect(offered).to_have_count(0)
    field(phone, "题 kind").get_by_label("选项 a").check()
    expect(offered).to_have_count(2)
    field(phone, "题 place").get_by_label("选项 a2").check()
    field(phone, "题 kind").get_by_label("选项 b").check()
    expect(offered).to_have_count(2)  # what was chosen stays in sight and is said to be wrong
    phone.evaluate("handle.show()")
    expect(field(phone, "题 place").locator(".field-error")).to_have_text("请从列出的选项中选择。")


def test_the_page_speaks_english_where_the_reader_does(phone, asked):
    asked(hall(), language="en")
    expect(phone.get_by_text("Is the hall open in its published hours?")).to_be_visible()
    phone.evaluate("handle.show()")
    expect(phone.locator(".field-error:visible").first).to_have_text("Please answer this question.")


@pytest.mark.parametrize("width", [320, PHONE["width"]])
def test_everything_can_be_pressed_reached_and_heard(phone, asked, width):
    phone.set_viewport_size({"width": width, "height": 844})
    asked(hall(), {"open": "yes", "windows": "8", "staffed": "6", "due": "20", "present": "18", "private": "yes"})
    phone.evaluate("handle.show()")
    for box in phone.locator(".choice:visible, .input:visible, .textarea:visible, .checklist button:visible").all():
        assert box.bounding_box()["height"] >= TARGET
    assert phone.evaluate("document.documentElement.scrollWidth") <= width
    assert faults_of(phone) == []


def test_an_answer_is_taken_in_within_a_blink_on_a_slow_phone(phone, asked):
    asked(hall(), {"open": "yes"})
    phone.context.new_cdp_session(phone).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    taken = phone.evaluate("""() => {
      const timed = (one) => { const from = performance.now(); one.click(); return performance.now() - from; };
      return [...document.querySelectorAll(".checklist input[type=radio]")].slice(0, 12).map(timed);
    }""")
    assert sorted(taken)[len(taken) // 2] <= A_BLINK_MS
