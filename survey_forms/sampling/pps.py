"""Drawing with probability proportional to size, exactly: no float decides who is drawn.

Sources: Rosen (1997), order sampling with Pareto's shape, whose inclusion probabilities are the wished ones to within a
fraction of a per cent; systematic selection along the sums of sizes (Madow 1949); certainties as in R's `sampling`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cmp_to_key
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survey_forms.refusal import Refused

CIRCLE = 1 << 256
_LEAST = 1e-58  # 2^-192: what 1 - u is at least, of 2^-64, when the first word of a ticket is all ones
_SLACK = 1e-9  # far above the rounding of the five float operations that pick whom to compare exactly


@dataclass(frozen=True, slots=True)
class Chances:
    """Inclusion probabilities as whole numbers over one denominator; those of certain units equal it."""

    numerators: tuple[int, ...]
    denominator: int

    def of(self, place: int) -> Fraction:
        """The probability of one unit."""
        return Fraction(self.numerators[place], self.denominator)


def pik(sizes: Sequence[int], n: int) -> Chances:
    """Probabilities proportional to size that sum to n; who would pass 1 is certain, and the others share the rest.

    Args:
        sizes: whole numbers, none below 0 (any unit of measure).
        n: how many are drawn.

    Raises:
        Refused: `pps_too_few` when fewer than n units have a size.
    """
    able = sum(size > 0 for size in sizes)
    if n > able:
        raise Refused("pps_too_few", n=n, able=able)
    certain: set[int] = set()
    while True:
        rest = sum(size for place, size in enumerate(sizes) if place not in certain)
        share = n - len(certain)
        more = {place for place, size in enumerate(sizes) if size > 0 and place not in certain and share * size >= rest}
        if not more or not share:
            break
        certain |= more
    whole = max(rest, 1)
    return Chances(tuple(whole if at in certain else share * size for at, size in enumerate(sizes)), whole)


def systematic(chances: Chances, start: Fraction) -> list[int]:
    """Places of the units where a whole number lies in [a_(k-1), a_k), a_k the sum of the first k chances less start.

    Args:
        chances: of `pik`.
        start: in [0, 1).
    """
    step = chances.denominator * start.denominator
    sum_ = -start.numerator * chances.denominator
    taken, before = [], -(-sum_ // step)
    for place, chance in enumerate(chances.numerators):
        sum_ += chance * start.denominator
        now = -(-sum_ // step)
        if now > before:
            taken.append(place)
        before = now
    return taken


def quotient(ticket: int, chances: Chances, place: int) -> Fraction | None:
    """A unit's rank value [u/(1-u)] / [p/(1-p)], u = ticket / 2^256; 0 for certain units, None without a size."""
    chance = chances.numerators[place]
    if not chance:
        return None
    return Fraction(ticket * (chances.denominator - chance), (CIRCLE - ticket) * chance)


def pareto(words: NDArray[np.uint64], chances: Chances, count: int) -> list[int]:
    """Places of the `count` units with the smallest rank values, in their order (equal ones by their tickets).

    Floats only leave out those who are far beyond the last; the rest are compared as whole numbers.

    Args:
        words: (N, 4) tickets, big-endian words of 64 bits.
        chances: of `pik`.
        count: no more than have a size.
    """
    if not count:
        return []
    low, high = _enclosed(words, chances)
    last = np.partition(high, count - 1)[count - 1]
    key = _exactly(words, chances)
    return sorted(np.flatnonzero(low <= last).tolist(), key=key)[:count]


def rank_of(words: NDArray[np.uint64], chances: Chances, place: int) -> int:
    """Which in the line of rank values the unit at `place` is, from 1; units without size stand behind all others."""
    low, high = _enclosed(words, chances)
    key = _exactly(words, chances)
    own = key(place)
    before = int(np.count_nonzero(high < low[place]))
    near = np.flatnonzero((high >= low[place]) & (low <= high[place])).tolist()
    return 1 + before + sum(bool(key(other) < own) for other in near if other != place)


def _enclosed(words: NDArray[np.uint64], chances: Chances) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What every rank value certainly lies between, (N,) each; infinite without a size."""
    whole = chances.denominator
    odds = np.array([(whole - chance) / chance if chance else -1.0 for chance in chances.numerators])
    first = words[:, 0]
    below, above = first.astype(np.float64), (~first).astype(np.float64)  # ~t is 2^64 - 1 - t, exactly
    low = below / (above + 1) * odds * (1 - _SLACK)
    high = (below + 1) / np.maximum(above, _LEAST) * odds * (1 + _SLACK)
    return np.where(odds < 0, np.inf, low), np.where(odds < 0, np.inf, high)


def _exactly(words: NDArray[np.uint64], chances: Chances) -> Callable[[int], Any]:
    """A key that orders places by their rank values as whole numbers, then by tickets; the last are without size."""

    @cache
    def parts(place: int) -> tuple[int, int, int]:
        ticket = int.from_bytes(words[place].astype(">u8").tobytes(), "big")
        chance = chances.numerators[place]
        return ticket, (ticket * (chances.denominator - chance) if chance else 1), (CIRCLE - ticket) * chance

    def compare(one: int, other: int) -> int:
        (ticket, a, b), (ticket_, c, d) = parts(one), parts(other)
        return a * d - c * b or ticket - ticket_

    return cmp_to_key(compare)
