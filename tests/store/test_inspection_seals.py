"""Double random on real connections: under the processes' roles, in a dump of every row, and two people at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import inspect, text

from api.actions.assignments import Work, assign, open_due
from api.actions.crew_changes import replace_inspector
from api.actions.directories import InspectorSaid, enter_inspector
from api.actions.inspection_draws import commit, draw_inspection, publish_due
from api.actions.revisits import order_revisit
from api.commands.init_db import make_roles
from api.store.assignment_list import assignments_between
from api.store.base import make_engine
from api.store.crews import crews_of, row_numbered, rows_of_draw
from api.store.inspection_draws import draw_numbered
from api.store.rectifications import rectification_numbered, steps_of
from api.store.roles import WEB, WORKER, as_role
from survey_forms.inspection.double_random_record import first_difference
from survey_forms.inspection.mornings import morning_of
from survey_forms.refusal import Refused
from tests.deductions import a_cast, a_told_entry, an_order
from tests.double_random import (
    COMMITTED,
    DRAWN,
    FRIDAY,
    MONDAY,
    RANDOMNESS,
    SECRET_KEY,
    a_directory,
    said,
)

POINTED_AT = {"office.evaluation", "office.staff"}
"""Tables whose rows are locked by what points at them: those of whoever comes, and of the one evaluation."""

SATURDAY = morning_of(FRIDAY) + timedelta(days=1)


@pytest.fixture
def directory(engine):
    with engine.begin() as connection:
        return a_directory(connection)


@pytest.fixture
def committed(engine, directory):
    with engine.begin() as connection:
        return commit(connection, said(directory), SECRET_KEY, directory.town.office, COMMITTED)


def draw(engine, directory, number) -> str:
    with engine.begin() as connection:
        return draw_inspection(connection, number, RANDOMNESS, SECRET_KEY, directory.town.second_office, DRAWN)


def test_the_web_draws_and_the_worker_opens_and_publishes_under_their_roles(engine, settings, directory):
    make_roles(engine)
    web, worker = (make_engine(as_role(settings.database_url, role)) for role in (WEB, WORKER))
    try:
        with web.begin() as connection:
            number = commit(connection, said(directory), SECRET_KEY, directory.town.office, COMMITTED)
        draw(web, directory, number)
        with web.begin() as connection:
            row = rows_of_draw(connection, number)[0]
            leader = crews_of(connection, [row.id])[row.id][0].staff_id
            replace_inspector(connection, row.id, leader, "生病", SECRET_KEY, directory.town.office, DRAWN)
        with worker.begin() as connection:
            assert open_due(connection, SECRET_KEY, SATURDAY) == 12
            assert publish_due(connection, SECRET_KEY, SATURDAY) == 1
        with web.connect() as connection:
            assert first_difference(draw_numbered(connection, number).record) is None
    finally:
        web.dispose()
        worker.dispose()


def test_two_who_draw_at_once_make_one_draw(engine, directory, committed):
    ready = Barrier(2)

    def one() -> str:
        ready.wait()
        try:
            return draw(engine, directory, committed)
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as both:
        told = sorted(future.result() for future in [both.submit(one) for _ in range(2)])
    assert "inspection_drawn" in told
    with engine.connect() as connection:
        assert len(rows_of_draw(connection, committed)) == 12
        assert draw_numbered(connection, committed).record_hash.hex() in told


def test_nothing_that_the_draw_wrote_differs_with_the_sites(engine, directory, committed):
    """Every table before and after: what is new names no site, by name, code or number."""
    with engine.connect() as connection:
        before = everything(connection)
    draw(engine, directory, committed)
    with engine.connect() as connection:
        new = {table: rows - before[table] for table, rows in everything(connection).items()}
        staff = set(connection.execute(text("SELECT id FROM office.staff")).scalars())
    written = {table for table, rows in new.items() if rows}
    own = {"field.assignment", "field.crew", "field.inspection_draw", "field.inspection_item", "office.audit"}
    assert written == own | POINTED_AT
    for table in written - {"field.inspection_draw"}:  # whose plan lists every site of the directory, drawn or not
        for row in new[table]:
            assert "察访地点" not in row
            assert "Inspected place" not in row
    # An assignment's only numbers: evaluation, leader, item, draw, maker; the site's column is empty.
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM field.assignment")).mappings().all()
    for row in rows:
        numbers = {name for name, value in row.items() if isinstance(value, int) and not isinstance(value, bool)}
        assert numbers == {"evaluation_id", "inspector_id", "item_id", "draw_id", "made_by"}
        assert {row["inspector_id"], row["made_by"]} <= staff


APART = {"field.site": 1_700_000_001, "office.unit": 1_800_000_001, "field.rectification": 1_900_000_001}
"""Numbers that no other column holds, so that a row that names a place is known by it."""


@pytest.fixture
def cast(engine):
    with engine.begin() as connection:
        for table, first in APART.items():
            connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {first}"))
        return a_cast(connection)


@pytest.mark.parametrize("kind", ["special", "patrol", "third_party", "revisit", "rectification"])
def test_nothing_that_work_made_by_hand_wrote_says_where_it_leads(engine, cast, kind):
    """Neither new rows nor the headers of old ones (a row's lock stays in `xmax`), until six in the morning."""
    town = cast.town
    crew = (town.inspector, town.other_inspector)
    with engine.begin() as connection:
        enter_inspector(connection, InspectorSaid(town.inspector, "诚信第三方", (), None, None), town.office, COMMITTED)
        order = an_order(connection, cast, a_told_entry(connection, cast, now=COMMITTED), COMMITTED)
    with engine.connect() as connection:
        before = everything(connection)
    with engine.begin() as connection:
        if kind == "rectification":
            key = order_revisit(connection, order, crew, MONDAY, town.site_id, SECRET_KEY, town.office, DRAWN)
        else:
            key = assign(connection, Work(town.site_id, crew, MONDAY, kind), SECRET_KEY, town.office, DRAWN)
    with engine.connect() as connection:
        new = {table: rows - before[table] for table, rows in everything(connection).items()}
        row = row_numbered(connection, key)
    written = {table for table, rows in new.items() if rows}
    assert written == {"field.assignment", "field.crew", "office.audit"} | POINTED_AT
    told = "".join(line for rows in new.values() for line in rows)
    assert [name for name in (*map(str, APART.values()), "办事大厅", "民政局") if name in told] == []
    assert (row.site_id, len(row.sealed)) == (None, 36)
    with engine.begin() as connection:
        assert open_due(connection, SECRET_KEY, morning_of(MONDAY) - timedelta(microseconds=1)) == 0
        assert open_due(connection, SECRET_KEY, morning_of(MONDAY)) == 1
        assert open_due(connection, SECRET_KEY, morning_of(MONDAY)) == 0
        assert row_numbered(connection, key).site_id == town.site_id
        steps = [(one.kind, one.staff_id, one.at, one.note) for one in steps_of(connection, order)]
        told = ("revisit", town.office, morning_of(MONDAY), MONDAY.isoformat())
        assert (steps[1:] == [told]) is (kind == "rectification")


def test_the_web_sends_inspectors_again_and_the_worker_tells_it_under_their_roles(engine, settings, cast):
    town = cast.town
    with engine.begin() as connection:
        order = an_order(connection, cast, a_told_entry(connection, cast, now=COMMITTED), COMMITTED)
    make_roles(engine)
    web, worker = (make_engine(as_role(settings.database_url, role)) for role in (WEB, WORKER))
    try:
        with web.begin() as connection:
            crew = (town.inspector,)
            key = order_revisit(connection, order, crew, MONDAY, town.site_id, SECRET_KEY, town.office, DRAWN)
        with worker.begin() as connection:
            assert open_due(connection, SECRET_KEY, morning_of(MONDAY)) == 1
        with web.connect() as connection:
            assert rectification_numbered(connection, order).assignment_id == key
    finally:
        web.dispose()
        worker.dispose()


def everything(connection) -> dict[str, set[str]]:
    """Every row of every table as PostgreSQL writes it, with the header that says who locked it."""
    found = {}
    for schema in set(inspect(connection).get_schema_names()) - {"information_schema"}:
        for name in inspect(connection).get_table_names(schema=schema):
            table = f"{schema}.{name}"
            rows = connection.execute(text(f'SELECT t.xmax || t::text FROM "{schema}"."{name}" AS t'))  # noqa: S608 - our own tables
            found[table] = set(rows.scalars())
    return found


def test_the_office_is_told_where_only_when_it_warns_nobody(engine, directory, committed):
    draw(engine, directory, committed)
    evaluation_id = directory.town.evaluation_id
    with engine.begin() as connection:
        first = min(row.day for row in rows_of_draw(connection, committed))
        open_due(connection, SECRET_KEY, morning_of(first))
        listed = assignments_between(connection, evaluation_id, MONDAY, FRIDAY, first)
        assert any(one.opened for one in listed)
        assert {one.site_zh for one in listed} == {None}
        open_due(connection, SECRET_KEY, SATURDAY)
        later = assignments_between(connection, evaluation_id, MONDAY, FRIDAY, first + timedelta(days=1))
        assert {one.day for one in later if one.site_zh} == {first}
