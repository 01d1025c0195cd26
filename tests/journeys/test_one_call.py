"""An interviewer's evening with the keyboard alone, in the database's own role of the web: calls, an interview, 1.1."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from api.app import create_app
from api.services import KEY
from api.store import cases
from api.store.roles import WEB, as_role, grant_roles
from tests.actions.test_ballots import a_try, settle
from tests.desk import PASSWORD
from tests.fieldwork import a_web_code, some_work
from tests.live import a_phone, serving
from tests.rules.books import a_book, a_row

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 800}
MOST_TABS = 40


@pytest.fixture
def site(engine, settings):
    with engine.begin() as connection:
        grant_roles(connection)
    made = create_app(replace(settings, database_url=as_role(settings.database_url, WEB)))
    with serving(made) as address:
        yield address
    made.extensions[KEY].database.engine.dispose()


def the_book() -> bytes:
    """One screen of two ratings."""
    rows = [
        a_row("select_one scale", unit, mc_unit=unit, mc_item="overall", required="yes")
        for unit in ("police", "health")
    ]
    return a_book(a_row("begin_group", "one", appearance="field-list"), *rows, a_row("end_group"))


def tab_to(page, what: str) -> None:
    """Press Tab until something is in focus."""
    for _ in range(MOST_TABS):
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{what} cannot be reached by Tab: {page.url}")


def press(page, key: str, then: str) -> None:
    page.wait_for_load_state()  # words can be seen before the script hears keys
    page.keyboard.press(key)
    page.wait_for_selector(then)


def test_an_evening_at_the_desk_with_the_keyboard_alone(browser, site, engine):
    with engine.begin() as connection:
        work = some_work(connection, 2, book=the_book())
        web = a_web_code(connection, work, work.cases[1])
    with a_phone(browser, size=DESK) as page:
        page.goto(f"{site}/login")
        tab_to(page, "#username")
        page.keyboard.type("interviewer")
        tab_to(page, "#password")
        page.keyboard.type(PASSWORD)
        press(page, "Enter", "text=取下一个")
        press(page, "n", f"text=138{work.cases[0]:08}")
        press(page, "1", "text=无人接听 · 已记下")
        press(page, "n", f"text=138{work.cases[1]:08}")
        press(page, "s", "button[value=begin]")
        tab_to(page, "button[value=begin]")
        press(page, "Enter", "input[name=police]")
        for unit in ("police", "health"):
            tab_to(page, f"input[name={unit}]")
            page.keyboard.press("Space")
        tab_to(page, "button[value=next]")
        press(page, "Enter", "button[value=send]")
        tab_to(page, "button[value=send]")
        press(page, "Enter", ".receipt")
        press(page, "Enter", "text=完成访问")  # the way back has the focus
        assert page.url == f"{site}/interviewer"
        assert "1.1" in page.inner_text("main")
        press(page, "n", "text=现在没有可以拨打的个案")
        assert [page.locator(".today b").nth(place).inner_text() for place in range(4)] == ["2", "1", "1", "0"]
    with engine.begin() as connection:
        told = {one.case_id: one.outcome for one in cases.outcomes_of(connection, work.survey_id)}
        assert told == {work.cases[0]: "3.13", work.cases[1]: "1.1"}
        assert settle(connection, a_try(web, raw={"police": "good", "health": "good"})) == ["code_refused"]
        boxes = connection.execute(text("SELECT count(*) FROM ballot.box")).scalar()
        modes = connection.execute(text("SELECT mode FROM roll.access_code WHERE spent")).scalars().all()
    assert (boxes, modes) == (1, ["phone"])
