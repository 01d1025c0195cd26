"""The values that a document leaves out, as the input supplies them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from survey_forms.numbers import HUNDRED, ZERO, plain
from survey_forms.scheme.components import LeftOut
from survey_forms.scheme.model import Scheme
from survey_forms.scheme.tree import FREE, expand, in_class, supplied_weights
from survey_forms.scoring.intake import Intake, brief

Shares = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Supplied:
    """What was supplied, by the left-out value's dotted path.

    `shares`: weights, id → per cent (a single share under the id ""). `percents`: one percentage each.
    `bands`: grade and lowest score, best first; None where neither the document nor the input has any.
    `grade_shares`: grade → per cent. `zeroed`: binding condition → component id. `unit_shares`: unit id → weights.
    """

    shares: dict[str, Shares] = field(default_factory=dict)
    percents: dict[str, Decimal] = field(default_factory=dict)
    bands: tuple[tuple[str, Decimal], ...] | None = None
    grade_shares: Shares | None = None
    zeroed: dict[str, dict[str, str]] = field(default_factory=dict)
    unit_shares: dict[str, Shares] = field(default_factory=dict)

    def names_components(self, scheme: Scheme) -> bool:
        """Whether every table of weights whose keys are the ids of components is there."""
        weights = supplied_weights(scheme)
        free = (weights[one.path].left_out.path for one in scheme.components if one.key == FREE)
        return all(self.shares.get(path) for path in free)


def read_supplied(scheme: Scheme, raw: dict[str, Any], unit_classes: Mapping[str, str], intake: Intake) -> Supplied:
    """Read `supplied`; a value that the arithmetic needs and nobody supplied is a fault that names it.

    Args:
        scheme: tells what is left out.
        raw: dotted path → value.
        unit_classes: unit id → class, for weights that the office adjusts for one unit.
        intake: takes the faults.
    """
    reading = _Reading(scheme, raw, unit_classes, intake)
    for entry in sorted(scheme.left_out, key=lambda one: one.kind == "zeroed"):  # these name ids of the others
        if entry.kind == "unit_shares":
            reading.unit_shares(entry)
        elif entry.kind != "material":
            reading.read(entry)
    for key in raw.keys() - reading.known:
        intake.fault("unknown_key", f"supplied.{brief(key)}", known=", ".join(sorted(reading.known)) or "—")
    return reading.found


class _Reading:
    """Reads one kind of left-out value a method; `known` are the supplied paths that the scheme has a use for."""

    def __init__(self, scheme: Scheme, raw: dict[str, Any], unit_classes: Mapping[str, str], intake: Intake) -> None:
        self.scheme, self.raw, self.unit_classes, self.intake = scheme, raw, unit_classes, intake
        self.found, self.known = Supplied(), set[str]()
        self._weights = supplied_weights(scheme)

    def read(self, entry: LeftOut) -> None:
        """One left-out value, if it was supplied; if not, a fault where the composite cannot do without."""
        self.known.add(entry.path)
        path, given = f"supplied.{entry.path}", self.raw.get(entry.path)
        if given is None:
            if entry.path in self.raw:
                self.intake.fault("missing_value", path)
            elif entry.kind in {"shares", "share", "percent"}:
                self.intake.fault("supplied_missing", path, zh=entry.zh, en=entry.en)
            return
        match entry.kind:
            case "shares":
                self.found.shares[entry.path] = self.intake.shares(given, path, self.ids(entry))
            case "share":
                self.found.shares[entry.path] = {"": self.intake.number(given, path, HUNDRED)}
            case "percent":
                self.found.percents[entry.path] = self.intake.number(given, path, HUNDRED)
            case "grades":
                self.found = replace(self.found, bands=self.bands(given, path))
            case "grade_shares":
                self.found = replace(self.found, grade_shares=self.grade_shares(given, path))
            case "zeroed":
                self.found.zeroed[entry.path] = self.zeroed(entry, given, path)

    def ids(self, entry: LeftOut) -> list[str] | None:
        """The ids that the table of weights must name; None where it is the table that names the components."""
        keys = [weight.key for weight in self._weights.values() if weight.left_out is entry]
        return None if FREE in keys else list(dict.fromkeys(keys))

    def unit_shares(self, entry: LeftOut) -> None:
        """Weights of single units, supplied as `<path>.<unit id>`."""
        prefix = f"{entry.path}."
        for key in (key for key in self.raw if key.startswith(prefix)):
            self.known.add(key)
            unit, path = key.removeprefix(prefix), f"supplied.{brief(key)}"
            if not self.intake.known(unit, self.unit_classes, path):
                continue
            unit_class = self.unit_classes[unit]
            if entry.classes and unit_class not in entry.classes:
                allowed = ", ".join(entry.classes)
                self.intake.fault("weights_not_adjustable", path, unit=unit, value=unit_class, known=allowed)
                continue
            children = [one.key for one in self.scheme.children(entry.of) if in_class(one, unit_class)]
            self.found.unit_shares[unit] = self.intake.shares(self.raw[key], path, children)

    def bands(self, given: Any, path: str) -> tuple[tuple[str, Decimal], ...]:
        """`[["优", "90"], …]`, descending."""
        scale = self.scheme.composite.scale if self.scheme.composite else HUNDRED
        bands: list[tuple[str, Decimal]] = []
        for place, one in enumerate(self.intake.items(given, path)):
            pair = self.intake.items(one, f"{path}[{place}]")
            if len(pair) != 2:
                if isinstance(one, list):
                    self.intake.fault("not_a_band", f"{path}[{place}]")
                continue
            name = self.intake.text(pair[0], f"{path}[{place}][0]")
            if name in dict(bands):
                self.intake.fault("duplicate_id", f"{path}[{place}][0]", value=name)
            bands.append((name, self.intake.number(pair[1], f"{path}[{place}][1]", scale)))
        if isinstance(given, list) and not given:
            self.intake.fault("missing_value", f"{path}[0]")
        for place, (better, worse) in enumerate(pairwise(bands), start=1):
            if worse[1] >= better[1]:
                self.intake.fault(
                    "bands_not_descending", f"{path}[{place}][1]", value=plain(worse[1]), above=plain(better[1])
                )
        return tuple(bands)

    def grade_shares(self, given: Any, path: str) -> Shares:
        """`{"先进": per cent, …}`: every grade but the one that takes the rest, together at most 100."""
        table = self.intake.table(given, path)
        names = [grade.name for grade in self.scheme.grades if not grade.rest and grade.share is None]
        self.intake.keys(table, names, path)
        shares = self.intake.numbers(table, path)
        fixed = sum((grade.share or ZERO for grade in self.scheme.grades), ZERO)
        total = sum(shares.values(), fixed)
        if total > HUNDRED:
            self.intake.fault("shares_over_100", path, sum=plain(total))
        return shares

    def zeroed(self, entry: LeftOut, given: Any, path: str) -> dict[str, str]:
        """`{condition: component id}`: every condition that the document lists, each an id that is there."""
        table = self.intake.table(given, path)
        self.intake.keys(table, [one.id for one in self.scheme.bindings if one.zeroes == entry.path], path)
        there: set[str] = set()
        for child in (child for base, _ in expand(entry.of) for child in self.scheme.children(base)):
            supplied = self.found.shares.get(self._weights[child.path].left_out.path, {}) if child.key == FREE else {}
            there |= supplied.keys() if child.key == FREE else {child.key}
        given = ((key, one) for key, one in table.items() if one is not None)
        mapping = {key: self.intake.text(one, f"{path}.{brief(key)}") for key, one in given}
        for condition, target in mapping.items():
            if there:  # where the weights that name the ids are missing, that is the fault to mend first
                self.intake.known(target, there, f"{path}.{brief(condition)}")
        return mapping
