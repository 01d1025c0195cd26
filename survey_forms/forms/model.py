"""What a questionnaire is, as data: pages of questions, the logic between them, and checked answers.

A `Form` is the compiled structure of one frozen XForm. It holds nothing that the XForm does not: it can be
thrown away and rebuilt at any time (`compile.compile_form`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from survey_forms.forms.scalars import Condition, Expression, State, Tree
from survey_forms.refusal import Fault

Text = Mapping[str, str]
"""One wording in several languages: language code (`zh`, `en`) → words. Empty when the author wrote nothing.

Words may quote other answers as `${name}`, the way the author wrote it; `answers.shown` fills them in.
"""

QuestionType = Literal[
    "select_one", "select_multiple", "scale", "rank", "integer", "decimal", "date", "text", "note", "image"
]
PageKind = Literal["list", "grid", "repeat"]

Value = str | int | Decimal | date | tuple[str, ...]
"""A checked answer: choice name, choice names (of a rank in the order given, else in the list's), number, date,
text in NFC, or the name of an image's file."""

Entries = tuple[Mapping[str, Value], ...]
"""The checked answers of a repeat, one mapping an entry."""

Json = str | int | Sequence["Json"] | Mapping[str, "Json"]

Raw = Mapping[str, str | list[str]]
"""What a browser sends: key → one value or several; the empty string is no answer.

The key of a question outside a repeat is its name, of one inside `{repeat}.{entry}.{name}` with entries 1, 2, 3 ...;
`{repeat}` itself holds the number of entries in digits (absent: as many as have answers). A key that is absent
has never been touched, so that the author's default counts; a key with the empty string was emptied.
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option. `points` (0 to 100) places it on a rating scale; None stands beside the scale (不了解)."""

    name: str
    label: Text
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question as a page shows it.

    `unit` and `item` say what a rating is about; `unit_from` names the select_one question whose answer is
    the unit instead (a service recipient first says which unit served them). `required` is True when an
    answer can be demanded; the logic decides when. `rows` is the height of a text box in lines, `longest`
    the most characters of a text answer. `filtered` says that `choices` depend on other answers, or that their
    order does: what is offered now is in `ShownQuestion`. `start`, `end` and `step` are those of a `scale`.
    """

    name: str
    type: QuestionType
    label: Text
    hint: Text = field(default_factory=dict)
    required: bool = False
    required_message: Text = field(default_factory=dict)
    constraint_message: Text = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    unit: str | None = None
    unit_from: str | None = None
    item: str | None = None
    rows: int = 1
    longest: int = 0
    filtered: bool = False
    start: Decimal | None = None
    end: Decimal | None = None
    step: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What the respondent sees at once. In a `grid` every question is a row over one shared list of choices.

    `repeat` names the repeat that the page belongs to: it is asked once for each entry. A page of kind `repeat` has
    no questions and comes after the pages of the entries, once: there the respondent adds an entry, takes one away,
    or goes on. A repeat whose number of entries the form itself works out has no such page.
    """

    name: str
    title: Text
    kind: PageKind
    questions: tuple[Question, ...]
    repeat: str | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Questions that are asked once for each entry; `fixed_count` says that the form works out how many.

    `pages` are those of one entry, in order; `most` is the largest number of entries.
    """

    name: str
    label: Text
    fixed_count: bool
    most: int
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A page on one respondent's way, with only the questions to be asked; in a repeat, for which entry (from 1)."""

    page: Page
    entry: int | None = None

    def key(self, name: str) -> str:
        """The key in `Raw` of one of the page's questions."""
        return name if self.entry is None else f"{self.page.repeat}.{self.entry}.{name}"


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """One option as one reader sees it now."""

    name: str
    label: str
    points: int | None = None


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """One question as one reader sees it now: `${}` filled in, choices filtered and in their order.

    `key` is the one in `Raw`. `given` is what the field holds: what was sent, else the author's default; of several
    choices and of a rank a tuple. `value` is what a note that shows a calculate says, else empty.
    """

    question: Question
    key: str
    label: str
    hint: str
    required: bool
    choices: tuple[ShownChoice, ...] = ()
    given: str | tuple[str, ...] = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A stop as one reader sees it now. `entries` is how many its repeat has, 0 outside repeats."""

    stop: Stop
    title: str
    questions: tuple[ShownQuestion, ...]
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the form in dependency order: a question, a calculate, a repeat, or a group that has a condition.

    `slot` is its place in the evaluator's state, `within` the slot of the nearest conditional group around it.
    `repeat` names the repeat that it is in; then it is worked out once for each entry, and `anchor` is the slot of
    the repeat (else its own), by which the form's order is kept; `within_entries` says that the group around it is in
    the same repeat. `entries` says that it is the repeat itself, `count` how many entries the form works out, and
    `counted_by` from which question. `first` is the value before anyone answers, `offered` the choices under the
    other answers. What is not `kept` is worked out and is no part of the answers. `trees` says as data what the
    fields of the same names evaluate, and `offered_when`, choice by choice, when each is offered.
    """

    name: str
    slot: int
    within: int | None = None
    page: str = ""
    question: Question | None = None
    relevant: Condition | None = None
    calculate: Expression | None = None
    required: Condition | None = None
    constraint: Condition | None = None
    anchor: int = 0
    repeat: str | None = None
    within_entries: bool = False
    entries: bool = False
    count: Expression | None = None
    counted_by: str = ""
    first: Expression | None = None
    offered: Callable[[State], tuple[Choice, ...]] | None = None
    kept: bool = True
    trees: Mapping[str, Tree] = field(default_factory=dict, repr=False, compare=False)
    offered_when: Callable[[], tuple[Tree, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A compiled questionnaire. `version` is the SHA-256 (hex) of the XForm it was compiled from.

    `owners` has every name that a submission may have, with the repeat that it is in (empty: in none); `outputs` are
    what wordings quote as `${name}`, with whether it has a value only inside an entry; `quoted` is the same as data.
    `notes` say what the author asked for and this product leaves out without harm.
    """

    id: str
    version: str
    title: Text
    languages: tuple[str, ...]
    default_language: str
    pages: tuple[Page, ...]
    steps: tuple[Step, ...] = field(repr=False)
    repeats: Mapping[str, Repeat] = field(default_factory=dict)
    slots: int = 0
    owners: Mapping[str, str] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, tuple[Expression, bool]] = field(default_factory=dict, repr=False)
    quoted: Mapping[str, Tree] = field(default_factory=dict, repr=False, compare=False)
    notes: tuple[Fault, ...] = ()
    steps_by_name: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find steps by their names; a group may share its name with a question and is not looked for."""
        named = {one.name: one for one in self.steps if one.question or one.entries or one.calculate}
        object.__setattr__(self, "steps_by_name", named)


@dataclass(frozen=True, slots=True)
class Answers:
    """A submission that passed: what is kept, and what was left out because the form no longer asks for it.

    `values` has one entry for each question answered and each calculate that has a value; a repeat's name has a
    tuple with a mapping for each of its entries. `dropped` names the keys that were answered but are not relevant
    under the other answers, `differing` the keys of calculates that were sent and came out otherwise here.
    """

    values: Mapping[str, Value | Entries]
    dropped: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """The values as JSON knows them: decimals and dates as strings, several choices and entries as lists."""
        return {name: _plain(value) for name, value in self.values.items()}


def _plain(value: Value | Entries) -> Json:
    if isinstance(value, tuple):
        return [one if isinstance(one, str) else {name: _plain(its) for name, its in one.items()} for one in value]
    return value if isinstance(value, str | int) else str(value)


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's points (0 to 100) for one unit on one item."""

    unit: str
    item: str
    points: int


def wording(text: Text, language: str, default: str = "zh") -> str:
    """The words in the reader's language, else in the form's default, else in any, else nothing."""
    return text.get(language) or text.get(default) or next(iter(text.values()), "")
