"""考评得分: the weighted sum of the components, less what the ledger takes, rounded once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from survey_forms.numbers import ONE_PERCENT, ZERO
from survey_forms.scoring.ledger import Caps, Entry, deducted, standing
from survey_forms.scoring.plan import Node, Plan
from survey_forms.scoring.unit import UnitFacts


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the arithmetic gave, all unrounded.

    `values`: component path → its score. `parts`: top component → its contribution, a deduction negative.
    `against`, `towards`: the deductions and bonuses that stand, by component. `cut`: points no cap let through.
    `zeroed`: components that a binding condition set to zero.
    """

    total: Decimal
    parts: Mapping[str, Decimal]
    values: Mapping[str, Decimal]
    against: Mapping[str, tuple[Entry, ...]]
    towards: Mapping[str, tuple[Entry, ...]]
    cut: Decimal
    zeroed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit's facts, the plan it was scored by, what the arithmetic gave, and the figure that is published."""

    unit: UnitFacts
    plan: Plan
    reckoning: Reckoning
    published: Decimal

    def figures_only(self) -> "Scored":
        """The same without what only a trace tells; ten thousand units then fit beside their input."""
        unit = replace(self.unit, scores={}, deductions=(), bonuses=())
        return replace(self, unit=unit, reckoning=replace(self.reckoning, values={}, against={}, towards={}))


def reckon(plan: Plan, unit: UnitFacts, zeroed: Sequence[str] = ()) -> Reckoning:
    """The composite of one unit; `zeroed` components count zero. Runs within `numbers.EXACT`."""
    against = _by_component(standing(unit.deductions))
    towards = _by_component(unit.bonuses)
    values = dict(unit.scores)
    values.update(dict.fromkeys(values.keys() & set(zeroed), ZERO))
    cut = ZERO
    for node in plan.computed:
        path = node.path
        value = _before_ledger(node, values)
        for entry in towards.get(path, ()):
            value += entry.points
        if path in against:
            taken = deducted(against[path], caps_of(plan, node))
            cut += sum((entry.points for entry in against[path]), ZERO) - taken
            value += taken if node.component.minus else -taken
        if node.component.floor is not None:
            value = max(value, node.component.floor)
        values[path] = ZERO if path in zeroed else value
    parts = {node.component.key: contribution(node, values) for node in plan.nodes}
    return Reckoning(sum(parts.values(), ZERO), parts, values, against, towards, cut, tuple(zeroed))


def caps_of(plan: Plan, node: Node) -> Caps:
    """The limits of the node's ledger."""
    return Caps(node.component.cap, plan.aspects.get(node.path, {}), plan.rules.get(node.path, {}))


def contribution(node: Node, values: Mapping[str, Decimal]) -> Decimal:
    """What the node adds to its parent: its score times its weight, or what it takes away."""
    value = values[node.path]
    return -value if node.component.minus else value * node.weight * ONE_PERCENT


def _before_ledger(node: Node, values: Mapping[str, Decimal]) -> Decimal:
    """The score as the sum of its parts, as it starts, or as handed in."""
    if node.terms:
        total = ZERO
        for path, weight in node.terms:
            total += values[path] * weight
        return total * ONE_PERCENT
    if node.component.minus:
        return ZERO
    return values[node.path] if node.component.start is None else node.component.start


def _by_component(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.to].append(entry)
    return {to: tuple(group) for to, group in found.items()}
