"""Quantiles under a design with Woodruff's intervals.

Sources: Woodruff (1952); Hyndman & Fan (1996) for the rules hf1 to hf9, with weights in place of counts. "math" is the
inverse of the weighted distribution function, as R's `svyquantile` has it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from survey_forms.estimation import proportions
from survey_forms.estimation.design import Floats, Mask, SurveyDesign
from survey_forms.estimation.linear import mean
from survey_forms.estimation.proportions import Share

Rule = Callable[["Sorted", float], float]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Values in order with their weights (all above 0) and the running sums of these."""

    x: Floats
    w: Floats
    cumulative: Floats

    @classmethod
    def of(cls, x: Floats, w: Floats) -> "Sorted":
        """Of values and weights in any order."""
        order = np.argsort(x, kind="stable")
        order = order[w[order] > 0]
        return cls(x[order], w[order], np.cumsum(w[order]))

    def around(self, p: float) -> tuple[int, int, float, float]:
        """Positions below and above the p-quantile and the distances of p to their distribution function.

        Below the first value R takes the first two, and so do we.
        """
        whole = self.w.sum()
        below = max(int(np.searchsorted(self.cumulative, p * whole, side="right")) - 1, 0)
        above = min(below + 1, len(self.x) - 1)
        return below, above, p - self.cumulative[below] / whole, self.cumulative[above] / whole - p

    def merged(self) -> "Sorted":
        """Equal values as one."""
        x, of = np.unique(self.x, return_inverse=True)
        w: Floats = np.bincount(of, weights=self.w).astype(np.float64)
        return Sorted(x, w, np.cumsum(w))

    def before(self) -> Floats:
        """Running sums without the value itself."""
        return np.concatenate([[0.0], self.cumulative[:-1]])


def _inverse(data: Sorted, p: float) -> float:
    below, above, gap, _ = data.around(p)
    return float(data.x[below] if gap == 0 else data.x[above])


def _middle(data: Sorted, p: float) -> float:
    below, above, gap, _ = data.around(p)
    return float((data.x[below] + data.x[above]) / 2 if gap == 0 else data.x[above])


def _nearest_even(data: Sorted, p: float) -> float:
    data = data.merged()
    below, above, gap, _ = data.around(p)
    return float(data.x[below] if gap == 0 and (below + 1) % 2 == 0 else data.x[above])


def _between(data: Sorted, p: float) -> float:
    below, above, low, high = data.around(p)
    share = low / (low + high)
    return float(data.x[below] * (1 - share) + data.x[above] * share)


def _line(places: Callable[[Sorted], Floats]) -> Rule:
    """Straight lines between the values at these places of the distribution function."""
    return lambda data, p: float(np.interp(p, places(data), data.x))


def _last(data: Sorted) -> tuple[float, float]:
    return float(data.cumulative[-1]), float(data.w[-1])


RULES: Mapping[str, Rule] = {
    "math": _inverse,
    "school": _middle,
    "hf1": _inverse,
    "hf2": _middle,
    "hf3": _nearest_even,
    "hf4": _between,
    "hf5": _line(lambda d: (d.cumulative - d.w / 2) / _last(d)[0]),
    "hf6": _line(lambda d: d.cumulative / sum(_last(d))),
    "hf7": _line(lambda d: d.before() / d.cumulative[-2]),
    "hf8": _line(lambda d: (d.before() / 3 + d.cumulative * 2 / 3) / (_last(d)[0] + _last(d)[1] / 3)),
    "hf9": _line(lambda d: (d.before() * 3 / 8 + d.cumulative * 5 / 8) / (_last(d)[0] + _last(d)[1] / 4)),
}
INTERVALS = ("mean", "beta", "xlogit", "asin")


@dataclass(frozen=True, slots=True)
class Asked:
    """The probabilities, the rule of the quantile, the interval of the proportion below it, df and level."""

    p: tuple[float, ...]
    rule: str = "math"
    interval: str = "mean"
    df: float = np.inf
    level: float = 0.95


def quantiles(survey: SurveyDesign, values: Floats, inside: Mask, asked: Asked) -> Floats:
    """Rows (P, 4) of quantile, lower, upper, SE of values (n,) over the rows `inside`; NaN where there is no bound.

    Woodruff: the interval of the share of values up to the quantile is carried back through the quantile's rule; the
    SE is the width over twice Student's quantile.
    """
    rule = RULES[asked.rule]
    data = Sorted.of(values[inside], survey.weights[inside])
    if len(data.x) < 2:
        return np.full((len(asked.p), 4), np.nan)
    points = np.asarray([rule(data, p) for p in asked.p])
    below = mean(survey, np.where(inside[:, None], values[:, None] <= points, 0.0), inside)
    rows = []
    for point, share, variance in zip(points, below.estimate, np.diag(below.vcov), strict=True):
        rows_inside = int(np.count_nonzero(inside))
        one = Share(float(share), float(variance), asked.df, rows_inside, asked.level)
        low, high = proportions.METHODS[asked.interval](one)
        lower = rule(data, low) if low >= 0 else np.nan
        upper = rule(data, high) if high <= 1 else np.nan
        width = 2 * special.stdtrit(asked.df, 0.5 + asked.level / 2) if asked.df > 0 else np.nan
        rows.append((point, lower, upper, (upper - lower) / width))
    return np.asarray(rows)
