"""Stratified means of domains and their variances, from integer cells, for many domains in one pass.

Source: Taylor linearisation of the ratio mean (Särndal, Swensson & Wretman 1992, ch. 5 and 10; Cochran 1977),
which is what R's `survey::svymean` gives on a domain. With w constant in a cell c of stratum h, per domain d

    A = sum w n    B = sum w S1    m = B / A
    C = sum w² n   D = sum w² S1   E = sum w² S2                                        (sums over cells of h)
    v_h = (1 - f_h) n_h/(n_h - 1) [ (E - 2 m D + m² C) - (B_h - m A_h)²/n_h ] / A²      SE² = sum v_h

The PSU of a rating is the respondent: n_h counts every responding person of the stratum, also those who rated
other units only. E - 2mD + m²C loses digits when the spread is small beside the score, so the scores are first
shifted by the whole number k nearest m. The shift is exact in integers, and "all answers equal" is then exactly
"the shifted sum of squares is zero".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SMALLEST_DF = 0.5  # of a stratum with one rating in the domain, in Satterthwaite's denominator


@dataclass(frozen=True, slots=True)
class Counts:
    """Answered ratings of C cells (rows) for D domains (columns); integers below 2**63 in every square sum."""

    n: Ints
    s1: Ints
    s2: Ints


@dataclass(frozen=True, slots=True)
class Design:
    """`stratum` (C,) and `weight` (C,) of each cell; `population` and `responded` (H,): N_h and n_h."""

    stratum: Ints
    weight: Floats
    population: Ints
    responded: Ints


@dataclass(frozen=True, slots=True)
class Means:
    """Of D domains, each (D,): NaN where nothing was answered; variance NaN where a lonely person hides it."""

    value: Floats
    variance: Floats
    df: Floats
    n: Ints
    all_equal: NDArray[np.bool_]


def domain_means(counts: Counts, design: Design, *, finite: bool = True) -> Means:
    """The mean, linearised variance and Satterthwaite df of every domain.

    Cells of a stratum are added one after another, then strata one after another, so a domain's result does not
    depend on which other domains are asked for, and a recount of the same cells is equal to the last bit.

    Args:
        counts: cells by domains.
        design: strata, weights and sizes.
        finite: with the finite population correction ("this year's population thinks"); without it for
            comparisons between years.
    """
    rounds = _rounds(design.stratum, len(design.population))
    weighted_n, weighted_sum = (_weighted(table, design, rounds) for table in (counts.n, counts.s1))
    n = counts.n.sum(axis=0, dtype=np.int64)
    value = np.full(counts.n.shape[1], np.nan)
    np.divide(weighted_sum, weighted_n, out=value, where=n > 0)

    squares, residuals, persons, spread = _by_stratum(counts, design, rounds, value)
    within = squares - np.square(residuals) / np.maximum(design.responded, 1)[:, None]
    parts = stratum_factor(design, finite=finite)[:, None] * np.maximum(within, 0.0)
    parts = np.divide(parts, np.square(weighted_n), out=np.zeros_like(parts), where=n > 0)
    variance = _added(parts)
    variance[n == 0] = np.nan
    parts_df = np.maximum(persons - 1.0, SMALLEST_DF)
    squared = _added(np.square(parts) / parts_df)
    df = np.full(counts.n.shape[1], np.nan)
    np.divide(np.square(variance), squared, out=df, where=squared > 0)
    all_equal = (spread == 0) & (n > 0)
    variance[all_equal & ~np.isnan(variance)] = 0.0
    df[all_equal] = np.nan
    return Means(value, variance, df, n, all_equal)


def _rounds(stratum: Ints, strata: int) -> list[Ints]:
    """Cells (rows) in rounds: the first of every stratum, the second of every stratum, and so on."""
    order = np.argsort(stratum, kind="stable")
    sizes = np.bincount(stratum, minlength=strata)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return [order[place == turn] for turn in range(int(sizes.max(initial=0)))]


def _weighted(table: Ints, design: Design, rounds: list[Ints]) -> Floats:
    """The weighted sum (D,) of the cells, by stratum first."""
    sums = np.zeros((len(design.population), table.shape[1]))
    for rows in rounds:
        sums[design.stratum[rows]] += design.weight[rows, None] * table[rows].astype(np.float64)
    return _added(sums)


def _added(table: Floats) -> Floats:
    """The sum (D,) of a table's rows, one after another: numpy adds a single column in another order."""
    whole = np.zeros(table.shape[1])
    for row in table:
        whole += row
    return whole


def _by_stratum(counts: Counts, design: Design, rounds: list[Ints], value: Floats) -> tuple[Floats, Floats, Ints, Ints]:
    """Per stratum and domain: sum w²(y-m)², sum w(y-m), ratings; per domain: the exact sum of (y-k)²."""
    shape = (len(design.population), counts.n.shape[1])
    squares, residuals, persons = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)
    spread = np.zeros(shape[1], dtype=np.int64)
    middle = np.nan_to_num(value)
    k = np.rint(middle).astype(np.int64)
    rest = middle - k
    for rows in rounds:
        stratum, weight, n = design.stratum[rows], design.weight[rows, None], counts.n[rows]
        s1 = counts.s1[rows] - n * k
        s2 = counts.s2[rows] - k * (counts.s1[rows] + s1)
        persons[stratum] += n
        spread += s2.sum(axis=0)
        n_, s1_, s2_ = (table.astype(np.float64) for table in (n, s1, s2))  # numpy is slow to mix the kinds
        squares[stratum] += weight * weight * (s2_ - 2.0 * rest * s1_ + rest * rest * n_)
        residuals[stratum] += weight * (s1_ - rest * n_)
    return squares, residuals, persons, spread


def stratum_factor(design: Design, *, finite: bool) -> Floats:
    """(1 - f_h) n_h/(n_h - 1): zero for a full census, NaN for one person of several (never a silent zero)."""
    responded = design.responded.astype(np.float64)
    fraction = responded / np.maximum(design.population, 1)
    correction = 1.0 - fraction if finite else np.ones_like(fraction)
    factor = np.full(len(responded), np.nan)
    np.divide(correction * responded, responded - 1.0, out=factor, where=responded > 1)
    factor[responded == 0] = 0.0
    if finite:
        factor[design.responded == design.population] = 0.0
    return factor
