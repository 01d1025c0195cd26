"""A visit whose photo is lost for good: what came is evidence, what did not is named, and nobody hides a photo so."""

from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from os import utime
from threading import Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, insert, select, text

from api.actions import blobs, devices, uploads
from api.actions.inspections import decide_finding
from api.actions.receipts import read_receipt, receipt_key, signed_ticket
from api.actions.settling import settle
from api.actions.shortfalls import take_short, waiting_for
from api.objects import Objects
from api.store import people
from api.store.crews import crew
from api.store.findings import finding_numbered, findings_of
from api.store.inspections import check_ins_of, visit_numbered
from api.store.people import audit
from api.store.photos import photo_hashed, photos_of
from api.store.shortfalls import shortfall, shortfall_of
from api.store.uploads import upload, upload_numbered
from survey_forms.refusal import Refused
from tests.inspections import NOW, a_jpeg, a_town, an_assignment
from tests.phones import Phone, Record, ms

SECRET = b"of the service"
LATER = NOW + timedelta(hours=73)
NOTE = "手机进水报废，照片没有另存"
KEPT, LOST = a_jpeg(color="green"), a_jpeg(color="red")


@dataclass
class Desk:
    """A service without its web side: what phones and the office ask of it."""

    connection: object
    objects: Objects
    town: object
    phone: Phone

    def record(self, *photos: bytes, at=NOW) -> Record:
        key = an_assignment(self.connection, self.town)
        issued = {"issued_at": ms(NOW) - 60_000, "expires_at": ms(NOW) + 10**9}
        ticket = signed_ticket(SECRET, {"assignment": str(key), "nonce": "0417"} | issued)
        made = Record(self.phone, key, ticket, at=at).check_in()
        for one in photos:
            made.photo(one)
        return made.finding(*photos).check_in(kind="check_out")

    def hand_in(self, body: bytes, now=NOW, *, by: int | None = None):
        sent = uploads.read_visit(body)
        uploads.keep(self.connection, sent, self.town.inspector, now, by=by)
        return settle(self.connection, self.objects, SECRET, sent.id, now)

    def send(self, content: bytes, now=NOW, staff_id: int | None = None, *, whole: bool = True) -> None:
        whose = staff_id or self.town.inspector
        piece = blobs.Piece(sha256(content).digest(), 0, len(content), content if whole else content[:100])
        with blobs.held(self.objects, whose, piece.sha256) as partial:
            if whole:
                assert blobs.take_in(self.connection, self.objects, partial, piece, whose, now)
                partial.drop()
            else:
                blobs.keep_piece(partial, piece)

    def take(self, upload_id: UUID, username: str = "office", note: str = NOTE, now=LATER):
        staff = people.staff_named(self.connection, username)[0]
        return take_short(self.connection, self.objects, SECRET, upload_id, staff, note, now)

    def finding(self, upload_id: UUID):
        (found,) = findings_of(self.connection, upload_numbered(self.connection, upload_id).visit_id)
        return found

    def acts(self, act: str):
        return self.connection.execute(select(audit).where(audit.c.act == act).order_by(audit.c.id)).all()


@pytest.fixture
def desk(connection, tmp_path):
    town = a_town(connection)
    inspector = people.staff_named(connection, "inspector")[0]
    phone = Phone()
    devices.enrol(connection, inspector, phone.id, phone.public_key, "Phone", NOW)
    return Desk(connection, Objects(tmp_path), town, phone)


def codes(found) -> list[str]:
    return [one["code"] for one in found.problems]


def test_what_came_is_evidence_and_what_was_lost_is_named(desk):
    record = desk.record(KEPT, LOST)
    desk.send(KEPT)
    assert desk.hand_in(record.body()).status == "waiting"
    taken = desk.take(record.id)
    assert (taken.status, taken.settled_at) == ("settled", LATER)
    assert "flag_photo_missing" in taken.flags
    visit = visit_numbered(desk.connection, taken.visit_id)
    assert visit.closed_at == LATER
    assert [one.kind for one in check_ins_of(desk.connection, visit.id)] == ["in", "out"]
    assert [one.sha256 for one in photos_of(desk.connection, visit.id)] == [sha256(KEPT).digest()]
    assert desk.finding(record.id).photos == (sha256(KEPT).digest(),)
    lost = {one["code"]: one["facts"] for one in taken.problems}
    assert lost["upload_photo_missing"] == {"n": 3, "name": "IMG_1.jpg", "sha256": sha256(LOST).hexdigest()}
    assert lost["finding_photo_left_out"] == {"n": 4, "count": 1, "lost": 1}
    assert lost["upload_taken_short"] == {"by": "王核", "note": NOTE}
    assert taken.receipt is None  # we do not have all of it
    (act,) = desk.acts("upload_taken_short")
    assert act.staff_id == desk.town.office
    assert act.about == {"upload": str(record.id), "note": NOTE, "sha256": [sha256(LOST).hexdigest()]}


def test_taking_it_in_twice_is_taking_it_in_once(desk):
    record = desk.record(LOST)
    body = record.body()
    desk.hand_in(body)
    first = desk.take(record.id)
    assert desk.take(record.id, "office2", "再来一次") == first
    assert desk.hand_in(body, LATER) == first
    assert len(desk.acts("upload_taken_short")) == len(desk.acts("upload_settled")) == 1


def test_a_photo_that_comes_after_all_joins_its_finding_and_is_marked_as_late(desk):
    record = desk.record(KEPT, LOST)
    body = record.body()
    desk.hand_in(body)
    desk.take(record.id)
    before = desk.finding(record.id)
    assert before.photos == ()
    late = LATER + timedelta(days=1)
    desk.send(KEPT, late)
    half = desk.hand_in(body, late)
    assert {"flag_photo_missing", "flag_photo_came_late"} <= set(half.flags)
    assert half.receipt is None
    desk.send(LOST, late)
    whole = desk.hand_in(body, late)
    assert "flag_photo_missing" not in whole.flags
    assert "flag_photo_came_late" in whole.flags
    assert (whole.status, codes(whole)) == ("settled", ["upload_taken_short"])  # the act stays told
    assert desk.finding(record.id) == replace(
        before, photos=tuple(sorted(sha256(one).digest() for one in (KEPT, LOST)))
    )
    for one in (KEPT, LOST):
        assert "flag_photo_came_late" in photo_hashed(desk.connection, sha256(one).digest()).flags
    told = read_receipt(whole.receipt, receipt_key(SECRET))
    assert told["blobs"] == [sha256(one).hexdigest() for one in (KEPT, LOST)]
    acts = len(desk.acts("upload_settled"))
    assert desk.hand_in(body, late) == whole
    assert len(desk.acts("upload_settled")) == acts
    assert [act.about["sha256"] for act in desk.acts("finding_photo_joined")] == [
        [sha256(one).hexdigest()] for one in (KEPT, LOST)
    ]


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_photo_that_comes_after_the_decision_is_the_visits_and_changes_no_decision(desk, confirmed):
    record = desk.record(LOST)
    body = record.body()
    desk.hand_in(body)
    desk.take(record.id)
    found = desk.finding(record.id)
    decide_finding(desk.connection, found.id, desk.town.second_office, confirmed, "已核对", LATER)
    decided = desk.finding(record.id)
    desk.send(LOST, LATER)
    after = desk.hand_in(body, LATER)
    assert desk.finding(record.id) == decided
    assert [one.sha256 for one in photos_of(desk.connection, after.visit_id)] == [sha256(LOST).digest()]
    assert after.status == "held"  # somebody looks at it: the decision was made without it
    assert "finding_photo_after_decision" in codes(after)


def test_it_waits_until_nothing_of_it_has_come_for_three_days(desk):
    record = desk.record(KEPT, LOST)
    desk.hand_in(record.body())
    desk.send(KEPT, NOW + timedelta(hours=10))
    for hours in (1, 73, 81):
        with pytest.raises(Refused) as refused:
            desk.take(record.id, now=NOW + timedelta(hours=hours))
        assert refused.value.faults[0].code == "upload_still_coming"
    assert desk.take(record.id, now=NOW + timedelta(hours=82)).status == "settled"


def test_a_piece_of_a_photo_is_a_sign_of_the_phone(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    desk.send(LOST, whole=False)
    (partial,) = desk.objects.partial.glob("*/*")
    touched = (LATER - timedelta(hours=1)).timestamp()
    utime(partial, (touched, touched))
    with pytest.raises(Refused) as refused:
        desk.take(record.id)
    assert refused.value.faults[0].code == "upload_still_coming"
    kept = upload_numbered(desk.connection, record.id)
    assert waiting_for(desk.connection, desk.objects, kept, LATER).last_sign == LATER - timedelta(hours=1)


def test_it_says_why_and_leaves_nothing_behind_when_it_is_refused(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    with pytest.raises(Refused) as refused:
        desk.take(record.id, note="")
    assert (refused.value.faults[0].code, refused.value.faults[0].path) == ("upload_note_missing", "note")
    with pytest.raises(Refused) as refused:
        desk.take(uuid4())
    assert refused.value.faults[0].code == "not_found"
    assert upload_numbered(desk.connection, record.id).status == "waiting"
    assert desk.connection.execute(select(func.count()).select_from(shortfall)).scalar_one() == 0


def test_what_was_settled_whole_is_taken_in_no_second_way(desk):
    record = desk.record(KEPT)
    desk.send(KEPT)
    assert desk.hand_in(record.body()).status == "settled"
    with pytest.raises(Refused) as refused:
        desk.take(record.id)
    assert refused.value.faults[0].code == "upload_not_held"


def test_neither_crew_nor_bringer_nor_whoever_changed_the_assignment_takes_it_in(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body(), by=desk.town.office)
    placed = {"assignment_id": record.assignment, "staff_id": desk.town.other_inspector, "position": 1}
    desk.connection.execute(insert(crew).values(placed))
    about = {"assignment": str(record.assignment)}
    people.record_act(desk.connection, "inspector_replaced", NOW, desk.town.second_office, **about)
    for username in ("inspector", "inspector2", "office", "office2"):
        with pytest.raises(Refused) as refused:
            desk.take(record.id, username)
        assert refused.value.faults[0].code == "upload_short_second"


def test_nobody_who_kept_its_phones_from_sending_takes_it_in(desk):
    record = desk.record(LOST)
    placed = {"assignment_id": record.assignment, "staff_id": desk.town.other_inspector, "position": 1}
    desk.connection.execute(insert(crew).values(placed))
    second = Phone()
    staff = {name: people.staff_named(desk.connection, name)[0] for name in ("inspector2", "office", "office2")}
    devices.enrol(desk.connection, staff["inspector2"], second.id, second.public_key, "Phone", NOW)
    devices.end(desk.connection, second.id, staff["office2"], NOW)  # of the pair, before anything came
    desk.hand_in(record.body(), NOW + timedelta(hours=1))
    devices.end(desk.connection, desk.phone.id, staff["office"], NOW + timedelta(hours=2))
    for username in ("office", "office2"):
        with pytest.raises(Refused) as refused:
            desk.take(record.id, username, now=LATER + timedelta(hours=2))
        assert refused.value.faults[0].code == "upload_short_second"


def test_who_ended_another_phone_or_one_before_that_day_may_take_it_in(desk):
    office = people.staff_named(desk.connection, "office")[0]
    for username, when in (("inspector", NOW - timedelta(days=2)), ("inspector2", NOW)):
        phone, whose = Phone(), people.staff_named(desk.connection, username)[0]
        devices.enrol(desk.connection, whose, phone.id, phone.public_key, "Phone", when)
        devices.end(desk.connection, phone.id, office, when)
    record = desk.record(LOST)
    desk.hand_in(record.body())
    assert desk.take(record.id, "office").status == "settled"


def test_nobody_decides_while_a_lost_photo_is_here_and_not_taken_in(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    desk.take(record.id)
    desk.send(LOST, LATER)  # whole, and the line broke before the phone said so
    found = desk.finding(record.id)
    for confirmed in (True, False):
        with pytest.raises(Refused) as refused:
            decide_finding(desk.connection, found.id, desk.town.second_office, confirmed, "没有照片", LATER)
        assert refused.value.faults[0].code == "finding_photos_come"
    settle(desk.connection, desk.objects, SECRET, record.id, LATER, again=True)
    assert desk.finding(record.id).photos == (sha256(LOST).digest(),)
    decide_finding(desk.connection, found.id, desk.town.second_office, False, "照片看不清", LATER)
    assert desk.finding(record.id).status == "rejected"


def test_trying_again_writes_nothing_where_nothing_changed(desk):
    record = desk.record(LOST)
    record.finding(LOST, rule="no such rule")
    desk.hand_in(record.body())
    first = desk.take(record.id)
    for hours in range(3):
        now = LATER + timedelta(hours=hours)
        assert settle(desk.connection, desk.objects, SECRET, record.id, now, again=True) == first
    assert len(desk.acts("upload_settled")) == 1


def test_whoever_took_it_in_does_not_decide_on_what_it_found(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    desk.take(record.id)
    found = desk.finding(record.id)
    with pytest.raises(Refused) as refused:
        decide_finding(desk.connection, found.id, desk.town.office, False, "没有照片", LATER)
    assert refused.value.faults[0].code == "finding_taken_short"
    assert finding_numbered(desk.connection, found.id).status == "filed"
    decide_finding(desk.connection, found.id, desk.town.second_office, False, "没有照片", LATER)


def test_a_lost_signature_is_named_and_the_rest_taken_in(desk):
    record = desk.record(KEPT)
    record.add("signature", sha256=sha256(LOST).hexdigest(), size=len(LOST), signed_by="李主任")
    desk.send(KEPT)
    desk.hand_in(record.body())
    taken = desk.take(record.id)
    assert (taken.status, codes(taken)) == ("settled", ["upload_signature_missing", "upload_taken_short"])
    assert visit_numbered(desk.connection, taken.visit_id).signature is None


def test_a_photo_named_by_an_event_that_cannot_be_read_is_named_too(desk):
    record = desk.record()
    record.add("photo", sha256=sha256(LOST).hexdigest(), name=["no name"])
    desk.hand_in(record.body())
    taken = desk.take(record.id)
    assert taken.status == "held"  # for the event, not for the loss
    assert sorted(codes(taken)) == ["event_unreadable", "upload_photo_missing", "upload_taken_short"]


def test_what_does_not_fit_beside_the_loss_is_held_as_ever_and_can_be_dealt_with(desk):
    record = desk.record(LOST)
    record.finding(LOST, rule="no such rule")
    desk.hand_in(record.body())
    assert desk.take(record.id).status == "held"
    again = settle(desk.connection, desk.objects, SECRET, record.id, LATER, again=True)
    assert (again.status, "upload_taken_short" in codes(again)) == ("held", True)
    second = people.staff_named(desk.connection, "office2")[0]
    uploads.resolve(desk.connection, record.id, second, "已电话核实", LATER)
    assert upload_numbered(desk.connection, record.id).status == "settled"


def test_a_waiting_record_is_not_said_to_be_dealt_with(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    with pytest.raises(Refused) as refused:
        uploads.resolve(desk.connection, record.id, people.staff_named(desk.connection, "office")[0], "好", LATER)
    assert (refused.value.faults[0].code, refused.value.faults[0].facts) == ("upload_waits", {"count": 1})


def test_nothing_missing_any_more_is_taken_in_whole(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    desk.send(LOST)  # and the phone never comes back to say so
    taken = desk.take(record.id, now=NOW)
    assert (taken.status, taken.problems) == ("settled", [])
    assert taken.receipt
    assert shortfall_of(desk.connection, record.id) is None


def test_a_photo_that_arrives_while_the_office_takes_the_visit_in_is_not_lost(engine, tmp_path):
    with engine.begin() as connection:
        town = a_town(connection)
        phone = Phone()
        inspector = people.staff_named(connection, "inspector")[0]
        devices.enrol(connection, inspector, phone.id, phone.public_key, "Phone", NOW)
        desk = Desk(connection, Objects(tmp_path), town, phone)
        record = desk.record(LOST)
        body = record.body()
        desk.hand_in(body)

    def comes() -> None:
        with engine.begin() as connection:
            Desk(connection, Objects(tmp_path), town, phone).send(LOST, LATER)
        with engine.begin() as connection:  # waits for whoever holds the record
            Desk(connection, Objects(tmp_path), town, phone).hand_in(body, LATER)

    with engine.begin() as connection:
        assert Desk(connection, Objects(tmp_path), town, phone).take(record.id).status == "settled"
        phones = Thread(target=comes)
        phones.start()
        while not _somebody_waits(engine):
            phones.join(0.05)
            assert phones.is_alive()
    phones.join(20)
    assert not phones.is_alive()
    with engine.connect() as connection:
        after = upload_numbered(connection, record.id)
        assert (after.status, "flag_photo_came_late" in after.flags) == ("settled", True)
        assert findings_of(connection, after.visit_id)[0].photos == (sha256(LOST).digest(),)


def _somebody_waits(engine) -> bool:
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(connection.execute(text(query)).scalar_one())


def test_what_was_written_of_a_loss_stays(desk):
    record = desk.record(LOST)
    desk.hand_in(record.body())
    desk.take(record.id)
    for statement in ("UPDATE field.shortfall SET note = 'x'", "DELETE FROM field.shortfall"):
        with pytest.raises(Exception, match="only grows"), desk.connection.begin_nested():
            desk.connection.execute(text(statement))
    assert desk.connection.execute(select(upload.c.status)).scalar_one() == "settled"


def test_what_was_told_of_a_record_stays_told_when_it_is_taken_in_once_more(desk):
    """Its phone was enrolled since, and the service's secret changed: the office presses 再试一次 and gets no error."""
    made = desk.record(KEPT)
    made.phone = Phone()
    desk.send(KEPT)
    first = desk.hand_in(made.body())
    inspector = people.staff_named(desk.connection, "inspector")[0]
    devices.enrol(desk.connection, inspector, made.phone.id, made.phone.public_key, "Phone", NOW)
    for secret in (SECRET, b"another secret of the service"):
        again = settle(desk.connection, desk.objects, secret, made.id, LATER, again=True)
        assert set(first.flags) <= set(again.flags)
        assert again.visit_id == first.visit_id


def test_a_late_photo_joins_although_the_secret_was_changed(desk):
    made = desk.record(LOST)
    desk.hand_in(made.body())
    desk.take(made.id)
    desk.send(LOST, LATER)
    late = settle(desk.connection, desk.objects, b"another secret of the service", made.id, LATER)
    assert "flag_photo_came_late" in late.flags


def test_a_record_stays_in_its_visit_when_nothing_tells_any_more_that_it_had_begun_in_time(desk):
    made = desk.record(KEPT)
    desk.send(KEPT)
    left = {"left_at": NOW + timedelta(hours=1), "left_reason": "病假"}
    values = {"assignment_id": made.assignment, "staff_id": desk.town.inspector, "position": 0} | left
    desk.connection.execute(insert(crew).values(values))
    first = desk.hand_in(made.body(), NOW + timedelta(hours=2), by=desk.town.office)
    again = settle(desk.connection, desk.objects, b"another secret of the service", made.id, LATER, again=True)
    assert first.visit_id is not None
    assert again.visit_id == first.visit_id
