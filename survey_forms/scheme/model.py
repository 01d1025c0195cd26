"""A government document's scheme as facts. These dataclasses are the vocabulary of `scheme.toml`.

Each class is a table, each field a key (`metadata["toml"]` where the key differs), and each field's type is what
the key must hold; `scheme.tables` reads any of them. In every table, `article` is where the document says it,
`words` are the document's own words, `says` is what it provides in ours, `reading` how unclear words are read,
and `where` the table's place in the file, which the reader fills in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from survey_forms.scheme.components import Component, Composite, LeftOut, LeftOutKind, Rounding, UnitClass
from survey_forms.scheme.outcome import Consequence
from survey_forms.scheme.told import Calendar, Document, Evaluated, Note, Round, Term


def _tables(key: str) -> Any:
    """A field that the file writes as `[[key]]` tables."""
    return field(default=(), metadata={"toml": key})


@dataclass(frozen=True, slots=True)
class Aspect:
    """`[[aspect]]`: a heading of the ledger of one component, perhaps with a cap of its own."""

    id: str
    zh: str
    en: str
    of: str = "inspection"
    cap: Decimal | None = None
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """`[[rule]]`: what a finding costs: fixed `points`, or a range that the deciding person chooses from."""

    id: str
    zh: str
    en: str
    of: str = "inspection"
    aspect: str = ""
    points: Decimal | None = None
    points_min: Decimal | None = None
    points_max: Decimal | None = None
    cap: Decimal | None = None
    article: str = ""
    where: str = ""

    def allows(self, points: Decimal) -> bool:
        """Whether a deduction under this rule may be of so many points."""
        if self.points is not None:
            return points == self.points
        low, high = self.points_min, self.points_max
        return (low is None or points >= low) and (high is None or points <= high)


@dataclass(frozen=True, slots=True)
class FactField:
    """`[fact.fields.<name>]`: what a key of a record may hold. `open` choices allow words beyond those listed."""

    type: Literal["id", "choice", "yes_no", "decimal", "year"]
    choices: Mapping[str, str] = field(default_factory=dict)
    open: bool = False
    nullable: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True)
class FactList:
    """`[[fact]]`: a list of records that a unit carries beside its scores (absences, leave, persons, history)."""

    id: str
    zh: str
    en: str
    fields: Mapping[str, FactField]
    unique: str = ""
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """`[[event]]`: each record of `facts` that matches `match` takes `points` from the component `to`."""

    id: str
    zh: str
    en: str
    facts: str
    to: str
    points: Decimal
    match: Mapping[str, bool | str] = field(default_factory=dict)
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """`[[binding]]`: a condition that, when violated, bars a grade, lowers it, or sets a component to zero."""

    id: str
    zh: str
    en: str
    article: str
    bars: str = ""
    lowers: int = 0
    zeroes: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """`[[grade]]`, best first: a band of published scores, or a share of the ranked units.

    `at_least` is inside the band, `below` is not. `rest` marks the grade of those whom no share reaches.
    """

    name: str
    en: str
    at_least: Decimal | None = None
    below: Decimal | None = None
    share: Decimal | None = None
    rest: bool = False
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """`[ranking]`: `groups` are patterns of class ids ranked together; none: each class by itself."""

    zh: str
    en: str
    groups: tuple[str, ...] = ()
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Prize:
    """`[[prize]]`, best first: prizes go by rank within the group, in the proportion of their `ratio`s."""

    name: str
    en: str
    ratio: Decimal
    classes: tuple[str, ...] = ()
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""


@dataclass(frozen=True)
class Scheme:
    """One document's scheme: what is computed, what is left out, and what else the document rules."""

    id: str
    zh: str
    en: str
    document: Document
    composite: Composite | None = None
    rounding: Rounding | None = None
    classes: tuple[UnitClass, ...] = _tables("class")
    components: tuple[Component, ...] = _tables("component")
    left_out: tuple[LeftOut, ...] = _tables("left_out")
    aspects: tuple[Aspect, ...] = _tables("aspect")
    rules: tuple[Rule, ...] = _tables("rule")
    facts: tuple[FactList, ...] = _tables("fact")
    events: tuple[Event, ...] = _tables("event")
    bindings: tuple[Binding, ...] = _tables("binding")
    grades: tuple[Grade, ...] = _tables("grade")
    ranking: Ranking | None = None
    prizes: tuple[Prize, ...] = _tables("prize")
    consequences: tuple[Consequence, ...] = _tables("consequence")
    evaluated: tuple[Evaluated, ...] = _tables("evaluated")
    rounds: tuple[Round, ...] = _tables("round")
    calendar: tuple[Calendar, ...] = _tables("calendar")
    notes: tuple[Note, ...] = _tables("note")
    terms: tuple[Term, ...] = _tables("term")
    where: str = ""
    digest: str = field(default="", metadata={"toml": None})
    """SHA-256 of the scheme file's bytes, in hexadecimal."""

    @cached_property
    def by_path(self) -> Mapping[str, Component]:
        """Components by dotted path, patterns expanded."""
        return {component.path: component for component in self.components}

    def children(self, path: str = "") -> tuple[Component, ...]:
        """The components directly below `path`, in the file's order; of the composite itself for ""."""
        return tuple(component for component in self.components if component.parent == path)

    def left_out_of(self, kind: LeftOutKind) -> LeftOut | None:
        """The first value of this kind that the document leaves out."""
        return next((entry for entry in self.left_out if entry.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Terms:
    """`[terms]` of a catalogue: calendar days that the life of a deduction is given, each to its last day's end.

    The unit's days run from the day on which its slip was issued, not from the entry: who was not told is not late.

    `article` is where the document says so; a term that the office set itself has "办公室自定" there.
    """

    objection_days: int = 5  # the unit's, from the slip that told it to its objection
    explanation_days: int = 5  # the assessing department's, from the objection
    decision_days: int = 10  # from the objection to its decision
    rectification_days: int = 21  # Fangshan's three weeks
    reminder_days: int = 3  # a reminder goes out so long before something is due
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`catalogue.toml`: the rules that inspectors' findings point at, and the terms of what follows."""

    scheme: str
    zh: str
    en: str
    demonstration: bool
    terms: Terms = Terms()
    aspects: tuple[Aspect, ...] = _tables("aspect")
    rules: tuple[Rule, ...] = _tables("rule")
    where: str = ""
    digest: str = field(default="", metadata={"toml": None})

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of this id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)
