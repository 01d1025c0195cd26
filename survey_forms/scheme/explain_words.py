"""Words and tables for explaining a scheme."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from survey_forms.numbers import plain
from survey_forms.scheme.model import Rule


class Named(Protocol):
    """Anything with a Chinese and an English name."""

    @property
    def zh(self) -> str:
        """The Chinese name."""

    @property
    def en(self) -> str:
        """English name."""


class Said(Protocol):
    """Anything that quotes the document, or tells what it provides."""

    @property
    def words(self) -> str:
        """The document's own words."""

    @property
    def says(self) -> str:
        """What it provides, in ours."""


class Read(Said, Protocol):
    """Anything whose words may need a reading."""

    @property
    def reading(self) -> str:
        """How the words are read."""

    @property
    def article(self) -> str:
        """Where they stand."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Picks the reader's language."""

    language: str

    def __call__(self, zh: str, en: str) -> str:
        """The text in the reader's language."""
        return en if self.language == "en" else zh

    def name(self, one: Named) -> str:
        """The name in the reader's language."""
        return self(one.zh, one.en)

    def cite(self, article: str) -> str:
        """The article, in brackets."""
        return self(f"({article})", f" ({article})") if article else ""

    def join(self, parts: Iterable[str]) -> str:
        """Clauses of one sentence."""
        return self(",", ", ").join(part for part in parts if part)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table; nothing where there are no rows."""
    body = [f"| {' | '.join(cell.replace('|', '／') or '—' for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body] if body else []


def percent(share: Decimal) -> str:
    """A share with its sign."""
    return f"{plain(share)}%"


def points(speech: Speech, value: Decimal) -> str:
    """A number of points with its word."""
    return f"{plain(value)} {speech('分', 'points')}"


def rule_points(rule: Rule, speech: Speech) -> str:
    """What a rule costs: so many points, or a range."""
    if rule.points is not None:
        return points(speech, rule.points)
    low, high = rule.points_min, rule.points_max
    return f"{plain(low)}–{points(speech, high)}" if low is not None and high is not None else ""


def said_of(one: Said) -> str:
    """The document's words in quotation marks, else what it provides."""
    return f"“{one.words}”" if one.words else one.says
