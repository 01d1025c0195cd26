"""What the templates of a respondent's page read: screens, fields, options. Words and marks, nothing to work out."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

WIDEST = 8  # Latin letters in one word, Chinese characters in two lines
ENDINGS = tuple("？?。.！!：:؟")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice; `apart` stands beside the scale (不了解), `mark` is the position that a rank gave it."""

    value: str
    label: str
    chosen: bool
    apart: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question with what was answered so far, drawn by the template of its `kind`.

    `error` is the sentence shown at the field, or empty; `told` says that its words are the author's. `parts` are a
    date's year, month and day; `found` says how many choices of a searched list matched what was looked for, -1
    before anything was.
    """

    name: str
    kind: str
    label: str
    hint: str = ""
    optional: bool = False
    rows: int = 1
    longest: int = 0
    text: str = ""
    value: str = ""
    options: tuple[Option, ...] = ()
    parts: tuple[str, ...] = ()
    ends: tuple[str, str] = ("", "")
    wish: str = ""
    found: int = -1
    several: bool = False
    error: str = ""
    told: bool = False

    @property
    def described_by(self) -> str:
        """The ids of what a screen reader says after the label."""
        parts = (f"h-{self.name}" if self.hint else "", f"e-{self.name}" if self.error else "")
        return " ".join(part for part in parts if part)

    @property
    def answer(self) -> str:
        """The answer in words, for the summary; empty when there is none, and for a picture."""
        if self.kind == "rank":
            marked = sorted((option for option in self.options if option.mark), key=lambda one: int(one.mark))
            return "\n".join(f"{option.mark}. {option.label}" for option in marked)
        if self.options:
            return "、".join(option.label for option in self.options if option.chosen)
        return "" if self.kind == "image" else self.text

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer."""
        return self.is_asked and bool(self.answer or self.text)

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to answer."""
        return self.kind not in {"note", "entries"}


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen: its address, its place among the screens to be shown, and its fields.

    Of a page that is cut into several screens `rated` of `asked` questions have an answer; `elsewhere` of them stand
    on the others. `upto` is the place after the last question, `entry` that of a repeat with `entries`; where these
    are listed, each has a few words and the address of its first screen.
    """

    at: str
    upto: int
    place: int
    total: int
    title: str
    kind: str
    fields: tuple[Field, ...]
    rated: int = 0
    asked: int = 0
    entry: int = 0
    entries: int = 0
    repeat: str = ""
    may_drop: bool = False
    may_add: bool = False
    listed: tuple[tuple[str, str], ...] = ()

    @property
    def errors(self) -> tuple[Field, ...]:
        """The fields with something to put right."""
        return tuple(field for field in self.fields if field.error)

    @property
    def to_mend(self) -> tuple[tuple[str, str], ...]:
        """Field name and words of each line of the error summary; of a grid only the first, where to go on.

        The author's own words say what they are about; ours need the question before them.
        """
        wrong = self.errors[:1] if self.kind == "grid" else self.errors
        told = Counter(field.error for field in wrong)
        return tuple(
            (field.name, field.error if field.told and told[field.error] == 1 and self.kind != "grid" else _both(field))
            for field in wrong
        )

    @property
    def long(self) -> bool:
        """Whether the scale's labels are too long to stand side by side on a phone."""
        return any(_width(option.label) > WIDEST for field in self.fields for option in field.options)

    @property
    def elsewhere(self) -> int:
        """How many answers of the same page stand on other screens."""
        return self.rated - sum(field.is_answered for field in self.fields)

    @property
    def sends_files(self) -> bool:
        """Whether the form must be sent in parts, as files are."""
        return any(field.kind == "image" for field in self.fields)


def _both(field: Field) -> str:
    """The question's wording and what to do about it, as one line."""
    if field.label.endswith(ENDINGS):
        return f"{field.label} {field.error}"
    return (
        f"{field.label}{'：' if unicodedata.east_asian_width(field.label[-1:] or ' ') in 'WF' else ': '}{field.error}"
    )


def _width(label: str) -> int:
    """What a label needs at least: its longest Latin word, or a Chinese wording laid out in two lines."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in label)
    return max([wide, *map(len, re.findall(r"[^\W_\u2e80-\uffff]+", label))])
