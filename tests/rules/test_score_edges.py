"""The edges of each rule: ties, boundaries, empty lists, values that nobody supplied."""

from decimal import Decimal
from typing import Any

import pytest

from survey_forms.scoring.compute import score
from tests.documents.examples import an_input, changed, without

QUARTERS = ("q1", "q2", "q3", "q4")


def by_id(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {unit["id"]: unit for unit in score(document)["units"]}


def a_section(results: str, absent: int = 0, **more: Any) -> dict[str, Any]:
    absences = [{"kind": "study", "excused": False}] * absent
    return {"id": "k", "scores": {"results": results}, "absences": absences, **more}


def hami(*units: dict[str, Any]) -> list[dict[str, Any]]:
    return score({"scheme": "hami-transport", "units": list(units)})["units"]


def a_town(name: str, figure: str, *, unit_class: str = "town", **more: Any) -> dict[str, Any]:
    return {"id": name, "class": unit_class, "scores": {"quarters": {q: {"i1": figure} for q in QUARTERS}}, **more}


def jinfeng(*units: dict[str, Any], **supplied: Any) -> dict[str, dict[str, Any]]:
    known = {"quarter_shares": dict.fromkeys(QUARTERS, "25"), "indicator_weights": {"i1": "100"}, **supplied}
    return by_id({"scheme": "jinfeng", "supplied": known, "units": list(units)})


def a_body(name: str, figure: str, unit_class: str = "economic", **more: Any) -> dict[str, Any]:
    year_end = dict.fromkeys(("business", "leaders", "deputies", "service_recipients"), figure)
    return {"id": name, "class": unit_class, "scores": {"half_year": figure, "year_end": year_end}, **more}


def suqian(*units: dict[str, Any], **supplied: Any) -> dict[str, dict[str, Any]]:
    weights = {"business": "40", "leaders": "20", "deputies": "20", "service_recipients": "20"}
    known = {"half_year_share": "30", "year_end.weights": weights, "bands": {"先进": "30", "诫勉": "10"}, **supplied}
    return by_id({"scheme": "suqian", "supplied": known, "units": list(units)})


@pytest.mark.parametrize(
    ("results", "composite", "grade"),
    [
        ("91.666", "95.00", "优秀"),  # 94.9996 is 95.00 in print, and print decides
        ("91.665", "95.00", "优秀"),
        ("91.658", "94.99", "合格"),
        ("58.33", "75.00", "合格"),
        ("58.32", "74.99", "不合格"),
    ],
)
def test_the_grade_is_decided_on_the_printed_figure(results: str, composite: str, grade: str):
    (unit,) = hami(a_section(results))
    assert (unit["composite"], unit["grade"]) == (composite, grade)


def test_a_failing_section_is_criticised_and_barred_from_honours():
    (unit,) = hami(a_section("10"))
    assert unit["consequences"] == {"honours": False, "criticised": True}


@pytest.mark.parametrize(
    ("leave", "honours"),
    [
        ([], True),
        ([("sick", "15")], True),
        ([("sick", "15.5")], False),
        ([("sick", "15"), ("personal", "15")], True),
        ([("sick", "15"), ("personal", "15"), ("sick", "0.5")], False),
        ([("annual", "90"), ("maternity", "158"), ("anything_else", "40")], True),
    ],
)
def test_only_long_personal_and_sick_leave_bars_honours(leave: list[tuple[str, str]], honours: bool):  # noqa: FBT001
    (unit,) = hami(a_section("80", leave=[{"kind": kind, "days": days} for kind, days in leave]))
    assert unit["consequences"]["honours"] is honours


def test_empty_lists_and_absent_lists_are_the_same():
    bare = {"id": "k", "scores": {"results": "80"}}
    empty = bare | {"absences": [], "leave": [], "deductions": [], "bonuses": [], "binding": [], "persons": []}
    assert hami(bare) == hami(empty)


def test_persons_are_a_list_whether_none_or_an_empty_list_was_given():
    document = an_input("xiamen-wf-2015")
    document["units"][0]["persons"] = []
    units = by_id(document)
    assert units["u1"]["consequences"]["persons"] == units["u2"]["consequences"]["persons"] == []


def test_common_indicators_stop_at_zero_and_so_does_nothing_else():
    document = an_input("xiamen-wf-2015")
    document["units"][0]["deductions"] = [{"id": "a", "to": "indicator.common", "points": "1200"}]
    document["units"][1]["deductions"] = [{"id": "a", "points": "1200"}]
    units = by_id(document)
    assert Decimal(units["u1"]["parts"]["indicator"]) == Decimal("785.80") * Decimal("0.36")
    assert units["u1"]["cut_by_cap"] == "0"
    assert Decimal(units["u2"]["composite"]) < 0
    assert units["u2"]["grade"] == "差"


def test_a_base_beyond_the_limit_stands_but_is_not_raised():
    document = changed(an_input("xiamen-wf-2015"), "supplied/outstanding_base", "22")
    shares = {unit["grade"]: unit["consequences"]["outstanding_share"] for unit in score(document)["units"]}
    assert shares == {"优秀": "20", "良好": "22"}


def test_an_entry_that_cuts_nothing_shows_no_cut():
    units = by_id(an_input("bailian"))
    assert units["v2"]["cut_by_cap"] == "0"
    assert units["at85"]["parts"]["inspection"] == "0"


@pytest.mark.parametrize(("name", "path"), [("yanghe", "grades"), ("suqian", "bands")])
def test_without_the_grades_the_grade_is_empty_and_says_what_is_missing(name: str, path: str):
    full = by_id(an_input(name))
    for unit_id, unit in by_id(without(an_input(name), f"supplied/{path}")).items():
        assert unit["grade"] is None
        assert unit["grade_missing"] == path
        assert unit["composite"] == full[unit_id]["composite"]
        assert "grade_missing" not in full[unit_id]


def test_a_share_that_hangs_on_an_undecided_grade_is_undecided_too():
    (unit,) = suqian(a_body("q", "90"), bands={"先进": "0", "诫勉": "0"}).values()
    assert unit["consequences"]["outstanding_share"] == "15"
    document = without(an_input("suqian"), "supplied/bands")
    assert {unit["consequences"]["outstanding_share"] for unit in score(document)["units"]} == {None}


@pytest.mark.parametrize("name", ["water-bureau", "fangshan-2017", "jinfeng"])
def test_grades_may_be_supplied_where_the_document_has_none(name: str):
    document = changed(an_input(name), "supplied/grades", [["甲", "90"], ["乙", "0"]])
    document["units"] = [unit | {"binding": []} for unit in document["units"]]
    for unit in score(document)["units"]:
        assert unit["grade"] == ("甲" if Decimal(unit["composite"]) >= 90 else "乙")


def test_a_figure_below_every_supplied_band_has_no_grade():
    document = changed(an_input("yanghe"), "supplied/grades", [["优", "85"], ["良", "70"]])
    assert [unit["grade"] for unit in score(document)["units"]] == ["优", "良", None]
    assert score(document)["units"][2]["grade_missing"] == "grades"


def test_equal_units_share_rank_grade_and_prize():
    units = suqian(*[a_body(f"q{place}", "90") for place in range(4)], a_body("low", "80"))
    assert [units[f"q{place}"]["rank_in_class"] for place in range(4)] == [1, 1, 1, 1]
    assert {units[f"q{place}"]["grade"] for place in range(4)} == {"先进"}
    assert (units["low"]["rank"], units["low"]["grade"]) == (5, "达标")


def test_the_last_three_are_of_all_units_and_a_tie_across_the_line_stays_out():
    high = [a_body(f"h{place}", "90", "enforcement") for place in range(3)]
    units = suqian(*high, a_body("a", "70"), a_body("b", "70"), a_body("c", "60"), a_body("d", "50", "party_mass"))
    assert {name for name, unit in units.items() if unit["consequences"]["admonition_talk"]} == {"c", "d"}


@pytest.mark.parametrize(
    ("history", "proposed"),
    [
        ({2013: True, 2012: True}, True),
        ({2012: True, 2013: True}, True),
        ({2013: True, 2012: True, 2011: False}, True),
        ({2013: True, 2012: False}, False),
        ({2013: False, 2012: True, 2011: True}, False),
        ({2013: True, 2011: True}, False),
        ({2013: True}, False),
        ({}, False),
    ],
)
def test_replacement_is_proposed_only_after_three_years_running(history: dict[int, bool], proposed: bool):  # noqa: FBT001
    records = [{"year": year, "last_three": last} for year, last in history.items()]
    units = suqian(a_body("q", "50", history=records), *[a_body(f"h{place}", "90") for place in range(5)])
    assert units["q"]["consequences"]["admonition_talk"] is True
    assert units["q"]["consequences"]["replacement_proposed"] is proposed


def test_old_records_alone_do_not_make_three_years_running():
    old = [{"year": 2012, "last_three": True}, {"year": 2011, "last_three": True}]
    recent = [{"year": 2013, "last_three": False}]
    units = suqian(a_body("q", "50", history=old), *[a_body(f"h{i}", "90", history=recent) for i in range(5)])
    assert units["q"]["consequences"]["replacement_proposed"] is False


def test_prizes_are_for_towns_alone_and_one_town_takes_the_middle_prize():
    units = jinfeng(a_town("t", "90"), a_town("d", "95", unit_class="department"))
    assert units["t"]["prize"] == "二等奖"  # 0.3 : 0.5 : 0.2 of one prize
    assert "prize" not in units["d"]
    assert (units["t"]["rank"], units["t"]["rank_in_class"]) == (2, 1)


def test_a_violated_condition_zeroes_its_indicator_and_lowers_a_supplied_grade_by_one():
    grades = [["甲", "90"], ["乙", "60"], ["丙", "0"]]
    zeroed = {"family_planning": "i2", "work_safety": "i2", "public_order": "i2"}
    scores = {q: {"i1": "100", "i2": "100"} for q in QUARTERS}
    unit = {"id": "t", "class": "town", "scores": {"quarters": scores}, "binding": ["work_safety", "public_order"]}
    found = jinfeng(unit, indicator_weights={"i1": "95", "i2": "5"}, binding_indicators=zeroed, grades=grades)["t"]
    assert (found["composite"], found["grade"]) == ("95.00", "乙")
    assert found["consequences"] == {"grade_lowered": True, "honours": False}


def test_the_map_of_conditions_is_needed_only_when_one_is_violated():
    assert jinfeng(a_town("t", "90"))["t"]["composite"] == "90.00"


def test_bonuses_count_inside_the_daily_part_and_deductions_can_be_reversed_there():
    document = an_input("fangshan-2017")
    before = by_id(document)["f1"]["parts"]["daily"]
    document["units"][0]["bonuses"].append({"id": "b2", "to": "daily", "points": "1"})
    document["units"][0]["deductions"].append({"id": "r", "reverses": "d1"})
    after = by_id(document)["f1"]["parts"]["daily"]
    assert Decimal(after) - Decimal(before) == Decimal("0.8") * Decimal("1.6")


def test_adjusted_weights_are_for_one_unit_alone():
    document = an_input("fangshan-2017")
    before = by_id(without(an_input("fangshan-2017"), "supplied/weights.f6"))
    after = by_id(document)
    assert {name for name in after if after[name]["composite"] != before[name]["composite"]} == {"f6"}


def test_a_reversed_line_may_stand_before_the_line_it_reverses():
    document = an_input("xiamen-wf-2015")
    expected = score(document)
    document["units"][0]["deductions"].sort(key=lambda line: "reverses" not in line)
    assert score(document) == expected


def test_the_output_names_the_scheme_file_it_was_computed_by():
    assert len(score(an_input("bailian"))["scheme_digest"]) == 64
