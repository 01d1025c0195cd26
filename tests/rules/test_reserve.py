"""Reserves: let out in line, one for one, and only when the case before is over."""

from dataclasses import replace

import pytest

from survey_forms.refusal import Refused
from survey_forms.sampling.reserve import LineCase, next_reserve

LINE = (
    LineCase("r2", "a", 5, "reserve"),
    LineCase("m1", "a", 1, "main", final=True),
    LineCase("m2", "a", 2, "main"),
    LineCase("m3", "a", 3, "main", final=True, answered=True),
    LineCase("r1", "a", 4, "reserve"),
    LineCase("x1", "b", 1, "reserve"),
    LineCase("c1", "a", 9, "backcheck", final=True),
)


def test_the_next_in_line_of_the_same_stratum_replaces_a_lost_case() -> None:
    assert next_reserve(LINE, "m1").unit_id == "r1"


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("m2", "reserve_predecessor_open"),
        ("m3", "reserve_predecessor_answered"),
        ("r1", "reserve_not_released"),
        ("nobody", "reserve_unknown"),
        ("c1", "reserve_unknown"),
    ],
)
def test_nobody_else_is_replaced(unit: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        next_reserve(LINE, unit)


def test_a_case_is_replaced_once_and_its_replacement_may_be_too() -> None:
    line = tuple(replace(case, released=True, replaces="m1") if case.unit_id == "r1" else case for case in LINE)
    with pytest.raises(Refused, match="reserve_replaced_already"):
        next_reserve(line, "m1")
    with pytest.raises(Refused, match="reserve_predecessor_open"):
        next_reserve(line, "r1")
    over = tuple(replace(case, final=True) if case.unit_id == "r1" else case for case in line)
    assert next_reserve(over, "r1").unit_id == "r2"


def test_when_the_line_is_used_up_it_is_told() -> None:
    line = tuple(
        replace(case, released=True, replaces=case.unit_id) if case.kind == "reserve" else case for case in LINE
    )
    with pytest.raises(Refused) as caught:
        next_reserve(line, "m1")
    assert caught.value.faults[0].code == "reserve_none_left"
    assert caught.value.faults[0].facts == {"stratum": "a"}
