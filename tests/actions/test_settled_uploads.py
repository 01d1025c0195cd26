"""What flags a visit carries once its upload is settled: a journey nobody makes, and a photo judged twice."""

from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select

from api.actions import blobs, devices, uploads
from api.actions.photos import render
from api.actions.receipts import signed_ticket
from api.actions.settling import settle
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.store import people
from api.store.inspections import check_in
from api.store.photos import photo_hashed
from tests.inspections import HALL, NOW, a_jpeg, a_town, an_assignment, phone_exif
from tests.phones import Phone, Record, ms

SECRET = b"of the service"
A_DEGREE_M = 111_195  # of latitude


@pytest.fixture
def town(connection):
    return a_town(connection)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path)


@pytest.fixture
def send(connection, objects, town):
    """Begin a visit of its own assignment on an enrolled phone; what it answers sends and settles it."""
    inspector = people.staff_named(connection, "inspector")[0]
    phone = Phone()
    devices.enrol(connection, inspector, phone.id, phone.public_key, "Phone", NOW)

    def begin(at=NOW):
        key = an_assignment(connection, town)
        issued = {"issued_at": ms(NOW) - 60_000, "expires_at": ms(NOW) + 60_000}
        ticket = signed_ticket(SECRET, {"assignment": str(key), "nonce": "0417"} | issued)
        return Record(phone, key, ticket, at=at)

    def done(record, *pictures):
        for picture in pictures:
            piece = blobs.Piece(sha256(picture).digest(), 0, len(picture), picture)
            with blobs.held(objects, town.inspector, piece.sha256) as partial:
                blobs.take_in(connection, objects, partial, piece, town.inspector, NOW)
        sent = uploads.read_visit(record.body())
        assert uploads.keep(connection, sent, town.inspector, NOW)
        upload = settle(connection, objects, SECRET, sent.id, NOW)
        assert (upload.status, upload.problems) == ("settled", [])
        query = select(check_in.c.flags).where(check_in.c.visit_id == upload.visit_id).order_by(check_in.c.claimed_at)
        return list(connection.execute(query).scalars())

    return begin, done


@pytest.mark.parametrize(
    ("km", "after", "flagged"),
    [
        (100, timedelta(minutes=20), True),  # 300 km/h
        (100, timedelta(hours=1), False),  # 100 km/h
        (100, -timedelta(minutes=20), True),  # handed in the other way round: the second to arrive is flagged
        (0.2, timedelta(seconds=5), False),  # 144 km/h
    ],
)
def test_a_journey_between_two_visits_that_nobody_makes_flags_the_one_that_arrives_second(send, km, after, flagged):
    begin, done = send
    assert done(begin().check_in()) == [[]]
    ((*flags,),) = done(begin(NOW + after).check_in(lat=HALL[0] + km * 1000 / A_DEGREE_M))
    assert ("flag_travel_too_fast" in flags) is flagged


def test_what_another_inspector_does_far_away_is_no_journey(send, connection, town):
    begin, done = send
    assert done(begin().check_in()) == [[]]
    moved = connection.execute(check_in.update().values(staff_id=town.other_inspector))
    assert moved.rowcount == 1
    ((*flags,),) = done(begin(NOW + timedelta(minutes=20)).check_in(lat=HALL[0] + 1))
    assert "flag_travel_too_fast" not in flags


def test_judging_a_photo_joins_its_flags_to_those_raised_when_it_came(send, connection, objects):
    begin, done = send
    picture = a_jpeg(exif=phone_exif(lat=43.4674, lon=11.8851))
    done(begin().check_in().photo(picture, nonce="none"), picture)
    digest = sha256(picture).digest()
    raised = ("flag_photo_nonce_wrong",)  # the number on the paper; judging knows nothing of it
    assert photo_hashed(connection, digest).flags == raised
    with Decoder() as decoder:
        render(connection, objects, decoder, digest, NOW)
    judged = photo_hashed(connection, digest)
    assert (judged.verdict, judged.flags) == ("clean", (*raised, "flag_photo_far"))
