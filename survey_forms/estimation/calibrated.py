"""Means of domains and their variances from integer cells whose weights were raked: by regression residuals.

Source: Deville & Särndal (1992); what R's `calibrate(calfun = "raking")` gives. A raked weight w = d g depends on the
margins alone, so do the margins x of a person, and both are constant in a weighting cell. With z_i = k_i (y_i - m)/W
of person i (k_i = 1 when i rated the unit), the error is that of w_i (z_i - x_i·b), where b regresses z on x with the
weights d before raking, over all respondents of the group. Sums over a cell c of n_c persons are then enough:

    X'Dz = sum_c x_c d_c sum z       sum w² (z - p)² = w_c² ( sum z² - 2 p_c sum z + n_c p_c² ),  p_c = x_c·b
"""

from dataclasses import dataclass, replace

import numpy as np

from survey_forms.estimation.design import Floats, Ints
from survey_forms.estimation.linearised import SMALLEST_DF, Counts, Design, Means, domain_means, stratum_factor


@dataclass(frozen=True, slots=True)
class Raking:
    """Of each cell: the weight d (C,) before raking, responding `persons` (C,), and margins x (C, p), 0 if unraked.

    Every cell with a respondent has a row, also those whose persons rated none of the units.
    """

    before: Floats
    persons: Ints
    traits: Floats


def calibrated_means(counts: Counts, design: Design, raking: Raking, *, finite: bool = True) -> Means:
    """As `linearised.domain_means`, with the error that raking leaves.

    Args:
        counts: cells by units.
        design: with the raked weights.
        raking: of the same cells.
        finite: with the finite population correction.
    """
    plain = domain_means(counts, design, finite=finite)
    sums, squares, weighted_n = _centred(counts, design, plain.value)
    slopes = _slopes(sums, raking) / weighted_n
    predicted = raking.traits @ slopes
    z, zz = sums / weighted_n, squares / np.square(weighted_n)
    weight, persons = design.weight[:, None], raking.persons[:, None]
    squared = np.square(weight) * (zz - 2.0 * predicted * z + persons * np.square(predicted))
    first = weight * (z - persons * predicted)
    strata = np.arange(len(design.population))[:, None] == design.stratum[None, :]
    within = strata @ squared - np.square(strata @ first) / np.maximum(design.responded, 1)[:, None]
    parts = stratum_factor(design, finite=finite)[:, None] * np.maximum(within, 0.0)
    variance = parts.sum(axis=0)
    freedom = np.maximum(strata @ counts.n - 1.0, SMALLEST_DF)
    squared_parts = (np.square(parts) / freedom).sum(axis=0)
    df = np.full(len(variance), np.nan)
    np.divide(np.square(variance), squared_parts, out=df, where=squared_parts > 0)
    hidden = plain.all_equal | (plain.n == 0)
    variance = np.where(hidden, plain.variance, variance)
    return replace(plain, variance=variance, df=np.where(hidden, plain.df, df))


def predictions(counts: Counts, design: Design, raking: Raking) -> Floats:
    """What the margins predict of w z: (C, D), to be taken off each person's w z (`pairs.covariance`)."""
    value = domain_means(counts, design).value
    sums, _, weighted_n = _centred(counts, design, value)
    found: Floats = design.weight[:, None] * (raking.traits @ (_slopes(sums, raking) / weighted_n))
    return found


def _centred(counts: Counts, design: Design, value: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums (C, D) of y - m and of its square, and W (D,); shifted by whole numbers first, which keeps digits."""
    middle = np.nan_to_num(value)
    k = np.rint(middle).astype(np.int64)
    rest = middle - k
    s1 = counts.s1 - counts.n * k
    s2 = counts.s2 - k * (counts.s1 + s1)
    weighted_n = design.weight @ counts.n
    sums = s1 - rest * counts.n
    squares = s2 - 2.0 * rest * s1 + np.square(rest) * counts.n
    return sums, squares, np.where(weighted_n > 0, weighted_n, np.nan)


def _slopes(sums: Floats, raking: Raking) -> Floats:
    """(p, D): the regression of y - m on x with the weights before raking; cells' means give that of their persons."""
    root = np.sqrt(raking.before * raking.persons)[:, None]
    means = np.divide(sums, raking.persons[:, None], out=np.zeros_like(sums), where=raking.persons[:, None] > 0)
    found: Floats = np.linalg.lstsq(raking.traits * root, means * root, rcond=None)[0]
    return found
