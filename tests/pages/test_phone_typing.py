"""Nothing typed on the inspector's phone is lost: at no tap, redraw, way back, reload; with an IME, on a full disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect
from sqlalchemy import insert, update

from api.app import create_app
from api.services import KEY
from api.store.inspection_draws import inspection_item
from api.store.inspections import assignment
from tests.builders import a_form_version
from tests.field_phone import a_profile, a_town_with_tasks, at_hall, check_in, page_of, ready_for_offline, sign_in
from tests.live import serving
from tests.pages.test_phone_shared import kept

pytestmark = pytest.mark.browser

BOOK = Path("survey_forms/documents/xiamen-wf-2015/forms/hall_inspection.xlsx")
FULL_DISK = """() => { const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...facts) {
    if (this.name === "visits") throw new DOMException("no room", "QuotaExceededError");
    return put.apply(this, facts);
  }; }"""
DRAWN = """() => { const pad = document.querySelector("canvas");
  return pad.getContext("2d").getImageData(0, 0, pad.width, pad.height).data.some((one) => one < 99); }"""


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town_with_tasks(connection, 1)


@pytest.fixture
def address(settings, town) -> Iterator[str]:  # noqa: ARG001 - it is served
    app = create_app(settings)
    with serving(app) as served:
        yield served
    app.extensions[KEY].database.engine.dispose()


@pytest.fixture
def phone(playwright, chromium, address, tmp_path) -> Iterator[Page]:
    """A phone that has its task and no network any more."""
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        yield page


def redrawn(page: Page) -> None:
    """The screen is asked to draw itself anew, by all who may ask."""
    page.evaluate("['mc-show', 'online'].forEach((name) => dispatchEvent(new Event(name)))")
    page.evaluate("dispatchEvent(new Event('mc-told'))")
    page.wait_for_timeout(500)


def checked_out(page: Page) -> None:
    check_in(page)
    page.get_by_role("button", name="定位并签退").click()
    page.get_by_role("button", name="签退", exact=True).click()
    expect(page.get_by_role("button", name="完成检查")).to_be_visible()


def composing(page: Page, text: str) -> CDPSession:
    """An input method holds `text` underlined in the field that has the focus."""
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    return keyboard


def events(page: Page) -> str:
    """All events of the one visit, as they were chained."""
    (visit,) = kept(page)
    assert visit["frozen"]
    return "\n".join(visit["events"])


def test_the_last_words_of_a_note_typed_just_before_the_end_are_part_of_the_visit(phone):
    checked_out(phone)
    phone.evaluate("""() => { const note = document.getElementById("note");
      note.value = "当日排队十二人";
      note.dispatchEvent(new Event("input", {bubbles: true}));
      [...document.querySelectorAll("button")].find((one) => one.textContent === "完成检查").click(); }""")
    expect(phone.get_by_role("heading", name="待上传")).to_be_visible()
    assert "当日排队十二人" in events(phone)


@pytest.mark.parametrize("finger", ["blurs the field", "leaves the focus where it is"])
def test_what_an_input_method_still_holds_at_the_last_tap_is_part_of_the_visit(phone, finger):
    checked_out(phone)
    phone.get_by_label("现场说明").focus()
    keyboard = composing(phone, "paidui")
    keyboard.send("Input.insertText", {"text": "排队"})
    composing(phone, "十二人")
    last = phone.get_by_role("button", name="完成检查")
    if finger == "blurs the field":
        last.click()
    else:
        last.evaluate("button => button.click()")
    expect(phone.get_by_role("heading", name="待上传")).to_be_visible()
    assert "排队十二人" in events(phone)


def test_a_field_under_an_input_method_stays_when_the_screen_is_drawn_anew_around_it(phone):
    phone.context.set_geolocation(at_hall(accuracy=40))  # not good enough to end the locating early
    check_in_slowly(phone)
    phone.get_by_role("button", name="定位并签退").click()
    expect(phone.get_by_text("目前误差约 40 米")).to_be_visible()
    note = phone.get_by_label("现场说明")
    note.focus()
    keyboard = composing(phone, "paidui")
    phone.get_by_role("button", name="就用这个位置").evaluate("button => button.click()")
    expect(phone.get_by_role("button", name="签退", exact=True)).to_be_visible()
    expect(note).to_be_focused()
    keyboard.send("Input.insertText", {"text": "排队"})
    expect(note).to_have_value("排队")
    phone.get_by_role("button", name="签退", exact=True).click()
    phone.get_by_role("button", name="完成检查").click()
    expect(phone.get_by_role("heading", name="待上传")).to_be_visible()
    assert '"排队"' in events(phone)


def check_in_slowly(page: Page) -> None:
    page.locator(".task").first.click()
    page.get_by_role("button", name="定位并签到").click()
    page.get_by_role("button", name="就用这个位置").click()
    page.get_by_role("button", name="签到", exact=True).click()
    expect(page.locator("#camera")).to_be_attached()


def test_a_reason_stays_through_redraws_a_new_locating_other_screens_and_a_reload(phone):
    phone.context.set_geolocation(at_hall(north_m=900))
    words = "大门封闭，从东侧小门进入"
    phone.locator(".task").first.click()
    phone.get_by_role("button", name="定位并签到").click()
    reason = phone.get_by_label("原因")
    reason.fill(words)
    reason.blur()
    redrawn(phone)
    expect(reason).to_have_value(words)
    phone.get_by_role("button", name="重新定位").click()
    expect(reason).to_have_value(words)
    phone.get_by_role("link", name="返回").click()
    phone.locator(".task").first.click()
    expect(reason).to_have_value(words)
    phone.reload()
    phone.get_by_role("button", name="定位并签到").click()
    expect(reason).to_have_value(words)
    for _ in range(5):  # until the field has it: on a busy machine the focus may come after the keys
        reason.focus()
        composing(phone, "，已拍照")
        if "已拍照" in reason.input_value():
            break
    phone.get_by_role("button", name="签到", exact=True).click()
    expect(phone.locator("#camera")).to_be_attached()
    (visit,) = kept(phone)
    assert "已拍照" in visit["events"][0]
    phone.get_by_role("button", name="定位并签退").click()
    expect(reason).to_have_value("")  # the words were those of the check-in


def test_nothing_draws_a_screen_anew_on_which_somebody_writes_or_signs(phone):
    check_in(phone)
    phone.get_by_role("link", name="请现场人员签名").click()
    phone.get_by_label("姓名").fill("周在场")
    box = phone.locator("canvas").bounding_box()
    phone.mouse.move(box["x"] + 30, box["y"] + 30)
    phone.mouse.down()
    phone.mouse.move(box["x"] + 90, box["y"] + 60, steps=5)
    phone.mouse.up()
    assert phone.evaluate(DRAWN)
    redrawn(phone)
    expect(phone.get_by_label("姓名")).to_have_value("周在场")
    assert phone.evaluate(DRAWN)
    phone.reload()
    expect(phone.get_by_label("姓名")).to_have_value("周在场")
    phone.get_by_role("link", name="返回").click()
    phone.get_by_role("link", name="填问题").click()
    phone.get_by_label("看到了什么").focus()
    keyboard = composing(phone, "ciohu")
    redrawn(phone)
    expect(phone.get_by_label("看到了什么")).to_be_focused()
    keyboard.send("Input.insertText", {"text": "二号窗口无人"})
    expect(phone.get_by_label("看到了什么")).to_have_value("二号窗口无人")


def test_a_page_that_is_loaded_anew_shows_the_finding_that_was_being_written(phone):
    check_in(phone)
    phone.get_by_role("link", name="填问题").click()
    phone.get_by_label("看到了什么").fill("二号窗口无人")
    phone.wait_for_timeout(400)
    phone.reload()
    expect(phone.get_by_label("看到了什么")).to_have_value("二号窗口无人")
    phone.get_by_label("看到了什么").fill("二号窗口无人值守")
    phone.wait_for_timeout(400)
    (visit,) = kept(phone)
    assert [one["description"] for one in visit["findings"]] == ["二号窗口无人值守"]


def a_finding(page: Page, points: str) -> None:
    page.get_by_role("link", name="填问题").click()
    page.get_by_text("服务态度").click()
    page.get_by_text("态度生硬、推诿或冷落群众").click()
    page.get_by_label("扣几分").fill(points)
    page.get_by_label("看到了什么").fill("让群众“自己看墙上”")


@pytest.mark.parametrize(("typed", "points"), [("３", "3"), ("２．５", "2.5"), ("2。5", "2.5"), (" ２。５ ", "2.5")])
def test_points_are_taken_as_a_chinese_keyboard_writes_them(phone, typed, points):
    check_in(phone)
    a_finding(phone, typed)
    phone.get_by_role("button", name="保存").click()
    expect(phone.get_by_role("heading", name="签退")).to_be_visible()
    (visit,) = kept(phone)
    assert [(one["points"], one["ready"]) for one in visit["findings"]] == [(points, True)]


def test_a_finding_that_an_input_method_still_holds_is_saved_whole(phone):
    check_in(phone)
    a_finding(phone, "3")
    phone.get_by_label("看到了什么").focus()
    composing(phone, "，无人劝阻")
    phone.get_by_role("button", name="保存").evaluate("button => button.click()")
    expect(phone.get_by_role("heading", name="签退")).to_be_visible()
    (visit,) = kept(phone)
    (finding,) = visit["findings"]
    assert finding["ready"]
    assert "无人劝阻" in finding["description"]


def frozen_elsewhere(page: Page) -> None:
    kept(page, edit={"frozen": 1})


def test_nobody_reads_saved_of_what_a_finished_visit_no_longer_takes(phone):
    check_in(phone)
    a_finding(phone, "3")
    phone.wait_for_timeout(500)
    frozen_elsewhere(phone)
    phone.get_by_role("button", name="保存").click()
    expect(phone.locator("#said")).to_contain_text("没有保存")


def with_a_checklist(engine: Any, town: Any) -> None:
    with engine.begin() as connection:
        version = a_form_version(connection, BOOK.read_bytes())
        item = {"evaluation_id": town.evaluation_id, "code": "H1", "name_zh": "办事大厅", "name_en": "Service halls"}
        made = insert(inspection_item).values(**item, component="inspection", rates={}, form_version=version)
        connection.execute(
            update(assignment).values(item_id=connection.execute(made.returning(inspection_item.c.id)).scalar_one())
        )


def test_a_checklist_that_found_no_room_is_not_said_to_be_saved(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, engine, town, tmp_path
):
    with_a_checklist(engine, town)
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        check_in(page)
        page.get_by_role("link", name="填写检查表").click()
        page.evaluate(FULL_DISK)
        page.locator(".checklist input[type=radio]").first.check()
        page.get_by_role("button", name="保存").click()
        expect(page.locator("#said")).to_contain_text("手机存储已满")
        page.wait_for_timeout(300)
        expect(page.locator("#said")).to_contain_text("手机存储已满")
        expect(page.get_by_role("heading", name="检查表")).to_be_visible()
