"""Words that quote answers, defaults, headings inside pages, and what is left out because answers carry no device."""

import pytest

from survey_forms.forms.answers import read_answers, relevant_pages, shown
from survey_forms.forms.compile import compile_form
from survey_forms.forms.fields import LONGEST_TEXT
from survey_forms.forms.reading import LONGEST_WORKED_OUT
from survey_forms.forms.size import largest_answer
from survey_forms.refusal import Refused
from survey_forms.transparency import canonical_json
from tests.rules.books import TODAY, a_form, a_row, codes, from_elsewhere

EN = "label::English (en)"


def row(kind, name="", **cells):
    told = {} if kind.startswith(("end", "calc", "hidden", "start", "today", "device")) else {"label": f"题目 {name}"}
    return {"type": kind, "name": name, **told, **cells}


def elsewhere(*rows, **parts):
    return compile_form(from_elsewhere(*rows, **parts))


def refusals(*rows, **parts):
    with pytest.raises(Refused) as caught:
        elsewhere(*rows, **parts)
    return codes(caught.value.faults)


def field(form, raw, name, language="zh", entry=None):
    stops = [one for one in relevant_pages(form, raw, TODAY) if one.entry == entry]
    stop = next(one for one in stops if name in [question.name for question in one.page.questions])
    page = shown(form, stop, raw, TODAY, language)
    return next(one for one in page.questions if one.question.name == name)


FORM = a_form(
    a_row("text", "who") | {EN: "Your name"},
    a_row("select_one yes_no", "sure", hint="${who}，选一个"),
    a_row("integer", "age", constraint=". < 100", constraint_message="${who}，不到 100"),
    a_row("calculate", "older", calculation="${age} + 1"),
    a_row("note", "told", label="${who}明年${older}岁，${sure}。") | {EN: "${who} will be ${older}."},
    a_row("text", "free", constraint="string-length(.) <= 20"),
    a_row("text", "loose", constraint="string-length(.) <= 20 or . = 'x'"),
)


def test_words_quote_answers_in_the_readers_language():
    raw = {"who": "王女士", "age": "59", "sure": "yes"}
    assert field(FORM, raw, "told").label == "王女士明年60岁，yes。"
    assert field(FORM, raw, "told", "en").label == "王女士 will be 60."
    assert field(FORM, {}, "told").label == "明年岁，。"
    assert field(FORM, raw, "sure").hint == "王女士，选一个"
    assert FORM.pages[-1].questions[0].label["zh"].startswith("${who}")


def test_what_a_question_quotes_is_asked_on_an_earlier_page():
    assert [[question.name for question in page.questions] for page in FORM.pages] == [
        ["who"],
        ["sure", "age"],
        ["told", "free", "loose"],
    ]


def test_the_authors_message_quotes_too_in_every_language():
    with pytest.raises(Refused) as caught:
        read_answers(FORM, {"who": "李先生", "age": "100"}, TODAY)
    fault = caught.value.faults[0]
    assert (fault.path, fault.facts["words"]) == ("age", {"zh": "李先生，不到 100"})
    assert fault.facts["message"].zh == "李先生，不到 100"


def test_the_form_says_how_long_a_text_may_be_when_nothing_else_can_be_meant():
    assert [question.longest for question in FORM.pages[-1].questions] == [0, 20, LONGEST_TEXT]


DEFAULTS = elsewhere(
    row("text", "who", default="王女士"),
    row("select_one yes_no", "sure", default="yes"),
    row("select_multiple yes_no", "both", default="no yes"),
    row("date", "day", default="today()"),
    row("integer", "age", default="18", relevant="${sure} = 'yes'"),
    row("integer", "sum", default="1 + 1"),
    row("text", "fixed", default="原样", read_only="yes"),
    row("text", "reckoned", calculation="concat(${age}, ' 岁')", read_only="yes"),
    row("hidden", "batch", default="7"),
    row("calculate", "next", calculation="${batch} + 1"),
)


def test_a_default_counts_until_the_field_is_emptied():
    values = read_answers(DEFAULTS, {}, TODAY).values
    assert values == {
        "who": "王女士",
        "sure": "yes",
        "both": ("yes", "no"),
        "day": TODAY,
        "age": 18,
        "sum": 2,
        "fixed": "原样",
        "reckoned": "18 岁",
        "batch": "7",
        "next": "8",
    }
    emptied = read_answers(DEFAULTS, {"who": "", "sure": "no", "both": [], "day": "", "sum": ""}, TODAY)
    assert set(emptied.values) == {"sure", "fixed", "reckoned", "batch", "next"}
    assert emptied.dropped == ()
    assert read_answers(DEFAULTS, {"batch": "9", "next": "0", "fixed": "anders"}, TODAY).values["next"] == "8"


def test_a_field_shows_its_default_and_a_note_what_was_worked_out():
    assert (field(DEFAULTS, {}, "who").given, field(DEFAULTS, {"who": ""}, "who").given) == ("王女士", "")
    assert (field(DEFAULTS, {}, "both").given, field(DEFAULTS, {}, "day").given) == (("no", "yes"), "2015-06-30")
    assert (field(DEFAULTS, {"age": "5"}, "reckoned").value, field(DEFAULTS, {}, "fixed").value) == ("5 岁", "原样")
    assert field(DEFAULTS, {}, "reckoned").question.type == "note"


def test_defaults_that_cannot_be_are_refused_by_name():
    before = row("integer", "n")
    assert refusals(before, row("integer", "x", default="${n} + 1")) == {"x": "form_default_reads"}
    assert refusals(row("integer", "x", default="zwei")) == {"x": "form_default_wrong"}
    assert refusals(row("select_one yes_no", "x", default="maybe")) == {"x": "form_default_wrong"}
    assert refusals(row("date", "x", default="now()")) == {"x": "expression_function_refused"}
    assert refusals(before, row("text", "x", calculation="1 + 1", trigger="${n}")) == {"x": "form_feature"}


def test_answers_record_neither_device_nor_hour_and_the_author_is_told():
    form = elsewhere(
        *(row(kind, kind) for kind in ("start", "end", "deviceid", "username", "email", "phonenumber")),
        row("audit", "audit"),
        row("today", "filled_on"),
        row("date", "born", constraint=". <= ${filled_on}"),
        row("calculate", "late", calculation="if(${filled_on} > date('2015-01-01'), 'yes', 'no')"),
    )
    assert read_answers(form, {"born": "2015-01-01"}, TODAY).values["late"] == "yes"
    assert "filled_on" not in read_answers(form, {}, TODAY).values
    assert {note.path: note.code for note in form.notes} == dict.fromkeys(
        ("start", "end", "deviceid", "username", "email", "phonenumber", "audit"), "form_device_left_out"
    )
    assert refusals(row("deviceid", "phone"), row("note", "n", label="${phone}")) == {"n": "expression_device"}
    assert refusals(row("start", "began"), row("date", "d", relevant="${began} != ''")) == {"d": "expression_device"}


PAGES = elsewhere(
    row("begin_group", "one", appearance="field-list w2"),
    row("select_one yes_no or_other", "why", appearance="minimal"),
    row("begin_group", "inner", relevant="${why} = 'no'", label="更多"),
    row("integer", "a"),
    row("integer", "b"),
    row("end_group"),
    *(row("text", f"t{n}") for n in range(7)),
    row("end_group"),
    row("begin_group", "two", appearance="field-list"),
    row("begin_group", "deep", label="小标题"),
    row("integer", "c", relevant="${b} > 1"),
    row("end_group"),
    row("integer", "d"),
    row("end_group"),
)


def names(form, raw):
    return [[question.name for question in stop.page.questions] for stop in relevant_pages(form, raw, TODAY)]


def test_a_page_is_divided_where_a_question_decides_on_another_or_it_grows_too_long():
    assert names(PAGES, {}) == [["why"], ["t0", "t1", "t2"], ["t3", "t4", "t5", "t6"], ["d"]]
    assert names(PAGES, {"why": "other"})[1][0] == "why_other"
    assert [page.title["zh"] for page in PAGES.pages[:2]] == ["题目 one", "题目 one"]
    assert len({page.name for page in PAGES.pages}) == len(PAGES.pages)


def test_a_group_on_a_page_is_a_heading_while_any_of_its_questions_is_asked():
    assert names(PAGES, {"why": "no", "b": "2"})[1][:3] == ["inner", "a", "b"]
    assert names(PAGES, {"why": "no", "b": "2"})[-1] == ["deep", "c", "d"]
    assert field(PAGES, {"why": "no"}, "inner").label == "更多"
    values = read_answers(PAGES, {"why": "no", "b": "2", "c": "3"}, TODAY).values
    assert set(values) == {"why", "b", "c"}


def test_a_grid_written_by_hand_is_a_grid():
    form = elsewhere(
        row("begin_group", "g", appearance="field-list"),
        row("select_one yes_no", "head", appearance="label"),
        row("select_one yes_no", "r1", appearance="list-nolabel"),
        row("select_one yes_no", "r2", appearance="list-nolabel"),
        row("end_group"),
    )
    assert [(page.kind, [question.name for question in page.questions]) for page in form.pages] == [
        ("grid", ["r1", "r2"])
    ]


A_REPEAT = [row("begin_repeat", "r"), row("text", "q"), row("end_repeat")]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row("geopoint", "x")], "form_feature"),
        ([row("barcode", "x")], "form_feature"),
        ([row("audio", "x")], "form_feature"),
        ([row("file", "x")], "form_feature"),
        ([row("time", "x")], "form_feature"),
        ([row("acknowledge", "x")], "form_feature"),
        ([row("image", "x", appearance="signature")], "form_appearance"),
        ([row("date", "x", appearance="year")], "form_appearance"),
        ([row("text", "x", appearance="url")], "form_appearance"),
        ([row("select_one yes_no", "x", appearance="image-map")], "form_appearance"),
        ([row("select_one_from_file a.csv", "x")], "form_list_from_file"),
        ([row("calculate", "x", calculation="pulldata('a', 'b', 'c', ${n})")], "expression_function_refused"),
        ([row("begin_group", "x", intent="org.example.app"), row("text", "y"), row("end_group")], "form_feature"),
        ([row("start-geopoint", "y"), row("text", "x")], "form_feature"),
        ([*A_REPEAT, row("select_one ${q}", "x")], "expression_choices_from_answers"),
    ],
)  # fmt: skip
def test_a_feature_that_we_do_not_have_is_refused_by_name(rows, code):
    assert code in refusals(row("integer", "n"), *rows).values()


def test_what_is_worked_out_is_bounded_and_no_number_is_nothing():
    form = elsewhere(
        row("text", "a"),
        row("calculate", "twice", calculation="concat(${a}, ${a})"),
        row("calculate", "four", calculation="concat(${twice}, ${twice})"),
        row("calculate", "none", calculation="sqrt(-1)"),
        row("calculate", "whole", calculation="31726 div 7 * 7"),
    )
    values = read_answers(form, {"a": "字" * LONGEST_TEXT}, TODAY).values
    assert (len(values["twice"]), len(values["four"])) == (LONGEST_WORKED_OUT, LONGEST_WORKED_OUT)
    assert "none" not in values
    assert values["whole"] == "31726"


def test_no_answers_are_longer_than_the_largest():
    raw = {"who": "𠮷" * 2_000, "sure": "yes", "age": "-99", "free": '"' * 20, "loose": "x"}
    assert len(canonical_json(read_answers(FORM, raw, TODAY).as_json())) <= largest_answer(FORM)
    form = a_form(
        a_row("begin_repeat", "r"), a_row("text", "t"), a_row("select_multiple yes_no", "m"), a_row("end_repeat")
    )
    full = {"r": "30"} | {f"r.{n}.t": "\\" * 2_000 for n in range(1, 31)}
    full |= {f"r.{n}.m": "yes no" for n in range(1, 31)}
    assert len(canonical_json(read_answers(form, full, TODAY).as_json())) <= largest_answer(form)
    assert largest_answer(form) < 30 * 8_200
