"""Covariance between the scores of units, which the same persons gave: from integer pair cells.

A person who is lenient with one unit is lenient with the next, so a difference of two units is known better than two
independent scores would tell. The cells of single units cannot tell how much; pairs can. Of a weighting cell c, with
k_id = 1 where person i rated unit d and y_id the score, three whole-number tables are enough:

    N_de = sum k_id k_ie       S_de = sum y_id k_ie       Q_de = sum y_id y_ie

They add up like the cells of `cells.py`, in any order, to the same integers, so a recount is bit-identical. With the
weight w of a cell, z_id = w k_id (y_id - m_d)/W_d, and a calibration's prediction b_cd in the same units (0 without),

    V_de = sum_h (1-f_h) n_h/(n_h-1) [ sum_i (z_id - b_id)(z_ie - b_ie) - T_d T_e/n_h ]

Source: statistics.md, section 3; Särndal, Swensson & Wretman 1992, ch. 5 (the covariance of linearised means).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey_forms.estimation.scores import StratumFrame
from survey_forms.estimation.tables import CellName

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(slots=True)
class Pairs:
    """What the persons of one weighting cell answered, by pairs of D units; each (D, D). `persons`: all who answered.

    The diagonals of `n`, `s` and `q` are the cell's own n, sum and sum of squares of each unit.
    """

    persons: int
    n: Ints
    s: Ints
    q: Ints


def pair_counts(answers: Iterable[tuple[CellName, Mapping[str, int]]], units: Sequence[str]) -> dict[CellName, Pairs]:
    """Count persons into pair cells.

    Args:
        answers: a person each: weighting cell, and unit → whole score (10,000 at most in hundredths of a point, so
            that 10^10 persons still fit).
        units: in the order of the matrices; scores of other units are passed over.
    """
    place = {unit: column for column, unit in enumerate(units)}
    d = len(units)
    found: dict[CellName, Pairs] = {}
    for cell, scores in answers:
        if cell not in found:
            found[cell] = Pairs(0, *(np.zeros((d, d), dtype=np.int64) for _ in range(3)))
        pairs = found[cell]
        pairs.persons += 1
        at = np.array([place[unit] for unit in scores if unit in place], dtype=np.intp)
        if at.size:
            y = np.array([score for unit, score in scores.items() if unit in place], dtype=np.int64)
            grid = np.ix_(at, at)
            pairs.n[grid] += 1
            pairs.s[grid] += y[:, None]
            pairs.q[grid] += y[:, None] * y[None, :]
    return found


def covariance(
    pairs: Mapping[CellName, Pairs],
    frames: Iterable[StratumFrame],
    weights: Mapping[CellName, float] | None = None,
    predicted: Mapping[CellName, Floats] | None = None,
) -> Floats:
    """The covariance of the means of D units, with the finite population correction; its diagonal is SE².

    Args:
        pairs: the pair cells of all persons who answered, also of those who rated none of the units.
        frames: the strata of the group.
        weights: of a person of a cell; N/n of the stratum where none are given.
        predicted: of a calibrated group, a cell's b_c (D,): what the margins predict of w z, to be taken off.

    Returns:
        (D, D); NaN rows and columns where a unit was not rated, all NaN where a stratum's error cannot be known.
    """
    strata = {frame.stratum: frame for frame in frames}
    rows = sorted(pairs)
    d = next(iter(pairs.values())).n.shape[0] if pairs else 0
    weight = {cell: strata[cell[0]].N / strata[cell[0]].n if weights is None else weights[cell] for cell in rows}
    counted, summed = np.zeros(d), np.zeros(d)
    for cell in rows:
        counted += weight[cell] * np.diag(pairs[cell].n)
        summed += weight[cell] * np.diag(pairs[cell].s)
    rated = np.where(counted > 0, counted, np.nan)  # a unit that nobody rated has neither mean nor error
    mean = summed / rated
    total = np.zeros((d, d))
    for code in sorted({stratum for stratum, _ in rows}):
        factor = _factor(strata[code])
        if factor == 0:
            continue
        products, sums = np.zeros((d, d)), np.zeros(d)
        for cell in (one for one in rows if one[0] == code):
            part, ends = _residuals(pairs[cell], mean, weight[cell] / rated)
            persons, b = pairs[cell].persons, None if predicted is None else predicted[cell]
            if b is not None:
                part = part - np.outer(b, ends) - np.outer(ends, b) + persons * np.outer(b, b)
                ends = ends - persons * b
            products += part
            sums += ends
        total += factor * (products - np.outer(sums, sums) / strata[code].n)
    return total


def _residuals(pairs: Pairs, mean: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Of one cell: sum_i z_id z_ie (D, D) and sum_i z_id (D,), shifted by whole numbers first to keep digits."""
    k = np.rint(np.nan_to_num(mean)).astype(np.int64)
    rest = mean - k
    s = pairs.s - k[:, None] * pairs.n  # sum (y_d - k_d) over those who rated e as well
    q = pairs.q - k[:, None] * s.T - k[None, :] * s - np.outer(k, k) * pairs.n
    centred = q - rest[:, None] * s.T - rest[None, :] * s + np.outer(rest, rest) * pairs.n
    ends = np.diag(s) - rest * np.diag(pairs.n)
    return centred * np.outer(scale, scale), ends * scale


def _factor(frame: StratumFrame) -> float:
    """(1 - f) n/(n - 1); 0 for a full census, NaN for one person of several."""
    if frame.n in {0, frame.N}:
        return 0.0
    return float("nan") if frame.n == 1 else (1 - frame.n / frame.N) * frame.n / (frame.n - 1)
