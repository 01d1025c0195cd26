"""Intervals, grade probabilities and rank intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.estimation.intervals import equal_answers_interval, grade_probabilities, logit_t_interval
from survey_forms.estimation.ranks import RankInterval, rank_intervals
from tests.rules.reference import agrees, expected

scores = st.floats(0.5, 99.5)


def test_a_logit_interval_worked_out_by_hand() -> None:
    # m = 50 of 0..100, t = .5: logit 0 ± 2.2281388519649385·4/(100·.25) (t of 10 df at .975)
    low, high = logit_t_interval(50, 4, 10, (0, 100))
    end = 100 / (1 + np.exp(2.2281388519649385 * 4 / 25))
    assert float(low) == pytest.approx(end, rel=1e-10)
    assert float(high) == pytest.approx(100 - end, rel=1e-10)


@given(scores, st.floats(0.01, 30), st.floats(0.5, 1000))
def test_the_interval_holds_the_score_and_stays_on_the_scale(value: float, se: float, df: float) -> None:
    low, high = logit_t_interval(value, se, df, (0, 100))
    assert 0 <= low <= value <= high <= 100


@given(scores, st.floats(0.01, 5), st.floats(1, 1000))
def test_the_interval_of_the_turned_scale_is_the_turned_interval(value: float, se: float, df: float) -> None:
    low, high = logit_t_interval(value, se, df, (0, 100))
    turned_low, turned_high = logit_t_interval(100 - value, se, df, (0, 100))
    assert float(turned_low) == pytest.approx(100 - float(high), abs=1e-9)
    assert float(turned_high) == pytest.approx(100 - float(low), abs=1e-9)


def test_a_score_at_a_bound_has_no_logit_interval() -> None:
    low, high = logit_t_interval([0, 100, 50], [1, 1, np.nan], [5, 5, 5], (0, 100))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_all_answers_at_the_top_leave_the_bound_of_the_document() -> None:
    low, high = equal_answers_interval(10, 59, (1, 10))
    assert float(low) == pytest.approx(10 - 9 * (1 - 0.05 ** (1 / 59)))
    assert float(high) == 10


@given(scores, st.floats(0.001, 20))
def test_grade_probabilities_add_up_to_one(value: float, se: float) -> None:
    probabilities = grade_probabilities(value, se, (90, 80, 60))
    assert all(0 <= probability <= 1 for probability in probabilities)
    assert sum(probabilities) == pytest.approx(1)


def test_a_score_without_error_has_its_grade_for_certain_and_a_cut_belongs_to_the_better_one() -> None:
    assert grade_probabilities(90, 0, (90, 80, 60)) == (1, 0, 0, 0)
    assert grade_probabilities(59.9, 0, (90, 80, 60)) == (0, 0, 0, 1)
    assert grade_probabilities(85, 1e-9, (90, 80, 60)) == (0, 1, 0, 0)


def test_a_score_on_a_cut_is_as_likely_above_as_below() -> None:
    assert grade_probabilities(80, 2, (80,)) == (0.5, 0.5)


def test_cuts_that_do_not_fall_are_an_error() -> None:
    with pytest.raises(ValueError, match="fall"):
        grade_probabilities(80, 2, (60, 80))


def test_grade_probabilities_are_those_of_r() -> None:
    entry = expected("satisfaction_public.grade_probability")
    source = expected("satisfaction_public.dept.score")["result"]
    for place, wanted in enumerate(entry["result"]["probability"]):
        value, se = source["estimate"][place], source["se"][place]
        got = grade_probabilities(_one(value), _one(se), entry["args"]["cuts"])
        assert all(agrees(entry, one, other) for one, other in zip(got, wanted, strict=True))


def _one(number: float | list[float]) -> float:
    return number[0] if isinstance(number, list) else number


def test_scores_far_apart_have_one_place_and_equal_ones_share_all() -> None:
    assert rank_intervals([90, 50, 70], np.array([1.0, 1.0, 1.0])) == [
        RankInterval(1, 1, 1),
        RankInterval(3, 3, 3),
        RankInterval(2, 2, 2),
    ]
    assert rank_intervals([70, 70], np.array([1.0, 1.0])) == [RankInterval(1, 1, 2)] * 2
    assert rank_intervals([70], np.array([1.0])) == [RankInterval(1, 1, 1)]
    assert rank_intervals([], np.array([])) == []


@given(st.lists(st.tuples(scores, st.floats(0.1, 10)), min_size=1, max_size=12))
def test_the_rank_lies_in_its_interval_and_more_confidence_never_narrows_it(pairs: list[tuple[float, float]]) -> None:
    values, variances = [value for value, _ in pairs], np.array([se**2 for _, se in pairs])
    one = rank_intervals(values, variances)
    for narrow, wide in zip(one, rank_intervals(values, variances, simultaneous=True), strict=True):
        assert 1 <= wide.best <= narrow.best <= narrow.rank <= narrow.worst <= wide.worst <= len(pairs)


def test_shared_respondents_make_differences_sharper() -> None:
    variances = np.array([4.0, 4.0])
    together = np.array([[4.0, 3.5], [3.5, 4.0]])
    assert rank_intervals([74, 70], variances)[1] == RankInterval(2, 1, 2)
    assert rank_intervals([74, 70], together)[1] == RankInterval(2, 2, 2)


@pytest.mark.parametrize(("simultaneous", "kind"), [(False, "marginal"), (True, "simultaneous")])
def test_rank_intervals_are_those_of_r(simultaneous: bool, kind: str) -> None:  # noqa: FBT001 - a parameter of the test
    wanted = expected("satisfaction_public.rank_interval.bonferroni")["result"]
    source = expected("satisfaction_public.dept.score")["result"]
    values = [_one(value) for value in source["estimate"]]
    got = rank_intervals(values, np.array(source["vcov"]), simultaneous=simultaneous)
    assert [interval.rank for interval in got] == wanted["rank"]
    assert [[interval.best, interval.worst] for interval in got] == wanted[kind]
