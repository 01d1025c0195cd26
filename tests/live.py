"""A real server and a real phone for the tests that need them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, Request
from werkzeug.serving import make_server
from werkzeug.wsgi import ClosingIterator

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
WELL_MADE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # half of the work is to write down what is well
}


class Busy:
    """An app that knows how many requests are still at work in it, for a page may be closed before its answer."""

    def __init__(self, app: Flask) -> None:
        self._app, self._count, self._changed = app, 0, threading.Condition()

    def __call__(self, environ: dict[str, Any], start: Any) -> ClosingIterator:
        self._add(1)
        try:
            answer = self._app(environ, start)
        except BaseException:
            self._add(-1)
            raise
        return ClosingIterator(answer, lambda: self._add(-1))

    def wait(self) -> None:
        """Until none is: whoever then closes the database leaves no connection behind."""
        with self._changed:
            self._changed.wait_for(lambda: not self._count, timeout=20)

    def _add(self, number: int) -> None:
        with self._changed:
            self._count += number
            self._changed.notify_all()


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an app on a free port of this machine, a thread a request; yields its address."""
    busy = Busy(app)
    server = make_server("127.0.0.1", 0, busy, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="live", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        busy.wait()


@contextmanager
def a_phone(
    browser: Browser, *, js: bool = True, language: str = "zh-CN", size: dict[str, int] = PHONE
) -> Iterator[Page]:
    """One tab of a phone of its own, with its own cookies."""
    context = browser.new_context(viewport=size, java_script_enabled=js, locale=language)
    try:
        yield context.new_page()
    finally:
        context.close()


def faults_of(page: Page) -> list[str]:
    """What axe finds: each rule that the page breaks, each place, and what to do there."""
    found = Axe().run(page, options=WELL_MADE).response["violations"]
    return [f"{one['id']}: {node['html'][:120]} {node['failureSummary']}" for one in found for node in one["nodes"]]


@contextmanager
def requests_of(page: Page) -> Iterator[list[str]]:
    """The addresses that the tab asks for inside the block; `data:` addresses stay inside the page."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith("data:"):
            asked.append(f"{request.method} {request.url}")

    page.on("request", note)
    yield asked
    page.remove_listener("request", note)


def wait_until_kept(page: Page, site: str, taps: int) -> None:
    """The script keeps taps within a second; a shared machine may take longer to say so."""
    for _ in range(100):
        if page.request.get(f"{site}/survey").text().count(" checked>") == taps:
            return
        time.sleep(0.1)
    raise AssertionError(f"{taps} taps were not kept")
