"""The page of flags: every flag with its numbers, reviewed by a person, blocking nobody."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update
from werkzeug.security import generate_password_hash

from api.actions.field_flags import explained, flags_of, review, subjects_of
from api.actions.photos import render
from api.actions.presence import best_of, travel_flags_of
from api.app import create_app
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.services import KEY
from api.store import people
from api.store.inspections import check_in as check_in_table
from api.store.photos import photo as photo_table
from api.store.uploads import upload
from survey_forms.inspection.presence import Flag
from survey_forms.refusal import Refused
from tests.inspections import NOW, PASSWORD, a_check_in, a_fix, a_jpeg, a_photo, a_town, an_assignment, phone_exif
from tests.pages.test_inspector import token


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        secret = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
        town = a_town(connection)
        values = {"username": "supervisor", "password_hash": secret, "name": "督导", "role": "supervisor"}
        connection.execute(insert(people.staff).values(values))
    return town


@pytest.fixture
def flagged(engine, town, settings):
    """A check-in 900 m off, a photo from Italy, an upload with a broken chain."""
    with engine.begin() as connection, Decoder() as decoder:
        outside = a_check_in(connection, town, fixes=(a_fix(north_m=900),), reason="<b>大门封闭</b>")
        italy = a_jpeg(exif=phone_exif(lat=43.46, lon=11.88))
        objects = Objects(settings.objects)
        photo = a_photo(connection, objects, town, outside.visit_id, italy)
        render(connection, objects, decoder, photo.sha256, NOW)
        connection.execute(
            insert(upload).values(
                id=uuid4(), staff_id=town.inspector, assignment_id=uuid4(), digest=b"d", body=b"{}", received_at=NOW,
                blobs=[], status="held", settled_at=NOW, problems=[], flags=["flag_of_a_later_release"],
            )
        )  # fmt: skip
    return outside, photo


@pytest.fixture
def sign_in(settings, town):  # noqa: ARG001 - the town's people sign in
    app = create_app(settings)

    def signed_in(username):
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    yield signed_in
    app.extensions[KEY].database.engine.dispose()


def judge(client, about, **facts):
    return client.post(f"/field-flags/{about}", data={"form_token": token(client, "/field-flags?state=")} | facts)


@pytest.mark.usefixtures("flagged")
def test_every_flag_is_told_with_its_numbers_and_what_it_does_not_prove(sign_in):
    shown = sign_in("supervisor").get("/field-flags").text
    for part in (
        "上报位置在检查点范围外",
        "距检查点 897 米（超出围栏 747 米），误差约 12 米",
        "不说明没有去过",
        "&lt;b&gt;大门封闭&lt;/b&gt;",
        "照片自带的位置与签到位置相距 1 公里以上",
        "公里（超过 1 公里）",
        "flag_of_a_later_release",
        "没有对应的任务",
        "浏览器看不出定位是否被软件改动",
    ):
        assert part in shown, part
    assert "<b>大门封闭" not in shown
    english = sign_in("office").get("/field-flags?lang=en").text
    assert "897 m from the site (747 m beyond the fence), to within 12 m" in english


def test_a_flag_is_explained_or_doubtful_by_a_person_and_stays(engine, flagged, sign_in, town):
    outside, photo = flagged
    supervisor = sign_in("supervisor")
    about = f"check_in/{outside.id}/outside"
    assert judge(supervisor, about, verdict="explained", note="大门封闭，从侧门进入").status_code == 303
    assert "大门封闭，从侧门进入" not in supervisor.get("/field-flags").text
    assert "大门封闭，从侧门进入" in supervisor.get("/field-flags?state=explained").text
    assert judge(supervisor, about, verdict="doubtful", note="侧门也锁着").status_code == 303
    again = supervisor.get("/field-flags?state=doubtful").text
    assert "侧门也锁着" in again
    assert "督导" in again
    assert judge(sign_in("office"), f"photo/{photo.name}/flag_photo_far", verdict="explained").status_code == 303
    with engine.connect() as connection:
        acts = connection.execute(select(people.audit.c.about).where(people.audit.c.act == "flag_reviewed")).scalars()
        assert [about["verdict"] for about in acts] == ["explained", "doubtful", "explained"]
        assert len(flags_of(connection, town.evaluation_id)) == 3


def test_a_doubt_needs_a_reason_and_a_flag_must_stand(flagged, sign_in):
    outside, _ = flagged
    client = sign_in("supervisor")
    answer = judge(client, f"check_in/{outside.id}/outside", verdict="doubtful")
    assert answer.status_code == 422
    assert "存疑时请写明理由" in answer.text
    assert judge(client, f"check_in/{outside.id}/outside", verdict="gone").status_code == 422
    for about in (
        f"check_in/{outside.id}/flag_too_fast",
        "check_in/x/outside",
        f"photo/{'0' * 64}/flag_photo_far",
        "visit/1/outside",
    ):
        assert judge(client, about, verdict="explained").status_code == 404, about


@pytest.mark.usefixtures("flagged")
def test_flags_are_found_by_state_kind_and_person(sign_in, town):
    client = sign_in("supervisor")

    def cards(query):
        return client.get(f"/field-flags?{query}").text.count("<article")

    assert cards("") == cards("state=") == 3
    assert cards("flag=outside") == 1
    assert cards(f"inspector={town.inspector}") == 3
    assert cards(f"inspector={town.other_inspector}") == 0
    assert cards("state=explained") == 0
    assert client.get("/field-flags?state=x").status_code == 404
    assert client.get("/field-flags?page=x").status_code == 404


@pytest.mark.parametrize("username", ["inspector", "unit", "bureau"])
def test_only_supervisors_and_the_office_see_flags(sign_in, username):
    assert sign_in(username).get("/field-flags").status_code == 403


def test_two_check_ins_that_nobody_can_have_travelled_between(connection):
    town = a_town(connection)
    first = a_check_in(connection, town)
    far = a_fix(north_m=80_000, at=NOW + timedelta(minutes=10))
    assert travel_flags_of(connection, town.inspector, best_of(first)) == ()
    assert travel_flags_of(connection, town.inspector, far) == (Flag.TRAVEL_TOO_FAST,)
    assert travel_flags_of(connection, town.inspector, a_fix(north_m=80_000, at=NOW + timedelta(hours=2))) == ()
    assert travel_flags_of(connection, town.other_inspector, far) == ()
    tomorrow = a_fix(north_m=80_000, at=NOW + timedelta(days=1))
    assert travel_flags_of(connection, town.inspector, tomorrow) == ()
    assignment = an_assignment(connection, town)
    second = a_check_in(connection, town, assignment, fixes=(far,), claimed_at=far.taken_at, reason="车上")
    flags = {"flags": [Flag.TRAVEL_TOO_FAST.value]}
    connection.execute(update(check_in_table).where(check_in_table.c.id == second.id).values(flags))
    subject = next(one for one in subjects_of(flags_of(connection, town.evaluation_id)))
    found = explained(connection, subject)
    assert (found.facts["travel_km"], found.facts["travel_min"]) == ("79.7", 10)


def test_a_review_of_a_flag_that_nobody_raised_is_refused(connection):
    town = a_town(connection)
    kept = a_check_in(connection, town)
    with pytest.raises(Refused, match="not_found"):
        review(connection, "check_in", str(kept.id), "flag_too_fast", "explained", "", town.office, NOW)


def test_a_flood_of_flags_hides_none_and_pages_go_on_after_the_first(engine, flagged, sign_in, town):
    _, photo = flagged
    with engine.begin() as connection:
        values = {
            "staff_id": town.inspector, "digest": b"d", "body": b"{}", "received_at": NOW + timedelta(hours=1),
            "blobs": [], "status": "held", "settled_at": NOW, "problems": [], "flags": ["a", "b", "c", "d", "e"],
        }  # fmt: skip
        connection.execute(insert(upload), [values | {"id": uuid4(), "assignment_id": uuid4()} for _ in range(450)])
    client = sign_in("supervisor")
    assert f'id="photo-{photo.name}"' in client.get("/field-flags?flag=flag_photo_far").text
    last = client.get("/field-flags?page=23")
    assert f'id="photo-{photo.name}"' in last.text
    assert last.text.count("<article") == 13
    assert client.get("/field-flags?page=2").text.count("<article") == 20


def test_a_photo_is_that_of_whose_phone_took_it(engine, flagged, sign_in, town):
    assert flagged
    with engine.begin() as connection:
        key = connection.execute(select(upload.c.id)).scalar_one()
        connection.execute(update(upload).values(staff_id=town.other_inspector))
        connection.execute(update(photo_table).values(capture={"upload": str(key), "n": 0}))
    client = sign_in("supervisor")
    wanted = "flag=flag_photo_far&inspector={}"
    assert client.get(f"/field-flags?{wanted.format(town.other_inspector)}").text.count("<article") == 1
    assert client.get(f"/field-flags?{wanted.format(town.inspector)}").text.count("<article") == 0
