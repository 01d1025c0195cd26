"""One phone in several hands, one inspector in several tabs: nobody sees or changes a colleague's, nothing is lost."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select, update

from api.store.inspection_draws import inspection_item
from api.store.inspections import assignment
from tests.builders import a_form_version
from tests.field_phone import (
    HOME,
    a_profile,
    a_town_with_tasks,
    check_in,
    open_day,
    page_of,
    ready_for_offline,
    shoot,
    sign_in,
    wait_until_written,
    waits,
    whole_visit,
)
from tests.inspections import a_jpeg, an_assignment

pytestmark = pytest.mark.browser

BOOK = Path("survey_forms/documents/xiamen-wf-2015/forms/hall_inspection.xlsx")
IN_STORE = """([name, edit]) => new Promise((done) => {
  const opened = indexedDB.open("mingcha-phone");
  opened.onsuccess = () => {
    const store = opened.result.transaction([name], "readwrite").objectStore(name);
    const asked = store.getAll();
    asked.onsuccess = () => {
      const edited = asked.result.map((one) => Object.assign(one, edit));
      if (edit) edited.forEach((one) => store.put(one));
      opened.result.close();
      done(JSON.parse(JSON.stringify(edited)));
    };
  };
})"""


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town_with_tasks(connection, 2)


@pytest.fixture
def address(site, town) -> str:  # noqa: ARG001 - it is served
    return site


@pytest.fixture
def phone(playwright, chromium, tmp_path) -> Iterator[Page]:
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        yield page_of(context)


def kept(page: Page, name: str = "visits", edit: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What the phone's database holds, each changed by `edit` first."""
    found: list[dict[str, Any]] = page.evaluate(IN_STORE, [name, edit])
    return found


def hand_over(page: Page, address: str, username: str, name: str) -> None:
    page.context.clear_cookies()
    page.context.set_offline(False)
    sign_in(page, address, username)
    expect(page.locator(".hero")).to_contain_text(name)


def test_a_colleague_sees_how_much_is_whose_and_nothing_of_it(phone, address, town, engine, tmp_path):
    with engine.begin() as connection:
        an_assignment(connection, town, day=open_day(), inspector=town.other_inspector)
    sign_in(phone, address)
    ready_for_offline(phone)
    whole_visit(phone, [a_jpeg()])
    waits(phone, 0)  # 已提交
    (note,) = kept(phone, "sent")
    phone.context.set_offline(True)
    phone.goto(phone.url.partition("#")[0] + "#/")
    check_in(phone)
    (begun,) = kept(phone)
    hand_over(phone, address, "inspector2", "陈访")
    expect(phone.locator(".task")).to_have_count(1)
    expect(phone.get_by_text("进行中")).to_have_count(0)
    expect(phone.get_by_text("已提交")).to_have_count(0)
    expect(phone.get_by_text("1 项属于林察")).to_be_visible()
    screens = {
        f"v/{begun['assignment']['id']}": "没有这项任务",
        f"s/{note['id']}": "没有这条记录",
        f"g/{begun['id']}": "这里不能再改",
        f"c/{begun['id']}": "这里不能再改",
        f"f/{begun['id']}/new1": "这里不能填问题",
    }
    for screen, words in screens.items():
        phone.goto(f"{address}{HOME}#/{screen}")
        expect(phone.get_by_text(words)).to_be_visible()
    phone.context.set_offline(True)
    whole_visit(phone, [a_jpeg(color="navy")])
    with phone.expect_download() as started:
        phone.get_by_role("button", name="存成文件").click()
    started.value.save_as(tmp_path / "queue.tar")
    with tarfile.open(tmp_path / "queue.tar") as file:
        visits = [one.name for one in file if one.name.startswith("visits/")]
    mine = next(one["id"] for one in kept(phone) if one["frozen"])
    assert visits == [f"visits/{mine}.json"]
    hand_over(phone, address, "inspector", "林察")
    expect(phone.get_by_text("进行中")).to_be_visible()  # as it was left


def test_a_screen_that_was_open_when_the_phone_changed_hands_changes_and_freezes_nothing(phone, address):
    sign_in(phone, address)
    ready_for_offline(phone)
    check_in(phone)
    phone.get_by_role("button", name="定位并签退").click()
    phone.get_by_role("button", name="签退", exact=True).click()
    expect(phone.get_by_role("button", name="完成检查")).to_be_visible()
    (before,) = kept(phone)
    other = phone.context.new_page()
    phone.get_by_label("现场说明（选填）").focus()  # it is not drawn anew under somebody who writes
    hand_over(other, address, "inspector2", "陈访")
    phone.get_by_label("现场说明（选填）").fill("陈访写的")
    phone.get_by_role("button", name="完成检查").click()
    expect(phone.locator("#said")).to_contain_text("没有保存")
    assert kept(other) == [before]
    assert before["frozen"] == 0


def test_a_double_tap_and_two_tabs_begin_one_visit_with_one_check_in(phone, address):
    sign_in(phone, address)
    ready_for_offline(phone)
    task = phone.locator(".task").first.get_attribute("href")
    other = phone.context.new_page()
    for page in (phone, other):
        page.goto(f"{address}{HOME}{task}")
        page.get_by_role("button", name="定位并签到").click()
        expect(page.get_by_role("button", name="签到", exact=True)).to_be_visible()
    phone.get_by_role("button", name="签到", exact=True).evaluate("button => { button.click(); button.click(); }")
    other.get_by_role("button", name="签到", exact=True).evaluate("button => { button.click(); button.click(); }")
    for page in (phone, other):
        expect(page.locator("#camera")).to_be_attached()
    (begun,) = kept(phone)
    assert [json.loads(event)["kind"] for event in begun["events"]] == ["check_in"]


def test_two_tabs_on_one_checklist_keep_both_tabs_answers(phone, address, engine, town):
    with engine.begin() as connection:
        version = a_form_version(connection, BOOK.read_bytes())
        item = {"evaluation_id": town.evaluation_id, "code": "H1", "name_zh": "办事大厅", "name_en": "Service halls"}
        made = insert(inspection_item).values(**item, component="inspection", rates={}, form_version=version)
        key = connection.execute(made.returning(inspection_item.c.id)).scalar_one()
        connection.execute(update(assignment).values(item_id=key))
        assert connection.execute(select(assignment.c.item_id)).scalars().all() == [key, key]
    sign_in(phone, address)
    ready_for_offline(phone)
    check_in(phone)
    (begun,) = kept(phone)
    other = phone.context.new_page()
    choices = ".checklist input[type=radio]"
    for page in (phone, other):
        page.goto(f"{address}{HOME}#/c/{begun['id']}")
        expect(page.locator(choices).first).to_be_visible()
    names = phone.locator(choices).evaluate_all("all => [...new Set(all.map(one => one.name))]")
    phone.locator(f'{choices}[name="{names[0]}"]').first.check()
    wait_until_written(phone, f'"{names[0]}":')
    (first,) = [one["answers"] for one in kept(phone)]
    other.locator(f'{choices}[name="{names[1]}"]').first.check()
    other.get_by_role("button", name="保存").click()
    expect(other.get_by_role("link", name="填写检查表")).to_be_visible()
    (both,) = [one["answers"] for one in kept(phone)]
    assert first.items() < both.items()


def test_a_full_visit_takes_no_more_photos_and_a_finding_at_most_fifty(phone, address):
    sign_in(phone, address)
    ready_for_offline(phone)
    check_in(phone)
    shoot(phone, a_jpeg())
    (begun,) = kept(phone)
    shots = [{"sha256": f"{n:064x}", "size": 1} for n in range(51)]
    kept(phone, edit={"shots": shots})
    phone.goto(f"{address}{HOME}#/f/{begun['id']}/new1")
    phone.reload()
    boxes = phone.locator("fieldset input[type=checkbox]")
    for at in range(50):
        boxes.nth(at).check()
    boxes.nth(50).click()
    expect(phone.locator("#said")).to_contain_text("最多 50 张照片")
    assert not boxes.nth(50).is_checked()
    kept(phone, edit={"events": begun["events"] + ["{}"] * 489, "findings": []})
    phone.goto(f"{address}{HOME}#/v/{begun['assignment']['id']}")
    phone.reload()
    more = {"name": "IMG_9.jpg", "mimeType": "image/jpeg", "buffer": a_jpeg(color="navy")}
    phone.set_input_files("#camera", more)
    expect(phone.locator("#said")).to_contain_text("请完成这次检查")
    assert len(kept(phone)[0]["events"]) == 491
