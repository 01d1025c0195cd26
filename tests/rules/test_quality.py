"""The signs of careless or invented answers: what marks somebody, and what must not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f_oneway

from survey_forms.estimation.quality import (
    holm,
    is_flat,
    moments,
    more_than_usual,
    outliers,
    variance,
    vector_digest,
)

SATISFIED = [4] * 14


def test_one_rating_throughout_is_flat_only_over_many_items():
    assert not is_flat(SATISFIED)
    assert is_flat([*SATISFIED, 4])
    assert not is_flat([*SATISFIED, 2])
    assert not is_flat([4, 3] * 10)


def test_a_copy_is_known_by_its_ratings_in_any_order_and_a_flat_vector_is_none():
    row = [(f"q{number}", str(number % 3)) for number in range(20)]
    assert vector_digest(row) == vector_digest(row[::-1])
    assert vector_digest(row) != vector_digest([*row[:-1], ("q19", "2")])
    assert vector_digest(row[:19]) is None
    assert vector_digest([(question, "1") for question, _ in row]) is None


@given(st.lists(st.lists(st.integers(0, 100), min_size=2, max_size=12), min_size=2, max_size=6))
def test_the_analysis_of_variance_from_moments_is_that_of_the_answers(groups):
    found = variance({key: moments(values) for key, values in enumerate(groups)})
    within = sum(float(np.var(values)) * len(values) for values in groups) / (found.n - found.groups)
    assert found.within == pytest.approx(within, abs=1e-6)
    if within > 1:
        assert found.between / found.within == pytest.approx(float(f_oneway(*groups).statistic), rel=1e-6, abs=1e-9)
    if found.icc is not None:
        assert -1 <= found.icc <= 1 + 1e-9
        assert found.deff >= 1


def test_an_icc_of_one_hundredth_with_fifty_interviews_each_costs_half_as_much_again():
    dice = np.random.default_rng(7)
    groups = {
        key: moments(dice.normal(dice.normal(0, np.sqrt(0.01)), np.sqrt(0.99), 50).tolist()) for key in range(2000)
    }
    found = variance(groups)
    assert found.icc == pytest.approx(0.01, abs=0.002)
    assert found.deff == pytest.approx(1.5, abs=0.1)


def test_who_makes_everybody_agree_stands_out_and_the_others_do_not():
    dice = np.random.default_rng(5)
    groups = {key: moments(dice.binomial(1, 0.5, 60).tolist()) for key in range(12)}
    groups[99] = moments([1] * 60)
    assert [one.key for one in outliers(groups) if one.stands_out] == [99]


def test_few_cases_are_shrunken_towards_the_others_and_accuse_nobody():
    dice = np.random.default_rng(5)
    groups = {key: moments(dice.binomial(1, 0.5, 60).tolist()) for key in range(12)}
    groups[99] = moments([1, 1])
    lonely = next(one for one in outliers(groups) if one.key == 99)
    assert not lonely.stands_out
    assert abs(lonely.shrunken - lonely.others) < 0.3 * abs(lonely.mean - lonely.others)


def test_by_chance_alone_hardly_anybody_is_accused():
    dice = np.random.default_rng(11)
    accused = 0
    for _ in range(200):
        groups = {key: moments(dice.normal(dice.normal(), 5, 40).tolist()) for key in range(15)}
        accused += any(one.stands_out for one in outliers(groups))
    assert accused <= 16  # 5 % of 200, and some


def test_three_interviewers_are_too_few_to_compare():
    assert outliers({key: moments([key, key + 1]) for key in range(3)}) == []


def test_nobody_differs_where_nothing_does():
    assert not any(one.stands_out for one in outliers({key: moments([1.0] * 9) for key in range(6)}))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_makes_a_chance_smaller_nor_turns_the_order(chances):
    adjusted = holm(chances)
    assert all(low <= high <= 1 for low, high in zip(chances, adjusted, strict=True))
    assert sorted(range(len(chances)), key=lambda at: (chances[at], at)) == sorted(
        range(len(chances)), key=lambda at: (adjusted[at], chances[at], at)
    )


def test_flat_answers_accuse_an_interviewer_only_beside_others_who_have_fewer():
    usual = dict.fromkeys(range(10), (6, 60))
    assert min(more_than_usual(usual).values()) == 1.0
    assert more_than_usual({**usual, 99: (30, 60)})[99] < 1e-6
    everybody = dict.fromkeys(range(10), (50, 60))
    assert min(more_than_usual(everybody).values()) > 0.9
