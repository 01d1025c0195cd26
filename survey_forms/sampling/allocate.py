"""How many units each stratum gives, in whole numbers: by weights, equal, Neyman's optimum, group by group, by budget.

All arithmetic is exact (whole numbers and fractions), so the published rule gives the published numbers on any
machine. Ties go to the stratum that stands first. Every rule keeps at least `minimum` units (or the whole stratum,
if it is smaller) and at most `cap` units a stratum; what a bound takes away is spread over the others by the rule.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from heapq import heapify, heappop, heapreplace

from survey_forms.refusal import Refused

Number = int | float | Decimal | Fraction


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
    return by_weights(sizes, sizes, total, minimum, cap)


def equal(sizes: Mapping[str, int], total: int, minimum: int = 0, cap: int | None = None) -> dict[str, int]:
    """The same n_h everywhere; what a small stratum cannot give is spread over the others.

    Raises:
        Refused: as `proportional`.
    """
    return by_weights(dict.fromkeys(sizes, 1), sizes, total, minimum, cap)


def by_weights(
    weights: Mapping[str, Number], sizes: Mapping[str, int], total: int, minimum: int = 0, cap: int | None = None
) -> dict[str, int]:
    """n_h proportional to the weights (those of `shares.py`, say), rounded by largest remainder.

    Args:
        weights: none below 0.
        sizes: N_h of the same strata.
        total: of all strata together.
        minimum: of each stratum, as far as it has units.
        cap: of each stratum.

    Raises:
        Refused: as `proportional`.
    """
    return _spread(weights, *_bounds(sizes, minimum, cap), total)


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
    lows, highs = _bounds(sizes, max(minimum, 1), cap)
    _check(lows, highs, total)
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


def grouped(  # noqa: PLR0913, PLR0917 - the weights of groups, who belongs to which, and the usual bounds
    weights: Mapping[str, Number],
    group_of: Mapping[str, str],
    sizes: Mapping[str, int],
    total: int,
    minimum: int = 0,
    cap: int | None = None,
) -> dict[str, int]:
    """The total to groups by their weights, then each group's number to its strata in proportion to N_h.

    With weights L_g S_g (a group's share of the score and the spread within it), every group adds an error of the same
    L_g S_g / sqrt(n_g) per root of its weight: no group's score is much worse known than it counts.

    Args:
        weights: of the groups.
        group_of: stratum → group.
        sizes: N_h of the strata.
        total: of all strata together.
        minimum: of each stratum.
        cap: of each stratum.

    Raises:
        Refused: as `proportional`.
    """
    lows, highs = _bounds(sizes, minimum, cap)
    inside = {group: [name for name in sizes if group_of[name] == group] for group in weights}

    def summed(bounds: Mapping[str, int]) -> dict[str, int]:
        return {group: sum(bounds[name] for name in names) for group, names in inside.items()}

    given: dict[str, int] = {}
    for group, number in _spread(weights, summed(lows), summed(highs), total).items():
        own = inside[group]
        given |= _spread(sizes, {name: lows[name] for name in own}, {name: highs[name] for name in own}, number)
    return {name: given[name] for name in sizes}


def within_budget(  # noqa: PLR0913, PLR0917 - three facts a stratum, the budget, and the usual bounds
    sizes: Mapping[str, int],
    spreads: Mapping[str, Number],
    costs: Mapping[str, Number],
    budget: Number,
    minimum: int = 1,
    cap: int | None = None,
) -> dict[str, int]:
    """As many units as a budget pays for, where each takes most off the variance for its money.

    From the minimum on, the next unit goes to the stratum with the largest N_h² S_h² / (k (k+1) c_h), k its present
    size, among those that the rest of the money can pay: Wright's priority per unit of cost, whose real-number limit is
    N_h S_h / sqrt(c_h).

    Raises:
        Refused: `allocation_budget_short` when the minima alone cost more.
    """
    lows, highs = _bounds(sizes, max(minimum, 1), cap)
    given, names = dict(lows), list(sizes)
    price = [Fraction(costs[name]) for name in names]
    left = Fraction(budget) - sum(given[name] * price[index] for index, name in enumerate(names))
    if left < 0:
        facts = {"budget": f"{float(budget):g}", "least": f"{float(Fraction(budget) - left):g}"}
        raise Refused("allocation_budget_short", "budget", **facts)
    worth = [Fraction(spreads[name]) ** 2 * sizes[name] ** 2 / price[index] for index, name in enumerate(names)]

    def priority(index: int) -> tuple[Fraction, int]:
        k = given[names[index]]
        return (-worth[index] / (k * (k + 1)), index)

    queue = [priority(index) for index, name in enumerate(names) if given[name] < highs[name]]
    heapify(queue)
    while queue:
        index = queue[0][1]
        if price[index] > left:
            heappop(queue)  # what is too dear now stays too dear
            continue
        given[names[index]] += 1
        left -= price[index]
        if given[names[index]] == highs[names[index]]:
            heappop(queue)
        else:
            heapreplace(queue, priority(index))
    return given


def _bounds(sizes: Mapping[str, int], minimum: int, cap: int | None) -> tuple[dict[str, int], dict[str, int]]:
    highs = {name: size if cap is None else min(cap, size) for name, size in sizes.items()}
    return {name: min(minimum, highs[name]) for name in sizes}, highs


def _check(lows: Mapping[str, int], highs: Mapping[str, int], total: int) -> None:
    least, most = sum(lows.values()), sum(highs.values())
    if not least <= total <= most:
        raise Refused("allocation_impossible", "total", total=total, least=least, most=most)


def _spread(
    weights: Mapping[str, Number], lows: Mapping[str, int], highs: Mapping[str, int], total: int
) -> dict[str, int]:
    """`total` by weight between bounds: strata beyond a bound are set to it, and the rest is spread again.

    Each round settles the side (too small or too large) that moves more units, which ends in the one solution
    n_h = clamp(lambda·w_h); whole numbers then by largest remainder among the strata at no bound. Where only strata of
    weight 0 have room left, they share it equally.
    """
    _check(lows, highs, total)
    settled: dict[str, int] = {}
    while True:
        free = {name: Fraction(weights[name]) for name in lows if name not in settled}
        if not sum(free.values()):
            free = dict.fromkeys(free, Fraction(1))
        rest, whole = total - sum(settled.values()), sum(free.values())
        quota = {name: rest * weight / whole for name, weight in free.items()}
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
    return {name: (settled | given)[name] for name in lows}
