"""Exact points: read as written, never rounded but once, split without a remainder."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.numbers import (
    competition_ranks,
    largest_remainder,
    percent_of,
    plain,
    plain_decimal,
    published,
)

law = settings(deadline=None)  # a law is no benchmark: the machine may be busy
points = st.decimals(min_value=0, max_value=10_000, places=4, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("text", ["0", "007", "87.5", "899.9875", "1" * 40])
def test_a_plain_decimal_is_read_as_written(text: str):
    assert plain_decimal(text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "NaN", "inf", "1.", ".1", " 1", "1\n", "１", "٣", "1_0", "1" * 41]
)
def test_anything_else_is_no_plain_decimal(text: str):
    assert plain_decimal(text) is None


@pytest.mark.parametrize(
    ("value", "half_up", "half_even"),
    [
        ("0.125", "0.13", "0.12"),
        ("0.135", "0.14", "0.14"),
        ("84.995", "85.00", "85.00"),
        ("899.994999", "899.99", "899.99"),
        ("-0.004", "0.00", "0.00"),
        ("-0.125", "-0.13", "-0.12"),
        ("2", "2.00", "2.00"),
    ],
)
def test_the_two_roundings_of_gbt_8170(value: str, half_up: str, half_even: str):
    assert f"{published(Decimal(value), 2):f}" == half_up
    assert f"{published(Decimal(value), 2, 'half_even'):f}" == half_even


@law
@given(points)
def test_a_published_figure_is_within_half_a_unit_of_the_last_place(value: Decimal):
    assert abs(published(value, 2) - value) <= Decimal("0.005")


@law
@given(points)
def test_plain_prints_the_same_number_without_exponent_or_trailing_zeros(value: Decimal):
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert "." not in text or text[-1] not in "0."
    assert plain(-Decimal(0)) == "0"
    assert plain(Decimal("1E+3")) == "1000"


@law
@given(points, points)
def test_a_percentage_is_exact(share: Decimal, value: Decimal):
    assert percent_of(share, value) * 100 == share * value


@law
@given(st.integers(0, 500), st.lists(st.decimals(0, 100, places=1), min_size=1, max_size=6).filter(any))
def test_largest_remainder_gives_everything_and_never_a_whole_too_much(total: int, shares: list[Decimal]):
    counts = largest_remainder(total, shares)
    assert sum(counts) == total
    for count, share in zip(counts, shares, strict=True):
        assert abs(count - total * share / sum(shares)) < 1


def test_equal_remainders_go_to_the_better():
    assert largest_remainder(5, [Decimal(30), Decimal(60), Decimal(10)]) == (2, 3, 0)
    assert largest_remainder(7, [Decimal(3), Decimal(5), Decimal(2)]) == (2, 4, 1)
    assert largest_remainder(1, [Decimal(1), Decimal(1)]) == (1, 0)
    assert largest_remainder(0, [Decimal(3)]) == (0,)


def test_shares_that_are_all_zero_divide_nothing():
    with pytest.raises(ValueError, match="divide nothing"):
        largest_remainder(3, [Decimal(0)])


def test_equal_values_share_the_better_rank_and_the_next_are_skipped():
    assert competition_ranks([Decimal("1.0"), Decimal(2), Decimal("1.00"), Decimal(0)]) == [2, 1, 2, 4]
    assert competition_ranks([]) == []


@law
@given(st.lists(points))
def test_a_rank_is_one_more_than_the_number_of_better_values(values: list[Decimal]):
    assert competition_ranks(values) == [1 + sum(other > one for other in values) for one in values]
