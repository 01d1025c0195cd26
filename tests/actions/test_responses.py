"""Accepting answers: one a code whatever is tried, nothing lost, nothing joined."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text, update

from api.actions.booths import Booths, Try
from api.actions.drafts import Draft, Drawer, keep_draft
from api.actions.responses import CODE_NAMESPACE, Submission, accept
from api.intake import Intake
from api.store import ballots, evaluations, roll
from api.transaction import Database
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import code_mac, draft_id, order_key
from tests.builders import DAY, a_survey, some_codes

PEPPER = b"a test's pepper, thirty-two bytes at least"
TODAY = date(2015, 6, 30)


def a_submission(survey, code, receipt=None, **facts):
    given = Submission(
        mac=code_mac(PEPPER, CODE_NAMESPACE, code),
        receipt_hash=sha256((receipt or secrets.token_hex(16)).encode()).digest(),
        draft_id=draft_id(PEPPER, CODE_NAMESPACE, code),
        response_id=uuid4(),
        survey_id=survey.id,
        stratum=survey.stratum,
        wcell=survey.stratum,
        form_version=survey.form_version,
        answers={"police": "good"},
        mode="web",
        day=TODAY,
    )
    return replace(given, **facts)


def count(connection, table):
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def survey(connection):
    return a_survey(connection)


@pytest.fixture
def code(connection, survey):
    return some_codes(connection, survey, 1, PEPPER)[0]


def test_an_answer_is_kept_owed_and_its_code_spent(connection, survey, code):
    submission = a_submission(survey, code)
    assert accept(connection, [submission]) == ["accepted"]
    row = connection.execute(select(ballots.response)).one()
    assert (row.id, row.survey_id, row.stratum, row.answers) == (
        submission.response_id,
        survey.id,
        "siming",
        {"police": "good"},
    )
    assert connection.execute(select(ballots.untallied.c.response_id)).scalars().all() == [row.id]
    assert connection.execute(select(roll.access_code.c.spent)).scalar_one() is True


def test_the_draft_is_forgotten_with_the_answer(connection, survey, code):
    keep_draft(connection, Drawer.of(PEPPER, code), Draft("R" * 20), survey.id, b"n" * 12, TODAY)
    accept(connection, [a_submission(survey, code)])
    assert count(connection, ballots.draft) == 0


def test_the_same_receipt_again_is_the_same_acceptance(connection, survey, code):
    assert accept(connection, [a_submission(survey, code, "receipt-1")]) == ["accepted"]
    assert accept(connection, [a_submission(survey, code, "receipt-1")]) == ["repeated"]
    assert accept(connection, [a_submission(survey, code, "receipt-2")]) == ["refused"]
    assert count(connection, ballots.response) == 1


def test_one_batch_may_hold_the_same_code_many_times(connection, survey, code):
    same = [a_submission(survey, code, "receipt-1") for _ in range(5)]
    other = [a_submission(survey, code, f"receipt-{at}") for at in range(2, 7)]
    outcomes = accept(connection, [*same, *other])
    assert outcomes.count("accepted") == 1
    assert set(outcomes) <= {"accepted", "repeated", "refused"}
    assert count(connection, ballots.response) == count(connection, ballots.untallied) == 1


def test_an_unknown_code_is_refused_and_nothing_is_kept(connection, survey):
    assert accept(connection, [a_submission(survey, "NOSUCHCODE2")]) == ["refused"]
    assert count(connection, ballots.response) == count(connection, ballots.receipt) == 0


def test_a_code_answers_for_its_own_survey_and_stratum_only(connection, survey, code):
    assert accept(connection, [a_submission(survey, code, stratum="huli")]) == ["refused"]
    assert accept(connection, [a_submission(survey, code, survey_id=survey.id + 1)]) == ["refused"]


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "draft"},
        {"status": "frozen"},
        {"status": "published"},
        {"opens": DAY, "closes": 2 * DAY},
        {"opens": -2 * DAY, "closes": -timedelta(seconds=1)},
    ],
)
def test_a_survey_that_is_not_open_refuses(connection, facts):
    survey = a_survey(connection, **facts)
    (code,) = some_codes(connection, survey, 1, PEPPER)
    assert accept(connection, [a_submission(survey, code)]) == ["refused"]
    assert connection.execute(select(roll.access_code.c.spent)).scalar_one() is False


def an_intake(engine):
    """A process's committing thread."""
    return Intake(Database(engine), Booths(PEPPER).settle)


def a_try(code, receipt=None, answers=None):
    """What a process is handed: nothing about it has been checked."""
    return Try(
        mac=code_mac(PEPPER, CODE_NAMESPACE, code),
        draft_id=draft_id(PEPPER, CODE_NAMESPACE, code),
        order_key=order_key(PEPPER, CODE_NAMESPACE, code),
        receipt_hash=sha256((receipt or secrets.token_hex(16)).encode()).digest(),
        raw={"police": "good"} if answers is None else answers,
        now=datetime.now(UTC),
    )


def outcome_of(intake, one):
    try:
        return intake.submit(one)
    except Refused as refused:
        return refused.code


def committed_survey(engine, number=1, book=None):
    with engine.begin() as connection:
        survey = a_survey(connection, book)
        return survey, some_codes(connection, survey, number, PEPPER)


def test_fifty_tries_at_once_with_one_code_through_two_processes_are_one_answer(engine):
    _, (code,) = committed_survey(engine)
    intakes = [an_intake(engine), an_intake(engine)]
    tries = [a_try(code, answers={"police": "good", "words": str(at)}) for at in range(50)]
    with ThreadPoolExecutor(50) as threads:
        outcomes = list(threads.map(lambda at: outcome_of(intakes[at % 2], tries[at]), range(50)))
    assert sorted(outcomes) == ["accepted"] + ["code_refused"] * 49
    with engine.connect() as connection:
        (row,) = connection.execute(select(ballots.response)).all()
        assert row.answers["words"] == str(outcomes.index("accepted"))
        assert count(connection, ballots.untallied) == count(connection, ballots.receipt) == 1


def test_fifty_tries_at_once_with_one_receipt_are_all_told_it_was_accepted(engine):
    _, (code,) = committed_survey(engine)
    intakes = [an_intake(engine), an_intake(engine)]
    with ThreadPoolExecutor(50) as threads:
        outcomes = list(threads.map(lambda at: outcome_of(intakes[at % 2], a_try(code, "one receipt")), range(50)))
    assert sorted(outcomes) == ["accepted"] + ["repeated"] * 49
    with engine.connect() as connection:
        assert count(connection, ballots.response) == 1


def test_many_codes_crossing_in_two_processes_are_each_one_answer(engine):
    _, codes = committed_survey(engine, 40)
    intakes = [an_intake(engine), an_intake(engine)]
    tries = [a_try(code) for code in [*codes, *reversed(codes)] * 4]
    with ThreadPoolExecutor(32) as threads:
        outcomes = list(threads.map(lambda at: outcome_of(intakes[at % 2], tries[at]), range(len(tries))))
    assert outcomes.count("accepted") == 40
    assert set(outcomes) == {"accepted", "code_refused"}
    with engine.connect() as connection:
        assert count(connection, ballots.response) == count(connection, ballots.untallied) == 40


def test_in_one_batch_each_is_settled_for_itself(engine):
    _, codes = committed_survey(engine, 3)
    batch = [
        a_try(codes[0]),
        a_try("NOSUCHCODE2"),
        a_try(codes[1], answers={"police": "nine"}),
        a_try(codes[0]),
        a_try(codes[2], "receipt-2"),
        a_try(codes[2], "receipt-2"),
    ]
    with engine.begin() as connection:
        settled = Booths(PEPPER).settle(connection, batch)
    told = [one.code if isinstance(one, Refused) else one for one in settled]
    assert told[1:3] == ["code_refused", "answer_not_a_choice"]
    assert sorted([told[0], told[3]]) == ["accepted", "code_refused"]
    assert sorted(told[4:]) == ["accepted", "repeated"]
    with engine.connect() as connection:
        assert count(connection, ballots.response) == 2


def test_one_submission_that_cannot_be_settled_does_not_spoil_its_neighbours(engine):
    _, codes = committed_survey(engine, 6)
    given = [a_try(code) for code in codes]
    given[2] = replace(given[2], raw=None)  # no caller sends it; whatever it is, only its own request may fail
    intake = an_intake(engine)
    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(intake.submit, one) for one in given]
        failed = [future.exception() is not None for future in waiting]
    assert failed == [at == 2 for at in range(6)]
    with engine.connect() as connection:
        assert count(connection, ballots.response) == 5
        assert connection.execute(select(func.count()).where(roll.access_code.c.spent)).scalar_one() == 5


def test_an_answer_after_the_database_has_hung_up_is_accepted_over_a_new_connection(engine):
    _, codes = committed_survey(engine, 2)
    intake = an_intake(engine)
    assert outcome_of(intake, a_try(codes[0])) == "accepted"
    with engine.connect() as connection:
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        mine = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(text(f"{others} {mine}")).scalars().all() == [True]
    assert outcome_of(intake, a_try(codes[1])) == "accepted"


def test_freezing_waits_for_answers_on_their_way_and_refuses_those_after(engine):
    """A freeze takes the round's lock exclusively: an answer is wholly before it or refused."""
    survey, (code,) = committed_survey(engine)
    intake = an_intake(engine)
    with engine.begin() as office, ThreadPoolExecutor(1) as threads:
        office.execute(text("SELECT pg_advisory_xact_lock(hashtext('round'), :survey)"), {"survey": survey.id})
        waiting = threads.submit(outcome_of, intake, a_try(code))
        wait_for_a_lock(engine)
        office.execute(update(evaluations.round_).values(status="frozen"))
        office.commit()
        assert waiting.result(10) == "code_refused"
    with engine.connect() as connection:
        assert count(connection, ballots.response) == 0


def wait_for_a_lock(engine):
    """Until somebody waits for an advisory lock."""
    for _ in range(500):
        with engine.connect() as connection:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            if connection.execute(text(waiting)).scalar_one():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_no_column_of_an_answer_leads_back_to_a_code(connection, survey, code):
    accept(connection, [a_submission(survey, code)])
    row = connection.execute(select(ballots.response)).one()
    code_row = connection.execute(select(roll.access_code)).one()
    alike = {str(survey.id), survey.stratum, "web", "None"}  # what every answer and every code of the stratum says
    shared = set(map(str, row)) & set(map(str, code_row)) - alike
    assert shared == set()
    times = [column.name for column in ballots.response.c if "time" in str(column.type).lower()]
    assert times == []


def test_the_codes_can_be_deleted_and_the_answers_stay(connection, survey, code):
    """At the end of a campaign: nothing holds the two together."""
    accept(connection, [a_submission(survey, code)])
    connection.execute(delete(roll.access_code))
    assert count(connection, ballots.response) == 1
