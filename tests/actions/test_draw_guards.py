"""What nobody at the office can do with a draw: find out where it leads, shield a site from it, undo a visit alone."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from api.actions.assignment_seals import open_goal
from api.actions.assignments import Work, assign, open_due
from api.actions.crew_changes import note_refusal, replace_inspector, withdraw_assignment
from api.actions.directories import declare_recusal, withdraw_inspector
from api.actions.inspection_draws import commit, draw_inspection
from api.actions.inspection_items import rate_of
from api.actions.inspection_plan import plan_document, working_days
from api.actions.inspections import CheckInSent, check_in
from api.store import acts_about, people
from api.store.crews import crews_of, row_numbered, rows_of_draw
from api.store.inspection_overview import days_shown, sites_shown
from api.store.sites import site
from survey_forms.inspection.mornings import morning_of
from survey_forms.refusal import Refused
from tests.double_random import COMMITTED, DRAWN, FRIDAY, MONDAY, RANDOMNESS, SECRET_KEY, a_directory, a_draw, said


@pytest.fixture
def directory(connection):
    return a_directory(connection)


def leader_of(connection, row) -> int:
    return crews_of(connection, [row.id])[row.id][0].staff_id


def unit_of(connection, row) -> int:
    where = open_goal(SECRET_KEY, row.id, row.sealed).site_id
    return connection.execute(select(site.c.unit_id).where(site.c.id == where)).scalar_one()


def outcome(connection, row, office, at) -> str | int:
    """Who comes, or the code of the refusal; undone."""
    leader = leader_of(connection, row)
    tried = connection.begin_nested()
    try:
        return replace_inspector(connection, row.id, leader, "生病", SECRET_KEY, office, at)
    except Refused as refused:
        return refused.code
    finally:
        tried.rollback()


@pytest.mark.parametrize("by", ["recusal", "withdrawal"])
def test_a_directory_changed_after_the_draw_asks_the_seal_nothing(connection, directory, by):
    office = directory.town.office
    rows = rows_of_draw(connection, a_draw(connection, directory))
    before = [outcome(connection, row, office, DRAWN) for row in rows]
    for hand in directory.inspectors:
        if by == "recusal":
            declare_recusal(connection, hand, directory.town.unit_id, "回避", office, DRAWN)
        elif hand != directory.inspectors[0]:
            withdraw_inspector(connection, hand, office, DRAWN)
    assert [outcome(connection, row, office, DRAWN) for row in rows] == before


def test_once_the_seal_is_open_a_recusal_bites(connection, directory):
    office = directory.town.office
    row = min(rows_of_draw(connection, a_draw(connection, directory)), key=lambda one: one.day)
    unit = unit_of(connection, row)
    for hand in directory.inspectors:
        declare_recusal(connection, hand, unit, "回避", office, DRAWN)
    morning = morning_of(row.day)
    open_due(connection, SECRET_KEY, morning)
    assert outcome(connection, row, office, morning) == "stand_in_nobody"


def test_every_sealed_word_is_as_long_as_every_other(connection, directory):
    office, other = directory.town.office, directory.town.unit_id
    draw_id = a_draw(connection, directory)
    for hand in directory.inspectors[2:4]:
        declare_recusal(connection, hand, other, "回避", office, DRAWN)
    open_due(connection, SECRET_KEY, morning_of(FRIDAY))
    hidden = set()
    for row in rows_of_draw(connection, draw_id):
        try:
            with connection.begin_nested():
                replace_inspector(connection, row.id, leader_of(connection, row), "生病", SECRET_KEY, office, DRAWN)
        except Refused:
            continue
        hidden.add(unit_of(connection, row) == other)
    told = acts_about.of_draw(connection, draw_id, ("inspector_replaced",))
    assert hidden == {True, False}
    assert len({len(one.about["barred"]) for one in told}) == 1


def test_a_refused_replacement_is_kept(connection, directory):
    row = rows_of_draw(connection, a_draw(connection, directory))[0]
    note_refusal(connection, row.id, directory.inspectors[0], "stand_in_nobody", directory.town.office, DRAWN)
    last = people.acts(connection, 1)[0]
    assert (last.act, last.about["code"]) == ("inspector_replacement_refused", "stand_in_nobody")


@pytest.mark.parametrize(("share", "code"), [("0", "inspection_plan_raised_low"), ("100", None)])
def test_a_complaint_never_takes_a_site_out_of_the_draw(connection, directory, share, code):
    target = directory.sites[3]  # of class D, all of which are drawn
    raised = said(directory, raised={target: "群众来信"}, raised_rate=rate_of(share, "0", ""))
    if code is None:
        assert commit(connection, raised, SECRET_KEY, directory.town.office, COMMITTED)
        return
    with pytest.raises(Refused) as refused:
        commit(connection, raised, SECRET_KEY, directory.town.office, COMMITTED)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_work_made_by_hand_takes_no_site_out_of_the_draw(connection, directory):
    target, hand, day = directory.sites[3], directory.inspectors[1], date(2026, 11, 20)
    work = Work(target, (hand,), day, "patrol", announced=True, item_id=directory.item_id)
    key = assign(connection, work, SECRET_KEY, directory.town.office, COMMITTED)
    check_in(connection, CheckInSent(uuid4(), uuid4(), key, (), COMMITTED, "顺路看看"), hand, COMMITTED)
    visits = {one["id"]: one["visits"] for one in plan_document(connection, said(directory))["sites"]}
    assert visits[str(target)] == 0


def test_work_made_by_hand_steers_no_crew(connection, directory):
    """Patrols for everybody but two friends, called off once the plan is committed, would leave the friends alone."""
    office = directory.town.office
    plan = said(directory)
    everybody = tuple(directory.inspectors[2:])
    days = [day for day in working_days(plan) for _ in range(plan.a_day)]
    made = [
        assign(connection, Work(directory.sites[0], everybody, day, "patrol"), SECRET_KEY, office, COMMITTED)
        for day in days
    ]
    draw_id = commit(connection, plan, SECRET_KEY, office, COMMITTED)
    for key in made:
        withdraw_assignment(connection, key, "取消", office, COMMITTED)
    draw_inspection(connection, draw_id, RANDOMNESS, SECRET_KEY, directory.town.second_office, DRAWN)
    drawn = crews_of(connection, [row.id for row in rows_of_draw(connection, draw_id)])
    assert {one.staff_id for crew in drawn.values() for one in crew} == set(directory.inspectors)


def test_sites_that_nobody_could_go_to_are_named_when_the_plan_is_committed(connection, directory):
    for hand in directory.inspectors[1:]:
        declare_recusal(connection, hand, directory.town.unit_id, "回避", directory.town.office, COMMITTED)
    draw_id = commit(connection, said(directory), SECRET_KEY, directory.town.office, COMMITTED)
    act = acts_about.of_draw(connection, draw_id, ("inspection_plan_committed",))[0]
    own = connection.execute(select(site.c.id).where(site.c.unit_id == directory.town.unit_id)).scalars()
    assert sorted(act.about["unreachable"]["recusal"], key=int) == sorted(map(str, own), key=int)


def test_from_its_morning_on_two_people_withdraw_an_assignment(connection, directory):
    office, second = directory.town.office, directory.town.second_office
    row = rows_of_draw(connection, a_draw(connection, directory))[0]
    at = morning_of(row.day)
    assert not withdraw_assignment(connection, row.id, "车辆故障", office, at)
    assert row_numbered(connection, row.id).withdrawn_at is None
    with pytest.raises(Refused, match="withdrawal_same_person"):
        withdraw_assignment(connection, row.id, "车辆故障", office, at + timedelta(hours=1))
    assert withdraw_assignment(connection, row.id, "属实", second, at + timedelta(hours=2))
    assert row_numbered(connection, row.id).withdrawn_at == at + timedelta(hours=2)
    last = people.acts(connection, 1)[0]
    assert (last.act, last.about["asked_by"]) == ("assignment_withdrawn", office)


def test_unannounced_work_made_by_hand_shows_on_no_map_before_its_day_is_over(connection, directory):
    work = Work(directory.sites[0], tuple(directory.inspectors[1:3]), MONDAY, "special")
    assign(connection, work, SECRET_KEY, directory.town.office, DRAWN)
    evaluation = directory.town.evaluation_id

    def shown(today: date) -> tuple[int, int, int]:
        open_due(connection, SECRET_KEY, morning_of(today))
        due = sum(one.due for one in sites_shown(connection, evaluation, today))
        day = days_shown(connection, evaluation, MONDAY, MONDAY, today)[MONDAY]
        return due, day.sealed, day.missed

    assert shown(MONDAY) == (0, 1, 0)
    assert shown(MONDAY + timedelta(days=1)) == (1, 0, 1)
