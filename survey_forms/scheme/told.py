"""What a document rules beside its formula: told to people, kept as data, not part of the arithmetic."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Document:
    """`[document]`: where the text was read."""

    file: str
    part: str
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`[[evaluated]]`: who is evaluated, and how many."""

    zh: str
    en: str
    count: int | None = None
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """`[[round]]`: an assessment that comes back; `months` are calendar months, empty where not stated."""

    id: str
    zh: str
    en: str
    months: tuple[int, ...] = ()
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """`[[calendar]]`: a date to keep. `by` is MM-DD, in the year after if `next_year`; or `within_days` of an act."""

    zh: str
    en: str
    by: str = ""
    next_year: bool = False
    within_days: int | None = None
    article: str = ""
    words: str = ""
    says: str = ""
    where: str = ""


About = Literal[
    "organisation",
    "indicator",
    "public_review",
    "inspection",
    "monitoring",
    "material",
    "leave",
    "feedback",
    "result",
    "consequence",
    "innovation",
    "software",
]


@dataclass(frozen=True, slots=True)
class Note:
    """`[[note]]`: a provision in words, under a heading; `number` and `unit` where it states a quantity."""

    about: About
    zh: str
    en: str
    number: Decimal | None = None
    unit: str = ""
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """`[[term]]`: a word of the document, and the field's word for it."""

    zh: str
    en: str
    where: str = ""
