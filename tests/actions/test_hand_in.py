"""An interview's quota is asked where its answer is accepted: no way of handing in goes around it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import insert, select

from api.actions import interviews
from api.actions.quotas import PLACE_FOR, close_cell
from api.store import cases, quotas
from api.store.base import make_engine
from api.store.fieldwork import contact_attempt
from tests.actions.test_ballots import a_try, settle
from tests.fieldwork import PEPPER, now, some_traits, some_work, take

LONG_AGO = PLACE_FOR + timedelta(minutes=1)
A_MOMENT = timedelta(minutes=3)
"""Who takes a case ends the interviews that ran out: it is taken before they do, and begun after."""


def women(connection, number, places, interviewers=1):
    """A survey of women at work, and their one quota cell."""
    work = some_work(connection, number, interviewers)
    some_traits(connection, {f"M{place + 1:04}": {"sex": "f"} for place in range(number)})
    cell = {"survey_id": work.survey_id, "name_zh": "女", "name_en": "f", "traits": {"sex": "f"}, "places": places}
    return work, connection.execute(insert(quotas.quota_cell).values(cell).returning(quotas.quota_cell.c.id)).scalar()


def begin(connection, work, who=0, ago=timedelta(0)):
    file = take(connection, work, now() - max(ago, A_MOMENT), who)
    return interviews.begin(connection, PEPPER, file.case_id, {}, work.interviewers[who], now() - ago)


def outcomes(connection, case_id):
    rows = connection.execute(select(contact_attempt.c.outcome).where(contact_attempt.c.case_id == case_id))
    return list(rows.scalars())


def test_who_lost_a_place_to_another_is_not_taken_and_the_case_is_quota_filled(connection):
    work, cell = women(connection, 2, 1, 2)
    late, early = begin(connection, work, 0, LONG_AGO), begin(connection, work, 1)
    assert settle(connection, a_try(early.typed)) == ["accepted"]
    assert settle(connection, a_try(late.typed)) == ["quota_closed"]
    assert outcomes(connection, work.cases[0]) == ["4.80"]
    assert quotas.cell_numbered(connection, cell).taken == quotas.cell_numbered(connection, cell).complete == 1
    assert settle(connection, a_try(late.typed)) == ["code_refused"]


def test_a_place_that_was_lost_and_is_free_again_is_taken_again(connection):
    work, cell = women(connection, 2, 1, 2)
    late, early = begin(connection, work, 0, LONG_AGO), begin(connection, work, 1)
    file = cases.hold_file(connection, work.cases[1])
    assert not interviews.settle(connection, file, now())
    assert settle(connection, a_try(early.typed)) == ["code_refused"]
    close_cell(connection, work.survey_id, cell, "soft", "够了", work.office, now())  # who has begun may end
    assert settle(connection, a_try(late.typed)) == ["accepted"]
    assert quotas.cell_numbered(connection, cell).taken == quotas.cell_numbered(connection, cell).complete == 1


def test_what_was_handed_in_keeps_its_place_though_nobody_has_noticed(connection):
    work, cell = women(connection, 2, 1, 2)
    first = begin(connection, work, 0, PLACE_FOR - timedelta(minutes=1))
    assert settle(connection, a_try(first.typed)) == ["accepted"]
    file = take(connection, work, who=1)
    later = now() + timedelta(minutes=10)
    assert interviews.begin(connection, PEPPER, file.case_id, {}, work.interviewers[1], later) == "full"
    assert quotas.cell_numbered(connection, cell).complete == 1


def test_after_a_hard_close_no_program_hands_in_either_and_a_repeated_receipt_is_told_so(connection):
    work, cell = women(connection, 2, 2, 2)
    codes = [begin(connection, work, who) for who in range(2)]
    done = a_try(codes[0].typed, "a receipt of twenty letters")
    assert settle(connection, done) == ["accepted"]
    close_cell(connection, work.survey_id, cell, "hard", "截止", work.office, now())
    assert settle(connection, done, a_try(codes[1].typed)) == ["repeated", "quota_closed"]
    assert outcomes(connection, work.cases[1]) == ["4.80"]
    assert quotas.cell_numbered(connection, cell).taken == 1


def test_fifty_hand_ins_at_once_leave_no_cell_overshot(engine):
    with engine.begin() as connection:
        work, cell = women(connection, 50, 25, 50)
        late = [begin(connection, work, who, LONG_AGO) for who in range(25)]
        early = [begin(connection, work, who) for who in range(25, 50)]
    wide, together = make_engine(engine.url.render_as_string(hide_password=False), pool_size=50), Barrier(50)

    def hand_in(code):
        together.wait()
        with wide.begin() as connection:
            return settle(connection, a_try(code.typed))[0]

    with ThreadPoolExecutor(50) as pool:
        told = list(pool.map(hand_in, [*late, *early]))
    wide.dispose()
    assert told == ["quota_closed"] * 25 + ["accepted"] * 25
    with engine.begin() as connection:
        assert quotas.cell_numbered(connection, cell).taken == quotas.cell_numbered(connection, cell).complete == 25
        assert [one.outcome for one in cases.outcomes_of(connection, work.survey_id)].count("1.1") == 25
