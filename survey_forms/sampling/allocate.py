"""How many units each stratum gives: proportional, equal, or Neyman's optimum in whole numbers.

All arithmetic is exact (whole numbers and fractions), so the published rule gives the published numbers on any
machine. Ties go to the stratum that stands first. Every rule keeps at least `minimum` units (or the whole stratum,
if it is smaller) and at most `cap` units a stratum; what a bound takes away is spread over the others by the rule.
"""

from collections.abc import Mapping
from fractions import Fraction
from heapq import heapify, heapreplace

from survey_forms.refusal import Refused

Number = int | float | Fraction


def proportional(sizes: Mapping[str, int], total: int, minimum: int = 0, cap: int | None = None) -> dict[str, int]:
    """n_h proportional to N_h, rounded by largest remainder (Hamilton).

    Args:
        sizes: N_h of each stratum.
        total: of all strata together.
        minimum: of each stratum, as far as it has units.
        cap: of each stratum.

    Raises:
        Refused: `allocation_impossible`, when the bounds leave no room for `total`.
    """
    return _spread(sizes, sizes, total, minimum, cap)


def equal(sizes: Mapping[str, int], total: int, minimum: int = 0, cap: int | None = None) -> dict[str, int]:
    """The same n_h everywhere; what a small stratum cannot give is spread over the others.

    Raises:
        Refused: as `proportional`.
    """
    return _spread(dict.fromkeys(sizes, 1), sizes, total, minimum, cap)


def neyman(
    sizes: Mapping[str, int], spreads: Mapping[str, Number], total: int, minimum: int = 1, cap: int | None = None
) -> dict[str, int]:
    """The allocation with the smallest variance of the mean: Wright's exact integer optimum (2012, 2017).

    Start at the minimum (one at least) and give each further unit to the stratum with the largest priority
    N_h S_h / sqrt(k (k+1)), k its present size. Priorities are compared squared, as fractions.

    Args:
        sizes: N_h.
        spreads: S_h, the standard deviation within each stratum.
        total: of all strata together.
        minimum: of each stratum.
        cap: of each stratum.

    Raises:
        Refused: as `proportional`.
    """
    lows, highs = _bounds(sizes, total, max(minimum, 1), cap)
    given = dict(lows)
    names = list(sizes)
    weights = [Fraction(spreads[name]) ** 2 * sizes[name] ** 2 for name in names]

    def priority(index: int) -> tuple[Fraction, int]:
        k = given[names[index]]
        return (-weights[index] / (k * (k + 1)), index)

    queue = [priority(index) for index, name in enumerate(names) if given[name] < highs[name]]
    heapify(queue)
    for _ in range(total - sum(given.values())):
        index = queue[0][1]
        given[names[index]] += 1
        full = given[names[index]] == highs[names[index]]
        heapreplace(queue, (Fraction(1), index) if full else priority(index))  # a full stratum goes to the end
    return given


def _bounds(
    sizes: Mapping[str, int], total: int, minimum: int, cap: int | None
) -> tuple[dict[str, int], dict[str, int]]:
    highs = {name: size if cap is None else min(cap, size) for name, size in sizes.items()}
    lows = {name: min(minimum, highs[name]) for name in sizes}
    least, most = sum(lows.values()), sum(highs.values())
    if not least <= total <= most:
        raise Refused("allocation_impossible", "total", total=total, least=least, most=most)
    return lows, highs


def _spread(
    weights: Mapping[str, Number], sizes: Mapping[str, int], total: int, minimum: int, cap: int | None
) -> dict[str, int]:
    """`total` by weight between bounds: strata beyond a bound are set to it, and the rest is spread again.

    Each round settles the side (too small or too large) that moves more units, which ends in the one solution
    n_h = clamp(lambda·w_h); whole numbers then by largest remainder among the strata at no bound.
    """
    lows, highs = _bounds(sizes, total, minimum, cap)
    settled: dict[str, int] = {}
    while True:
        free = {name: Fraction(weights[name]) for name in sizes if name not in settled}
        rest, whole = total - sum(settled.values()), sum(free.values())
        quota = {name: rest * weight / whole if whole else Fraction(0) for name, weight in free.items()}
        short = {name: lows[name] for name in free if quota[name] < lows[name]}
        long = {name: highs[name] for name in free if quota[name] > highs[name]}
        moved = sum(n - quota[name] for name, n in (short | long).items())
        settled |= (short if moved >= 0 else {}) | (long if moved <= 0 else {})
        if not short and not long:
            break
    given = {name: int(share) for name, share in quota.items()}
    by_remainder = sorted(quota, key=lambda name: given[name] - quota[name])
    for name in by_remainder[: rest - sum(given.values())]:
        given[name] += 1
    return {name: (settled | given)[name] for name in sizes}
