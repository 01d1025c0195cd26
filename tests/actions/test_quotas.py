"""Quotas are never overshot, whoever starts, stops, forgets or closes; real PostgreSQL, real threads."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from api.actions import quotas
from api.actions.quota_sheet import set_cells
from api.store import fieldwork, people
from api.store.base import make_engine
from api.store.evaluations import round_
from api.store.quotas import cell_numbered, cells_of, quota_place
from survey_forms.refusal import Refused
from tests.supervision import MORNING as NOW
from tests.supervision import a_cell, a_field

LATER = NOW + quotas.PLACE_FOR + timedelta(minutes=1)


def women(number):
    return [{"sex": "f", "age": "18-34"}] * number


def take(connection, field, number, now=NOW, **traits):
    asked = {"sex": "f", "age": "18-34"} | traits
    return quotas.take_place(connection, field.survey.id, field.cases[number], asked, now)


@pytest.fixture
def wide_engine(engine):
    made = make_engine(engine.url.render_as_string(hide_password=False), pool_size=50, max_overflow=0)
    yield made
    made.dispose()


def test_fifty_who_start_at_once_take_exactly_the_twenty_places(wide_engine):
    with wide_engine.begin() as connection:
        field = a_field(connection, women(50))
        cell = a_cell(connection, field.survey.id, 20, sex="f")
    together = Barrier(50)

    def start(number):
        together.wait()
        with wide_engine.begin() as connection:
            return take(connection, field, number)

    with ThreadPoolExecutor(50) as pool:
        told = list(pool.map(start, range(50)))
    with wide_engine.begin() as connection:
        stored = connection.execute(select(func.count()).select_from(quota_place)).scalar_one()
        assert cell_numbered(connection, cell).taken == stored == told.count(True) == 20
        assert told.count(False) == 30


def test_fifty_who_start_stop_forget_and_end_never_overshoot_and_lose_no_place(wide_engine):
    """Two cells that overlap, so that a start needs places in both; every third interview is forgotten."""
    with wide_engine.begin() as connection:
        field = a_field(connection, women(150))
        cells = [a_cell(connection, field.survey.id, 20, sex="f"), a_cell(connection, field.survey.id, 25, age="18-34")]
    together = Barrier(50)

    def work(hand):
        dice, now, filled = random.Random(hand), NOW, []
        together.wait()
        for case in field.cases[hand::50]:
            with wide_engine.begin() as connection:
                asked = {"sex": "f", "age": "18-34"}
                got = quotas.take_place(connection, field.survey.id, case, asked, now)
            fate = dice.choice(("end", "stop", "forget")) if got else "none"
            with wide_engine.begin() as connection:
                if fate == "end" and quotas.fill_place(connection, case, now):
                    filled.append(case)
                elif fate == "stop":
                    quotas.give_back(connection, case, now)
            now += quotas.PLACE_FOR
        return filled

    with ThreadPoolExecutor(50) as pool:
        filled = [case for told in pool.map(work, range(50)) for case in told]
    with wide_engine.begin() as connection:
        for cell in (cell_numbered(connection, one) for one in cells):
            live = quota_place.c.until.is_(None) | (quota_place.c.until > quota_place.c.taken_at)
            held = select(func.count()).where(quota_place.c.cell_id == cell.id, live)
            assert cell.taken == connection.execute(held).scalar_one() <= cell.places
            assert cell.complete == len(filled)
        # Whatever was forgotten can be had again: the first cell fills up to its last place.
        for number in range(150):
            take(connection, field, number, NOW + 9 * quotas.PLACE_FOR)
        assert cell_numbered(connection, cells[0]).taken == 20


def test_asking_again_takes_no_second_place(connection):
    field = a_field(connection, women(2))
    cell = a_cell(connection, field.survey.id, 5, sex="f")
    assert [take(connection, field, 0) for _ in range(3)] == [True] * 3
    assert cell_numbered(connection, cell).taken == 1


def test_a_question_that_was_not_asked_is_named(connection):
    field = a_field(connection, women(1))
    a_cell(connection, field.survey.id, 5, sex="f", age="18-34")
    with pytest.raises(Refused) as caught:
        quotas.take_place(connection, field.survey.id, field.cases[0], {"sex": "f"}, NOW)
    assert [(fault.code, fault.path) for fault in caught.value.faults] == [("quota_trait_missing", "age")]


def test_who_belongs_to_no_cell_needs_no_place(connection):
    field = a_field(connection, women(1))
    assert take(connection, field, 0) is None
    a_cell(connection, field.survey.id, 0, sex="f")
    assert take(connection, field, 0, sex="m") is None
    assert take(connection, field, 0) is False


def test_a_start_that_finds_one_of_two_cells_full_leaves_the_other_as_it_was(connection):
    field = a_field(connection, women(2))
    roomy = a_cell(connection, field.survey.id, 5, sex="f")
    tight = a_cell(connection, field.survey.id, 1, age="18-34")
    assert [take(connection, field, 0), take(connection, field, 1)] == [True, False]
    assert [cell_numbered(connection, cell).taken for cell in (roomy, tight)] == [1, 1]


def test_a_forgotten_interview_loses_its_place_only_when_another_needs_it(connection):
    field = a_field(connection, women(3))
    cell = a_cell(connection, field.survey.id, 1, sex="f")
    assert take(connection, field, 0)
    assert take(connection, field, 1) is False
    assert take(connection, field, 1, LATER) is True
    assert quotas.fill_place(connection, field.cases[0], LATER) is False
    assert cell_numbered(connection, cell).taken == 1


def test_an_interview_that_is_still_going_on_keeps_its_place(connection):
    field = a_field(connection, women(2))
    a_cell(connection, field.survey.id, 1, sex="f")
    assert take(connection, field, 0)
    assert take(connection, field, 0, NOW + timedelta(hours=1))  # the desk's pulse
    assert take(connection, field, 1, NOW + timedelta(hours=2, minutes=30)) is False


def test_what_is_complete_is_given_back_by_nobody(connection):
    field = a_field(connection, women(2))
    cell = a_cell(connection, field.survey.id, 1, sex="f")
    take(connection, field, 0)
    assert quotas.fill_place(connection, field.cases[0], NOW)
    quotas.give_back(connection, field.cases[0], NOW)
    assert take(connection, field, 1, LATER + timedelta(days=9)) is False
    assert cell_numbered(connection, cell).complete == 1


@pytest.mark.parametrize(("closing", "ends"), [("soft", True), ("hard", False)])
def test_a_soft_close_lets_interviews_end_and_a_hard_one_does_not(connection, closing, ends):
    field = a_field(connection, women(2))
    cell = a_cell(connection, field.survey.id, 5, sex="f")
    take(connection, field, 0)
    quotas.close_cell(connection, field.survey.id, cell, closing, "够了", field.interviewers[0], NOW)
    assert take(connection, field, 0) is ends
    assert take(connection, field, 1) is False
    quotas.reopen_cell(connection, field.survey.id, cell, "还差几位", field.interviewers[0], NOW)
    assert take(connection, field, 1) is True
    assert [act.act for act in people.acts(connection, 2)] == ["quota_reopened", "quota_closed"]


def test_a_close_without_a_reason_is_refused(connection):
    field = a_field(connection, women(1))
    cell = a_cell(connection, field.survey.id, 5, sex="f")
    with pytest.raises(Refused) as caught:
        quotas.close_cell(connection, field.survey.id, cell, "soft", "  ", field.interviewers[0], NOW)
    assert caught.value.code == "quota_reason_missing"


def test_no_cell_is_changed_by_the_number_of_another_survey(connection):
    field, other = a_field(connection, women(1)), a_field(connection, women(1), code="other-2015")
    cell = a_cell(connection, other.survey.id, 5, sex="f")
    for act in (
        lambda: quotas.close_cell(connection, field.survey.id, cell, "hard", "够了", field.interviewers[0], NOW),
        lambda: quotas.reopen_cell(connection, field.survey.id, cell, "还差", field.interviewers[0], NOW),
    ):
        with pytest.raises(Refused, match="not_found"):
            act()
    assert cell_numbered(connection, cell).closed_at is None


@pytest.mark.parametrize("status", ["frozen", "published"])
def test_quotas_stay_as_they_are_once_the_round_is_frozen(connection, status):
    field = a_field(connection, women(1))
    cell = a_cell(connection, field.survey.id, 5, sex="f")
    connection.execute(update(round_).values(status=status))
    sheet = "名称,英文名,特征,名额\n女,f,sex=f,9\n".encode()
    for act in (
        lambda: quotas.close_cell(connection, field.survey.id, cell, "soft", "够了", field.interviewers[0], NOW),
        lambda: quotas.reopen_cell(connection, field.survey.id, cell, "还差", field.interviewers[0], NOW),
        lambda: set_cells(connection, field.survey.id, sheet, field.interviewers[0], NOW),
    ):
        with pytest.raises(Refused, match="quota_round_over"):
            act()
    assert cell_numbered(connection, cell).places == 5


def test_the_desk_calls_first_whom_the_least_filled_cell_lacks(connection):
    field = a_field(connection, [{"sex": "f"}, {"sex": "m"}, {"sex": "f"}, {"sex": "x"}])
    a_cell(connection, field.survey.id, 2, sex="f")
    a_cell(connection, field.survey.id, 4, sex="m")
    take(connection, field, 0, sex="f")
    quotas.fill_place(connection, field.cases[0], NOW)
    take(connection, field, 1, sex="m")
    quotas.fill_place(connection, field.cases[1], NOW)
    files = fieldwork.case_file
    rows = connection.execute(select(files.c.case_id, files.c.priority).where(files.c.survey_id == field.survey.id))
    urgent = dict(row for row in rows)
    assert [urgent[case] for case in field.cases] == [50, 75, 50, 0]
    assert [cell.priority for cell in cells_of(connection, field.survey.id)] == [50, 75]
