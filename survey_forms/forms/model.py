"""What a questionnaire is, as data: pages of questions, the logic between them, and checked answers.

A `Form` is the compiled structure of one frozen XForm. It holds nothing that the XForm does not: it can be
thrown away and rebuilt at any time (`compile.compile_form`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from survey_forms.forms.scalars import Condition, Expression

Text = Mapping[str, str]
"""One wording in several languages: language code (`zh`, `en`) → words. Empty when the author wrote nothing."""

QuestionType = Literal["select_one", "select_multiple", "integer", "decimal", "text", "date", "note"]
PageKind = Literal["list", "grid"]

Value = str | int | Decimal | date | tuple[str, ...]
"""A checked answer: choice name, choice names in the list's order, number, date, or text in NFC."""

Raw = Mapping[str, str | list[str]]
"""What a browser sends: question name → one value or several; the empty string is no answer."""


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
    answer can be demanded; the logic decides when. `rows` is the height of a text box in lines.
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


@dataclass(frozen=True, slots=True)
class Page:
    """What the respondent sees at once. In a `grid` every question is a row over one shared list of choices."""

    name: str
    title: Text
    kind: PageKind
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the form in dependency order: a question, a calculate, or a group that has a condition.

    `slot` is its place in the evaluator's state, `within` the slot of the nearest conditional group around
    it. A node without `question` and `calculate` is a group or one of pyxform's silent helper nodes.
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


@dataclass(frozen=True, slots=True)
class Form:
    """A compiled questionnaire. `version` is the SHA-256 (hex) of the XForm it was compiled from."""

    id: str
    version: str
    title: Text
    languages: tuple[str, ...]
    default_language: str
    pages: tuple[Page, ...]
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """A submission that passed: what is kept, and what was left out because the form no longer asks for it.

    `values` has one entry for each question answered and each calculate that has a value; `dropped` names
    the questions that were answered but are not relevant under the other answers.
    """

    values: Mapping[str, Value]
    dropped: tuple[str, ...] = ()

    def as_json(self) -> dict[str, str | int | list[str]]:
        """The values as JSON knows them: decimals and dates as strings, several choices as a list."""
        return {name: _plain(value) for name, value in self.values.items()}


def _plain(value: Value) -> str | int | list[str]:
    if isinstance(value, tuple):
        return list(value)
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
