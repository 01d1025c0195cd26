"""How often a unit would take each place, were everybody drawn anew: for grades that go by rank.

A stability share and no probability of the truth: where scores nearly tie, a naive bootstrap of ranks does not cover
(Hall & Miller 2009), so it is told beside the rank interval and never in its stead.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CHUNK = 500
"""Draws at once: memory stays flat."""


def place_shares(values: ArrayLike, covariance: ArrayLike, draws: int = 10_000, seed: int = 0) -> Floats:
    """(m, m): the share of draws from N(values, covariance) in which unit j takes place r (from 0, highest first).

    Args:
        values: m scores; higher is better.
        covariance: (m, m) between them.
        draws: how many.
        seed: equal seeds give equal shares, to the last bit.
    """
    score = np.asarray(values, dtype=np.float64)
    m = len(score)
    root = root_of(np.asarray(covariance, dtype=np.float64))
    chance = np.random.Generator(np.random.PCG64(seed))
    counts = np.zeros((m, m), dtype=np.int64)
    units = np.arange(m)
    left = draws
    while left > 0:
        size = min(CHUNK, left)
        drawn = score + chance.standard_normal((size, m)) @ root.T
        places = np.argsort(np.argsort(-drawn, axis=1, kind="stable"), axis=1, kind="stable")
        np.add.at(counts, (np.broadcast_to(units, places.shape), places), 1)
        left -= size
    return counts / draws


def root_of(covariance: Floats) -> Floats:
    """R with R R' = V, also of a singular V: a unit without error stands still."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return root
