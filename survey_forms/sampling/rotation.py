"""Waves that overlap as much as was chosen: each unit keeps one permanent random number, and the start moves on.

A unit's permanent ticket is SHA-256 of `permanent|stratum|unit_id`; the permanent text is the seed of the first wave's
draw, so that public randomness decided it: of a text that somebody chose, the sample would be chosen too. That it is
such a seed, only who holds the first draw can tell (the service does; these rules cannot). The circle of tickets, 2^256
long, is entered a little further on in each wave: the first n units from there are the sample. By symmetry each wave is
a simple random sample; two waves share those whom both reach.

Source: Ohlsson (1995), coordination of samples using permanent random numbers.
"""

from fractions import Fraction

from survey_forms.sampling.pps import CIRCLE


def shift_of(wave: int, overlap: Fraction, n: int, size: int) -> int:
    """Where wave 1, 2, … enters the circle: each (1 - overlap)·n/N further on than the one before, in whole tickets.

    Args:
        wave: from 1.
        overlap: the share of a wave that is kept in the next, 0 to 1.
        n: units drawn of the stratum.
        size: units in it.
    """
    return int((wave - 1) * (1 - overlap) * n * CIRCLE / size) % CIRCLE if size else 0


def shifted(ticket: str, shift: int) -> str:
    """A ticket as seen from where a wave begins: (ticket - shift) mod 2^256, in 64 hex digits."""
    return f"{(int(ticket, 16) - shift) % CIRCLE:064x}"
