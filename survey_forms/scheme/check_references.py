"""References within a scheme file: what one table names, another must hold."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fnmatch import fnmatchcase

from survey_forms.scheme.check_records import fault_of_points
from survey_forms.scheme.model import Scheme
from survey_forms.scheme.outcome import Consequence, Value, When

Say = Callable[..., None]


def faults_of_references(scheme: Scheme, say: Say) -> None:
    """Name every reference that leads nowhere."""
    _ledger(scheme, say)
    _bindings(scheme, say)
    _patterns(scheme, say)
    for entry in scheme.consequences:
        _consequence(scheme, entry, say)


def _consequence(scheme: Scheme, entry: Consequence, say: Say) -> None:
    """A consequence has a value or one for each record, and all its values are of one kind."""
    if (entry.value is None) == (entry.each is None):
        say("scheme_consequence_value", entry.where, "value")
    _value(scheme, entry.value, entry.where, say)
    for when in entry.when:
        _when(scheme, when, say)
        if entry.value and (entry.value.flag is None) != (when.value.flag is None):
            say("scheme_value_mixed", when.where, "value")


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
        fault_of_points(rule, say)
    for event in scheme.events:
        losing = [*takers, *(one.path for one in scheme.components if one.start is not None)]
        _known([event.to], losing, event.where, "to", say)


def _bindings(scheme: Scheme, say: Say) -> None:
    """A binding condition bars a grade that has one below it, and zeroes what is there."""
    names = [grade.name for grade in scheme.grades]
    scored = [path for path, one in scheme.by_path.items() if not one.minus]
    mappings = [entry.path for entry in scheme.left_out if entry.kind == "zeroed"]
    for binding in scheme.bindings:
        if binding.bars:
            _known([binding.bars], names[:-1], binding.where, "bars", say)
        if binding.zeroes:
            _known([binding.zeroes], [*scored, *mappings], binding.where, "zeroes", say)
        if binding.lowers and not scheme.left_out_of("grades") and binding.lowers >= len(names):
            say("scheme_lowers_too_far", binding.where, "lowers", value=binding.lowers, count=len(names))


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


def _value(scheme: Scheme, value: Value | None, where: str, say: Say) -> None:
    """A number starts from one that is stated or supplied, and its limits leave it room."""
    if value is None or value.flag is not None:
        return
    if isinstance(value.base, str):
        _known([value.base], [one.path for one in scheme.left_out if one.kind == "percent"], where, "value", say)
    if value.at_most is not None and value.at_least is not None and value.at_least > value.at_most:
        say("scheme_limits_crossed", where, "value")
    if isinstance(value.base, Decimal) and value.base + value.plus < value.minus and value.at_least is None:
        say("scheme_below_zero", where, "value")
