"""Handing in visits: once, whatever the network does, and told what is missing until nothing is."""

import base64
import json
import os
import re
from collections import Counter
from datetime import timedelta
from errno import ENOSPC
from hashlib import sha256
from random import Random
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select, text, update

from api.actions import devices
from api.actions.blobs import drop_abandoned
from api.actions.receipts import read_receipt
from api.commands.receipt import verify
from api.objects import Objects
from api.services import utc_now
from api.store import people
from api.store.findings import finding, finding_photo
from api.store.inspections import check_in, crew, visit
from api.store.photos import photo
from api.store.uploads import upload
from survey_forms.inspection.mornings import CHINA
from survey_forms.refusal import Refused
from tests.inspections import PASSWORD, a_town, an_assignment
from tests.mutations import JSON_TYPE, Sent, mutated, strange_json
from tests.phones import Phone, Record, ms, photo_of

MUTATED = int(os.environ.get("MINGCHA_MUTATED", "500"))
SEED = int(os.environ.get("MINGCHA_MUTATED_SEED", "1"))


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


def send(client, content, piece=65_536):
    name, offset = sha256(content).hexdigest(), 0
    while offset < len(content):
        part = content[offset : offset + piece]
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(len(content))}
        answer = client.put(f"/api/v1/blobs/{name}", data=part, headers=headers)
        assert answer.status_code == 204, answer.json
        offset = int(answer.headers["Upload-Offset"])
    return name


@pytest.fixture
def an_open_assignment(engine, town):
    with engine.begin() as connection:
        return an_assignment(connection, town, day=utc_now().astimezone(CHINA).date())


def kept(engine) -> dict[str, int]:
    """How many rows the tables of a visit have."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (visit, check_in, photo, finding, finding_photo, upload)
        }


def test_a_visit_goes_the_whole_way(engine, phone_of, an_open_assignment):
    phone, client = phone_of()
    told = client.get("/api/v1/phone/bundle").json
    task = told["assignments"][0]
    assert task["id"] == str(an_open_assignment)
    picture = photo_of(Random(1))
    record = Record(phone, an_open_assignment, task["ticket"], at=utc_now())
    body = record.check_in().photo(picture).finding(picture).add("note", text="都好").check_in(kind="check_out").body()
    first = client.post("/api/v1/visits", data=body, content_type="application/json")
    assert (first.status_code, first.json["status"]) == (201, "waiting")
    assert first.json["missing"] == [sha256(picture).hexdigest()]
    assert first.json["receipt"] is None
    name = send(client, picture, piece=7000)
    looked = client.head(f"/api/v1/blobs/{name}")
    assert (looked.headers["Upload-Offset"], looked.headers["Upload-Complete"]) == (str(len(picture)), "?1")
    done = client.post("/api/v1/visits", data=body, content_type="application/json")
    assert (done.status_code, done.json["status"], done.json["missing"]) == (200, "settled", []), done.json
    assert done.json["problems"] == done.json["flags"] == []
    assert done.json["receipt"]
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT closed_at IS NOT NULL, note FROM field.visit")).all()
        assert rows == [(True, "都好")]
    assert kept(engine) == {"check_in": 2, "photo": 1, "finding": 1, "finding_photo": 1, "upload": 1, "visit": 1}
    other = client.post("/api/v1/visits", data=json.dumps(json.loads(body) | {"head": "x"}))
    assert (other.status_code, other.json["code"]) == (409, "visit_sent_otherwise")


def wire_of(client, phone):
    """One good request of each kind that a phone sends, to be spoiled."""
    picture = photo_of(Random(3))
    record = Record(
        phone, uuid4(), {"assignment": "x", "issued_at": 1, "expires_at": 2, "nonce": "1", "signature": "AA"}
    )
    record.check_in().photo(picture).finding(picture).add("checklist", form="x", answers={"a": "b"})
    record.add("signature", sha256="0" * 64, size=3, signed_by="王").add("note", text="好").check_in(kind="check_out")
    token = {"Authorization": client.environ_base["HTTP_AUTHORIZATION"]}
    name = sha256(picture).hexdigest()
    piece = {"Upload-Offset": "0", "Upload-Length": str(len(picture)), "Content-Type": "application/octet-stream"}
    return [
        Sent("POST", "/api/v1/visits", headers=token | {"Content-Type": JSON_TYPE}, body=record.body()),
        Sent("PUT", f"/api/v1/blobs/{name}", headers=token | piece, body=picture[:5000]),
        Sent("HEAD", f"/api/v1/blobs/{name}", headers=dict(token)),
        Sent("GET", "/api/v1/phone/bundle", headers=dict(token)),
    ]


def spoiled_visit(good: Sent, chance: Random) -> Sent:
    """A visit with one member or one event's member replaced by whatever JSON can hold."""
    visit_sent = json.loads(good.body) | {"visit": str(UUID(int=chance.getrandbits(128)))}
    if chance.random() < 0.5:
        at = chance.randrange(len(visit_sent["events"]))
        event = json.loads(visit_sent["events"][at])
        event[chance.choice((*event, "more"))] = strange_json(chance)
        visit_sent["events"][at] = json.dumps(event)
    else:
        visit_sent[chance.choice((*visit_sent, "more"))] = strange_json(chance)
    return Sent(good.method, good.path, "", dict(good.headers), json.dumps(visit_sent).encode())


# A form that is refused halfway leaves its temporary file to the garbage collector; werkzeug closes only whole ones.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_spoiled_request_of_a_phone_makes_the_server_fail(app, engine, phone_of, an_open_assignment, caplog):
    chance, told = Random(SEED), Counter()
    phone, client = phone_of()
    good = wire_of(client, phone)
    good[0].body = json.dumps(json.loads(good[0].body) | {"assignment": str(an_open_assignment)}).encode()
    failures = []
    for number in range(MUTATED):
        base = chance.choice((good[0], good[0], *good))
        sent = spoiled_visit(base, chance) if base is good[0] and chance.random() < 0.6 else mutated(base, chance)
        status = run(app, sent)
        told[status] += 1
        if status >= 500:
            failures.append(f"request {number} of seed {SEED}, {status}: {sent}"[:2000])
    assert failures[:3] == [], len(failures)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    print(f"\n{MUTATED} requests, seed {SEED}: {dict(sorted(told.items()))}")  # noqa: T201 - for the report
    fresh = Record(phone, an_open_assignment, at=utc_now()).check_in().add("note", text="好").body()
    assert client.post("/api/v1/visits", data=fresh).json["status"] == "settled"
    assert kept(engine)["upload"] > 10


def run(app, sent: Sent) -> int:
    status = 0

    def start(line, _headers, _=None):
        nonlocal status
        status = int(line[:3])

    parts = app.wsgi_app(sent.environ(), start)
    try:
        b"".join(parts)
    finally:
        getattr(parts, "close", lambda: None)()
    return status


def test_a_token_that_expired_is_401_and_the_same_visit_goes_in_after_a_new_sign_in(
    engine, phone_of, an_open_assignment
):
    phone, client = phone_of()
    body = Record(phone, an_open_assignment, at=utc_now()).check_in().body()
    with engine.begin() as connection:
        connection.execute(update(people.api_token).values(expires_at=utc_now() - timedelta(seconds=1)))
    refused = client.post("/api/v1/visits", data=body)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert client.head(f"/api/v1/blobs/{'0' * 64}").status_code == 401
    with engine.begin() as connection:
        staff = people.staff_named(connection, "inspector")[0]
        token, _ = devices.enrol(connection, staff, phone.id, phone.public_key, "Phone", utc_now())
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert client.post("/api/v1/visits", data=body).json["status"] == "settled"


def test_anothers_visit_can_neither_be_read_nor_overwritten_and_anothers_pieces_not_seen(phone_of, an_open_assignment):
    (phone, client), (_, stranger) = phone_of(), phone_of("inspector2")
    picture = photo_of(Random(4))
    body = Record(phone, an_open_assignment, at=utc_now()).check_in().photo(picture).body()
    assert client.post("/api/v1/visits", data=body).status_code == 201
    taken = stranger.post("/api/v1/visits", data=body)
    assert (taken.status_code, taken.json["code"]) == (409, "visit_of_another")
    name = sha256(picture).hexdigest()
    assert sha256(picture).hexdigest() not in taken.text
    headers = {"Upload-Offset": "0", "Upload-Length": str(len(picture))}
    assert client.put(f"/api/v1/blobs/{name}", data=picture[:100], headers=headers).headers["Upload-Offset"] == "100"
    assert stranger.head(f"/api/v1/blobs/{name}").headers["Upload-Offset"] == "0"
    assert stranger.get("/api/v1/phone/bundle").json["assignments"] == []
    assert stranger.get(f"/api/v1/blobs/{name}").status_code == 405


def test_a_visit_for_an_assignment_that_is_not_the_senders_is_kept_and_held(engine, phone_of, an_open_assignment):
    phone, client = phone_of("inspector2")
    for assignment, code in ((an_open_assignment, "upload_not_yours"), (uuid4(), "upload_assignment_unknown")):
        body = Record(phone, assignment, at=utc_now()).check_in().body()
        told = client.post("/api/v1/visits", data=body)
        assert (told.status_code, told.json["status"], told.json["missing"]) == (201, "held", [])
        assert [one["code"] for one in told.json["problems"]] == [code]
        assert told.json["receipt"]
    assert kept(engine) | {"upload": 0} == dict.fromkeys(kept(engine), 0)


def test_a_finding_that_does_not_fit_is_told_and_everything_beside_it_is_taken_in(engine, phone_of, an_open_assignment):
    phone, client = phone_of()
    record = Record(phone, an_open_assignment, at=utc_now()).check_in().finding(rule="no_such_rule").finding()
    told = client.post("/api/v1/visits", data=record.body()).json
    assert (told["status"], [(one["code"], one["path"]) for one in told["problems"]]) == (
        "held", [("finding_rule_unknown", "events[1].rule")],
    )  # fmt: skip
    assert kept(engine)["finding"] == 1


def test_flags_say_what_is_odd_about_a_visit(phone_of, an_open_assignment):
    phone, client = phone_of()
    ticket = client.get("/api/v1/phone/bundle").json["assignments"][0]["ticket"]

    def flags(record, **facts) -> set[str]:
        told = client.post("/api/v1/visits", data=record.body(**facts)).json
        return {one["code"] for one in told["flags"]}

    def a_record(**facts) -> Record:
        return Record(phone, an_open_assignment, **({"ticket": ticket, "at": utc_now()} | facts)).check_in()

    now = utc_now()
    assert flags(a_record()) == set()
    assert flags(a_record(), signature="") == {"flag_signature_missing"}
    assert flags(a_record(), signature=Phone().sign("0" * 64)) == {"flag_signature_wrong"}
    assert flags(a_record(), device=str(uuid4())) == {"flag_device_unknown"}
    assert flags(a_record(), head="0" * 64) == {"flag_chain_broken", "flag_signature_wrong"}
    assert flags(a_record(ticket={})) == {"flag_ticket_missing"}
    assert flags(a_record(ticket=ticket | {"nonce": "0000x"})) == {"flag_ticket_forged"}
    late = now + timedelta(minutes=7)
    assert flags(a_record(at=late), sent_at=ms(late)) == {"flag_clock_off"}
    late = now + timedelta(minutes=12)
    assert flags(a_record(at=late), sent_at=ms(late)) == {"flag_clock_far_off"}
    assert flags(a_record(at=now + timedelta(minutes=30)), sent_at=ms(now)) == {"flag_events_out_of_time"}


def test_a_photo_file_older_than_the_check_in_or_with_another_number_is_flagged(engine, phone_of, an_open_assignment):
    phone, client = phone_of()
    ticket = client.get("/api/v1/phone/bundle").json["assignments"][0]["ticket"]
    picture, at = photo_of(Random(5)), utc_now()
    old = ms(at - timedelta(hours=1))
    record = Record(phone, an_open_assignment, ticket, at=at).check_in().photo(picture, modified=old, nonce="none")
    send(client, picture)
    told = client.post("/api/v1/visits", data=record.body()).json
    assert {one["code"] for one in told["flags"]} == {"flag_photo_nonce_wrong"}
    with engine.connect() as connection:
        (flags,) = connection.execute(select(photo.c.flags)).one()
    assert set(flags) == {"flag_photo_nonce_wrong", "flag_photo_before_check_in", "flag_file_before_ticket"}


def test_bytes_that_are_no_photo_are_kept_and_refused_in_words(engine, phone_of, an_open_assignment):
    phone, client = phone_of()
    letter = b"%PDF-1.7 no photo"
    send(client, letter)
    record = Record(phone, an_open_assignment, at=utc_now()).check_in().photo(letter).finding(letter)
    told = client.post("/api/v1/visits", data=record.body()).json
    assert told["missing"] == []
    assert told["refused"][sha256(letter).hexdigest()]["code"] == "photo_other_kind"
    assert [one["code"] for one in told["problems"]] == ["photo_other_kind", "finding_photo_left_out"]
    assert kept(engine) | {"upload": 1} == {
        "visit": 1, "check_in": 1, "photo": 0, "finding": 1, "finding_photo": 0, "upload": 1,
    }  # fmt: skip


def test_a_full_disk_is_507_and_what_was_kept_stays(settings, phone_of, monkeypatch):
    _, client = phone_of()
    picture = photo_of(Random(6)) + bytes(200_000)
    name, size = sha256(picture).hexdigest(), len(picture)

    def put(offset, end):
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(size)}
        return client.put(f"/api/v1/blobs/{name}", data=picture[offset:end], headers=headers)

    assert put(0, 100_000).status_code == 204
    full = OSError(ENOSPC, "No space left on device")

    def half_written(descriptor, content, at):
        os.pwrite(descriptor, content[:10_000], at)
        raise full

    with monkeypatch.context() as disk:
        disk.setattr("api.actions.blobs._write", half_written)
        answer = put(100_000, 150_000)
        assert (answer.status_code, answer.json["code"]) == (507, "blob_store_full")
        assert client.head(f"/api/v1/blobs/{name}").headers["Upload-Offset"] == "100000"
    with monkeypatch.context() as disk:
        disk.setattr("api.objects.os.fsync", lambda _: (_ for _ in ()).throw(full))
        assert put(100_000, size).status_code == 507
        assert client.head(f"/api/v1/blobs/{name}").headers["Upload-Offset"] == "100000"
    assert put(100_000, size).status_code == 204
    assert Objects(settings.objects).get("originals", sha256(picture).digest()) == picture


def test_a_piece_at_another_offset_is_told_the_right_one_and_wrong_bytes_begin_anew(phone_of):
    _, client = phone_of()
    picture = photo_of(Random(7))[:500]
    name = sha256(picture).hexdigest()

    def put(offset, part, length=500):
        return client.put(
            f"/api/v1/blobs/{name}", data=part, headers={"Upload-Offset": str(offset), "Upload-Length": str(length)}
        )

    assert put(0, picture[:200]).headers["Upload-Offset"] == "200"
    behind = put(0, picture[:300])
    assert (behind.status_code, behind.headers["Upload-Offset"]) == (409, "200")
    wrong = put(200, bytes(300))
    assert (wrong.status_code, wrong.json["code"], wrong.headers["Upload-Offset"]) == (422, "blob_hash_differs", "0")
    assert put(0, picture).status_code == 204
    assert put(0, picture).headers["Upload-Complete"] == "?1"
    assert put(0, b"x", 26 * 1024 * 1024).status_code in {204, 413}
    assert put(400, picture).json["code"] == "piece_beyond_end"


def test_what_an_abandoned_upload_left_goes_after_a_month(settings, phone_of):
    _, client = phone_of()
    objects = Objects(settings.objects)
    for letter in "ab":
        name = sha256(letter.encode() * 9).hexdigest()
        headers = {"Upload-Offset": "0", "Upload-Length": "9"}
        assert client.put(f"/api/v1/blobs/{name}", data=letter * 5, headers=headers).status_code == 204
    old, fresh = sorted(objects.partial.glob("*/*"))
    os.utime(old, (0, 0))
    assert drop_abandoned(objects, utc_now() - timedelta(days=30)) == 1
    assert list(objects.partial.glob("*/*")) == [fresh]


def test_receipts_are_checked_by_the_public_key_alone_and_a_changed_one_is_not_ours(
    tmp_path, phone_of, an_open_assignment
):
    phone, client = phone_of()
    told = client.post("/api/v1/visits", data=Record(phone, an_open_assignment, at=utc_now()).check_in().body()).json
    key = client.get("/api/v1/receipts/key").json["key"]
    file = tmp_path / "receipt.txt"
    file.write_text(told["receipt"], encoding="utf-8")
    verified = CliRunner().invoke(verify, [str(file), "--key", key])
    assert (verified.exit_code, json.loads(verified.stdout)["visit"]) == (0, told["visit"])
    changed = told["receipt"].replace('"kind":"visit"', '"kind":"photo"')
    for text_, used, code in (
        (changed, key, "receipt_forged"),
        (told["receipt"], base64.b64encode(bytes(31)).decode(), "receipt_key_unreadable"),
        ("{}", key, "receipt_unreadable"),
    ):
        with pytest.raises(Refused) as refused:
            read_receipt(text_, used)
        assert refused.value.code == code


def test_the_bundle_is_304_until_something_changes(engine, town, phone_of, an_open_assignment):
    _, client = phone_of()
    first = client.get("/api/v1/phone/bundle")
    again = client.get("/api/v1/phone/bundle", headers={"If-None-Match": first.headers["ETag"]})
    # Tickets of another ten minutes are other tickets: a test that meets the border asks once more.
    assert again.status_code in {200, 304}
    third = client.get("/api/v1/phone/bundle", headers={"If-None-Match": again.headers["ETag"]})
    assert third.status_code == 304 or again.status_code == 304
    assert str(an_open_assignment) in first.text
    with engine.begin() as connection:
        an_assignment(connection, town, day=utc_now().date())
    changed = client.get("/api/v1/phone/bundle", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, len(changed.json["assignments"])) == (200, 2)


def test_the_office_sees_what_is_held_reads_it_as_sent_tries_again_and_deals_with_it(
    app, engine, town, phone_of, an_open_assignment
):
    phone, client = phone_of("inspector2")
    body = Record(phone, an_open_assignment, at=utc_now()).check_in().body(head="0" * 64)
    told = client.post("/api/v1/visits", data=body).json
    office = app.test_client()
    office.post("/login", data={"username": "office", "password": PASSWORD})
    shown = office.get("/office/uploads").text
    assert "不是（或不再是）派给您的" in shown
    assert "链头不符" in shown
    assert office.get(f"/office/uploads/{told['visit']}/body").data == body
    token = re.search(r'name="form_token" value="([^"]+)"', shown)[1]

    def decide(**fields) -> int:
        return office.post(f"/office/uploads/{told['visit']}", data={"form_token": token} | fields).status_code

    assert decide(do="resolve", note="") == 422
    assert decide(do="again") == 303
    assert kept(engine)["visit"] == 0  # still not theirs
    with engine.begin() as connection:
        connection.execute(
            insert(crew).values(assignment_id=an_open_assignment, staff_id=town.other_inspector, position=1)
        )
    assert decide(do="again") == 303
    assert kept(engine)["visit"] == kept(engine)["check_in"] == 1
    assert decide(do="resolve", note="重复") == 409
    picture = photo_of(Random(8))
    name = send(client, picture)
    other = Record(phone, uuid4(), at=utc_now()).check_in().photo(picture).body()
    told = client.post("/api/v1/visits", data=other).json
    assert decide(do="resolve", note="已电话核实") == 303
    assert client.post("/api/v1/visits", data=other).json["status"] == "settled"
    assert "没有待处理的上传" in office.get("/office/uploads").text
    shown = office.get("/office/uploads").text
    assert "已电话核实" in shown  # what was dealt with stays, and its photos with it
    file = f"/office/uploads/{told['visit']}/files/{name}"
    assert file in shown
    found = office.get(file)
    assert (found.data, found.mimetype) == (picture, "application/octet-stream")
    assert found.headers["Content-Disposition"].startswith("attachment")
    assert office.get(file[:-1] + "x").status_code == 404
    assert client.get(file).status_code in {302, 401, 403}
