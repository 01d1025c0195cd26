"""Raking, calibration, trimming, reliability: laws, hand-worked numbers, and what R gave for synthetic data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.estimation.calibrate import (
    KINDS,
    Distance,
    Margin,
    calibrate,
    indicators,
    poststratify,
    rake,
    residuals,
)
from survey_forms.estimation.reliability import cronbach_alpha, split_half
from survey_forms.estimation.trimming import spread, trim
from survey_forms.refusal import Refused

LAW = settings(deadline=None)

# survey 4.1.1: d <- data.frame(x=c(3,1,4,1,5,9,2,6), g=c("a","b","a","b","b","a","b","a"), w=rep(c(10,20),4));
# s <- svydesign(~1, weights=~w, data=d); calibrate(s, ~g+x, c(130,70,520), calfun=, bounds=c(.5,2) with "logit",
# epsilon=1e-12, maxit=500)
R_FACTORS = {
    "linear": [
        *(0.842875318066157, 1.12531806615776, 0.892493638676845, 1.12531806615776),
        *(1.32379134860051, 1.14058524173028, 1.17493638676845, 0.991730279898219),
    ],
    "raking": [
        *(0.858344704344132, 1.11965623770724, 0.899184712374288, 1.11965623770724),
        *(1.34844561072341, 1.13444860940661, 1.17292943844763, 0.986786682234176),
    ],
    "logit": [
        *(0.855081060946448, 1.12175165164281, 0.895914295823015, 1.12175165164281),
        *(1.33782634701255, 1.13843322333649, 1.17516704641622, 0.986069098278774),
    ],
}


@st.composite
def raked(draw) -> tuple[np.ndarray, list[Margin]]:
    """Weights of persons and margins that some weights fit: those of other positive weights."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(20, 120))
    weights, truth = chance.uniform(0.5, 20, n), chance.uniform(0.5, 20, n)
    margins = []
    for k in range(draw(st.integers(1, 4))):
        levels = draw(st.integers(2, 5))
        codes = np.concatenate([np.arange(levels), chance.integers(0, levels, n - levels)])
        chance.shuffle(codes)
        names = tuple(f"{k}{level}" for level in range(levels))
        margins.append(Margin(f"m{k}", codes, names, np.bincount(codes, weights=truth, minlength=levels)))
    return weights, margins


@LAW
@given(raked())
def test_raking_hits_every_margin_with_positive_weights(case: tuple[np.ndarray, list[Margin]]) -> None:
    weights, margins = case
    found = weights * rake(weights, margins).factors
    assert (found > 0).all()
    for margin in margins:
        assert np.bincount(margin.codes, weights=found) == pytest.approx(margin.totals, rel=1e-9)


@LAW
@given(raked())
def test_raking_twice_changes_nothing(case: tuple[np.ndarray, list[Margin]]) -> None:
    weights, margins = case
    once = weights * rake(weights, margins).factors
    assert rake(once, margins).factors == pytest.approx(np.ones(len(once)), abs=1e-9)


@LAW
@given(raked(), st.integers(0, 3))
def test_cells_are_raked_as_their_persons_are(case: tuple[np.ndarray, list[Margin]], copies: int) -> None:
    weights, margins = case
    number = 1 + np.arange(len(weights)) % (copies + 1)
    persons = [Margin(one.name, np.repeat(one.codes, number), one.levels, one.totals) for one in margins]
    by_person = rake(np.repeat(weights, number), persons).factors
    by_cell = rake(weights * number, margins, persons=number).factors
    assert by_person == pytest.approx(np.repeat(by_cell, number), rel=1e-12)


@LAW
@given(raked())
def test_raking_is_calibration_with_the_exponential_factor(case: tuple[np.ndarray, list[Margin]]) -> None:
    weights, margins = case
    traits = indicators(margins)
    whole = margins[0].totals.sum()
    totals = np.concatenate([[whole], *(margin.totals[1:] for margin in margins)])
    factors = calibrate(weights, traits, totals, Distance("raking"))
    assert factors == pytest.approx(rake(weights, margins).factors, rel=1e-6)


@LAW
@given(raked(), st.sampled_from(KINDS))
def test_what_was_calibrated_to_has_no_error_left(case: tuple[np.ndarray, list[Margin]], kind: str) -> None:
    weights, margins = case
    traits = indicators(margins)
    totals = traits.T @ (weights * np.linspace(0.9, 1.2, len(weights)))
    factors = calibrate(weights, traits, totals, Distance(kind, 0.2, 4.0))
    assert traits.T @ (weights * factors) == pytest.approx(totals, rel=1e-9)
    left = residuals((weights * factors)[:, None] * traits, weights, weights * factors, traits)
    assert np.abs(left).max() < 1e-8 * weights.max()


def test_factors_of_three_distances_are_those_of_r() -> None:
    codes, x = np.array([0, 1, 0, 1, 1, 0, 1, 0]), np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    weights = np.tile([10.0, 20.0], 4)
    traits, totals = np.column_stack([np.ones(8), codes == 1, x]), np.array([130.0, 70.0, 520.0])
    for kind, factors in R_FACTORS.items():
        bounds = (0.5, 2.0) if kind == "logit" else (-np.inf, np.inf)
        assert calibrate(weights, traits, totals, Distance(kind, *bounds)) == pytest.approx(factors, rel=1e-8)


def test_poststratification_by_hand() -> None:
    margin = Margin("sex", np.array([0, 0, 1]), ("f", "m"), np.array([30.0, 12.0]))
    assert poststratify(np.array([1.0, 2.0, 3.0]), margin).tolist() == [10.0, 20.0, 12.0]


def refusal(**changes: object) -> tuple[str, str]:
    """The code and place of raking three persons to one margin, with something wrong."""
    facts = {"codes": np.array([0, 0, 1]), "levels": ("f", "m"), "totals": np.array([30.0, 12.0])} | changes
    fewest = facts.pop("fewest", 1)
    with pytest.raises(Refused) as caught:
        rake(np.ones(3), [Margin("sex", **facts)], fewest=fewest)
    return caught.value.code, caught.value.faults[0].path


def test_margins_that_no_weights_can_meet_are_refused_by_name() -> None:
    assert refusal(codes=np.array([0, -1, 1])) == ("margin_code_missing", "sex")
    assert refusal(codes=np.array([0, 2, 1])) == ("margin_code_missing", "sex")
    assert refusal(totals=np.array([30.0, -1.0])) == ("margin_total_wrong", "sex")
    assert refusal(codes=np.zeros(3, dtype=int)) == ("margin_cell_empty", "sex")
    assert refusal(fewest=2) == ("margin_cell_small", "sex")


def test_margins_must_agree_with_each_other_and_with_the_table() -> None:
    sex = Margin("sex", np.array([0, 1]), ("f", "m"), np.array([30.0, 12.0]))
    age = Margin("age", np.array([0, 1]), ("young", "old"), np.array([30.0, 13.0]))
    with pytest.raises(Refused) as caught:
        rake(np.ones(2), [sex, age])
    assert caught.value.code == "margins_disagree"
    crossed = Margin("age", np.array([0, 1]), ("young", "old"), np.array([12.0, 30.0]))
    with pytest.raises(Refused) as caught:
        rake(np.ones(2), [sex, crossed], rounds=50)
    assert caught.value.code == "raking_without_end"


def test_margins_that_part_without_end_are_refused_before_numbers_overflow() -> None:
    sex = Margin("sex", np.array([0, 1, 1]), ("f", "m"), np.array([1e6, 1.0]))
    age = Margin("age", np.array([0, 0, 1]), ("young", "old"), np.array([1.0, 1e6]))
    with pytest.raises(Refused) as caught:
        rake(np.ones(3), [sex, age], rounds=100_000)
    assert caught.value.code == "raking_without_end"


def test_calibration_that_cannot_be_is_refused() -> None:
    traits = np.column_stack([np.ones(3), [0.0, 1.0, 2.0]])
    with pytest.raises(Refused) as caught:
        calibrate(np.ones(3), traits, np.array([3.0, 100.0]), Distance("logit", 0.5, 2.0))
    assert caught.value.code == "calibration_impossible"
    with pytest.raises(Refused) as caught:
        calibrate(np.ones(3), traits, np.array([3.0, 3.0]), Distance("logit"))
    assert caught.value.code == "calibration_bounds"


@LAW
@given(
    st.lists(st.floats(0.1, 100), min_size=2, max_size=40),
    st.floats(0.3, 0.999),
    st.floats(1.001, 4),
)
def test_trimming_keeps_the_sum_and_strictly_the_bounds(weights: list[float], least: float, most: float) -> None:
    values = np.array(weights)
    lower, upper = least * values.mean(), most * values.mean()
    found = trim(values, lower, upper, strict=True)
    assert found.sum() == pytest.approx(values.sum(), rel=1e-9)
    assert found.min() >= lower * (1 - 1e-9)
    assert found.max() <= upper * (1 + 1e-9)


def test_bounds_that_leave_no_room_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        trim(np.array([1.0, 9.0]), upper=4.0, strict=True)
    assert caught.value.code == "trim_impossible"


def test_equal_weights_cost_nothing_and_cells_count_as_their_persons() -> None:
    equal = spread(np.full(7, 3.0))
    assert equal is not None
    assert (equal.n, equal.deff_w, equal.n_eff) == (7, pytest.approx(1.0), pytest.approx(7.0))
    cells, persons = np.array([1.0, 4.0, 9.0]), np.array([3, 0, 2])
    assert spread(cells, persons) == spread(np.array([1.0, 1.0, 1.0, 9.0, 9.0]))
    assert spread(cells, np.zeros(3, dtype=np.int64)) is None


def test_alpha_is_one_for_equal_items_and_unknown_without_differences() -> None:
    column = np.array([1.0, 4.0, 2.0, 5.0])
    assert cronbach_alpha(np.column_stack([column] * 3)) == pytest.approx(1.0)
    assert np.isnan(cronbach_alpha(np.ones((4, 3))))
    assert np.isnan(cronbach_alpha(np.ones((1, 3))))


def test_halves_agree_where_units_differ_and_not_where_all_is_noise() -> None:
    chance = np.random.default_rng(5)
    noise = chance.normal(size=(400, 12))
    assert split_half(noise + np.arange(12), splits=20) > 0.98
    assert split_half(noise, splits=20) < 0.8
    assert np.isnan(split_half(noise[:, :2]))
    assert split_half(noise, seed=3) == split_half(noise, seed=3)
