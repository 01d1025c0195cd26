"""What follows from a grade, a rank or a fact: the tables `[[consequence]]` and `[[consequence.when]]`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from survey_forms.numbers import plain_decimal

_PATH = re.compile(r"[a-z][a-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class Value:
    """Yes or no, or a number: `base` (a decimal or the path of a supplied percentage), then plus, minus, limits.

    TOML: `true` · `"15"` · `"outstanding_base"` · `{ base = "outstanding_base", plus = "5", at_most = "20" }`.
    """

    flag: bool | None = None
    base: Decimal | str = ""
    plus: Decimal = Decimal(0)
    minus: Decimal = Decimal(0)
    at_most: Decimal | None = None
    at_least: Decimal | None = None

    @property
    def has_number(self) -> bool:
        """Whether the file states a number here, which then must name its article."""
        return self.flag is None and (isinstance(self.base, Decimal) or bool(self.plus or self.minus))

    @classmethod
    def from_toml(cls, raw: Any) -> "Value | None":
        """The value, or None where `raw` is nothing of the kind."""
        if isinstance(raw, bool):
            return cls(flag=raw)
        table = {"base": raw} if isinstance(raw, str) else raw
        if not isinstance(table, dict) or not table.keys() <= {"base", "plus", "minus", "at_most", "at_least"}:
            return None
        if "base" not in table or not all(isinstance(text, str) for text in table.values()):
            return None
        numbers: dict[str, Any] = {key: plain_decimal(text) for key, text in table.items() if key != "base"}
        base = plain_decimal(table["base"])
        if None in numbers.values() or (base is None and not _PATH.fullmatch(table["base"])):
            return None
        return cls(base=table["base"] if base is None else base, **numbers)


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum, or the largest, of one field over the matching records: true when it is more than `over`."""

    facts: str
    of: str
    over: Decimal
    match: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """True when the yes-or-no field `of` holds in each of the `years` before this one."""

    facts: str
    of: str
    year: str
    years: int
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """`[[consequence.when]]`: all conditions named must hold; the first table that holds gives its value.

    `grade`: one of these. `binding`: any of these conditions is violated ("*": any at all). `last`: among the
    last n of all units. `total`, `longest`: see Measure. `repeated`: see Repeated.
    """

    value: Value
    grade: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()
    last: int | None = None
    total: Measure | None = None
    longest: Measure | None = None
    repeated: Repeated | None = None
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Each:
    """`[consequence.each]`: one result a record of `facts`: the fraction `gives` that is kept of a whole.

    `loses` tells, for each choice of the record's field `by`, which fraction is lost; null loses nothing.
    """

    facts: str
    by: str
    gives: str
    loses: Mapping[str, Fraction]
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Consequence:
    """`[[consequence]]`: `value` where no `when` holds; or `each`, one result a record."""

    id: str
    zh: str
    en: str
    value: Value | None = None
    when: tuple[When, ...] = ()
    each: Each | None = None
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""
