"""One inspection in a real browser: from the sealed assignment to the ledger, with a photo and a second person."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, select

from api.objects import Objects
from api.store.ledger import ledger_entry
from api.transaction import Database
from survey_forms.inspection.mornings import last_opened
from tests.inspections import HALL, PASSWORD, Town, a_jpeg, a_town, an_assignment, phone_exif
from tests.live import PHONE, a_phone
from worker.drain import drain
from worker.shop import Shop

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 900}


@pytest.fixture
def town(engine: Engine) -> Town:
    with engine.begin() as connection:
        town = a_town(connection)
        today = last_opened(datetime.now(UTC))
        an_assignment(connection, town, day=today)
        an_assignment(connection, town, day=today + timedelta(days=3))
    return town


@pytest.fixture
def address(site, town) -> str:  # noqa: ARG001 - it is served
    """The service, with a town whose inspector has an assignment today."""
    return site


@pytest.fixture
def shop(settings, engine) -> Shop:
    """What the worker works with."""
    return Shop(Database(engine), Objects(settings.objects), lambda: datetime.now(UTC))


@contextmanager
def a_phone_at(browser: Browser, place: dict[str, float] | None) -> Iterator[Page]:
    """A phone that says it is there; one without a place refuses to say."""
    permissions: dict[str, Any] = {"permissions": ["geolocation"], "geolocation": place} if place else {}
    context = browser.new_context(viewport=PHONE, locale="zh-CN", **permissions)
    page = context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda said: mistakes.append(said.text) if "Content Security Policy" in said.text else None)
    try:
        yield page
        assert mistakes == []
    finally:
        context.close()


def sign_in(page: Page, address: str, username: str, target: str) -> None:
    page.goto(f"{address}/login?next={target}")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("form:has(input[name=password]) button[type=submit], form:has(input[name=password]) button:not([type])")
    page.wait_for_url(f"{address}{target}")


def at_hall(*, north_m: float = 0, accuracy: float = 12) -> dict[str, float]:
    return {"latitude": HALL[0] + north_m / 111_195, "longitude": HALL[1], "accuracy": accuracy}


def arrive(page: Page, address: str) -> None:
    sign_in(page, address, "inspector", "/inspector")
    page.get_by_text("湖滨南路办事大厅").click()
    page.get_by_role("button", name="定位并签到").click()


def shoot(page: Page, folder: Path, name: str, *, script: bool = True) -> None:
    """A picture for human eyes, and what a machine can see: nothing sticks out sideways, nobody is shut out (axe)."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    if not script:
        return  # axe is one itself
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]] == [], name


def test_from_the_sealed_assignment_to_the_ledger(browser, address, town, shop, tmp_path):
    content = a_jpeg(size=(2000, 1500), exif=phone_exif(taken=datetime.now(UTC)))
    with a_phone_at(browser, at_hall()) as page:
        inspects(page, address, shop, content, tmp_path)
    with a_phone(browser, size=DESK) as page:
        confirms_and_asks(page, address, tmp_path)
    with a_phone(browser, size=DESK) as page:
        sign_in(page, address, "office2", "/office/ledger")
        page.get_by_role("button", name="同意冲销").click()
        expect(page.locator("#entry-1")).to_contain_text("已由第 2 号冲销")
        shoot(page, tmp_path, "9-ledger")

    with shop.database.read() as connection:
        first, second = connection.execute(select(ledger_entry).order_by(ledger_entry.c.seq)).all()
    assert (first.filed_by, first.decided_by, first.body["points"]) == (town.inspector, town.office, "2.5")
    assert first.body["evidence"] == [sha256(content).hexdigest()]
    assert (second.reverses, second.filed_by, second.decided_by) == (1, town.office, town.second_office)
    assert shop.objects.get("originals", sha256(content).digest()) == content


def inspects(page: Page, address: str, shop: Shop, content: bytes, folder: Path) -> None:
    """The inspector's part."""
    sign_in(page, address, "inspector", "/inspector")
    expect(page.get_by_role("heading", name="未启封 1")).to_be_visible()
    assert page.get_by_text("湖滨南路办事大厅").count() == 1
    shoot(page, folder, "1-assignments")
    page.get_by_text("湖滨南路办事大厅").click()
    shoot(page, folder, "2-arrival")
    page.get_by_role("button", name="定位并签到").click()
    expect(page.get_by_text("确在现场")).to_be_visible()
    shoot(page, folder, "3-checked-in")

    page.set_input_files("#album", {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(page.get_by_text("已上传")).to_be_visible()
    expect(page.get_by_text(sha256(content).hexdigest()[:12])).to_be_visible()
    assert drain(shop, "photos") == 1
    expect(page.locator("#kept img")).to_be_visible()  # the page looks again by itself
    expect(page.locator("#kept")).not_to_contain_text("▲")
    shoot(page, folder, "4-photo")

    page.get_by_role("link", name="填报问题").click()
    page.get_by_text("服务态度").click()
    page.get_by_text("态度生硬、推诿或冷落群众").click()
    page.get_by_label("扣几分").fill("2.5")
    page.get_by_label("看到了什么").fill("10:20 三号窗口工作人员三次让群众“自己看墙上”。")
    page.get_by_text("照片 1").click()
    shoot(page, folder, "5-finding")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("待核定")).to_be_visible()
    page.locator("summary", has_text="结束检查").click()
    page.get_by_role("button", name="结束检查").click()
    expect(page.get_by_text("检查已结束")).to_be_visible()
    shoot(page, folder, "6-done")


def confirms_and_asks(page: Page, address: str, folder: Path) -> None:
    """The office's part: confirm the finding, then ask for the entry's reversal."""
    sign_in(page, address, "office", "/office/findings")
    expect(page.locator(".finding img")).to_be_visible()
    shoot(page, folder, "7-decide")
    page.get_by_role("button", name="认定，扣 2.50 分").click()
    expect(page.get_by_text("没有待核定的问题")).to_be_visible()
    page.get_by_role("link", name="扣分台账").click()
    expect(page.locator("#entry-1")).to_contain_text("态度生硬")
    page.locator("#entry-1").get_by_text("申请冲销").click()
    page.get_by_label("理由").fill("当事人已当场致歉，视频复核不成立")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("您本人申请的冲销，由另一位工作人员核定。")).to_be_visible()
    shoot(page, folder, "8-asked")


@pytest.mark.parametrize(
    ("north_m", "accuracy", "word"), [(120, 400, "位置不明"), (900, 20, "在范围外"), (160, 40, "很可能在现场")]
)
def test_a_doubtful_position_asks_for_a_reason_and_never_blocks(  # noqa: PLR0917 - three facts and three fixtures
    browser, address, tmp_path, north_m, accuracy, word
):
    with a_phone_at(browser, at_hall(north_m=north_m, accuracy=accuracy)) as page:
        page.clock.install()  # 20 seconds of locating pass at once
        arrive(page, address)
        expect(page.get_by_text(f"目前误差约 {accuracy} 米")).to_be_visible()
        page.clock.fast_forward(21_000)
        expect(page.get_by_text(word).first).to_be_visible()
        if word != "很可能在现场":
            shoot(page, tmp_path, "asked")
            page.get_by_label("原因").fill("大厅正在装修，临时搬到对面")
            page.get_by_role("button", name="写明原因，签到").click()
        expect(page.get_by_role("heading", name="发现的问题")).to_be_visible()
        expect(page.get_by_text(word)).to_be_visible()
        shoot(page, tmp_path, "visit")


def test_a_phone_that_does_not_say_where_it_is_checks_in_with_a_reason(browser, address, tmp_path):
    with a_phone_at(browser, None) as page:
        arrive(page, address)
        expect(page.get_by_text("手机没有允许定位")).to_be_visible()
        page.get_by_label("原因").fill("单位配发手机禁用定位")
        shoot(page, tmp_path, "denied")
        page.get_by_role("button", name="写明原因，签到").click()
        expect(page.get_by_text("手机没有给出位置")).to_be_visible()


def test_what_was_photographed_and_written_waits_for_the_network(browser, address, tmp_path):
    with a_phone_at(browser, at_hall()) as page:
        arrive(page, address)
        expect(page.get_by_text("确在现场")).to_be_visible()
        page.context.set_offline(True)
        for number in range(2):
            photo = a_jpeg(color=("navy", "olive")[number])
            page.set_input_files("#album", {"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": photo})
        expect(page.get_by_text("待上传 2")).to_be_visible()
        expect(page.get_by_text("没有网络，照片在本页等待")).to_be_visible()
        shoot(page, tmp_path, "waiting")
        page.context.set_offline(False)
        expect(page.locator("#kept > li")).to_have_count(2)
        expect(page.get_by_text("待上传")).to_have_count(0)

        page.get_by_role("link", name="填报问题").click()
        page.get_by_text("履行职责").click()
        page.get_by_text("工作时间服务窗口无人值守").click()
        page.get_by_label("看到了什么").fill("二号窗口无人")
        page.context.set_offline(True)
        page.get_by_role("button", name="提交").click()
        expect(page.get_by_text("没有网络，内容仍在本页")).to_be_visible()
        expect(page.get_by_label("看到了什么")).to_have_value("二号窗口无人")
        page.context.set_offline(False)
        expect(page.get_by_text("待核定")).to_be_visible()


def test_a_file_that_is_no_photo_is_refused_where_it_was_chosen(browser, address, tmp_path):
    with a_phone_at(browser, at_hall()) as page:
        arrive(page, address)
        page.set_input_files("#album", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"<svg onload=alert(1)>"})
        expect(page.get_by_text("未收下：文件内容不是 JPEG、PNG 或 WebP 照片")).to_be_visible()
        expect(page.get_by_text("待上传")).to_have_count(0)
        shoot(page, tmp_path, "refused")
        page.get_by_role("button", name="移除").click()
        expect(page.get_by_text("未收下")).to_have_count(0)


def test_it_all_works_without_a_script(browser, address, tmp_path):
    with a_phone(browser, js=False) as page:
        sign_in(page, address, "inspector", "/inspector")
        page.get_by_text("湖滨南路办事大厅").click()
        page.get_by_text("说明原因后签到").click()
        page.get_by_label("原因").fill("浏览器停用了脚本")
        page.get_by_role("button", name="写明原因，签到").click()
        expect(page.get_by_text("手机没有给出位置")).to_be_visible()
        files = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": a_jpeg(size=(64 + n, 64))} for n in range(2)]
        page.set_input_files("#album", files)
        page.get_by_role("button", name="上传所选照片").click()
        expect(page.locator("#kept > li")).to_have_count(2)
        shoot(page, tmp_path, "plain", script=False)
        page.get_by_role("link", name="填报问题").click()
        page.get_by_text("履行职责").click()
        page.get_by_text("工作时间服务窗口无人值守").click()
        page.get_by_label("看到了什么").fill("二号窗口无人")
        page.get_by_text("照片 2").click()
        page.get_by_role("button", name="提交").click()
        expect(page.get_by_text("待核定")).to_be_visible()


def test_the_smallest_phone_shows_everything(browser, address, tmp_path):
    with a_phone_at(browser, at_hall()) as page:
        page.set_viewport_size({"width": 320, "height": 568})
        arrive(page, address)
        expect(page.get_by_text("确在现场")).to_be_visible()
        shoot(page, tmp_path, "visit-320")
        page.get_by_role("link", name="返回").click()
        shoot(page, tmp_path, "assignments-320")
        page.get_by_text("湖滨南路办事大厅").click()
        page.get_by_role("link", name="填报问题").click()
        page.get_by_text("服务态度").click()
        shoot(page, tmp_path, "finding-320")
        small = page.evaluate(
            "[...document.querySelectorAll('a,button,input:not([type=hidden]),summary,textarea')]"
            ".filter(e => e.offsetParent && !e.closest('.skip,label') && e.getBoundingClientRect().height < 40)"
            ".map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == []
