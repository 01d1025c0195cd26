"""Allocation: R's numbers, hand-worked ones, and what must hold for any strata."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.allocate import equal, neyman, proportional
from tests.rules.reference import expected

XIAMEN = {"思明": 1_073_315, "海沧": 582_519, "湖里": 1_036_974, "集美": 1_036_987, "同安": 855_920, "翔安": 578_255}

sizes = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 60), min_size=1, max_size=7)


def test_nine_hundred_residents_follow_the_census_of_six_districts() -> None:
    # 900·N_h/5,163,970 = 187.06 101.52 180.73 180.73 149.17 100.78; three left: 翔安, 集美, 湖里
    assert list(proportional(XIAMEN, 900).values()) == [187, 101, 181, 181, 149, 101]


def test_ties_go_to_the_stratum_that_stands_first() -> None:
    assert proportional({"a": 10, "b": 10, "c": 10}, 4) == {"a": 2, "b": 1, "c": 1}
    assert equal({"c": 10, "a": 20, "b": 10}, 5) == {"c": 2, "a": 2, "b": 1}


def test_what_a_small_stratum_cannot_give_is_spread_over_the_others() -> None:
    assert equal({"a": 260, "b": 412_000, "c": 40}, 450) == {"a": 205, "b": 205, "c": 40}


def test_minimum_and_cap_bind_and_the_rest_follows_the_rule() -> None:
    # a is held at 500, and its other 400 go to b and c as 9 : 1
    assert proportional({"a": 9000, "b": 900, "c": 100}, 1000, minimum=30, cap=500) == {"a": 500, "b": 450, "c": 50}
    # 80, 15 and 5 by share; b and c are raised to 20
    assert proportional({"a": 800, "b": 150, "c": 50}, 100, minimum=20) == {"a": 60, "b": 20, "c": 20}
    # 90, 9 and 1 by share; a is held at 50, c raised to 10, and b takes what is left
    assert proportional({"a": 9000, "b": 900, "c": 100}, 100, minimum=10, cap=50) == {"a": 50, "b": 40, "c": 10}


@given(sizes, st.data(), st.integers(0, 8), st.none() | st.integers(1, 40), st.sampled_from([proportional, equal]))
def test_the_total_is_met_within_bounds_and_larger_strata_never_give_less(
    frame: dict[str, int], data: st.DataObject, minimum: int, cap: int | None, rule: type
) -> None:
    most = {name: size if cap is None else min(size, cap) for name, size in frame.items()}
    least = {name: min(minimum, most[name]) for name in frame}
    total = data.draw(st.integers(sum(least.values()), sum(most.values())))
    given_units = rule(frame, total, minimum, cap)
    assert list(given_units) == list(frame)
    assert sum(given_units.values()) == total
    assert all(least[name] <= given_units[name] <= most[name] for name in frame)
    for one, other in product(frame, repeat=2):
        if frame[one] > frame[other]:
            assert given_units[one] >= given_units[other] - (rule is equal)


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 60), min_size=1, max_size=7), st.integers(0, 40))
def test_without_bounds_no_stratum_is_a_whole_unit_off_its_share(frame: dict[str, int], total: int) -> None:
    whole = sum(frame.values())
    for name, n in proportional(frame, min(total, whole)).items():
        assert abs(n - min(total, whole) * frame[name] / whole) < 1


def variance(given_units: Mapping[str, int], frame: Mapping[str, int], spreads: Mapping[str, int]) -> float:
    """Of the estimated total, less what does not depend on the allocation."""
    return sum((frame[name] * spreads[name]) ** 2 / n for name, n in given_units.items())


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=2, max_size=3),
    st.data(),
)
def test_neyman_is_the_best_of_all_whole_allocations(strata: list[tuple[int, int]], data: st.DataObject) -> None:
    frame = {str(place): size for place, (size, _) in enumerate(strata)}
    spreads = {str(place): spread for place, (_, spread) in enumerate(strata)}
    total = data.draw(st.integers(len(strata), sum(frame.values())))
    given_units = neyman(frame, spreads, total)
    assert sum(given_units.values()) == total
    every = (
        dict(zip(frame, counts, strict=True))
        for counts in product(*(range(1, size + 1) for size in frame.values()))
        if sum(counts) == total
    )
    best = min(variance(candidate, frame, spreads) for candidate in every)
    assert variance(given_units, frame, spreads) == pytest.approx(best)


@pytest.mark.parametrize("total", [2, 61])
def test_a_total_that_the_bounds_cannot_meet_is_refused_with_what_they_allow(total: int) -> None:
    with pytest.raises(Refused) as caught:
        proportional({"a": 10, "b": 200}, total, minimum=3, cap=50)
    assert caught.value.faults[0].facts == {"total": total, "least": 6, "most": 60}


def named(numbers: list[float]) -> dict[str, float]:
    return {str(place): number for place, number in enumerate(numbers)}


def test_proportional_is_that_of_r() -> None:
    entry = expected("alloc.proportional")
    frame = {name: int(size) for name, size in named(entry["args"]["N"]).items()}
    assert list(proportional(frame, entry["args"]["n"]).values()) == entry["result"]["integer"]


@pytest.mark.parametrize("which", ["", ".min2", ".min40"])
def test_neyman_is_that_of_r(which: str) -> None:
    entry = expected(f"alloc.neyman.exact_integer{which}")
    arguments = entry["args"]
    frame = {name: int(size) for name, size in named(arguments["N"]).items()}
    given_units = neyman(frame, named(arguments["S"]), arguments["n"], arguments["min_per_stratum"])
    assert list(given_units.values()) == entry["result"]["integer"]
