"""Rank intervals: a bare rank is never shown.

Source: Mogstad, Romano, Shaikh & Wilhelm (2023, Review of Economic Studies, doi 10.1093/restud/rdad006). With the
scores' covariance V, the rank of j lies in

    [ 1 + #{k: (S_k - S_j)/s_jk > c},  m - #{k: (S_j - S_k)/s_jk > c} ],   s_jk² = V_jj + V_kk - 2 V_jk

`rank_intervals` takes Bonferroni's normal quantile for c, in one step and without chance. `rank_sets` takes the
quantile of the largest (Z_j - Z_k)/s_jk of Z ~ N(0, V), over all ordered pairs (simultaneous sets) or those with j in
them, both ways round (marginal sets); pairs that are told apart are dropped and the rest compared again, until none is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from survey_forms.estimation.stability import root_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_CHUNK = 2000  # draws at once: memory stays flat


@dataclass(frozen=True, slots=True)
class RankInterval:
    """The point rank (1 = highest, ties share the better rank) and the places it may really be."""

    rank: int
    best: int
    worst: int


def rank_intervals(
    values: Sequence[float],
    covariance: NDArray[np.float64],
    *,
    level: float = 0.95,
    simultaneous: bool = False,
) -> list[RankInterval]:
    """The rank and its interval, for each score.

    Args:
        values: m scores; higher is better.
        covariance: (m, m) between the scores, or (m,) variances. With variances alone the scores count as
            independent. Respondents' leniency makes real covariances positive, and then this errs on the safe
            side: in the pilot the SE of a difference was 0.089 so, 0.082 with the covariance, 0.081 in truth.
        level: of confidence.
        simultaneous: all m intervals hold at once, instead of each one by itself.
    """
    score, error = _scores_and_errors(values, covariance)
    m = len(score)
    pairs = m * (m - 1) // 2 if simultaneous else m - 1
    critical = float(ndtri(1.0 - (1.0 - level) / 2.0 / max(pairs, 1)))
    above = score[:, None] - score[None, :] > critical * error
    np.fill_diagonal(above, val=False)
    return _intervals(score, above, above.T)


@dataclass(frozen=True, slots=True)
class MaxT:
    """How scores are compared: the level, all intervals at once or each by itself, how many draws, which seed.

    `step_down` drops the pairs told apart and compares the rest again; the sets are never wider than in one step.
    """

    level: float = 0.95
    simultaneous: bool = False
    draws: int = 10_000
    seed: int = 0
    step_down: bool = True


@dataclass(frozen=True, slots=True)
class RankSets:
    """`intervals` in the order of the scores; `critical`: the first step's c, one a score, or one for all."""

    intervals: list[RankInterval]
    critical: tuple[float, ...]


def rank_sets(  # noqa: PLR0913 - what a caller sets once, by name; MaxT holds the same
    values: Sequence[float],
    covariance: Floats,
    level: float = 0.95,
    *,
    simultaneous: bool = False,
    draws: int = 10_000,
    seed: int = 0,
) -> list[RankInterval]:
    """The rank and its interval for each score, by the largest difference that chance alone makes; see `compared`."""
    return compared(values, covariance, MaxT(level, simultaneous, draws, seed)).intervals


def compared(values: Sequence[float], covariance: Floats, how: MaxT) -> RankSets:
    """Rank intervals by max-T with step-down, and the critical values of the first step.

    Args:
        values: m scores; higher is better.
        covariance: (m, m) between the scores, or (m,) variances.
        how: level, draws and seed; equal seeds give equal sets.

    Raises:
        ValueError: a score or covariance that is not finite: a unit that was not measured has no rank.
    """
    score, error = _scores_and_errors(values, covariance)
    m = len(score)
    if not (np.isfinite(score).all() and np.isfinite(error).all()):
        raise ValueError("a unit without a score or its error has no rank")
    if m < 2:
        return RankSets([RankInterval(1, 1, 1)] * m, ())
    matrix = np.diag(covariance) if covariance.ndim == 1 else covariance
    chance = np.random.Generator(np.random.PCG64(how.seed)).standard_normal((how.draws, m)) @ root_of(matrix).T
    difference = score[:, None] - score[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(error > 0, difference / error, np.where(difference > 0, np.inf, -np.inf))
    open_above, open_below = ~np.eye(m, dtype=bool), ~np.eye(m, dtype=bool)  # rows j: pairs (j, k) and (k, j)
    first: tuple[float, ...] = ()
    while True:
        largest = _largest(chance, error, open_above, open_below, simultaneous=how.simultaneous)
        critical = _quantile(largest, how.level)
        first = first or tuple(np.atleast_1d(critical).tolist())
        bar = np.broadcast_to(critical, (m,))[:, None]
        above, below = np.greater(distance, bar) & open_above, np.greater(distance.T, bar) & open_below
        if not (above.any() or below.any()):
            break
        open_above &= ~above
        open_below &= ~below
        if not how.step_down or not (open_above.any() or open_below.any()):
            break
    others = ~np.eye(m, dtype=bool)
    return RankSets(_intervals(score, others & ~open_above, others & ~open_below), first)


def _largest(chance: Floats, error: Floats, above: Mask, below: Mask, *, simultaneous: bool) -> Floats:
    """Of each draw the largest standardised difference among the open pairs: (draws,), or (draws, m) by score."""
    draws, m = chance.shape
    found = np.full(draws if simultaneous else (draws, m), -np.inf)
    scale = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0)
    for start in range(0, draws, _CHUNK):
        z = chance[start : start + _CHUNK]
        rows = slice(start, start + len(z))
        for j in range(m):
            later = slice(j + 1, m) if simultaneous else slice(0, m)  # all together, each pair has its turn once
            apart = (z[:, j, None] - z[:, later]) * scale[j, later]
            forth = above[j, later]
            back = above[later, j] if simultaneous else below[j, later]
            best = np.full(len(z), -np.inf)
            if (forth & back).sum() == m - 1 - (j if simultaneous else 0) > 0:  # none dropped yet
                best = np.abs(apart, out=apart).max(axis=1)
            else:
                if forth.any():
                    best = apart[:, forth].max(axis=1)
                if back.any():
                    best = np.maximum(best, -apart[:, back].min(axis=1))
            if simultaneous:
                found[rows] = np.maximum(found[rows], best)
            else:
                found[rows, j] = best
    return found


def _quantile(largest: Floats, level: float) -> Floats:
    """The upper 95 % limit of the level's quantile over the draws (by order statistics): too few draws err wide."""
    draws = len(largest)
    place = min(int(np.ceil(draws * level + ndtri(0.95) * np.sqrt(draws * level * (1.0 - level)))), draws) - 1
    found: Floats = np.partition(largest, place, axis=0)[place]
    return found


def _scores_and_errors(values: Sequence[float], covariance: Floats) -> tuple[Floats, Floats]:
    """Scores (m,) and s_jk (m, m)."""
    score = np.asarray(values, dtype=np.float64)
    matrix = np.diag(covariance) if covariance.ndim == 1 else covariance
    variance = np.diag(matrix)
    error: Floats = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * matrix, 0.0))
    return score, error


def _intervals(score: Floats, above: Mask, below: Mask) -> list[RankInterval]:
    """Intervals from what is clearly so: row j says whom j is `above` and whom it is `below`."""
    rank = 1 + (score[None, :] > score[:, None]).sum(axis=1)
    best = 1 + below.sum(axis=1)
    worst = len(score) - above.sum(axis=1)
    return [RankInterval(int(r), int(b), int(w)) for r, b, w in zip(rank, best, worst, strict=True)]
