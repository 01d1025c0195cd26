"""The ledger line by line as pages show it: what became of each entry, and the unit's sum up to there."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from api.store.evaluations import Unit
from api.store.ledger import Entry, ReversalRequest


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it: what became of it, and the unit's sum of standing points up to here."""

    entry: Entry
    unit: Unit
    reversed_by: int | None
    waiting: ReversalRequest | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class Wish:
    """Which lines are to be shown: of a unit (its code), under a rule, in a state; empty: all."""

    unit: str = ""
    rule: str = ""
    state: str = ""  # counts, reversed, reversal

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> Self:
        """The wish in an address; what is unknown there finds nothing."""
        return cls(*(arguments.get(name, "") for name in ("unit", "rule", "state")))

    def arguments(self) -> list[tuple[str, str]]:
        """The wish as an address has it."""
        given = (("unit", self.unit), ("rule", self.rule), ("state", self.state))
        return [(name, value) for name, value in given if value]

    def wants(self, line: Line) -> bool:
        """Whether a line is to be shown."""
        state = "reversal" if line.entry.reverses else "reversed" if line.reversed_by else "counts"
        wished = ((self.unit, line.unit.code), (self.rule, line.entry.rule), (self.state, state))
        return all(wish in {"", there} for wish, there in wished)


def lines_of(entries: list[Entry], units: list[Unit], requests: list[ReversalRequest]) -> list[Line]:
    """The ledger read from its beginning, the newest line first."""
    unit_of = {unit.id: unit for unit in units}
    points = {entry.seq: entry.points for entry in entries}
    reversed_by = {entry.reverses: entry.seq for entry in entries if entry.reverses is not None}
    waiting = {one.seq: one for one in requests if one.status == "asked"}
    totals: dict[int, Decimal] = defaultdict(Decimal)
    lines = []
    for entry in entries:
        totals[entry.unit_id] += entry.points if entry.reverses is None else -points[entry.reverses]
        lines.append(
            Line(
                entry,
                unit_of[entry.unit_id],
                reversed_by.get(entry.seq),
                waiting.get(entry.seq),
                totals[entry.unit_id],
            )
        )
    return lines[::-1]
