"""Calls in expressions: conditions, dates and sets of nodes; a name not here nor in `functions.py` is refused."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from survey_forms.forms.days import formatted_date, to_date
from survey_forms.forms.functions import FUNCTIONS
from survey_forms.forms.operations import Compiled, Unreadable, built, constant, refuse_conditions, single
from survey_forms.forms.places import Bilingual
from survey_forms.forms.regular import UnfitPattern, compile_pattern
from survey_forms.forms.scalars import Expression, Kind, Scalar, State, to_number, to_string, truth

_SHOWN = 60  # of a pattern, in a sentence
_AGAIN = Bilingual("每次结果都不同，无法复核", "every reading would give another result")
_CLOCK = Bilingual("答卷不记录时刻，只有日期；请用 today()", "answers carry a day and no time; use today()")
_PLACE = Bilingual("没有位置题", "there are no questions about places")
_SECRET = Bilingual("不处理编码和摘要", "codes and digests are not worked out")
_OUTSIDE = Bilingual("问卷不读取外部文件和设备信息", "forms read no other files and nothing about the device")
_NOT_HERE = {
    **dict.fromkeys(("random", "uuid"), _AGAIN),
    **dict.fromkeys(("now", "date-time", "decimal-time", "decimal-date-time"), _CLOCK),
    **dict.fromkeys(("area", "enclosed-area", "distance", "geofence", "intersects"), _PLACE),
    **dict.fromkeys(("digest", "base64-decode", "extract-signed"), _SECRET),
    **dict.fromkeys(("pulldata", "property", "instance", "randomize", "id", "lookup"), _OUTSIDE),
}


def called(name: str, given: Sequence[Compiled]) -> Compiled:
    """A function on its arguments; a name that is not on the list is refused."""
    call = _CALLS.get(name)
    if call is not None:
        _count(name, given, call.least, call.most)
        if not call.of_nodes:
            single(*given)
        return call.build(name, given)
    function = FUNCTIONS.get(name)
    if function is None:
        if name in _NOT_HERE:
            raise Unreadable("expression_function_refused", function=name, why=_NOT_HERE[name])
        raise Unreadable("expression_function_unknown", function=name)
    _count(name, given, function.least, function.most)
    single(*given)
    for one in given:
        if one.kind not in function.takes:
            code = "expression_condition_as_value" if one.kind == "boolean" else "expression_argument"
            raise Unreadable(code, function=name)
    run, runs = function.run, tuple(one.run for one in given)
    if len(runs) == 1:
        only = runs[0]
        return built(name, lambda state: run(only(state)), function.gives, given)
    return built(name, lambda state: run(*[argument(state) for argument in runs]), function.gives, given)


def _count(name: str, given: Sequence[Compiled], least: int, most: int | None) -> None:
    if len(given) < least or (most is not None and len(given) > most):
        wanted = str(least) if least == most else f"{least}+" if most is None else f"{least}-{most}"
        raise Unreadable("expression_arity", function=name, wanted=wanted, got=len(given))


def _conditions(*given: Compiled) -> None:
    if any(one.kind != "boolean" for one in given):
        raise Unreadable("expression_not_condition")


def _if(name: str, given: Sequence[Compiled]) -> Compiled:
    _conditions(given[0])
    test, then, otherwise = (one.run for one in given)
    kind = _common_kind(given[1], given[2])
    return built(name, lambda state: then(state) if test(state) else otherwise(state), kind, given)


def _coalesce(name: str, given: Sequence[Compiled]) -> Compiled:
    refuse_conditions(*given)
    one, other = given[0].run, given[1].run

    def run(state: State) -> Scalar:
        value = one(state)
        none = value == "" or (isinstance(value, float) and math.isnan(value))
        return other(state) if none else value

    return built(name, run, _common_kind(*given), given)


def _common_kind(one: Compiled, other: Compiled) -> Kind:
    """Of two branches; the empty text goes with every kind but a condition."""
    if one.kind == other.kind:
        return one.kind
    if "boolean" in {one.kind, other.kind}:
        raise Unreadable("expression_condition_as_value")
    if one.literal == "":
        return other.kind
    return one.kind if other.literal == "" else "string"


def _not(name: str, given: Sequence[Compiled]) -> Compiled:
    _conditions(given[0])
    run = given[0].run
    return built(name, lambda state: not run(state), "boolean", given)


def _boolean(_: str, given: Sequence[Compiled]) -> Compiled:
    _conditions(given[0])
    return given[0]


def _same(_: str, given: Sequence[Compiled]) -> Compiled:
    """once(): a submission is read from the beginning each time, and so it is worked out once in each reading."""
    return given[0]


def _checklist(name: str, given: Sequence[Compiled]) -> Compiled:
    """Whether the number of conditions that hold, or the sum of their weights, is within two bounds."""
    weighted = name == "weighted-checklist"
    if weighted and len(given) % 2:
        raise Unreadable("expression_arity", function=name, wanted="2, 4, 6, 8 ...", got=len(given))
    conditions = given[2::2] if weighted else given[2:]
    _conditions(*conditions)
    refuse_conditions(given[0], given[1], *(given[3::2] if weighted else ()))
    tests = [one.run for one in conditions]
    weights: list[Expression] = [one.run for one in given[3::2]] if weighted else [lambda _: 1.0] * len(tests)
    low, high = given[0].run, given[1].run

    def run(state: State) -> bool:
        total = sum(to_number(weight(state)) for test, weight in zip(tests, weights, strict=True) if truth(test(state)))
        least, most = to_number(low(state)), to_number(high(state))
        if weighted:
            return least <= total <= most
        return (least < 0 or total >= least) and (most < 0 or total <= most)

    return built(name, run, "boolean", given)


def _regex(name: str, given: Sequence[Compiled]) -> Compiled:
    """The whole text against a fixed pattern that states both ends; digits and letters are ASCII, as in Java."""
    refuse_conditions(*given)
    written = given[1].literal
    if written is None:
        raise Unreadable("expression_literal_needed", function="regex")
    try:
        fits = compile_pattern(written)
    except UnfitPattern as unfit:
        raise Unreadable(unfit.code, pattern=written[:_SHOWN], reason=unfit.words) from unfit
    run = given[0].run
    return built(name, lambda state: fits(to_string(run(state))), "boolean", given)


def _of_nodes(name: str, given: Sequence[Compiled]) -> Compiled:
    values = given[0].values
    if values is None:
        raise Unreadable("expression_node_needed", function=name)
    if name == "count":
        return built(name, lambda state: float(len(values(state))), "number", given)
    if name == "count-non-empty":
        return built(name, lambda state: float(sum(value != "" for value in values(state))), "number", given)
    return built(
        name,
        lambda state: sum((one for value in values(state) if not math.isnan(one := to_number(value))), 0.0),
        "number",
        given,
    )


def _listed(given: Sequence[Compiled]) -> Callable[[State], Sequence[Scalar]]:
    """One argument that names nodes stands for all of them; several are a value each."""
    if len(given) == 1 and given[0].values is not None:
        return given[0].values
    single(*given)
    runs = [one.run for one in given]
    return lambda state: [run(state) for run in runs]


def _extreme(name: str, given: Sequence[Compiled]) -> Compiled:
    """The smallest or largest number of what was answered; NaN when nothing was."""
    refuse_conditions(*given)
    values, choose = _listed(given), min if name == "min" else max

    def run(state: State) -> float:
        numbers = (to_number(value) for value in values(state))
        return choose((number for number in numbers if not math.isnan(number)), default=math.nan)

    return built(name, run, "number", given)


def _join(name: str, given: Sequence[Compiled]) -> Compiled:
    refuse_conditions(*given)
    between = given[0].run if name == "join" else None
    if name == "join":
        single(given[0])
    values = _listed(given[1:] if name == "join" else given)

    def run(state: State) -> str:
        return (to_string(between(state)) if between else "").join(map(to_string, values(state)))

    return built(name, run, "string", given)


def _position(name: str, given: Sequence[Compiled]) -> Compiled:
    """position(..): which entry of the repeat this is, from 1."""
    node = given[0].node
    if node is None or not node.entries or given[0].many:
        raise Unreadable("expression_position", function=name)
    return built(name, lambda state: float(state.at + 1), "number", given)


def _indexed_repeat(name: str, given: Sequence[Compiled]) -> Compiled:
    """The value in one entry of a repeat; places below the first mean the first, behind the last there is none."""
    node, repeat = given[0].node, given[1].node
    if node is None or node.entries or node.repeat is None:
        raise Unreadable("expression_node_needed", function=name)
    if repeat is None or not repeat.entries or repeat.repeat != node.repeat:
        raise Unreadable("expression_indexed_repeat")
    single(given[2])
    refuse_conditions(given[2])
    slot, wanted = node.slot, given[2].run

    def run(state: State) -> Scalar:
        number = to_number(wanted(state))
        place = 0 if math.isnan(number) or number < 1 else math.trunc(min(number, 1e9)) - 1
        column = state.column(slot)
        return column[place] if place < len(column) else ""

    return built(name, run, node.kind, given)


@dataclass(frozen=True, slots=True)
class _Call:
    """How many arguments (`most` None: any number), how it is built, and whether it takes sets of nodes."""

    least: int
    most: int | None
    build: Callable[[str, Sequence[Compiled]], Compiled]
    of_nodes: bool = False


_CALLS: dict[str, _Call] = {
    "if": _Call(3, 3, _if),
    "coalesce": _Call(2, 2, _coalesce),
    "not": _Call(1, 1, _not),
    "boolean": _Call(1, 1, _boolean),
    "true": _Call(0, 0, lambda _, __: constant(True, "boolean")),
    "false": _Call(0, 0, lambda _, __: constant(False, "boolean")),
    "once": _Call(1, 1, _same),
    "checklist": _Call(3, None, _checklist),
    "weighted-checklist": _Call(4, None, _checklist),
    "regex": _Call(2, 2, _regex),
    "date": _Call(1, 1, to_date),
    "today": _Call(0, 0, lambda _, __: Compiled(lambda state: state.today, "date", ("today",))),
    "format-date": _Call(2, 2, formatted_date),
    "format-date-time": _Call(2, 2, formatted_date),
    "count": _Call(1, 1, _of_nodes, of_nodes=True),
    "count-non-empty": _Call(1, 1, _of_nodes, of_nodes=True),
    "sum": _Call(1, 1, _of_nodes, of_nodes=True),
    "min": _Call(1, None, _extreme, of_nodes=True),
    "max": _Call(1, None, _extreme, of_nodes=True),
    "concat": _Call(1, None, _join, of_nodes=True),
    "join": _Call(2, None, _join, of_nodes=True),
    "position": _Call(1, 1, _position, of_nodes=True),
    "indexed-repeat": _Call(3, 3, _indexed_repeat, of_nodes=True),
}
