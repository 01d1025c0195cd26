"""Taking cases against a real PostgreSQL: the order is the rule's, and no case is ever in two hands."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Engine, select, text, update

from api.actions import fieldwork
from api.store import cases, taking
from api.store.base import make_engine
from api.store.fieldwork import add_attempt, case_file, contact_attempt
from survey_forms.fieldwork.order import Waiting, next_case, parts_of
from tests.fieldwork import PLAN, an_appointment, now, sent, some_work, take

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INTERVIEWERS, CASES = 50, 200


@pytest.fixture
def many(engine) -> Iterator[Engine]:
    """A connection for each of fifty interviewers."""
    made = make_engine(engine.url.render_as_string(hide_password=False), pool_size=INTERVIEWERS)
    yield made
    made.dispose()


def test_fifty_interviewers_at_once_work_two_hundred_cases_each_once(many):
    with many.begin() as connection:
        work = some_work(connection, CASES, INTERVIEWERS, replace(PLAN, most_calls=1, modes=("phone",)))
    together, hands, mistakes = threading.Barrier(INTERVIEWERS), Counter(), []
    in_hand, guard = set(), threading.Lock()

    def interviewer(who: int) -> int:
        together.wait(60)
        worked = 0
        while True:
            with many.begin() as connection:
                file = fieldwork.take(connection, work.survey_id, "phone", work.interviewers[who], now())
            if file is None:
                return worked
            with guard:
                if file.case_id in in_hand:
                    mistakes.append(file.case_id)
                in_hand.add(file.case_id)
            with many.begin() as connection:
                fieldwork.record(connection, sent(file.case_id, "3.13"), work.interviewers[who], now())
                with guard:  # before the commit: from then on it might be another's
                    in_hand.discard(file.case_id)
                    hands[file.case_id] += 1
            worked += 1

    with ThreadPoolExecutor(INTERVIEWERS) as threads:
        worked = list(threads.map(interviewer, range(INTERVIEWERS)))
    assert mistakes == []
    assert sum(worked) == CASES
    assert hands == Counter(dict.fromkeys(work.cases, 1))
    with many.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM roll.contact_attempt")).scalar() == CASES
        assert cases.numbers_by_stage(connection, work.survey_id) == {"done": CASES}


def test_fifty_interviewers_who_only_take_get_fifty_cases(many):
    with many.begin() as connection:
        work = some_work(connection, CASES, INTERVIEWERS)
    together = threading.Barrier(INTERVIEWERS)

    def press(who: int) -> int:
        together.wait(60)
        with many.begin() as connection:
            return take(connection, work, who=who).case_id

    with ThreadPoolExecutor(INTERVIEWERS) as threads:
        taken = list(threads.map(press, range(INTERVIEWERS)))
    assert len(set(taken)) == INTERVIEWERS
    assert set(taken) <= set(work.cases)


def test_one_interviewer_who_presses_ten_times_at_once_holds_one_case(engine):
    with engine.begin() as connection:
        work = some_work(connection, 20)

    def press(_: int) -> int:
        with engine.begin() as connection:
            return take(connection, work).case_id

    with ThreadPoolExecutor(10) as threads:
        assert len(set(threads.map(press, range(10)))) == 1


def test_a_hold_that_ran_out_is_offered_again_and_the_first_holder_can_do_no_more(connection):
    work = some_work(connection, 1, 2)
    at = now()
    file = take(connection, work, at)
    assert fieldwork.take(connection, work.survey_id, "phone", work.interviewers[1], at) is None
    later = at + timedelta(minutes=PLAN.hold_minutes)
    assert take(connection, work, later, who=1).case_id == file.case_id
    with pytest.raises(fieldwork.Refused, match="case_not_held"):
        fieldwork.record(connection, sent(file.case_id), work.interviewers[0], later)


def test_an_attempt_told_late_counts_while_nobody_else_has_the_case(connection):
    work = some_work(connection, 1)
    at = now()
    file = take(connection, work, at)
    late = at + timedelta(minutes=PLAN.hold_minutes + 1)
    assert fieldwork.record(connection, sent(file.case_id), work.interviewers[0], late).attempts == 1


def test_a_sign_of_life_renews_the_hold_and_cannot_bring_a_lost_one_back(connection):
    work = some_work(connection, 1, 2)
    at = now()
    file = take(connection, work, at)
    for minute in range(0, 60, PLAN.hold_minutes - 1):
        fieldwork.beat(connection, file.case_id, work.interviewers[0], at + timedelta(minutes=minute))
    late = at + 3 * HOUR
    with pytest.raises(fieldwork.Refused, match="case_not_held"):
        fieldwork.beat(connection, file.case_id, work.interviewers[0], late)
    assert take(connection, work, late, who=1).case_id == file.case_id


def test_the_database_chooses_as_the_rule_does(connection):
    work = some_work(connection, 12)
    chance, staff, plan = Random(20260706), work.interviewers[0], replace(PLAN, calls_from=8 * 60, calls_until=20 * 60)
    at = now()
    offered, past = 0, {case_id: [] for case_id in work.cases}
    for _ in range(60):
        at += timedelta(minutes=chance.randrange(10, 400))
        connection.execute(text("DELETE FROM roll.appointment"))
        waiting = [_placed(connection, case_id, at, chance, past[case_id], staff=staff) for case_id in work.cases]
        rule = next_case([one for one in waiting if one], at, plan)
        calling = fieldwork.may_call(at, plan)
        found = taking.take_next(connection, work.survey_id, "phone", staff, calling=calling, now=at, until=at + HOUR)
        assert found == (rule.case_id if rule else None)
        offered += found is not None
    assert offered > 20


def _placed(connection, case_id: int, at, chance: Random, past: list, *, staff: int) -> Waiting | None:
    """Give a case some past, and tell it as the rule knows it; None while somebody holds it."""
    held = chance.random() < 0.2
    began = [at - timedelta(hours=chance.randrange(1, 200)) for _ in range(max(0, chance.randrange(-3, 2)))]
    past += began
    waits = chance.choice([None, at - HOUR, at + HOUR])
    priority = chance.randrange(3)
    connection.execute(
        update(case_file)
        .where(case_file.c.case_id == case_id)
        .values(
            attempts=len(past),
            not_before=waits,
            priority=priority,
            held_by=staff if held else None,
            held_until=at + HOUR if held else None,
        )
    )
    for place, begins in enumerate(began):
        add_attempt(
            connection,
            {
                "case_id": case_id,
                "key": f"{case_id}/{at.timestamp()}/{place}",
                "mode": "phone",
                "outcome": "3.13",
                "began_at": begins,
                "ended_at": begins,
            },
        )
    live, booked = None, False
    if chance.random() < 0.3:
        begins, ends = at + chance.choice([-HOUR, HOUR]), at + chance.choice([2 * HOUR, 3 * HOUR])
        mine = chance.choice([None, staff])
        an_appointment(connection, case_id, begins, ends_at=ends, for_staff=mine)
        live, booked = (ends if begins <= at else None), True
    ticket = connection.execute(text('SELECT ticket FROM roll."case" WHERE id = :id'), {"id": case_id}).scalar()
    return None if held else Waiting(case_id, ticket, priority, waits, live, booked, parts_of(past))


def test_an_appointment_comes_first_waits_for_its_hour_and_for_whom_it_was_made(connection):
    work = some_work(connection, 3, 2)
    at, (first, second) = now(), work.interviewers
    last = work.cases[-1]
    an_appointment(connection, last, at + HOUR, for_staff=first)
    early = {take(connection, work, at, who=1).case_id}
    fieldwork.hand_back(connection, *early, second, at)
    assert last not in early
    assert take(connection, work, at + HOUR, who=1).case_id != last
    assert take(connection, work, at + HOUR, who=0).case_id == last


def test_a_case_that_answered_on_the_web_is_never_offered(connection):
    work = some_work(connection, 2)
    mac = b"m" * 32
    connection.execute(
        text("INSERT INTO roll.access_code (mac, survey_id, stratum, spent) VALUES (:mac, :survey, 'siming', true)"),
        {"mac": mac, "survey": work.survey_id},
    )
    connection.execute(
        text("INSERT INTO roll.case_code (mac, case_id) VALUES (:mac, :case)"), {"mac": mac, "case": work.cases[0]}
    )
    assert take(connection, work).case_id == work.cases[1]
    told = {one.case_id: one.outcome for one in cases.outcomes_of(connection, work.survey_id)}
    assert told == {work.cases[0]: "1.1", work.cases[1]: "3.11"}
    fieldwork.open_files(connection, work.survey_id, now())
    assert cases.numbers_by_stage(connection, work.survey_id) == {"done": 1, "phone": 1}


def test_a_case_that_was_drawn_after_the_plan_is_offered_without_anybodys_doing(connection):
    work = some_work(connection, 0)
    connection.execute(text("DELETE FROM roll.case_file"))
    connection.execute(
        text(
            """INSERT INTO roll."case" (draw_id, stratum, member, ticket, position)
               SELECT id, 'siming', 'M0001', 'ff', 1 FROM roll.draw"""
        )
    )
    assert take(connection, work).member == "M0001"


def test_outside_the_calling_hours_only_appointments_are_offered(connection):
    at = now()
    minute = (at.hour + 8) % 24 * 60 + at.minute
    begins, ends = (minute + 60, 1440) if minute < 1300 else (0, minute - 60)
    work = some_work(connection, 2, plan=replace(PLAN, calls_from=begins, calls_until=ends))
    assert fieldwork.take(connection, work.survey_id, "phone", work.interviewers[0], at) is None
    an_appointment(connection, work.cases[1], at - HOUR / 2)
    assert take(connection, work, at).case_id == work.cases[1]


def test_the_same_attempt_sent_twice_is_one(connection):
    work = some_work(connection, 1)
    file = take(connection, work)
    once = sent(file.case_id, "2.20")
    told = [fieldwork.record(connection, once, work.interviewers[0], now()) for _ in range(2)]
    assert told[0] == told[1]
    rows = connection.execute(select(contact_attempt.c.key).where(contact_attempt.c.case_id == file.case_id)).all()
    assert len(rows) == 1


def test_the_same_attempt_sent_by_twenty_requests_at_once_is_one(engine):
    with engine.begin() as connection:
        work = some_work(connection, 1)
        once = sent(take(connection, work).case_id, "2.20")

    def send(_: int) -> str:
        try:
            with engine.begin() as connection:
                return fieldwork.record(connection, once, work.interviewers[0], now()).stage
        except fieldwork.Refused as refused:
            return refused.code

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(send, range(20))) == {"phone"}
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM roll.contact_attempt")).scalar() == 1
