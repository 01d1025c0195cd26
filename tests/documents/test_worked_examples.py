"""The documents' own sums, reproduced to the last digit."""

from typing import Any

import pytest

from survey_forms.scoring.compute import score
from tests.documents.examples import NAMES, an_example, an_input


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Where `found` is not what `expected` says; it may say more."""
    if isinstance(expected, dict):
        missing = [f"{path}.{key} is missing" for key in expected.keys() - found.keys()]
        there = expected.keys() & found.keys()
        return missing + [one for key in there for one in differences(expected[key], found[key], f"{path}.{key}")]
    if isinstance(expected, list):
        if len(expected) != len(found):
            return [f"{path} has {len(found)} items, not {len(expected)}"]
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for place, pair in pairs for line in differences(*pair, f"{path}[{place}]")]
    return [] if expected == found else [f"{path}: {found!r}, not {expected!r}"]


def test_there_is_an_example_for_every_scheme_that_has_a_composite():
    assert NAMES == [
        "bailian", "fangshan-2017", "hami-transport", "jinfeng", "suqian", "water-bureau", "xiamen-wf-2015", "yanghe",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_worked_example_comes_out_exactly(name: str):
    example = an_example(name)
    assert differences(example["expected"], score(example["input"])) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_units_changes_no_figure(name: str):
    document = an_input(name)
    forwards = {unit["id"]: unit for unit in score(document)["units"]}
    document["units"].reverse()
    assert {unit["id"]: unit for unit in score(document)["units"]} == forwards


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_ledger_lines_changes_no_figure(name: str):
    document = an_input(name)
    expected = score(document)
    for unit in document["units"]:
        for key in "deductions", "bonuses", "absences", "leave", "history", "binding":
            unit.get(key, []).reverse()
    assert score(document) == expected


def test_scoring_does_not_touch_its_input():
    document = an_input("xiamen-wf-2015")
    score(document, trace=True)
    assert document == an_input("xiamen-wf-2015")
