"""Photos as they are served: to whom, covered or not, from which host; and the office's page that covers."""

import io
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from api.actions.inspections import decide_finding
from api.actions.photos import render
from api.app import create_app
from api.evidence.decoder import Decoder
from api.evidence.links import LIVES, check_link, signed_link
from api.objects import Objects
from api.services import KEY, utc_now
from api.store.people import audit
from api.store.photos import photo_hashed
from survey_forms.refusal import Refused
from tests.inspections import NOW, PASSWORD, a_check_in, a_finding, a_photo, a_town
from tests.pages.test_inspector import token

HOST = "evidence.mc.localhost"


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def objects(settings) -> Objects:
    return Objects(settings.objects)


@pytest.fixture
def photo(engine, town, objects):
    """A street with a face and a plate, judged and in the ledger."""
    with engine.begin() as connection, Decoder() as decoder:
        visit_id = a_check_in(connection, town).visit_id
        kept = a_photo(connection, objects, town, visit_id, a_street())
        render(connection, objects, decoder, kept.sha256, NOW)
        finding = a_finding(connection, town, visit_id, photos=(kept.sha256,))
        decide_finding(connection, finding.id, town.office, True, "", NOW)
    return kept


def a_street(plate: str = "闽D·12345") -> bytes:
    picture = Image.linear_gradient("L").resize((800, 600)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((200, 150, 320, 300), fill="peachpuff", outline="black")
    pen.rectangle((480, 400, 640, 450), fill="navy")
    pen.text((500, 415), plate.encode("ascii", "replace").decode(), fill="white")
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=90)
    return written.getvalue()


@pytest.fixture
def make(settings):
    """An app over the test's settings with some changed, and people who sign in."""
    made = []

    def build(**changed):
        app = create_app(replace(settings, **changed))
        made.append(app)

        def sign_in(username):
            client = app.test_client()
            assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
            return client

        return sign_in

    yield build
    for app in made:
        app.extensions[KEY].database.engine.dispose()


PLATE = {"x-1": "60", "y-1": "66", "width-1": "20", "height-1": "9.5"}


def save(client, photo, **rows):
    address = f"/office/photos/{photo.name}/cover"
    return client.post(address, data={"form_token": token(client, address)} | rows)


def test_what_is_covered_is_gone_and_everything_else_stays(make, photo, objects, engine):
    office = make()("office")
    assert save(office, photo, **PLATE).status_code == 303
    with engine.connect() as connection:
        covered = photo_hashed(connection, photo.sha256)
        acts = connection.execute(select(audit.c.about).where(audit.c.act == "photo_blurred")).scalars().all()
    assert covered.blurs == [[0.6, 0.66, 0.2, 0.095]]
    assert acts == [{"sha256": photo.name, "covers": covered.blurs}]
    assert objects.get("originals", photo.sha256) == a_street()
    clean = Image.open(io.BytesIO(objects.get("renditions", photo.sha256)))
    copy = Image.open(io.BytesIO(objects.get("blurred", covered.blurred_key)))
    assert copy.size == clean.size
    inside = copy.crop((480, 396, 640, 453))
    assert all(low >= 110 and high <= 126 for low, high in inside.getextrema())
    for outside in ((200, 150, 320, 300), (0, 0, 460, 600), (0, 480, 800, 600)):
        pairs = zip(clean.crop(outside).tobytes(), copy.crop(outside).tobytes(), strict=True)
        assert max(abs(one - other) for one, other in pairs) < 30, outside


def test_nothing_of_what_was_under_a_rectangle_reaches_the_copy(tmp_path):
    """Two renditions that differ only there give the same bytes."""
    copies = []
    for name in ("plate", "other"):
        picture = Image.open(io.BytesIO(a_street())).convert("RGB")
        if name == "other":
            picture.paste(Image.effect_noise((160, 48), 90).convert("RGB"), (480, 400))
        path = tmp_path / f"{name}.jpg"
        picture.save(path, "JPEG", quality=85)
        with Decoder() as decoder:
            copies.append(decoder.cover(path, [[0.6, 400 / 600, 0.2, 48 / 600]]))
    assert copies[0] == copies[1]


def test_a_unit_sees_the_covered_copy_alone_and_the_office_both(make, photo, objects):
    sign_in = make()
    office, unit = sign_in("office"), sign_in("unit")
    before = unit.get(f"/evidence/{photo.name}/rendition").data
    assert before == objects.get("renditions", photo.sha256)
    assert unit.get(f"/evidence/{photo.name}/blurred").status_code == 404
    save(office, photo, **PLATE)
    for copy in ("rendition", "thumbnail"):
        clear = office.get(f"/evidence/{photo.name}/{copy}").data
        covered = unit.get(f"/evidence/{photo.name}/{copy}").data
        assert clear == objects.get(f"{copy}s", photo.sha256)
        assert covered != clear
    assert unit.get(f"/evidence/{photo.name}/blurred").data == office.get(f"/evidence/{photo.name}/blurred").data
    assert unit.get(f"/evidence/{photo.name}/original").status_code == 403
    assert sign_in("unit2").get(f"/evidence/{photo.name}/blurred").status_code == 404


def test_covering_more_makes_another_copy_and_covering_nothing_shows_the_clean_one(make, photo, objects):
    sign_in = make()
    office, unit = sign_in("office"), sign_in("unit")
    face = {"x-2": "24", "y-2": "24", "width-2": "17", "height-2": "27"}
    save(office, photo, **PLATE)
    first = unit.get(f"/evidence/{photo.name}/rendition").data
    save(office, photo, **PLATE, **face)
    second = unit.get(f"/evidence/{photo.name}/rendition").data
    assert first != second
    assert len(list((objects.root / "blurred").glob("*/*"))) == 2
    save(office, photo)
    assert unit.get(f"/evidence/{photo.name}/rendition").data == objects.get("renditions", photo.sha256)


@pytest.mark.parametrize(
    "row",
    [
        ("", "1", "1", "1"), ("-1", "1", "1", "1"), ("90", "1", "20", "1"), ("1", "1", "0", "5"), ("a", "b", "c", "d"),
        ("nan", "1", "1", "1"), ("1", "inf", "1", "1"), ("1e9", "1", "1", "1"), ("<b>", "1", "1", "1"),
    ],
)  # fmt: skip
def test_what_is_no_rectangle_is_said_and_what_was_typed_stays(make, photo, row):
    office = make()("office")
    rows = dict(zip(("x-1", "y-1", "width-1", "height-1"), row, strict=True))
    answer = save(office, photo, **rows)
    assert answer.status_code == 422
    assert "第 1 个遮挡框不对" in answer.text
    assert row[0].replace("<b>", "&lt;b&gt;") in answer.text
    assert "<b>" not in answer.text.replace("<b>明察</b>", "")


def test_too_many_rectangles_and_photos_that_are_none_are_refused(make, photo):
    sign_in = make()
    rows = {f"{side}-{place}": "1" for side in ("x", "y", "width", "height") for place in range(1, 42)}
    assert save(sign_in("office"), photo, **rows).status_code == 422
    for name in ("0" * 64, "x"):
        assert sign_in("office").get(f"/office/photos/{name}/cover").status_code == 404
    for username in ("inspector", "unit", "bureau"):
        assert sign_in(username).get(f"/office/photos/{photo.name}/cover").status_code == 403


# --- the host of evidence -----------------------------------------------------------------------------------------


def at(host: str) -> dict[str, str]:
    return {"base_url": f"http://{host}"}


def test_with_a_host_of_its_own_a_photo_is_served_there_and_nowhere_else(make, photo, objects):
    sign_in = make(base_url="http://localhost", evidence_host=HOST)
    office = sign_in("office")
    areas = {"rendition": "renditions", "thumbnail": "thumbnails", "original": "originals"}
    for copy, area in areas.items():
        answer = office.get(f"/evidence/{photo.name}/{copy}")
        link = urlsplit(answer.headers["Location"])
        assert (answer.status_code, link.scheme, link.netloc) == (302, "http", HOST)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert office.get(f"{link.path}?{link.query}").status_code == 404  # not on the service's own host
        stranger = office.application.test_client()
        shown = stranger.get(f"{link.path}?{link.query}", **at(HOST))
        assert shown.data == objects.get(area, photo.sha256)
        assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Cross-Origin-Resource-Policy"] == "same-site"
        assert shown.headers["Cache-Control"] == "private, no-store"
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert "Set-Cookie" not in shown.headers
        assert ("attachment" in shown.headers.get("Content-Disposition", "")) == (copy == "original")
    assert f"img-src 'self' http://{HOST} data: blob:" in office.get("/login").headers["Content-Security-Policy"]


def test_the_host_of_evidence_has_no_other_page(make, photo):
    office = make(base_url="http://localhost", evidence_host=HOST)("office")
    for address in ("/login", "/", "/static/app.css", "/healthz", f"/office/photos/{photo.name}/cover"):
        answer = office.get(address, **at(HOST))
        assert answer.status_code == 404 or answer.headers.get("Location", "").startswith("/login"), address
    assert office.post("/login", data={"username": "office", "password": PASSWORD}, **at(HOST)).status_code == 404


def test_a_link_that_was_changed_or_has_ended_shows_nothing(make, photo):
    office = make(base_url="http://localhost", evidence_host=HOST)("office")
    link = urlsplit(office.get(f"/evidence/{photo.name}/thumbnail").headers["Location"])
    whole = f"{link.path}?{link.query}"
    facts = {name: values[0] for name, values in parse_qs(link.query).items()}
    longer = str(int(facts["until"]) + 1)
    for changed in (
        whole.replace("thumbnail", "original"),
        whole.replace(facts["until"], longer),
        whole.replace(f"to={facts['to']}", "to=0"),
        whole.replace(photo.name, "0" * 64),
        whole[:-1] + ("0" if whole[-1] != "0" else "1"),
        link.path,
    ):
        assert office.get(changed, **at(HOST)).status_code == 404, changed
    key = office.application.extensions[KEY].settings.secret_key
    old = signed_link(key, photo.name, "thumbnail", 1, utc_now() - LIVES - timedelta(seconds=2))
    assert office.get(old, **at(HOST)).status_code == 410


def test_a_link_lives_five_minutes():
    facts = {name: values[0] for name, values in parse_qs(urlsplit(signed_link(b"k", "n", "c", 1, NOW)).query).items()}
    check_link(b"k", "n", "c", facts, NOW + timedelta(minutes=5))
    with pytest.raises(Refused, match="evidence_link_ended"):
        check_link(b"k", "n", "c", facts, NOW + timedelta(minutes=5, seconds=1))
    with pytest.raises(Refused, match="not_found"):
        check_link(b"another key", "n", "c", facts, NOW)


def test_without_a_host_of_its_own_links_show_nothing(make, photo, settings):
    office = make()("office")
    link = signed_link(settings.secret_key, photo.name, "thumbnail", 1, utc_now())
    assert office.get(link).status_code == 404
    for copy in ("rendition", "thumbnail", "original"):
        headers = office.get(f"/evidence/{photo.name}/{copy}").headers
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "no-referrer"
