"""Handing in visits: once, whatever the network does, and told what is missing until nothing is."""

import json
from hashlib import sha256
from random import Random

import pytest
from sqlalchemy import func, select, text

from api.actions import devices
from api.app import create_app
from api.services import KEY, utc_now
from api.store import people
from api.store.findings import finding, finding_photo
from api.store.inspections import check_in, visit
from api.store.photos import photo
from api.store.uploads import upload
from tests.inspections import a_town, an_assignment
from tests.phones import Phone, Record, photo_of


@pytest.fixture
def app(settings):
    made = create_app(settings)
    yield made
    made.extensions[KEY].database.engine.dispose()


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def phone_of(app, engine, town):  # noqa: ARG001 - whose phones they are
    def of(username="inspector"):
        phone = Phone()
        with engine.begin() as connection:
            staff = people.staff_named(connection, username)[0]
            phone.token, _ = devices.enrol(connection, staff, phone.id, phone.public_key, "Phone", utc_now())
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {phone.token}"
        return phone, client

    return of


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
        return an_assignment(connection, town, day=utc_now().date())


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
