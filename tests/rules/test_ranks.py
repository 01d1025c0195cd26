"""Rank sets by max-T: against R's draws, by hand, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.estimation.ranks import MaxT, RankInterval, compared, rank_intervals, rank_sets
from tests.rules.reference import expected

DRAWS = 1000


def reference() -> tuple[list[float], np.ndarray, dict]:
    scores = expected("satisfaction_public.dept.score")["result"]
    values = [value for (value,) in scores["estimate"]]
    return values, np.array(scores["vcov"]), expected("satisfaction_public.rank_interval.simulated")


def test_one_step_is_what_r_drew() -> None:
    values, covariance, entry = reference()
    found = compared(values, covariance, MaxT(0.95, simultaneous=True, draws=200_000, step_down=False))
    assert found.critical[0] == pytest.approx(entry["result"]["critical_value"], abs=0.02)
    assert [[one.best, one.worst] for one in found.intervals] == entry["result"]["simultaneous"]


@st.composite
def scored(draw) -> tuple[list[float], np.ndarray]:
    m = draw(st.integers(2, 7))
    values = draw(st.lists(st.integers(0, 40).map(lambda v: v / 4), min_size=m, max_size=m))
    root = np.array(draw(st.lists(st.lists(st.floats(-2, 2), min_size=m, max_size=m), min_size=m, max_size=m)))
    return values, root @ root.T / 10 + np.diag(draw(st.lists(st.floats(0.01, 2), min_size=m, max_size=m)))


def inside(one: list[RankInterval], other: list[RankInterval]) -> bool:
    return all(o.best <= i.best and i.worst <= o.worst for i, o in zip(one, other, strict=True))


@settings(deadline=None)
@given(scored(), st.booleans())
def test_sets_hold_the_rank_and_step_down_never_widens_them(
    given_scores: tuple[list[float], np.ndarray],
    simultaneous: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    values, covariance = given_scores
    single, stepped = (
        compared(values, covariance, MaxT(0.95, simultaneous, DRAWS, step_down=step)).intervals
        for step in (False, True)
    )
    assert inside(stepped, single)
    for one in stepped:
        assert one.best <= one.rank <= one.worst
    assert [one.rank for one in stepped] == [1 + sum(other > value for other in values) for value in values]


@settings(deadline=None)
@given(scored(), st.floats(1, 20), st.booleans())
def test_a_smaller_error_never_widens_a_set(
    given_scores: tuple[list[float], np.ndarray],
    times: float,
    simultaneous: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    values, covariance = given_scores
    wide, narrow = (
        rank_sets(values, matrix, simultaneous=simultaneous, draws=DRAWS) for matrix in (covariance, covariance / times)
    )
    assert inside(narrow, wide)


@settings(deadline=None)
@given(scored())
def test_sets_that_hold_at_once_are_no_narrower_than_each_by_itself(
    given_scores: tuple[list[float], np.ndarray],
) -> None:
    values, covariance = given_scores
    alone, jointly = (
        compared(values, covariance, MaxT(simultaneous=both, draws=DRAWS, step_down=False)).intervals
        for both in (False, True)
    )
    assert inside(alone, jointly)


def test_eighty_independent_units_are_held_to_less_than_bonferroni_asks() -> None:
    values = np.linspace(60, 90, 80).tolist()
    found = compared(values, np.full(80, 4.0), MaxT(simultaneous=True, draws=2000, step_down=False))
    assert found.critical[0] < 4.32
    by_bonferroni = rank_intervals(values, np.full(80, 4.0), simultaneous=True)
    assert inside(found.intervals, by_bonferroni)


def test_equal_seeds_give_equal_sets_and_a_unit_without_error_is_told_apart() -> None:
    values, covariance = [3.0, 2.0, 1.0], np.zeros((3, 3))
    assert rank_sets(values, covariance) == [RankInterval(1, 1, 1), RankInterval(2, 2, 2), RankInterval(3, 3, 3)]
    noisy = np.diag([1.0, 1.0, 1.0])
    assert rank_sets(values, noisy, seed=4) == rank_sets(values, noisy, seed=4)
    assert rank_sets([2.0, 2.0], covariance[:2, :2]) == [RankInterval(1, 1, 2)] * 2
    assert rank_sets([1.0], np.array([1.0])) == [RankInterval(1, 1, 1)]


def test_a_unit_that_was_not_measured_has_no_rank() -> None:
    with pytest.raises(ValueError, match="rank"):
        rank_sets([1.0, float("nan")], np.eye(2))
