"""What allocation rules make n_h proportional to, and the real numbers n_h that follow.

Square roots are whole-number roots and powers are decimal ones of fixed precision, so that the weights, and the whole
numbers that `allocate.by_weights` makes of them, are the same on any machine.

Sources: Cochran 1977, chapter 5; Bankier 1988 (power); Kish 1976, 1988 (compromise).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, isqrt

from survey_forms.sampling.allocate import Number

Weights = dict[str, Fraction]
Z = Fraction("1.96")
_POWERS = Context(prec=60)
_SCALE = 10**60


def neyman_weights(sizes: Mapping[str, int], spreads: Mapping[str, Number]) -> Weights:
    """N_h S_h: the smallest variance of the mean for a fixed n."""
    return {name: size * Fraction(spreads[name]) for name, size in sizes.items()}


def cost_weights(sizes: Mapping[str, int], spreads: Mapping[str, Number], costs: Mapping[str, Number]) -> Weights:
    """N_h S_h / sqrt(c_h): the smallest variance of the mean for its money."""
    return {name: weight / _root(Fraction(costs[name])) for name, weight in neyman_weights(sizes, spreads).items()}


def power_weights(
    sizes: Mapping[str, int], spreads: Mapping[str, Number], means: Mapping[str, Number], power: Number
) -> Weights:
    """X_h^a S_h / mean_h, X_h = N_h mean_h the stratum's total: equal CVs at a = 0, Neyman at a = 1 (Bankier).

    Args:
        sizes: N_h.
        spreads: S_h.
        means: above 0.
        power: a, 0 to 1.
    """
    return {
        name: _power(size * Fraction(means[name]), Fraction(power)) * Fraction(spreads[name]) / Fraction(means[name])
        for name, size in sizes.items()
    }


def kish_weights(sizes: Mapping[str, int], importance: Number) -> Weights:
    """sqrt(I W_h² + H^-2), W_h = N_h/N: equal at I = 0, ever more proportional as I grows."""
    whole, strata = sum(sizes.values()), len(sizes)
    return {
        name: _root(Fraction(importance) * Fraction(size, max(whole, 1)) ** 2 + Fraction(1, strata**2))
        for name, size in sizes.items()
    }


def real(weights: Mapping[str, Number], total: int) -> dict[str, float]:
    """n_h as real numbers, without bounds and before any rounding."""
    whole = sum(Fraction(weight) for weight in weights.values())
    return {name: float(total * Fraction(weight) / whole) for name, weight in weights.items()}


def real_of_budget(
    sizes: Mapping[str, int], spreads: Mapping[str, Number], costs: Mapping[str, Number], budget: Number
) -> dict[str, float]:
    """n_h as real numbers that spend the whole budget: B N_h S_h / sqrt(c_h) / sum of N S sqrt(c)."""
    weights = cost_weights(sizes, spreads, costs)
    spent = sum(weight * Fraction(costs[name]) for name, weight in weights.items())
    return {name: float(Fraction(budget) * weight / spent) for name, weight in weights.items()}


def variance_of_mean(sizes: Mapping[str, int], spreads: Mapping[str, Number], given: Mapping[str, int]) -> float:
    """Of the stratified mean, with the finite population correction: sum of (W_h S_h)² (1/n_h - 1/N_h)."""
    whole = sum(sizes.values())
    terms = (
        (size * Fraction(spreads[name]) / whole) ** 2 * (Fraction(1, given[name]) - Fraction(1, size))
        for name, size in sizes.items()
        if size
    )
    return float(sum(terms))


@dataclass(frozen=True, slots=True)
class Needed:
    """Effective answers that a half-width needs, and how many persons to draw for them."""

    effective: float
    drawn: int


def needed(
    spread: Number, half_width: Number, deff: Number = 1, response_rate: Number = 1, known_by: Number = 1
) -> Needed:
    """The size rule: (1.96 S / e)² effective answers; times deff, over the response rate, over the share who can judge.

    Args:
        spread: S, of one person's score.
        half_width: e, of the 95 % interval; above 0.
        deff: design effect that is expected.
        response_rate: above 0, at most 1.
        known_by: share of persons who know the unit; above 0, at most 1.
    """
    effective = (Z * Fraction(spread) / Fraction(half_width)) ** 2
    return Needed(float(effective), ceil(effective * Fraction(deff) / Fraction(response_rate) / Fraction(known_by)))


def _root(value: Fraction) -> Fraction:
    """The square root to some sixty digits, rounded down."""
    return Fraction(isqrt(value.numerator * value.denominator * _SCALE**2), value.denominator * _SCALE)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if not exponent:
        return Fraction(1)
    if not base:
        return Fraction(0)
    decimals = (_POWERS.divide(Decimal(part.numerator), Decimal(part.denominator)) for part in (base, exponent))
    return Fraction(_POWERS.power(*decimals))
