"""Drawing by size: R's numbers, exact order sampling, and chances that come out as wished."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.drawing import draw_line
from survey_forms.sampling.plan import PlanLine
from survey_forms.sampling.pps import CIRCLE, pareto, pik, quotient, rank_of, systematic
from survey_forms.sampling.tickets import digests, words_of
from tests.rules.reference import agrees, expected

sizes_strategy = st.lists(st.integers(0, 10**18), min_size=1, max_size=30).filter(any)


def test_the_chances_are_those_of_r() -> None:
    entry = expected("pps.inclusion")
    chances = pik(entry["args"]["size"], entry["args"]["n"])
    got = [float(chances.of(place)) for place in range(len(entry["args"]["size"]))]
    assert all(agrees(entry, *pair) for pair in zip(got, entry["result"]["pik"], strict=True))


def test_the_walk_by_size_takes_whom_r_takes() -> None:
    entry = expected("pps.systematic")
    chances = pik(entry["args"]["size"], entry["args"]["n"])
    taken = systematic(chances, Fraction(entry["args"]["start_u"]))
    assert [place + 1 for place in taken] == entry["result"]["selected_1based"]


@given(sizes_strategy, st.data())
def test_chances_sum_to_n_stay_below_one_and_grow_with_size(sizes: list[int], data: st.DataObject) -> None:
    n = data.draw(st.integers(0, sum(size > 0 for size in sizes)))
    chances = pik(sizes, n)
    every = [chances.of(place) for place in range(len(sizes))]
    assert sum(every) == n
    assert all(0 <= one <= 1 for one in every)
    assert all((one > 0) == (size > 0 and n > 0) for one, size in zip(every, sizes, strict=True))
    free = [place for place, one in enumerate(every) if 0 < one < 1]
    assert len({every[place] / sizes[place] for place in free}) <= 1
    certain = [place for place, one in enumerate(every) if one == 1]
    assert not certain or not free or min(sizes[p] for p in certain) >= max(sizes[p] for p in free)


@given(sizes_strategy, st.data(), st.fractions(0, 1).filter(lambda start: start < 1))
def test_the_walk_by_size_takes_n_units_each_as_often_as_its_chance(
    sizes: list[int], data: st.DataObject, start: Fraction
) -> None:
    n = data.draw(st.integers(0, sum(size > 0 for size in sizes)))
    chances = pik(sizes, n)
    taken = systematic(chances, start)
    assert len(taken) == len(set(taken)) == n
    assert all(chances.numerators[place] for place in taken)
    assert all(place in taken for place in range(len(sizes)) if n and chances.of(place) == 1)


def test_over_all_starts_the_walk_takes_each_unit_exactly_as_often_as_wished() -> None:
    chances = pik([1, 2, 3, 5, 9], 3)
    whole = chances.denominator
    times = Counter(place for start in range(whole) for place in systematic(chances, Fraction(start, whole)))
    assert [times[place] for place in range(5)] == list(chances.numerators)


def words(tickets: list[int]) -> np.ndarray:
    packed = b"".join(ticket.to_bytes(32, "big") for ticket in tickets)
    return words_of(np.frombuffer(packed, dtype=np.uint8).reshape(-1, 32))


near_ends = st.one_of(
    st.integers(0, CIRCLE - 1), st.integers(0, 1 << 200), st.integers(1, 1 << 200).map(lambda one: CIRCLE - one)
)


@given(
    st.lists(st.tuples(near_ends, st.integers(0, 50)), min_size=1, max_size=25, unique_by=lambda one: one[0]), st.data()
)
def test_order_sampling_is_the_formula_in_whole_numbers_even_at_the_ends_of_the_circle(
    units: list[tuple[int, int]], data: st.DataObject
) -> None:
    tickets, sizes = ([one[part] for one in units] for part in (0, 1))
    able = sum(size > 0 for size in sizes)
    n = data.draw(st.integers(0, able))
    count = data.draw(st.integers(n, able))
    chances = pik(sizes, n)
    if not n:
        return
    ranks = {place: quotient(tickets[place], chances, place) for place in range(len(units)) if sizes[place]}
    line = sorted(ranks, key=lambda place: (ranks[place], tickets[place]))
    assert pareto(words(tickets), chances, count) == line[:count]
    for number, place in enumerate(line, start=1):
        assert rank_of(words(tickets), chances, place) == number
        u, p = Fraction(tickets[place], CIRCLE), chances.of(place)
        assert ranks[place] == (u / (1 - u)) / (p / (1 - p)) if p < 1 else ranks[place] == 0


def test_equal_tickets_but_for_the_last_bit_are_told_apart() -> None:
    close = [(1 << 255) + 1, 1 << 255, (1 << 255) + 2]
    assert pareto(words(close), pik([7, 7, 7], 1), 3) == [1, 0, 2]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=12), st.integers(0, 5))
def test_the_floats_never_leave_out_whom_the_whole_numbers_take(sizes: list[int], seed: int) -> None:
    units = [f"u{place}" for place in range(len(sizes))]
    drawn = draw_line(str(seed), str(seed), PlanLine("h", 2, "", "pareto"), units, {"size": sizes})
    chances = pik(sizes, 2)
    packed = digests(str(seed), "h", units)
    tickets = [int.from_bytes(one.tobytes(), "big") for one in packed]
    line = sorted(range(len(sizes)), key=lambda place: (quotient(tickets[place], chances, place), tickets[place]))
    assert [*drawn.sample, *drawn.reserve] == [units[place] for place in line[: 2 + 5]]
    assert drawn.chances == tuple(chances.of(place) for place in line[: 2 + 5])


def test_order_sampling_meets_its_chances_within_its_known_tolerance() -> None:
    sizes = [120, 45, 300, 80, 15, 60, 210, 95, 33, 142, 900, 27]
    units, seeds = [f"c{place}" for place in range(len(sizes))], 10_000
    chances = pik(sizes, 4)
    times = Counter(
        place for seed in range(seeds) for place in pareto(words_of(digests(str(seed), "h", units)), chances, 4)
    )
    for place in range(len(sizes)):
        p = float(chances.of(place))
        # Rosen: the bias is of order 1/n² of p; chance at 10,000 seeds is 4 standard errors
        assert times[place] / seeds == pytest.approx(p, abs=0.02 * p + 4 * (p * (1 - p) / seeds) ** 0.5)
    assert times[10] == seeds


def test_fewer_units_with_a_size_than_are_drawn_are_refused() -> None:
    with pytest.raises(Refused, match="pps_too_few"):
        pik([3, 0, 4], 3)
