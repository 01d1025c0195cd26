"""One unit of the exchange format as facts: its scores, its ledger, the conditions violated, its records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from survey_forms.numbers import ZERO, plain_decimal
from survey_forms.scheme.model import FactField, FactList, Scheme
from survey_forms.scoring.intake import Intake
from survey_forms.scoring.ledger import Entry
from survey_forms.scoring.plan import Plan

LEDGER = "inspection"
"""Where a deduction goes that names no component."""
_OWN = ("deductions", "bonuses", "binding")
_LISTS = ("persons", "history", "leave")
"""Lists of the format that some schemes have no use for; these take them empty."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What is known of a unit. `scores` by component path; `violated` binding conditions; `records` by fact."""

    id: str
    unit_class: str
    scores: Mapping[str, Decimal]
    deductions: tuple[Entry, ...] = ()
    bonuses: tuple[Entry, ...] = ()
    violated: tuple[str, ...] = ()
    records: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A unit of the input whose id and class are known: its table, and where that stands."""

    id: str
    unit_class: str
    table: Mapping[str, Any]
    path: str


def read_unit(scheme: Scheme, plan: Plan, named: NamedUnit, intake: Intake) -> UnitFacts:
    """The facts of one unit; a value that is at fault is left out, its fault noted."""
    raw, path = named.table, named.path
    facts = [fact.id for fact in scheme.facts]
    unused = [name for name in _LISTS if name not in facts]
    known = ["id", *(["class"] if scheme.classes else []), "scores", *_OWN, *unused, *facts]
    if not raw.keys() <= set(known):
        intake.keys(raw, known, path, need=False)
    records = {
        fact.id: _records(fact, raw[fact.id], f"{path}.{fact.id}", intake) for fact in scheme.facts if fact.id in raw
    }
    for name in unused:
        if name in raw and intake.items(raw[name], f"{path}.{name}"):
            intake.fault("not_in_scheme", f"{path}.{name}", zh=scheme.zh, en=scheme.en)
    sheet = _Sheet(scheme.composite.scale if scheme.composite else ZERO, intake)
    if plan.inputs or "scores" in raw:
        sheet.read(plan.inputs, raw.get("scores"), f"{path}.scores")
    deductions = _deductions(raw.get("deductions", []), f"{path}.deductions", plan, intake)
    return UnitFacts(
        named.id,
        named.unit_class,
        scores=sheet.scores,
        deductions=(*deductions, *_event_entries(scheme, records)),
        bonuses=_bonuses(raw.get("bonuses", []), f"{path}.bonuses", plan, intake),
        violated=_violated(scheme, raw.get("binding", []), f"{path}.binding", intake),
        records=records,
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A unit's scores by component path, as they are read from their tree; each lies between 0 and the scale."""

    scale: Decimal
    intake: Intake
    scores: dict[str, Decimal] = field(default_factory=dict)

    def read(self, inputs: Mapping[str, Any], raw: Any, path: str) -> None:
        """One table of the tree, and those below it."""
        table = self.intake.table(raw, path)
        if raw is not table:
            return
        if not table.keys() <= inputs.keys():
            self.intake.keys(table, inputs, path, need=False)
        for key, below in inputs.items():
            one = table.get(key)
            if isinstance(below, str):
                value = plain_decimal(one) if isinstance(one, str) else None
                if value is None or value > self.scale:
                    value = self.intake.number(one, f"{path}.{key}", self.scale)
                self.scores[below] = value
            else:
                self.read(below, one, f"{path}.{key}")


def _deductions(raw: Any, path: str, plan: Plan, intake: Intake) -> tuple[Entry, ...]:
    """The lines of the unit's ledger: deductions, and reversals of them."""
    entries = []
    for place, one in enumerate(intake.items(raw, path)):
        where = f"{path}[{place}]"
        table = intake.table(one, where)
        if "reverses" in table:
            entries.append(_reversal(table, where, intake))
        elif one is table:
            entries.append(_deduction(table, where, plan, intake))
    _once(entries, intake)
    by_id = {entry.id: entry for entry in reversed(entries)}
    reversed_by: dict[str, str] = {}
    for entry in entries:
        if not entry.reverses:
            continue
        target, by = by_id.get(entry.reverses), reversed_by.setdefault(entry.reverses, entry.id)
        if target is None:
            intake.fault("reversal_of_unknown", f"{entry.where}.reverses", value=entry.reverses)
        elif target.reverses:
            intake.fault("reversal_of_reversal", f"{entry.where}.reverses", value=entry.reverses)
        elif by != entry.id:
            intake.fault("reversal_of_reversed", f"{entry.where}.reverses", value=entry.reverses, by=by)
    return tuple(entries)


def _reversal(table: dict[str, Any], where: str, intake: Intake) -> Entry:
    """`{"id", "reverses"}`."""
    intake.keys(table, ("id", "reverses"), where)
    entry_id, reverses = (_given(table, key, where, intake) for key in ("id", "reverses"))
    return Entry(entry_id, reverses=reverses, where=where)


def _deduction(table: dict[str, Any], where: str, plan: Plan, intake: Intake) -> Entry:
    """`{"id", "to"?, "aspect"?, "rule"?, "points"}`; `aspect` and `rule` where the scheme's ledger has them."""
    to = _given({"to": LEDGER, **table}, "to", where, intake)
    intake.known(to, plan.deductible, f"{where}.to")
    aspects, rules = plan.aspects.get(to, {}), plan.rules.get(to, {})
    optional = {"to": True, "aspect": bool(aspects), "rule": bool(rules)}
    used = [key for key, usable in optional.items() if usable and key in table]
    intake.keys(table, ("id", *used, "points"), where)
    aspect, rule = (_given(table, key, where, intake) if key in used else "" for key in ("aspect", "rule"))
    if aspect:
        intake.known(aspect, aspects, f"{where}.aspect")
    if rule and intake.known(rule, rules, f"{where}.rule"):
        of_rule = rules[rule].aspect
        if aspect and aspect != of_rule:
            intake.fault("unknown_id", f"{where}.aspect", value=aspect, known=of_rule)
        aspect = of_rule
    return Entry(_given(table, "id", where, intake), to, _points(table, where, intake), aspect, rule, where=where)


def _bonuses(raw: Any, path: str, plan: Plan, intake: Intake) -> tuple[Entry, ...]:
    """`{"id", "to", "points"}`."""
    entries = []
    for place, one in enumerate(intake.items(raw, path)):
        where = f"{path}[{place}]"
        table = intake.table(one, where)
        if one is table:
            intake.keys(table, ("id", "to", "points"), where)
            entry_id, to = (_given(table, key, where, intake) for key in ("id", "to"))
            intake.known(to, plan.bonused, f"{where}.to")
            entries.append(Entry(entry_id, to, _points(table, where, intake), where=where))
    _once(entries, intake)
    return tuple(entries)


def _given(table: Mapping[str, Any], key: str, where: str, intake: Intake) -> str:
    """An id, if there is one; that one is missing has been noted with the keys."""
    return intake.text(table[key], f"{where}.{key}") if table.get(key) is not None else ""


def _points(table: Mapping[str, Any], where: str, intake: Intake) -> Decimal:
    return intake.number(table["points"], f"{where}.points") if table.get("points") is not None else ZERO


def _once(entries: Iterable[Entry], intake: Intake) -> None:
    """No id is used twice."""
    seen: set[str] = set()
    for entry in entries:
        if entry.id and entry.id in seen:
            intake.fault("duplicate_id", f"{entry.where}.id", value=entry.id)
        seen.add(entry.id)


def _violated(scheme: Scheme, raw: Any, path: str, intake: Intake) -> tuple[str, ...]:
    """The binding conditions violated, each once."""
    known = [binding.id for binding in scheme.bindings]
    violated: list[str] = []
    for place, one in enumerate(intake.items(raw, path)):
        condition = intake.text(one, f"{path}[{place}]")
        if condition in violated:
            intake.fault("duplicate_id", f"{path}[{place}]", value=condition)
        elif intake.known(condition, known, f"{path}[{place}]"):
            violated.append(condition)
    return tuple(violated)


def _records(fact: FactList, raw: Any, path: str, intake: Intake) -> tuple[Record, ...]:
    """The records of one fact, every field read as the scheme types it."""
    records: list[Record] = []
    seen: set[Any] = set()
    for place, one in enumerate(intake.items(raw, path)):
        where = f"{path}[{place}]"
        table = intake.table(one, where)
        nullable = {name for name, spec in fact.fields.items() if spec.nullable}
        intake.keys(table, fact.fields, where, need=False)
        for name in fact.fields if isinstance(one, dict) else ():
            if name not in table or (table[name] is None and name not in nullable):
                intake.fault("missing_value", f"{where}.{name}")
        record = {
            name: _field(spec, table[name], f"{where}.{name}", intake)
            for name, spec in fact.fields.items()
            if table.get(name) is not None
        }
        if fact.unique and record.get(fact.unique) in seen:
            intake.fault("duplicate_id", f"{where}.{fact.unique}", value=record[fact.unique])
        if fact.unique in record:
            seen.add(record[fact.unique])
        records.append(record)
    return tuple(records)


def _field(spec: FactField, raw: Any, path: str, intake: Intake) -> Any:
    """One field of a record."""
    if spec.type == "yes_no":
        return intake.flag(raw, path)
    if spec.type == "decimal":
        return intake.number(raw, path)
    if spec.type == "year":
        return intake.year(raw, path)
    text = intake.text(raw, path)
    if spec.type == "choice" and not spec.open:
        intake.known(text, spec.choices, path)
    return text


def _event_entries(scheme: Scheme, records: Mapping[str, tuple[Record, ...]]) -> Iterable[Entry]:
    """The deductions that records cause by themselves (an unexcused absence, say)."""
    for event in scheme.events:
        for place, record in enumerate(records.get(event.facts, ())):
            if all(record.get(name) == value for name, value in event.match.items()):
                yield Entry(f"{event.facts}[{place}]", event.to, event.points, label=event.id)
