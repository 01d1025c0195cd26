"""An entry, the ledger, the map and the calendar in a real browser: accessible, and never wider than the screen."""

import pytest
from playwright.sync_api import Page

from api.objects import Objects
from tests.entries import a_life
from tests.inspections import PASSWORD
from tests.live import PHONE, a_phone, faults_of

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 800}


def enter(page: Page, site: str, username: str) -> None:
    page.goto(f"{site}/login")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def look(page: Page, address: str) -> None:
    page.goto(address)
    assert faults_of(page) == [], address
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


@pytest.mark.parametrize("tab", [(DESK, "zh-CN"), (PHONE, "en-GB"), (PHONE, "zh-CN")])
def test_every_page_of_the_ledger_is_well_made(browser, site, engine, settings, tab):
    size, language = tab
    with engine.begin() as connection:
        life = a_life(connection, Objects(settings.objects))
    office = ("ledger", f"ledger/{life.stands}", f"ledger/{life.replacement}", "inspections/map",
              "inspections/map?zoom=2", "inspections/calendar?month=2026-11")  # fmt: skip
    pages = {
        "office": [f"/office/{address}" for address in office],
        "unit": ["/unit/entries", f"/unit/entries/{life.stands}"],
    }
    for username, addresses in pages.items():
        with a_phone(browser, size=size, language=language) as page:
            complaints: list[str] = []
            page.on("console", lambda message, told=complaints: told.append(message.text))
            enter(page, site, username)
            for address in addresses:
                look(page, f"{site}{address}")
            assert complaints == []


def test_the_photo_of_an_entry_opens_and_the_map_comes_nearer_without_a_script(browser, site, engine, settings):
    with engine.begin() as connection:
        life = a_life(connection, Objects(settings.objects))
    with a_phone(browser, js=False) as page:
        enter(page, site, "office")
        page.goto(f"{site}/office/ledger/{life.stands}")
        assert page.locator(".shown img").evaluate("image => image.naturalWidth") > 0
        page.click(".shown a")
        assert page.url.endswith("/rendition")
        page.goto(f"{site}/office/inspections/map")
        page.click("text=＋")
        assert "zoom=1" in page.url
        page.click("text=看全图")
        assert "zoom" not in page.url
