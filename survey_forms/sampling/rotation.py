"""Waves that overlap as much as was chosen: each unit keeps one permanent random number, and the start moves on.

A unit's permanent ticket is SHA-256 of `permanent|stratum|unit_id`; the permanent text is the seed of the first wave's
draw, so that public randomness decided it: of a text that somebody chose, the sample would be chosen too. That it is
such a seed, only who holds the first draw can tell (the service does; these rules cannot). The circle of tickets, 2^256
long, is entered a little further on in each wave: the first n units from there are the sample. By symmetry each wave is
a simple random sample; two waves share those whom both reach.

Source: Ohlsson (1995), coordination of samples using permanent random numbers.
"""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import bdtr

from survey_forms.sampling.pps import CIRCLE


@dataclass(frozen=True, slots=True)
class Overlap:
    """Units of this wave that were in the earlier one: how many, and the share of this wave's sample."""

    both: int
    share: Fraction


def shift_of(wave: int, overlap: Fraction, n: int, size: int) -> int:
    """Where wave 1, 2, … enters the circle: each (1 - overlap)·n/N further on than the one before, in whole tickets.

    Args:
        wave: from 1.
        overlap: the share of a wave that is kept in the next, 0 to 1.
        n: units drawn of the stratum.
        size: units in it.
    """
    return int((wave - 1) * (1 - overlap) * n * CIRCLE / size) % CIRCLE if size else 0


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


def overlap_of(earlier: Collection[str], now: Collection[str]) -> Overlap:
    """How far two waves of one stratum share their units."""
    both = len(set(earlier) & set(now))
    return Overlap(both, Fraction(both, len(now)) if now else Fraction(0))


def shifted(ticket: str, shift: int) -> str:
    """A ticket as seen from where a wave begins: (ticket - shift) mod 2^256, in 64 hex digits."""
    return f"{(int(ticket, 16) - shift) % CIRCLE:064x}"
