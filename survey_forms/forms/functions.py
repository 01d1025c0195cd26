"""Functions of their arguments' values alone; those that look at nodes are in `calls.py`.

Names, arguments and results are those of the ODK XForms specification, as JavaRosa reads it.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

from survey_forms.forms.scalars import Kind, Scalar, to_number, to_string

_TEXT: tuple[Kind, ...] = ("string", "number")
_VALUE: tuple[Kind, ...] = ("string", "number", "date")
_ANY: tuple[Kind, ...] = ("string", "number", "date", "boolean")
_MOST_PLACES = 30
_BLANKS = re.compile(r"[ \t\n\x0b\f\r]+")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of its arguments' values alone: how many it takes (`most` None: any number), which kinds."""

    least: int
    most: int | None
    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Scalar]


def selected(options: Scalar, wanted: Scalar) -> bool:
    """Whether one option is among options written with spaces between them."""
    return f" {to_string(wanted).strip()} " in f" {to_string(options)} "


def selected_at(options: Scalar, place: Scalar) -> str:
    """The option at a place, counted from 0; the empty text when there is none."""
    listed, number = to_string(options).split(), _to_int(place)
    return listed[number] if 0 <= number < len(listed) else ""


def units_of_text(value: Scalar) -> float:
    """The length as Java and JavaScript count it (UTF-16), so that phone and server agree on a limit."""
    return len(to_string(value).encode("utf-16-le", "surrogatepass")) / 2


def part_of_text(value: Scalar, start: Scalar, end: Scalar = math.inf) -> str:
    """substr(): places from 0 in UTF-16, the end not included; negative ones count from the end."""
    units = to_string(value).encode("utf-16-le", "surrogatepass")
    length = len(units) // 2
    low, high = _to_int(start), length if end == math.inf else _to_int(end)
    low, high = (min(max(0, place + length if place < 0 else place), length) for place in (low, high))
    return units[2 * low : 2 * high].decode("utf-16-le", "replace")


def text_before(value: Scalar, part: Scalar) -> str:
    """What stands before the first such part; the empty text without one."""
    before, found, _ = to_string(value).partition(to_string(part) or "\0")
    return before if found else ""


def text_after(value: Scalar, part: Scalar) -> str:
    """What stands behind the first such part; the empty text without one."""
    text, wanted = to_string(value), to_string(part)
    return text.partition(wanted)[2] if wanted else text


def translated(value: Scalar, letters: Scalar, others: Scalar) -> str:
    """Each of the letters replaced by the other at its place, or left out where there is none."""
    instead = to_string(others)
    table: dict[int, str] = {}
    for place, letter in enumerate(to_string(letters)):
        table.setdefault(ord(letter), instead[place : place + 1])
    return to_string(value).translate(table)


def spaced(value: Scalar) -> str:
    """No blanks at the ends, one space for several."""
    return _BLANKS.sub(" ", to_string(value)).strip(" ")


def rounded(value: Scalar, places: Scalar = 0.0) -> float:
    """Halves go up, also below zero: round(-2.5) is -2. Decimal digits are those that a person reads."""
    number, digits = to_number(value), _to_int(places)
    if not math.isfinite(number):
        return number
    if abs(digits) > _MOST_PLACES:
        return math.nan
    exact = Decimal(repr(number))
    if digits < 0:  # JavaRosa cuts towards zero here
        return float(math.trunc(float(exact.scaleb(digits)) + 0.5) * 10**-digits)
    if abs(number) >= 1e15:  # a double has no decimals there
        return number
    half = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
    return float(exact.quantize(Decimal(1).scaleb(-digits), half)) if -exact.as_tuple().exponent > digits else number  # type: ignore[operator]  # finite


def truncated(value: Scalar) -> float:
    """The number without its fraction."""
    number = to_number(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def _to_int(value: Scalar) -> int:
    """As Java casts: what is no number is 0, what is too large the largest."""
    number = to_number(value)
    return 0 if math.isnan(number) else int(max(min(number, 2.0**31 - 1), -(2.0**31)))


def _power(base: float, exponent: float) -> float:
    """As Java's Math.pow, which never fails: overflow is infinite, a root of a negative number no number."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan  # C, and so Python, says 1
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf
    except ValueError:  # 0 to a negative power, a negative number to a fraction
        odd = exponent % 2 == 1
        return math.nan if base else math.copysign(math.inf, base) if odd else math.inf


def _logarithm(reckon: Callable[[float], float]) -> Callable[[float], float]:
    return lambda number: reckon(number) if number > 0 else -math.inf if number == 0 else math.nan


def _numeric(reckon: Callable[..., float]) -> Callable[..., float]:
    """A function of numbers on values; outside its domain there is no number."""

    def run(*given: Scalar) -> float:
        try:
            return reckon(*map(to_number, given))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return run


_OF_ONE_NUMBER: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "exp10": lambda number: _power(10.0, number),
    "log": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
}

FUNCTIONS: dict[str, Function] = {
    "selected": Function(2, 2, _TEXT, "boolean", selected),
    "is-selected": Function(2, 2, _TEXT, "boolean", selected),
    "selected-at": Function(2, 2, _TEXT, "string", selected_at),
    "count-selected": Function(1, 1, ("string",), "number", lambda value: float(len(to_string(value).split()))),
    "string-length": Function(1, 1, _VALUE, "number", units_of_text),
    "number": Function(1, 1, _ANY, "number", to_number),
    "string": Function(1, 1, _VALUE, "string", to_string),
    "substr": Function(2, 3, _VALUE, "string", part_of_text),
    "substring-before": Function(2, 2, _VALUE, "string", text_before),
    "substring-after": Function(2, 2, _VALUE, "string", text_after),
    "translate": Function(3, 3, _VALUE, "string", translated),
    "contains": Function(2, 2, _VALUE, "boolean", lambda text, part: to_string(part) in to_string(text)),
    "starts-with": Function(2, 2, _VALUE, "boolean", lambda text, part: to_string(text).startswith(to_string(part))),
    "ends-with": Function(2, 2, _VALUE, "boolean", lambda text, part: to_string(text).endswith(to_string(part))),
    "normalize-space": Function(1, 1, _VALUE, "string", spaced),
    "round": Function(1, 2, _VALUE, "number", rounded),
    "int": Function(1, 1, _VALUE, "number", truncated),
    "pow": Function(2, 2, _TEXT, "number", _numeric(_power)),
    "atan2": Function(2, 2, _TEXT, "number", _numeric(math.atan2)),
    "pi": Function(0, 0, (), "number", lambda: math.pi),
    "boolean-from-string": Function(
        1, 1, _TEXT, "boolean", lambda value: to_string(value) == "1" or to_string(value).lower() == "true"
    ),
    **{name: Function(1, 1, _TEXT, "number", _numeric(reckon)) for name, reckon in _OF_ONE_NUMBER.items()},
}
