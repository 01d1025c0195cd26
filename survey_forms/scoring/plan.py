"""The tree of components with every weight filled in: what is computed for the units of one class."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from survey_forms.numbers import HUNDRED, ZERO
from survey_forms.scheme.components import Component
from survey_forms.scheme.model import Aspect, Rule, Scheme
from survey_forms.scheme.tree import FREE, expand, groups, in_class, supplied_weights
from survey_forms.scoring.supplied import Shares, Supplied


@dataclass(frozen=True, slots=True)
class Node:
    """One component of the tree; `weight` is its share of the parent in per cent.

    `weight_from` is the path of the supplied table that it comes from, "" where the document states it;
    `weight_article` is where the document says so, or says nothing. `terms`: path and weight of each child.
    """

    path: str
    component: Component
    weight: Decimal
    children: tuple["Node", ...] = ()
    weight_from: str = ""
    weight_article: str = ""
    terms: tuple[tuple[str, Decimal], ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple((child.path, child.weight) for child in self.children))

    @property
    def handed_in(self) -> bool:
        """Whether its score is handed in rather than computed."""
        return not self.children and self.component.start is None and not self.component.minus


@dataclass(frozen=True, slots=True)
class Plan:
    """What a unit's composite is made of.

    `nodes` are the top components, `order` every node, children before their parent, and `computed` those of them
    that are more than a score handed in. `inputs` mirrors the tree for reading: key → path of a score, or a table of
    the same. `deductible`, `bonused`: paths whose ledger takes entries; `aspects`, `rules`: those of each ledger.
    """

    nodes: tuple[Node, ...]
    order: tuple[Node, ...]
    computed: tuple[Node, ...]
    inputs: Mapping[str, object]
    deductible: tuple[str, ...]
    bonused: tuple[str, ...]
    aspects: Mapping[str, Mapping[str, Aspect]] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)

    def walk(self) -> tuple[Node, ...]:
        """Every node, children before their parent."""
        return self.order


def plan_for(scheme: Scheme, supplied: Supplied, unit_class: str = "", adjusted: Shares | None = None) -> Plan:
    """The plan for units of this class; `adjusted` are one unit's own weights, where the office set them.

    A weight that nobody supplied stands as zero: the reader of the input refuses before anything is computed.
    """
    nodes = _Builder(scheme, supplied, unit_class, adjusted or {}).children("")
    order = tuple(_children_first(nodes))
    deductible = tuple(node.path for node in order if "deductions" in node.component.takes)
    return Plan(
        nodes=nodes,
        order=order,
        computed=tuple(node for node in order if not node.handed_in or node.component.takes or node.component.floor),
        inputs=_inputs(nodes),
        deductible=deductible,
        bonused=tuple(node.path for node in order if "bonuses" in node.component.takes),
        aspects={of: {one.id: one for one in scheme.aspects if one.of == of} for of in deductible},
        rules={of: {one.id: one for one in scheme.rules if one.of == of} for of in deductible},
    )


def zeroed_paths(scheme: Scheme, supplied: Supplied, condition: str) -> list[str]:
    """The components that this binding condition sets to zero; empty where it zeroes none."""
    binding = next(one for one in scheme.bindings if one.id == condition)
    mapping = next((one for one in scheme.left_out if one.path == binding.zeroes and one.kind == "zeroed"), None)
    if mapping is None:
        return [binding.zeroes] if binding.zeroes else []
    target = supplied.zeroed.get(mapping.path, {}).get(condition)
    return [f"{base}.{target}" if base else target for base, _ in expand(mapping.of)] if target else []


class _Builder:
    """Fills weights in, from the file, the supplied values, or what the siblings leave."""

    def __init__(self, scheme: Scheme, supplied: Supplied, unit_class: str, adjusted: Shares) -> None:
        self.scheme, self.supplied, self.unit_class = scheme, supplied, unit_class
        self.weights = supplied_weights(scheme)
        self.groups = groups(self.weights)
        self.adjustable = scheme.left_out_of("unit_shares")
        above = f"{self.adjustable.of}." if self.adjustable and self.adjustable.of else ""
        self.adjusted = {f"{above}{key}": share for key, share in adjusted.items()}

    def children(self, path: str) -> tuple[Node, ...]:
        """The nodes below `path`, those of a supplied table of ids included."""
        nodes: list[Node] = []
        for one in self.scheme.children(path):
            if one.key == FREE:
                nodes += self._free(one)
            elif in_class(one, self.unit_class):
                nodes.append(self._node(one))
        rest = HUNDRED - sum((node.weight for node in nodes if not node.component.minus), ZERO)
        return tuple(replace(node, weight=rest) if _is_rest(node.component) else node for node in nodes)

    def _free(self, one: Component) -> Iterator[Node]:
        """A node for each id that the supplied table of weights names."""
        entry = self.weights[one.path].left_out
        for key, share in self.supplied.shares.get(entry.path, {}).items():
            named = replace(one, path=f"{one.parent}.{key}", zh=f"{one.zh}{key}", en=f"{one.en} {key}")
            yield Node(named.path, named, share, (), entry.path, entry.article)

    def _node(self, one: Component) -> Node:
        below = self.children(one.path)
        if one.path in self.adjusted and self.adjustable:
            return Node(one.path, one, self.adjusted[one.path], below, self.adjustable.path, self.adjustable.article)
        if one.path in self.weights:
            place = self.weights[one.path]
            share = self.supplied.shares.get(place.left_out.path, {}).get(place.key, ZERO)
            return Node(one.path, one, share, below, place.left_out.path, place.left_out.article)
        stated = one.weight.of(self.unit_class) if one.weight else None
        whole = one.minus or one.path in self.groups  # takes its points, or passes its items' on, undiminished
        return Node(one.path, one, HUNDRED if whole else stated or ZERO, below, "", one.article)


def _is_rest(component: Component) -> bool:
    return component.weight is not None and component.weight.rest


def _children_first(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Every node, children before their parent."""
    for node in nodes:
        yield from _children_first(node.children)
        yield node


def _inputs(nodes: tuple[Node, ...]) -> dict[str, object]:
    """Key → path, or a table, for the scores that are handed in."""
    inputs: dict[str, object] = {}
    for node in nodes:
        below = _inputs(node.children)
        if node.handed_in:
            inputs[node.component.key] = node.path
        elif below:
            inputs[node.component.key] = below
    return inputs
