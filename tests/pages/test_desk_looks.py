"""The desk in a real browser: accessible in every state, nothing wider than the screen, usable by keyboard alone."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import Page

from tests.desk import PASSWORD, a_desk, a_scored_desk, publish
from tests.live import PHONE, a_phone, faults_of

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 800}
NARROW = {"width": 320, "height": 640}
OFFICE = (
    "/office", "/office/results", "/office/results/education", "/office/indicators", "/office/indicators/1",
    "/office/survey", "/office/audit",
)  # fmt: skip


@contextmanager
def at_desk(browser, site, username: str, size: dict[str, int], language: str = "zh-CN"):
    """A tab that is signed in and that notes what the browser complains of."""
    with a_phone(browser, size=size, language=language) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site}/login")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_load_state()
        yield page, complaints


def look(page: Page, address: str) -> None:
    """A page is well made: axe finds nothing, and only frames of their own scroll sideways."""
    page.goto(address)
    assert faults_of(page) == [], address
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB"), (NARROW, "zh-CN")])
def test_every_page_of_a_full_desk_is_well_made(browser, site, engine, size, language):
    with engine.begin() as connection:
        a_scored_desk(connection, simulated=True)
    for username, addresses in (("office", OFFICE), ("bureau", ("/bureau",)), ("unit", ("/unit",))):
        with at_desk(browser, site, username, size, language) as (page, complaints):
            for address in addresses:
                look(page, f"{site}{address}")
            assert complaints == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_every_page_of_an_empty_desk_is_well_made(browser, site, engine, size):
    with engine.begin() as connection:
        a_desk(connection)
    for username, addresses in (("office", OFFICE), ("bureau", ("/bureau",)), ("unit", ("/unit",))):
        with at_desk(browser, site, username, size) as (page, complaints):
            for address in addresses:
                if address != "/office/indicators/1":
                    look(page, f"{site}{address}")
            assert complaints == []


def test_states_of_their_own_are_well_made(browser, site, engine):
    with engine.begin() as connection:
        publish(connection, a_scored_desk(connection, few=24))
    with a_phone(browser, size=PHONE) as page:
        look(page, f"{site}/design")
        look(page, f"{site}/none-such")
        page.goto(f"{site}/login")
        page.fill("#username", "office")
        page.click("main button[type=submit]")
        assert page.title().startswith("错误")
        assert faults_of(page) == []
    with at_desk(browser, site, "unit", PHONE) as (page, _):
        look(page, f"{site}/unit")
        assert page.locator(".trace").count() >= 3
    with at_desk(browser, site, "office", PHONE) as (page, _):
        page.goto(f"{site}/office/indicators")
        page.set_input_files(
            "#file", {"name": "错.csv", "mimeType": "text/csv", "buffer": "单位,得分\n甲,1\n".encode()}
        )
        page.click("main form button[type=submit]")
        page.wait_for_load_state()
        assert faults_of(page) == []
        assert page.locator(".error-summary li").count() == 1


def test_the_keyboard_alone_reaches_the_content_first_and_sees_where_it_is(browser, site, engine):
    with engine.begin() as connection:
        a_scored_desk(connection)
    with at_desk(browser, site, "office", DESK) as (page, _):
        page.goto(f"{site}/office/results")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.locator(".skip").bounding_box()["y"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        focused = "document.activeElement.closest('main') !== null && document.activeElement.matches(':focus-visible')"
        assert page.evaluate(focused)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_everything_works_without_script(browser, site, engine):
    with engine.begin() as connection:
        a_scored_desk(connection)
    with a_phone(browser, js=False, size=DESK) as page:
        page.goto(f"{site}/office/results/education")
        page.fill("#username", "office")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        assert page.url == f"{site}/office/results/education"
        assert page.locator("h1").inner_text() == "市教育局"
        page.click("nav >> text=指标")
        page.set_input_files(
            "#file",
            {
                "name": "新.csv",
                "mimeType": "text/csv",
                "buffer": "单位,指标,得分,依据\nsports,差异性指标,800,评\n".encode(),
            },
        )
        page.click("main form button[type=submit]")
        assert "等另一位同事确认" in page.content()


def test_a_phone_gets_the_narrow_picture_and_the_desk_the_wide_one(browser, site, engine):
    with engine.begin() as connection:
        a_scored_desk(connection)
    for size, shown, hidden in ((DESK, ".chart-wide", ".chart-narrow"), (PHONE, ".chart-narrow", ".chart-wide")):
        with at_desk(browser, site, "office", size) as (page, _):
            page.goto(f"{site}/office/results")
            assert page.locator(shown).first.is_visible()
            assert not page.locator(hidden).first.is_visible()
            smallest = page.evaluate(
                "selector => Math.min(...[...document.querySelectorAll(selector + ' text')]"
                ".map(text => text.getBoundingClientRect().height))",
                shown,
            )
            assert smallest >= 12
