"""References within a scheme file: what one table names, another must hold."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from survey_forms.scheme.model import FactList, Scheme
from survey_forms.scheme.outcome import Measure, Repeated, Value, When

Say = Callable[..., None]


def faults_of_references(scheme: Scheme, say: Say) -> None:
    """Name every reference that leads nowhere."""
    _ledger(scheme, say)
    _bindings(scheme, say)
    _patterns(scheme, say)
    for entry in scheme.consequences:
        if (entry.value is None) == (entry.each is None):
            say("scheme_consequence_value", entry.where, "value")
        _value(scheme, entry.value, entry.where, say)
        for when in entry.when:
            _when(scheme, when, say)
        if entry.each:
            each, facts = entry.each, _facts(scheme, entry.each.facts, entry.each.where, say)
            by = facts.fields.get(each.by) if facts else None
            if facts:
                known = by.choices if by else {}
                _known(each.loses, known, each.where, "loses" if by else "by", say)
            for choice, lost in each.loses.items():
                if lost > 1:
                    say("scheme_fraction_over_1", each.where, f"loses.{choice}", value=str(lost))


def _known(values: Iterable[str], known: Iterable[str], where: str, key: str, say: Say) -> None:
    known = list(known)
    for value in values:
        if value not in known:
            say("scheme_unknown_reference", where, key, value=value)


def _ledger(scheme: Scheme, say: Say) -> None:
    """Aspects, rules and events name components that take deductions."""
    takers = [one.path for one in scheme.components if one.minus or "deductions" in one.takes]
    for aspect in scheme.aspects:
        _known([aspect.of], takers, aspect.where, "of", say)
    for rule in scheme.rules:
        _known([rule.of], takers, rule.where, "of", say)
        aspects = [aspect.id for aspect in scheme.aspects if aspect.of == rule.of]
        if rule.aspect or aspects:
            _known([rule.aspect], aspects, rule.where, "aspect", say)
    for event in scheme.events:
        losing = [*takers, *(one.path for one in scheme.components if one.start is not None)]
        _known([event.to], losing, event.where, "to", say)
        facts = _facts(scheme, event.facts, event.where, say)
        if facts:
            _known(event.match, facts.fields, event.where, "match", say)


def _bindings(scheme: Scheme, say: Say) -> None:
    """A binding condition bars a grade that has one below it, and zeroes what is there."""
    names = [grade.name for grade in scheme.grades]
    mappings = [entry.path for entry in scheme.left_out if entry.kind == "zeroed"]
    for binding in scheme.bindings:
        if binding.bars:
            _known([binding.bars], names[:-1], binding.where, "bars", say)
        if binding.zeroes:
            _known([binding.zeroes], [*scheme.by_path, *mappings], binding.where, "zeroes", say)


def _patterns(scheme: Scheme, say: Say) -> None:
    """Class names and patterns reach a class."""
    classes = [entry.id for entry in scheme.classes]
    listed = [(one.where, "weight", one.weight.by_class) for one in scheme.components if one.weight]
    for where, key, named in listed:
        _known(named, classes, where, key, say)
    patterns = [(entry.where, "classes", entry.classes) for entry in scheme.left_out]
    patterns += [(prize.where, "classes", prize.classes) for prize in scheme.prizes]
    if scheme.ranking:
        patterns.append((scheme.ranking.where, "groups", scheme.ranking.groups))
    for where, key, wanted in patterns:
        for pattern in wanted:
            if not any(fnmatchcase(one, pattern) for one in classes):
                say("scheme_unknown_reference", where, key, value=pattern)


def _when(scheme: Scheme, when: When, say: Say) -> None:
    _value(scheme, when.value, when.where, say)
    if scheme.grades:
        _known(when.grade, [grade.name for grade in scheme.grades], when.where, "grade", say)
    _known(when.binding, ["*", *(one.id for one in scheme.bindings)], when.where, "binding", say)
    if not (when.grade or when.binding or when.last or when.total or when.longest or when.repeated):
        say("scheme_when_empty", when.where)
    measures: list[Measure | Repeated] = [m for m in (when.total, when.longest, when.repeated) if m]
    for measure in measures:
        facts = _facts(scheme, measure.facts, measure.where, say)
        if facts:
            _known([measure.of], facts.fields, measure.where, "of", say)
            if isinstance(measure, Measure):
                _known(measure.match, facts.fields, measure.where, "match", say)
            else:
                _known([measure.year], facts.fields, measure.where, "year", say)


def _value(scheme: Scheme, value: Value | None, where: str, say: Say) -> None:
    if value and value.flag is None and isinstance(value.base, str):
        _known([value.base], [one.path for one in scheme.left_out if one.kind == "percent"], where, "value", say)


def _facts(scheme: Scheme, name: str, where: str, say: Say) -> FactList | None:
    facts = next((entry for entry in scheme.facts if entry.id == name), None)
    if facts is None:
        say("scheme_unknown_reference", where, "facts", value=name)
    return facts
