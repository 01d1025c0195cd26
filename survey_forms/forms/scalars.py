"""What an expression is worth, and how one kind of worth turns into another.

The conversions are those of JavaRosa, the engine inside ODK Collect, as its own parser answered them
(tests/rules/test_forms_expressions.py keeps the questions and answers).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

Kind = Literal["number", "string", "boolean", "date"]

Scalar = float | str | bool | date
"""An empty or irrelevant node is the empty string, whatever its kind."""

Tree = str | int | float | bool | date | tuple["Tree", ...]
"""What an expression says, made together with the closure that evaluates it: a constant, or a tuple whose first is the
name of an operator or function. `("node", slot)` is a node's value, `("column", place)` a column of a list's row."""

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:T.*)?", re.DOTALL)
_EPOCH = date(1970, 1, 1).toordinal()
_EQUAL_WITHIN = 1e-12  # JavaRosa's tolerance: 0.1 + 0.2 = 0.3 holds
_KEPT_WITHIN = 1e-9  # wider than a text's tolerance, as in JavaRosa
_WHOLE_UNTIL = 1e16  # where Python's repr turns to exponents
_EXPONENT_BELOW = 1e-4  # Python's repr turns to exponents there
_BLANKS = "".join(map(chr, range(33)))  # what Java's trim() takes off

Words = Mapping[str, str]
"""One wording by language, as `model.Text`."""


def _any_language(_: "State", words: Words) -> str:
    return next(iter(words.values()), "")


class State:
    """The form's nodes while one submission is read: values and relevance by slot, and the day it is.

    A slot inside a repeat holds a list with one place for each entry; `at` is the entry (from 0) that is being
    worked out. A repeat's own slot holds the number of its entries. `say` puts a wording into the reader's language;
    `seed` orders what is shuffled without a seed of the author's; `row` is the row of a list that a predicate looks at.
    """

    __slots__ = ("at", "relevant", "row", "say", "seed", "today", "values")

    def __init__(
        self, size: int, today: date, say: Callable[["State", Words], str] = _any_language, seed: int = 0
    ) -> None:
        self.values: list[Scalar] = [""] * size
        self.relevant: list[bool] = [False] * size
        self.at = 0
        self.row: Sequence[str] = ()
        self.today = today
        self.say = say
        self.seed = seed

    def column(self, slot: int) -> list[Scalar]:
        """The values of a slot inside a repeat, entry by entry."""
        return self.values[slot]  # type: ignore[return-value]  # a slot is a scalar or a column as the form has it

    def lasting(self, slot: int) -> list[bool]:
        """The relevance of a slot inside a repeat, entry by entry."""
        return self.relevant[slot]  # type: ignore[return-value]  # as `column`


Expression = Callable[[State], Scalar]
Condition = Callable[[State], bool]


def to_number(value: Scalar) -> float:
    """XPath's number(): text that is no plain number (also the empty one) is NaN, a date its day since 1970."""
    if isinstance(value, bool | float):
        return float(value)
    if isinstance(value, date):
        return float(value.toordinal() - _EPOCH)
    text = value.replace(",", ".").strip(_BLANKS)
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def to_day(value: Scalar) -> date | None:
    """XForms' date(): the day that a text names, or so many days after 1970; None when it is none."""
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str):
            written = _DAY.fullmatch(value)
            return date(int(written[1]), int(written[2]), int(written[3])) if written else None
        return date.fromordinal(math.trunc(value) + _EPOCH)
    except (ValueError, OverflowError):
        return None


def to_string(value: Scalar) -> str:
    """XPath's string(): without a point what is whole, or above by a rounding error; no exponent below 10¹⁶."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return _digits(value)


def as_kept(worth: Scalar) -> Scalar:
    """What a calculate's node holds: nothing for no number, and no rounding error above a whole number."""
    if not isinstance(worth, float) or math.isinf(worth):
        return worth
    if math.isnan(worth):
        return ""
    whole = float(math.trunc(worth))
    return whole if abs(worth - whole) < _KEPT_WITHIN else worth


def _digits(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    whole = math.trunc(value)
    if abs(value - whole) < _EQUAL_WITHIN and abs(value) < _WHOLE_UNTIL:
        return str(whole)
    return format(Decimal(repr(value)), "f") if abs(value) < _EXPONENT_BELOW else repr(value)


def equal(left: Scalar, right: Scalar) -> bool:
    """XPath's `=`: as conditions if either is one, else as numbers if either is one, else as text."""
    if isinstance(left, bool) or isinstance(right, bool):
        return truth(left) == truth(right)
    if isinstance(left, float) or isinstance(right, float):
        one, other = to_number(left), to_number(right)
        return one == other or abs(one - other) < _EQUAL_WITHIN
    return to_string(left) == to_string(right)


def truth(value: Scalar) -> bool:
    """XPath's boolean(): zero, NaN and the empty text are false."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return not (value == 0 or math.isnan(value))
    return value != ""
