"""Rank intervals: a bare rank is never shown.

Source: Mogstad, Romano, Shaikh & Wilhelm (2023, Review of Economic Studies, doi 10.1093/restud/rdad006), here in
the single-step form with Bonferroni's critical value. The rank of j lies in

    [ 1 + #{k: (S_k - S_j)/s_jk > z},  m - #{k: (S_j - S_k)/s_jk > z} ],   s_jk² = V_jj + V_kk - 2 V_jk
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri


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
    score = np.asarray(values, dtype=np.float64)
    m = len(score)
    matrix = np.diag(covariance) if covariance.ndim == 1 else covariance
    variance = np.diag(matrix)
    squared = np.maximum(variance[:, None] + variance[None, :] - 2.0 * matrix, 0.0)
    difference = score[:, None] - score[None, :]
    pairs = m * (m - 1) // 2 if simultaneous else m - 1
    critical = float(ndtri(1.0 - (1.0 - level) / 2.0 / max(pairs, 1)))
    clearly_above = difference > critical * np.sqrt(squared)
    np.fill_diagonal(clearly_above, val=False)
    rank = 1 + (difference < 0).sum(axis=1)
    best = 1 + clearly_above.sum(axis=0)
    worst = m - clearly_above.sum(axis=1)
    return [RankInterval(int(r), int(b), int(w)) for r, b, w in zip(rank, best, worst, strict=True)]
