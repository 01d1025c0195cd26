"""The short way in tells exactly what the application tells, and takes nobody past a rule."""

import pytest
from flask import request
from sqlalchemy import func, select

from api.http.responses import PATH
from api.services import KEY
from api.store import ballots
from tests.builders import a_grid_book, a_survey, some_codes

ANSWERS = {"unit_0": "5", "unit_1": "dk"}
RECEIPT = "0123456789abcdefghij"
THROUGH = {"Cookie": "mc_lang=zh"}  # any cookie leads through the application


@pytest.fixture
def app(app):
    app.seen = []
    app.before_request_funcs[None].insert(0, lambda: app.seen.append(request.path))
    return app


@pytest.fixture
def codes(engine, settings):
    with engine.begin() as connection:
        return some_codes(connection, a_survey(connection, a_grid_book(2)), 6, settings.pepper)


def hand_in(app, code, answers=ANSWERS, receipt=RECEIPT, **headers):
    body = {"code": code, "answers": answers, "receipt": receipt}
    return app.test_client(use_cookies=False).post(PATH, json=body, headers=headers)


def told(answer):
    return answer.status, sorted(answer.headers), answer.data


def test_a_plain_submission_is_answered_without_the_application_and_in_its_words(app, codes):
    short, through = hand_in(app, codes[0]), hand_in(app, codes[1], **THROUGH)
    assert app.seen == [PATH]
    assert told(short) == told(through)
    assert told(hand_in(app, codes[0])) == told(hand_in(app, codes[1], **THROUGH))
    assert app.seen == [PATH] * 2


@pytest.mark.parametrize(
    ("code", "answers", "receipt"),
    [
        ("2222222222", ANSWERS, RECEIPT),
        ("good", {"unit_0": "nine"}, RECEIPT),
        ("good", ANSWERS, "short"),
        ("spent", ANSWERS, "k" * 20),
        ("good", [], RECEIPT),
    ],
)
def test_a_refusal_is_told_by_the_application(app, codes, code, answers, receipt):
    hand_in(app, codes[0])
    code = {"good": codes[1], "spent": codes[0]}.get(code, code)
    short, through = hand_in(app, code, answers, receipt), hand_in(app, code, answers, receipt, **THROUGH)
    assert short.status_code in {410, 422}
    assert told(short) == told(through)
    assert short.json["errors"][0]["zh"]


def test_a_failure_is_told_by_the_application_and_recorded(app, codes, caplog):
    app.extensions[KEY].answering._submit = lambda _: 1 // 0
    answer = hand_in(app, codes[0])
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("header", ["Origin", "Sec-Fetch-Site", "Authorization", "Cookie"])
def test_what_the_application_has_to_look_at_goes_to_it(app, codes, header):
    hand_in(app, codes[0], **{header: "cross-site"})
    assert app.seen == [PATH]


def test_another_sites_page_is_refused_before_anything_is_settled(app, codes, engine):
    assert hand_in(app, codes[0], Origin="https://evil.example").status_code == 403
    assert hand_in(app, codes[0], **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(ballots.response)).scalar_one() == 0


@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "9" * 400},
        {"CONTENT_LENGTH": "²"},
        {"CONTENT_LENGTH": "70000"},
        {"QUERY_STRING": "lang=en"},
        {"REQUEST_METHOD": "GET"},
        {"PATH_INFO": f"{PATH}/"},
    ],
)
def test_whatever_is_not_plain_goes_to_the_application(app, environ):
    app.test_client().open(PATH, method="POST", data=b"{}", environ_overrides=environ)
    assert len(app.seen) == 1


@pytest.mark.parametrize("host", ["a" * 64, "a b", "[", "a:b", "", "é.example", "a:99999999", "." * 300])
def test_a_host_that_no_address_can_have_is_nobodys(app, codes, host):
    answer = app.test_client().get("/", headers={"Host": host})
    assert answer.status_code == 200
    assert hand_in(app, codes[0], Host=host, Origin=f"http://{host}").status_code == 403
