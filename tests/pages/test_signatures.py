"""The unit's signature as a picture: a stranger's bytes made clean apart, on white, for those concerned."""

import io
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from api.actions import blobs, devices, uploads
from api.actions.inspections import decide_finding
from api.actions.photos import render
from api.actions.settling import settle
from api.app import create_app
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.services import KEY
from api.store import people
from api.store.owed import outbox
from api.store.people import audit
from tests.inspections import NOW, PASSWORD, a_jpeg, a_town, an_assignment
from tests.live import a_phone
from tests.phones import Phone, Record

HOST = "evidence.mc.localhost"


def a_signature(mode: str = "RGBA") -> bytes:
    """A line of black on nothing, as a canvas gives it; its transparent pixels are black too."""
    picture = Image.new("RGBA", (600, 240), (0, 0, 0, 0))
    ImageDraw.Draw(picture).line([(40, 200), (180, 40), (320, 200), (560, 60)], fill=(0, 0, 0, 255), width=6)
    kept = io.BytesIO()
    (picture if mode == "RGBA" else picture.convert(mode)).save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def sign(engine, settings, town):
    """A visit with a signature and a finding that entered; the hash of the signature."""

    def signed(content, *, photos=()):
        objects, digest = Objects(settings.objects), sha256(content).digest()
        with engine.begin() as connection:
            staff = people.staff_named(connection, "inspector")[0]
            phone = Phone()
            devices.enrol(connection, staff, phone.id, phone.public_key, "Phone", NOW)
            record = Record(phone, an_assignment(connection, town)).check_in()
            for one in photos:
                record.photo(one)
            record.finding(*photos).add("signature", sha256=digest.hex(), size=len(content), signed_by="周在场")
            for one in {content, *photos}:
                assert blobs.bring(connection, objects, sha256(one).digest(), one, staff.id, NOW)
            sent = uploads.read_visit(record.body())
            uploads.keep(connection, sent, staff.id, NOW)
            upload = settle(connection, objects, settings.secret_key, sent.id, NOW)
            assert upload.problems == []
            key = next(one for one in record.events if '"finding"' in one).partition('"id": "')[2][:36]
        with engine.begin() as connection, Decoder() as decoder:
            owed = connection.execute(select(outbox.c.key).where(outbox.c.topic == "photos")).scalars().all()
            assert digest.hex() in owed
            for name in owed:
                render(connection, objects, decoder, bytes.fromhex(name), NOW)
                render(connection, objects, decoder, bytes.fromhex(name), NOW)
            assert decide_finding(connection, key, town.office, True, "", NOW) == 1
        return digest.hex()

    return signed


@pytest.fixture
def enter(settings, town):  # noqa: ARG001 - the town's people sign in
    made = []

    def entered(username, **changed):
        app = create_app(replace(settings, **changed))
        made.append(app)
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    yield entered
    for app in made:
        app.extensions[KEY].database.engine.dispose()


def test_black_on_nothing_is_seen_as_black_on_white(sign, enter):
    name = sign(a_signature())
    shown = enter("office").get(f"/evidence/{name}/signature")
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    picture = Image.open(io.BytesIO(shown.data)).convert("L")
    assert (picture.size, picture.getpixel((2, 2)), picture.getpixel((180, 44))) == ((600, 240), 255, 0)


@pytest.mark.parametrize("mode", ["P", "LA", "L", "RGB"])
def test_whatever_kind_of_png_it_is(sign, enter, mode):
    assert enter("unit").get(f"/evidence/{sign(a_signature(mode))}/signature").status_code == 200


def test_the_office_and_the_unit_of_the_entry_see_it_and_nobody_else(sign, enter, engine):
    name = sign(a_signature())
    image = f'<img class="signature" src="/evidence/{name}/signature"'
    for username, page in (("office", "/office/ledger/1"), ("unit", "/unit/entries/1")):
        client = enter(username)
        assert image in client.get(page).text
        assert client.get(f"/evidence/{name}/signature").status_code == 200
    assert "/signatures/" not in enter("unit").get("/unit/entries/1").text  # the original is the office's
    for username in ("unit2", "bureau", "inspector2"):
        assert enter(username).get(f"/evidence/{name}/signature").status_code in {403, 404}, username
    for unknown in ("0" * 64, "zz", name[:-2]):
        assert enter("office").get(f"/evidence/{unknown}/signature").status_code == 404
    with engine.connect() as connection:
        judged = connection.execute(select(audit.c.about).where(audit.c.act == "signature_judged")).scalars().all()
    assert judged == [{"sha256": name, "verdict": "clean"}]


def test_a_file_that_is_no_whole_picture_is_never_served_and_nothing_waits_for_it(sign, enter, engine):
    name = sign(a_signature()[:-200])
    client = enter("office")
    assert client.get(f"/evidence/{name}/signature").status_code == 404
    page = client.get("/office/ledger/1").text
    assert "周在场" in page
    assert 'class="signature"' not in page
    with engine.connect() as connection:
        judged = connection.execute(select(audit.c.about).where(audit.c.act == "signature_judged")).scalars()
        assert {one["verdict"] for one in judged} == {"photo_damaged"}


def test_a_photo_that_is_named_as_a_signature_is_shown_as_a_photo_alone(sign, enter):
    picture = a_jpeg()
    name = sign(picture, photos=[picture])
    assert enter("unit").get(f"/evidence/{name}/signature").status_code == 404
    assert 'class="signature"' not in enter("unit").get("/unit/entries/1").text
    assert enter("unit").get(f"/evidence/{name}/rendition").status_code == 200


def test_on_a_host_of_its_own_it_comes_by_a_signed_link(sign, enter):
    name = sign(a_signature())
    changed = {"evidence_host": HOST, "base_url": "http://mc.localhost"}
    client = enter("unit", **changed)
    answer = client.get(f"/evidence/{name}/signature")
    link = urlsplit(answer.headers["Location"])
    assert (answer.status_code, link.hostname) == (302, HOST)
    there = {"base_url": f"http://{HOST}"}
    assert client.get(f"{link.path}?{link.query}", **there).status_code == 200
    assert client.get(f"{link.path.replace('signature', 'rendition')}?{link.query}", **there).status_code == 404
    assert client.get(f"{link.path}?{link.query}".replace("until=", "until=9"), **there).status_code == 404


@pytest.mark.browser
def test_it_stands_on_the_entrys_page(sign, site, browser, tmp_path):
    sign(a_signature())
    with a_phone(browser) as page:
        page.goto(f"{site}/login?next=/unit/entries/1")
        page.fill("input[name=username]", "unit")
        page.fill("input[name=password]", PASSWORD)
        page.locator("form:has(input[name=password]) button").click()
        picture = page.locator("img.signature")
        picture.scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('img.signature').naturalWidth === 600")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=tmp_path / "signature.png")
