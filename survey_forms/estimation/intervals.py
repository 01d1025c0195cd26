"""Intervals and grade probabilities of estimates. Every function takes numbers or arrays of one shape.

Sources: the logit-transformed t interval with Satterthwaite's degrees of freedom (Korn & Graubard 1998; covered
0.94 to 0.97 from 15 to 1,344 ratings, where ±1.96 SE covered 0.83 to 0.94); Clopper & Pearson 1934 at the end of
the range, for answers that are all equal.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, stdtrit

Floats = NDArray[np.float64]


def logit_t_interval(
    value: ArrayLike, se: ArrayLike, df: ArrayLike, bounds: tuple[float, float], level: float = 0.95
) -> tuple[Floats, Floats]:
    """logit(t) ± t_{df} SE/[(hi-lo) t(1-t)] with t = (m-lo)/(hi-lo), brought back to the scale.

    NaN where `se` or `df` is NaN, or where the value lies at a bound (the logit has no value there: ask
    `equal_answers_interval`).
    """
    low, high = bounds
    share = (np.asarray(value, dtype=np.float64) - low) / (high - low)
    share = np.where((share > 0) & (share < 1), share, np.nan)
    quantile = stdtrit(np.asarray(df, dtype=np.float64), 0.5 + level / 2)
    half = quantile * np.asarray(se, dtype=np.float64) / ((high - low) * share * (1 - share))
    centre = logit(share)
    return low + (high - low) * expit(centre - half), low + (high - low) * expit(centre + half)


def equal_answers_interval(
    value: ArrayLike, n: ArrayLike, bounds: tuple[float, float], level: float = 0.95
) -> tuple[Floats, Floats]:
    """Where all n answers are equal and the SE by formula is 0: how far the mean may still lie from them.

    At least a share q = (1-level)^(1/n) of the population answers so (one-sided, exact); the rest may answer
    anything between the bounds. At the top of the scale: m >= hi - (hi-lo)(1 - 0.05^(1/n)).
    """
    low, high = bounds
    middle = np.asarray(value, dtype=np.float64)
    others = 1.0 - (1.0 - level) ** (1.0 / np.asarray(n, dtype=np.float64))
    return middle - (middle - low) * others, middle + (high - middle) * others


def grade_probabilities(value: float, se: float, cuts: Sequence[float]) -> tuple[float, ...]:
    """The probability of each grade, best first: Phi((c_k - S)/SE) differences.

    Args:
        value: the score S; a grade's band includes its lower cut.
        se: its standard error; 0 puts everything on the grade of the score.
        cuts: lower cuts of all grades but the last, falling (90, 80, 60 for four grades).
    """
    if any(upper <= lower for upper, lower in pairwise(cuts)):
        raise ValueError(f"cuts must fall: {list(cuts)}")
    if se == 0:
        place = sum(value < cut for cut in cuts)
        return tuple(float(place == grade) for grade in range(len(cuts) + 1))
    # z falls with the cuts; on either side of 0 the difference is taken in the smaller tail, which keeps digits
    z = (np.array([np.inf, *cuts, -np.inf]) - value) / se
    upper, lower = z[:-1], z[1:]
    return tuple(np.where(lower > 0, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower)).tolist())
