"""A submission becomes checked answers and ratings, or faults that name question and page; never anything else."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import LANGUAGES, say
from survey_forms.forms.answers import page_faults, ratings, read_answers, relevant_pages
from survey_forms.forms.model import Rating, Stop
from survey_forms.refusal import Refused
from tests.rules.books import TODAY, a_form, a_row, codes, the_form

FORM = a_form(
    a_row("select_one yes_no", "used", required="yes", required_message="请选"),
    a_row("integer", "age", constraint=". >= 18 and . <= 110", constraint_message="请填 18 到 110"),
    a_row("decimal", "hours"),
    a_row("begin_group", "more", relevant="${used} = 'yes'", appearance="field-list"),
    a_row("select_multiple yes_no", "several", required="${age} > 60"),
    a_row("date", "day", constraint=". <= today()"),
    a_row("text", "say"),
    a_row("end_group"),
    a_row("calculate", "old", calculation="if(${age} > 60, 'yes', 'no')"),
    a_row("note", "thanks", relevant="${old} = 'yes'"),
)
RESIDENTS, DEPUTIES, RECIPIENTS = map(the_form, ("residents", "deputies", "service_recipients"))
UNITS = tuple(question.unit or "" for question in DEPUTIES.pages[0].questions)


def faults(raw, form=FORM, today=TODAY):
    try:
        read_answers(form, raw, today)
    except Refused as refused:
        return codes(refused.faults)
    return {}


def value(name, given):
    return read_answers(FORM, {"used": "yes", name: given}, TODAY).values.get(name)


def test_answers_come_back_as_what_they_are():
    raw = {
        "used": "yes",
        "age": " ６１ ",
        "hours": "2.50",
        "several": ["no", "yes", "no"],
        "day": "2015-06-30",
        "say": "好 ",
    }
    answers = read_answers(FORM, raw, TODAY)
    assert answers.values == {
        "used": "yes",
        "age": 61,
        "hours": Decimal("2.50"),
        "several": ("yes", "no"),
        "day": date(2015, 6, 30),
        "say": "好",
        "old": "yes",
    }
    assert answers.as_json()["several"] == ["yes", "no"]
    assert answers.as_json()["hours"] == "2.50"
    assert answers.dropped == ()


def test_reading_what_was_read_gives_the_same_answers():
    first = read_answers(FORM, {"used": "yes", "age": "61", "several": "yes no", "day": "2015年6月1日"}, TODAY)
    again = read_answers(FORM, {name: _typed(one) for name, one in first.as_json().items()}, TODAY)
    assert again == first


def _typed(one):
    return one if isinstance(one, list) else str(one)


def test_an_answer_to_what_is_not_asked_is_dropped_and_named():
    answers = read_answers(FORM, {"used": "no", "say": "x", "several": "maybe", "day": " ", "age": "20"}, TODAY)
    assert answers.dropped == ("several", "say")
    assert set(answers.values) == {"used", "age", "old"}


def test_a_calculate_is_worked_out_here_whatever_was_sent():
    assert read_answers(FORM, {"used": "no", "age": "20", "old": "yes"}, TODAY).values["old"] == "no"


def test_required_may_depend_on_another_answer():
    assert faults({"used": "yes", "age": "60"}) == {}
    assert faults({"used": "yes", "age": "61"}) == {"several": "answer_required"}


def test_faults_come_all_at_once_in_the_order_of_the_form_with_the_authors_own_words():
    with pytest.raises(Refused) as caught:
        read_answers(FORM, {"say": "x", "age": "17", "nobody": "1", "hours": "many"}, TODAY)
    assert codes(caught.value.faults) == {
        "nobody": "answer_unknown_question",
        "used": "answer_required_as_told",
        "age": "answer_constraint_as_told",
        "hours": "answer_not_number",
    }
    said = {fault.path: say(fault) for fault in caught.value.faults}
    assert (said["used"], said["age"]) == ("请选", "请填 18 到 110")
    assert all(say(fault, "en") for fault in caught.value.faults)
    assert [fault.facts["page"] for fault in caught.value.faults] == ["", "used", "used", "used"]


def test_today_is_what_the_caller_says():
    assert faults({"used": "yes", "day": "2015-06-30"}) == {}
    assert faults({"used": "yes", "day": "2015-06-30"}, today=date(2015, 6, 29)) == {"day": "answer_constraint"}


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("used", "maybe", "answer_not_a_choice"),
        ("used", ["yes", "no"], "answer_one_only"),
        ("several", ["yes", "maybe"], "answer_not_a_choice"),
        ("age", "20.5", "answer_not_whole_number"),
        ("age", "二十", "answer_not_whole_number"),
        ("age", "2147483648", "answer_not_whole_number"),
        ("age", "9" * 5000, "answer_not_whole_number"),
        ("age", "20" + " " * 70 + "x", "answer_not_whole_number"),
        ("hours", "1e3", "answer_not_number"),
        ("hours", "NaN", "answer_not_number"),
        ("day", "2015-02-30", "answer_not_a_day"),
        ("day", "1066-10-14", "answer_not_a_day"),
        ("day", "yesterday", "answer_not_a_day"),
        ("say", "字" * 2001, "answer_too_long"),
        ("say", "字" * 100_000, "answer_too_long"),
        ("say", "a\0b", "answer_unreadable"),
        ("say", "a\ud800b", "answer_unreadable"),
        ("say", {"a": 1}, "answer_unreadable"),
        ("say", [1], "answer_unreadable"),
    ],
)
def test_what_is_no_answer_is_a_fault_at_its_question(name, given, code):
    assert faults({"used": "yes", name: given}) == {name: code}


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("say", "a\r\nb", "a\nb"),
        ("say", "e\u0301", "\u00e9"),
        ("say", "字" * 2000, "字" * 2000),
        ("say", "  ", None),
        ("say", [], None),
        ("say", [""], None),
        ("age", "+20", 20),
        ("hours", ".5", Decimal("0.5")),
        ("day", "2015/6/1", date(2015, 6, 1)),
        ("several", "no yes", ("yes", "no")),
    ],
)
def test_what_people_type_is_taken_kindly(name, given, kept):
    assert value(name, given) == kept


def test_a_page_is_judged_alone_under_all_answers_so_far():
    first, more = Stop(FORM.pages[0]), Stop(FORM.pages[1])
    raw = {"used": "yes", "age": "70"}
    assert page_faults(FORM, first, raw, TODAY) == ()
    assert codes(page_faults(FORM, more, raw, TODAY)) == {"several": "answer_required"}
    assert page_faults(FORM, more, raw | {"used": "no"}, TODAY) == ()


def test_only_what_is_to_be_asked_is_on_the_pages():
    def asked(raw):
        return [[question.name for question in stop.page.questions] for stop in relevant_pages(FORM, raw, TODAY)]

    assert asked({}) == [["used", "age", "hours"]]
    assert asked({"used": "yes"}) == [["used", "age", "hours"], ["several", "day", "say"]]
    assert asked({"age": "61"}) == [["used", "age", "hours"], ["thanks"]]


def overall(**given):
    return {f"overall_{unit}": given.get(unit, "satisfied") for unit in UNITS}


def resident(**given):
    return {"district": "siming", "age_band": "a60", "used": "no", "change": "better", **overall(), **given}


def test_a_resident_is_asked_for_reasons_only_when_dissatisfied_with_a_unit():
    def pages(raw):
        return [stop.page.name for stop in relevant_pages(RESIDENTS, raw, TODAY)]

    assert pages(resident()) == ["about", "overall", "closing"]
    assert pages(resident(overall_health="dk")) == ["about", "overall", "closing"]
    assert pages(resident(overall_health="dissatisfied")) == ["about", "overall", "why", "closing"]
    assert pages(resident(used="yes")) == ["about", "service", "overall", "closing"]
    assert faults(resident(overall_health="very_dissatisfied"), RESIDENTS) == {"reasons": "answer_required_as_told"}
    answers = read_answers(RESIDENTS, resident(overall_health="dissatisfied", reasons=["slow", "opaque"]), TODAY)
    assert answers.values["dissatisfied_count"] == "1"


def test_a_deputys_taps_are_ratings_and_dk_is_none():
    answers = read_answers(DEPUTIES, overall(justice="very_satisfied", sports="dk", health="very_dissatisfied"), TODAY)
    expected = dict.fromkeys(UNITS, 80) | {"justice": 100, "health": 0}
    del expected["sports"]
    assert ratings(DEPUTIES, answers) == tuple(
        Rating(unit, "overall", expected[unit]) for unit in UNITS if unit != "sports"
    )


def test_a_service_recipient_rates_the_unit_that_served():
    raw = {"used_unit": "culture", "channel": "online", "times": "once", "told_once": "yes", **overall()}
    raw |= {f"item_{item}": "fairly_satisfied" for item in ("conduct", "efficiency", "procedure", "openness")}
    answers = read_answers(RECIPIENTS, raw | {"item_integrity": "dk"}, TODAY)
    found = ratings(RECIPIENTS, answers)
    assert found[0] == Rating("culture", "conduct", 60)
    assert {(one.unit, one.item) for one in found} == {
        *((unit, "overall") for unit in UNITS),
        *(("culture", item) for item in ("conduct", "efficiency", "procedure", "openness")),
    }
    waited = [
        question.name
        for stop in relevant_pages(RECIPIENTS, raw | {"channel": "window"}, TODAY)
        for question in stop.page.questions
    ]
    assert "waiting_minutes" in waited


FIELD = st.one_of(
    st.text(), st.lists(st.text(), max_size=3), st.sampled_from(["yes", "no", "61", "2015-06-30", "yes no"])
)
NAMES = st.one_of(st.sampled_from([step.name for step in FORM.steps]), st.text(max_size=80))


@given(st.dictionaries(NAMES, FIELD, max_size=9), st.dates())
def test_any_submission_gives_answers_or_faults_that_can_be_said_and_never_an_exception(raw, today):
    pages = relevant_pages(FORM, raw, today)
    assert pages
    for page in FORM.pages:
        page_faults(FORM, Stop(page), raw, today)
    try:
        answers = read_answers(FORM, raw, today)
    except Refused as refused:
        for fault in refused.faults:
            assert all(say(fault, language).encode() for language in LANGUAGES)
    else:
        assert set(answers.values) <= {step.name for step in FORM.steps}
        assert not set(answers.values) & set(answers.dropped)
        ratings(FORM, answers)


@given(
    st.dictionaries(st.sampled_from([f"overall_{unit}" for unit in UNITS]), st.sampled_from(["satisfied", "dk", "no"]))
)
def test_the_faults_of_the_pages_are_the_faults_of_the_whole(raw):
    by_page = [fault for page in RESIDENTS.pages for fault in page_faults(RESIDENTS, Stop(page), raw, TODAY)]
    assert codes(by_page) == faults(raw, RESIDENTS)


def test_a_calculate_keeps_no_rounding_error_above_a_whole_number_and_nothing_for_no_number():
    form = a_form(
        a_row("integer", "n"),
        a_row("calculate", "again", calculation="${n} div 7 * 7"),
        a_row("calculate", "is_same", calculation="if(${again} = ${n}, 'yes', 'no')"),
        a_row("calculate", "below", calculation="${n} - 0.0000000001"),
    )
    assert 31726 / 7 * 7 != 31726
    assert read_answers(form, {"n": "31726"}, TODAY).values == {
        "n": 31726,
        "again": "31726",
        "is_same": "yes",
        "below": "31725.9999999999",
    }
    assert read_answers(form, {}, TODAY).values == {"is_same": "yes"}
