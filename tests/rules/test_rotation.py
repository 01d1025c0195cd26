"""Waves that overlap as chosen, each of them a fair sample of its own."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr
from scipy.stats import chi2

from survey_forms.sampling.drawing import StratumDraw, draw_line, draw_stratum
from survey_forms.sampling.plan import PlanLine
from survey_forms.sampling.pps import CIRCLE
from survey_forms.sampling.rotation import shift_of, shifted
from survey_forms.sampling.tickets import ticket, words_of

UNITS = [f"u{number}" for number in range(400)]


def wave_of(number: int, overlap: Fraction, permanent: str, units: list[str], n: int) -> StratumDraw:
    shift = shift_of(number, overlap, n, len(units))
    return draw_line("this wave's seed", permanent, PlanLine("h", n, "", shift=shift), units, {})


def test_the_first_wave_is_a_draw_like_any_other() -> None:
    first = wave_of(1, Fraction(1, 2), "seed", UNITS, 40)
    assert first.sample == draw_stratum("seed", "h", UNITS, 40).sample


@given(st.integers(2, 9), st.fractions(0, 1), st.integers(1, 60), st.text(max_size=5))
def test_a_wave_is_the_recipe(wave: int, overlap: Fraction, n: int, permanent: str) -> None:
    units = UNITS[:60]
    shift = shift_of(wave, overlap, n, 60)
    drawn = wave_of(wave, overlap, permanent, units, n)
    line = sorted(units, key=lambda unit: shifted(ticket(permanent, "h", unit), shift))
    assert [*drawn.sample, *drawn.reserve] == line[: n + 5]
    assert drawn.threshold == shifted(ticket(permanent, "h", line[n - 1]), shift)


@given(st.integers(0, CIRCLE - 1), st.integers(0, CIRCLE - 1))
def test_shifting_turns_the_circle_and_loses_nobody(number: int, shift: int) -> None:
    moved = shifted(f"{number:064x}", shift)
    assert len(moved) == 64
    assert shifted(moved, CIRCLE - shift) == f"{number:064x}"


word = st.sampled_from([0, 1, 2**63, 2**64 - 2, 2**64 - 1])
number = st.tuples(word, word, word, word).map(lambda words: sum(one << (64 * at) for at, one in enumerate(words)))


@given(st.lists(number, min_size=1, max_size=9), number)
def test_a_million_tickets_are_shifted_as_one_is(tickets: list[int], shift: int) -> None:
    packed = np.frombuffer(b"".join(one.to_bytes(32, "big") for one in tickets), dtype=np.uint8).reshape(-1, 32)
    moved = words_of(packed, shift).astype(">u8").tobytes().hex()
    assert moved == "".join(shifted(f"{one:064x}", shift) for one in tickets)


def expected_share(waves_apart: int, overlap: Fraction, n: int, size: int) -> float:
    """The share of a wave's sample that is expected in the wave so many later, for an unchanged frame.

    If K of the N units lie between the two starts, the waves share (n - K)+ units, and (n - (N - K))+ around the other
    side; K is binomial. So half an overlap comes out as a half, and no overlap as a little more than none.
    """
    if not n:
        return 0.0
    apart = float((waves_apart * (1 - overlap) * n / size) % 1)
    below = np.arange(n)  # the mean of (n - K)+ is the sum of P(K <= j) over j < n
    return float((bdtr(below, size, apart) + bdtr(below, size, 1 - apart)).sum()) / n


@pytest.mark.parametrize("overlap", [Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1)])
def test_two_waves_share_what_was_chosen(overlap: Fraction) -> None:
    shares = []
    for permanent in range(60):
        waves = [wave_of(number, overlap, str(permanent), UNITS, 40).sample for number in (1, 2)]
        shares.append(len(set(waves[0]) & set(waves[1])) / 40)
    wished = expected_share(1, overlap, 40, 400)
    assert sum(shares) / 60 == pytest.approx(wished, abs=0.04)
    assert wished == pytest.approx(float(overlap), abs=0.07)
    if overlap >= Fraction(1, 4):
        assert wished == pytest.approx(float(overlap), abs=0.01)
    if overlap == 1:
        assert set(shares) == {1.0}


def test_far_waves_meet_again_only_after_a_whole_turn() -> None:
    half = Fraction(1, 2)
    assert expected_share(4, half, 40, 400) < 0.001
    assert expected_share(20, half, 40, 400) == 1  # 20 · 1/2 · 1/10 of the circle: once around
    assert expected_share(19, half, 40, 400) == pytest.approx(expected_share(1, half, 40, 400))
    assert expected_share(1, half, 0, 400) == 0
    first, last = wave_of(1, half, "p", UNITS, 40), wave_of(21, half, "p", UNITS, 40)
    assert set(first.sample) == set(last.sample)
    assert not set(first.sample) & set(wave_of(6, half, "p", UNITS, 40).sample)


def test_every_unit_is_as_likely_in_a_later_wave_as_in_the_first() -> None:
    units, n, seeds = UNITS[:20], 5, 4000
    times = Counter(unit for seed in range(seeds) for unit in wave_of(3, Fraction(1, 3), str(seed), units, n).sample)
    share = n / 20
    statistic = sum((times[unit] - seeds * share) ** 2 / (seeds * share * (1 - share)) for unit in units) * 19 / 20
    assert statistic < chi2.ppf(0.999, 19)
