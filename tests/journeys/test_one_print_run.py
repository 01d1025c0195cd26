"""One print run: the office downloads sheets, a phone scans one of them, and the office sees one answer, not whose."""

import re
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page
from sqlalchemy import select, text

from api.services import KEY
from api.store import ballots
from survey_forms.sampling.codes import read_code
from tests.builders import a_short_book
from tests.invitations import HELP_LINE, SPONSOR, an_inviting_survey
from tests.live import a_phone, serving
from tests.pages.test_desk_looks import DESK, at_desk

pytestmark = pytest.mark.browser


def scanned(pdf: Path) -> list[list[str]]:
    """What a camera reads on each page of the file."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [
            [found.text for found in zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())] for page in document
        ]
    finally:
        document.close()


def words_of(pdf: Path) -> list[str]:
    """What stands on each page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def table_of(page: Page) -> list[str]:
    """The stratum's line: name, drawn, out, used, revoked."""
    return (
        page.locator("#strata-caption").locator("xpath=ancestor::table").locator("tbody tr").first.inner_text().split()
    )


def answer_on_a_phone(browser: Browser, address: str) -> None:
    """Open the link of the QR code and go through to the receipt."""
    with a_phone(browser) as phone:
        phone.goto(address)
        assert phone.input_value("#code") == address.partition("#")[2]
        assert "#" not in phone.url
        for _ in range(12):
            for choice in phone.locator("main input[type=radio]").all()[:1]:
                choice.check(force=True)
            buttons = phone.locator("main button.main")
            if not buttons.count():
                break
            buttons.first.click()
            phone.wait_for_load_state()
        assert "回执" in phone.locator("main").inner_text()


def test_from_the_print_run_to_one_answer_that_is_nobodys(browser, app, engine, tmp_path):
    with engine.begin() as connection:
        made = an_inviting_survey(connection, a_short_book())
    with serving(app) as site:
        object.__setattr__(app.extensions[KEY].settings, "base_url", site)  # the port is known only now
        desk = f"{site}/office/surveys/{made.survey.id}/invitations"
        with at_desk(browser, site, "printer", DESK) as (page, _):
            page.goto(desk)
            page.fill("#n-siming", "3")
            with page.expect_download() as downloading:
                page.get_by_role("button", name="生成并下载 PDF").click()
            file = tmp_path / "sheets.pdf"
            downloading.value.save_as(file)

            read = scanned(file)
            assert [len(codes) for codes in read] == [0, 1, 1, 1]
            links = [codes[0] for codes in read[1:]]
            assert all(link.startswith(site.upper() + "/#") for link in links)
            words = words_of(file)
            assert "思明区" in words[0]
            for link, sheet in zip(links, words[1:], strict=True):
                typed = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{3}", sheet)[0]
                assert read_code(typed)[:10] == link.partition("#")[2][:10]
                assert SPONSOR in sheet.replace("\r\n", "").replace("\n", "")
                assert HELP_LINE in sheet

            answer_on_a_phone(browser, links[0])
            with engine.connect() as connection:
                assert len(connection.execute(select(ballots.response)).all()) == 1
                assert connection.execute(text("SELECT count(*) FROM roll.access_code WHERE spent")).scalar() == 1
            page.goto(desk)
            assert table_of(page)[1:5] == ["—", "3", "1", "0"]
            assert links[0][-16:] not in page.content()
            with a_phone(browser) as phone:
                phone.goto(links[0])
                phone.locator("main button.main").first.click()
                phone.wait_for_load_state()
                assert phone.get_by_role("alert").count() == 1
