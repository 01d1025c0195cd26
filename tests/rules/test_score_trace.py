"""The trace is arithmetic that a person can check: every formula, worked out, gives its result."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from survey_forms.scoring.compute import score
from tests.documents.examples import NAMES, an_input

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def worked_out(formula: str) -> Decimal:
    """The value of a trace formula; nothing but + − × %, brackets, min, max and round is known."""
    code = NUMBER.sub(lambda found: f"D('{found[0]}')", formula)
    code = code.replace("−", "-").replace("×", "*").replace("%", "/D(100)")

    def rounded(value: Decimal, places: Decimal) -> Decimal:
        return value.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)

    names = {"__builtins__": {}, "D": Decimal, "min": min, "max": max, "round": rounded}
    return Decimal(eval(code, names))  # noqa: S307  # our own output, and no name but these


def traced(name: str) -> list[dict[str, Any]]:
    return score(an_input(name), trace=True)["units"]


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_gives_its_result(name: str):
    lines = [line for unit in traced(name) for line in unit["trace"] if line["formula"]]
    assert len(lines) > len(an_input(name)["units"])
    assert [line for line in lines if worked_out(line["formula"]) != Decimal(line["result"])] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_trace_ends_in_the_figures_that_are_published(name: str):
    for unit in traced(name):
        by_step = {line["step"]: line for line in unit["trace"]}
        assert by_step["composite"]["result"] == unit["composite"]
        assert by_step["composite"]["formula"].startswith(f"round({by_step['total']['result']}")
        parts = {line["path"]: line["value"] for line in by_step["total"]["inputs"]}
        assert parts == unit["parts"]


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_named_in_both_languages_and_every_weighted_sum_names_its_articles(name: str):
    for unit in traced(name):
        for line in unit["trace"]:
            assert line["zh"]
            assert line["en"]
            if line["step"] in {"component", "part", "total", "composite"}:
                assert line["article"]
        for line in (line for line in unit["trace"] if line["step"] == "component"):
            assert all(one["article"] for one in line["inputs"] if one.get("weight") not in {None, "100"})


def test_each_ledger_line_is_there_and_says_whether_it_counts():
    unit = traced("xiamen-wf-2015")[0]
    entries = {line["inputs"][0]["id"]: line for line in unit["trace"] if line["step"] == "entry"}
    assert list(entries) == ["d1", "d2", "d4"]
    assert entries["d1"]["words"]["zh"] == "已由 d3 冲销，不计"
    assert entries["d1"]["result"] == "0"
    assert entries["d2"]["result"] == "2.1"


def test_a_cap_shows_in_the_formula_and_in_words():
    unit = traced("bailian")[0]
    line = next(line for line in unit["trace"] if line["path"] == "inspection" and line["step"] == "component")
    assert line["formula"].startswith("min(")
    assert line["result"] == "3"
    assert "扣满 3 分为止" in line["words"]["zh"]


def test_a_supplied_weight_says_under_which_path_it_was_supplied():
    unit = traced("xiamen-wf-2015")[0]
    line = next(line for line in unit["trace"] if line["path"] == "public_review")
    assert {one["weight_from"] for one in line["inputs"]} == {"public_review.shares"}
    assert sum(Decimal(one["weight"]) for one in line["inputs"]) == 100


def test_an_unexcused_absence_is_a_line_with_its_article():
    unit = traced("hami-transport")[1]
    lines = [line for line in unit["trace"] if line["step"] == "entry"]
    assert [line["inputs"][0]["id"] for line in lines] == ["absences[1]", "absences[2]", "absences[3]"]
    assert {line["article"] for line in lines} == {"第四部分·机关效能"}


def test_a_zeroed_indicator_says_why():
    unit = traced("jinfeng")[2]
    lines = [line for line in unit["trace"] if line["words"]["zh"] == "约束性条件未达标，计零分"]
    assert [line["path"] for line in lines] == [f"quarters.q{quarter}.i2" for quarter in range(1, 5)]


def test_a_number_among_the_consequences_shows_how_it_was_reached():
    unit = traced("xiamen-wf-2015")[2]
    line = next(line for line in unit["trace"] if line["path"] == "outstanding_share")
    assert (line["formula"], line["result"]) == ("min(17 + 5, 20)", "20")


def test_no_trace_is_given_unasked():
    assert "trace" not in score(an_input("bailian"))["units"][0]
