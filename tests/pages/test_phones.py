"""A lost phone is stopped, with its tokens; a phone that signs out keeps none; no record of either is ever lost."""

import base64
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from api.actions import devices
from api.services import utc_now
from api.store import people
from api.store.phones import phones
from api.store.uploads import device, upload
from survey_forms.refusal import Refused
from tests.inspections import NOW, PASSWORD, a_town, an_assignment
from tests.live import serving
from tests.pages.test_inspector import token
from tests.phones import Phone, Record, Wire

BUNDLE, VISITS = "/api/v1/phone/bundle", "/api/v1/visits"


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def app(app, town):  # noqa: ARG001 - the town's people sign in
    return app


@pytest.fixture
def sign_in(app):
    def signed_in(username="inspector"):
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    return signed_in


@pytest.fixture
def task(engine, town):
    with engine.begin() as connection:
        return an_assignment(connection, town, day=utc_now().date())


def enrolled(client, phone=None, label="Mozilla/5.0 (Linux; Android 14) Chrome/130"):
    """A phone as its page enrols it, with the session of whoever is signed in on it."""
    phone = phone or Phone()
    headers = {"X-Form-Token": client.get("/inspector/phone/session").json["form_token"]}
    facts = {"device": str(phone.id), "public_key": base64.b64encode(phone.public_key).decode(), "label": label}
    answer = client.post("/inspector/phone/enrol", json=facts, headers=headers)
    assert answer.status_code == 201, answer.json
    phone.token = answer.json["token"]
    return phone


def answers(app, phone, body=None):
    """What the API says to a phone that has nothing but its token."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {phone.token}"
    return client.get(BUNDLE) if body is None else client.post(VISITS, data=body)


def stop(client, phone, place="office"):
    home = f"/{place}/phones"
    return client.post(f"{home}/{phone.id}", data={"form_token": token(client, home)})


def acts(engine):
    with engine.connect() as connection:
        return list(connection.execute(select(people.audit.c.act).order_by(people.audit.c.id)).scalars())


def test_an_inspector_stops_a_lost_phone_and_only_that_one(app, engine, sign_in):
    desk = sign_in()
    lost, kept = enrolled(sign_in()), enrolled(sign_in())
    enrolled(desk, lost)  # a second token of the same phone
    assert [answers(app, one).status_code for one in (lost, kept)] == [200, 200]
    assert "安卓手机" in desk.get("/inspector/phones").text
    assert stop(desk, lost, "inspector").status_code == 303
    assert [answers(app, one).status_code for one in (lost, kept)] == [401, 200]
    with engine.connect() as connection:
        ended = connection.execute(select(device.c.ended_at).where(device.c.id == lost.id)).scalar_one()
        label = people.api_token.c.label == f"phone {lost.id}"
        revoked = list(connection.execute(select(people.api_token.c.revoked_at).where(label)).scalars())
    assert revoked == [ended, ended]
    assert desk.get("/inspector/phones").text.count("停用于") == 1
    assert desk.get("/inspector").status_code == 200  # who stops his own stays signed in
    assert stop(desk, lost, "inspector").status_code == 303
    assert acts(engine).count("phone_ended") == 1


def test_nobody_sees_or_stops_a_colleagues_phone_but_the_office(app, sign_in):
    owner, colleague, office = sign_in(), sign_in("inspector2"), sign_in("office")
    phone = enrolled(owner)
    enrolled(colleague)
    assert str(phone.id) not in colleague.get("/inspector/phones").text
    assert stop(colleague, phone, "inspector").status_code == 404
    assert (
        colleague.get("/office/phones").status_code == colleague.post(f"/office/phones/{phone.id}").status_code == 403
    )
    assert stop(office, Phone()).status_code == 404
    assert owner.post(f"/inspector/phones/{phone.id}").status_code == 403  # no form token
    assert answers(app, phone).status_code == 200
    assert "林察" in office.get("/office/phones").text
    assert stop(office, phone).status_code == 303
    assert answers(app, phone).status_code == 401


def test_whoever_holds_a_phone_that_the_office_stopped_cannot_enrol_it_by_its_open_session(app, engine, sign_in):
    browser, elsewhere, office = sign_in(), sign_in("inspector2"), sign_in("office")
    phone = enrolled(browser)
    assert stop(office, phone).status_code == 303
    assert browser.get("/inspector/phone/session").status_code in {302, 401}
    assert elsewhere.get("/inspector/phone/session").status_code == 200
    back = sign_in()  # the password again; and even then the stopped phone stays stopped
    headers = {"X-Form-Token": back.get("/inspector/phone/session").json["form_token"]}
    facts = {"device": str(phone.id), "public_key": base64.b64encode(phone.public_key).decode(), "label": ""}
    assert back.post("/inspector/phone/enrol", json=facts, headers=headers).status_code == 409
    assert answers(app, phone).status_code == 401
    assert "phone_ended" in acts(engine)


def test_signing_out_on_a_phone_ends_its_token_and_not_that_of_another_phone(app, engine, sign_in):
    browser, other = sign_in(), sign_in()
    phone, second = enrolled(browser), enrolled(other)
    form = {"form_token": token(browser, "/inspector")}
    assert browser.get_cookie("mc_phone", path="/logout").value == str(phone.id)
    assert browser.post("/logout", data=form).status_code == 302
    assert [answers(app, one).status_code for one in (phone, second)] == [401, 200]
    assert browser.get_cookie("mc_phone", path="/logout") is None
    assert acts(engine).count("phone_signed_out") == 1
    with engine.connect() as connection:
        assert connection.execute(select(device.c.ended_at).where(device.c.id == phone.id)).scalar_one() is None
    assert answers(app, enrolled(sign_in(), phone)).status_code == 200  # it stays enrolled


@pytest.mark.parametrize("said", ["", "no uuid", "ed8847a6-6fd0-4730-8cff-eca0a542783b"])
def test_a_cookie_that_names_no_phone_of_ones_own_ends_nothing(app, sign_in, said):
    phone, colleague = enrolled(sign_in()), sign_in("inspector2")
    for value in (said, str(phone.id)):
        colleague.set_cookie("mc_phone", value, path="/logout")
        form = {"form_token": token(colleague, "/inspector")}
        assert colleague.post("/logout", data=form).status_code == 302
        assert answers(app, phone).status_code == 200
        colleague = sign_in("inspector2")


def flags_of_a_record_after_the_stop(app, engine, sign_in, task, *, stopped_before_signing):
    browser = sign_in()
    phone = enrolled(browser)
    ticket = answers(app, phone).json["assignments"][0]["ticket"]
    body = Record(phone, task, ticket, at=utc_now()).check_in().body()
    with engine.begin() as connection:
        staff = people.staff_named(connection, "inspector")[0]
        devices.end(connection, phone.id, staff, utc_now() - timedelta(minutes=5 if stopped_before_signing else 0))
    assert answers(app, phone, body).status_code == 401
    anew = enrolled(browser)  # the page draws a new id and sends what waits
    told = answers(app, anew, body)
    assert told.status_code == 201
    assert told.json["receipt"]
    with engine.connect() as connection:
        row = connection.execute(select(upload.c.status, upload.c.flags, upload.c.visit_id)).one()
    assert row.status == "settled"
    assert row.visit_id
    return {one for one in row.flags if one.startswith(("flag_device", "flag_signature"))}


def test_a_record_signed_before_the_stop_comes_in_verified_and_flagged(app, engine, sign_in, task):
    found = flags_of_a_record_after_the_stop(app, engine, sign_in, task, stopped_before_signing=False)
    assert found == {"flag_device_ended"}


def test_a_record_signed_after_the_stop_comes_in_too_but_its_signature_counts_for_nothing(app, engine, sign_in, task):
    found = flags_of_a_record_after_the_stop(app, engine, sign_in, task, stopped_before_signing=True)
    assert found == {"flag_device_ended", "flag_device_unknown"}


def test_a_phone_stopped_after_its_record_came_raises_nothing(app, engine, sign_in, task):
    phone = enrolled(sign_in())
    ticket = answers(app, phone).json["assignments"][0]["ticket"]
    assert answers(app, phone, Record(phone, task, ticket, at=utc_now()).check_in().body()).status_code == 201
    assert stop(sign_in("office"), phone).status_code == 303
    with engine.connect() as connection:
        assert not devices.has_ended(
            connection, phone.id, connection.execute(select(upload.c.received_at)).scalar_one()
        )


def test_the_last_seen_of_a_phone_is_its_latest_record_and_stopped_ones_come_last(connection):
    town = a_town(connection)
    inspector = people.staff_named(connection, "inspector")[0]
    stopped, silent, busy = Phone(), Phone(), Phone()
    for phone in (stopped, silent, busy):
        devices.enrol(connection, inspector, phone.id, phone.public_key, "iPhone", NOW)
    facts = {"staff_id": town.inspector, "assignment_id": uuid4(), "digest": b"d", "body": b"{}", "blobs": []}
    later = NOW + timedelta(days=2)
    values = facts | {"id": uuid4(), "device_id": busy.id, "received_at": later, "problems": []}
    connection.execute(upload.insert().values(**values))
    devices.end(connection, stopped.id, inspector, later)
    known = phones(connection, later)
    assert [one.id for one in known] == [busy.id, silent.id, stopped.id]
    assert [one.seen_at for one in known] == [later, NOW, NOW]
    assert [one.open_until for one in known] == [NOW + devices.LIFE, NOW + devices.LIFE, None]
    assert {one.open_until for one in phones(connection, NOW + devices.LIFE)} == {None}
    with pytest.raises(Refused, match="not_found"):
        devices.end(connection, busy.id, people.staff_named(connection, "inspector2")[0], later)


def test_a_running_server_answers_a_stopped_phone_401_at_once(app, sign_in):
    phone = enrolled(sign_in())
    with serving(app) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        wire = Wire((host, int(port)), phone.token)
        assert wire.sure("GET", BUNDLE)[0] == 200
        assert stop(sign_in("office"), phone).status_code == 303
        assert wire.sure("GET", BUNDLE)[0] == 401
        assert wire.sure("POST", VISITS, b"{}")[0] == 401
