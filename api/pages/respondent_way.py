"""A respondent's way through a form: which screens there are under the answers so far, and how to find each again.

A page of the form is a screen, but a long grid is cut into several, and in large type every question has one of its
own. So a screen is addressed by the page, the entry of a repeat and the first question on it (`3`, `3-2`, `3.11`),
which leads to the same question in either layout, on any phone.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from api.pages.respondent_sent import rank_fault
from survey_forms.forms.answers import read_answers, relevant_pages
from survey_forms.forms.model import Form, Page, Question, Raw, Stop
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.order import lot

ROWS = 10
"""About how many rows of a grid stand on one screen."""

_ADDRESS = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?(?:\.([0-9]{1,4}))?")


class Place(NamedTuple):
    """Where a question stands, comparable along the way: page or repeat, entry, page within it, question from 1."""

    group: int
    entry: int
    page: int
    question: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How one respondent sees a form: in large type or not, and by which key the units are ordered (None: as is).

    `seed` orders the choices that the author shuffles.
    """

    large: bool = False
    order: bytes | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One screen: a stop on the way, and the questions of it that stand there; `upto` is the place after the last."""

    stop: Stop
    number: int
    place: Place
    upto: int
    questions: tuple[Question, ...]

    @property
    def at(self) -> str:
        """The screen's address."""
        return address(self.number, self.stop.entry, self.place.question)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its questions in the answers; of the list of a repeat's entries, the repeat's own."""
        if self.stop.page.kind == "repeat" and self.stop.page.repeat:
            return (self.stop.page.repeat,)
        return tuple(self.stop.key(question.name) for question in self.questions)


def address(number: int, entry: int | None, question: int = 1) -> str:
    """What leads to a question: page number from 1, entry, and its place on the page from 1."""
    return f"{number}{f'-{entry}' if entry else ''}{f'.{question}' if question > 1 else ''}"


class Plan:
    """A form in one respondent's order; the answers change nothing about it."""

    def __init__(self, form: Form, layout: Layout) -> None:
        self.form, self.layout = form, layout
        self.numbers = {page.name: number for number, page in enumerate(form.pages, start=1)}
        self._places = _shuffled(form.pages, layout.order)
        self._groups: dict[str, int] = {}
        for page in form.pages:
            if page.repeat:
                self._groups.setdefault(page.repeat, self._places[page.name])
        self._rows: dict[str, tuple[Question, ...]] = {}

    def rows(self, page: Page) -> tuple[Question, ...]:
        """All questions of a page of the form, the rows of a grid of units in this respondent's order."""
        found = self._rows.get(page.name)
        if found is None:
            found = self.form.pages[self.numbers[page.name] - 1].questions
            key = self.layout.order
            if page.kind == "grid" and key is not None and all(question.unit for question in found):
                found = tuple(sorted(found, key=lambda question: lot(key, question.unit or "")))
            self._rows[page.name] = found
        return found

    def place(self, page: Page, entry: int | None, question: int = 1) -> Place:
        """Where a question of a page stands along the way; the list of a repeat's entries comes after them."""
        at = self._places[page.name]
        if page.repeat is None:
            return Place(at, 0, at, question)
        return Place(self._groups[page.repeat], entry or 1_000_000, at, question)

    def turns(self, stop: Stop) -> tuple[Turn, ...]:
        """The screens of a stop."""
        asked = {question.name for question in stop.page.questions}
        rows = [(at, one) for at, one in enumerate(self.rows(stop.page), start=1) if one.name in asked]
        parts = [rows] if not rows else _cut(rows, grid=stop.page.kind == "grid", large=self.layout.large)
        starts = [1, *(part[0][0] for part in parts[1:]), max(2, len(self.rows(stop.page)) + 1)]
        return tuple(
            Turn(
                stop=stop,
                number=self.numbers[stop.page.name],
                place=self.place(stop.page, stop.entry, starts[at]),
                upto=starts[at + 1],
                questions=tuple(question for _, question in part),
            )
            for at, part in enumerate(parts)
        )


@dataclass(frozen=True)
class Way:
    """The screens to be shown under the answers so far, in order, and what is wrong with the answers."""

    plan: Plan
    raw: Raw
    today: date
    turns: tuple[Turn, ...]
    wrong: tuple[Fault, ...]

    @classmethod
    def through(cls, plan: Plan, raw: Raw, today: date) -> "Way":
        """Work out the way through a form."""
        stops = relevant_pages(plan.form, raw, today)
        turns = sorted((turn for stop in stops for turn in plan.turns(stop)), key=lambda turn: turn.place)
        try:
            read_answers(plan.form, raw, today)
        except Refused as refused:
            return cls(plan, raw, today, tuple(turns), tuple(_plainer(turns, raw, refused.faults)))
        return cls(plan, raw, today, tuple(turns), ())

    @cached_property
    def _places(self) -> tuple[Place, ...]:
        return tuple(turn.place for turn in self.turns)

    @cached_property
    def _faults(self) -> Mapping[str, list[Fault]]:
        found: dict[str, list[Fault]] = {}
        for fault in self.wrong:
            found.setdefault(fault.path or "", []).append(fault)
        return found

    def read(self, at: str) -> Place | None:
        """The place that an address names; None for what is no address of this form."""
        found = _ADDRESS.fullmatch(at)
        if found is None or not 1 <= int(found[1]) <= len(self.plan.form.pages):
            return None
        page = self.plan.form.pages[int(found[1]) - 1]
        entry = None if page.kind == "repeat" else int(found[2] or bool(page.repeat)) or None
        return self.plan.place(page, entry, max(1, int(found[3] or 1)))

    def at(self, place: Place) -> Turn:
        """The screen with that place; when its page is not asked, the next that is, or the last."""
        before = bisect_right(self._places, place) - 1
        if before >= 0 and self._places[before][:3] == place[:3]:
            return self.turns[before]
        return self.turns[min(before + 1, len(self.turns) - 1)]

    def after(self, place: Place) -> Turn | None:
        """The first screen at or after a place; None after the last."""
        found = bisect_left(self._places, place)
        return self.turns[found] if found < len(self.turns) else None

    def before(self, place: Place) -> Turn:
        """The screen before a place; the first has itself."""
        return self.turns[max(0, bisect_left(self._places, place) - 1)]

    def within(self, first: Place, upto: int) -> list[Turn]:
        """The screens that hold the questions from one place up to (not including) another of the same page."""
        end = first._replace(question=upto)
        return [
            turn
            for turn in self.turns
            if turn.place[:3] == first[:3] and turn.place < end and turn.upto > first.question
        ]

    def number(self, turn: Turn) -> int:
        """Which screen of the way this is, from 1."""
        return bisect_left(self._places, turn.place) + 1

    def faults(self, turn: Turn) -> tuple[Fault, ...]:
        """What is missing or wrong on a screen."""
        return tuple(fault for key in turn.keys for fault in self._faults.get(key, ()))

    def first_open(self) -> Turn | None:
        """The first screen with something missing or wrong; None when all are well."""
        return next((turn for turn in self.turns if self.faults(turn)), None)

    def list_of(self, stop: Stop) -> Turn | None:
        """The screen that lists the entries of the repeat that a stop is in."""
        repeat = stop.page.repeat
        lists = (turn for turn in self.turns if turn.stop.page.kind == "repeat" and turn.stop.page.repeat == repeat)
        return next(lists, None) if repeat else None


def _cut(rows: list[tuple[int, Question]], *, grid: bool, large: bool) -> list[list[tuple[int, Question]]]:
    """The rows of a page as they are put on screens: a grid in even parts, in large type one at a time.

    A note has no answer and stands with the question that follows it.
    """
    if large:
        parts: list[list[tuple[int, Question]]] = [[]]
        for row in rows:
            if parts[-1] and parts[-1][-1][1].type != "note":
                parts.append([])
            parts[-1].append(row)
        if len(parts) > 1 and all(question.type == "note" for _, question in parts[-1]):
            parts[-2:] = [parts[-2] + parts[-1]]
        return parts
    pieces = max(1, round(len(rows) / ROWS)) if grid else 1
    ends = [len(rows) * piece // pieces for piece in range(pieces + 1)]
    return [rows[start:end] for start, end in pairwise(ends)]


def _plainer(turns: Iterable[Turn], raw: Raw, faults: Iterable[Fault]) -> Iterator[Fault]:
    """The faults, of a rank that is half given said in terms of its fields: which position twice, which choice none."""
    ranks = {turn.stop.key(one.name): one for turn in turns for one in turn.questions if one.type == "rank"}
    for fault in faults:
        given, question = raw.get(fault.path or ""), ranks.get(fault.path or "")
        yield (rank_fault(question, fault.path or "", given) if question and isinstance(given, list) else None) or fault


def _shuffled(pages: Sequence[Page], key: bytes | None) -> dict[str, int]:
    """Page → its place along the way: pages that follow one another and are each about one unit change places.

    Pages about the same unit stay together, in the author's order.
    """
    keyed: list[tuple[int, bytes, int, str]] = []
    start, last = 0, ""
    for at, page in enumerate(pages):
        units = {question.unit for question in page.questions if question.unit}
        one = units.pop() if len(units) == 1 and page.kind == "list" and not page.repeat else ""
        if not (one and last):
            start = at
        last = one
        keyed.append((start, lot(key, one) if key is not None and one else b"", at, page.name))
    return {name: place for place, (_, _, _, name) in enumerate(sorted(keyed))}
