"""A person's mean over the items of a unit, in whole hundredths of a point."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from survey_forms.estimation.overall import OVERALL, mean_in_hundredths, overall
from survey_forms.forms.model import Rating

points = st.lists(st.integers(0, 100), min_size=1, max_size=30)


@given(points)
def test_the_mean_is_rounded_half_up_once(given_points):
    exact = Fraction(100 * sum(given_points), len(given_points))
    near = mean_in_hundredths(given_points)
    assert abs(near - exact) <= Fraction(1, 2)
    assert exact - near != Fraction(1, 2)  # a half goes up
    if exact.denominator in {1, 2, 4, 5, 10}:
        assert near == int((Decimal(exact.numerator) / exact.denominator).quantize(Decimal(1), ROUND_HALF_UP))


@given(st.integers(0, 100), st.integers(1, 30))
def test_equal_points_have_their_own_mean(one, times):
    assert mean_in_hundredths([one] * times) == 100 * one


@given(points, st.randoms())
def test_the_order_of_items_does_not_matter(given_points, chance):
    shuffled = list(given_points)
    chance.shuffle(shuffled)
    assert mean_in_hundredths(shuffled) == mean_in_hundredths(given_points)


def test_each_unit_gets_one_rating_and_an_unrated_one_none():
    ratings = [Rating("a", "service", 80), Rating("b", "service", 30), Rating("a", "honesty", 61)]
    assert overall(ratings) == [Rating("a", OVERALL, 7050), Rating("b", OVERALL, 3000)]
    assert overall([]) == []
