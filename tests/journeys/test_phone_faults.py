"""What becomes of a phone's visits when network, browser, disk, clock and sign-in fail: each arrives exactly once."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect
from sqlalchemy import Engine, func, select, update

from api.objects import Objects
from api.store.people import api_token, session
from api.store.photos import photo
from api.store.uploads import blob, upload
from tests.field_phone import (
    HOME,
    BadNetwork,
    a_noisy_jpeg,
    a_profile,
    a_town_with_tasks,
    check_in,
    finish,
    page_of,
    ready_for_offline,
    shoot,
    sign_in,
    waits,
    whole_visit,
)
from tests.live import CHROMIUM, serving

pytestmark = pytest.mark.browser

VISITS, PHOTOS = 5, 3


@pytest.fixture
def network() -> BadNetwork:
    return BadNetwork()


@pytest.fixture
def address(app, engine, network) -> Iterator[str]:
    """The service behind a network that may fail, with five tasks for the inspector."""
    with engine.begin() as connection:
        a_town_with_tasks(connection, VISITS)
    network.around(app)
    with serving(app) as served:
        yield served


def arrived(engine: Engine, settings, photos: list[bytes], visits: int) -> None:
    """Every visit and every photo is there exactly once, byte for byte, and nothing else."""
    hashes = sorted(sha256(content).digest() for content in photos)
    with engine.connect() as connection:
        states = connection.execute(select(upload.c.status, upload.c.problems, upload.c.receipt)).all()
        kept = sorted(connection.execute(select(blob.c.sha256)).scalars())
        rows = sorted(connection.execute(select(photo.c.sha256)).scalars())
    assert [(status, problems) for status, problems, _ in states] == [("settled", [])] * visits
    assert all(receipt for *_, receipt in states)
    assert kept == rows == hashes
    objects = Objects(settings.objects)
    for content in photos:
        assert objects.get("originals", sha256(content).digest()) == content


def pictures(number: int, kilobytes: int = 300) -> list[bytes]:
    return [a_noisy_jpeg(seed, kilobytes) for seed in range(number)]


def test_five_visits_offline_a_restart_and_a_network_that_fails_three_ways(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, network, engine, settings, tmp_path
):
    photos = pictures(VISITS * PHOTOS)
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        page.reload()
        expect(page.locator(".task")).to_have_count(VISITS)
        for at in range(VISITS):
            whole_visit(page, photos[PHOTOS * at : PHOTOS * (at + 1)])
        waits(page, VISITS)
        page.screenshot(path=tmp_path / "offline.png")
    with a_profile(playwright, chromium, tmp_path / "profile", offline=True) as context:
        page = page_of(context)
        page.goto(address + HOME)
        waits(page, VISITS)
        network.calm = False
        context.set_offline(False)
        waits(page, 0, patience_ms=120_000)
        page.goto(address + HOME + "#/")
        expect(page.get_by_text("已提交").first).to_be_visible()
    assert min(network.counts.get(kind, 0) for kind in ("unavailable", "lost", "cut")) > 3, network.counts
    arrived(engine, settings, photos, VISITS)


def test_a_browser_killed_right_after_saved_loses_nothing(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, engine, settings, tmp_path
):
    profile, photos = tmp_path / "profile", pictures(2, 120)
    with a_profile(playwright, chromium, profile) as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
    for photo_taken in photos:
        with killed_after(playwright, chromium, profile, address) as page:
            if page.locator(".task").first.get_by_text("进行中").count():
                page.locator(".task").first.click()
            else:
                check_in(page)
            shoot(page, photo_taken)
            expect(page.locator("#said")).to_contain_text("已保存：照片")
    with killed_after(playwright, chromium, profile, address) as page:
        page.locator(".task").first.click()
        expect(page.locator(".grid .thumb")).to_have_count(2)
        finish(page)
    with a_profile(playwright, chromium, profile) as context:
        page = page_of(context)
        page.goto(address + HOME)
        waits(page, 0)
    arrived(engine, settings, photos, 1)


class killed_after:  # noqa: N801 - reads as what it does
    """A browser of our own, offline, that gets SIGKILL the moment the block ends."""

    def __init__(self, playwright: Playwright, chromium: str, profile: Path, address: str) -> None:
        self._playwright, self._address = playwright, address
        port_file = profile / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        for lock in profile.glob("Singleton*"):
            lock.unlink()
        command = [chromium, *CHROMIUM, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        for _ in range(200):
            if port_file.exists() and len(port_file.read_text().splitlines()) == 2:
                break
            time.sleep(0.1)
        self._port = port_file.read_text().splitlines()[0]

    def __enter__(self) -> Page:
        self._browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{self._port}")
        context = self._browser.contexts[0]
        context.grant_permissions(["geolocation"])
        context.set_geolocation({"latitude": 24.4798, "longitude": 118.0894, "accuracy": 12})
        context.set_offline(True)
        page = context.pages[0]
        page.set_default_timeout(20_000)
        page.goto(self._address + HOME)
        expect(page.locator(".task").first).to_be_visible()
        return page

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._browser.close()


def test_two_tabs_send_once_and_show_the_same(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, network, engine, settings, tmp_path
):
    photos = pictures(2 * PHOTOS)
    posts: list[str] = []
    network.watch = lambda environ: posts.append(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        for at in range(2):
            whole_visit(page, photos[PHOTOS * at : PHOTOS * (at + 1)])
        other = context.new_page()
        other.goto(address + HOME)
        waits(other, 2)
        context.set_offline(False)
        waits(page, 0)
        waits(other, 0)
    arrived(engine, settings, photos, 2)
    assert len(posts) == 4, posts  # each visit twice: what is missing, and that nothing is


def test_a_full_disk_keeps_what_was_saved_and_half_saves_nothing(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, engine, settings, tmp_path
):
    photos = pictures(2, 120)
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        check_in(page)
        shoot(page, photos[0])
        page.evaluate(
            """() => { const put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function (...facts) {
              if (this.name === "visits") throw new DOMException("no room", "QuotaExceededError");
              return put.apply(this, facts);
            }; }"""
        )
        page.set_input_files("#camera", {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": photos[1]})
        expect(page.locator("#said")).to_contain_text("手机存储已满")
        page.screenshot(path=tmp_path / "full.png")
        page.reload()
        expect(page.locator(".grid .thumb")).to_have_count(1)
        count = """() => new Promise(done => { indexedDB.open("mingcha-phone").onsuccess = event => {
            const blobs = event.target.result.transaction("blobs").objectStore("blobs");
            blobs.count().onsuccess = found => done(found.target.result); }; })"""
        assert page.evaluate(count) == 1
        shoot(page, photos[1])
        finish(page)
        context.set_offline(False)
        waits(page, 0)
    arrived(engine, settings, photos, 1)


def test_a_clock_ten_minutes_off_is_told_and_stops_nothing(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, engine, settings, tmp_path
):
    photos = pictures(1, 120)
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        page.clock.install(time=datetime.now(UTC) + timedelta(minutes=10))
        page.clock.resume()
        sign_in(page, address)
        ready_for_offline(page)
        expect(page.get_by_text("手机时间快了 10 分钟")).to_be_visible()
        page.screenshot(path=tmp_path / "clock.png")
        whole_visit(page, photos)
        waits(page, 0)
        page.goto(address + HOME + "#/")
        page.get_by_role("link", name="已提交").click()
        expect(page.get_by_text("提示：督导会看到")).to_be_visible()
        page.screenshot(path=tmp_path / "flags.png")
    arrived(engine, settings, photos, 1)


def test_a_token_that_ran_out_offline_keeps_all_and_goes_on_after_a_sign_in(  # noqa: PLR0917 - what the fixtures lend
    playwright, chromium, address, engine, settings, tmp_path
):
    photos = pictures(2, 120)
    with a_profile(playwright, chromium, tmp_path / "profile") as context:
        page = page_of(context)
        sign_in(page, address)
        ready_for_offline(page)
        context.set_offline(True)
        whole_visit(page, photos)
        with engine.begin() as connection:
            connection.execute(update(api_token).values(expires_at=datetime.now(UTC) - timedelta(days=1)))
            connection.execute(update(session).values(created_at=datetime.now(UTC) - timedelta(days=1)))
        context.set_offline(False)
        expect(page.get_by_text("登录过期，内容都在，登录后自动续传")).to_be_visible()
        waits(page, 1)
        page.screenshot(path=tmp_path / "expired.png")
        with engine.connect() as connection:
            assert connection.execute(select(func.count()).select_from(upload)).scalar_one() == 0
        page.get_by_role("link", name="登录").click()
        page.fill("input[name=username]", "inspector")
        page.fill("input[name=password]", "a-long-enough-password")
        page.locator("form:has(input[name=password]) button").click()
        page.wait_for_url(f"{address}{HOME}")
        waits(page, 0)
    arrived(engine, settings, photos, 1)
