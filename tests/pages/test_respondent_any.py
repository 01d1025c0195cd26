"""Any form, any answers, any address: a screen is drawn, and its words are what a browser can show."""

from functools import cache

import pytest
from flask import render_template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.config import Settings
from api.pages.languages import reading_language
from api.pages.respondent_sent import known, merged, with_entry, without_entry
from api.pages.respondent_shown import Reader, screen, summary
from api.pages.respondent_way import Layout, Plan, Way
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form
from survey_forms.forms.workbook import convert_workbook
from tests.builders import a_grid_book
from tests.javarosa.forms import workbooks
from tests.pages.forms import BOOKS
from tests.rules.books import TODAY

STRANGE = [
    "",
    "1",
    "5",
    "-3",
    "2.5",
    "yes",
    "no",
    "9999",
    "2026-11-22",
    "2026--",
    "\0",
    "\ud83d",
    "<b>",
    "好" * 30,
    "1:a",
    "a b",
    "None",
]


@cache
def forms() -> dict[str, Form]:
    books = {**BOOKS, **{f"oracle {name}": book for name, book in workbooks().items()}, "grid": a_grid_book(25)}
    return {name: compile_form(convert_workbook(book).xform) for name, book in books.items()}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """No page here asks the database anything."""
    place = tmp_path_factory.mktemp("any")
    return create_app(
        Settings(
            database_url="postgresql+psycopg://nobody@127.0.0.1:1/none",
            redis_url="redis://127.0.0.1:1",
            secret_key=b"a test's key, thirty-two bytes at least",
            pepper=b"a test's pepper, thirty-two bytes at least",
            base_url="http://127.0.0.1",
            data_dir=place,
            objects=place,
        )
    )


def values_of(form: Form):
    codes = sorted({choice.name for page in form.pages for one in page.questions for choice in one.choices})[:40]
    words = st.sampled_from([*STRANGE, *codes])
    return st.one_of(words, st.lists(words, max_size=4))


def keys_of(form: Form):
    names = sorted(form.owners)
    entry = st.integers(0, 6)

    def key(name: str, number: int) -> str:
        return f"{form.owners[name]}.{number}.{name}" if form.owners[name] else name

    return st.builds(key, st.sampled_from(names), entry)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_was_answered_every_screen_can_be_drawn(app, data):
    form = data.draw(st.sampled_from(sorted(forms())).map(forms().__getitem__))
    raw = known(form, data.draw(st.dictionaries(keys_of(form), values_of(form), max_size=12)))
    layout = Layout(data.draw(st.booleans()), data.draw(st.sampled_from([None, b"k" * 16])))
    language = data.draw(st.sampled_from([*form.languages, "ug"]))
    way = Way.through(Plan(form, layout), raw, TODAY)
    reader = Reader(language, "zh")
    assert [turn.place for turn in way.turns] == sorted({turn.place for turn in way.turns})
    with app.test_request_context("/survey"):
        reading_language((language,))
        for turn in way.turns:
            drawn = screen(way, turn, reader, way.faults(turn))
            assert drawn.at == turn.at
            assert way.at(way.read(turn.at)) is turn
            facts = {
                "booth": None,
                "evaluation": {"simulated": True},
                "form_title": "题",
                "resumed": False,
                "lost": False,
            }
            assert render_template("respondent/page.html", screen=drawn, then="", **facts)
        sections = summary(way, reader)
        assert render_template("respondent/summary.html", sections=sections, last="1", receipt="R", **facts)


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_address_leads_to_a_screen_in_either_layout(data):
    form = data.draw(st.sampled_from(sorted(forms())).map(forms().__getitem__))
    raw = known(form, data.draw(st.dictionaries(keys_of(form), values_of(form), max_size=6)))
    ways = [Way.through(Plan(form, Layout(large, b"k" * 16)), raw, TODAY) for large in (False, True)]
    at = data.draw(st.from_regex(r"[0-9]{1,2}(-[0-9]{1,2})?(\.[0-9]{1,3})?", fullmatch=True) | st.text(max_size=6))
    places = [way.read(at) for way in ways]
    assert places[0] == places[1]
    for way, place in zip(ways, places, strict=True):
        if place is not None:
            assert way.at(place) in way.turns
            assert way.before(place) in way.turns
            assert way.after(place) is None or way.after(place).place >= place


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_layouts_ask_the_same_questions_once(data):
    form = data.draw(st.sampled_from(sorted(forms())).map(forms().__getitem__))
    raw = known(form, data.draw(st.dictionaries(keys_of(form), values_of(form), max_size=8)))
    asked = [
        [key for turn in Way.through(Plan(form, Layout(large, b"k" * 16)), raw, TODAY).turns for key in turn.keys]
        for large in (False, True)
    ]
    assert asked[0] == asked[1]
    assert len(asked[0]) == len(set(asked[0]))


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_browser_sends_only_the_screens_own_answers_change(data):
    form = data.draw(st.sampled_from(sorted(forms())).map(forms().__getitem__))
    raw = known(form, data.draw(st.dictionaries(keys_of(form), values_of(form), max_size=6)))
    way = Way.through(Plan(form, Layout()), raw, TODAY)
    turn = data.draw(st.sampled_from(way.turns))
    parts = st.sampled_from(["", ":y", ":m", ":d", ":find", ":a", ":counter"])
    fields = st.builds(str.__add__, keys_of(form) | st.sampled_from(sorted(turn.keys)), parts)
    sent = data.draw(st.dictionaries(fields, st.lists(st.sampled_from(STRANGE), max_size=3), max_size=8))
    after = merged(raw, turn.stop, turn.questions, sent)
    own = set(turn.keys)
    assert {key: value for key, value in after.items() if key not in own} == {
        key: value for key, value in raw.items() if key not in own
    }
    Way.through(Plan(form, Layout()), after, TODAY)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_an_entry_added_and_taken_away_leaves_the_others_as_they_were(data):
    form = forms()["repeat"]
    repeat = form.repeats["matter"]
    titles = data.draw(st.lists(st.text("甲乙丙", min_size=1, max_size=3), max_size=5))
    raw = {"used": "yes", "matter": str(len(titles))}
    raw |= {f"matter.{at}.title": title for at, title in enumerate(titles, start=1)}
    longer = with_entry(raw, repeat, len(titles))
    assert longer["matter"] == str(len(titles) + 1)
    assert without_entry(longer, repeat, len(titles) + 1, len(titles) + 1) == raw
    gone = data.draw(st.integers(-1, 7))
    left = without_entry(raw, repeat, len(titles), gone)
    kept = [title for at, title in enumerate(titles, start=1) if at != gone]
    assert [left[f"matter.{at}.title"] for at in range(1, len(kept) + 1)] == kept
    assert (f"matter.{len(kept) + 1}.title" in left) is False
    assert left["matter"] == str(len(kept))
