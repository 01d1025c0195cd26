"""A reserve takes a lost case's place: the next in line, once, after the last word on its predecessor."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from api.actions.fieldwork import open_files, set_plan
from api.actions.reserves import release_next
from api.store import draws, fieldwork, listed, people, reserves, roll
from survey_forms.fieldwork.plan import Plan
from survey_forms.refusal import Refused
from tests.draws import AFTER, a_frame, drawn
from tests.frames import a_registry


@pytest.fixture
def framed(connection, tmp_path):
    registry = a_registry(tmp_path)
    found = a_frame(connection, registry)
    drawn(connection, registry, found)
    set_plan(connection, found.survey.id, Plan(script_zh="您好"), found.staff, AFTER)
    open_files(connection, found.survey.id, AFTER)
    return found


def case_at(connection, stratum: str, position: int):
    return connection.execute(
        select(roll.case).where(roll.case.c.stratum == stratum, roll.case.c.position == position)
    ).one()


def ended(connection, case_id: int, outcome: str | None = "2.11", attempts: int = 1) -> None:
    connection.execute(
        update(fieldwork.case_file)
        .where(fieldwork.case_file.c.case_id == case_id)
        .values(stage="done", outcome=outcome, attempts=attempts)
    )


def refused(connection, framed, case_id) -> str:
    with pytest.raises(Refused) as caught:
        release_next(connection, framed.survey.id, case_id, framed.staff, AFTER)
    return caught.value.code


def test_the_next_in_line_of_the_same_stratum_is_let_out_and_gets_a_file(connection, framed):
    first, second = case_at(connection, "huli", 3), case_at(connection, "huli", 9)
    for lost, position in ((first, 31), (second, 32)):
        ended(connection, lost.id)
        reserve = release_next(connection, framed.survey.id, lost.id, framed.staff, AFTER)
        kept = case_at(connection, "huli", position)
        assert (kept.id, kept.predecessor_id, kept.released_by) == (reserve, lost.id, framed.staff)
        file = connection.execute(select(fieldwork.case_file).where(fieldwork.case_file.c.case_id == reserve)).one()
        assert file.stage == "web"
    sample = listed.cases_of(connection, framed.survey.id)
    assert len(sample) == 62  # both the lost and their replacements are cases
    assert all(one.contact for one in sample)
    acts = [one for one in people.acts(connection, 20) if one.act == "reserve_released"]
    assert [one.about["predecessor"] for one in acts] == [second.id, first.id]
    found = draws.draw_of(connection, framed.frame_id)
    assert reserves.reserves_of(connection, found.id) == {"huli": (4, 2), "siming": (4, 0)}
    assert [(one.stratum, one.position, one.predecessor) for one in reserves.releases_of(connection, found.id)] == [
        ("huli", 31, first.member),
        ("huli", 32, second.member),
    ]


def test_nobody_is_replaced_before_their_file_is_closed_nor_after_an_interview(connection, framed):
    lost = case_at(connection, "siming", 1)
    assert refused(connection, framed, lost.id) == "reserve_predecessor_open"
    ended(connection, lost.id, None, attempts=0)  # closed, but nobody ever tried
    assert refused(connection, framed, lost.id) == "reserve_predecessor_open"
    assert reserves.lost_of(connection, draws.draw_of(connection, framed.frame_id).id, 9) == []
    ended(connection, lost.id, "1.1")
    assert refused(connection, framed, lost.id) == "reserve_predecessor_answered"
    assert refused(connection, framed, case_at(connection, "siming", 31).id) == "reserve_not_released"
    assert refused(connection, framed, 999_999) == "not_found"


def test_a_case_is_replaced_once_and_its_replacement_can_be_lost_too(connection, framed):
    lost = case_at(connection, "siming", 1)
    ended(connection, lost.id)
    replacement = release_next(connection, framed.survey.id, lost.id, framed.staff, AFTER)
    assert refused(connection, framed, lost.id) == "reserve_replaced_already"
    assert refused(connection, framed, replacement) == "reserve_predecessor_open"
    ended(connection, replacement, "3.11")
    assert release_next(connection, framed.survey.id, replacement, framed.staff, AFTER) == (
        case_at(connection, "siming", 32).id
    )


def test_a_stratum_without_reserves_gives_none(connection, framed):
    for position in range(1, 5):
        lost = case_at(connection, "huli", position)
        ended(connection, lost.id)
        assert release_next(connection, framed.survey.id, lost.id, framed.staff, AFTER)
    lost = case_at(connection, "huli", 5)
    ended(connection, lost.id)
    assert release_next(connection, framed.survey.id, lost.id, framed.staff, AFTER) is None


def test_lost_cases_that_are_replaced_at_once_get_different_reserves(engine, tmp_path):
    registry = a_registry(tmp_path)
    with engine.begin() as connection:
        framed = a_frame(connection, registry)
        drawn(connection, registry, framed)
        set_plan(connection, framed.survey.id, Plan(script_zh="您好"), framed.staff, AFTER)
        losts = [case_at(connection, "huli", position).id for position in range(1, 7)]
        for lost in losts:
            ended(connection, lost)

    def release(case_id: int) -> int | None:
        with engine.begin() as session:
            return release_next(session, framed.survey.id, case_id, framed.staff, AFTER)

    with ThreadPoolExecutor(6) as people_:
        released = list(people_.map(release, losts))
    given = [one for one in released if one]
    assert len(given) == len(set(given)) == 4
    assert released.count(None) == 2
