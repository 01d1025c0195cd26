"""What the inspector's phone shows: in large letters, on its side, in English offline, and of photos that are gone."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

import pytest
from playwright.sync_api import CDPSession, Page, expect
from sqlalchemy import select

from api.actions.shortfalls import take_short
from api.app import create_app
from api.object_store import open_objects
from api.services import KEY, utc_now
from api.store import people
from api.store.uploads import blob, upload
from tests.field_phone import (
    SITE,
    a_noisy_jpeg,
    a_profile,
    a_town_with_tasks,
    check_in,
    page_of,
    ready_for_offline,
    sign_in,
    waits,
    whole_visit,
)
from tests.inspections import a_jpeg
from tests.live import serving

pytestmark = pytest.mark.browser

ON_ITS_SIDE = {"width": 844, "height": 390}
EVICTED = """() => new Promise((done) => {
  localStorage.clear();
  const gone = indexedDB.deleteDatabase("mingcha-phone");
  gone.onsuccess = done;
})"""

FORGOTTEN = """(sha) => new Promise((done) => {
  indexedDB.open("mingcha-phone").onsuccess = ({target}) => {
    const writing = target.result.transaction(["blobs"], "readwrite");
    writing.objectStore("blobs").delete(sha);
    writing.oncomplete = () => { target.result.close(); done(); };
  };
})"""


@pytest.fixture
def address(settings, engine) -> Iterator[str]:
    with engine.begin() as connection:
        a_town_with_tasks(connection, 2)
    app = create_app(settings)
    with serving(app) as served:
        yield served
    app.extensions[KEY].database.engine.dispose()


@pytest.fixture
def phone(playwright, chromium, address, tmp_path) -> Iterator[Page]:
    """A phone with its tasks; whatever goes wrong in its scripts fails the test."""
    mistakes: list[str] = []
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        sign_in(page, address)
        ready_for_offline(page)
        yield page
    assert mistakes == []


def letters_twice_as_large(page: Page) -> CDPSession:
    """As a person sets them for all pages (WCAG 1.4.4), for as long as the session lives."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    return session


def test_letters_twice_as_large_lose_no_word_and_stand_in_lines(phone, tmp_path):
    eyes = letters_twice_as_large(phone)
    phone.screenshot(path=tmp_path / "200-today.png")
    phone.locator(".task").first.click()
    expect(phone.locator("dl")).to_be_visible()
    phone.screenshot(path=tmp_path / "200-task.png")
    below = phone.locator("h1").bounding_box()["y"] - phone.locator("#top").bounding_box()["height"]
    assert below >= 0  # the first words of the screen are not under its top
    widths = phone.locator("dd").evaluate_all("all => all.map(one => one.clientWidth)")
    assert min(widths) >= 7 * 34  # seven letters a line, not one
    title = phone.locator("#top strong")
    expect(title).to_have_text(SITE)
    assert title.evaluate("one => one.scrollWidth <= one.clientWidth && one.clientWidth >= 5 * 34")
    phone.get_by_role("link", name="返回").click()
    check_in(phone)
    phone.screenshot(path=tmp_path / "200-visit.png")
    phone.get_by_role("link", name="请现场人员签名").click()
    phone.screenshot(path=tmp_path / "200-sign.png")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    eyes.detach()


def test_at_the_usual_size_names_and_values_stand_beside_each_other(phone, tmp_path):
    phone.locator(".task").first.click()
    expect(phone.locator("dl")).to_be_visible()
    phone.screenshot(path=tmp_path / "100-task.png")
    tops = [phone.locator(name).first.bounding_box()["y"] for name in ("dt", "dd")]
    assert tops[0] == tops[1]
    assert phone.locator("#top").bounding_box()["height"] <= 57


def test_an_installed_phone_turns_and_its_signature_fits_between_the_bars(phone, address, tmp_path):
    assert "orientation" not in phone.request.get(f"{address}/inspector/phone/manifest.webmanifest").json()
    phone.set_viewport_size(ON_ITS_SIDE)
    phone.screenshot(path=tmp_path / "side-today.png")
    check_in(phone)
    phone.screenshot(path=tmp_path / "side-visit.png")
    phone.get_by_role("link", name="请现场人员签名").click()
    pad = phone.locator("canvas")
    pad.scroll_into_view_if_needed()
    phone.screenshot(path=tmp_path / "side-sign.png")
    between = phone.locator("#bar").bounding_box()["y"] - phone.locator("#top").bounding_box()["height"]
    box = pad.bounding_box()
    assert box["height"] <= between
    assert box["width"] == pytest.approx(2 * box["height"], abs=2)


def test_english_wants_a_network_once_and_is_kept(phone, tmp_path):
    phone.context.set_offline(True)
    phone.get_by_role("button", name="English").click()
    expect(phone.locator("#said")).to_contain_text("英文要联网取一次")
    phone.screenshot(path=tmp_path / "english-offline.png")
    expect(phone.get_by_text("2 项待检查")).to_be_visible()
    phone.context.set_offline(False)
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_text("2 to visit")).to_be_visible()
    phone.context.set_offline(True)
    phone.get_by_role("button", name="中文").click()
    expect(phone.get_by_text("2 项待检查")).to_be_visible()
    phone.get_by_role("button", name="English").click()
    expect(phone.get_by_text("2 to visit")).to_be_visible()
    phone.screenshot(path=tmp_path / "english.png")


def test_photos_that_the_browser_dropped_are_missing_and_never_told_as_submitted(phone, engine, tmp_path):
    phone.route("**/api/v1/blobs/**", lambda route: route.abort())
    whole_visit(phone, [a_jpeg()])
    for _ in range(100):
        with engine.connect() as connection:
            if connection.execute(select(upload.c.status)).scalars().all() == ["waiting"]:
                break
        phone.wait_for_timeout(100)
    phone.evaluate(EVICTED)
    phone.goto(phone.url.partition("#")[0] + "#/")
    phone.reload()
    expect(phone.locator(".chip.late")).to_contain_text("▲ 缺 1")
    expect(phone.get_by_text("服务器还缺 1 项检查的照片，但不在本机")).to_be_visible()
    phone.screenshot(path=tmp_path / "lost-today.png")
    phone.locator(".chip").click()
    expect(phone.get_by_role("heading", name="服务器还缺 1 项")).to_be_visible()
    expect(phone.get_by_text("全部已经提交")).to_have_count(0)
    expect(phone.get_by_text("无待上传")).to_have_count(0)
    phone.screenshot(path=tmp_path / "lost-queue.png")


def test_what_is_behind_a_lost_photo_arrives_and_a_visit_taken_in_short_leaves_the_phone(phone, engine, settings):
    phone.route("**/api/v1/blobs/**", lambda route: route.abort())
    lost, kept = a_noisy_jpeg(1, 40), a_noisy_jpeg(2, 40)
    whole_visit(phone, [lost, kept])
    waits(phone, 1)
    phone.evaluate(FORGOTTEN, sha256(lost).hexdigest())
    phone.unroute("**/api/v1/blobs/**")
    phone.reload()
    phone.get_by_role("button", name="现在上传").click()
    expect(phone.get_by_text("照片没有收齐，请联系办公室。")).to_be_visible()
    with engine.begin() as connection:
        assert connection.execute(select(blob.c.sha256)).scalars().all() == [sha256(kept).digest()]
        key = connection.execute(select(upload.c.id)).scalar_one()
        office = people.staff_named(connection, "office")[0]
        objects, later = open_objects(settings), utc_now() + timedelta(hours=73)
        take_short(connection, objects, settings.secret_key, key, office, "浏览器删掉了照片", later)
    phone.get_by_role("button", name="现在上传").click()
    waits(phone, 0)
    expect(phone.get_by_text("全部已经提交")).to_be_visible()


def test_a_visit_just_handed_in_is_not_told_as_missing_although_the_task_list_is_older(phone):
    whole_visit(phone, [a_jpeg()])
    waits(phone, 0)
    expect(phone.get_by_text("全部已经提交")).to_be_visible()
    phone.evaluate(
        """() => new Promise((done) => { indexedDB.open("mingcha-phone").onsuccess = ({target}) => {
        const db = target.result, tx = db.transaction(["kv", "sent"], "readwrite");
        tx.objectStore("sent").getAllKeys().onsuccess = (sent) => {
          const kv = tx.objectStore("kv");
          kv.get("bundle").onsuccess = (found) => {
            found.target.result.data.waiting = sent.target.result;
            kv.put(found.target.result, "bundle");
          };
        };
        tx.oncomplete = () => { db.close(); done(); };
      }; })"""
    )
    phone.context.set_offline(True)
    phone.reload()
    waits(phone, 0)
