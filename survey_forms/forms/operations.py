"""What operators and functions make of compiled operands, and which uses are refused because engines differ."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from survey_forms.forms.functions import FUNCTIONS
from survey_forms.forms.scalars import Expression, Kind, Scalar, State, equal, to_number, to_string, truth

_LONGEST_PATTERN = 300
_NESTED_QUANTIFIER = re.compile(r"\((?:[^()\\]|\\.)*[+*{](?:[^()\\]|\\.)*\)[+*{]")


class Unreadable(Exception):
    """An expression that cannot be compiled: a sentence's code and its facts."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code, facts)


@dataclass(frozen=True, slots=True)
class Node:
    """A question or calculate that expressions can name: its slot in the state and the kind of its value."""

    slot: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Compiled:
    """A closure, the kind of what it returns, and the slots that it reads."""

    run: Expression
    kind: Kind
    slots: frozenset[int] = frozenset()
    literal: str | None = None


def constant(worth: Scalar, kind: Kind, literal: str | None = None) -> Compiled:
    """A value that stands in the expression itself."""
    return Compiled(lambda _: worth, kind, literal=literal)


def negated(inner: Compiled) -> Compiled:
    """Minus what follows."""
    _refuse_conditions(inner)
    run = inner.run
    return Compiled(lambda state: -to_number(run(state)), "number", inner.slots)


def joined(sign: str, left: Compiled, right: Compiled) -> Compiled:
    """Two operands under one operator."""
    slots = left.slots | right.slots
    one, other = left.run, right.run
    if sign in {"and", "or"}:
        if (left.kind, right.kind) != ("boolean", "boolean"):
            raise Unreadable("expression_not_condition")
        if sign == "and":
            return Compiled(lambda state: truth(one(state)) and truth(other(state)), "boolean", slots)
        return Compiled(lambda state: truth(one(state)) or truth(other(state)), "boolean", slots)
    if sign in {"=", "!="}:
        _refuse_bare_dates(left, right)
        if (left.kind == "boolean") != (right.kind == "boolean"):
            raise Unreadable("expression_condition_as_value")
        if sign == "=":
            return Compiled(lambda state: equal(one(state), other(state)), "boolean", slots)
        return Compiled(lambda state: not equal(one(state), other(state)), "boolean", slots)
    _refuse_conditions(left, right)
    if sign in _ORDER:
        _refuse_bare_dates(left, right, order=True)
        order = _ORDER[sign]
        return Compiled(lambda state: order(to_number(one(state)), to_number(other(state))), "boolean", slots)
    reckon = _ARITHMETIC[sign]
    return Compiled(lambda state: reckon(to_number(one(state)), to_number(other(state))), "number", slots)


def _divided(one: float, other: float) -> float:
    if other:
        return one / other
    return math.nan if one == 0 or math.isnan(one) else math.copysign(math.inf, one)


def _remainder(one: float, other: float) -> float:
    return math.fmod(one, other) if other and math.isfinite(one) and not math.isnan(other) else math.nan


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": _divided,
    "mod": _remainder,
}


def _refuse_conditions(*given: Compiled) -> None:
    if any(one.kind == "boolean" for one in given):
        raise Unreadable("expression_condition_as_value")


def _refuse_bare_dates(left: Compiled, right: Compiled, *, order: bool = False) -> None:
    """A date against text, or an order of words: the engines disagree, or it never holds."""
    for one, other in ((left, right), (right, left)):
        if one.kind == "date" and other.kind == "string" and (order or other.literal != ""):
            raise Unreadable("expression_date_as_text")
        if order and one.kind == "string" and one.literal is not None and math.isnan(to_number(one.literal)):
            raise Unreadable("expression_order_of_words", words=one.literal)


def called(name: str, given: Sequence[Compiled]) -> Compiled:
    """A function on its arguments; a name that is not on the list is refused."""
    slots = frozenset[int]().union(*(one.slots for one in given))
    special = _SPECIAL.get(name)
    if special is not None:
        least, most, build = special
        _count(name, given, least, most)
        built = build(given)
        return Compiled(built.run, built.kind, slots | built.slots)
    function = FUNCTIONS.get(name)
    if function is None:
        raise Unreadable("expression_function_unknown", function=name)
    _count(name, given, function.least, function.most)
    for one in given:
        if one.kind not in function.takes:
            code = "expression_condition_as_value" if one.kind == "boolean" else "expression_argument"
            raise Unreadable(code, function=name)
    run, runs = function.run, tuple(one.run for one in given)
    return Compiled(lambda state: run(*[argument(state) for argument in runs]), function.gives, slots)


def _count(name: str, given: Sequence[Compiled], least: int, most: int | None) -> None:
    if len(given) < least or (most is not None and len(given) > most):
        wanted = str(least) if least == most else f"{least}+" if most is None else f"{least}-{most}"
        raise Unreadable("expression_arity", function=name, wanted=wanted, got=len(given))


def _if(given: Sequence[Compiled]) -> Compiled:
    if given[0].kind != "boolean":
        raise Unreadable("expression_not_condition")
    test, then, otherwise = (one.run for one in given)
    return Compiled(lambda state: then(state) if test(state) else otherwise(state), _common_kind(given[1], given[2]))


def _coalesce(given: Sequence[Compiled]) -> Compiled:
    _refuse_conditions(*given)
    one, other = given[0].run, given[1].run

    def run(state: State) -> Scalar:
        value = one(state)
        return other(state) if value == "" else value

    return Compiled(run, _common_kind(*given))


def _common_kind(one: Compiled, other: Compiled) -> Kind:
    """Of two branches; the empty text goes with every kind but a condition."""
    if one.kind == other.kind:
        return one.kind
    if "boolean" in {one.kind, other.kind}:
        raise Unreadable("expression_condition_as_value")
    if one.literal == "":
        return other.kind
    return one.kind if other.literal == "" else "string"


def _not(given: Sequence[Compiled]) -> Compiled:
    if given[0].kind != "boolean":
        raise Unreadable("expression_not_condition")
    run = given[0].run
    return Compiled(lambda state: not run(state), "boolean")


def _regex(given: Sequence[Compiled]) -> Compiled:
    """The whole text against a fixed pattern that states both ends; digits and letters are ASCII, as in Java."""
    _refuse_conditions(*given)
    written = given[1].literal
    if written is None:
        raise Unreadable("expression_literal_needed", function="regex")
    if len(written) > _LONGEST_PATTERN:
        raise Unreadable("expression_too_long", limit=_LONGEST_PATTERN)
    if not (written.startswith("^") and written.endswith("$")):
        raise Unreadable("expression_regex_ends", pattern=written)
    if _NESTED_QUANTIFIER.search(written):
        raise Unreadable("expression_regex_slow", pattern=written)
    try:
        pattern = re.compile(written, re.ASCII)
    except re.error as error:
        raise Unreadable("expression_regex_wrong", pattern=written, reason=str(error)) from error
    run = given[0].run
    return Compiled(lambda state: pattern.fullmatch(to_string(run(state))) is not None, "boolean")


def _date(given: Sequence[Compiled]) -> Compiled:
    if given[0].kind == "date":
        return given[0]
    written = given[0].literal
    if written is None:
        raise Unreadable("expression_literal_needed", function="date")
    try:
        day = date.fromisoformat(written)
    except ValueError as error:
        raise Unreadable("expression_date_wrong", day=written) from error
    return constant(day, "date")


def _count_nodes(given: Sequence[Compiled]) -> Compiled:
    slot = _single_node(given, "count")
    return Compiled(lambda state: float(state.relevant[slot]), "number")


def _sum(given: Sequence[Compiled]) -> Compiled:
    _single_node(given, "sum")
    run = given[0].run

    def total(state: State) -> float:
        value = run(state)
        return 0.0 if value == "" else to_number(value)

    return Compiled(total, "number")


def _single_node(given: Sequence[Compiled], function: str) -> int:
    if given[0].literal is not None or len(given[0].slots) != 1:
        raise Unreadable("expression_node_needed", function=function)
    return next(iter(given[0].slots))


_SPECIAL: dict[str, tuple[int, int, Callable[[Sequence[Compiled]], Compiled]]] = {
    "if": (3, 3, _if),
    "coalesce": (2, 2, _coalesce),
    "not": (1, 1, _not),
    "true": (0, 0, lambda _: constant(True, "boolean")),
    "false": (0, 0, lambda _: constant(False, "boolean")),
    "regex": (2, 2, _regex),
    "date": (1, 1, _date),
    "today": (0, 0, lambda _: Compiled(lambda state: state.today, "date")),
    "once": (1, 1, lambda given: given[0]),  # one reading of one submission evaluates it once
    "count": (1, 1, _count_nodes),
    "sum": (1, 1, _sum),
}
