"""The inspector's phone in a real browser: one visit from the first opening to the receipt."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select, update

from api.store.inspection_draws import inspection_item
from api.store.inspections import assignment
from api.store.uploads import blob, checklist, upload
from tests.builders import a_form_version
from tests.field_phone import (
    a_profile,
    a_town_with_tasks,
    at_hall,
    check_in,
    finish,
    page_of,
    ready_for_offline,
    shoot,
    sign_in,
    wait_until_written,
    waits,
    whole_visit,
)
from tests.inspections import a_jpeg

pytestmark = pytest.mark.browser


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town_with_tasks(connection, 2)


@pytest.fixture
def address(site, town) -> str:  # noqa: ARG001 - it is served
    return site


@pytest.fixture
def phone(playwright, chromium, tmp_path) -> Iterator[Page]:
    """A phone; whatever goes wrong in its scripts fails the test."""
    mistakes: list[str] = []
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.on("console", lambda said: mistakes.append(said.text) if "Content Security" in said.text else None)
        yield page
    assert mistakes == []


def looks(page: Page, folder: Path, name: str) -> None:
    """A picture for human eyes, and what a machine can see: nothing sticks out, nobody is shut out, all can be hit."""
    page.screenshot(path=folder / f"{name}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
    )
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]] == [], name
    small = page.evaluate(
        "[...document.querySelectorAll('a,button,input,summary,textarea')]"
        ".filter(e => e.offsetParent && !e.closest('label') && e.getBoundingClientRect().height < 44)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == [], name


def test_a_visit_from_the_first_opening_to_the_receipt(phone, address, tmp_path):
    sign_in(phone, address)
    ready_for_offline(phone)
    looks(phone, tmp_path, "1-today")
    phone.locator(".task").first.click()
    expect(phone.locator(".task")).to_have_count(0)  # the list says 已在范围内 too, of each task
    expect(phone.get_by_text("已在范围内")).to_be_visible()
    looks(phone, tmp_path, "2-task")
    phone.get_by_role("button", name="定位并签到").click()
    expect(phone.get_by_text("确在现场")).to_be_visible()
    looks(phone, tmp_path, "3-preview")
    phone.get_by_role("button", name="签到", exact=True).click()
    shoot(phone, a_jpeg(), a_jpeg(color="navy"))
    looks(phone, tmp_path, "4-visit")
    phone.get_by_role("link", name="填问题").click()
    phone.get_by_text("服务态度").click()
    phone.get_by_text("态度生硬、推诿或冷落群众").click()
    phone.get_by_label("扣几分").fill("2.5")
    phone.get_by_label("看到了什么").fill("三号窗口让群众“自己看墙上”。")
    phone.locator(".pick input").first.check()
    looks(phone, tmp_path, "5-finding")
    phone.get_by_role("button", name="保存").click()
    expect(phone.get_by_text("态度生硬")).to_be_visible()
    phone.get_by_role("link", name="请现场人员签名").click()
    box = phone.locator("canvas").bounding_box()
    phone.mouse.move(box["x"] + 30, box["y"] + 30)
    phone.mouse.down()
    for step in range(1, 8):
        phone.mouse.move(box["x"] + 30 + 30 * step, box["y"] + 40 + 15 * (step % 3))
    phone.mouse.up()
    phone.get_by_label("姓名").fill("周在场")
    looks(phone, tmp_path, "6-signature")
    phone.get_by_role("button", name="保存").click()
    phone.get_by_label("现场说明").fill("当日排队 12 人")
    finish(phone)
    waits(phone, 0)
    looks(phone, tmp_path, "7-queue")
    phone.get_by_role("link", name="返回").click()
    phone.get_by_role("link", name="已提交").click()
    expect(phone.get_by_text("照片 2 张，问题 1 条")).to_be_visible()
    expect(phone.locator("#said")).to_be_empty()
    looks(phone, tmp_path, "8-submitted")


def test_a_queue_turns_red_after_a_day_and_stops_new_visits_after_three(phone, address, tmp_path):
    phone.clock.install()
    phone.clock.resume()
    sign_in(phone, address)
    ready_for_offline(phone)
    phone.context.set_offline(True)
    whole_visit(phone, [a_jpeg()])
    expect(phone.locator(".chip.late")).to_have_count(0)
    phone.clock.fast_forward("25:00:00")
    phone.evaluate("dispatchEvent(new Event('mc-show'))")
    expect(phone.locator(".chip.late")).to_contain_text("▲ 待上传 1 · 25 小时")
    expect(phone.get_by_text("最早一项已等 25 小时")).to_be_visible()
    looks(phone, tmp_path, "red")
    phone.clock.fast_forward("48:00:00")
    phone.goto(f"{address}/inspector/phone/#/")
    expect(phone.get_by_text("有检查超过 72 小时没有上传")).to_be_visible()
    looks(phone, tmp_path, "blocked")
    phone.locator(".task").first.click()
    phone.get_by_role("button", name="定位并签到").click()
    phone.get_by_role("button", name="签到", exact=True).click()
    expect(phone.get_by_text("请先联网上传，再开始新的检查")).to_be_visible()
    phone.get_by_role("link", name="返回").click()
    expect(phone.get_by_text("进行中")).to_have_count(0)


@pytest.mark.parametrize(
    ("north_m", "accuracy", "word"), [(900, 20, "在范围外"), (120, 400, "位置不明"), (160, 40, "很可能在现场")]
)
def test_a_doubtful_position_is_told_asks_for_a_reason_and_never_blocks(phone, address, north_m, accuracy, word):
    sign_in(phone, address)
    ready_for_offline(phone)
    phone.context.set_geolocation(at_hall(north_m=north_m, accuracy=accuracy))
    phone.locator(".task").first.click()
    phone.get_by_role("button", name="定位并签到").click()
    phone.get_by_role("button", name="就用这个位置").click()
    expect(phone.get_by_text(word)).to_be_visible()
    phone.get_by_role("button", name="签到", exact=True).click()
    if word != "很可能在现场":
        expect(phone.locator("#said")).to_contain_text("请写一句原因")
        phone.get_by_label("原因").fill("大厅正在装修，临时搬到对面")
        phone.get_by_role("button", name="签到", exact=True).click()
    expect(phone.locator("#camera")).to_be_attached()


def test_a_phone_that_does_not_say_where_it_is_goes_on_with_a_reason(playwright, chromium, address, tmp_path):
    with a_profile(playwright, chromium, tmp_path / "profile", permissions=[]) as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        page.locator(".task").first.click()
        page.get_by_role("button", name="定位并签到").click()
        expect(page.get_by_text("手机没有允许定位")).to_be_visible()
        page.get_by_label("原因").fill("单位配发手机禁用定位")
        page.get_by_role("button", name="签到", exact=True).click()
        expect(page.locator("#camera")).to_be_attached()


def test_the_smallest_phone_in_english_shows_everything(phone, address, tmp_path):
    phone.set_viewport_size({"width": 320, "height": 568})
    sign_in(phone, address)
    ready_for_offline(phone)
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_role("button", name="中文")).to_be_visible()
    expect(phone.get_by_text("2 to visit")).to_be_visible()
    looks(phone, tmp_path, "320-today")
    phone.context.set_offline(True)
    phone.reload()
    phone.locator(".task").first.click()
    looks(phone, tmp_path, "320-task")
    phone.get_by_role("button", name="Check in").click()
    phone.get_by_role("button", name="Check in", exact=True).click()
    shoot(phone, a_jpeg())
    looks(phone, tmp_path, "320-visit")
    phone.get_by_role("link", name="Finding").click()
    looks(phone, tmp_path, "320-finding")
    phone.get_by_role("button", name="Save").click()
    expect(phone.locator("#said")).to_contain_text("Choose the rule")


def test_what_is_written_of_a_finding_is_kept_and_must_be_finished_or_deleted(phone, address):
    sign_in(phone, address)
    ready_for_offline(phone)
    check_in(phone)
    phone.get_by_role("link", name="填问题").click()
    phone.get_by_label("看到了什么").fill("二号窗口无人")
    wait_until_written(phone, "二号窗口无人")
    phone.reload()
    phone.get_by_role("link", name="返回").click()
    expect(phone.get_by_text("未写完")).to_be_visible()
    phone.get_by_role("button", name="定位并签退").click()
    phone.get_by_role("button", name="签退", exact=True).click()
    phone.get_by_role("button", name="完成检查").click()
    expect(phone.locator("#said")).to_contain_text("有一条问题没有写完")
    phone.on("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="删除").click()
    phone.get_by_role("button", name="完成检查").click()
    waits(phone, 0)


def test_a_screen_that_is_drawn_anew_takes_no_tap_from_under_a_finger(phone, address):
    sign_in(phone, address)
    ready_for_offline(phone)
    check_in(phone)
    phone.wait_for_timeout(500)  # until the check-in's own redraws are over
    leave = phone.get_by_role("button", name="定位并签退")
    leave.scroll_into_view_if_needed()
    box = leave.bounding_box()
    phone.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    phone.evaluate("dispatchEvent(new Event('mc-show'))")  # under way when the finger comes down, and once more after
    phone.mouse.down()
    phone.evaluate("['mc-show', 'mc-told'].forEach((name) => dispatchEvent(new Event(name)))")
    phone.wait_for_timeout(500)
    phone.mouse.up()
    expect(phone.get_by_role("button", name="签退", exact=True)).to_be_visible()


def test_the_queue_goes_out_as_a_file_that_any_computer_opens(phone, address, tmp_path):
    photos = [a_jpeg(), a_jpeg(color="navy")]
    sign_in(phone, address)
    ready_for_offline(phone)
    phone.context.set_offline(True)
    whole_visit(phone, photos)
    with phone.expect_download() as started:
        phone.get_by_role("button", name="存成文件").click()
    started.value.save_as(tmp_path / "queue.tar")
    with tarfile.open(tmp_path / "queue.tar") as file:
        inside = {one.name: file.extractfile(one).read() for one in file}
    sheet = next(json.loads(content) for name, content in inside.items() if name.startswith("visits/"))
    assert {content for name, content in inside.items() if name.startswith("blobs/")} == set(photos)
    assert [json.loads(event)["kind"] for event in sheet["events"]] == ["check_in", "photo", "photo", "check_out"]
    waits(phone, 1)


def test_two_tabs_of_a_browser_without_locks_hand_a_visit_in_once(playwright, chromium, address, engine, tmp_path):
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        whole_visit(page, [a_jpeg()])
        other = context.new_page()
        other.goto(f"{address}/inspector/phone/")
        context.set_offline(False)
        waits(page, 0)
        waits(other, 0)
    with engine.connect() as connection:
        assert connection.execute(select(upload.c.status, upload.c.problems)).all() == [("settled", [])]
        assert len(connection.execute(select(blob.c.sha256)).all()) == 1


def test_a_checklist_is_filled_in_offline_and_arrives(phone, address, engine, town, tmp_path):
    book = Path("survey_forms/documents/xiamen-wf-2015/forms/hall_inspection.xlsx").read_bytes()
    with engine.begin() as connection:
        version = a_form_version(connection, book)
        item = {"evaluation_id": town.evaluation_id, "code": "H1", "name_zh": "办事大厅", "name_en": "Service halls"}
        made = insert(inspection_item).values(**item, component="inspection", rates={}, form_version=version)
        key = connection.execute(made.returning(inspection_item.c.id)).scalar_one()
        connection.execute(update(assignment).values(item_id=key))
    sign_in(phone, address)
    ready_for_offline(phone)
    phone.context.set_offline(True)
    check_in(phone)
    expect(phone.get_by_text("检查事项")).to_be_visible()
    phone.get_by_role("link", name="填写检查表").click()
    first = phone.locator(".checklist input[type=radio]").first
    first.check()
    wait_until_written(phone, f'"{first.get_attribute("name")}":')
    phone.reload()
    expect(first).to_be_checked()
    phone.get_by_role("button", name="保存").click()
    phone.get_by_role("button", name="定位并签退").click()
    phone.get_by_role("button", name="签退", exact=True).click()
    phone.once("dialog", lambda dialog: dialog.dismiss())
    phone.get_by_role("button", name="完成检查").click()
    expect(phone.locator(".checklist .field-error:visible").first).to_be_visible()
    expect(phone.locator(".checklist :focus")).to_have_attribute("aria-invalid", "true")
    looks(phone, tmp_path, "faults")
    phone.get_by_role("link", name="返回").click()
    phone.once("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="完成检查").click()
    expect(phone.get_by_role("heading", name="待上传")).to_be_visible()
    phone.context.set_offline(False)
    waits(phone, 0)
    with engine.connect() as connection:
        row = connection.execute(select(checklist.c.form_version, checklist.c.answers)).one()
    assert row.form_version == version
    assert row.answers


def test_a_phone_in_a_colleagues_hands_shows_the_colleagues_tasks_and_keeps_the_owners_queue(phone, address):
    sign_in(phone, address)
    ready_for_offline(phone)
    phone.context.set_offline(True)
    whole_visit(phone, [a_jpeg()])
    phone.context.clear_cookies()
    phone.route("**/api/v1/visits", lambda route: route.abort())
    phone.context.set_offline(False)
    sign_in(phone, address, "inspector2")
    expect(phone.get_by_text("陈访")).to_be_visible()
    expect(phone.locator(".task")).to_have_count(0)
    waits(phone, 0)
    phone.locator(".chip").click()
    expect(phone.get_by_text("1 项属于林察")).to_be_visible()
    phone.unroute("**/api/v1/visits")
    phone.context.clear_cookies()
    sign_in(phone, address)
    waits(phone, 0)
