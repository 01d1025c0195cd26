"""Days in expressions: `date()` and `format-date()`. Answers carry no time of day, so all days begin at midnight."""

import math
from collections.abc import Callable, Sequence
from datetime import date

from survey_forms.forms.operations import Compiled, Unreadable, built, constant, refuse_conditions
from survey_forms.forms.scalars import Scalar, State, to_day

_SHOWN = 60  # of what was written, in a sentence


def to_date(name: str, given: Sequence[Compiled]) -> Compiled:
    """`date()` of a text, a number of days or a day; of no number no number, of anything else nothing."""
    refuse_conditions(*given)
    written = given[0].literal
    if given[0].kind == "date":
        return given[0]
    if written is not None and given[0].kind == "string":
        day = to_day(written)
        if written and day is None:
            raise Unreadable("expression_date_wrong", day=written[:_SHOWN])
        return constant(day or "", "date", "" if day is None else None)
    run = given[0].run

    def day_of(state: State) -> Scalar:
        worth = run(state)
        return to_day(worth) or (worth if isinstance(worth, float) and math.isnan(worth) else "")

    return built(name, day_of, "date", given)


def formatted_date(name: str, given: Sequence[Compiled]) -> Compiled:
    """A day in the author's own format; the names of months and days, which are the phone's own, are refused."""
    refuse_conditions(*given)
    written = given[1].literal
    if written is None:
        raise Unreadable("expression_literal_needed", function=name)
    pieces, rest = [], written
    while rest:
        plain, sign, rest = rest.partition("%")
        pieces.append(plain)
        if sign:
            pieces.append(f"%{rest[:1]}")
            if rest[:1] not in _DAY_PARTS:
                raise Unreadable("expression_date_format", symbol=f"%{rest[:1]}")
            rest = rest[1:]
    run = given[0].run

    def formatted(state: State) -> str:
        day = to_day(run(state))
        if day is None:
            return ""
        return "".join(_DAY_PARTS[one[1]](day) if one[:1] == "%" else one for one in pieces)

    return built(name, formatted, "string", given)


_DAY_PARTS: dict[str, Callable[[date], str]] = {
    "Y": lambda day: f"{day.year:04d}",
    "y": lambda day: f"{day.year % 100:02d}",
    "m": lambda day: f"{day.month:02d}",
    "n": lambda day: str(day.month),
    "d": lambda day: f"{day.day:02d}",
    "e": lambda day: str(day.day),
    "H": lambda _: "00",
    "h": lambda _: "0",
    "M": lambda _: "00",
    "S": lambda _: "00",
    "3": lambda _: "000",
    "%": lambda _: "%",
}
