"""What no database holds and no calendar has room for is refused in the reader's language, and never a failure."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from api.pages.local_time import UNREAD, read_local
from tests.desk import PASSWORD
from tests.fieldwork import some_work
from tests.pages.test_interviewer import key, post

NUL = "\0"


def test_a_nul_character_in_a_form_an_address_or_a_query_is_unreadable(app):
    client = app.test_client()
    for answer in (
        client.post("/login", data={"username": f"a{NUL}", "password": "b"}),
        client.post("/login", data={f"user{NUL}": "a", "password": "b"}),
        client.post("/login", data={"username": "a", "file": (BytesIO(b"x"), f"a{NUL}.csv")}),
        client.get("/draws/1/check?member=M%00"),
        client.get("/draws/1%00"),
        client.get("/no/such/page%00"),
    ):
        assert answer.status_code == 400, answer.text
        assert "服务器读不懂这个请求" in answer.text
    assert client.get("/login?after=%2500").status_code == 200  # a per cent sign and two digits


def test_a_nul_character_in_a_note_a_key_or_an_outcome_writes_nothing(app, engine):
    with engine.begin() as connection:
        work = some_work(connection, 1)
    client = app.test_client()
    client.post("/login", data={"username": "interviewer", "password": PASSWORD})
    post(client, "/interviewer/next", survey=work.survey_id)
    good = {"key": key(client.get("/interviewer").text), "outcome": "3.13", "note": ""}
    for name in good:
        answer = post(client, f"/interviewer/cases/{work.cases[0]}/outcome", **{**good, name: f"3{NUL}"})
        assert answer.status_code == 400
    assert post(client, f"/interviewer/cases/{work.cases[0]}/outcome", **good).status_code == 303


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59", "0001-01-01T00:00", "1999-12-31T23:59", "2101-01-01T00:00", "?"]
)
def test_a_moment_beyond_the_years_of_any_survey_is_no_moment(moment):
    read = read_local({"at": moment}, "at")
    assert read == UNREAD
    assert read + timedelta(hours=4) < datetime(1999, 1, 1, tzinfo=UTC)


def test_an_appointment_at_the_calendars_end_is_told_beside_its_field(app, engine):
    with engine.begin() as connection:
        work = some_work(connection, 1)
    client = app.test_client()
    client.post("/login", data={"username": "interviewer", "password": PASSWORD})
    post(client, "/interviewer/next", survey=work.survey_id)
    answer = post(
        client, f"/interviewer/cases/{work.cases[0]}/appointment", key="0" * 32, begins_at="9999-12-31T23:59",
        minutes="60",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "预约的时间已经过去" in answer.text


def test_a_field_without_a_name_is_no_error_of_ours(app):
    named = b'--b\r\nContent-Disposition: form-data; name="do"\r\n\r\nforget\r\n'
    body = named + b"--b\r\nContent-Disposition: form-data; nam\r\n\r\nx\r\n--b--\r\n"
    answer = app.test_client().post("/survey", data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code < 500
