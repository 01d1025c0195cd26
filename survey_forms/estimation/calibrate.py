"""Weights that agree with known population totals: post-stratification, raking, calibration.

Sources: Deming & Stephan (1940) for raking; Deville & Särndal (1992) for calibration and for the residuals that
give the error of calibrated estimates. As R's `survey` does where it does: the error after raking is that
of `calibrate(calfun="raking")`, whose residuals are regressed with the weights before calibration. R's own `rake()`
subtracts unweighted means instead (`r_rake_residuals`), which moves the error by up to 5 %.

All rows may be units or cells of units with equal traits: a factor depends on the traits alone, so a cell's weight is
the sum of its units' weights. Units are collapsed to cells before raking, which makes its cost that of one count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import Floats, Ints
from survey_forms.refusal import Refused

AGREED = 1e-12  # relative difference of a raked margin from its total, at which raking stops
NEAR_ENOUGH = 1e-10  # what is still called agreement when rounding or a sparse table lets it come no nearer
_SMALL = 1 << 13  # cells of a cross table up to which all are kept, also those without a row


@dataclass(frozen=True, slots=True)
class Margin:
    """Population totals (L,) of the levels of one trait, and the level of each row: `codes` (n,) from 0."""

    name: str
    codes: Ints
    levels: tuple[str, ...]
    totals: Floats


@dataclass(frozen=True, slots=True)
class Raked:
    """`factors` (n,) on the rows' weights, each the product of its levels' `multipliers`, (L,) a margin."""

    factors: Floats
    multipliers: tuple[Floats, ...]
    rounds: int


def rake(
    weights: Floats,
    margins: Sequence[Margin],
    *,
    persons: Ints | None = None,
    fewest: int = 1,
    rounds: int = 5000,
) -> Raked:
    """Iterative proportional fitting of weights to margins, until all agree.

    Args:
        weights: (n,) of units, or of cells as sums over their units.
        margins: at least one.
        persons: (n,) units behind each row; one each by default.
        fewest: units that a level with a population must have; the product asks for 2, R's `rake` for 1.
        rounds: cycles over the margins after which it is given up.

    Raises:
        Refused: `margin_code_missing`, `margins_disagree`, `margin_cell_empty`, `margin_cell_small` (each by name),
            `raking_without_end` when no weights fit all margins.
    """
    cells = _collapsed(weights, margins)
    _check(cells, weights, margins, persons, fewest)
    value = cells.weights.copy()
    multipliers = tuple(np.ones(len(margin.totals)) for margin in margins)
    worst, done = np.inf, 0
    while worst > AGREED and done < rounds:
        worst, done = 0.0, done + 1
        for number, (margin, codes) in enumerate(zip(margins, cells.codes, strict=True)):
            sums = np.bincount(codes, weights=value, minlength=len(margin.totals))
            with np.errstate(over="ignore", invalid="ignore"):
                ratio = np.divide(margin.totals, sums, out=np.ones_like(sums), where=sums > 0)
                worst = max(worst, float(ratio.max()) - 1.0, 1.0 - float(ratio.min()))
                value *= ratio[codes]
                np.multiply(multipliers[number], ratio, out=multipliers[number])
            if not (np.isfinite(multipliers[number]).all() and np.isfinite(value).all()):  # they part without end
                raise Refused("raking_without_end", margin.name, rounds=done, apart=f"{worst:.1e}")
    if worst > NEAR_ENOUGH:
        raise Refused("raking_without_end", margins[-1].name, rounds=done, apart=f"{worst:.1e}")
    factors = np.divide(value, cells.weights, out=np.zeros_like(value), where=cells.weights > 0)
    return Raked(factors[cells.of], multipliers, done)


def poststratify(weights: Floats, margin: Margin) -> Floats:
    """Weights (n,) that sum to each level's total.

    Raises:
        Refused: as `rake`.
    """
    return weights * rake(weights, [margin]).factors


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows with the same levels: the cell `of` (n,) each row, the sum of `weights` (C,), `codes` (C,) a margin."""

    of: Ints
    weights: Floats
    codes: tuple[Ints, ...]


def _collapsed(weights: Floats, margins: Sequence[Margin]) -> _Cells:
    """Count rows into cells: a small cross table is taken whole, of a large one the cells that occur."""
    key, size, strides = np.zeros(len(weights), dtype=np.int64), 1, []
    scaled = np.empty_like(key)
    for margin in margins:
        levels = len(margin.totals)
        if len(key) and (margin.codes.min() < 0 or margin.codes.max() >= levels):
            wrong = (margin.codes < 0) | (margin.codes >= levels)
            raise Refused("margin_code_missing", margin.name, row=int(np.argmax(wrong)) + 1)
        if size * levels > np.iinfo(np.int64).max:  # more combinations than whole numbers
            distinct, key = np.unique(key, return_inverse=True)
            size = len(distinct)
        strides.append(size)
        np.multiply(margin.codes, size, out=scaled)  # in place: fresh memory costs more than the arithmetic
        key += scaled
        size *= levels
    if size <= _SMALL:
        cells, of = size, key
        codes = tuple(
            np.arange(size) // stride % len(margin.totals) for stride, margin in zip(strides, margins, strict=True)
        )
    else:
        distinct, first, of = np.unique(key, return_index=True, return_inverse=True)
        cells, codes = len(distinct), tuple(margin.codes[first] for margin in margins)
    sums: Floats = np.bincount(of, weights=weights, minlength=cells).astype(np.float64)
    return _Cells(of, sums, codes)


def _check(cells: _Cells, weights: Floats, margins: Sequence[Margin], persons: Ints | None, fewest: int) -> None:
    """Refuse margins that no weights can meet, or that too few persons would carry."""
    whole = float(margins[0].totals.sum())
    count = np.bincount(cells.of, weights=persons, minlength=len(cells.weights)) if persons is not None else None
    for margin, codes in zip(margins, cells.codes, strict=True):
        total = float(margin.totals.sum())
        if not np.isfinite(margin.totals).all() or (margin.totals < 0).any() or total <= 0:
            raise Refused("margin_total_wrong", margin.name, total=total)
        if abs(total - whole) > NEAR_ENOUGH * whole:
            raise Refused("margins_disagree", margin.name, total=total, other=margins[0].name, expected=whole)
        sums = np.bincount(codes, weights=cells.weights, minlength=len(margin.totals))
        empty = (margin.totals > 0) & ~(sums > 0)
        if empty.any():
            raise Refused("margin_cell_empty", margin.name, level=margin.levels[int(np.argmax(empty))])
        if fewest > 1:
            here = np.bincount(codes, weights=count, minlength=len(sums)) if count is not None else None
            units = np.bincount(margin.codes, weights=weights > 0, minlength=len(sums)) if here is None else here
            small = (margin.totals > 0) & (units < fewest)
            if small.any():
                level = int(np.argmax(small))
                facts = {"level": margin.levels[level], "persons": int(units[level]), "fewest": fewest}
                raise Refused("margin_cell_small", margin.name, **facts)


@dataclass(frozen=True, slots=True)
class Distance:
    """How factors are chosen: "linear" (GREG), "raking" (exponential) or "logit", and the bounds of g.

    The bounds truncate the linear and the exponential factor; the logit needs them, finite and around 1.
    """

    kind: str = "linear"
    low: float = -np.inf
    high: float = np.inf


def calibrate(weights: Floats, traits: Floats, totals: Floats, distance: Distance, *, rounds: int = 500) -> Floats:
    """Factors g (n,) with sum w g x = totals, nearest to 1 by Deville and Särndal's distance.

    Args:
        weights: (n,).
        traits: x (n, p), the first usually 1.
        totals: (p,) of the population.
        distance: which factors.
        rounds: Newton steps after which it is given up.

    Raises:
        Refused: `calibration_bounds` (the logit needs finite ones around 1), `calibration_impossible`.
    """
    kind, low, high = distance.kind, distance.low, distance.high
    if kind == "logit" and not (np.isfinite(low) and np.isfinite(high) and low < 1 < high):
        raise Refused("calibration_bounds", low=low, high=high)
    factor = _FACTORS[kind]
    size = np.maximum(np.abs(traits).max(axis=0), np.finfo(float).tiny)
    x, wanted = traits / size, totals / size
    scale = 1.0 + np.abs(wanted)
    multiplier = np.zeros(x.shape[1])
    g, slope = factor(x @ multiplier, low, high)
    apart = wanted - x.T @ (weights * g)
    for _ in range(rounds):
        step = np.linalg.lstsq((x * (weights * slope)[:, None]).T @ x, apart, rcond=None)[0]
        before, half = float(np.abs(apart / scale).max()), 1.0
        while True:
            g, slope = factor(x @ (multiplier + half * step), low, high)
            apart = wanted - x.T @ (weights * g)
            now = float(np.abs(apart / scale).max())
            if now < before or half < 1e-6:  # a NaN goes on halving
                break
            half /= 2.0
        multiplier = multiplier + half * step
        if now >= before or now < 1e-15:
            break
    if not float(np.abs(apart / scale).max()) <= NEAR_ENOUGH:
        raise Refused("calibration_impossible", kind, apart=f"{float(np.abs(apart / scale).max()):.1e}")
    return g


_Factor = Callable[[Floats, float, float], tuple[Floats, Floats]]


def _linear(u: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    g = 1.0 + u
    return np.clip(g, low, high), ((g > low) & (g < high)).astype(np.float64)


def _exponential(u: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    with np.errstate(over="ignore"):
        g = np.exp(u)
    return np.clip(g, low, high), np.where((g > low) & (g < high), g, 0.0)


def _logit(u: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    slope = (high - low) / ((1.0 - low) * (high - 1.0))
    odds = np.exp(np.clip(slope * u, -700.0, 700.0))
    below = high - 1.0 + (1.0 - low) * odds
    g = (low * (high - 1.0) + high * (1.0 - low) * odds) / below
    return g, slope * (g - low) * (high - g) / (high - low)


_FACTORS: dict[str, _Factor] = {"linear": _linear, "raking": _exponential, "logit": _logit}
KINDS = tuple(_FACTORS)


def residuals(influence: Floats, before: Floats, after: Floats, traits: Floats) -> Floats:
    """The influence (n, k) that is left of a statistic once its weights were calibrated: w·(z - x·b).

    Args:
        influence: (n, k) with the calibrated weights in it: w·z.
        before: weights (n,) before calibration; the regression of z on x uses them.
        after: calibrated weights w (n,).
        traits: x (n, p) that was calibrated to.
    """
    z = np.divide(influence, after[:, None], out=np.zeros_like(influence), where=after[:, None] != 0)
    root = np.sqrt(before)[:, None]
    slopes = np.linalg.lstsq(traits * root, z * root, rcond=None)[0]
    left: Floats = (z - traits @ slopes) * after[:, None]
    return left


def r_rake_residuals(influence: Floats, after: Floats, codes: Sequence[Ints], rounds: int = 10) -> Floats:
    """The same as R's `rake()` takes it: ten alternating passes of unweighted means by margin. Only to compare."""
    z = np.divide(influence, after[:, None], out=np.zeros_like(influence), where=after[:, None] != 0)
    for _ in range(rounds):
        for code in codes:
            size = np.maximum(np.bincount(code), 1)
            for k in range(z.shape[1]):
                z[:, k] -= (np.bincount(code, weights=z[:, k]) / size)[code]
    return z * after[:, None]


def indicators(margins: Sequence[Margin]) -> Floats:
    """What margins calibrate to, as columns: 1, then 0/1 for each level but the first of each margin: (n, p)."""
    columns = [np.ones(len(margins[0].codes))]
    for margin in margins:
        columns += [(margin.codes == level).astype(np.float64) for level in range(1, len(margin.totals))]
    return np.column_stack(columns)
