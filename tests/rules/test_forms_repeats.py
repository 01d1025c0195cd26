"""A repeat is asked once for each entry: its pages, its answers, what is worked out over entries, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.forms.answers import page_faults, read_answers, relevant_pages, shown
from survey_forms.refusal import Refused
from tests.rules.books import TODAY, a_form, a_row, codes

VISITS = a_form(
    a_row("select_one yes_no", "been", required="yes"),
    a_row("begin_repeat", "visit", label="第 ${place} 次", relevant="${been} = 'yes'"),
    a_row("text", "place", required="yes"),
    a_row("integer", "minutes", label="在${place}等了多久", constraint=". <= 600"),
    a_row("select_one yes_no", "slow", relevant="${minutes} > 30", required="yes"),
    a_row("calculate", "number", calculation="position(..)"),
    a_row("calculate", "share", calculation="round(${minutes} div sum(../../visit/minutes), 2)"),
    a_row("end_repeat"),
    a_row("calculate", "total", calculation="sum(${minutes})"),
    a_row("calculate", "worst", calculation="max(${minutes})"),
    a_row("calculate", "places", calculation="join('、', ${place})"),
    a_row("calculate", "times", calculation="count(${visit})"),
    a_row("calculate", "second", calculation="indexed-repeat(${place}, ${visit}, 2)"),
    a_row("note", "sum_up", label="共 ${times} 次，${total} 分钟：${places}"),
)
COUNTED = a_form(
    a_row("integer", "children", constraint=". <= 50"),
    a_row("begin_repeat", "child", repeat_count="${children}", appearance="field-list"),
    a_row("text", "called", default="小明"),
    a_row("integer", "age", relevant="${called} != ''"),
    a_row("integer", "years", relevant="position(..) = 1"),
    a_row("end_repeat"),
    a_row("calculate", "grown", calculation="count-non-empty(${age})"),
)
TWO = {
    "been": "yes",
    "visit.1.place": "窗口",
    "visit.1.minutes": "30",
    "visit.2.place": "网上",
    "visit.2.minutes": "90",
    "visit.2.slow": "no",
}


def faults(form, raw):
    try:
        read_answers(form, raw, TODAY)
    except Refused as refused:
        return codes(refused.faults)
    return {}


def way(form, raw):
    return [
        (stop.page.kind, stop.entry, [one.name for one in stop.page.questions])
        for stop in relevant_pages(form, raw, TODAY)
    ]


def test_the_answers_of_a_repeat_are_a_list_of_entries_and_sums_go_over_all_of_them():
    answers = read_answers(VISITS, TWO | {"visit": "2"}, TODAY)
    assert answers.values == {
        "been": "yes",
        "visit": (
            {"place": "窗口", "minutes": 30, "number": "1", "share": "0.25"},
            {"place": "网上", "minutes": 90, "slow": "no", "number": "2", "share": "0.75"},
        ),
        "total": "120",
        "worst": "90",
        "places": "窗口、网上",
        "times": "2",
        "second": "网上",
    }
    assert answers.as_json()["visit"][1]["minutes"] == 90
    assert read_answers(VISITS, TWO, TODAY) == answers
    sent = {"total": "999", "visit.1.share": "1", "visit.2.share": "0.75", "places": "窗口、网上"}
    told = read_answers(VISITS, TWO | sent, TODAY)
    assert (told.values, told.differing) == (answers.values, ("visit.1.share", "total"))


def test_the_pages_of_one_entry_come_before_those_of_the_next_and_the_list_of_entries_last():
    assert way(VISITS, TWO) == [
        ("list", None, ["been"]),
        ("list", 1, ["place"]),
        ("list", 1, ["minutes"]),
        ("list", 2, ["place"]),
        ("list", 2, ["minutes"]),
        ("list", 2, ["slow"]),
        ("repeat", None, []),
        ("list", None, ["sum_up"]),
    ]
    assert [kind for kind, _, _ in way(VISITS, {"been": "yes"})] == ["list", "repeat", "list"]
    assert [kind for kind, _, _ in way(VISITS, {"been": "no"} | TWO | {"been": "no"})] == ["list", "list"]


def test_an_entry_is_judged_alone_and_its_fault_names_it():
    raw = TWO | {"visit.1.minutes": "601", "visit.2.slow": "", "visit.2.place": " ", "visit.1.slow": "yes"}
    assert faults(VISITS, raw) == {
        "visit.1.minutes": "answer_constraint",
        "visit.2.place": "answer_required",
        "visit.2.slow": "answer_required",
    }
    by_stop = {
        (stop.page.name, stop.entry): codes(page_faults(VISITS, stop, raw, TODAY))
        for stop in relevant_pages(VISITS, raw, TODAY)
    }
    assert by_stop["minutes", 1] == {"visit.1.minutes": "answer_constraint"}
    assert by_stop["slow", 2] == {"visit.2.slow": "answer_required"}
    assert by_stop["place", 1] == {}


def test_entries_that_there_are_no_more_and_repeats_not_asked_are_dropped_and_named():
    assert read_answers(VISITS, TWO | {"visit": "1"}, TODAY).dropped == (
        "visit.2.place",
        "visit.2.minutes",
        "visit.2.slow",
    )
    gone = read_answers(VISITS, TWO | {"been": "no"}, TODAY)
    assert set(gone.dropped) == set(TWO) - {"been"}
    assert gone.values == {"been": "no", "total": "0", "times": "0"}


def test_a_repeat_has_at_most_thirty_entries_and_unknown_keys_are_named():
    assert faults(VISITS, {"been": "yes", "visit": "31"})["visit"] == "answer_too_many_entries"
    assert faults(VISITS, {"been": "no", "visit": "31"}) == {}
    strange = {"visit.1.nobody": "x", "visit.01.place": "x", "visit.0.place": "x", "nobody.1.place": "x", "place": "x"}
    assert faults(VISITS, {"been": "no", **strange}) == dict.fromkeys(strange, "answer_unknown_question")
    assert faults(VISITS, {"been": "no", "visit.1.been": "x"}) == {"visit.1.been": "answer_unknown_question"}


def test_a_label_in_an_entry_quotes_that_entry_and_outside_of_it_nothing():
    stops = relevant_pages(VISITS, TWO, TODAY)
    page = shown(VISITS, next(one for one in stops if one.page.name == "minutes" and one.entry == 2), TWO, TODAY, "zh")
    assert (page.questions[0].label, page.questions[0].key, page.questions[0].given) == (
        "在网上等了多久",
        "visit.2.minutes",
        "90",
    )
    assert (page.title, page.entries) == ("第 网上 次", 2)
    gate = shown(VISITS, next(one for one in stops if one.page.kind == "repeat"), TWO, TODAY, "zh")
    assert (gate.title, gate.entries, gate.questions) == ("第  次", 2, ())
    note = shown(VISITS, stops[-1], TWO, TODAY, "zh")
    assert note.questions[0].label == "共 2 次，120 分钟：窗口、网上"


def test_the_form_can_say_how_many_entries_there_are():
    assert COUNTED.repeats["child"].fixed_count
    raw = {"children": "2", "child": "9", "child.2.age": "7", "child.1.years": "3", "child.2.years": "4"}
    answers = read_answers(COUNTED, raw, TODAY)
    assert answers.values["child"] == ({"called": "小明", "years": 3}, {"called": "小明", "age": 7})
    assert answers.values["grown"] == "1"
    assert answers.dropped == ("child.2.years",)
    assert [entry for _, entry, _ in way(COUNTED, raw)] == [None, 1, 1, 2, 2]
    assert faults(COUNTED, {"children": "31"}) == {"children": "answer_too_many_entries"}
    assert "child" not in read_answers(COUNTED, {}, TODAY).values


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([a_row("calculate", "c", calculation="${x} + 1")], "expression_many_values"),
        ([a_row("note", "n", label="多少：${x}")], "expression_many_values"),
        ([a_row("integer", "n", relevant="${x} = 1")], "expression_many_values"),
        ([a_row("calculate", "c", calculation="concat('a', ${x})")], "expression_many_values"),
        ([a_row("calculate", "c", calculation="position(..)")], "expression_name_unknown"),
        ([a_row("calculate", "c", calculation="indexed-repeat(${x}, ${q}, 1)")], "expression_indexed_repeat"),
        ([a_row("calculate", "c", calculation="sum(/data/rep[x > 1]/x)")], "expression_predicate"),
    ],
)
def test_several_values_are_never_taken_for_one(rows, code):
    before = [
        a_row("integer", "q"),
        a_row("begin_repeat", "rep"),
        a_row("integer", "x"),
        a_row("calculate", "y", calculation="1"),
        a_row("end_repeat"),
    ]
    with pytest.raises(Refused) as caught:
        a_form(*before, *rows)
    assert {fault.code for fault in caught.value.faults} == {code}


def test_a_number_in_the_form_itself_may_be_larger_and_is_bounded():
    def rows(count):
        return a_row("begin_repeat", "r", repeat_count=count), a_row("integer", "x"), a_row("end_repeat")

    form = a_form(*rows("60"))
    assert (form.repeats["r"].most, len(relevant_pages(form, {}, TODAY))) == (60, 60)
    assert a_form(*rows("2 * 3")).repeats["r"].most == 6
    with pytest.raises(Refused) as caught:
        a_form(*rows("101"))
    assert caught.value.code == "form_repeat_long"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([a_row("begin_repeat", "b"), a_row("integer", "x"), a_row("end_repeat")], "form_repeat_nested"),
        ([a_row("select_one scale", "r", mc_unit="justice", mc_item="overall")], "form_rating_in_repeat"),
        (
            [
                a_row("calculate", "a", calculation="indexed-repeat(${b}, ${rep}, position(..) - 1) + ${q}"),
                a_row("calculate", "b", calculation="${a} + 1"),
            ],
            "form_circular",
        ),
    ],
)
def test_what_a_repeat_cannot_hold_is_refused_by_name(rows, code):
    with pytest.raises(Refused) as caught:
        a_form(a_row("begin_repeat", "rep"), a_row("integer", "q"), *rows, a_row("end_repeat"))
    assert code in {fault.code for fault in caught.value.faults}


KEYS = st.sampled_from(
    ["been", "visit", *(f"visit.{n}.{name}" for n in (1, 2, 4) for name in ("place", "minutes", "slow", "number"))]
)
FIELD = st.one_of(st.sampled_from(["yes", "no", "31", "700", "2", "0", "x", ""]), st.text(max_size=3))


@given(st.dictionaries(KEYS, FIELD, max_size=12))
def test_any_entries_give_answers_or_faults_and_leaving_out_what_was_dropped_changes_nothing(raw):
    stops = relevant_pages(VISITS, raw, TODAY)
    for stop in stops:
        page = shown(VISITS, stop, raw, TODAY, "zh")
        assert [one.key for one in page.questions] == [stop.key(one.name) for one in stop.page.questions]
    by_stop = [fault for stop in stops for fault in page_faults(VISITS, stop, raw, TODAY)]
    assert codes(by_stop) == faults(VISITS, raw)
    assert way(VISITS, dict(reversed(raw.items()))) == way(VISITS, raw)
    if not by_stop:
        answers = read_answers(VISITS, raw, TODAY)
        kept = {key: value for key, value in raw.items() if key not in answers.dropped}
        again = read_answers(VISITS, kept, TODAY)
        assert (again.values, again.dropped) == (answers.values, ())
