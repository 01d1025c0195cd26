"""Sample sizes and selection proportional to size: allocation, inclusion_probabilities, systematic_selection.

The numbers are those of `survey_forms.sampling`, which draws for the service: exact until they are printed.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.sampling import allocate, pps, shares

Sizes = Mapping[str, int]
Numbers = Mapping[str, Fraction]

METHODS = ("proportional", "equal", "neyman", "cost-optimal", "power", "kish")


def allocation(request: Request) -> Result:
    """How many units each stratum gives, as real numbers, and as whole ones where the method or the rounding says so.

    `method` begins with one of `METHODS`; "exact integer optimum" in it is Wright's, which keeps `min_per_stratum`. A
    rounding of real numbers does not: what it gives is what stands before any minimum.
    """
    method = request.text("method")
    words = method.lower().replace("_", "-")
    rule = next((known for known in METHODS if words.startswith(known)), None)
    if rule is None:
        raise request.wrong("method", ", ".join(METHODS))
    sizes: Sizes = {name: int(size) for name, size in _numbers(request, "N").items()}
    rounding = request.text("rounding", "")
    minimum = int(request.number("min_per_stratum", 1.0))
    if rule == "cost-optimal" and "budget" in request.args:
        budget = Fraction(str(request.number("budget")))
        spreads, costs = _numbers(request, "S"), _numbers(request, "cost")
        if not any(shares.neyman_weights(sizes, spreads).values()):
            raise request.wrong("S", "number > 0")
        return {"real": list(shares.real_of_budget(sizes, spreads, costs, budget).values())}
    total = int(request.number("n"))
    if rule == "neyman" and "integer" in words:
        spreads = _numbers(request, "S")
        given = allocate.neyman(sizes, spreads, total, minimum)
        return {"integer": list(given.values()), "variance_of_mean": shares.variance_of_mean(sizes, spreads, given)}
    weights = _weights(request, rule, sizes)
    if not any(weights.values()):
        raise request.wrong("S" if "S" in request.args else "I", "number > 0")
    result: Result = {"real": list(shares.real(weights, total).values())}
    if "remainder" in rounding:
        unbounded = dict.fromkeys(sizes, total)
        result["integer"] = list(allocate.by_weights(weights, unbounded, total).values())
    return result


def _weights(request: Request, rule: str, sizes: Sizes) -> Mapping[str, Fraction]:
    if rule == "proportional":
        return {name: Fraction(size) for name, size in sizes.items()}
    if rule == "equal":
        return dict.fromkeys(sizes, Fraction(1))
    if rule == "neyman":
        return shares.neyman_weights(sizes, _numbers(request, "S"))
    if rule == "cost-optimal":
        return shares.cost_weights(sizes, _numbers(request, "S"), _numbers(request, "cost"))
    if rule == "power":
        power = request.number("a")
        if not 0 <= power <= 1:
            raise request.wrong("a", "0 ≤ a ≤ 1")
        return shares.power_weights(sizes, _numbers(request, "S"), _numbers(request, "Ybar"), Fraction(str(power)))
    index = request.number("I")
    if index < 0:
        raise request.wrong("I", "I ≥ 0")
    return shares.kish_weights(sizes, Fraction(str(index)))


def _numbers(request: Request, name: str) -> Numbers:
    """One number a stratum, none below 0, as many as `N` has; exact as they are written."""
    values = request.numbers(name)
    least = 0 if name in {"N", "S"} else 1e-300
    if len(values) != len(request.numbers("N")) or min(values) < least:
        raise request.wrong(name, f"{len(request.numbers('N'))} × number")
    if not any(values):
        raise request.wrong(name, "[number, …] > 0")
    if name == "N" and any(value != int(value) for value in values):
        raise request.wrong(name, "1, 2, 3, …")
    return {str(place): Fraction(str(value)) for place, value in enumerate(values)}


def inclusion_probabilities(request: Request) -> Result:
    """Probabilities proportional to size that sum to n; who would pass 1 is certain."""
    chances = _chances(request)
    return {"pik": [float(chances.of(place)) for place in range(len(chances.numerators))]}


def systematic_selection(request: Request) -> Result:
    """The units, counted from 1, that the start `start_u` in [0, 1) selects along the sums of the probabilities."""
    start = request.number("start_u")
    if not 0 <= start < 1:
        raise request.wrong("start_u", "0 ≤ u < 1")
    return {"selected_1based": [place + 1 for place in pps.systematic(_chances(request), Fraction(start))]}


def _chances(request: Request) -> pps.Chances:
    """Chances by size; sizes with decimals count in the smallest unit that they are written in."""
    sizes = [Fraction(str(size)) for size in request.numbers("size")]
    n = request.number("n")
    if n != int(n) or n < 1:
        raise request.wrong("n", "1, 2, 3, …")
    if min(sizes) < 0:
        raise request.wrong("size", "[number ≥ 0, …]")
    unit = lcm(*(size.denominator for size in sizes))
    return pps.pik([int(size * unit) for size in sizes], int(n))


STATISTICS: dict[str, Statistic] = {
    "allocation": allocation,
    "inclusion_probabilities": inclusion_probabilities,
    "systematic_selection": systematic_selection,
}
