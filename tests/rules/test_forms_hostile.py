"""Whatever an XForm says, it compiles or is refused by name; whatever compiles can be shown and answered."""

from xml.etree.ElementTree import tostring

from defusedxml.ElementTree import fromstring
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.problems import LANGUAGES, say
from survey_forms.forms.answers import page_faults, read_answers, relevant_pages, shown
from survey_forms.forms.compile import compile_form
from survey_forms.forms.size import largest_answer
from survey_forms.refusal import Refused
from survey_forms.transparency import canonical_json
from tests.rules.books import TODAY, from_elsewhere
from tests.rules.test_forms_words import row

RICH = from_elsewhere(
    row("text", "who", constraint="regex(., '^.{1,20}$')", default="王"),
    row("select_one yes_no or_other", "sure", hint="${who}", required="yes"),
    row("select_multiple yes_no", "both", choice_filter="name = ${sure} or selected(${sure}, 'yes')"),
    row("integer", "n", relevant="${sure} = 'yes'"),
    row("rank yes_no", "order", parameters="randomize=true, seed=${n}"),
    row("range", "mark", parameters="start=0 end=10 step=2"),
    row("decimal", "part"),
    row("date", "day", default="today()", constraint=". <= today()"),
    row("image", "photo"),
    row("begin_group", "page", appearance="field-list", relevant="${mark} > 2"),
    row("begin_group", "inner", relevant="${who} != ''"),
    row("text", "why", label="为何${who}？"),
    row("end_group"),
    row("end_group"),
    row("begin_repeat", "stay", repeat_count="if(${mark} > 4, 2, 1)"),
    row("integer", "days", constraint=". < 400", required="position(..) = 1"),
    row("select_one yes_no", "far", choice_filter="name != ${sure} and ${days} > 1"),
    row("calculate", "share", calculation="${days} div sum(../../stay/days)"),
    row("end_repeat"),
    row("begin_repeat", "trip", relevant="${sure} != 'no'"),
    row("text", "place", label="${place_before}"),
    row("calculate", "place_before", calculation="indexed-repeat(${far}, ${stay}, position(..))"),
    row("end_repeat"),
    row("calculate", "total", calculation="round(sum(${days}) * 1.5, 1) + count(${trip})"),
    row("calculate", "named", calculation="jr:choice-name(${sure}, '${sure}')"),
    row("note", "told", label="${named} ${total}", relevant="${total} > 0"),
)
FORM = compile_form(RICH)
ROOT = fromstring(RICH)
ATTRIBUTES = sorted({(key, value) for element in ROOT.iter() for key, value in element.items()})
SPANS = len(list(ROOT.iter()))
LOOKED_UP = "instance('yes_no')/root/item"
PATHS = [
    "..",
    "../..",
    "/data",
    "/data/stay",
    "/data/stay/days",
    "current()/../n",
    LOOKED_UP,
    f"randomize({LOOKED_UP})",
]
VALUES = ["", "x", "0", "-1", "1 +", "true()", "'yes'", "today()", "position(..)", "string-length(.)"]
CALLS = ["count(/data/stay)", "sum(/data/stay/days)", f"{LOOKED_UP}[name = 'yes']/label"]
WORDS = st.sampled_from([*PATHS, *VALUES, *CALLS, "int", "date", "binary"])
CHANGE = st.tuples(
    st.integers(0, SPANS - 1),
    st.sampled_from(["value", "drop", "double", "text", "swap"]),
    st.one_of(WORDS, st.sampled_from([value for _, value in ATTRIBUTES])),
    st.sampled_from(sorted({key for key, _ in ATTRIBUTES})),
)


def changed(changes):
    root = fromstring(RICH)
    for place, act, word, key in changes:
        elements = list(root.iter())
        above = {child: parent for parent in elements for child in parent}
        element = elements[place % len(elements)]
        parent = above.get(element)
        if act == "value":
            element.set(key if place % 3 or not element.keys() else min(element.keys()), word)
        elif act == "text":
            element.text = word
        elif parent is not None and act == "drop":
            parent.remove(element)
        elif parent is not None and act == "double":
            parent.append(element)
        elif parent is not None:
            siblings = list(parent)
            parent.remove(element)
            parent.insert(place % len(siblings), element)
    return tostring(root)


KEYS = [
    *(step.name for step in FORM.steps if step.repeat is None),
    *(f"{step.repeat}.{entry}.{step.name}" for step in FORM.steps if step.repeat for entry in (1, 2)),
]
RAW = st.dictionaries(
    st.sampled_from(KEYS),
    st.one_of(
        st.sampled_from(["yes", "no", "yes no", "other", "", "3", "6", "-1", "0.5", "2015-06-01", "a.jpg", "文"]),
        st.lists(st.sampled_from(["yes", "no"]), max_size=2),
        st.text(max_size=4),
    ),
    max_size=14,
)


def say_all(faults):
    assert all(say(fault, language) for fault in faults for language in LANGUAGES)


def tried(form, raw):
    """Everything that pages and API do with a form; only a refusal that can be said may come of it."""
    for stop in relevant_pages(form, raw, TODAY)[:12]:
        shown(form, stop, raw, TODAY, "zh")
        say_all(page_faults(form, stop, raw, TODAY))
    try:
        answers = read_answers(form, raw, TODAY)
    except Refused as refused:
        say_all(refused.faults)
    else:
        assert len(canonical_json(answers.as_json())) <= largest_answer(form)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGE, min_size=1, max_size=3), RAW)
def test_a_form_changed_anywhere_compiles_or_is_refused_by_name(changes, raw):
    try:
        form = compile_form(changed(changes))
    except Refused as refused:
        say_all(refused.faults)
    else:
        tried(form, raw)


@settings(deadline=None)
@given(RAW)
def test_any_answers_to_a_rich_form_are_shown_and_judged(raw):
    tried(FORM, raw)


@settings(deadline=None)
@given(RAW)
def test_what_was_read_reads_the_same_again_without_what_was_dropped(raw):
    try:
        answers = read_answers(FORM, raw, TODAY)
    except Refused:
        return
    assert read_answers(FORM, dict(sorted(raw.items())), TODAY).values == answers.values
    again = read_answers(FORM, {key: value for key, value in raw.items() if key not in answers.dropped}, TODAY)
    assert (again.values, again.dropped) == (answers.values, ())
