"""How components hang together: path patterns, and which supplied table gives which component its weight."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import prod

from survey_forms.scheme.components import Component, LeftOut
from survey_forms.scheme.model import Scheme

_RANGE = re.compile(r"\{([a-z_]*)(\d{1,3})\.\.\1(\d{1,3})\}")
MOST = 1000
FREE = "*"
"""Last step of a component whose ids are the keys of the supplied table of weights."""


def expand(path: str) -> list[tuple[str, str]]:
    """The paths that a path with ranges stands for, each with the number that its last range took.

    "a.{q1..q2}.b" → [("a.q1.b", "1"), ("a.q2.b", "2")]. A range that runs backwards, or ranges that stand for more
    than `MOST` paths, are left as they are: no component can be called so.
    """
    found = _RANGE.search(path)
    lengths = [int(last) - int(first) + 1 for _, first, last in _RANGE.findall(path)]
    if not found or min(lengths) < 1 or prod(lengths) > MOST:
        return [(path, "")]
    prefix, first, last = found.groups()
    return [
        (whole, inner or str(number))
        for number in range(int(first), int(last) + 1)
        for whole, inner in expand(f"{path[: found.start()]}{prefix}{number}{path[found.end() :]}")
    ]


def expanded(components: Iterable[Component]) -> tuple[Component, ...]:
    """The components with each pattern written out; {n} in a name becomes the number."""
    return tuple(
        replace(one, path=path, zh=one.zh.replace("{n}", number), en=one.en.replace("{n}", number))
        for one in components
        for path, number in expand(one.path)
    )


def ancestors(path: str) -> Iterator[str]:
    """The paths above, nearest first, without the composite itself: "a.b.c" → "a.b", "a"."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


@dataclass(frozen=True, slots=True)
class SuppliedWeight:
    """The place in the supplied values that holds a component's weight; `key` is "" for a single share."""

    left_out: LeftOut
    base: str
    key: str


def supplied_weights(scheme: Scheme) -> dict[str, SuppliedWeight]:
    """Component path → where its weight is supplied, for every component whose weight the document leaves out."""
    weights: dict[str, SuppliedWeight] = {}
    for entry in scheme.left_out:
        if entry.kind == "share":
            weights[entry.of] = SuppliedWeight(entry, entry.of.rpartition(".")[0], "")
        elif entry.kind == "shares":
            for base, _ in expand(entry.of):
                for component in scheme.components:
                    key = _below(component, base, entry.over)
                    if key:
                        weights[component.path] = SuppliedWeight(entry, base, key)
    return weights


def _below(component: Component, base: str, over: Iterable[str]) -> str:
    """The component's path relative to `base` if one of the patterns `over` reaches it, else ""."""
    prefix = f"{base}." if base else ""
    if component.minus or not component.path.startswith(prefix):
        return ""
    key = component.path[len(prefix) :]
    steps = key.split(".")
    for pattern in over:
        wanted = pattern.split(".")
        if len(wanted) == len(steps) and all(map(fnmatchcase, steps, wanted)):
            return key
    return ""


def groups(weights: dict[str, SuppliedWeight]) -> set[str]:
    """Components without a weight of their own, because the weights below them count towards one higher up."""
    return {above for path, weight in weights.items() for above in ancestors(path) if len(above) > len(weight.base)}


def in_class(component: Component, unit_class: str) -> bool:
    """Whether units of this class have the component."""
    weight = component.weight
    return weight is None or not weight.by_class or unit_class in weight.by_class
