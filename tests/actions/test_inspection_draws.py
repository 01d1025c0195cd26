"""Double random against PostgreSQL: commit, draw, seal, open, replace, withdraw, publish, verify."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from api.actions.assignment_seals import open_goal
from api.actions.assignments import Work, assign, open_due
from api.actions.crew_changes import replace_inspector, withdraw_assignment
from api.actions.inspection_draws import commit, draw_inspection, publish, publish_due
from api.actions.inspections import opened
from api.store import people
from api.store.crews import crews_of, row_numbered, rows_of_draw
from api.store.directories import inspector, recusal
from api.store.inspection_draws import draw_numbered, inspection_draw, inspection_item
from api.store.inspections import assignment, crew, opened_assignments, sealed_days
from api.store.sites import site
from survey_forms.inspection.double_random_record import first_difference, record_hash
from survey_forms.inspection.mornings import last_opened, morning_of
from survey_forms.refusal import Refused
from tests.double_random import (
    COMMITTED,
    DRAWN,
    FRIDAY,
    KNOWN,
    MONDAY,
    RANDOMNESS,
    RATES,
    SECRET_KEY,
    a_directory,
    a_draw,
    said,
)

SATURDAY = morning_of(FRIDAY) + timedelta(days=1)
SEALED_TABLES = ("field.assignment", "field.crew", "field.inspection_draw", "office.audit", "owed.outbox")


@pytest.fixture
def directory(connection):
    return a_directory(connection)


def code_of(act, *facts, **named) -> str:
    with pytest.raises(Refused) as refused:
        act(*facts, **named)
    return refused.value.code


def where(row) -> int:
    return open_goal(SECRET_KEY, row.id, row.sealed).site_id


def test_a_drawn_week_goes_out_in_pairs_and_keeps_every_rule(connection, directory):
    draw_id = a_draw(connection, directory)
    rows = rows_of_draw(connection, draw_id)
    assert len(rows) == 1 + 3 + 3 + 5  # 0.2 of 5, 0.4 of 6 (the town's own hall is one), 0.6 of 5, all of 5
    assert len({where(row) for row in rows}) == len(rows)
    members = crews_of(connection, [row.id for row in rows])
    unit_of = dict(connection.execute(select(site.c.id, site.c.unit_id)).all())
    for row in rows:
        assert MONDAY <= row.day <= FRIDAY
        assert len(members[row.id]) == 2
        if unit_of[where(row)] == directory.town.unit_id:
            assert directory.inspectors[0] not in {one.staff_id for one in members[row.id]}
    loads = Counter(one.staff_id for crew_ in members.values() for one in crew_)
    assert sum(loads.values()) == 24


def test_no_column_of_any_row_holds_a_site_before_its_morning(connection, directory):
    draw_id = a_draw(connection, directory)
    rows = rows_of_draw(connection, draw_id)
    assert all(row.site_id is None for row in rows)
    connection.execute(update(inspection_draw).values(plan={}))  # the plan names all sites alike; look at all else
    dumps = {
        table: "\n".join(connection.execute(text(f"SELECT t::text FROM {table} AS t")).scalars())  # noqa: S608 - our own tables
        for table in SEALED_TABLES
    }
    names = dict(connection.execute(select(site.c.id, site.c.name_zh)).all())
    for row in rows:
        for dump in dumps.values():
            assert names[where(row)] not in dump
            assert where(row).to_bytes(8).hex() not in dump
    # As numbers: no column of an assignment but the seal differs with the site.
    columns = [column.name for column in assignment.c if column.name not in {"id", "sealed", "day", "inspector_id"}]
    assert len({tuple(getattr(row, name) for name in columns) for row in connection.execute(select(assignment))}) == 1
    assert {len(row.sealed) for row in rows} == {36}


def test_a_seal_opens_for_its_own_row_and_key_alone(connection, directory):
    one, other = rows_of_draw(connection, a_draw(connection, directory))[:2]
    assert code_of(open_goal, SECRET_KEY, other.id, one.sealed) == "assignment_seal_broken"
    assert code_of(open_goal, b"x" * 32, one.id, one.sealed) == "assignment_seal_broken"


def test_the_pair_alone_sees_its_site_from_six_in_the_morning(connection, directory):
    rows = rows_of_draw(connection, a_draw(connection, directory))
    day = min(row.day for row in rows)
    todays = [row for row in rows if row.day == day]
    pair = {one.staff_id for one in crews_of(connection, [todays[0].id])[todays[0].id]}
    someone = next(iter(pair))
    before = morning_of(day) - timedelta(seconds=1)
    assert open_due(connection, SECRET_KEY, before) == 0
    assert opened_assignments(connection, someone, last_opened(before)) == []
    assert day in sealed_days(connection, someone, last_opened(before))
    assert open_due(connection, SECRET_KEY, morning_of(day)) == len(todays)
    assert open_due(connection, SECRET_KEY, morning_of(day)) == 0
    for hand in directory.inspectors:
        seen = {one.id for one in opened_assignments(connection, hand, day)}
        assert (todays[0].id in seen) == (hand in pair)
        if hand in pair:
            assert opened(connection, todays[0].id, hand, morning_of(day)).site.id == where(todays[0])
        else:
            assert code_of(opened, connection, todays[0].id, hand, morning_of(day)) == "not_found"
    assert code_of(opened, connection, todays[0].id, directory.town.office, morning_of(day)) == "not_found"
    later = [row.site_id for row in rows_of_draw(connection, todays[0].draw_id) if row.day > day]
    assert set(later) <= {None}


def test_a_seal_that_does_not_open_lets_the_others_go(connection, directory):
    rows = rows_of_draw(connection, a_draw(connection, directory))
    connection.execute(update(assignment).where(assignment.c.id == rows[0].id).values(sealed=b"spoiled" * 6))
    assert open_due(connection, SECRET_KEY, SATURDAY) == len(rows) - 1


def test_who_commits_does_not_draw_and_nobody_draws_early_twice_or_late(connection, directory):
    town = directory.town
    draw_id = commit(connection, said(directory), SECRET_KEY, town.office, COMMITTED)
    known = timedelta(seconds=1)
    draw = (connection, draw_id, RANDOMNESS, SECRET_KEY)
    assert code_of(draw_inspection, *draw, town.second_office, KNOWN - known) == "draw_too_early"
    assert code_of(draw_inspection, *draw, town.office, DRAWN) == "draw_same_person"
    assert code_of(draw_inspection, *draw, town.second_office, morning_of(MONDAY)) == "inspection_draw_late"
    assert (
        code_of(draw_inspection, connection, draw_id, "3142718", SECRET_KEY, town.second_office, DRAWN)
        == "draw_randomness_unfit"
    )
    draw_inspection(*draw, town.second_office, DRAWN)
    assert code_of(draw_inspection, *draw, town.second_office, DRAWN) == "inspection_drawn"
    assert code_of(commit, connection, said(directory), SECRET_KEY, town.office, COMMITTED) == "inspection_drawn"


def test_a_plan_is_replaced_only_until_its_randomness_is_known(connection, directory):
    town = directory.town
    first = commit(connection, said(directory), SECRET_KEY, town.office, COMMITTED)
    second = commit(connection, said(directory, crew=3), SECRET_KEY, town.office, COMMITTED)
    late = said(directory, known_from=DRAWN + timedelta(hours=1))
    assert code_of(commit, connection, late, SECRET_KEY, town.office, DRAWN) == "inspection_plan_ripe"
    assert (
        code_of(draw_inspection, connection, first, RANDOMNESS, SECRET_KEY, town.second_office, DRAWN)
        == "inspection_replaced"
    )
    draw_inspection(connection, second, RANDOMNESS, SECRET_KEY, town.second_office, DRAWN)
    rows = rows_of_draw(connection, second)
    assert {len(one) for one in crews_of(connection, [row.id for row in rows]).values()} == {3}


def test_the_record_is_published_after_the_last_day_as_it_was_hashed_at_the_draw(connection, directory):
    draw_id = a_draw(connection, directory)
    held = draw_numbered(connection, draw_id)
    assert (held.record, len(held.record_hash)) == (None, 32)
    friday_night = morning_of(FRIDAY) + timedelta(hours=17, minutes=59)
    assert code_of(publish, connection, draw_id, SECRET_KEY, None, friday_night) == "inspection_publish_early"
    assert publish_due(connection, SECRET_KEY, friday_night) == 0
    assert publish_due(connection, SECRET_KEY, SATURDAY) == 1
    assert publish_due(connection, SECRET_KEY, SATURDAY) == 0
    record = draw_numbered(connection, draw_id).record
    assert first_difference(record) is None
    assert record_hash(record) == held.record_hash.hex()
    rows = {(str(where(row)), row.day.isoformat()) for row in rows_of_draw(connection, draw_id)}
    assert rows == {(one["site"], one["day"]) for one in record["assignments"]}


def test_a_plan_that_was_touched_after_the_draw_is_not_published(connection, directory):
    draw_id = a_draw(connection, directory)
    plan = draw_numbered(connection, draw_id).plan
    plan["sites"][0]["visits"] = 1
    connection.execute(update(inspection_draw).values(plan=plan))
    assert code_of(publish, connection, draw_id, SECRET_KEY, None, SATURDAY) == "inspection_record_otherwise"
    assert publish_due(connection, SECRET_KEY, SATURDAY) == 0


def test_the_next_in_line_comes_and_the_record_repeats_it(connection, directory):
    draw_id = a_draw(connection, directory)
    row = rows_of_draw(connection, draw_id)[0]
    leader, second = (one.staff_id for one in crews_of(connection, [row.id])[row.id])
    office = directory.town.office
    change = (connection, row.id, leader)
    assert code_of(replace_inspector, *change, "", SECRET_KEY, office, DRAWN) == "assignment_reason"
    joiner = replace_inspector(*change, "发烧，医院证明在案", SECRET_KEY, office, DRAWN)
    assert code_of(replace_inspector, *change, "再换", SECRET_KEY, office, DRAWN) == "stand_in_not_there"
    members = {one.staff_id: one for one in crews_of(connection, [row.id])[row.id]}
    assert members[leader].left_reason == "发烧，医院证明在案"
    assert (members[joiner].position, members[joiner].placed_by) == (0, office)
    assert row.day in sealed_days(connection, joiner, last_opened(DRAWN))
    own = [one for one in rows_of_draw(connection, draw_id) if one.day == row.day]
    assert sealed_days(connection, leader, last_opened(DRAWN)).count(row.day) == sum(
        leader in {m.staff_id for m in crews_of(connection, [one.id])[one.id] if m.left_at is None} for one in own
    )
    # Whoever has come may leave too; once the seal is open, those gone from the directory or recused since cannot come.
    open_due(connection, SECRET_KEY, morning_of(row.day))
    connection.execute(update(inspector).where(inspector.c.staff_id == second).values(most_km=39))
    free = next(one for one in directory.inspectors if one not in {leader, second, joiner})
    connection.execute(update(inspector).where(inspector.c.staff_id == free).values(withdrawn_at=DRAWN))
    third = replace_inspector(connection, row.id, joiner, "车祸", SECRET_KEY, office, DRAWN)
    assert third not in {leader, second, joiner, free}
    other = next(one for one in rows_of_draw(connection, draw_id) if one.id != row.id)
    withdraw_assignment(connection, other.id, "台风停工", office, DRAWN)
    publish(connection, draw_id, SECRET_KEY, None, SATURDAY)
    record = draw_numbered(connection, draw_id).record
    assert [one["kind"] for one in record["changes"]] == ["replaced", "replaced", "withdrawn"]
    assert str(free) in record["changes"][1]["barred"]
    assert first_difference(record) is None
    record["changes"][0]["joins"] = str(third)
    assert first_difference(record).place == "changes[0].joins"


def test_a_recusal_declared_after_the_draw_keeps_somebody_from_coming(connection, directory):
    draw_id = a_draw(connection, directory)
    row = rows_of_draw(connection, draw_id)[0]
    unit = connection.execute(select(site.c.unit_id).where(site.c.id == where(row))).scalar_one()
    leader = crews_of(connection, [row.id])[row.id][0].staff_id
    open_due(connection, SECRET_KEY, morning_of(row.day))
    savepoint = connection.begin_nested()
    first = replace_inspector(connection, row.id, leader, "生病", SECRET_KEY, directory.town.office, DRAWN)
    savepoint.rollback()
    connection.execute(
        insert(recusal).values(
            staff_id=first, unit_id=unit, reason="亲属", declared_by=directory.town.office, declared_at=DRAWN
        )
    )
    assert replace_inspector(connection, row.id, leader, "生病", SECRET_KEY, directory.town.office, DRAWN) != first


def test_a_withdrawn_assignment_stays_sealed_and_unseen(connection, directory):
    row = rows_of_draw(connection, a_draw(connection, directory))[0]
    hand = crews_of(connection, [row.id])[row.id][0].staff_id
    withdraw_assignment(connection, row.id, "演练取消", directory.town.office, DRAWN)
    again = (connection, row.id, "再撤", directory.town.office, DRAWN)
    assert code_of(withdraw_assignment, *again) == "assignment_withdrawn_already"
    open_due(connection, SECRET_KEY, SATURDAY)
    assert connection.execute(select(assignment.c.site_id).where(assignment.c.id == row.id)).scalar() is None
    assert row.id not in {one.id for one in opened_assignments(connection, hand, FRIDAY)}


def test_sites_visited_often_enough_are_left_out_of_the_next_plan(connection, directory):
    connection.execute(update(inspection_item).values(rates={g: {"share": "1", "times": 1} for g in "ABCD"}))
    connection.execute(update(site).where(site.c.id == directory.sites[0]).values(withdrawn_at=DRAWN))
    draw_id = commit(connection, said(directory), SECRET_KEY, directory.town.office, COMMITTED)
    ids = {one["id"] for one in draw_numbered(connection, draw_id).plan["sites"]}
    assert str(directory.sites[0]) not in ids
    assert str(directory.sites[1]) in ids


def test_a_base_is_told_to_a_kilometre_and_a_disabled_inspector_not_at_all(connection, directory):
    connection.execute(update(inspector).values(lat=24.456789))
    gone = directory.inspectors[1]
    connection.execute(update(people.staff).where(people.staff.c.id == gone).values(disabled_at=DRAWN))
    draw_id = commit(connection, said(directory), SECRET_KEY, directory.town.office, COMMITTED)
    told = draw_numbered(connection, draw_id).plan["inspectors"]
    assert {one["lat"] for one in told} == {"24.46"}
    assert str(gone) not in {one["id"] for one in told}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"title": ""}, "inspection_title"),
        ({"last_day": MONDAY - timedelta(days=1)}, "inspection_period"),
        ({"known_from": COMMITTED}, "plan_known_too_early"),
        ({"known_from": morning_of(MONDAY)}, "inspection_known_too_late"),
        ({"randomness_form": "###"}, "plan_form_unfit"),
        ({"without": frozenset(MONDAY + timedelta(days=n) for n in range(5))}, "inspection_plan_no_days"),
        ({"crew": 1}, "inspection_plan_number"),
        ({"item_id": 999_999}, "assignment_item_unknown"),
        ({"raised": {999_999: "投诉"}}, "inspection_raised_unknown"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_before_anything_is_committed(connection, directory, facts, code):
    assert code_of(commit, connection, said(directory, **facts), SECRET_KEY, directory.town.office, COMMITTED) == code


def test_a_crew_row_of_the_draw_names_nobody_who_placed_it(connection, directory):
    a_draw(connection, directory)
    assert set(connection.execute(select(crew.c.placed_by)).scalars()) == {None}


def test_the_next_draw_counts_what_everybody_was_drawn_for_on_its_days(connection, directory):
    """What stands of it; both draws together keep the limit, and the second repeats. Nothing made by hand counts."""
    office, hands = directory.town.office, directory.inspectors
    first = a_draw(connection, directory, a_day=1)
    by_hand = Work(directory.sites[0], (hands[1], hands[2]), MONDAY, "special")
    kept = assign(connection, by_hand, SECRET_KEY, office, DRAWN)
    gone = rows_of_draw(connection, first)[0].id
    withdraw_assignment(connection, gone, "重复安排", office, DRAWN)
    listed = {"evaluation_id": directory.town.evaluation_id, "name_zh": "消防", "name_en": "Fire", "key_item": False}
    values = {**listed, "code": "W2", "component": "inspection", "skill": "", "rates": RATES}
    item_id = connection.execute(insert(inspection_item).values(values).returning(inspection_item.c.id)).scalar_one()
    at = [DRAWN + timedelta(hours=hours) for hours in range(4)]
    plan = said(directory, item_id=item_id, a_day=2, known_from=at[2])
    second = commit(connection, plan, SECRET_KEY, office, at[1])
    draw_inspection(connection, second, RANDOMNESS, SECRET_KEY, directory.town.second_office, at[3])
    rows = {draw_id: rows_of_draw(connection, draw_id) for draw_id in (first, second)}
    rows[first] = [row for row in rows[first] if row.id != gone]
    before = Counter((one.staff_id, row.day) for row in rows[first] for one in crews_of(connection, [row.id])[row.id])
    told = {
        (int(one["id"]), date.fromisoformat(day)): count
        for one in draw_numbered(connection, second).plan["inspectors"]
        for day, count in one["elsewhere"].items()
    }
    assert told == dict(before)
    after = Counter((one.staff_id, row.day) for row in rows[second] for one in crews_of(connection, [row.id])[row.id])
    assert after
    assert max((before + after).values()) <= 2
    publish(connection, second, SECRET_KEY, office, SATURDAY)
    assert first_difference(draw_numbered(connection, second).record) is None
    assert row_numbered(connection, kept).sealed
