"""Signs of careless or invented answers. They mark and never delete: whoever judges sees the sign and its figures.

Rules of statistics.md section 7. Straight-lining: honest satisfaction gives equal ratings too, so a person is marked
only over many items, and an interviewer only against the others. Duplicates: equal vectors of many items that are not
flat (Kuriakose and Robbins 2016, and Pew's reply: a near match proves little, so only exact ones are marked).
Interviewers: a difference counts against what interviewers differ by anyway (Schwanhausser et al. 2022), after Holm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from statistics import pstdev

from scipy.stats import binom, t

FLAT_ITEMS = 15
FLAT_SPREAD = 0.3
"""Fewer items say little; below this standard deviation, in steps of the scale, they are as good as one value."""

COPY_ITEMS = 20
FEWEST_PEERS = 3
LARGEST_Z = 3.0
LEVEL = 0.05

Moments = tuple[int, float, float]
"""Number, sum and sum of squares: all that is needed of an interviewer's answers."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """One group beside the others: its mean, theirs, how far it is shrunken towards them, z, and Holm's p."""

    key: int
    n: int
    mean: float
    others: float
    shrunken: float
    z: float
    p: float

    @property
    def stands_out(self) -> bool:
        """Whether chance and the usual differences explain it badly."""
        return abs(self.z) > LARGEST_Z and self.p < LEVEL


@dataclass(frozen=True, slots=True)
class Variance:
    """One-way analysis of variance: `icc` and the design effect of interviewers on the mean; None: not estimable."""

    groups: int
    n: int
    between: float
    within: float
    n0: float
    icc: float | None
    deff: float | None


def is_flat(steps: Sequence[int]) -> bool:
    """Whether somebody gave (nearly) one rating throughout.

    Args:
        steps: the ratings of one person as places on their scale, from 0.
    """
    return len(steps) >= FLAT_ITEMS and pstdev(steps) < FLAT_SPREAD


def vector_digest(choices: Sequence[tuple[str, str]]) -> bytes | None:
    """SHA-256 of a person's ratings, to find copies by; None where too few or all alike.

    Args:
        choices: (question, choice) of what was rated.
    """
    if len(choices) < COPY_ITEMS or len({choice for _, choice in choices}) == 1:
        return None
    return sha256("\n".join(f"{question}\t{choice}" for question, choice in sorted(choices)).encode()).digest()


def moments(values: Iterable[float]) -> Moments:
    """Number, sum and sum of squares."""
    known = list(values)
    return len(known), sum(known), sum(value * value for value in known)


def variance(groups: Mapping[int, Moments]) -> Variance:
    """Analysis of variance between groups of answers, from their moments alone.

    With n0 = (n - sum n_j^2 / n) / (k - 1): ICC = (MSB - MSW) / (MSB + (n0 - 1) MSW) and deff = 1 + (m - 1) ICC,
    m the mean number of answers of a group; a negative ICC is told as it is and makes no deff below 1.
    """
    some = {key: one for key, one in groups.items() if one[0] > 0}
    k, n = len(some), sum(one[0] for one in some.values())
    if k < 2 or n <= k:
        return Variance(k, n, 0.0, 0.0, 0.0, None, None)
    grand = sum(one[1] for one in some.values()) / n
    between = sum(m * (s / m - grand) ** 2 for m, s, _ in some.values()) / (k - 1)
    within = max(sum(q - s * s / m for m, s, q in some.values()), 0.0) / (n - k)
    n0 = (n - sum(one[0] ** 2 for one in some.values()) / n) / (k - 1)
    whole = between + (n0 - 1) * within
    icc = (between - within) / whole if whole > 0 else None
    deff = None if icc is None else 1 + (n / k - 1) * max(icc, 0.0)
    return Variance(k, n, between, within, n0, icc, deff)


def outliers(groups: Mapping[int, Moments]) -> list[Outlier]:
    """Each group against all others, in the order of the groups; empty with fewer than `FEWEST_PEERS` + 1 of them.

    z = (mean - mean of the others) / sqrt(tau^2 + sigma^2 / n + their error): tau^2, by which groups differ anyway, is
    estimated without the group itself, so that an outlier cannot hide behind the spread that it makes.
    """
    some = {key: one for key, one in sorted(groups.items()) if one[0] > 0}
    if len(some) <= FEWEST_PEERS:
        return []
    within = variance(some).within
    found = []
    for key, (n, total, _) in some.items():
        rest = {other: one for other, one in some.items() if other != key}
        centre, error, tau2 = _others(rest, within)
        mean, noise = total / n, within / n
        spread = sqrt(tau2 + noise + error)
        z = (mean - centre) / spread if spread > 0 else 0.0
        pull = tau2 / (tau2 + noise) if tau2 + noise > 0 else 0.0
        found.append((key, n, mean, centre, centre + pull * (mean - centre), z))
    # Student's t: what the others differ by is itself known from few of them.
    adjusted = holm([2 * float(t.sf(abs(one[5]), len(some) - 2)) for one in found])
    return [Outlier(*one, p=p) for one, p in zip(found, adjusted, strict=True)]


def _others(rest: Mapping[int, Moments], within: float) -> tuple[float, float, float]:
    """Mean of groups, its variance, and the variance between them beyond chance."""
    means = [total / n for n, total, _ in rest.values()]
    centre = sum(means) / len(means)
    seen = sum((mean - centre) ** 2 for mean in means) / (len(means) - 1)
    chance = within * sum(1 / n for n, _, _ in rest.values()) / len(means)
    return centre, seen / len(means), max(seen - chance, 0.0)


def holm(chances: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given (Holm 1979)."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    adjusted, highest = [0.0] * len(chances), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[place]))
        adjusted[place] = highest
    return adjusted


def more_than_usual(counts: Mapping[int, tuple[int, int]]) -> dict[int, float]:
    """Group → Holm's p that it has so many of something by chance, at the rate of all others together.

    Args:
        counts: group → (how many have it, of how many).
    """
    keys = sorted(key for key, (_, n) in counts.items() if n > 0)
    chances = []
    for key in keys:
        had, n = counts[key]
        others, of = (sum(counts[other][place] for other in keys if other != key) for place in (0, 1))
        # A rate of nought would make any case a wonder: half a case stands for what was not seen.
        chances.append(float(binom.sf(had - 1, n, (others + 0.5) / (of + 1))) if of else 1.0)
    return dict(zip(keys, holm(chances), strict=True))
