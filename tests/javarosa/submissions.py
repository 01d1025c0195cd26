"""Random filled forms: mostly sensible, some with what people and programs get wrong.

Drawn from the XForm alone (`fields.py`), so that a mistake of our engine cannot choose what it is asked.
"""

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
            told = self.raw.get(self.paper.counted_by.get(repeat, ""), "")
            entries = int(str(told)) if str(told).isdecimal() else self.random.randint(0, MOST_ENTRIES)
            self.raw[repeat] = str(entries)
            for entry in range(1, entries + 1):
                for field in self.paper.fields:
                    if field.repeat == repeat:
                        self.answer(field, f"{repeat}.{entry}.")
        believed = [
            name for name, one in self.paper.calculates.items() if "once(" not in one
        ]  # that keeps what it finds
        if believed and self.careless and self.random.random() < 0.2:
            self.raw.setdefault(self.random.choice(believed), "999")
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
        if given:
            self.raw[around + field.name] = given

    def willing(self, field: Field) -> float:
        if self.careless:
            return 0.8
        if field.required:
            return 1.0
        return 0.3 if field.constraint and field.kind in {"string", "select"} else 0.85  # what passes is hard to guess

    def day(self, field: Field) -> str:
        named = [date.fromisoformat(day) for day in re.findall(r"\d{4}-\d{2}-\d{2}", field.constraint)]
        off = [0, -self.random.randint(0, 90)]
        if self.careless:
            off += [-1, 1, self.random.randint(-500, 500), -self.random.randint(0, 300)]
        return (self.random.choice([TODAY, *named]) + timedelta(self.random.choice(off))).isoformat()

    def number(self, field: Field) -> str:
        edges = [float(edge) for edge in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", field.constraint)]
        if edges and not self.careless:
            low = int(min(edges))
            drawn: float = self.random.randint(low, min(max(int(max(edges)), low + 2), low + 200))
        else:
            spans = ((0, 12), (0, 120), (-9, -1), (0, 99999))
            near = [edge + step for edge in edges for step in (-1, 0, 1)]
            drawn = self.random.choice([*(self.random.randint(*span) for span in spans), *near])
        if field.kind == "decimal" and (self.careless or self.random.random() < 0.5):
            drawn += self.random.choice((0, 0, 0.5, 0.25, 0.1, 0.125, -0.5, 0.45))
        return _digits(int(drawn) if field.kind == "int" else drawn)

    def chosen(self, field: Field, around: str) -> str | list[str]:
        wanted = {column: self.raw.get(around + name, self.raw.get(name, "")) for column, name in field.narrowed_by}
        everything = [item["name"] for item in field.items]
        offered = [
            item["name"]
            for item in field.items
            if all(item.get(column, "") == value for column, value in wanted.items())
        ]
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


def _digits(number: float) -> str:
    return format(round(number, 6), ".6f").rstrip("0").rstrip(".")
