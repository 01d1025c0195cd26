"""What stands against a unit: entries add up, a reversed one does not count, and each cap stops its sum."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from survey_forms.numbers import ZERO, plain
from survey_forms.scheme.model import Aspect, Rule, Scheme


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger: points against (or for) the component `to`, or the reversal of an earlier line.

    `where` is its path in the input; `label` the event that caused it, if the scheme did so by itself.
    """

    id: str
    to: str = ""
    points: Decimal = ZERO
    aspect: str = ""
    rule: str = ""
    reverses: str = ""
    where: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Caps:
    """The limits of one component's ledger: of a rule, of an aspect, in total; none where absent."""

    total: Decimal | None = None
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """What one cap did not let through: which cap, what came to it, and how much of that it cut off."""

    kind: Literal["rule", "aspect", "total"]
    id: str  # of the rule or the aspect; "" for the total
    cap: Decimal
    came: Decimal
    article: str

    @property
    def points(self) -> Decimal:
        """The points that were cut off."""
        return self.came - self.cap


def caps_of_ledger(scheme: Scheme, component: str) -> Caps:
    """The limits that a scheme sets to the ledger of the component at that path."""
    return Caps(
        scheme.by_path[component].cap,
        {one.id: one for one in scheme.aspects if one.of == component},
        {one.id: one for one in scheme.rules if one.of == component},
    )


def standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that count: neither reversed nor reversing.

    A reversal reaches lines of the ledger only, never an event, whatever the two are called.
    """
    entries = tuple(entries)
    gone = {entry.reverses for entry in entries if entry.reverses}
    return tuple(entry for entry in entries if not entry.reverses and (entry.label or entry.id not in gone))


def deducted(entries: Iterable[Entry], caps: Caps) -> Decimal:
    """扣满为止: points add up under each rule, each aspect and in total, and stop at each cap in turn."""
    total = ZERO
    for aspect, rules in _grouped(entries).items():
        held = sum((_held(sum(points, ZERO), _cap(caps.rules, rule)) for rule, points in rules.items()), ZERO)
        total += _held(held, _cap(caps.aspects, aspect))
    return _held(total, caps.total)


def cuts(entries: Iterable[Entry], caps: Caps, article: str = "") -> tuple[Cut, ...]:
    """What each cap cut off, rules before their aspect and the total last.

    The cut points and `deducted` make the sum of all entries. `article` is that of the total's cap.
    """
    found: list[Cut] = []
    total = ZERO
    for aspect, rules in _grouped(entries).items():
        held = ZERO
        for rule, points in rules.items():
            held += _cut(found, "rule", caps.rules.get(rule), sum(points, ZERO))
        total += _cut(found, "aspect", caps.aspects.get(aspect), held)
    if caps.total is not None and total > caps.total:
        found.append(Cut("total", "", caps.total, total, article))
    return tuple(found)


def _cut(found: list[Cut], kind: Literal["rule", "aspect"], limit: Aspect | Rule | None, came: Decimal) -> Decimal:
    """What a limit lets through; what it cuts off is added to `found`."""
    if limit is None or limit.cap is None or came <= limit.cap:
        return came
    found.append(Cut(kind, limit.id, limit.cap, came, limit.article))
    return limit.cap


def sum_in_words(entries: Iterable[Entry], caps: Caps) -> str:
    """The same arithmetic as `deducted`, written out: "min(min(1.4 + 0.5, 2) + 1.2, 3)"."""
    outer: list[str] = []
    for aspect, rules in _grouped(entries).items():
        inner: list[str] = []
        for rule, points in rules.items():
            inner += _limited([plain(one) for one in points], _cap(caps.rules, rule))
        outer += _limited(inner, _cap(caps.aspects, aspect))
    return " + ".join(_limited(outer, caps.total)) or "0"


def _grouped(entries: Iterable[Entry]) -> dict[str, dict[str, list[Decimal]]]:
    """Aspect → rule → points."""
    groups: dict[str, dict[str, list[Decimal]]] = {}
    for entry in entries:
        groups.setdefault(entry.aspect, {}).setdefault(entry.rule, []).append(entry.points)
    return groups


def _held(points: Decimal, cap: Decimal | None) -> Decimal:
    return points if cap is None else min(points, cap)


def _limited(terms: list[str], cap: Decimal | None) -> list[str]:
    return terms if cap is None or not terms else [f"min({' + '.join(terms)}, {plain(cap)})"]


def _cap(limits: Mapping[str, Aspect] | Mapping[str, Rule], key: str) -> Decimal | None:
    limit = limits.get(key)
    return limit.cap if limit else None
