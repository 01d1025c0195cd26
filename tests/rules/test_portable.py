"""Forms for phones: everything the server evaluates goes along as data, or the form is refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import say
from survey_forms.forms.model import Form
from survey_forms.forms.portable import not_portable, portable
from survey_forms.forms.portable_patterns import pattern_for_browsers
from survey_forms.forms.regular import UnfitPattern, compile_pattern
from survey_forms.refusal import Refused
from tests.checklists import MADE, compiled, hall
from tests.javarosa import books
from tests.javarosa.books import YES_NO, a_book, a_list, a_row

PARTS = ("relevant", "calculate", "required", "constraint", "first")


def a_form(*rows, choices=YES_NO) -> Form:
    return compiled(a_book("a_form", rows, choices))


def steps_of(form):
    return {step["name"]: step for step in portable(form)["steps"]}


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (a_row("image", "q"), "image"),
        (a_row("rank yes_no", "q"), "rank"),
        (a_row("range", "q", parameters="start=1 end=5 step=1"), "scale"),
        (a_row("select_one yes_no", "q", parameters="randomize=true"), "choices in random order"),
        (a_row("calculate", "q", calculation="format-date(today(), '%Y')"), "format-date"),
        (a_row("calculate", "q", calculation="pow(${n}, 2)"), "pow"),
        (a_row("calculate", "q", calculation="jr:choice-name(${o}, '${o}')"), "jr:choice-name"),
        (a_row("text", "q", constraint="regex(., '^(a+)+$')"), "regex(…, '^(a+)+$')"),
        (a_row("text", "q", relevant="substr(${t}, 0, 1) = 'a'"), "substr"),
    ],
)
def test_what_a_phone_cannot_do_is_named_with_its_question(row, what):
    form = a_form(a_row("integer", "n"), a_row("text", "t"), a_row("select_one yes_no", "o"), row)
    (fault,) = not_portable(form)
    assert (fault.code, fault.path, fault.facts["what"].en) == ("form_not_portable", "q", what)
    assert what in say(fault, "en")
    with pytest.raises(Refused) as refused:
        portable(form)
    assert refused.value.code == "form_not_portable"


def test_repeats_are_named_and_not_every_expression_inside_them():
    form = compiled(books.household())
    named = [fault.path for fault in not_portable(form) if fault.facts["what"].en == "a repeat"]
    inside = {step.name for step in form.steps if step.repeat}
    assert set(form.repeats) <= set(named)
    assert inside.isdisjoint(
        fault.path for fault in not_portable(form) if fault.facts["aspect"] not in {"type", "label"}
    )


def test_what_a_wording_quotes_must_be_portable_too():
    rows = a_row("select_one yes_no", "o"), a_row("calculate", "c", calculation="jr:choice-name(${o}, '${o}')")
    assert {fault.path for fault in not_portable(a_form(*rows, a_row("note", "n", "选了 ${c}")))} == {"c"}


@pytest.mark.parametrize("make", [*MADE, hall], ids=lambda make: make.__name__)
def test_every_expression_that_the_server_evaluates_goes_along(make):
    form = compiled(make())
    sent = portable(form)
    for step, carried in zip(form.steps, sent["steps"], strict=True):
        assert {part for part in PARTS if getattr(step, part) is not None} == carried.keys() & set(PARTS)
        assert ("type" in carried) == (step.question is not None)
        if step.offered is not None:
            assert all(len(choice) == 3 for choice in carried["choices"])
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent
    assert set(sent["quoted"]) == set(form.outputs)
    assert [name for page in sent["pages"] for name in page["questions"]] == [
        question.name for page in form.pages for question in page.questions
    ]


def test_an_expression_is_its_tree_with_nodes_by_their_place():
    form = a_form(
        a_row("integer", "n"),
        a_row("date", "d", constraint=". <= today() and . > date('2025-01-01')"),
        a_row("text", "t", relevant="not(${n} > 2) or ${n} = 7.5", required="${d} != ''"),
        a_row("integer", "copies", default="2"),
    )
    found = steps_of(form)
    n, d = found["n"]["slot"], found["d"]["slot"]
    assert found["d"]["constraint"] == ["and", ["<=", [d], ["today"]], [">", [d], ["date", "2025-01-01"]]]
    assert found["t"]["relevant"] == ["or", ["not", [">", [n], 2]], ["=", [n], 7.5]]
    assert found["t"]["required"] == ["!=", [d], ""]
    assert found["copies"]["first"] == "2"


def test_a_filter_is_said_choice_by_choice_with_the_choices_own_columns():
    places = [{**row, "of": of} for row, of in zip(a_list("place", "x", "y"), "ab", strict=True)]
    form = a_form(
        a_row("text", "kind"),
        a_row("integer", "n"),
        a_row("select_one place", "q", choice_filter="of = ${kind} and ${n} > 1"),
        choices=places,
    )
    found = steps_of(form)
    kind, n = found["kind"]["slot"], found["n"]["slot"]
    assert [choice[::2] for choice in found["q"]["choices"]] == [
        ["x", ["and", ["is", "a", [kind]], [">", [n], 1]]],
        ["y", ["and", ["is", "b", [kind]], [">", [n], 1]]],
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("^1[3-9][0-9]{9}$", "^1[3-9][0-9]{9}$"),
        ("^.$", r"^[^\n]$"),
        (r"^\s\S$", r"^[\t\n\f\r ][^\t\n\f\r ]$"),
        (r"^\-\'$", "^-'$"),
        (r"^a+?$", "^a+$"),
        (r"^(0[0-9]{2,3}-)?[0-9]{7,8}$", r"^(0[0-9]{2,3}-)?[0-9]{7,8}$"),
    ],
)
def test_a_pattern_is_written_as_browsers_mean_it(written, said):
    compile_pattern(written)
    assert pattern_for_browsers(written) == said


@pytest.mark.parametrize(
    "written",
    ["^(a+)+$", "^(a|a)*$", "^(?:a?){30}$", "^a*a*a*a*$", "^(?:(?:a{0,9}){0,9}){0,9}$", "^^*$", r"^[\S]$", r"^[\w-x]$"],
)
def test_a_pattern_that_could_hold_up_a_phone_or_be_read_otherwise_is_left_to_the_server(written):
    assert pattern_for_browsers(written) is None


@given(st.text(r"ab1.-\sdwS[]^$(){}?*+|,:2中", max_size=12))
def test_no_pattern_is_an_accident(text):
    pattern = f"^{text}$"
    try:
        compile_pattern(pattern)
    except UnfitPattern:
        return
    said = pattern_for_browsers(pattern)
    assert said is None or (said.startswith("^") and said.endswith("$"))
