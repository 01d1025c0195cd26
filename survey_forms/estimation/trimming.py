"""Weights cut to bounds, and what their inequality costs.

Sources: Kish (1992) for the design effect of weights; Potter (1990) for trimming, with R's `trimWeights` as the rule.
"""

from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import Floats, Ints
from survey_forms.refusal import Refused


def trim(weights: Floats, lower: float = -np.inf, upper: float = np.inf, *, strict: bool = False) -> Floats:
    """Weights (n,) cut to bounds, what was cut spread equally over those inside; R's `trimWeights`.

    Args:
        weights: (n,).
        lower: least weight.
        upper: greatest weight.
        strict: repeat until no weight is outside any more (those at a bound take part in the spreading).

    Raises:
        Refused: `trim_impossible` when the sum does not fit between the bounds, or nobody is inside.
    """
    n, whole = len(weights), float(weights.sum())
    if strict and not n * lower * (1 - 1e-12) <= whole <= n * upper * (1 + 1e-12):
        raise Refused("trim_impossible", lower=lower, upper=upper, mean=whole / n)
    result = weights
    for _ in range(100_000 if strict else 1):
        outside = (result < lower) | (result > upper)
        if not outside.any():
            break
        cut = np.clip(result, lower, upper)
        excess = float((result - cut).sum())
        takers = ~outside if not outside.all() else cut < upper if excess > 0 else cut > lower
        if excess and not takers.any():
            raise Refused("trim_impossible", lower=lower, upper=upper, mean=whole / n)
        result = np.where(takers, cut + excess / max(float(takers.sum()), 1.0), cut)
        if abs(excess) <= 1e-15 * abs(whole):  # what is still outside is rounding
            result = np.clip(result, lower, upper) if strict else result
            break
    return result


@dataclass(frozen=True, slots=True)
class Spread:
    """How unequal n weights are: Kish's design effect n Σw²/(Σw)² and the n of as precise a self-weighting sample."""

    n: int
    deff_w: float
    n_eff: float
    least: float
    most: float
    total: float


def spread(weights: Floats, persons: Ints | None = None) -> Spread | None:
    """The spread of weights (n,), each that of so many persons (one by default); None without a person."""
    count = np.ones(len(weights), dtype=np.int64) if persons is None else persons
    inside = weights[count > 0]
    n, total = int(count.sum()), float(weights @ count)
    if n == 0 or total <= 0:
        return None
    squares = float(np.square(weights) @ count)
    return Spread(n, n * squares / total**2, total**2 / squares, float(inside.min()), float(inside.max()), total)
