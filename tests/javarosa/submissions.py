"""Random filled forms: mostly sensible, some with what people and programs get wrong.

Drawn from the XForm alone (`fields.py`), so that a mistake of our engine cannot choose what it is asked.
"""

import operator
import re
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from tests.javarosa.fields import Field, Paper

TODAY = date(2026, 6, 30)
MOST_ENTRIES = 4
_WORDS = (
    *("好", "不好", "办事慢 等候久", "abc", "ABC", "a b  c", "O'Hara <&> \"x\"", "厦门市思明区", "𠮷野家", "yes", "no"),
    *("0", "7", "12", "3.5", "-2", "007", "1e3", "13800138000", "0592-5678901", "361000", "350203199001011234"),
    *("2026-01-02", "2026-02-30", "10:30", "a", "b", "true", "false", "NaN", "x" * 40),
)  # fmt: skip

TRIES = 8
_ORDER = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}

Raw = dict[str, str | list[str]]


def submissions(paper: Paper, seed: str, number: int) -> Iterator[Raw]:
    """`number` filled forms; the same seed gives the same ones."""
    for index in range(number):
        yield _Person(paper, Random(f"{seed}/{index}")).filled()


class _Person:
    """Who fills the form in: careless, or without the mistakes that a person can see, so that much passes."""

    def __init__(self, paper: Paper, random: Random) -> None:
        self.paper = paper
        self.random = random
        self.careless = random.random() < 0.4
        self.raw: Raw = {}

    def filled(self) -> Raw:
        for field in self.paper.fields:
            if field.repeat is None:
                self.answer(field, "")
        for repeat in self.paper.repeats:
            entries = self.paper.entries(repeat, self.raw)
            if entries is None:
                entries = self.random.randint(0, MOST_ENTRIES)
            self.raw[repeat] = str(entries)
            for entry in range(1, entries + 1):
                for field in self.paper.fields:
                    if field.repeat == repeat:
                        self.answer(field, f"{repeat}.{entry}.")
        told = [
            name
            for name, one in self.paper.calculates.items()
            if "once(" not in one and self.paper.outside(name)  # once() keeps what it finds
        ]
        if told and self.careless and self.random.random() < 0.2:
            self.raw.setdefault(self.random.choice(told), "999")
        return self.raw

    def answer(self, field: Field, around: str) -> None:
        given: str | list[str]
        if field.name in self.paper.counted_by.values():  # JavaRosa would make a hundred thousand entries
            given = str(self.random.randint(-1, MOST_ENTRIES + 2))
        elif self.random.random() > self.willing(field):
            given = ""
        elif field.kind in {"select1", "select", "rank"}:
            given = self.chosen(field, around)
        elif field.kind == "range":
            start, end, step = field.limits
            given = _digits(start + step * self.random.randint(0, round((end - start) / step)))
        elif field.kind == "date":
            given = self.day(field)
        elif field.kind in {"int", "decimal"}:
            given = self.number(field)
        else:
            given = self.random.choice(_WORDS)
        if given or (
            field.default and self.random.random() < 0.5
        ):  # an absent key leaves the default, an empty one not
            self.raw[around + field.name] = given

    def willing(self, field: Field) -> float:
        if self.careless:
            return 0.8
        if field.required:
            return 1.0
        return 0.15 if field.constraint and field.kind in {"string", "select"} else 0.85  # what passes is hard to guess

    def day(self, field: Field) -> str:
        named = [date.fromisoformat(day) for day in re.findall(r"\d{4}-\d{2}-\d{2}", field.constraint)]
        if self.careless:
            off = self.random.choice((-1, 0, 1, self.random.randint(-500, 500), -self.random.randint(0, 300)))
            return (self.random.choice([TODAY, *named]) + timedelta(off)).isoformat()
        return (TODAY - timedelta(self.random.randint(0, 90))).isoformat()

    def number(self, field: Field) -> str:
        edges = [float(edge) for edge in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", field.constraint)]
        for _ in range(TRIES):
            spans = ((0, 12), (0, 120), (-9, -1), (0, 99999)) if self.careless else ((0, 3), (0, 12), (0, 120))
            near = [edge + step for edge in edges for step in (-1, 0, 1)]
            drawn: float = self.random.choice([*(self.random.randint(*span) for span in spans), *near])
            if field.kind == "int":
                drawn = int(drawn)
            elif self.random.random() < 0.5:
                drawn += self.random.choice((0.5, 0.25, 0.1, 0.125, -0.5, 0.45))
            if self.careless or _within(drawn, field.constraint):
                break
        return _digits(drawn)

    def chosen(self, field: Field, around: str) -> str | list[str]:
        everything = [item["name"] for item in field.items]
        offered = field.offered(lambda name: self.raw.get(around + name, self.raw.get(name, "")))
        if self.careless and (not offered or self.random.random() < 0.1):
            offered = everything
        if not offered:
            return ""
        astray = self.careless and self.random.random() < 0.04
        if field.kind == "select1":
            return "nowhere" if astray else self.random.choice(offered)
        if field.kind == "rank":
            return self.random.sample(everything, len(everything))
        several = self.random.sample(offered, self.random.randint(1, min(4, len(offered))))
        return [*several, "nowhere"] if astray else several


def _within(number: float, constraint: str) -> bool:
    """Whether the plain limits of a constraint hold; whatever else it says is left to chance."""
    limits = re.findall(r"\.\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)", constraint)
    return all(_ORDER[sign](number, float(limit)) for sign, limit in limits)


def _digits(number: float) -> str:
    return format(round(number, 6), ".6f").rstrip("0").rstrip(".")
