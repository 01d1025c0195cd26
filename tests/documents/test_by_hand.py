"""The product agrees with an examiner's own calculation in every field, on hundreds of documents full of edges."""

from copy import deepcopy
from typing import Any

import pytest

from survey_forms.scoring.compute import score
from tests.documents.by_hand import BY_HAND
from tests.documents.drawn import Drawing
from tests.documents.examples import NAMES, an_example

FIELDS = ("id", "composite", "grade", "grade_missing", "parts", "cut_by_cap", "rank", "rank_in_class", "prize")
DOCUMENTS = 40
"""Drawn for each scheme in one run, some seven units each."""


def named_fields(unit: dict[str, Any]) -> dict[str, Any]:
    """What the exchange format names."""
    return {key: unit.get(key) for key in (*FIELDS, "consequences")}


def test_the_examiner_knows_every_scheme_that_has_examples():
    assert sorted(BY_HAND) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_examiner_reproduces_the_worked_examples(name: str):
    example = an_example(name)
    found = BY_HAND[name](example["input"])
    for expected, unit in zip(example["expected"]["units"], found, strict=True):
        assert expected.pop("consequences", {}).items() <= unit["consequences"].items()
        assert expected.items() <= unit.items()


@pytest.mark.parametrize("name", NAMES)
def test_product_and_examiner_agree(name: str):
    for seed in range(DOCUMENTS):
        document = Drawing(name, seed).document()
        before = deepcopy(document)
        found = [named_fields(unit) for unit in score(document)["units"]]
        assert found == [named_fields(unit) for unit in BY_HAND[name](document)], f"seed {seed}"
        assert document == before


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_units_and_of_their_lists_changes_nothing(name: str):
    for seed in range(DOCUMENTS // 4):
        drawing = Drawing(name, seed)
        document = drawing.document()
        found = {unit["id"]: unit for unit in score(document)["units"]}
        drawing.chance.shuffle(document["units"])
        for unit in document["units"]:
            for key in {"deductions", "bonuses", "binding", "absences", "leave", "history"} & unit.keys():
                drawing.chance.shuffle(unit[key])
        assert {unit["id"]: unit for unit in score(document)["units"]} == found
