"""What operators make of compiled operands, and which uses are refused because the engines differ."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from survey_forms.forms.scalars import Expression, Kind, Scalar, State, Tree, equal, to_number, truth

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Unreadable(Exception):
    """An expression that cannot be compiled: a sentence's code and its facts."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code, facts)


@dataclass(frozen=True, slots=True)
class Node:
    """What expressions can name: its slot in the state and the kind of its value.

    `repeat` is the path of the repeat that it is in, or that it is; `entries` says that it is the repeat itself.
    """

    slot: int
    kind: Kind
    repeat: str | None = None
    entries: bool = False


Values = Callable[[State], Sequence[Scalar]]
"""The values of a set of nodes, one a relevant node, in order."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A closure, the kind of what it returns, and the slots that it reads; `tree` says the same as data.

    `values` is there when it names nodes, `node` when it names one place of the form; `many` says that there can be
    several, so that it has no single value. `by_row` says that it reads the row of a list that a predicate looks at,
    `column` that it is one of its columns. An equation keeps its `sides`, a conjunction its `parts`.
    """

    run: Expression
    kind: Kind
    tree: Tree
    slots: frozenset[int] = frozenset()
    literal: str | None = None
    values: Values | None = None
    node: Node | None = None
    many: bool = False
    by_row: bool = False
    column: int | None = None
    sides: tuple["Compiled", ...] = ()
    parts: tuple["Compiled", ...] = ()


def constant(worth: Scalar, kind: Kind, literal: str | None = None) -> Compiled:
    """A value that stands in the expression itself."""
    return Compiled(lambda _: worth, kind, worth, literal=literal)


def built(name: str, run: Expression, kind: Kind, given: Sequence[Compiled]) -> Compiled:
    """What is worked out from operands: it reads whatever they read."""
    slots = frozenset[int]().union(*(one.slots for one in given))
    tree = (name, *(one.tree for one in given))
    return Compiled(run, kind, tree, slots, by_row=any(one.by_row for one in given))


def single(*given: Compiled) -> None:
    """Refuse what may be several values at once: another engine stops there, or takes the first."""
    for one in given:
        if one.many:
            raise Unreadable("expression_many_values")


def negated(inner: Compiled) -> Compiled:
    """Minus what follows."""
    single(inner)
    refuse_conditions(inner)
    run = inner.run
    return built("negated", lambda state: -to_number(run(state)), "number", [inner])


def joined(sign: str, left: Compiled, right: Compiled) -> Compiled:
    """Two operands under one operator."""
    single(left, right)
    if sign in {"and", "or"}:
        return _logical(sign, left, right)
    if sign in {"=", "!="}:
        return _equation(sign, left, right)
    refuse_conditions(left, right)
    one, other = left.run, right.run
    if sign in _ORDER:
        _refuse_bare_dates(left, right, order=True)
        order = _ORDER[sign]
        run: Expression = lambda state: order(to_number(one(state)), to_number(other(state)))  # noqa: E731 - see below
        return built(sign, run, "boolean", [left, right])
    reckon = _ARITHMETIC[sign]
    return built(sign, lambda state: reckon(to_number(one(state)), to_number(other(state))), "number", [left, right])


def _logical(sign: str, left: Compiled, right: Compiled) -> Compiled:
    if (left.kind, right.kind) != ("boolean", "boolean"):
        raise Unreadable("expression_not_condition")
    one, other = left.run, right.run
    whole = built(sign, lambda state: truth(one(state)) or truth(other(state)), "boolean", [left, right])
    if sign == "or":
        return whole
    parts = (*(left.parts or (left,)), *(right.parts or (right,)))
    run: Expression = lambda state: truth(one(state)) and truth(other(state))  # noqa: E731 - as those around it
    return replace(whole, run=run, parts=parts)


def _equation(sign: str, left: Compiled, right: Compiled) -> Compiled:
    _refuse_bare_dates(left, right)
    if (left.kind == "boolean") != (right.kind == "boolean"):
        raise Unreadable("expression_condition_as_value")
    one, other = left.run, right.run
    whole = built(sign, lambda state: not equal(one(state), other(state)), "boolean", [left, right])
    if sign == "!=":
        return whole
    run: Expression = lambda state: equal(one(state), other(state))  # noqa: E731 - as those around it
    return replace(whole, run=run, sides=(left, right))


def _divided(one: float, other: float) -> float:
    if other:
        return one / other
    return math.nan if one == 0 or math.isnan(one) else math.copysign(math.inf, one) * math.copysign(1, other)


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


def refuse_conditions(*given: Compiled) -> None:
    """Refuse a condition where a value is wanted."""
    if any(one.kind == "boolean" for one in given):
        raise Unreadable("expression_condition_as_value")


def _refuse_bare_dates(left: Compiled, right: Compiled, *, order: bool = False) -> None:
    """A date in the order of text, or against text that no date is ever written like; an order of words."""
    for one, other in ((left, right), (right, left)):
        if one.kind == "date" and other.kind == "string":
            never = other.literal and not _ISO_DAY.fullmatch(other.literal)
            if never or (order and not (other.literal is None and other.node)):
                raise Unreadable("expression_date_as_text")
        if order and one.kind == "string" and one.literal is not None and math.isnan(to_number(one.literal)):
            raise Unreadable("expression_order_of_words", words=one.literal)
