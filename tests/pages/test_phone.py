"""The inspector's phone in a real browser: one visit from the first opening to the receipt."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright, expect, sync_playwright

from api.app import create_app
from api.services import KEY
from tests.field_phone import (
    a_profile,
    a_town_with_tasks,
    finish,
    page_of,
    ready_for_offline,
    shoot,
    sign_in,
    waits,
)
from tests.inspections import a_jpeg
from tests.live import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town_with_tasks(connection, 2)


@pytest.fixture
def address(settings, town) -> Iterator[str]:  # noqa: ARG001 - it is served
    app = create_app(settings)
    with serving(app) as served:
        yield served
    app.extensions[KEY].database.engine.dispose()


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
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
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
    looks(phone, tmp_path, "8-submitted")
