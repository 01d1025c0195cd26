"""The office's page of uploads: why each record waits, and what can be done about it."""

import re
from datetime import timedelta
from hashlib import sha256
from random import Random

import pytest
from sqlalchemy import select, text, update

from api.actions import uploads
from api.actions.blobs import bring
from api.actions.inspections import decide_finding
from api.services import KEY, utc_now
from api.store import people
from api.store.findings import finding, finding_photo
from api.store.inspections import assignment
from api.store.uploads import blob, upload, upload_numbered
from survey_forms.inspection.mornings import CHINA
from tests.inspections import PASSWORD, a_town, an_assignment
from tests.pages.test_inspector import token
from tests.phones import Phone, Record, photo_of

PAGE = "/office/uploads"
CHANCE = Random(18)


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def office(app, town):  # noqa: ARG001 - the town's people sign in
    client = app.test_client()
    assert client.post("/login", data={"username": "office", "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def waiting(engine, town):
    """A record that came some hours ago, with so many photos, of which some are here."""

    def of(*photos, here=(), hours=73, days=0):
        now = utc_now()
        at = now - timedelta(hours=hours)
        with engine.begin() as connection:
            key = an_assignment(connection, town, day=now.astimezone(CHINA).date() + timedelta(days=days))
            record = Record(Phone(), key, at=at).check_in()
            for one in photos:
                record.photo(one)
            sent = uploads.read_visit(record.finding(*photos).body())
            uploads.keep(connection, sent, town.inspector, at)
            for one in here:
                values = {"sha256": sha256(one).digest(), "size": len(one), "staff_id": town.inspector}
                connection.execute(blob.insert().values(**values, received_at=at, media_type="image/jpeg"))
        return sent.id

    return of


def decide(client, upload_id, **fields):
    return client.post(f"{PAGE}/{upload_id}", data={"form_token": token(client, PAGE)} | fields)


def card(client, upload_id) -> str:
    """What the page says of one record, without its tags."""
    shown = client.get(PAGE).text
    found = re.search(rf'<article class="panel stack" id="upload-{upload_id}">(.*?)</article>', shown, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1]))


def test_a_waiting_record_tells_site_age_and_how_much_is_missing(office, waiting):
    photos = [photo_of(CHANCE) for _ in range(3)]
    key = waiting(*photos, here=photos[:1], hours=80)
    shown = card(office, key)
    assert "林察 · 湖滨南路办事大厅" in shown
    assert "缺 2 / 3 个文件" in shown
    assert "3 天前" in shown
    assert "按缺件收下" in shown
    assert f"{PAGE}/{key}/body" in office.get(PAGE).text


def test_a_site_whose_morning_has_not_come_is_not_told(office, engine, waiting):
    key = waiting(photo_of(CHANCE), days=2)
    assert "湖滨南路办事大厅" not in card(office, key)
    with engine.begin() as connection:
        connection.execute(update(assignment).values(day=utc_now().date() - timedelta(days=1)))
    assert "湖滨南路办事大厅" in card(office, key)


def test_a_phone_that_may_still_be_sending_is_waited_for(office, waiting):
    key = waiting(photo_of(CHANCE), hours=71)
    shown = card(office, key)
    assert "手机可能还在传" in shown
    answer = decide(office, key, do="short", note="手机丢了")
    assert (answer.status_code, "满 72 小时没有动静" in answer.text) == (409, True)


def test_the_office_takes_a_record_in_without_what_is_missing_and_reads_what_was_lost(office, engine, waiting):
    lost = photo_of(CHANCE)
    key = waiting(lost)
    answer = decide(office, key, do="short", note="")
    assert (answer.status_code, "请写明怎样处理的" in answer.text) == (422, True)
    assert decide(office, key, do="short", note="手机摔坏，已问过林察").status_code == 303
    with engine.connect() as connection:
        assert connection.execute(select(finding.c.status)).scalar_one() == "filed"
        assert upload_numbered(connection, key).status == "settled"
    shown = card(office, key)
    assert "办公室已按缺件收下（王核）：手机摔坏，已问过林察" in shown
    assert sha256(lost).hexdigest() in shown
    assert "照片或签名 1：没有传到" in shown
    assert f"{key}/files/" not in office.get(PAGE).text
    findings = office.get("/office/findings").text
    assert "没有传全" in findings
    assert sha256(lost).hexdigest() in findings  # whoever decides knows which photo nobody saw
    flags = office.get("/field-flags").text
    assert "没有传全" in flags
    assert "手机摔坏，已问过林察" in flags


def test_the_entry_names_what_nobody_saw_to_the_office_and_to_the_unit(app, office, engine, waiting):
    lost = photo_of(CHANCE)
    key = waiting(lost)
    decide(office, key, do="short", note="手机摔坏")
    with engine.begin() as connection:
        found = connection.execute(select(finding.c.id)).scalar_one()
        second = people.staff_named(connection, "office2")[0]
        seq = decide_finding(connection, found, second.id, True, "", utc_now())
    unit = app.test_client()
    assert unit.post("/login", data={"username": "unit", "password": PASSWORD}).status_code == 302
    for client, address in ((office, f"/office/ledger/{seq}"), (unit, f"/unit/entries/{seq}")):
        shown = client.get(address)
        assert (shown.status_code, sha256(lost).hexdigest() in shown.text) == (200, True)
        assert "手机摔坏" not in shown.text  # the office's own words


def test_a_file_that_came_by_another_way_is_told_and_taken_in(app, office, engine, town, waiting):
    lost = photo_of(CHANCE)
    key = waiting(lost)
    decide(office, key, do="short", note="手机摔坏")
    assert "现在有了" not in card(office, key)
    with engine.begin() as connection:
        assert bring(connection, app.extensions[KEY].objects, sha256(lost).digest(), lost, town.inspector, utc_now())
    assert "现在有了" in card(office, key)
    with engine.connect() as connection:
        found = connection.execute(select(finding.c.id)).scalar_one()
    second = app.test_client()
    assert second.post("/login", data={"username": "office2", "password": PASSWORD}).status_code == 302
    decision = {"form_token": token(second, PAGE), "decision": "no", "note": "没有照片"}
    answer = second.post(f"/office/findings/{found}/decision", data=decision)
    assert (answer.status_code, "再试一次" in answer.text) == (409, True)  # nobody decides on what they did not see
    assert decide(office, key, do="again").status_code == 303
    assert "现在有了" not in card(office, key)
    with engine.connect() as connection:
        assert connection.execute(select(finding_photo.c.sha256)).scalars().all() == [sha256(lost).digest()]
        assert "flag_photo_missing" not in upload_numbered(connection, key).flags


def test_a_waiting_record_has_sentences_of_its_own(office, waiting):
    key = waiting(photo_of(CHANCE))
    for do in ("again", "resolve"):
        answer = decide(office, key, do=do, note="好")
        assert (answer.status_code, "还缺 1 个文件" in answer.text) == (409, True)


def test_what_is_all_here_and_was_not_taken_in_is_told_and_can_be_tried_again(office, engine, waiting):
    key = waiting(hours=1)
    shown = card(office, key)
    assert "已到齐，没有记入" in shown
    assert "按缺件收下" not in shown
    answer = decide(office, key, do="resolve", note="好")
    assert (answer.status_code, "再试一次" in answer.text) == (409, True)
    assert decide(office, key, do="again").status_code == 303
    with engine.connect() as connection:
        assert upload_numbered(connection, key).status == "settled"


def test_a_long_list_has_pages(office, engine, waiting):
    key = waiting(photo_of(CHANCE))
    copies = """
        INSERT INTO field.upload
        SELECT (json_populate_record(one, json_build_object('id', gen_random_uuid()))).*
        FROM field.upload AS one, generate_series(1, 44) WHERE one.id = :id
        """
    with engine.begin() as connection:
        connection.execute(text(copies), {"id": key})
    first, last = office.get(PAGE).text, office.get(f"{PAGE}?waiting=3").text
    assert (first.count("首次收到"), last.count("首次收到")) == (20, 5)
    assert "?waiting=3" in first
    with engine.connect() as connection:
        assert len(connection.execute(select(upload.c.id)).all()) == 45
