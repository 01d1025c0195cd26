"""Covering by dragging in a real browser, and photos that come from a host of their own."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text, update
from werkzeug.serving import make_server

from api.app import create_app
from api.services import KEY
from api.store.inspections import check_in
from api.store.photos import photo as photo_table
from api.store.photos import photo_hashed
from tests.inspections import PASSWORD
from tests.live import Busy, a_phone
from tests.pages.test_evidence import objects, photo, town  # noqa: F401 - fixtures

SHOTS = os.environ.get("MINGCHA_SHOTS")  # a directory for pictures to look at


@pytest.fixture
def served(settings):
    """The service and its host of evidence: two names of this machine, one port."""
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    port = server.server_port
    hosts = {"base_url": f"http://www.mc.localhost:{port}", "evidence_host": f"evidence.mc.localhost:{port}"}
    server.app.extensions[KEY].database.engine.dispose()
    app = create_app(replace(settings, **hosts))
    server.app = busy = Busy(app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield hosts["base_url"]
    server.shutdown()
    thread.join()
    server.server_close()
    busy.wait()
    app.extensions[KEY].database.engine.dispose()


@pytest.fixture
def page(browser):
    size = {"width": 1200, "height": 1000}
    with a_phone(browser, size=size) as opened:
        yield opened


def test_a_dragged_rectangle_covers_the_photo_which_comes_from_the_other_host(served, page, photo, engine):  # noqa: F811
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(page, served)
    page.goto(f"{served}/office/photos/{photo.name}/cover")
    shown = page.locator("#cover img")
    shown.evaluate("image => image.decode()")
    assert shown.evaluate("image => image.naturalWidth") == 800
    box = page.locator("#cover svg").bounding_box()
    assert page.locator("#cover img").bounding_box() == pytest.approx(box, abs=0.5)  # percentages are of the photo
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.66)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.81, box["y"] + box["height"] * 0.76, steps=4)
    page.mouse.up()
    assert page.locator("#cover rect").count() == 1
    typed = [float(page.input_value(f"[name={side}-1]")) for side in ("x", "y", "width", "height")]
    assert typed == pytest.approx([60, 66, 21, 10], abs=0.5)
    page.get_by_role("button", name="生成遮挡副本").click()
    page.locator("h2#now").wait_for()
    covered = page.locator("figure.cover").nth(1).locator("img")
    covered.scroll_into_view_if_needed()
    covered.evaluate("image => image.decode()")
    assert covered.evaluate("image => image.naturalWidth") == 800
    with engine.connect() as connection:
        assert photo_hashed(connection, photo.sha256).blurs[0] == pytest.approx([0.6, 0.66, 0.21, 0.1], abs=0.005)
    looked_at(page, "cover")
    assert complaints == []


@pytest.mark.usefixtures("photo")
def test_flags_read_on_a_desk_and_on_a_phone(served, page, engine):
    with engine.begin() as connection:
        values = {
            "flags": ["flag_too_fast", "flag_datum_suspect"],
            "presence": "outside",
            "distance_m": 430.0,
            "reason": "大门封闭",
        }
        connection.execute(update(check_in).values(values))
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # it is judged: only an owner may
        connection.execute(update(photo_table).values(flags=["flag_photo_far", "flag_photo_alike"]))
    sign_in(page, served)
    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"{served}/field-flags")
        assert page.locator("article").count() == 2
        assert page.locator("article h3").count() == 5
        page.locator("summary", has_text="写判断").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        looked_at(page, f"flags-{width}")


def looked_at(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS, f"{name}.png"), full_page=True)


def sign_in(page, base):
    page.goto(f"{base}/login")
    page.fill("[name=username]", "office")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()
