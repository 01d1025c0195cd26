"""Allocation: R's numbers, hand-worked ones, and what must hold for any strata."""

import json
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.allocate import by_weights, equal, grouped, neyman, proportional, within_budget
from survey_forms.sampling.shares import (
    cost_weights,
    kish_weights,
    needed,
    neyman_weights,
    power_weights,
    real,
    real_of_budget,
    variance_of_mean,
)
from tests.rules.reference import FOLDER, agrees, expected

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


def weights_of(entry: dict[str, Any]) -> dict[str, Fraction]:
    """What the entry's rule is proportional to, by the product's own functions."""
    facts = entry["args"]
    frame, spreads = named(facts["N"]), named(facts.get("S", []))
    match facts["method"]:
        case "proportional":
            return {name: Fraction(size) for name, size in frame.items()}
        case "equal":
            return dict.fromkeys(frame, Fraction(1))
        case "neyman":
            return neyman_weights(frame, spreads)
        case "cost-optimal for fixed n":
            return cost_weights(frame, spreads, named(facts["cost"]))
        case "power (Bankier)":
            return power_weights(frame, spreads, named(facts["Ybar"]), facts["a"])
        case "Kish compromise":
            return kish_weights(frame, facts["I"])
    pytest.fail(f"{entry['id']} has a rule that is not tested: {facts['method']}")


def entries() -> list[str]:
    """The ids of all allocations that R answered; none where its answers are not beside the repository."""
    if not FOLDER.is_dir():
        return []
    listed = json.loads((FOLDER / "expected_public.json").read_text("utf-8"))["entries"]
    return [entry["id"] for entry in listed if entry["statistic"] == "allocation"]


@pytest.mark.parametrize("entry_id", entries())
def test_every_allocation_of_the_reference_is_met(entry_id: str) -> None:
    entry = expected(entry_id)
    facts, result = entry["args"], entry["result"]
    frame, spreads = named(facts["N"]), named(facts.get("S", []))
    if facts["method"] == "cost-optimal for a fixed budget":
        numbers = real_of_budget(frame, spreads, named(facts["cost"]), facts["budget"])
    elif facts["method"] == "neyman, exact integer optimum":
        given_units = neyman(frame, spreads, facts["n"], facts["min_per_stratum"])
        assert list(given_units.values()) == result["integer"]
        assert agrees(entry, variance_of_mean(frame, spreads, given_units), result["variance_of_mean"])
        return
    else:
        numbers = real(weights_of(entry), facts["n"])
    assert all(agrees(entry, *pair) for pair in zip(numbers.values(), result["real"], strict=True))
    if "integer" in result:
        assert list(by_weights(weights_of(entry), frame, facts["n"]).values()) == result["integer"]


facts_of_strata = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 9), st.integers(1, 50), st.integers(1, 100)), min_size=1, max_size=6
)


@given(facts_of_strata, st.data(), st.integers(0, 8), st.none() | st.integers(1, 40), st.integers(0, 4))
def test_every_rule_keeps_the_total_and_the_bounds(
    strata: list[tuple[int, int, int, int]], data: st.DataObject, minimum: int, cap: int | None, quarter: int
) -> None:
    frame, spreads, costs, means = (named(list(column)) for column in zip(*strata, strict=True))
    most = {name: size if cap is None else min(size, cap) for name, size in frame.items()}
    least = {name: min(minimum, most[name]) for name in frame}
    total = data.draw(st.integers(sum(least.values()), sum(most.values())))
    for weights in (
        neyman_weights(frame, spreads),
        cost_weights(frame, spreads, costs),
        power_weights(frame, spreads, means, Fraction(quarter, 4)),
        kish_weights(frame, quarter),
    ):
        given_units = by_weights(weights, frame, total, minimum, cap)
        assert sum(given_units.values()) == total
        assert all(least[name] <= given_units[name] <= most[name] for name in frame)
        for one, other in product(frame, repeat=2):
            if weights[one] > weights[other] and frame[one] >= frame[other]:
                assert given_units[one] >= given_units[other] - (weights[other] == 0)


@given(facts_of_strata)
def test_the_rules_meet_at_their_ends(strata: list[tuple[int, int, int, int]]) -> None:
    frame, spreads, costs, means = (named(list(column)) for column in zip(*strata, strict=True))
    ends = power_weights(frame, spreads, means, 1), neyman_weights(frame, spreads)
    assert all(ends[0][name] == pytest.approx(ends[1][name]) for name in frame)
    assert len(set(kish_weights(frame, 0).values())) == 1
    assert cost_weights(frame, spreads, dict.fromkeys(frame, 4)) == {name: w / 2 for name, w in ends[1].items()}
    assert costs


@given(facts_of_strata, st.integers(1, 4), st.data())
def test_groups_get_their_weight_and_strata_theirs_within(
    strata: list[tuple[int, int, int, int]], groups: int, data: st.DataObject
) -> None:
    frame = named([size for size, *_ in strata])
    group_of = {name: f"g{int(name) % groups}" for name in frame}
    weights = {group: Fraction(3 + int(group[1:])) for group in dict.fromkeys(group_of.values())}
    total = data.draw(st.integers(0, sum(frame.values())))
    given_units = grouped(weights, group_of, frame, total)
    assert list(given_units) == list(frame)
    assert sum(given_units.values()) == total
    assert all(0 <= given_units[name] <= frame[name] for name in frame)
    held = {group: sum(frame[name] for name in frame if group_of[name] == group) for group in weights}
    assert {g: sum(n for name, n in given_units.items() if group_of[name] == g) for g in weights} == by_weights(
        weights, held, total
    )


@given(facts_of_strata, st.integers(0, 4000))
def test_a_budget_is_spent_until_no_stratum_can_be_paid_and_never_overspent(
    strata: list[tuple[int, int, int, int]], budget: int
) -> None:
    frame, spreads, costs, _ = (named(list(column)) for column in zip(*strata, strict=True))
    if budget < sum(costs.values()):
        with pytest.raises(Refused, match="allocation_budget_short"):
            within_budget(frame, spreads, costs, budget)
        return
    given_units = within_budget(frame, spreads, costs, budget)
    spent = sum(n * costs[name] for name, n in given_units.items())
    assert spent <= budget
    assert all(n == frame[name] or spent + costs[name] > budget for name, n in given_units.items())
    assert all(1 <= n <= frame[name] for name, n in given_units.items())


def test_a_budget_in_whole_units_follows_the_formula() -> None:
    frame, spreads = {"a": 41_200, "b": 8_600, "c": 2_000}, {"a": 16, "b": 14, "c": 8}
    costs = {"a": 12, "b": 25, "c": 60}
    whole, exact = (rule(frame, spreads, costs, 200_000) for rule in (within_budget, real_of_budget))
    assert all(abs(whole[name] - exact[name]) < 6 for name in frame)


def test_the_size_rule_is_that_of_the_handbook() -> None:
    # (1.96 · 15 / 2)² = 216.09; twice that for the design, over 60 % who answer, over 40 % who know the unit
    assert needed(15, 2).effective == pytest.approx(216.09)
    assert needed(15, 2).drawn == 217
    assert needed(15, 2, deff=2, response_rate=Fraction(6, 10), known_by=Fraction(4, 10)).drawn == 1801


def test_what_no_weight_wants_is_shared_equally() -> None:
    assert by_weights({"a": 1, "b": 0, "c": 0}, {"a": 2, "b": 9, "c": 9}, 8) == {"a": 2, "b": 3, "c": 3}
