"""Integer cells, and scores read from them: against hand-worked numbers, laws, and R's survey package."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import say
from survey_forms.estimation.cells import Cell, CellKey, count_answers, merge_cells
from survey_forms.estimation.scores import (
    NOTHING,
    Estimate,
    Flag,
    Reading,
    StratumFrame,
    as_score,
    composite_interval,
    group_score,
    unit_scores,
    weighted_score,
)
from survey_forms.refusal import Fault, Refused
from tests.rules.reference import agrees, expected, rows

TEN = Reading(1, 10)

keys: st.SearchStrategy[CellKey] = st.tuples(
    st.just("s"), st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("uv"), st.sampled_from("12")
)
answers = st.lists(st.tuples(keys, st.integers(1, 10)), max_size=60)


def cells_of(scores: Iterable[int], stratum: str = "h", unit: str = "u") -> list[Cell]:
    return count_answers((("s", stratum, stratum, unit, "1"), score) for score in scores)


# --- counting ---------------------------------------------------------------------------------------------------


def test_a_cell_is_how_many_their_sum_and_their_squares() -> None:
    assert cells_of([3, 5, 10]) == [Cell("s", "h", "h", "u", "1", 3, 18, 134)]


@given(answers, st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_machines_that_count_do_not_matter(
    given_answers: list[tuple[CellKey, int]], chance: object
) -> None:
    whole = count_answers(given_answers)
    shuffled = list(given_answers)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    third = len(shuffled) // 3
    parts = [count_answers(part) for part in (shuffled[:third], shuffled[third : 2 * third], shuffled[2 * third :])]
    assert merge_cells(*parts) == merge_cells(*reversed(parts)) == whole
    assert all(type(number) is int for cell in whole for number in (cell.n, cell.s1, cell.s2))
    assert sum(cell.n for cell in whole) == len(given_answers)


# --- one group --------------------------------------------------------------------------------------------------


def test_a_simple_random_sample_worked_out_by_hand() -> None:
    # 4 of 20: mean 5, s² = ((-3)²+(-1)²+1²+3²)/3 = 20/3, SE² = (1-4/20)·(20/3)/4 = 4/3
    estimate = group_score(cells_of([2, 4, 6, 8]), [StratumFrame("h", 20, 4)], TEN)
    assert estimate.value == 5
    assert estimate.se == pytest.approx(sqrt(4 / 3), rel=1e-14)
    assert estimate.df == pytest.approx(3)
    assert estimate.flags == (Flag.NOT_MEASURED,)


def test_two_strata_worked_out_by_hand() -> None:
    # weights 10 and 30; m = (10·(4+6)+30·(7+9))/(2·10+2·30) = 580/80 = 7.25
    # h: z = 10·(-3.25, -1.25)/80, residual sum -45, v = .9·2·(10²(3.25²+1.25²) - 45²/2)/80² = .9·2·(1212.5-1012.5)/6400
    # g: z = 30·(-.25, 1.75)/80, residual sum 45, v = (1-2/60)·2·(900·3.125 - 45²/2)/6400 = (58/60)·2·1800/6400
    v_h, v_g = 0.9 * 2 * 200 / 6400, 58 / 60 * 2 * 1800 / 6400
    estimate = group_score(
        cells_of([4, 6], "h") + cells_of([7, 9], "g"), [StratumFrame("h", 20, 2), StratumFrame("g", 60, 2)], TEN
    )
    assert estimate.value == 7.25
    assert estimate.se == pytest.approx(sqrt(v_h + v_g), rel=1e-14)
    assert estimate.df == pytest.approx((v_h + v_g) ** 2 / (v_h**2 + v_g**2), rel=1e-13)


def test_persons_who_rated_others_only_count_in_the_stratum() -> None:
    # 3 of 6 persons rated the unit 4, 6, 8: z = (-2, 0, 2)/3 of 6, sum 0, v = (1-6/60)·6/5·(8/9)
    estimate = group_score(cells_of([4, 6, 8]), [StratumFrame("h", 60, 6)], TEN)
    assert estimate.se == pytest.approx(sqrt(0.9 * 6 / 5 * 8 / 9), rel=1e-14)


def test_without_the_finite_correction_the_error_is_larger() -> None:
    frame = [StratumFrame("h", 20, 4)]
    year = group_score(cells_of([2, 4, 6, 8]), frame, TEN)
    cause = group_score(cells_of([2, 4, 6, 8]), frame, Reading(1, 10, finite=False))
    assert cause.se == pytest.approx((year.se or 0) / sqrt(0.8), rel=1e-14)


@pytest.mark.parametrize(
    ("scores", "flag"), [([7] * 3 + [8] * 6, Flag.NOT_MEASURED), ([7] * 10 + [8] * 19, Flag.FEW_RATERS)]
)
def test_few_ratings_are_said(scores: list[int], flag: Flag) -> None:
    assert group_score(cells_of(scores), [StratumFrame("h", 900, 100)], TEN).flags == (flag,)


def test_thirty_ratings_need_no_word() -> None:
    assert group_score(cells_of([7, 8] * 15), [StratumFrame("h", 900, 100)], TEN).flags == ()


def test_one_rating_has_no_measurable_error() -> None:
    estimate = group_score(cells_of([7]), [StratumFrame("h", 900, 100)], TEN)
    assert (estimate.value, estimate.se, estimate.low) == (7, None, None)
    assert Flag.SE_NOT_MEASURABLE in estimate.flags


def test_one_person_of_a_stratum_hides_the_error_and_is_never_a_silent_zero() -> None:
    frames = [StratumFrame("g", 60, 20), StratumFrame("h", 20, 1)]
    estimate = group_score(cells_of([7, 8] * 10, "g") + cells_of([9], "h"), frames, TEN)
    assert estimate.se is None
    assert Flag.LONELY_STRATUM in estimate.flags


def test_a_stratum_of_one_person_who_answered_is_a_census_and_not_lonely() -> None:
    frames = [StratumFrame("g", 60, 20), StratumFrame("h", 1, 1)]
    estimate = group_score(cells_of([7, 8] * 10, "g") + cells_of([9], "h"), frames, TEN)
    assert estimate.se is not None
    assert estimate.flags == (Flag.FEW_RATERS,)


def test_everybody_answered_so_there_is_no_sampling_error() -> None:
    estimate = group_score(cells_of([3, 9] * 20), [StratumFrame("h", 40, 40)], TEN)
    assert (estimate.value, estimate.se, estimate.low, estimate.high) == (6, 0, 6, 6)
    assert estimate.flags == (Flag.CENSUS,)


def test_a_unit_rated_only_where_everybody_answered_has_no_sampling_error_either() -> None:
    frames = [StratumFrame("g", 60, 20), StratumFrame("h", 40, 40)]
    estimate = group_score(cells_of([3, 9] * 20, "h"), frames, TEN)
    assert (estimate.value, estimate.se, estimate.low, estimate.high) == (6, 0, 6, 6)


def test_a_silent_stratum_is_said() -> None:
    estimate = group_score(cells_of([7, 8] * 20), [StratumFrame("h", 900, 40), StratumFrame("g", 50, 0)], TEN)
    assert estimate.flags == (Flag.STRATUM_SILENT,)


@given(st.integers(1, 10), st.integers(2, 60), st.integers(2, 60))
def test_equal_answers_have_a_one_sided_bound_and_exactly_no_error(score: int, first: int, second: int) -> None:
    frames = [StratumFrame("g", 977, first), StratumFrame("h", 1009, second)]
    cells = cells_of([score] * first, "g") + cells_of([score] * second, "h")
    estimate = group_score(cells, frames, TEN)
    share = 0.05 ** (1 / (first + second))
    assert estimate.value == pytest.approx(score, rel=1e-14)
    assert estimate.se == 0
    assert Flag.ALL_ANSWERS_EQUAL in estimate.flags
    assert estimate.low == pytest.approx(score - (score - 1) * (1 - share))
    assert estimate.high == pytest.approx(score + (10 - score) * (1 - share))


def test_nothing_rated_is_nothing_said() -> None:
    assert group_score([], [StratumFrame("h", 900, 40)], TEN) == NOTHING
    empty = Cell("s", "h", "h", "u", "1", 0, 0, 0)
    assert group_score([empty], [StratumFrame("h", 900, 40)], TEN) == NOTHING


def test_a_stratum_with_more_respondents_than_persons_is_refused() -> None:
    with pytest.raises(Refused, match="stratum_smaller_than_sample"):
        StratumFrame("h", 3, 4)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (cells_of([5], "elsewhere"), "frame lacks"),
        (cells_of([5] * 5), "more ratings"),
        (cells_of([5], unit="u") + cells_of([5], unit="v"), "one unit"),
    ],
)
def test_cells_that_cannot_be_are_errors_of_the_program(cells: list[Cell], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        group_score(cells, [StratumFrame("h", 20, 4)], TEN)


FRAMES = (StratumFrame("a", 5_000, 70), StratumFrame("b", 700, 65))
WEIGHTS = {("a", "x"): 31.5, ("a", "y"): 77.25, ("b", "x"): 9.125, ("b", "y"): 14.0}


@given(answers)
def test_a_unit_alone_and_among_others_has_the_same_estimate_to_the_last_bit(
    given_answers: list[tuple[CellKey, int]],
) -> None:
    cells = count_answers(given_answers)
    reading = Reading(1, 10, weights=WEIGHTS)
    together = unit_scores(cells, FRAMES, reading)
    again = unit_scores(reversed(cells), FRAMES[::-1], reading)
    assert together == again
    for (unit, item), estimate in together.items():
        own = [cell for cell in cells if (cell.unit, cell.item) == (unit, item)]
        assert group_score(own, FRAMES, reading) == estimate


@given(st.lists(st.integers(1, 10), min_size=2, max_size=40), st.integers(2, 20), st.integers(-50, 50))
def test_another_scale_moves_the_estimate_with_it(scores: list[int], factor: int, shift: int) -> None:
    frame = [StratumFrame("h", 900, 60)]
    one = group_score(cells_of(scores), frame, TEN)
    moved = Reading(factor + shift, 10 * factor + shift)
    other = group_score(cells_of(factor * score + shift for score in scores), frame, moved)
    rescaled = composite_interval(one, factor, shift)
    for attribute in ("value", "se", "df", "low", "high"):
        got, wanted = getattr(other, attribute), getattr(rescaled, attribute)
        assert (got is wanted is None) or got == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert other.flags == rescaled.flags


@given(answers)
def test_the_mean_and_its_variance_are_those_of_exact_fractions(given_answers: list[tuple[CellKey, int]]) -> None:
    """The same formulas evaluated in rational numbers, person by person instead of from cells."""
    reading = Reading(1, 10, weights=WEIGHTS)
    for (unit, item), estimate in unit_scores(count_answers(given_answers), FRAMES, reading).items():
        mine = [(key, score) for key, score in given_answers if key[3:] == (unit, item)]
        weights = {key: Fraction(WEIGHTS[key[1], key[2]]) for key, _ in mine}
        whole = sum(weights[key] for key, _ in mine)
        mean = sum(weights[key] * score for key, score in mine) / whole
        variance = Fraction(0)
        for frame in FRAMES:
            z = [weights[key] * (score - mean) / whole for key, score in mine if key[1] == frame.stratum]
            inner = sum(value * value for value in z) - sum(z) ** 2 / frame.n
            variance += (1 - Fraction(frame.n, frame.N)) * Fraction(frame.n, frame.n - 1) * inner
        assert estimate.value is not None
        assert isclose(estimate.value, mean, rel_tol=1e-14)
        if estimate.se is not None:
            assert isclose(estimate.se, sqrt(variance), rel_tol=1e-12, abs_tol=1e-14)


# --- groups together, and the composite -------------------------------------------------------------------------


def estimate(value: float, se: float | None, n: int = 100, *flags: Flag) -> Estimate:
    return Estimate(value, se, None if se is None else n - 1.0, n, value - 1, value + 1, flags)


def test_shares_weigh_the_groups_and_their_errors() -> None:
    groups = {"deputies": estimate(80, 2, 50), "residents": estimate(70, 1, 200)}
    both = weighted_score(groups, {"deputies": Decimal("0.6"), "residents": Decimal("0.4")}, Reading(0, 100))
    assert both.value == pytest.approx(76)
    assert both.se == pytest.approx(sqrt(1.44 + 0.16))
    assert both.df == pytest.approx(1.6**2 / (1.44**2 / 49 + 0.16**2 / 199))
    assert both.n == 250
    assert both.low is not None
    assert both.high is not None
    assert both.low < 76 - 1.9 * sqrt(1.6) < 76 + 1.9 * sqrt(1.6) < both.high
    half = weighted_score(groups, {"deputies": 0.3, "residents": 0.2}, Reading(0, 100))
    assert half.low == pytest.approx(both.low / 2)  # shares of a part of the whole keep their scale


def test_a_group_without_ratings_leaves_the_score_unknown_unless_the_scheme_spreads_its_share() -> None:
    groups = {"deputies": estimate(80, 2), "residents": NOTHING}
    shares = {"deputies": 0.25, "residents": 0.25, "firms": 0.5}
    unknown = weighted_score(groups, shares, Reading(0, 100))
    assert (unknown.value, unknown.se, unknown.flags) == (None, None, (Flag.GROUP_NOT_MEASURED,))
    spread = weighted_score(groups, shares, Reading(0, 100), renormalise=True)
    assert (spread.value, spread.se) == (80, 2)
    assert spread.flags == (Flag.SHARES_RENORMALISED,)
    assert weighted_score({}, shares, Reading(0, 100), renormalise=True).value is None


def test_a_thin_group_is_said_and_a_group_without_error_takes_the_whole_error_away() -> None:
    shares = {"a": 0.5, "b": 0.5}
    thin = weighted_score({"a": estimate(80, 2, 5, Flag.NOT_MEASURED), "b": estimate(70, 1)}, shares, Reading(0, 100))
    assert thin.flags == (Flag.GROUP_BELOW_TEN,)
    blind = weighted_score({"a": estimate(80, None, 1), "b": estimate(70, 1)}, shares, Reading(0, 100))
    assert (blind.value, blind.se, blind.low, blind.df) == (75, None, None, None)


def test_groups_that_are_equal_in_themselves_keep_their_bounds() -> None:
    frames = [StratumFrame("h", 900, 40)]
    group = group_score(cells_of([10] * 40), frames, TEN)
    both = weighted_score({"a": group, "b": group}, {"a": 0.5, "b": 0.5}, TEN)
    assert (both.value, both.se, both.low, both.high) == (10, 0, group.low, group.high)


def test_the_composite_carries_the_error_of_the_review() -> None:
    review = estimate(80, 2)
    composite = composite_interval(review, Decimal("0.3"), Decimal("61.5"))
    assert composite.value == pytest.approx(85.5)
    assert composite.se == pytest.approx(0.6)
    assert composite.low == pytest.approx(85.2)
    assert composite.high == pytest.approx(85.8)
    assert composite_interval(NOTHING, 0.3, 61.5) == NOTHING


@pytest.mark.parametrize(
    ("value", "places", "score"),
    [(2.00005, 4, "2.0001"), (0.125, 2, "0.13"), (85.5, 4, "85.5000"), (1e-7, 4, "0.0000"), (1 / 3, 2, "0.33")],
)
def test_an_estimate_becomes_a_decimal_once(value: float, places: int, score: str) -> None:
    assert str(as_score(value, places)) == score


# --- R's survey package -----------------------------------------------------------------------------------------

SCHOOLS = {"E": 4421, "H": 755, "M": 1018}


@pytest.mark.parametrize("design", ["dstrat", "dstrat_wr"])
@pytest.mark.parametrize("name", ["by.stype.mean", "by.comp_imp.mean", "by.cnum.mean", "by.stype.mean.na"])
def test_domain_means_of_the_school_sample_are_those_of_r(design: str, name: str) -> None:
    entry = expected(f"{design}.{name}")
    data = rows("apistrat.csv")
    by = entry["args"]["by"][0]
    frames = [StratumFrame(stratum, N, sum(row["stype"] == stratum for row in data)) for stratum, N in SCHOOLS.items()]
    weights = {(row["stype"], ""): float(row["pw"]) for row in data}
    for column, variable in enumerate(entry["args"]["variables"]):
        cells = count_answers(
            (("api", row["stype"], "", row[by], variable), int(float(row[variable]))) for row in data if row[variable]
        )
        scores = unit_scores(cells, frames, Reading(0, 1e5, finite=design == "dstrat", weights=weights))
        assert len(scores) == len(entry["result"]["groups"])
        for place, group in enumerate(entry["result"]["groups"]):
            got = scores[group, variable]
            value, se = entry["result"]["estimate"][place][column], entry["result"]["se"][place][column]
            assert got.value is not None
            assert agrees(entry, got.value, value), group
            if Flag.SE_NOT_MEASURABLE in got.flags:
                assert se < 1e-9, group  # R prints the formula's 0; we say that it cannot be known
            else:
                assert got.se is not None
                assert agrees(entry, got.se, se), group


def satisfaction() -> tuple[list[Cell], list[StratumFrame], dict[tuple[str, str], float]]:
    """Cells (unit, score in twelfths: the mean of the answered of four items), strata, nonresponse weights."""
    cases = rows("satisfaction_public_cases.csv")
    base, known, eligible, answered = (defaultdict[tuple[str, str], float](float) for _ in range(4))
    for case in cases:
        cell, kind = (case["stratum"], case["age"]), case["aapor_class"]
        weight = int(case["N_h"]) / int(case["n_h"])
        base[cell] += weight
        known[cell] += weight * (kind not in {"UH", "UO"})
        eligible[cell] += weight * (kind not in {"UH", "UO", "NE"})
        answered[cell] += weight * (kind in {"I", "P"})
    persons = {case["case_id"]: case for case in cases if case["aapor_class"] in {"I", "P"}}
    design = {case["stratum"]: int(case["N_h"]) / int(case["n_h"]) for case in cases}
    weights = {
        cell: design[cell[0]] * base[cell] / known[cell] * eligible[cell] / answered[cell]
        for cell in base
        if answered[cell]
    }
    responded = Counter(person["stratum"] for person in persons.values())
    sizes = {case["stratum"]: int(case["N_h"]) for case in cases}
    frames = [StratumFrame(stratum, N, responded[stratum]) for stratum, N in sizes.items()]
    listed = []
    for row in rows("satisfaction_public_ratings.csv"):
        person = persons[row["case_id"]]
        scores = [int(row[item]) for item in ("q1", "q2", "q3", "q4") if row[item]]
        if scores:
            key = ("p", person["stratum"], person["age"], row["dept"], "score")
            listed.append((key, sum(scores) * 12 // len(scores)))
    return count_answers(listed), frames, weights


def test_unit_scores_and_intervals_of_the_satisfaction_survey_are_those_of_r() -> None:
    entry = expected("satisfaction_public.dept.score.ci_logit_t")
    cells, frames, weights = satisfaction()
    scores = unit_scores(cells, frames, Reading(12, 120, weights=weights))
    for place, unit in enumerate(entry["result"]["groups"]):
        got = composite_interval(scores[unit, "score"], 1 / 12, 0)
        assert got.value is not None
        assert got.se is not None
        assert got.df is not None
        assert got.low is not None
        assert got.high is not None
        low, high = entry["result"]["ci95"][place]
        assert agrees(entry, got.value, entry["result"]["estimate"][place])
        assert agrees(entry, got.se, entry["result"]["se"][place])
        assert agrees(entry, got.df, entry["result"]["df"][place])
        assert agrees(entry, got.low, low)
        assert agrees(entry, got.high, high)


def test_group_weighted_scores_of_the_satisfaction_survey_are_those_of_r() -> None:
    entry = expected("satisfaction_public.dept.groupweighted")
    cells, frames, weights = satisfaction()
    reading = Reading(12, 120, weights=weights)
    by_group = {
        frame.stratum: unit_scores([cell for cell in cells if cell.stratum == frame.stratum], [frame], reading)
        for frame in frames
    }
    for place, unit in enumerate(entry["result"]["groups"]):
        groups = {group: scores[unit, "score"] for group, scores in by_group.items()}
        got = weighted_score(groups, entry["args"]["group_weights"], reading)
        assert got.value is not None
        assert agrees(entry, got.value / 12, entry["result"]["estimate"][place])
        if got.se is None:  # a group with one rating: R's formula counts it as certain
            assert any(estimate.n == 1 for estimate in groups.values())
        else:
            assert agrees(entry, got.se / 12, entry["result"]["se"][place])


def test_every_flag_has_its_sentences() -> None:
    assert all(say(Fault(flag), language) for flag in Flag for language in ("zh", "en"))
