"""The logic of a form: every node's slot, its compiled conditions, and the order in which to evaluate them."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from xml.etree.ElementTree import Element

from survey_forms.forms.expressions import compile_condition, compile_value
from survey_forms.forms.operations import Compiled, Node, Unreadable
from survey_forms.forms.places import question_fault
from survey_forms.forms.scalars import Kind
from survey_forms.forms.xform import JR, MC, Source
from survey_forms.refusal import Fault

_KINDS: dict[str, Kind] = {"int": "number", "decimal": "number", "date": "date"}
_KNOWN = {
    *("nodeset", "type", "relevant", "required", "constraint", "calculate", "readonly"),
    *(f"{JR}requiredMsg", f"{JR}constraintMsg", f"{MC}unit", f"{MC}item"),
}
_ASPECTS = {"calculate": "calculation"}


@dataclass(frozen=True, slots=True)
class Bound:
    """One node's compiled expressions; `within` is the slot of the nearest group with a bind around it."""

    path: str
    slot: int
    bind: Element
    within: int | None
    relevant: Compiled | None
    calculate: Compiled | None
    required: Compiled | None
    constraint: Compiled | None

    @property
    def name(self) -> str:
        """The node's own name, the last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def reads(self) -> frozenset[int]:
        """The slots that must be known before this node's relevance and value are."""
        parts = [one.slots for one in (self.relevant, self.calculate) if one is not None]
        return frozenset[int]().union(*parts, () if self.within is None else (self.within,))


@dataclass(frozen=True, slots=True)
class Logic:
    """All nodes by path, and the evaluation order as slots."""

    nodes: Mapping[str, Bound]
    order: tuple[Bound, ...]

    def sources(self, node: Bound) -> frozenset[int]:
        """Every slot that decides, directly or through others, whether the node is relevant."""
        by_slot = {other.slot: other for other in self.nodes.values()}
        todo = list(node.reads)
        seen: set[int] = set()
        while todo:
            slot = todo.pop()
            if slot not in seen:
                seen.add(slot)
                todo.extend(by_slot[slot].reads)
        return frozenset(seen)


def bind_nodes(source: Source, faults: list[Fault]) -> Logic:
    """Compile every bind of the form; what cannot be compiled is a fault and counts as absent."""
    empty = Element("bind")
    groups = [path for path in source.binds if path not in source.leaves and "meta" not in path.split("/")]
    slots = {path: slot for slot, path in enumerate((*source.leaves, *groups))}
    kinds = {
        path: Node(slots[path], _KINDS.get(source.binds.get(path, empty).get("type", ""), "string"))
        for path in source.leaves
    }
    nodes: dict[str, Bound] = {}
    for path, slot in slots.items():
        bind = source.binds.get(path, empty)
        compiled = {
            part: _compiled(part, bind, path, kinds, faults)
            for part in ("relevant", "calculate", "required", "constraint")
        }
        nodes[path] = Bound(path, slot, bind, _within(path, groups, slots), **compiled)
        for attribute in bind.attrib.keys() - _KNOWN:
            feature = attribute.rpartition("}")[2]
            faults.append(question_fault("form_feature", nodes[path].name, feature, feature=feature))
    return Logic(nodes, _ordered(nodes, faults))


def _compiled(part: str, bind: Element, path: str, kinds: Mapping[str, Node], faults: list[Fault]) -> Compiled | None:
    written = bind.get(part)
    if written is None:
        return None
    try:
        return (compile_value if part == "calculate" else compile_condition)(written, kinds, path)
    except Unreadable as unreadable:
        name = path.rpartition("/")[2]
        faults.append(question_fault(unreadable.code, name, _ASPECTS.get(part, part), **dict(unreadable.facts)))
        return None


def _within(path: str, groups: list[str], slots: Mapping[str, int]) -> int | None:
    around = [group for group in groups if path.startswith(f"{group}/")]
    return slots[max(around, key=len)] if around else None


def _ordered(nodes: Mapping[str, Bound], faults: list[Fault]) -> tuple[Bound, ...]:
    by_slot = {node.slot: node for node in nodes.values()}
    try:
        order = tuple(TopologicalSorter({slot: node.reads for slot, node in by_slot.items()}).static_order())
    except CycleError as error:
        ring = [by_slot[slot].name for slot in error.args[1]]
        first = by_slot[error.args[1][0]]
        aspect = "calculation" if first.calculate else "relevant"
        faults.append(question_fault("form_circular", first.name, aspect, ring=" → ".join(ring)))
        return ()
    return tuple(by_slot[slot] for slot in order)
