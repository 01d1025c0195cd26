"""Exact points and shares. A score is a Decimal; rounding has a name and happens once."""

import re
from collections.abc import Sequence
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from fractions import Fraction

ZERO = Decimal(0)
HUNDRED = Decimal(100)
ONE_PERCENT = Decimal("0.01")

# A plain decimal as a person writes it: no sign, no exponent, no thousands mark, no full-width digit.
PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
LONGEST = 40
"""Longest decimal that is read. Five of them multiplied (a score and four weights) still fit `EXACT`."""

# Within this context a result that would need rounding is an exception, so "unrounded" is not a hope.
EXACT = Context(prec=512, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_ROUNDING = Context(prec=512)

ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}
"""四舍五入, and the other choice of GB/T 8170."""


def plain_decimal(text: str) -> Decimal | None:
    """The number that `text` spells as a plain decimal of at most `LONGEST` characters, or None."""
    return Decimal(text) if len(text) <= LONGEST and PLAIN.fullmatch(text) else None


def plain(value: Decimal) -> str:
    """The value in full, trailing zeros trimmed, never an exponent and never "-0": "507.8352", "100"."""
    return f"{value.normalize(_ROUNDING):f}" if value else "0"


def published(value: Decimal, places: int, rounding: str = "half_up") -> Decimal:
    """The one rounding of a figure, on its way into print.

    Python's own round() goes the other way at times: round(Decimal("0.125"), 2) is 0.12.

    Args:
        value: the unrounded figure.
        places: decimals kept.
        rounding: a key of `ROUNDINGS`.
    """
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUNDINGS[rounding], _ROUNDING)
    return rounded or abs(rounded)


def percent_of(share: Decimal, value: Decimal) -> Decimal:
    """`share` per cent of `value`, exact."""
    return EXACT.multiply(EXACT.multiply(value, share), ONE_PERCENT)


def largest_remainder(total: int, shares: Sequence[Decimal]) -> tuple[int, ...]:
    """Split `total` in proportion to `shares`; what flooring leaves goes to the largest remainders.

    Equal remainders: the earlier share first, so list the better prize first.
    """
    whole = sum(Fraction(share) for share in shares)
    if not whole:
        raise ValueError("shares that are all zero divide nothing")
    exact = [total * Fraction(share) / whole for share in shares]
    counts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: counts[place] - exact[place])
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return tuple(counts)


def competition_ranks(values: Sequence[Decimal]) -> list[int]:
    """Ranks from the highest down; equal values share the better rank and the next are skipped: 1, 1, 3."""
    first: dict[Decimal, int] = {}
    for place, value in enumerate(sorted(values, reverse=True), start=1):
        first.setdefault(value, place)
    return [first[value] for value in values]
