"""The logic of a form: every node's slot, its compiled expressions, and the order in which to evaluate them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from graphlib import CycleError, TopologicalSorter
from xml.etree.ElementTree import Element

from survey_forms.forms.choices import NOTHING, SELECTS, Offered, lists_of, offered
from survey_forms.forms.expressions import compile_condition, compile_expression, compile_value
from survey_forms.forms.itext import quoted_names
from survey_forms.forms.model import Text
from survey_forms.forms.operations import Compiled, Node, Unreadable, constant
from survey_forms.forms.places import question_fault
from survey_forms.forms.scalars import Kind, State, to_number
from survey_forms.forms.xform import JR, MC, Source
from survey_forms.refusal import Fault

_KINDS: dict[str, Kind] = {"int": "number", "decimal": "number", "date": "date"}
_KNOWN = {
    *("nodeset", "type", "relevant", "required", "constraint", "calculate", "readonly"),
    *(f"{JR}requiredMsg", f"{JR}constraintMsg", f"{MC}unit", f"{MC}item", f"{JR}preload", f"{JR}preloadParams"),
    "{http://openrosa.org/xforms}max-pixels",
}
_ASPECTS = {"calculate": "calculation", "count": "repeat_count"}
DEVICE = {"timestamp", "property"}
_DAY_OF_ANSWERING = ("date", "today")
_NONE = Element("bind")


@dataclass(frozen=True, slots=True)
class Bound:
    """One node's compiled expressions.

    `within` is the slot of the nearest group with a condition, or of the repeat, around it; `repeat` the path of the
    repeat that it is in or that it is. `first` is the value that it has before anyone answers. What is not `kept`
    is worked out and never becomes part of the answers.
    """

    path: str
    slot: int
    bind: Element
    within: int | None = None
    repeat: str | None = None
    relevant: Compiled | None = None
    calculate: Compiled | None = None
    required: Compiled | None = None
    constraint: Compiled | None = None
    first: Compiled | None = None
    count: Compiled | None = None
    offered: Offered = NOTHING
    kept: bool = True

    @property
    def name(self) -> str:
        """The node's own name, the last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def reads(self) -> frozenset[int]:
        """The slots that must be known before this node's relevance and value are."""
        parts = [one.slots for one in (self.relevant, self.calculate, self.count, self.first) if one is not None]
        within = () if self.within is None else (self.within,)
        return frozenset[int]().union(*parts, self.offered.slots, within)


@dataclass(frozen=True, slots=True)
class Logic:
    """All nodes by path, what wordings quote by name, and the evaluation order."""

    nodes: Mapping[str, Bound]
    by_slot: Mapping[int, Bound]
    outputs: Mapping[str, Compiled]
    order: tuple[Bound, ...]
    _sources: dict[int, frozenset[int]] = field(default_factory=dict)

    def sources(self, node: Bound) -> frozenset[int]:
        """Every slot that decides, directly or through others, whether the node is asked and with which choices."""
        known = self._sources.get(node.slot)
        if known is None:
            known = self._sources[node.slot] = self._behind(node.reads)
        return known

    def fixed(self, compiled: Compiled | None) -> float | None:
        """A number that neither an answer nor the day can change; None when there is none."""
        while compiled is not None and len(compiled.slots) == 1:
            (slot,) = compiled.slots
            compiled = self.by_slot[slot].calculate
        if compiled is None or compiled.slots:
            return None
        one, other = (to_number(compiled.run(State(0, date(year, 1, 1)))) for year in (2000, 2001))
        return one if one == other else None

    def shown(self, texts: Iterable[Text]) -> frozenset[int]:
        """Every slot that wordings quote, directly or through others."""
        quoted = (self.outputs[name].slots for name in quoted_names(texts) if name in self.outputs)
        return self._behind(frozenset[int]().union(*quoted))

    def _behind(self, start: frozenset[int]) -> frozenset[int]:
        todo, seen = list(start), set[int]()
        while todo:
            slot = todo.pop()
            if slot not in seen:
                seen.add(slot)
                todo.extend(self.by_slot[slot].reads)
        return frozenset(seen)


def bind_nodes(source: Source, faults: list[Fault]) -> Logic:
    """Compile every bind of the form; what cannot be compiled is a fault and counts as absent."""
    binder = _Binder(source, faults)
    nodes = {path: binder.bound(path) for path in binder.slots}
    outputs = binder.outputs()
    for path, bind in source.binds.items():
        strange = bind.attrib.keys() - _KNOWN if path in nodes else ()
        for attribute in sorted(strange):
            feature = attribute.rpartition("}")[2]
            faults.append(question_fault("form_feature", nodes[path].name, feature, feature=feature))
    by_slot = {node.slot: node for node in nodes.values()}
    return Logic(nodes, by_slot, outputs, _ordered(by_slot, faults))


class _Binder:
    """Compiles one node after another; `nodes` is what expressions can name."""

    def __init__(self, source: Source, faults: list[Fault]) -> None:
        self.source = source
        self.faults = faults
        self.device = {path for path in source.leaves if self.bind_of(path).get(f"{JR}preload") in DEVICE}
        self.conditional = [
            path for path in source.groups if path in source.repeats or self.bind_of(path).get("relevant") is not None
        ]
        self.selects = {select.get("ref", ""): select for tag in SELECTS for select in source.body.iter(tag)}
        named = (path for path in source.paths if path not in self.device)
        self.slots = {path: slot for slot, path in enumerate(named)}
        self.nodes = {path: self.node(path) for path in self.slots if path in source.repeats or path in source.leaves}
        self.lists = lists_of(source)

    def bind_of(self, path: str) -> Element:
        return self.source.binds.get(path, _NONE)

    def node(self, path: str) -> Node:
        kind = _KINDS.get(self.bind_of(path).get("type", ""), "string")
        return Node(self.slots[path], kind, self.source.repeat_of(path), entries=path in self.source.repeats)

    def bound(self, path: str) -> Bound:
        source, bind = self.source, self.bind_of(path)
        around = [group for group in self.conditional if path.startswith(f"{group}/")]
        preload = (bind.get(f"{JR}preload"), bind.get(f"{JR}preloadParams"))
        calculate = self.compiled("calculate", bind.get("calculate"), path)
        first = self.first(path)
        if preload == _DAY_OF_ANSWERING:
            calculate = self.compiled("calculate", "today()", path)
        elif preload[0] is not None:
            name = path.rpartition("/")[2]
            self.faults.append(question_fault("form_feature", name, "type", feature=f"{preload[0]} {preload[1] or ''}"))
        repeat = source.repeats.get(path)
        count = repeat.get(f"{JR}count") if repeat is not None else None
        return Bound(
            path,
            self.slots[path],
            bind,
            within=self.slots[max(around, key=len)] if around else None,
            repeat=source.repeat_of(path),
            relevant=self.compiled("relevant", bind.get("relevant"), path),
            calculate=calculate,
            required=self.compiled("required", bind.get("required"), path),
            constraint=self.compiled("constraint", bind.get("constraint"), path),
            first=first,
            count=self.compiled("count", count, path.rpartition("/")[0]),
            offered=self.offered(path),
            kept=preload != _DAY_OF_ANSWERING,
        )

    def compiled(self, part: str, written: str | None, path: str) -> Compiled | None:
        if written is None:
            return None
        compiler = compile_condition if part in {"relevant", "required", "constraint"} else compile_value
        try:
            return compiler(written, self.nodes, path, self.lists)
        except Unreadable as unreadable:
            self.refuse(unreadable, path.rpartition("/")[2], _ASPECTS.get(part, part))
            return None

    def first(self, path: str) -> Compiled | None:
        """The default: words of the author's, or an expression of the day alone, the same whenever it is read."""
        written = self.source.first_values.get(path)
        if written is None:
            words = self.source.defaults.get(path)
            return None if words is None else constant(words, "string", words)
        try:
            value = compile_expression(written, self.nodes, path, self.lists)
        except Unreadable as unreadable:
            self.refuse(unreadable, path.rpartition("/")[2], "default")
            return None
        if value.slots or value.kind == "boolean":
            self.faults.append(question_fault("form_default_reads", path.rpartition("/")[2], "default"))
            return None
        return value

    def offered(self, path: str) -> Offered:
        select = self.selects.get(path)
        if select is None:
            return NOTHING
        try:
            return offered(select, self.source, self.nodes, path, self.lists)
        except Unreadable as unreadable:
            self.refuse(unreadable, path.rpartition("/")[2], "choice_filter")
            return NOTHING

    def outputs(self) -> dict[str, Compiled]:
        """What wordings quote, by the name between `${` and `}`."""
        found: dict[str, Compiled] = {}
        for name, places in self.source.wordings.outputs.items():
            for place in places:
                try:
                    found[name] = compile_value(place.expression, self.nodes, place.context or "/", self.lists)
                except Unreadable as unreadable:
                    self.refuse(unreadable, place.context.rpartition("/")[2] or name, "label")
        return found

    def refuse(self, unreadable: Unreadable, name: str, aspect: str) -> None:
        code, facts = unreadable.code, dict(unreadable.facts)
        if code == "expression_name_unknown" and any(one.endswith(f"/{facts['name']}") for one in self.device):
            code = "expression_device"
        self.faults.append(question_fault(code, name, aspect, **facts))


def _ordered(by_slot: Mapping[int, Bound], faults: list[Fault]) -> tuple[Bound, ...]:
    try:
        order = tuple(TopologicalSorter({slot: node.reads for slot, node in by_slot.items()}).static_order())
    except CycleError as error:
        ring = [by_slot[slot].name for slot in error.args[1]]
        first = by_slot[error.args[1][0]]
        aspect = "calculation" if first.calculate else "relevant"
        faults.append(question_fault("form_circular", first.name, aspect, ring=" → ".join(ring)))
        return ()
    return tuple(by_slot[slot] for slot in order)
