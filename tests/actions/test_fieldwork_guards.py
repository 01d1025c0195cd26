"""What fieldwork refuses: after the end, another's key, a plan that strands its cases; whose an interview was."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from api.actions import attempts, fieldwork, interviews, reserves
from api.store import cases
from survey_forms.refusal import Refused
from tests.fieldwork import PEPPER, PLAN, a_key, now, sent, some_work, take

HOUR = timedelta(hours=1)


def refusal(act):
    with pytest.raises(Refused) as refused:
        act()
    return [(one.code, one.path) for one in refused.value.faults]


def freeze(connection, work):
    connection.execute(
        text("UPDATE office.round SET status = 'frozen', frozen_by = :who, frozen_at = now()"), {"who": work.office}
    )


def test_after_the_freeze_nothing_of_the_fieldwork_changes(connection):
    work = some_work(connection, 2)
    file, staff = take(connection, work), work.interviewers[0]
    first = sent(file.case_id)
    fieldwork.record(connection, first, staff, now())
    file = take(connection, work)
    wish = fieldwork.Wish(a_key(), file.case_id, now() + HOUR, now() + 2 * HOUR)
    freeze(connection, work)
    for act in (
        lambda: fieldwork.record(connection, sent(file.case_id), staff, now()),
        lambda: fieldwork.appoint(connection, wish, staff, now()),
        lambda: fieldwork.hand_back(connection, file.case_id, staff, now()),
        lambda: fieldwork.set_plan(connection, work.survey_id, PLAN, work.office, now()),
        lambda: fieldwork.leave_web(connection, work.survey_id, work.office, now()),
        lambda: interviews.begin(connection, PEPPER, file.case_id, {}, staff, now()),
        lambda: reserves.release_next(connection, work.survey_id, work.cases[0], work.office, now()),
    ):
        assert refusal(act) == [("fieldwork_over", "")]
    assert fieldwork.record(connection, first, staff, now()).attempts == 1  # sent again: it is written already


def test_an_attempt_may_be_told_after_the_surveys_end_until_the_freeze_and_no_plan_changes_then(connection):
    work = some_work(connection, 1)
    file, staff = take(connection, work), work.interviewers[0]
    connection.execute(text("UPDATE office.survey SET closes_at = now() - interval '1 minute'"))
    assert refusal(lambda: interviews.begin(connection, PEPPER, file.case_id, {}, staff, now())) == [
        ("fieldwork_not_open", "")
    ]
    assert refusal(lambda: fieldwork.set_plan(connection, work.survey_id, PLAN, work.office, now())) == [
        ("fieldwork_over", "")
    ]
    assert fieldwork.record(connection, sent(file.case_id), staff, now()).attempts == 1


def test_a_plan_cannot_leave_out_a_mode_in_which_cases_wait_for_their_last_chance(connection):
    work = some_work(connection, 2)  # telephone, then visits
    only_web = replace(PLAN, modes=("web",))
    with pytest.raises(Refused) as refused:
        fieldwork.set_plan(connection, work.survey_id, only_web, work.office, now())
    assert [(one.code, one.path, one.facts) for one in refused.value.faults] == [
        ("fieldwork_mode_in_use", "modes", {"mode": "phone", "number": 2})
    ]
    assert cases.numbers_by_stage(connection, work.survey_id) == {"phone": 2}
    fieldwork.set_plan(connection, work.survey_id, replace(PLAN, modes=("visit",)), work.office, now())
    assert cases.numbers_by_stage(connection, work.survey_id) == {"visit": 2}


@pytest.mark.parametrize("key", ["", "k", "A" * 32, "a" * 31, "a" * 33, "backcheck-1", "g" * 32, "a" * 32 + "\n"])
def test_the_key_of_an_attempt_is_drawn_as_the_page_draws_it(connection, key):
    work = some_work(connection, 1)
    file, staff = take(connection, work), work.interviewers[0]
    wish = fieldwork.Wish(key, file.case_id, now() + HOUR, now() + 2 * HOUR)
    attempt = sent(file.case_id, key=key)
    assert refusal(lambda: fieldwork.record(connection, attempt, staff, now())) == [("attempt_key_unfit", "key")]
    assert refusal(lambda: fieldwork.appoint(connection, wish, staff, now())) == [("attempt_key_unfit", "key")]


def test_an_attempt_is_never_lost_to_another_with_its_key(connection):
    work = some_work(connection, 2, 2)
    first, other = take(connection, work), take(connection, work, who=1)
    attempt = sent(first.case_id)
    attempts.write(connection, first, attempt, None, now(), now(), now())
    attempts.write(connection, first, attempt, None, now(), now(), now())  # the same again
    for file, outcome in ((first, "4.80"), (other, attempt.outcome)):
        twin = replace(attempt, case_id=file.case_id, outcome=outcome)
        assert refusal(lambda f=file, t=twin: attempts.write(connection, f, t, None, now(), now(), now())) == [
            ("attempt_key_unfit", "key")
        ]
    assert connection.execute(text("SELECT count(*) FROM roll.contact_attempt")).scalar() == 1


def test_an_interview_that_was_left_is_broken_off_once_and_under_the_name_of_who_left_it(connection):
    work = some_work(connection, 1, 2)
    file = take(connection, work)
    interviews.begin(connection, PEPPER, file.case_id, {}, work.interviewers[0], now())
    connection.execute(  # as it is when more were left than the next who asks settles at once
        text("UPDATE roll.case_file SET held_by = :who, held_until = now() + interval '1 hour'"),
        {"who": work.interviewers[1]},
    )
    for _ in range(2):
        assert not interviews.settle(connection, cases.hold_file(connection, file.case_id), now())
    assert cases.file_of(connection, file.case_id).interview is None
    told = connection.execute(text("SELECT staff_id FROM office.audit WHERE act = 'interview_broken_off'")).scalars()
    assert list(told) == [work.interviewers[0]]
