"""An inspector's phone for tests: a real Chromium with a profile on disk, a town with tasks, a network that fails."""

import io
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from socket import SHUT_RDWR
from threading import Lock
from typing import Any

from flask import Flask
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Playwright, expect
from sqlalchemy import Connection

from api.actions.inspections import CHINA
from tests.inspections import HALL, PASSWORD, Town, a_town, an_assignment
from tests.live import CHROMIUM, PHONE

HOME = "/inspector/phone/"
SITE = "湖滨南路办事大厅"
HOLDS = """(text) => new Promise((done) => {
  const opened = indexedDB.open("mingcha-phone");
  opened.onsuccess = () => {
    const asked = opened.result.transaction(["visits"]).objectStore("visits").getAll();
    asked.onsuccess = () => { opened.result.close(); done(JSON.stringify(asked.result).includes(text)); };
  };
})"""


def open_day() -> date:
    """A day whose morning (06:00 in China) has come."""
    return (datetime.now(UTC).astimezone(CHINA) - timedelta(hours=6)).date()


def a_town_with_tasks(connection: Connection, tasks: int = 1) -> Town:
    town = a_town(connection)
    for _ in range(tasks):
        an_assignment(connection, town, day=open_day())
    return town


def at_hall(*, north_m: float = 0, accuracy: float = 12) -> dict[str, float]:
    return {"latitude": HALL[0] + north_m / 111_195, "longitude": HALL[1], "accuracy": accuracy}


def a_noisy_jpeg(seed: int, kilobytes: int = 300) -> bytes:
    """A picture that does not compress: about so large, and never twice the same."""
    chance = random.Random(seed)
    side = round((kilobytes * 1024 / 0.62) ** 0.5)
    written = io.BytesIO()
    Image.frombytes("L", (side, side), chance.randbytes(side * side)).save(written, "JPEG", quality=70)
    return written.getvalue()


@contextmanager
def a_profile(playwright: Playwright, chromium: str, folder: Path, **options: Any) -> Iterator[BrowserContext]:
    """A browser over a profile on disk: closed and opened again, it is the same phone."""
    facts: dict[str, Any] = {
        "viewport": PHONE,
        "locale": "zh-CN",
        "permissions": ["geolocation"],
        "geolocation": at_hall(),
        "has_touch": True,
    }
    context = playwright.chromium.launch_persistent_context(
        str(folder), executable_path=chromium, args=CHROMIUM, **(facts | options)
    )
    context.set_default_timeout(20_000)
    try:
        yield context
    finally:
        context.close()


def page_of(context: BrowserContext) -> Page:
    return context.pages[0] if context.pages else context.new_page()


def sign_in(page: Page, address: str, username: str = "inspector") -> None:
    page.goto(f"{address}/login?next={HOME}")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.locator("form:has(input[name=password]) button").click()
    page.wait_for_url(f"{address}{HOME}")


def wait_until_written(page: Page, text: str) -> None:
    """The phone's own database has it in a visit: half a second is no promise on a busy machine."""
    page.wait_for_function(HOLDS, arg=text)


def ready_for_offline(page: Page) -> None:
    """The tasks are there, and the service worker keeps the shell."""
    expect(page.locator(".task").first).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.keys().then(names => names.length === 1)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def check_in(page: Page) -> None:
    page.locator(".task").first.click()
    page.get_by_role("button", name="定位并签到").click()
    page.get_by_role("button", name="签到", exact=True).click()
    expect(page.locator("#camera")).to_be_attached()


def shoot(page: Page, *photos: bytes) -> None:
    before = page.locator(".grid .thumb").count()
    for at, photo in enumerate(photos, 1):
        name = f"IMG_{before + at}.jpg"
        page.set_input_files("#camera", {"name": name, "mimeType": "image/jpeg", "buffer": photo})
        expect(page.locator(".grid .thumb")).to_have_count(before + at)


def finish(page: Page) -> None:
    page.get_by_role("button", name="定位并签退").click()
    page.get_by_role("button", name="签退", exact=True).click()
    page.get_by_role("button", name="完成检查").click()
    expect(page.get_by_role("heading", name="待上传")).to_be_visible()


def whole_visit(page: Page, photos: Iterable[bytes]) -> None:
    """A visit from the list to the queue."""
    page.goto(page.url.partition("#")[0] + "#/")
    check_in(page)
    shoot(page, *photos)
    finish(page)


def waits(page: Page, number: int, *, patience_ms: int = 20_000) -> None:
    """The chip on every screen says so."""
    words = f"待上传 {number}" if number else "无待上传"
    expect(page.locator(".chip")).to_contain_text(words, timeout=patience_ms)


@dataclass
class BadNetwork:
    """WSGI between the phone and the service: 503 before work, answers lost after it, bodies cut in half.

    A lost answer and a cut body end the connection, as a link that drops does. `calm` lets everything through.
    """

    share: float = 0.2
    seed: int = 7
    calm: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    watch: Callable[[dict[str, Any]], bool] | None = None  # sees every request; True takes it off the wire

    def around(self, app: Flask) -> "BadNetwork":
        self._app, self._chance, self._lock = app.wsgi_app, random.Random(self.seed), Lock()
        app.wsgi_app = self  # type: ignore[method-assign,assignment]
        return self

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        fault = self._drawn(environ)
        if fault == "unavailable":
            start("503 SERVICE UNAVAILABLE", [("Content-Type", "text/plain"), ("Retry-After", "1")])
            return [b"injected"]
        if fault == "cut":
            sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(sent[: len(sent) // 2])
        if fault in {"cut", "lost"}:
            lost: list[Any] = []
            answer = self._app(environ, lambda *facts: lost.append(facts))
            list(answer)
            getattr(answer, "close", lambda: None)()
        if fault in {"cut", "lost", "taken"}:
            environ["werkzeug.socket"].shutdown(SHUT_RDWR)
            start("200 OK", [("Content-Length", "0")])
            return []
        return self._app(environ, start)

    def _drawn(self, environ: dict[str, Any]) -> str:
        api = environ["PATH_INFO"].startswith("/api/")
        if api and self.watch and self.watch(environ):
            return "taken"
        if self.calm or not api:
            return ""
        with self._lock:
            drawn = self._chance.random()
            kind = ("unavailable", "lost", "cut")[int(drawn / self.share)] if drawn < 3 * self.share else ""
            if kind == "cut" and environ["REQUEST_METHOD"] not in {"POST", "PUT"}:
                kind = "lost"
            self.counts[kind] = self.counts.get(kind, 0) + 1
        return kind
