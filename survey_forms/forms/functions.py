"""The functions that a questionnaire's expressions may call; every other name is refused when compiled."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from survey_forms.forms.scalars import Kind, Scalar, to_number, to_string

_TEXT: tuple[Kind, ...] = ("string", "number")
_VALUE: tuple[Kind, ...] = ("string", "number", "date")
_ANY: tuple[Kind, ...] = ("string", "number", "date", "boolean")


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


def units_of_text(value: Scalar) -> float:
    """The length as Java and JavaScript count it (UTF-16), so that phone and server agree on a limit."""
    return len(to_string(value).encode("utf-16-le", "surrogatepass")) / 2


def rounded(value: Scalar, places: Scalar = 0.0) -> float:
    """Halves go up, also below zero: round(-2.5) is -2."""
    number, scale = to_number(value), 10.0 ** _whole(to_number(places))
    scaled = number * scale + 0.5
    return math.floor(scaled) / scale if math.isfinite(scaled) else number


def _whole(places: float) -> int:
    # A double has no more digits; NaN also ends at nought
    return int(places) if abs(places) <= 15 else 0


def truncated(value: Scalar) -> float:
    """The number without its fraction."""
    number = to_number(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def _numbers(values: Iterable[Scalar]) -> list[float]:
    return [to_number(value) for value in values if value != ""]


def smallest(*values: Scalar) -> float:
    """The smallest of what was answered; NaN when nothing was."""
    return min(_numbers(values), default=math.nan)


def largest(*values: Scalar) -> float:
    """The largest of what was answered; NaN when nothing was."""
    return max(_numbers(values), default=math.nan)


FUNCTIONS: dict[str, Function] = {
    "selected": Function(2, 2, _TEXT, "boolean", selected),
    "count-selected": Function(1, 1, ("string",), "number", lambda value: float(len(to_string(value).split()))),
    "string-length": Function(1, 1, _TEXT, "number", units_of_text),
    "number": Function(1, 1, _ANY, "number", to_number),
    "string": Function(1, 1, _VALUE, "string", to_string),
    "concat": Function(1, None, _VALUE, "string", lambda *values: "".join(map(to_string, values))),
    "contains": Function(2, 2, _TEXT, "boolean", lambda text, part: to_string(part) in to_string(text)),
    "starts-with": Function(2, 2, _TEXT, "boolean", lambda text, part: to_string(text).startswith(to_string(part))),
    "normalize-space": Function(1, 1, _TEXT, "string", lambda text: " ".join(to_string(text).split())),
    "round": Function(1, 2, _TEXT, "number", rounded),
    "int": Function(1, 1, _TEXT, "number", truncated),
    "min": Function(1, None, _TEXT, "number", smallest),
    "max": Function(1, None, _TEXT, "number", largest),
}
