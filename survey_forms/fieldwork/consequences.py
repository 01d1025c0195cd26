"""What follows from an attempt's outcome: try again and when, try another mode, cool down, or never again.

Codes are AAPOR's (Standard Definitions, 9th ed.), as in `survey_forms/estimation/outcomes.py`. This table says what the
field does next and nothing about rates: those are taken of the codes alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

COMPLETE, BREAK_OFF, APPOINTMENT, QUOTA_FULL = "1.1", "2.12", "2.30", "4.80"
"""Outcomes that no key of the desk gives alone: each comes with an act of its own."""

NOT_TRIED, INVITED = "3.11", "3.19"
"""Of a case without an attempt: nothing was sent, or an invitation was and nothing came back."""

Kind = Literal["again", "refusal", "leave", "final"]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What to do after an outcome.

    again: after `minutes` (None: the plan's spacing). refusal: once more after the plan's cooling, not after a
    second. leave: this mode cannot reach the person, the next one may. final: nothing more.
    """

    kind: Kind
    minutes: int | None = None


_AGAIN, _REFUSAL, _LEAVE, _FINAL = (
    Consequence("again"),
    Consequence("refusal"),
    Consequence("leave"),
    Consequence("final"),
)
_HOUR, _DAY = 60, 24 * 60

CONSEQUENCES: Mapping[str, Consequence] = {
    **dict.fromkeys(("2.10", "2.11", "2.111", "2.112", "2.12"), _REFUSAL),
    **dict.fromkeys(("2.20", "2.21", "2.22", "2.221", "2.222", "2.23", "2.24", "2.30"), _AGAIN),
    "2.25": Consequence("again", 3 * _DAY),  # away: for some days
    "2.34": Consequence("again", _HOUR),
    **dict.fromkeys(("2.35", "2.36"), _AGAIN),
    "3.12": Consequence("again", _HOUR // 2),  # busy: somebody is there
    **dict.fromkeys(("3.10", "3.13", "3.14", "3.20", "3.21", "3.90"), _AGAIN),
    "3.16": Consequence("again", 2 * _HOUR),
    "3.17": Consequence("again", _DAY),
    "4.33": Consequence("again", 2 * _DAY),  # out of service for the time being
    **dict.fromkeys(("3.11", "3.15", "3.18", "4.20", "4.30", "4.31", "4.32", "4.40", "4.41", "4.43", "4.51"), _LEAVE),
}


def consequence_of(code: str) -> Consequence:
    """What follows from an outcome; a code that the table does not name ends the case."""
    return CONSEQUENCES.get(code, _FINAL)


KEYS: Mapping[str, Mapping[str, str]] = {
    "phone": {
        "1": "3.13",
        "2": "3.12",
        "3": "3.14",
        "4": "2.221",
        "5": "2.222",
        "6": "2.20",
        "7": "2.111",
        "8": "2.112",
        "9": "2.12",
        "0": "4.30",
        "b": "3.15",
        "t": "3.16",
        "x": "4.33",
        "c": "4.41",
        "w": "4.51",
        "l": "2.332",
        "u": "2.32",
        "d": "2.31",
        "q": "2.34",
        "p": "2.35",
        "z": "4.10",
        "e": "4.70",
        "k": "4.81",
        "m": "2.36",
        "j": "3.90",
    },
    "visit": {
        "1": "2.24",
        "2": "2.23",
        "3": "2.20",
        "4": "2.25",
        "7": "2.111",
        "8": "2.112",
        "9": "2.12",
        "0": "3.18",
        "r": "3.17",
        "v": "4.60",
        "y": "4.54",
        "w": "4.51",
        "l": "2.332",
        "u": "2.32",
        "d": "2.31",
        "z": "4.10",
        "e": "4.70",
        "k": "4.81",
        "m": "2.36",
        "j": "3.90",
    },
}
"""Of each mode the outcomes that an interviewer gives, each in one key. N, A, S, G and ? are the desk's
own; O is no key, for it looks like 0."""

DESK_KEYS = frozenset("nasg?o")
