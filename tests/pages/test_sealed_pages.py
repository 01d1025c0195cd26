"""Unannounced work made by hand, over the pages: no page says where before its morning, whoever looks."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api.actions.assignments import open_due
from survey_forms.inspection.mornings import CHINA, morning_of
from tests.double_random import a_directory
from tests.pages.test_double_random import desk, post

AHEAD = datetime.now(UTC).astimezone(CHINA).date() + timedelta(days=2)
NEW = "/office/assignments/new"
MAP = "/office/inspections/map"


@pytest.fixture
def directory(engine):
    with engine.begin() as connection:
        return a_directory(connection)


def work(directory, **changes) -> dict[str, object]:
    town = directory.town
    crew = [str(town.inspector), str(town.other_inspector)]
    given = {"id": str(uuid4()), "site": str(town.site_id), "day": AHEAD.isoformat(), "kind": "special", "crew": crew}
    return given | changes


def words(text: str) -> str:
    """A page without what differs every time."""
    return re.sub(r'(value|nonce)="[^"]*"', "", text)


def test_pages_are_the_same_whichever_place_was_chosen(app, directory):
    office = desk(app, "office")
    month = f"/office/inspections/calendar?month={AHEAD:%Y-%m}"
    before = words(office.get(MAP).text)
    seen = set()
    for place in (directory.town.site_id, directory.sites[5]):
        made = post(office, NEW, NEW, **work(directory, site=str(place)))
        assert (made.status_code, made.location) == (303, f"/office/assignments?day={AHEAD.isoformat()}")
        assert words(office.get(MAP).text) == before
        rows = re.findall(r'<tr id="a-[^"]+">\s*(.*?)</tr>', office.get(made.location).text, re.DOTALL)
        seen |= {re.sub(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|value="[^"]*"', "", row) for row in rows}
    assert len(seen) == 1, "\n=====\n".join(seen)
    assert "封存" in next(iter(seen))
    assert "办事大厅" not in office.get(month).text
    inspector = desk(app, "inspector").get("/inspector").text
    assert "办事大厅" not in inspector
    assert "察访地点" not in inspector


def test_a_form_sent_twice_is_one_visit_and_with_another_place_is_refused(app, directory):
    office, form = desk(app, "office"), work(directory)
    assert [post(office, NEW, NEW, **form).status_code for _ in range(2)] == [303, 303]
    again = post(office, NEW, NEW, **form | {"site": str(directory.sites[5])})
    assert again.status_code == 409
    assert "已经提交过" in again.text
    page = office.get(f"/office/assignments?day={AHEAD.isoformat()}").text
    assert len(re.findall(r'<tr id="a-', page)) == 1


@pytest.mark.parametrize("day", ["", "x", "0001-01-01", "9999-12-31", "2026-02-30", "١"])
def test_a_day_that_is_none_is_refused_in_words(app, directory, day):
    assert directory
    assert desk(app, "office").get(f"/office/assignments?day={day}").status_code == 422


def test_what_was_opened_is_the_crews_and_not_yet_the_offices(app, engine, settings, directory):
    office = desk(app, "office")
    today = datetime.now(UTC).astimezone(CHINA).date()
    made = post(office, NEW, NEW, **work(directory, day=today.isoformat()))
    with engine.begin() as connection:
        open_due(connection, settings.secret_key, morning_of(today))
    assert made.status_code == 303
    assert "办事大厅" not in office.get(made.location).text
