"""考评得分: the weighted sum of the components, less what the ledger takes, rounded once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def reckon(plan: Plan, unit: UnitFacts, zeroed: Sequence[str] = ()) -> Reckoning:
    """The composite of one unit; `zeroed` components count zero. Runs within `numbers.EXACT`."""
    against = _by_component(standing(unit.deductions))
    towards = _by_component(unit.bonuses)
    values: dict[str, Decimal] = {}
    cut = ZERO
    for node in plan.walk():
        path = node.path
        value = _before_ledger(node, unit.scores, values)
        for entry in towards.get(path, ()):
            value += entry.points
        if path in against:
            taken = deducted(against[path], caps_of(plan, node))
            cut += sum((entry.points for entry in against[path]), ZERO) - taken
            value += taken if node.component.minus else -taken
        if node.component.floor is not None:
            value = max(value, node.component.floor)
        values[path] = value
        if path in zeroed:
            values[path] = ZERO
    parts = {node.component.key: contribution(node, values) for node in plan.nodes}
    return Reckoning(sum(parts.values(), ZERO), parts, values, against, towards, cut, tuple(zeroed))


def caps_of(plan: Plan, node: Node) -> Caps:
    """The limits of the node's ledger."""
    return Caps(node.component.cap, plan.aspects.get(node.path, {}), plan.rules.get(node.path, {}))


def contribution(node: Node, values: Mapping[str, Decimal]) -> Decimal:
    """What the node adds to its parent: its score times its weight, or what it takes away."""
    value = values[node.path]
    return -value if node.component.minus else value * node.weight * ONE_PERCENT


def _before_ledger(node: Node, scores: Mapping[str, Decimal], values: Mapping[str, Decimal]) -> Decimal:
    """The score as handed in, as the sum of its parts, or as it starts."""
    if node.children:
        return sum((values[child.path] * child.weight for child in node.children), ZERO) * ONE_PERCENT
    if node.component.minus:
        return ZERO
    return scores[node.path] if node.component.start is None else node.component.start


def _by_component(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.to].append(entry)
    return {to: tuple(group) for to, group in found.items()}
