"""Records and what is made of them: each field is of the type that the table using it needs."""

from collections.abc import Callable, Mapping

from survey_forms.scheme.model import Event, FactField, FactList, Rule, Scheme
from survey_forms.scheme.outcome import Each, Measure, Repeated, When

Say = Callable[..., None]

RESERVED = frozenset({"id", "class", "scores", "deductions", "bonuses", "binding"})
"""Keys of a unit that no list of records may take for itself."""


def faults_of_records(scheme: Scheme, say: Say) -> None:
    """Name every fault of facts, events, measures and results per record."""
    for facts in scheme.facts:
        _fact(facts, say)
    for event in scheme.events:
        _event(event, _Use(scheme, event.facts, event.where, say))
    for entry in scheme.consequences:
        for when in entry.when:
            _when(scheme, when, say)
        if entry.each:
            _each(entry.each, _Use(scheme, entry.each.facts, entry.each.where, say))


def fault_of_points(rule: Rule, say: Say) -> None:
    """A rule costs fixed points, or a range of them."""
    fixed, low, high = rule.points is not None, rule.points_min, rule.points_max
    ranged = low is not None and high is not None and low <= high
    if fixed == ranged or (fixed and (low is not None or high is not None)):
        say("scheme_rule_points", rule.where, "points")


def _fact(facts: FactList, say: Say) -> None:
    if facts.id in RESERVED:
        say("scheme_reserved_id", facts.where, "id", value=facts.id)
    if facts.unique and facts.unique not in facts.fields:
        say("scheme_unknown_reference", facts.where, "unique", value=facts.unique)
    for field in facts.fields.values():
        if (field.type == "choice") != bool(field.choices) or (field.open and field.type != "choice"):
            say("scheme_choices", field.where, "choices")


class _Use:
    """A table's use of one list of records; its fields are empty where there is no such list."""

    def __init__(self, scheme: Scheme, facts: str, where: str, say: Say) -> None:
        found = next((entry for entry in scheme.facts if entry.id == facts), None)
        if found is None:
            say("scheme_unknown_reference", where, "facts", value=facts)
        self.fields: Mapping[str, FactField] = found.fields if found else {}
        self.where, self.say = where, say

    def typed(self, name: str, kind: str, key: str) -> bool:
        """Whether the field is there, and of this type."""
        field = self.fields.get(name)
        if field is None and self.fields:
            self.say("scheme_unknown_reference", self.where, key, value=name)
        elif field and field.type != kind:
            self.say("scheme_field_type", self.where, key, value=name, type=field.type, wanted=kind)
        return field is not None and field.type == kind

    def chosen(self, name: str, word: str) -> None:
        """A word that a choice is compared with can occur."""
        if self.typed(name, "choice", "match"):
            field = self.fields[name]
            if word not in field.choices and not field.open:
                self.say("scheme_unknown_reference", self.where, f"match.{name}", value=word)


def _event(event: Event, use: _Use) -> None:
    """An event matches yes-or-no fields by a flag, and choices by a word."""
    for name, wanted in event.match.items():
        if isinstance(wanted, str):
            use.chosen(name, wanted)
        else:
            use.typed(name, "yes_no", "match")


def _when(scheme: Scheme, when: When, say: Say) -> None:
    """Sums are of decimals, years running are of flags and years."""
    for measure in (one for one in (when.total, when.longest) if one):
        _measure(measure, _Use(scheme, measure.facts, measure.where, say))
    if when.repeated:
        _repeated(when.repeated, _Use(scheme, when.repeated.facts, when.repeated.where, say))
    if when.last == 0:
        say("scheme_not_positive", when.where, "last")


def _measure(measure: Measure, use: _Use) -> None:
    use.typed(measure.of, "decimal", "of")
    for name, words in measure.match.items():
        for word in words:
            use.chosen(name, word)


def _repeated(repeated: Repeated, use: _Use) -> None:
    use.typed(repeated.of, "yes_no", "of")
    use.typed(repeated.year, "year", "year")
    if not repeated.years:
        use.say("scheme_not_positive", use.where, "years")


def _each(each: Each, use: _Use) -> None:
    """What a record keeps goes by a choice, and every choice is told."""
    if each.gives in RESERVED:
        use.say("scheme_reserved_id", use.where, "gives", value=each.gives)
    if use.typed(each.by, "choice", "by"):
        choices = use.fields[each.by].choices
        for choice in each.loses.keys() - choices.keys():
            use.say("scheme_unknown_reference", use.where, f"loses.{choice}", value=choice)
        for choice in choices.keys() - each.loses.keys():
            use.say("scheme_key_missing", use.where, f"loses.{choice}")
    for choice, lost in each.loses.items():
        if lost > 1:
            use.say("scheme_fraction_over_1", use.where, f"loses.{choice}", value=str(lost))
