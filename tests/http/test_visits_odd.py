"""What people try with the visits they hand in: another's photo, a late record, a visit that ought to vanish."""

import json
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from api.actions import visit_taking
from api.actions.crew_changes import withdraw_assignment
from api.actions.uploads import resolve
from api.services import utc_now
from api.store import people
from api.store.findings import finding
from api.store.inspection_draws import inspection_item
from api.store.inspections import assignment, crew, visit
from api.store.photos import photo
from api.store.uploads import upload
from survey_forms.inspection.mornings import CHINA
from survey_forms.refusal import Refused
from tests.builders import a_form_version
from tests.checklists import hall
from tests.http.test_visits import kept, send
from tests.inspections import PASSWORD, a_town, an_assignment
from tests.javarosa.books import YES_NO, a_book, a_row, as_xlsx
from tests.phones import Record, ms, photo_of

EASY = a_book("easy", [a_row("text", "x", "随便")], YES_NO)


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def assigned(engine, town):
    """Make an assignment of today in China; `also` goes with the one who leads."""

    def assigned(inspector=None, also=None, ago=0):
        with engine.begin() as connection:
            day = utc_now().astimezone(CHINA).date() - timedelta(days=ago)
            key = an_assignment(connection, town, day=day, inspector=inspector)
            if also:
                connection.execute(insert(crew).values(assignment_id=key, staff_id=also, position=1))
        return key

    return assigned


def begun(phone, client, key, **facts) -> Record:
    """A record with the ticket that the phone was given."""
    tasks = client.get("/api/v1/phone/bundle").json["assignments"]
    ticket = next(one["ticket"] for one in tasks if one["id"] == str(key))
    return Record(phone, key, ticket, **({"at": utc_now()} | facts))


def hand_in(client, body):
    return client.post("/api/v1/visits", data=body, content_type="application/json").json


def codes(told, what="problems"):
    return [one["code"] for one in told[what]]


def test_knowing_the_hash_of_anothers_photo_does_not_bring_it(engine, town, phone_of, assigned):
    (phone, client), (thief, stranger) = phone_of(), phone_of("inspector2")
    first, second = photo_of(Random(1)), photo_of(Random(2))
    own = begun(phone, client, assigned()).check_in().photo(first).photo(second).finding(first).body()
    send(client, first)
    assert hand_in(client, own)["status"] == "waiting"
    theirs = begun(thief, stranger, assigned(town.other_inspector)).check_in().photo(first).finding(first).body()
    told = hand_in(stranger, theirs)
    assert (told["status"], told["missing"]) == ("waiting", [sha256(first).hexdigest()])
    looked = stranger.head(f"/api/v1/blobs/{sha256(first).hexdigest()}").headers
    assert (looked["Upload-Offset"], looked["Upload-Complete"]) == ("0", "?0")
    send(stranger, first)  # a copy that he came by in some other way: the photo is the one's who named it first
    assert codes(hand_in(stranger, theirs)) == ["photo_of_another_visit", "finding_photo_left_out"]
    send(client, second)
    told = hand_in(client, own)
    assert (told["status"], told["problems"]) == ("settled", [])
    with engine.connect() as connection:
        owner = {row.staff_id: row.visit_id for row in connection.execute(select(upload))}[town.inspector]
        assert connection.execute(select(photo.c.visit_id).distinct()).scalars().all() == [owner]


def test_what_one_of_the_crew_brought_counts_for_the_other(town, phone_of, assigned):
    (phone, client), (other, colleague) = phone_of(), phone_of("inspector2")
    key, picture = assigned(also=town.other_inspector), photo_of(Random(3))
    begun(phone, client, key)
    send(client, picture)
    told = hand_in(colleague, begun(other, colleague, key).check_in().photo(picture).finding(picture).body())
    assert (told["status"], told["missing"], told["problems"]) == ("settled", [], [])


@pytest.mark.parametrize("odd", [{"nonce": 4821}, {"nonce": None}, {"at": "noon"}, {"kind": "video"}])
def test_the_photo_of_an_event_that_cannot_be_read_is_asked_for_and_kept(phone_of, assigned, odd):
    phone, client = phone_of()
    picture = photo_of(Random(4))
    record = begun(phone, client, assigned()).check_in().photo(picture)
    record.events[-1] = json.dumps(json.loads(record.events[-1]) | odd)
    body = record.body()
    told = hand_in(client, body)
    assert (told["status"], told["missing"], told["receipt"]) == ("waiting", [sha256(picture).hexdigest()], None)
    send(client, picture)
    told = hand_in(client, body)
    assert (told["status"], told["missing"], codes(told)) == ("held", [], ["event_unreadable"])


@pytest.mark.parametrize("points", ["1e400", "1_0", "٣", "-2", "NaN", " "])
def test_points_that_are_no_plain_figure_hold_the_record_and_no_more(phone_of, assigned, points):
    phone, client = phone_of()
    picture = photo_of(Random(6))
    send(client, picture)
    record = begun(phone, client, assigned()).check_in().photo(picture)
    told = hand_in(client, record.finding(picture, rule="rude_service", points=points).body())
    assert (told["status"], codes(told)) == ("held", ["event_unreadable"])


def test_points_may_be_written_in_wide_figures(phone_of, assigned, engine):
    phone, client = phone_of()
    picture = photo_of(Random(7))
    send(client, picture)
    record = begun(phone, client, assigned()).check_in().photo(picture)
    told = hand_in(client, record.finding(picture, rule="rude_service", points="３．５").body())
    assert (told["status"], told["problems"]) == ("settled", [])
    with engine.connect() as connection:
        assert connection.execute(select(finding.c.points)).scalar_one() == Decimal("3.5")


def test_an_event_that_fails_as_nobody_foresaw_leaves_the_others_standing(phone_of, assigned, engine, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(visit_taking, "filed", fail)
    phone, client = phone_of()
    picture = photo_of(Random(8))
    send(client, picture)
    told = hand_in(client, begun(phone, client, assigned()).check_in().photo(picture).finding(picture).body())
    assert (told["status"], codes(told)) == ("held", ["event_unfit"])
    assert (kept(engine)["check_in"], kept(engine)["photo"], kept(engine)["finding"]) == (1, 1, 0)


def withdraw(engine, town, key):
    with engine.begin() as connection:
        if not withdraw_assignment(connection, key, "暂停", town.office, utc_now()):
            assert withdraw_assignment(connection, key, "暂停", town.second_office, utc_now())


def test_a_withdrawal_does_not_undo_what_was_inspected_before_it(engine, town, phone_of, assigned):
    phone, client = phone_of()
    key, picture = assigned(), photo_of(Random(5))
    body = begun(phone, client, key, at=utc_now() - timedelta(seconds=1)).check_in().photo(picture).finding(picture)
    withdraw(engine, town, key)
    send(client, picture)
    told = hand_in(client, body.body())
    assert (told["status"], told["problems"]) == ("settled", [])
    assert "flag_after_withdrawal" in codes(told, "flags")
    assert (kept(engine)["check_in"], kept(engine)["finding"], kept(engine)["photo"]) == (1, 1, 1)


def test_a_replaced_inspectors_record_from_before_counts_and_a_strangers_never(engine, town, phone_of, assigned):
    (phone, client), (other, stranger) = phone_of(), phone_of("inspector2")
    key = assigned()
    record = begun(phone, client, key, at=utc_now() - timedelta(seconds=1)).check_in()
    theirs = Record(other, key, record.ticket, at=record.at).check_in()
    with engine.begin() as connection:
        values = {"assignment_id": key, "staff_id": town.inspector, "position": 0, "left_at": utc_now()}
        connection.execute(insert(crew).values(**values, left_reason="病假"))
        lead = update(assignment).where(assignment.c.id == key).values(inspector_id=town.second_office)
        connection.execute(lead)
    assert codes(hand_in(stranger, theirs.body())) == ["upload_not_yours"]
    told = hand_in(client, record.body())
    assert (told["status"], "flag_after_withdrawal" in codes(told, "flags")) == ("settled", True)


def test_what_begins_after_a_withdrawal_is_held_and_whoever_withdrew_cannot_wave_it_away(
    engine, town, phone_of, assigned
):
    phone, client = phone_of()
    key = assigned()
    record = begun(phone, client, key)
    withdraw(engine, town, key)
    record.at = utc_now() + timedelta(seconds=5)
    told = hand_in(client, record.check_in().body(sent_at=ms(utc_now())))
    assert codes(told) == ["upload_withdrawn"]
    with engine.begin() as connection:
        third = {"username": "office3", "password_hash": "-", "name": "赵复", "role": "office"}
        connection.execute(insert(people.staff).values(third))
        office, other = (people.staff_named(connection, one)[0] for one in ("office", "office3"))
        with pytest.raises(Refused, match="upload_resolve_second"):
            resolve(connection, UUID(told["visit"]), office, "已处理", utc_now())
        resolve(connection, UUID(told["visit"]), other, "已电话核实", utc_now())


def test_a_record_that_lay_about_or_tells_of_another_day_is_flagged(phone_of, assigned):
    phone, client = phone_of()
    key = assigned(ago=6)
    told = hand_in(client, begun(phone, client, key).check_in().body())
    assert codes(told, "flags") == ["flag_other_day"]
    late = begun(phone, client, key, at=utc_now() - timedelta(days=5)).check_in()
    told = hand_in(client, late.body(sent_at=ms(utc_now())))
    assert {"flag_arrived_late", "flag_other_day"} <= set(codes(told, "flags"))


def test_findings_that_come_long_after_the_visit_was_closed_are_filed_and_looked_at(engine, town, phone_of, assigned):
    (phone, client), (other, colleague) = phone_of(), phone_of("inspector2")
    key = assigned(also=town.other_inspector)
    assert codes(hand_in(client, begun(phone, client, key).check_in().body()), "flags") == []
    theirs = begun(other, colleague, key).check_in().finding()
    with engine.begin() as connection:
        connection.execute(update(visit).values(closed_at=utc_now() - timedelta(hours=73)))
    told = hand_in(colleague, theirs.body())
    assert (told["status"], codes(told), codes(told, "flags")) == (
        "held", ["upload_long_after_closing"], ["flag_after_closing"],
    )  # fmt: skip
    assert kept(engine)["finding"] == 1


def test_a_record_without_a_check_in_says_so(app, phone_of, assigned):
    phone, client = phone_of()
    told = hand_in(client, begun(phone, client, assigned()).finding().body())
    assert (told["status"], codes(told, "flags")) == ("settled", ["flag_no_check_in"])
    office = app.test_client()
    office.post("/login", data={"username": "office", "password": PASSWORD})
    shown = office.get("/office/findings").text  # where somebody is about to confirm what was found
    assert "没有签到。" in shown
    assert told["flags"][0]["zh"] in shown


def test_the_fifty_first_check_in_is_told_and_not_entered(engine, phone_of, assigned):
    phone, client = phone_of()
    record = begun(phone, client, assigned(), at=utc_now() - timedelta(minutes=9))
    for _ in range(51):
        record.check_in()
    assert codes(hand_in(client, record.body())) == ["check_ins_too_many"]
    assert kept(engine)["check_in"] == 50


def test_a_signature_that_another_visit_has_bit_for_bit_is_flagged(app, engine, phone_of, assigned):
    phone, client = phone_of()
    picture = photo_of(Random(6))
    name = send(client, picture)
    flags = []
    for signed_by in ("张三", "李四"):
        record = begun(phone, client, assigned()).check_in()
        record.add("signature", sha256=name, size=len(picture), signed_by=signed_by)
        flags.append(codes(hand_in(client, record.body()), "flags"))
    assert flags == [[], ["flag_signature_reused"]]
    office = app.test_client()
    office.post("/login", data={"username": "office", "password": PASSWORD})
    with engine.connect() as connection:
        key = connection.execute(select(visit.c.id).limit(1)).scalar_one()
    found = office.get(f"/office/uploads/signatures/{key}")
    assert (found.data, found.headers["Content-Security-Policy"]) == (picture, "default-src 'none'; sandbox")


def test_a_site_that_was_moved_after_the_ticket_is_flagged(engine, town, phone_of, assigned):
    phone, client = phone_of()
    record = begun(phone, client, assigned()).check_in()
    with engine.begin() as connection:
        before = {"site": town.site_id, "before": {"risk": "A"}}
        people.record_act(connection, "site_changed", utc_now(), town.office, **before)
    assert codes(hand_in(client, record.body()), "flags") == []
    again = Record(phone, record.assignment, record.ticket, at=utc_now()).check_in()
    with engine.begin() as connection:
        before = {"site": town.site_id, "before": {"radius_m": 150}}
        people.record_act(connection, "site_changed", utc_now() + timedelta(minutes=11), town.office, **before)
    assert codes(hand_in(client, again.body()), "flags") == ["flag_site_changed_since"]


def test_the_checklist_of_the_item_is_missed_and_another_is_named(engine, town, phone_of, assigned):
    with engine.begin() as connection:
        asked, other = a_form_version(connection, hall()), a_form_version(connection, as_xlsx(EASY))
        values = {
            "evaluation_id": town.evaluation_id, "code": "W", "name_zh": "窗口", "name_en": "Counters",
            "component": "inspection", "skill": "", "rates": {}, "form_version": asked,
        }  # fmt: skip
        item = connection.execute(insert(inspection_item).values(values).returning(inspection_item.c.id)).scalar_one()
    phone, client = phone_of()
    keys = [assigned(), assigned()]
    with engine.begin() as connection:
        connection.execute(update(assignment).values(item_id=item))
    told = hand_in(client, begun(phone, client, keys[0]).check_in().check_in(kind="check_out").body())
    assert codes(told, "flags") == ["flag_checklist_missing"]
    record = begun(phone, client, keys[1]).check_in().add("checklist", form=other, answers={})
    told = hand_in(client, record.check_in(kind="check_out").body())
    assert codes(told, "flags") == ["flag_checklist_other_form", "flag_checklist_missing"]
