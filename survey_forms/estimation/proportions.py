"""Confidence intervals of a proportion under a design, by the six methods of R's `svyciprop`.

Sources: Korn & Graubard (1998) for "beta"; Rao & Scott (1984) for "likelihood"; the others are the delta method on
the logit or the arcsine, or none. With a proportion of 0 or 1 only "mean" gives numbers: the others have no width.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from survey_forms.estimation.design import Floats

Pair = tuple[float, float]
NONE: Pair = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion `p` of `rows` rows, with its variance and degrees of freedom; `level` is the interval's.

    For "likelihood": `before` is the proportion one step before a logistic fit of it ends (`fitted_before`), and
    `relative` the mean weight of the rows over that of all rows, with those whose answer is missing.
    """

    p: float
    variance: float
    df: float
    rows: int
    level: float = 0.95
    before: float | None = None
    relative: float = 1.0

    @property
    def inner(self) -> bool:
        """Whether p lies strictly between 0 and 1 and has a variance."""
        return 0 < self.p < 1 and self.variance > 0 and self.df > 0

    @property
    def quantile(self) -> float:
        """Student's quantile of the level."""
        return float(special.stdtrit(self.df, 0.5 + self.level / 2)) if self.df > 0 else math.nan


def plain(share: Share) -> Pair:
    """P ± t SE; may leave [0, 1]."""
    width = share.quantile * math.sqrt(max(share.variance, 0.0))
    return share.p - width, share.p + width


def logit(share: Share) -> Pair:
    """On the logit, and back."""
    if not share.inner:
        return NONE
    odds = share.p * (1 - share.p)
    centre, width = special.logit(share.p), share.quantile * math.sqrt(share.variance) / odds
    return float(special.expit(centre - width)), float(special.expit(centre + width))


def arcsine(share: Share) -> Pair:
    """On asin(sqrt p), the variance-stabilising scale, and back."""
    if not share.inner:
        return NONE
    centre = math.asin(math.sqrt(share.p))
    width = share.quantile * math.sqrt(share.variance / (4 * share.p * (1 - share.p)))
    return math.sin(centre - width) ** 2, math.sin(centre + width) ** 2


def beta(share: Share) -> Pair:
    """Clopper and Pearson's with the effective sample size, corrected for the design's degrees of freedom."""
    if not share.inner or share.rows < 2:
        return NONE
    tail = (1 - share.level) / 2
    scale = (special.stdtrit(share.rows - 1, tail) / special.stdtrit(share.df, tail)) ** 2
    n = share.p * (1 - share.p) / share.variance * scale
    low = special.betaincinv(n * share.p, n * (1 - share.p) + 1, tail)
    high = special.betaincinv(n * share.p + 1, n * (1 - share.p), 1 - tail)
    return float(low), float(high)


def likelihood(share: Share) -> Pair:
    """Profile likelihood of the logit, its cut-off scaled by the design effect.

    The signed root of the deviance is taken at steps of the standard error and interpolated as R does it (a cubic
    spline at three times as many points, then straight lines), so that the digits agree; the interpolation's own error
    is about 1e-4 of the interval's width. For that reason too the naive variance is that of the fit's last but one
    step.
    """
    if not share.inner or share.rows < 2:
        return NONE
    p, n = share.p, share.rows
    odds = p * (1 - p)
    step_se = math.sqrt(share.variance) / odds
    before = p if share.before is None else share.before
    naive = 1 / (n * share.relative * before * (1 - before))
    ratio = share.variance / odds**2 / naive
    tail = special.ndtr(special.stdtrit(share.df, (1 - share.level) / 2) * math.sqrt(ratio)) / 2
    # R's square root of the F(1, n - 1) quantile is Student's two-sided one
    most = float(special.stdtrit(n - 1, 1 - tail / 2))
    points = [(0.0, float(special.logit(p)))]
    for sign in (-1.0, 1.0):
        root = 0.0
        for step in range(1, 10):
            if abs(root) >= most:
                break
            at = special.logit(p) + sign * step * most / 5 * step_se
            q = special.expit(at)
            deviance = 2 * n * (special.xlogy(p, p / q) + special.xlogy(1 - p, (1 - p) / (1 - q)))
            root = sign * math.sqrt(max(deviance * (n - 1) / n, 0.0))
            points.append((root, float(at)))
    roots, places = (np.asarray(column) for column in zip(*sorted(points), strict=True))
    fine = np.linspace(places[0], places[-1], 3 * len(places))
    cut = special.ndtri(2 * tail)
    curve = spline(places, roots, fine)
    order = np.argsort(curve)
    ends = np.interp([cut, -cut], curve[order], fine[order], left=math.nan, right=math.nan)
    return float(special.expit(ends[0])), float(special.expit(ends[1]))


def fitted_before(y: Floats, scaled: Floats) -> float:
    """The proportion one step before a weighted logistic fit of y (0 or 1) ends, by Fisher scoring as R's `glm` does.

    Source: McCullagh & Nelder (1989), 2.5; it starts at (w y + 1/2)/(w + 1), where w is `scaled` to a mean of about 1,
    and ends when the deviance moves by 1e-8.
    """
    p = scaled @ y / scaled.sum()
    mu = (scaled * y + 0.5) / (scaled + 1)
    deviance = -2 * float(scaled @ (special.xlogy(y, mu) + special.xlog1py(1 - y, -mu)))
    for _ in range(25):
        spread = mu * (1 - mu)
        eta = scaled * spread @ (special.logit(mu) + (y - mu) / spread) / (scaled @ spread)
        fitted = special.expit(eta)
        last = deviance
        deviance = -2 * float(scaled.sum() * (special.xlogy(p, fitted) + special.xlog1py(1 - p, -fitted)))
        if abs(deviance - last) / (abs(deviance) + 0.1) < 1e-8:
            break
        mu = np.full_like(mu, fitted)
    return float(np.mean(mu))


def spline(x: Floats, y: Floats, at: Floats) -> Floats:
    """The cubic spline through (x, y) whose third derivative at either end is that of the cubic through four points.

    Source: Forsythe, Malcolm & Moler (1977), ch. 4; x ascending, at least four points.
    """
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    second = np.diff(slope) / (x[2:] - x[:-2])
    third = np.diff(second) / (x[3:] - x[:-3])
    n = len(x)
    matrix, right = np.zeros((n, n)), np.zeros(n)
    inner = np.arange(1, n - 1)
    matrix[inner, inner - 1], matrix[inner, inner], matrix[inner, inner + 1] = h[:-1], 2 * (h[:-1] + h[1:]), h[1:]
    right[1:-1] = 6 * np.diff(slope)
    matrix[0, :2], right[0] = (-1, 1), 6 * third[0] * h[0]
    matrix[-1, -2:], right[-1] = (-1, 1), 6 * third[-1] * h[-1]
    curvature = np.linalg.solve(matrix, right)
    of = np.clip(np.searchsorted(x, at, side="right") - 1, 0, n - 2)
    a, b = (x[of + 1] - at) / h[of], (at - x[of]) / h[of]
    cubic = ((a**3 - a) * curvature[of] + (b**3 - b) * curvature[of + 1]) * h[of] ** 2 / 6
    result: Floats = a * y[of] + b * y[of + 1] + cubic
    return result


METHODS: Mapping[str, Callable[[Share], Pair]] = {
    "logit": logit,
    "likelihood": likelihood,
    "asin": arcsine,
    "beta": beta,
    "mean": plain,
    "xlogit": logit,
}
"""By R's names; R's "logit" fits a regression and "xlogit" transforms the mean, which is the same interval."""
