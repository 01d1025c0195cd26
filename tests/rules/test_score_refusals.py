"""Every kind of bad input: refused with its path, all at once, in Chinese and in English, nothing guessed."""

from typing import Any

import pytest

from api.problems import say
from survey_forms.refusal import Fault, Refused
from survey_forms.scoring.compute import score
from survey_forms.scoring.exchange import parse_document
from tests.documents.examples import an_input, changed, without

XIAMEN, BAILIAN, HAMI = "xiamen-wf-2015", "bailian", "hami-transport"
REVIEW = "units/0/scores/public_review"
ZEROED = "supplied/binding_indicators"
MEMBERS = "units[0].scores.public_review.cppcc_members"
RESIDENTS = "units[0].scores.public_review.residents"
NO_DECIMALS = ["NaN", "Infinity", "1e2", "1E2", "", " 90", "90 ", "90.", ".5", "+90", "９０", "1,000", "九十", "9\n"]

# scheme, path to change, bad value, code, path named
BAD_VALUES = [
    (XIAMEN, "scheme", "atlantis", "unknown_scheme", "scheme"),
    (XIAMEN, "scheme", 7, "not_text", "scheme"),
    (XIAMEN, "comment", "x", "unknown_key", "comment"),
    (XIAMEN, "units", {}, "not_a_list", "units"),
    (XIAMEN, "units", None, "missing_value", "units"),
    (XIAMEN, "units/0", "u1", "not_an_object", "units[0]"),
    (XIAMEN, "units/1", None, "missing_value", "units[1]"),
    (XIAMEN, "units/0/id", 1, "not_text", "units[0].id"),
    (XIAMEN, "units/0/id", "", "not_text", "units[0].id"),
    (XIAMEN, "units/0/id", "a\nb", "not_text", "units[0].id"),
    (XIAMEN, "units/0/id", "\ud800", "not_text", "units[0].id"),
    (XIAMEN, "units/1/id", "u1", "duplicate_id", "units[1].id"),
    (XIAMEN, "units/0/colour", "red", "unknown_key", "units[0].colour"),
    (XIAMEN, "units/0/class", "x", "unknown_key", "units[0].class"),
    (XIAMEN, "units/0/history", [{"year": 2014}], "not_in_scheme", "units[0].history"),
    (XIAMEN, "units/0/scores", [], "not_an_object", "units[0].scores"),
    (XIAMEN, "units/0/scores/indicator", "900", "not_an_object", "units[0].scores.indicator"),
    (XIAMEN, "units/0/scores/indicator/common", "900", "unknown_key", "units[0].scores.indicator.common"),
    (XIAMEN, f"{REVIEW}/cppcc_members", 912.5, "number_not_text", MEMBERS),
    (XIAMEN, f"{REVIEW}/cppcc_members", 912, "number_not_text", MEMBERS),
    (XIAMEN, f"{REVIEW}/cppcc_members", None, "missing_value", MEMBERS),
    (XIAMEN, f"{REVIEW}/cppcc_members", True, "not_a_decimal", MEMBERS),
    (XIAMEN, f"{REVIEW}/cppcc_members", "1000.01", "above_most", MEMBERS),
    (XIAMEN, f"{REVIEW}/cppcc_members", "9" * 5000, "decimal_too_long", MEMBERS),
    (XIAMEN, f"{REVIEW}/cppcc_members", float("nan"), "number_not_text", MEMBERS),
    *[
        (XIAMEN, f"{REVIEW}/residents", text, "not_a_decimal", RESIDENTS)
        for text in NO_DECIMALS
    ],
    (XIAMEN, f"{REVIEW}/residents", "-5", "negative_number", RESIDENTS),
    (XIAMEN, f"{REVIEW}/aliens", "90", "unknown_key", "units[0].scores.public_review.aliens"),
    (XIAMEN, "supplied", [], "not_an_object", "supplied"),
    (XIAMEN, "supplied/weights", {}, "unknown_key", "supplied.weights"),
    (XIAMEN, "supplied/outstanding_base", "101", "above_most", "supplied.outstanding_base"),
    (XIAMEN, "supplied/outstanding_base", None, "missing_value", "supplied.outstanding_base"),
    (XIAMEN, "supplied/public_review.shares", "all", "not_an_object", "supplied.public_review.shares"),
    (XIAMEN, "supplied/public_review.shares/residents", "4.01", "shares_not_100", "supplied.public_review.shares"),
    (XIAMEN, "supplied/public_review.shares/aliens", "0", "unknown_key", "supplied.public_review.shares.aliens"),
    (XIAMEN, "units/0/deductions", {}, "not_a_list", "units[0].deductions"),
    (XIAMEN, "units/0/deductions/0", "d1", "not_an_object", "units[0].deductions[0]"),
    (XIAMEN, "units/0/deductions/0/points", "-1", "negative_number", "units[0].deductions[0].points"),
    (XIAMEN, "units/0/deductions/0/points", 1, "number_not_text", "units[0].deductions[0].points"),
    (XIAMEN, "units/0/deductions/0/points", None, "missing_value", "units[0].deductions[0].points"),
    (XIAMEN, "units/0/deductions/0/to", "indicator", "unknown_id", "units[0].deductions[0].to"),
    (XIAMEN, "units/0/deductions/0/why", "late", "unknown_key", "units[0].deductions[0].why"),
    (XIAMEN, "units/0/deductions/0/aspect", "duties", "unknown_key", "units[0].deductions[0].aspect"),
    (XIAMEN, "units/0/deductions/1/id", "d1", "duplicate_id", "units[0].deductions[1].id"),
    (XIAMEN, "units/0/deductions/2/points", "1", "unknown_key", "units[0].deductions[2].points"),
    (XIAMEN, "units/0/deductions/2/reverses", "d9", "reversal_of_unknown", "units[0].deductions[2].reverses"),
    (XIAMEN, "units/0/deductions/2/reverses", "d3", "reversal_of_reversal", "units[0].deductions[2].reverses"),
    (XIAMEN, "units/0/bonuses", [{"id": "b", "to": "results", "points": "1"}], "unknown_id", "units[0].bonuses[0].to"),
    (XIAMEN, "units/0/bonuses", [{"id": "b", "points": "1"}], "missing_value", "units[0].bonuses[0].to"),
    (XIAMEN, "units/0/binding", ["bad_weather"], "unknown_id", "units[0].binding[0]"),
    (XIAMEN, "units/0/binding", ["falsification"] * 2, "duplicate_id", "units[0].binding[1]"),
    (XIAMEN, "units/0/binding", [1], "not_text", "units[0].binding[0]"),
    (XIAMEN, "units/0/persons", [{"id": "p"}], "missing_value", "units[0].persons[0].sanction"),
    (XIAMEN, "units/0/persons", [{"id": "p", "sanction": "exile"}], "unknown_id", "units[0].persons[0].sanction"),
    (XIAMEN, "units/0/persons", [{"id": "p", "sanction": None}] * 2, "duplicate_id", "units[0].persons[1].id"),
    (BAILIAN, "units/0/deductions/0/aspect", "weather", "unknown_id", "units[0].deductions[0].aspect"),
    (BAILIAN, "units/0/deductions/0/to", "indicator", "unknown_id", "units[0].deductions[0].to"),
    (BAILIAN, "units/0/scores/indicator", "100.01", "above_most", "units[0].scores.indicator"),
    (BAILIAN, "supplied/grades", [["优", "90"]], "unknown_key", "supplied.grades"),
    ("yanghe", "supplied/weights/quantitative.economy", "39", "shares_not_100", "supplied.weights"),
    ("yanghe", "supplied/grades", [["优", "80"], ["良", "80"]], "bands_not_descending", "supplied.grades[1][1]"),
    ("yanghe", "supplied/grades", [["优", "80"], ["优", "70"]], "duplicate_id", "supplied.grades[1][0]"),
    ("yanghe", "supplied/grades", [["优"]], "not_a_band", "supplied.grades[0]"),
    ("yanghe", "supplied/grades", [["优", 80]], "number_not_text", "supplied.grades[0][1]"),
    ("yanghe", "supplied/grades", [], "missing_value", "supplied.grades[0]"),
    ("yanghe", "supplied/grades", [["优", "101"]], "above_most", "supplied.grades[0][1]"),
    (HAMI, "units/0/scores/efficiency", "100", "unknown_key", "units[0].scores.efficiency"),
    (HAMI, "units/0/absences/0/kind", "nap", "unknown_id", "units[0].absences[0].kind"),
    (HAMI, "units/0/absences/0/excused", "no", "not_yes_no", "units[0].absences[0].excused"),
    (HAMI, "units/0/absences/0/excused", 0, "not_yes_no", "units[0].absences[0].excused"),
    (HAMI, "units/0/leave/0/days", 9, "number_not_text", "units[0].leave[0].days"),
    (HAMI, "units/0/leave/0/kind", None, "missing_value", "units[0].leave[0].kind"),
    (HAMI, "units/0/deductions", [{"id": "d", "points": "1"}], "unknown_id", "units[0].deductions[0].to"),
    ("fangshan-2017", "units/0/class", "village", "unknown_id", "units[0].class"),
    ("fangshan-2017", "units/0/scores/daily/differential", "1", "unknown_key", "units[0].scores.daily.differential"),
    ("fangshan-2017", "supplied/weights.f6/key", "51", "shares_not_100", "supplied.weights.f6"),
    ("fangshan-2017", "supplied/weights.f9", {}, "unknown_id", "supplied.weights.f9"),
    ("fangshan-2017", "supplied/weights.f4", {}, "weights_not_adjustable", "supplied.weights.f4"),
    ("fangshan-2017", "units/0/deductions/0/to", "inspection", "unknown_id", "units[0].deductions[0].to"),
    ("suqian", "supplied/half_year_share", "100.5", "above_most", "supplied.half_year_share"),
    ("suqian", "supplied/bands/先进", "91", "shares_over_100", "supplied.bands"),
    ("suqian", "supplied/bands/达标", "9", "unknown_key", "supplied.bands.达标"),
    ("suqian", "units/0/history/0/year", "2013", "not_a_year", "units[0].history[0].year"),
    ("suqian", "units/0/history/0/year", True, "not_a_year", "units[0].history[0].year"),
    ("suqian", "units/0/history/1/year", 2013, "duplicate_id", "units[0].history[1].year"),
    ("suqian", "units/0/history/0/last_three", "yes", "not_yes_no", "units[0].history[0].last_three"),
    ("jinfeng", "units/0/scores/quarters/q1/i9", "90", "unknown_key", "units[0].scores.quarters.q1.i9"),
    ("jinfeng", "units/0/scores/quarters/q5", {}, "unknown_key", "units[0].scores.quarters.q5"),
    ("jinfeng", f"{ZEROED}/work_safety", "i9", "unknown_id", "supplied.binding_indicators.work_safety"),
    ("jinfeng", f"{ZEROED}/weather", "i1", "unknown_key", "supplied.binding_indicators.weather"),
    ("jinfeng", "supplied/indicator_weights", {"i.1": "100"}, "not_text", "supplied.indicator_weights.i.1"),
]  # fmt: skip

# scheme, path to take out, code, path named
MISSING = [
    (XIAMEN, "scheme", "missing_value", "scheme"),
    (XIAMEN, "units", "missing_value", "units"),
    (XIAMEN, "supplied", "supplied_missing", "supplied.public_review.shares"),
    (XIAMEN, "supplied/public_review.shares", "supplied_missing", "supplied.public_review.shares"),
    (XIAMEN, "supplied/outstanding_base", "supplied_missing", "supplied.outstanding_base"),
    (XIAMEN, "supplied/public_review.shares/residents", "missing_value", "supplied.public_review.shares.residents"),
    (XIAMEN, "units/2/id", "missing_value", "units[2].id"),
    (XIAMEN, "units/2/scores", "missing_value", "units[2].scores"),
    (XIAMEN, "units/2/scores/public_review", "missing_value", "units[2].scores.public_review"),
    (XIAMEN, f"{REVIEW}/cppcc_members", "missing_value", MEMBERS),
    (XIAMEN, "units/2/scores/indicator/differential", "missing_value", "units[2].scores.indicator.differential"),
    (XIAMEN, "units/0/deductions/0/id", "missing_value", "units[0].deductions[0].id"),
    (XIAMEN, "units/0/deductions/0/points", "missing_value", "units[0].deductions[0].points"),
    ("yanghe", "supplied/weights", "supplied_missing", "supplied.weights"),
    ("yanghe", "supplied/weights/social.decisions", "missing_value", "supplied.weights.social.decisions"),
    ("suqian", "units/0/class", "missing_value", "units[0].class"),
    ("suqian", "supplied/half_year_share", "supplied_missing", "supplied.half_year_share"),
    ("suqian", "units/0/history/0/year", "missing_value", "units[0].history[0].year"),
    ("water-bureau", "supplied/weights", "supplied_missing", "supplied.weights"),
    ("jinfeng", "supplied/indicator_weights", "supplied_missing", "supplied.indicator_weights"),
    ("jinfeng", "supplied/binding_indicators", "supplied_missing", "supplied.binding_indicators.work_safety"),
    ("jinfeng", f"{ZEROED}/public_order", "missing_value", "supplied.binding_indicators.public_order"),
]  # fmt: skip


def faults(document: Any) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        score(document)
    return list(refused.value.faults)


@pytest.mark.parametrize(("name", "path", "value", "code", "place"), BAD_VALUES)
def test_a_bad_value_is_refused_where_it_stands(name: str, path: str, value: Any, code: str, place: str):
    found = faults(changed(an_input(name), path, value))
    assert (code, place) in {(fault.code, fault.path) for fault in found}
    for fault in found:
        assert fault.path in say(fault, "zh")
        assert fault.path in say(fault, "en")
        assert "<" not in say(fault, "zh") + say(fault, "en")  # every blank is filled


@pytest.mark.parametrize(("name", "path", "code", "place"), MISSING)
def test_a_missing_value_is_named(name: str, path: str, code: str, place: str):
    assert (code, place) in {(fault.code, fault.path) for fault in faults(without(an_input(name), path))}


def test_one_slip_is_named_once():
    for name, path, value, code, place in BAD_VALUES:
        found = faults(changed(an_input(name), path, value))
        assert [(fault.code, fault.path) for fault in found].count((code, place)) == 1, (name, path, value)


def test_an_entry_cannot_be_reversed_twice():
    document = an_input(XIAMEN)
    document["units"][0]["deductions"].append({"id": "d9", "reverses": "d1"})
    (fault,) = faults(document)
    assert (fault.code, fault.path) == ("reversal_of_reversed", "units[0].deductions[4].reverses")
    assert fault.facts["by"] == "d3"


def test_a_reversal_reaches_into_no_other_units_ledger():
    document = an_input(BAILIAN)
    document["units"][1]["deductions"].append({"id": "r", "reverses": "d4"})
    (fault,) = faults(document)
    assert fault.code == "reversal_of_unknown"


def test_everything_that_is_wrong_is_named_at_once():
    document = an_input(XIAMEN)
    changed(document, "units/0/scores/indicator/differential", "1001")
    changed(document, "units/1/binding", ["nothing"])
    changed(document, "units/2/deductions/0/points", 3)
    without(document, "supplied/outstanding_base")
    assert {fault.path for fault in faults(document)} == {
        "units[0].scores.indicator.differential",
        "units[1].binding[0]",
        "units[2].deductions[0].points",
        "supplied.outstanding_base",
    }


def test_a_flood_of_faults_is_counted_not_listed():
    document = an_input(BAILIAN)
    document["units"] = [{"id": f"v{place}"} for place in range(500)]
    found = faults(document)
    assert len(found) == 101
    assert found[-1].code == "more_faults"
    assert found[-1].facts["count"] == 400


def test_a_scheme_of_tasks_has_no_composite():
    (fault,) = faults({"scheme": "pingbian-land", "units": []})
    assert (fault.code, fault.path) == ("no_composite", "scheme")


@pytest.mark.parametrize("document", [None, [], "x", 3, True])
def test_a_document_is_an_object(document: Any):
    assert [fault.path for fault in faults(document)] == ["input"]


def test_a_value_nested_almost_too_deeply_is_told_briefly_too():
    deep = b'{"scheme": "bailian", "units": [' + b"[" * 900 + b"]" * 900 + b"]}"
    assert {fault.path for fault in faults(parse_document(deep))} >= {"units[0]"}
    twice = b'{"a": ' * 900 + b'{"b": 1, "b": 2}' + b"}" * 900
    with pytest.raises(Refused) as refused:
        parse_document(twice)
    assert refused.value.code in {"duplicate_key", "input_too_deep"}


def test_a_value_that_every_unit_needs_is_missed_once():
    document = without(an_input("jinfeng"), "supplied/binding_indicators")
    for unit in document["units"]:
        unit["binding"] = ["work_safety"]
    assert [fault.path for fault in faults(document)] == ["supplied.binding_indicators.work_safety"]


def test_deep_and_heavy_values_are_told_briefly():
    (fault,) = faults(changed(an_input(BAILIAN), "units/0/scores/indicator", ["x" * 10_000]))
    assert len(say(fault)) < 200


@pytest.mark.parametrize(
    ("data", "code", "facts"),
    [
        (b"", "input_not_json", {"line": 1, "column": 1}),
        (b'{\n"a": }', "input_not_json", {"line": 2, "column": 6}),
        (b"[1, 2", "input_not_json", {}),
        ('{"a": "中'.encode("gbk"), "input_not_utf8", {"byte": 7}),
        (b"\xff\xfe{\x00", "input_not_utf8", {"byte": 0}),
        (b"[" * 200_000, "input_too_deep", {}),
        (b'{"a": 1, "b": {"c": 2, "c": 3}}', "duplicate_key", {"key": "c"}),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(data: bytes, code: str, facts: dict[str, Any]):
    with pytest.raises(Refused) as refused:
        parse_document(data, "in.json")
    assert refused.value.code == code
    assert facts.items() <= dict(refused.value.faults[0].facts).items()
    assert say(refused.value.faults[0], "zh")


def test_every_key_that_stands_twice_is_named_with_its_path():
    with pytest.raises(Refused) as refused:
        parse_document(b'{"units": [{"id": "a", "id": "b"}, {"scores": {"x": "1", "x": "1"}}], "units": []}')
    assert [fault.path for fault in refused.value.faults] == ["units"]  # the outermost one hides what it replaced
    with pytest.raises(Refused) as refused:
        parse_document(b'{"units": [{"id": "a", "id": "b"}, {"scores": {"x": "1", "x": "1"}}]}')
    assert [fault.path for fault in refused.value.faults] == ["units[0].id", "units[1].scores.x"]


def test_numbers_that_python_cannot_hold_are_still_only_wrong_type():
    data = b'{"scheme": "bailian", "units": [{"id": "a", "scores": {"indicator": ' + b"9" * 10_000 + b"}}]}"
    paths = {fault.path: fault.code for fault in faults(parse_document(data))}
    assert paths["units[0].scores.indicator"] == "number_not_text"


def test_a_byte_order_mark_is_no_fault():
    assert parse_document(b"\xef\xbb\xbf{}") == {}
