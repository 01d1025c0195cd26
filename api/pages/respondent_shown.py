"""What a respondent's page shows, worked out before any template sees it: fields, options, progress, faults."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from api.problems import say
from survey_forms.forms.answers import read_answers, relevant_pages
from survey_forms.forms.model import Form, Page, Question, Raw, Text, wording
from survey_forms.refusal import Fault, Refused

MOST_BUTTONS = 15  # a longer list of choices is a drop-down list
WIDEST = 8  # Latin letters in one word, Chinese characters in two lines
ENDINGS = tuple("？?。.！!：:")
SAYS_OPTIONAL = re.compile("可不|选填|选答|optional", re.IGNORECASE)  # the author has said it already
INPUT_MODES = {"integer": "numeric", "decimal": "decimal"}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice; `apart` stands beside the scale (不了解)."""

    value: str
    label: str
    chosen: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One question with what was answered so far. `error` is the sentence shown at the field, or empty."""

    name: str
    type: str
    label: str
    hint: str
    optional: bool
    rows: int
    text: str
    options: tuple[Option, ...]
    error: str = ""

    @property
    def described_by(self) -> str:
        """The ids of what a screen reader says after the label."""
        parts = (f"h-{self.name}" if self.hint else "", f"e-{self.name}" if self.error else "")
        return " ".join(part for part in parts if part)

    @property
    def answer(self) -> str:
        """The answer in words, for the summary; empty when there is none."""
        return "、".join(option.label for option in self.options if option.chosen) if self.options else self.text


@dataclass(frozen=True, slots=True)
class Screen:
    """One page: its number in the form, its place among the pages to be asked, and its fields."""

    number: int
    place: int
    total: int
    title: str
    kind: str
    fields: tuple[Field, ...]

    @property
    def errors(self) -> tuple[Field, ...]:
        """The fields with something to put right."""
        return tuple(field for field in self.fields if field.error)

    @property
    def to_mend(self) -> tuple[tuple[str, str], ...]:
        """Field name and words of each line of the error summary; of a grid only the first, where to go on."""
        wrong = self.errors[:1] if self.kind == "grid" else self.errors
        told = Counter(field.error for field in wrong)
        return tuple(
            (field.name, field.error if told[field.error] == 1 and self.kind == "list" else _both(field))
            for field in wrong
        )

    @property
    def long(self) -> bool:
        """Whether the scale's labels are too long to stand side by side on a phone."""
        return any(_width(option.label) > WIDEST for field in self.fields for option in field.options)

    @property
    def answered(self) -> int:
        """How many of the page's questions have an answer."""
        return sum(bool(field.answer) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Way:
    """The pages to be asked under the answers so far, by their number in the form, and what is wrong on them."""

    form: Form
    raw: Raw
    pages: tuple[tuple[int, Page], ...]
    wrong: tuple[Fault, ...]

    @classmethod
    def through(cls, form: Form, raw: Raw, today: date) -> "Way":
        """Work out the way through a form."""
        numbers = {page.name: number for number, page in enumerate(form.pages, start=1)}
        pages = tuple((numbers[stop.page.name], stop.page) for stop in relevant_pages(form, raw, today))
        try:
            read_answers(form, raw, today)
        except Refused as refused:
            return cls(form, raw, pages, refused.faults)
        return cls(form, raw, pages, ())

    def first_open(self) -> int | None:
        """The number of the first page with something missing or wrong; None when all are well."""
        return next((number for number, page in self.pages if self.faults(page)), None)

    def faults(self, page: Page) -> tuple[Fault, ...]:
        """What is missing or wrong on a page."""
        return tuple(fault for fault in self.wrong if fault.facts["page"] == page.name)

    def after(self, number: int) -> int | None:
        """The page after this one; None after the last."""
        return next((other for other, _ in self.pages if other > number), None)

    def before(self, number: int) -> int:
        """The page before this one; the first has itself."""
        return next((other for other, _ in reversed(self.pages) if other < number), self.pages[0][0])

    def nearest(self, number: int) -> int:
        """The page of that number or, when it is not asked, the one after it, or the last."""
        return next((other for other, _ in self.pages if other >= number), self.pages[-1][0])

    def screen(self, number: int, language: str, faults: Iterable[Fault] = ()) -> Screen:
        """A page as it is shown; `number` is one of `pages`."""
        place = next(at for at, (other, _) in enumerate(self.pages, start=1) if other == number)
        page = self.pages[place - 1][1]
        wrong = {fault.path: say(fault, language) for fault in faults}
        return Screen(
            number=number,
            place=place,
            total=len(self.pages),
            title=self.words(page.title, language),
            kind=page.kind,
            fields=tuple(self.field(question, language, wrong) for question in page.questions),
        )

    def field(self, question: Question, language: str, wrong: Mapping[str, str]) -> Field:
        """A question as it is shown."""
        given = self.raw.get(question.name, "")
        chosen = {given} if isinstance(given, str) else set(given)
        label = self.words(question.label, language)
        return Field(
            name=question.name,
            type=question.type,
            label=label,
            hint=self.words(question.hint, language),
            optional=not (question.required or question.type == "note" or SAYS_OPTIONAL.search(label)),
            rows=question.rows,
            text=given if isinstance(given, str) else "",
            options=tuple(
                Option(
                    choice.name,
                    self.words(choice.label, language),
                    choice.name in chosen,
                    choice.points is None and question.item is not None,
                )
                for choice in question.choices
            ),
            error=wrong.get(question.name, ""),
        )

    def words(self, text: Text, language: str) -> str:
        """The wording in the reader's language, else in the form's own."""
        return wording(text, language, self.form.default_language)


def _both(field: Field) -> str:
    """The question's wording and what to do about it, as one line."""
    return f"{field.label} {field.error}" if field.label.endswith(ENDINGS) else f"{field.label}：{field.error}"


def _width(label: str) -> int:
    """What a label needs at least: its longest Latin word, or a Chinese wording laid out in two lines."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in label)
    return max([wide, *map(len, re.findall(r"[^\W_\u2e80-\uffff]+", label))])


def merged(raw: Raw, page: Page, sent: Mapping[str, list[str]]) -> dict[str, str | list[str]]:
    """All answers after a page was sent: its questions are replaced, unticked ones too; nothing else is touched."""
    answers = dict(raw)
    for question in page.questions:
        values = [value for value in sent.get(question.name, []) if value.strip()]
        if not values:
            answers.pop(question.name, None)
        elif question.type == "select_multiple":
            answers[question.name] = values
        else:
            answers[question.name] = values[0] if len(values) == 1 else values
    return answers
