"""Handing in by the API: the same action, the same rules, the same secrecy as the pages."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from api.actions.booths import Known
from api.actions.failure_cap import FailureCap
from api.services import KEY
from api.store import ballots, evaluations
from survey_forms.sampling.codes import check_character, display
from tests.builders import a_grid_book, a_survey, some_codes
from tests.pages.forms import BOOKS
from tests.rules.books import a_book, a_row

RECEIPT = "0123456789abcdefghij"
UNKNOWN = "2222222222" + check_character("2222222222")
ANSWERS = {"unit_0": "5", "unit_1": "dk"}


@pytest.fixture
def codes(engine, settings):
    with engine.begin() as connection:
        return some_codes(connection, a_survey(connection, a_grid_book(2)), 60, settings.pepper)


def hand_in(app, code, answers=ANSWERS, receipt=RECEIPT, **headers):
    body = {"code": code, "answers": answers, "receipt": receipt}
    return app.test_client().post("/api/v1/responses", json=body, headers=headers)


def kept(engine):
    with engine.connect() as connection:
        return connection.execute(select(ballots.response)).all()


def test_an_answer_is_created_once_and_the_same_receipt_is_told_so(app, codes, engine):
    first, again = hand_in(app, codes[0]), hand_in(app, display(codes[0]).lower())
    assert (first.status_code, first.json) == (201, {"receipt": RECEIPT, "outcome": "accepted"})
    assert (again.status_code, again.json) == (200, {"receipt": RECEIPT, "outcome": "repeated"})
    assert [row.answers for row in kept(engine)] == [ANSWERS]
    assert first.headers["Cache-Control"] == "no-store"


def test_fifty_tries_with_one_code_and_fifty_receipts_are_one_answer(app, codes, engine):
    with ThreadPoolExecutor(50) as threads:
        tries = list(threads.map(lambda at: hand_in(app, codes[0], receipt=f"{RECEIPT}{at}"), range(50)))
    statuses = sorted(one.status_code for one in tries)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {410, 429}
    assert len(kept(engine)) == 1


def test_fifty_tries_with_one_receipt_are_one_answer_and_fifty_acceptances(app, codes, engine):
    with ThreadPoolExecutor(50) as threads:
        tries = list(threads.map(lambda _: hand_in(app, codes[0]), range(50)))
    assert sorted(one.status_code for one in tries) == [200] * 49 + [201]
    assert len(kept(engine)) == 1


def test_unknown_spent_and_closed_codes_get_one_reply(app, codes, engine):
    hand_in(app, codes[0], receipt="k" * 20)
    spent, unknown = hand_in(app, codes[0]), hand_in(app, UNKNOWN)
    forged = hand_in(app, codes[1][:10] + "222222")  # a token that only the service could have written
    with engine.begin() as connection:
        connection.execute(update(evaluations.round_).values(status="frozen"))
    app.extensions[KEY].answering.booths._known = Known({}, {}, {}, 0)
    closed = hand_in(app, codes[1])
    assert [one.status_code for one in (spent, unknown, forged, closed)] == [410] * 4
    assert spent.data == unknown.data == forged.data == closed.data
    assert spent.json["code"] == "code_refused"


def test_wrong_answers_are_all_named_and_the_code_stays_good(app, codes, engine):
    wrong = hand_in(app, codes[0], {"unit_0": "nine", "stranger": "1"})
    assert wrong.status_code == 422
    assert {(fault["path"], fault["code"]) for fault in wrong.json["errors"]} == {
        ("unit_0", "answer_not_a_choice"),
        ("unit_1", "answer_required"),
        ("stranger", "answer_unknown_question"),
    }
    assert kept(engine) == []
    assert hand_in(app, codes[0]).status_code == 201


@pytest.mark.parametrize("receipt", ["", "short", "a" * 65, "a b" * 9, "é" * 20, "\0" * 20])
def test_a_receipt_that_proves_nothing_is_refused_before_the_code_is_spent(app, codes, receipt):
    assert hand_in(app, codes[0], receipt=receipt).status_code == 422
    assert hand_in(app, codes[0]).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", {400, 422}),
        (b"{", {400, 422}),
        (b"null", {422}),
        (b"[]", {422}),
        (b'{"code": 1, "answers": {}, "receipt": ""}', {422}),
        (b'{"code": "x", "answers": [], "receipt": "x"}', {422}),
        (b'{"code": "x", "answers": {}, "receipt": "x", "more": 1}', {422}),
        (json.dumps({"code": "\ud800", "answers": {}, "receipt": RECEIPT}).encode(), {400, 422}),
        (b'{"code": "\xff", "answers": {}, "receipt": "x"}', {400, 422}),
        (b"[" * 60_000, {400, 422}),
        (b" " * 70_000, {413}),
    ],
)
def test_what_is_no_submission_is_refused_with_a_sentence(app, body, status):
    answer = app.test_client().post("/api/v1/responses", data=body, content_type="application/json")
    assert answer.status_code in status
    assert answer.json["errors"][0]["zh"]


@pytest.mark.parametrize(
    "value", [1, None, True, {"a": "b"}, ["5", "4"], [], [[]], "\0", "\ud800", 1e400, "5" * 10_000]
)
def test_a_strange_answer_is_named_and_never_an_error(app, codes, value):
    body = json.dumps({"code": codes[0], "answers": {"unit_0": value, "unit_1": "5"}, "receipt": RECEIPT})
    answer = app.test_client().post("/api/v1/responses", data=body, content_type="application/json")
    assert answer.status_code in {201, 400, 422}, answer.json


def test_a_number_may_be_sent_as_a_number(app, engine, settings):
    with engine.begin() as connection:
        survey = a_survey(connection, a_book(a_row("integer", "age"), a_row("decimal", "hours")), code="numbers")
        (code,) = some_codes(connection, survey, 1, settings.pepper)
    assert hand_in(app, code, {"age": 33, "hours": 1.5}).status_code == 201
    assert [row.answers for row in kept(engine)] == [{"age": 33, "hours": "1.5"}]


def test_another_site_cannot_hand_in_through_a_visitors_browser(app, codes):
    assert hand_in(app, codes[0], Origin="https://evil.example").status_code == 403


def test_guessing_by_the_api_meets_the_same_cap(app, codes):
    app.extensions[KEY].answering.booths.caps.typed = FailureCap(5, lambda: 0.0)
    statuses = [hand_in(app, UNKNOWN).status_code for _ in range(8)]
    assert statuses == [410] * 5 + [429] * 3
    assert app.test_client().post("/survey", data={"do": "enter", "code": codes[0]}).status_code == 429


def test_neither_code_nor_receipt_is_logged(app, codes, caplog):
    caplog.set_level(logging.DEBUG)
    for answers in (ANSWERS, {"unit_0": "nine"}):
        hand_in(app, codes[0], answers)
    assert codes[0] not in caplog.text
    assert RECEIPT not in caplog.text


@pytest.fixture
def repeat_code(engine, settings):
    with engine.begin() as connection:
        return some_codes(connection, a_survey(connection, BOOKS["repeat"]), 1, settings.pepper)[0]


def test_a_repeat_is_a_list_of_objects(app, engine, repeat_code):
    matters = [{"title": "居住证", "days": 3}, {"title": "护照", "done": "2015-06-30"}]
    reply = hand_in(app, repeat_code, {"used": "yes", "matter": matters, "pleased": "no"})
    assert reply.status_code == 201
    (row,) = kept(engine)
    assert row.answers == {"used": "yes", "matter": matters, "pleased": "no", "days_total": "3"}


@pytest.mark.parametrize(
    ("matters", "path"),
    [
        ([{"title": "居住证"}, {"days": "x"}], "matter.2.days"),
        ([{"title": "居住证", "stranger": "x"}], "matter.1.stranger"),
        ([{"title": ["a", "b"]}], "matter.1.title"),
        ([{"title": {"deeper": "x"}}], "matter.1.title"),
        ([{"title": [{"deeper": "x"}]}], "matter.1.title"),
        ([{}], "matter.1.title"),
        ([{"title": "居住证"}, "x"], "matter"),
        ({"title": "居住证"}, "matter"),
        (-1, "matter"),
    ],
)
def test_what_is_wrong_in_an_entry_is_told_by_its_key(app, repeat_code, matters, path):
    reply = hand_in(app, repeat_code, {"used": "yes", "matter": matters, "pleased": "no"})
    assert reply.status_code == 422
    assert path in {one["path"] for one in reply.json["errors"]}


def test_a_picture_that_did_not_come_by_a_page_is_refused(app, engine, settings):
    with engine.begin() as connection:
        (code,) = some_codes(connection, a_survey(connection, BOOKS["image"]), 1, settings.pepper)
    reply = hand_in(app, code, {"q": "a.jpg"})
    assert (reply.status_code, reply.json["errors"][0]["path"]) == (422, "q")
    assert kept(engine) == []
