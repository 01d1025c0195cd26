"""A queue that a phone saved as a file, brought to the office: taken in once, as the inspector's, and never blindly."""

import io
import json
import re
import tarfile
from base64 import b64decode, b64encode
from datetime import timedelta
from hashlib import sha256
from random import Random
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st
from playwright.sync_api import expect
from sqlalchemy import func, select

from api.actions import devices
from api.actions.inspections import decide_finding
from api.actions.queue_files import read_queue
from api.actions.receipts import signed_ticket
from api.app import create_app
from api.services import KEY, utc_now
from api.store import people
from api.store.findings import finding
from api.store.inspections import visit
from api.store.people import audit
from api.store.photos import photo
from api.store.uploads import upload
from survey_forms.refusal import Refused
from tests.field_phone import a_profile, a_town_with_tasks, page_of, ready_for_offline, waits, whole_visit
from tests.field_phone import sign_in as sign_in_phone
from tests.inspections import PASSWORD, a_jpeg, a_town, an_assignment
from tests.live import a_phone, serving
from tests.pages.test_inspector import token
from tests.phones import Phone, Record, ms, photo_of

PAGE, BRING = "/office/uploads", "/office/uploads/queue"
CHANCE = Random(17)
NAME = uuid4()


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def app(app, town):  # noqa: ARG001 - the town's people sign in
    return app


@pytest.fixture
def bring(app):
    """Bring a file to the office; what its page says then, and the status."""

    def brought(content, username="office", **more):
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        form = {"form_token": token(client, PAGE), "file": (io.BytesIO(content), "mingcha.tar")} | more
        answer = client.post(BRING, data=form)
        return answer.status_code, answer.text

    return brought


@pytest.fixture
def phone(engine, town):  # noqa: ARG001 - whose inspector it is
    made = Phone()
    with engine.begin() as connection:
        staff = people.staff_named(connection, "inspector")[0]
        made.token, _ = devices.enrol(connection, staff, made.id, made.public_key, "Phone", utc_now())
    return made


def a_ticket(settings, key, began):
    lasts = {"issued_at": ms(began) - 60_000, "expires_at": ms(began) + 10**9}
    return signed_ticket(settings.secret_key, {"assignment": str(key), "nonce": "0417"} | lasts)


@pytest.fixture
def record(engine, town, phone, settings):
    """A visit of the inspector's own assignment of today, written on that phone or another."""

    def written(*photos, on=None):
        with engine.begin() as connection:
            key = an_assignment(connection, town, day=utc_now().date())
        began = utc_now() - timedelta(hours=1)
        made = Record(on or phone, key, a_ticket(settings, key, began), at=began).check_in()
        for one in photos:
            made.photo(one)
        return made.finding(*photos)

    return written


def saved(*members, links=()):
    """A tar file of (name, bytes)."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
        for name, kind in links:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            file.addfile(entry)
    return written.getvalue()


def queue_of(record, *photos, body=b""):
    """The file that a phone with this one visit saves."""
    blobs = [(f"blobs/{sha256(one).hexdigest()}", one) for one in photos]
    return saved((f"visits/{record.id}.json", body or record.body()), *blobs)


def only(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(table)).one()


def states(page):
    """What became of each visit, in order."""
    return re.findall(r"</span>((?:已|先前已|没有)收|还缺 \d+ 个文件)</span>", page)


def rows(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(table)).all()


def count(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def acts(engine, act):
    with engine.connect() as connection:
        return connection.execute(select(audit).where(audit.c.act == act)).all()


def test_a_saved_queue_becomes_the_inspectors_visit_once_and_the_phone_may_still_come(
    engine, bring, record, phone, app
):
    photos = [photo_of(CHANCE), photo_of(CHANCE)]
    made = record(*photos)
    body = made.body()  # signed once, as on a phone: signing again is another record
    status, page = bring(queue_of(made, *photos, body=body))
    assert (status, states(page)) == (200, ["已收"])
    kept = only(engine, upload)
    inspector, office = only(engine, finding).filed_by, acts(engine, "visit_brought")[0].staff_id
    assert (kept.status, kept.problems, kept.staff_id, kept.brought_by) == ("settled", [], inspector, office)
    assert inspector != office
    assert kept.clock_offset_ms is None
    assert "flag_brought_as_file" in kept.flags
    assert not {"flag_clock_off", "flag_clock_far_off", "flag_signature_wrong"} & set(kept.flags)
    assert count(engine, photo) == 2
    assert {one.staff_id for one in acts(engine, "blob_received")} == {office}
    assert states(bring(queue_of(made, *photos, body=body), username="office2")[1]) == ["先前已收"]
    client, later = app.test_client(), body.replace(b'"sent_at": 1', b'"sent_at": 2')
    assert later != body
    again = client.post("/api/v1/visits", data=later, headers={"Authorization": f"Bearer {phone.token}"})
    assert (again.status_code, again.json["missing"], again.json["status"]) == (200, [], "settled")
    assert (count(engine, upload), count(engine, visit), count(engine, photo), count(engine, finding)) == (1, 1, 2, 1)


def test_what_a_file_lacks_is_counted_and_a_second_file_brings_it(engine, bring, record):
    photos = [photo_of(CHANCE), photo_of(CHANCE)]
    made = record(*photos)
    body = made.body()
    assert states(bring(queue_of(made, photos[0], body=body))[1]) == ["还缺 1 个文件"]
    assert only(engine, upload).status == "waiting"
    assert states(bring(queue_of(made, photos[1], body=body))[1]) == ["已收"]
    assert only(engine, upload).status == "settled"


def test_a_cut_file_gives_what_is_whole_and_says_that_it_is_cut(engine, bring, record):
    photos = [photo_of(CHANCE), photo_of(CHANCE)]
    whole = queue_of(record(*photos), *photos)
    last = whole.rindex(f"blobs/{sha256(photos[1]).hexdigest()}".encode())
    status, page = bring(whole[: last + 700])
    assert status == 200
    assert "文件不完整" in page
    assert "还缺 1 个文件" in page
    assert count(engine, upload) == 1


def test_a_photo_that_is_not_its_hash_is_left_out_by_name(engine, bring, record):
    picture = photo_of(CHANCE)
    made, name = record(picture), sha256(picture).hexdigest()
    bent = saved((f"visits/{made.id}.json", made.body()), (f"blobs/{name}", picture[:-1] + b"?"))
    page = bring(bent)[1]
    assert name[:12] in page
    assert "还缺 1 个文件" in page
    assert acts(engine, "blob_received") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "没有检查记录|不是手机存出的队列文件"),
        (b"GIF89a" * 300, "不是手机存出的队列文件"),
        (bytes(1024), "没有检查记录"),
        (saved(("../../etc/cron.d/x", b"x")), "手机不会写的内容"),
        (saved((f"visits/{uuid4()}.json/../../x", b"x")), "手机不会写的内容"),
        (saved((f"blobs/{'A' * 64}", b"x")), "手机不会写的内容"),
        (saved((f"blobs/{'a' * 64}", b"x"), (f"blobs/{'a' * 64}", b"x")), "手机不会写的内容"),
        (saved((f"visits/{NAME}.json", b"{}"), (f"visits/{NAME}.json", b"{}")), "手机不会写的内容"),
        (saved(links=[(f"blobs/{'a' * 64}", tarfile.SYMTYPE)]), "手机不会写的内容"),
        (saved(links=[(f"visits/{uuid4()}.json", tarfile.LNKTYPE)]), "手机不会写的内容"),
        (saved(links=[("blobs", tarfile.DIRTYPE)]), "手机不会写的内容"),
        (saved(links=[(f"blobs/{'a' * 64}", tarfile.XHDTYPE)]), "手机不会写的内容"),
        (saved(links=[(f"blobs/{'a' * 64}", tarfile.GNUTYPE_LONGNAME)]), "手机不会写的内容"),
    ],
)
def test_what_no_phone_writes_is_refused_in_a_sentence_and_nothing_is_taken(engine, bring, content, words):
    status, page = bring(content)
    assert status == 422
    assert any(one in page for one in words.split("|"))
    assert count(engine, upload) == 0


def test_a_member_that_no_phone_writes_refuses_the_honest_ones_beside_it_too(engine, bring, record):
    made = record()
    status, _ = bring(saved((f"visits/{made.id}.json", made.body()), ("notes.txt", b"hello")))
    assert status == 422
    assert count(engine, upload) == 0


def test_no_file_is_said(bring):
    assert "没有选文件" in bring(b"", file=(io.BytesIO(b""), ""))[1]


def hand_in(app, phone, body):
    """What the phone is told when it uploads by itself."""
    answer = app.test_client().post("/api/v1/visits", data=body, headers={"Authorization": f"Bearer {phone.token}"})
    return answer.status_code, answer.json.get("status")


@pytest.mark.parametrize(
    "bend",
    [
        lambda one: {"events": [event.replace("无人", "有人") for event in one.events]},
        lambda one: {"events": one.events[:1]},
        lambda one: {"events": one.events[:1], "head": sha256(one.events[0].encode()).hexdigest()},
        lambda _: {"signature": ""},
        lambda one: {"signature": Phone().sign(sha256(one.events[-1].encode()).hexdigest())},
        lambda _: {"device": str(uuid4())},
        lambda _: {"events": [], "head": "0" * 64},
    ],
)
def test_what_no_known_phone_signed_as_it_stands_is_refused_and_the_phones_own_still_comes(  # noqa: PLR0917 - fixtures
    engine, bring, record, phone, app, bend
):
    """Whatever the form says: an office person's copy never stands before the phone's own."""
    made = record()
    page = bring(queue_of(made, body=made.body(**bend(made))), unproven="1")[1]
    assert "没有已登记手机的有效签名" in page
    assert states(page) == ["没有收"]
    assert (count(engine, upload), acts(engine, "visit_brought")) == (0, [])
    assert "unproven" not in page
    assert hand_in(app, phone, made.body()) == (201, "settled")
    assert count(engine, finding) == 1


def test_a_visit_made_up_at_the_office_closes_nothing(engine, bring, record, phone, app):
    real = record()
    fake = Record(phone, real.assignment, at=utc_now() - timedelta(hours=3)).check_in().check_in(kind="check_out")
    assert states(bring(queue_of(fake, body=fake.body(signature="")), unproven="1")[1]) == ["没有收"]
    assert hand_in(app, phone, real.body()) == (201, "settled")
    assert count(engine, finding) == 1


def test_what_the_phone_signed_for_one_visit_is_brought_as_no_other(engine, bring, record, phone, app):
    """Another assignment, another id, another ticket: else two saved visits could change places."""
    made, other = record(), record()
    told = json.loads(made.body())
    for bent in ({"assignment": str(other.assignment)}, {"visit": str(uuid4())}, {"ticket": {"signature": "x"}}):
        moved = told | bent
        content = saved((f"visits/{moved['visit']}.json", json.dumps(moved).encode()))
        assert states(bring(content)[1]) == ["没有收"]
    assert count(engine, upload) == 0
    assert hand_in(app, phone, made.body()) == (201, "settled")


@pytest.mark.parametrize(
    "bend",
    [
        {"created_at": 5},
        {"lifted": "by order of the office"},
        {"assignment": str.upper},
        {"signature": lambda one: b64encode(_mirrored(b64decode(one))).decode()},
    ],
)
def test_what_no_phone_signs_makes_no_other_visit(engine, bring, record, phone, app, bend):  # noqa: PLR0917 - fixtures
    """Else whoever held a saved queue bent one such member, came first, and the phone's own was shut out."""
    picture = photo_of(CHANCE)
    made = record(picture)
    body = made.body()
    bent = json.loads(body)
    bent |= {name: value(bent[name]) if callable(value) else value for name, value in bend.items()}
    assert states(bring(queue_of(made, body=json.dumps(bent).encode()))[1]) == ["还缺 1 个文件"]
    assert hand_in(app, phone, body) == (200, "waiting")
    assert states(bring(queue_of(made, picture, body=body))[1]) == ["已收"]
    assert only(engine, upload).status == "settled"


def _mirrored(signature: bytes) -> bytes:
    """The other signature (r, n - s) that holds for the same text: ECDSA has two."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return signature[:32] + (order - int.from_bytes(signature[32:])).to_bytes(32)


@pytest.mark.parametrize("bend", [{"format": 2}, {"ticket": "expires_at"}])
def test_a_format_or_a_ticket_that_is_not_ours_is_brought_by_no_file(  # noqa: PLR0917 - fixtures
    engine, bring, record, phone, app, bend
):
    made = record()
    bent = json.loads(made.body())
    bent |= bend if "format" in bend else {"ticket": bent["ticket"] | {"expires_at": 1}}
    assert states(bring(queue_of(made, body=json.dumps(bent).encode()))[1]) == ["没有收"]
    assert count(engine, upload) == 0
    assert hand_in(app, phone, made.body()) == (201, "settled")


def test_whoever_brought_what_the_phone_signed_may_decide_on_it(engine, bring, record, town):
    bring(queue_of(record()))
    with engine.begin() as connection:
        assert decide_finding(connection, only(engine, finding).id, town.office, True, "", utc_now()) == 1


@pytest.mark.parametrize(
    ("since", "told"),
    [(timedelta(minutes=30), "已收"), (timedelta(minutes=62), "已收"), (timedelta(hours=2), "没有收")],
)
def test_a_phone_that_was_stopped_counts_for_what_it_signed_while_it_was_in_use(  # noqa: PLR0917 - fixtures
    engine, bring, record, phone, since, told
):
    made = record()  # an hour ago
    with engine.begin() as connection:
        staff = people.staff_named(connection, "office")[0]
        devices.end(connection, phone.id, staff, utc_now() - since)
    assert states(bring(queue_of(made))[1]) == [told]
    assert ["flag_device_ended" in one.flags for one in rows(engine, upload)] == ([True] if told == "已收" else [])


def test_photos_in_a_file_complete_what_the_phone_itself_sent_without_a_valid_signature(
    engine, bring, record, phone, app
):
    picture = photo_of(CHANCE)
    made = record(picture)
    body = made.body(signature="")
    assert hand_in(app, phone, body) == (201, "waiting")
    assert states(bring(queue_of(made, picture, body=body))[1]) == ["已收"]
    assert only(engine, upload).brought_by is None


def test_other_content_under_the_same_id_is_refused_and_the_first_stays(engine, bring, record):
    made = record()
    bring(queue_of(made))
    before = only(engine, upload).body
    made.add("note", text="later")
    assert "先前已经收到，内容不同" in bring(queue_of(made))[1]
    assert only(engine, upload).body == before


def test_a_record_that_is_none_or_has_another_name_is_told_and_its_neighbour_taken(engine, bring, record):
    made = record()
    files = [(f"visits/{uuid4()}.json", b"{"), (f"visits/{uuid4()}.json", made.body())]
    page = bring(saved(*files, (f"visits/{made.id}.json", made.body())))[1]
    assert "这份记录读不懂" in page
    assert "编号不同" in page
    assert only(engine, upload).id == made.id


def test_a_record_that_does_not_fit_is_kept_and_held_as_from_a_phone(engine, bring, phone, settings):
    nowhere = uuid4()
    elsewhere = Record(phone, nowhere, a_ticket(settings, nowhere, utc_now()), at=utc_now()).check_in()
    page = bring(queue_of(elsewhere))[1]
    assert "有对不上的，待处理" in page
    assert only(engine, upload).status == "held"


def test_nobody_but_the_office_brings_files(app):
    for username in ("inspector", "supervisor"):
        client = app.test_client()
        client.post("/login", data={"username": username, "password": PASSWORD})
        assert client.post(BRING, data={"file": (io.BytesIO(b""), "x.tar")}).status_code in {302, 401, 403}


@checks(deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_are_a_queue_or_a_refusal(content):
    try:
        found = read_queue(io.BytesIO(content))
    except Refused:
        return
    assert found.visits or found.blobs or found.is_cut


@checks(deadline=None)
@given(st.data())
def test_a_bit_changed_anywhere_in_a_saved_queue_is_read_or_refused(data):
    name = f"visits/{uuid4()}.json"
    whole = bytearray(saved((name, b"{}"), (f"blobs/{'0' * 64}", b"x" * 700)))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    try:
        found = read_queue(io.BytesIO(bytes(whole)))
    except Refused:
        return
    for member in (*found.visits.values(), *found.blobs.values()):
        assert member.begins + member.size <= len(whole)


@pytest.mark.browser
def test_a_queue_saved_offline_is_brought_to_the_office_and_the_emptied_phone_loses_nothing(  # noqa: PLR0917 - fixtures
    settings, engine, browser, playwright, chromium, tmp_path
):
    with engine.begin() as connection:
        a_town_with_tasks(connection)
    app = create_app(settings)
    photos = [a_jpeg(), a_jpeg(color="navy")]
    file = tmp_path / "queue.tar"
    with serving(app) as site:
        with a_profile(playwright, chromium, tmp_path / "profile") as context:
            page = page_of(context)
            sign_in_phone(page, site)
            ready_for_offline(page)
            context.set_offline(True)
            whole_visit(page, photos)
            with page.expect_download() as started:
                page.get_by_role("button", name="存成文件").click()
            started.value.save_as(file)
            waits(page, 1)
        with a_phone(browser, size={"width": 1280, "height": 900}) as desk:
            desk.goto(f"{site}/login?next={PAGE}")
            desk.fill("input[name=username]", "office")
            desk.fill("input[name=password]", PASSWORD)
            desk.locator("form:has(input[name=password]) button").click()
            desk.screenshot(path=tmp_path / "before.png", full_page=True)
            desk.set_input_files("#file", file)
            desk.get_by_role("button", name="交文件").click()
            expect(desk.locator("#brought-caption")).to_be_visible()
            expect(desk.locator("table").first).to_contain_text("已收")
            desk.screenshot(path=tmp_path / "after.png", full_page=True)
        assert (count(engine, visit), count(engine, photo), count(engine, upload)) == (1, 2, 1)
        assert only(engine, upload).status == "settled"
        assert not {"flag_signature_wrong", "flag_chain_broken"} & set(only(engine, upload).flags)
        # The phone that comes back after all: its own storage still has the visit.
        with a_profile(playwright, chromium, tmp_path / "profile") as context:
            page = page_of(context)
            with page.expect_response(lambda one: one.url.endswith("/api/v1/visits")) as answer:
                sign_in_phone(page, site)
            assert answer.value.status == 200
            waits(page, 0)
        assert (count(engine, visit), count(engine, photo), count(engine, upload)) == (1, 2, 1)
    app.extensions[KEY].database.engine.dispose()


def test_the_body_is_the_phones_own_bytes(engine, bring, record):
    made = record()
    content = made.body()
    bring(saved((f"visits/{made.id}.json", content)))
    assert json.loads(only(engine, upload).body) == json.loads(content)
