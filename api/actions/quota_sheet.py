"""Quota cells as a sheet: a line a cell, pasted whole by the office, all its faults told at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.actions.csv_sheet import cell_fault, letter, read_headings, read_lines, refuse, short
from api.actions.quotas import may_change, set_priorities
from api.store import quotas
from api.store.people import record_act
from api.store.quotas import QuotaCell
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.traits import traits_of, wcell_of

NAME_ZH, NAME_EN, TRAITS, PLACES, PRIORITY = COLUMNS = ("名称", "英文名", "特征", "名额", "优先")
ENGLISH = dict(zip(("name", "name_en", "traits", "places", "priority"), COLUMNS, strict=True))
LONGEST_NAME = 100
MOST_PLACES = 1_000_000
MOST_PRIORITY = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A cell as it is wanted; `priority` nought: by itself."""

    number: int  # as Excel counts
    name_zh: str
    name_en: str
    cell: str  # its traits, as a weighting cell is written
    places: int
    priority: int


def set_cells(connection: Connection, survey_id: int, content: bytes, staff_id: int, now: datetime) -> int:
    """Make a survey's cells those of a sheet, and tell how many they are; a cell is known by its traits.

    Raises:
        Refused: `not_found`, `quota_round_over`; every fault of the sheet; `quota_below_taken` and `quota_in_use`
            where places are taken already.
    """
    may_change(connection, survey_id)
    lines = read_quotas(content)
    known = quotas.hold_cells(connection, [cell.id for cell in quotas.cells_of(connection, survey_id)])
    by_traits = {wcell_of(cell.traits, ""): cell for cell in known}
    wanted = {line.cell for line in lines}
    gone = [cell for cell in known if wcell_of(cell.traits, "") not in wanted]
    refuse([*_below(lines, by_traits), *(Fault("quota_in_use", "sheet", {"cell": c.name_zh}) for c in gone if c.taken)])
    for line in lines:
        values = {"name_zh": line.name_zh, "name_en": line.name_en, "places": line.places, "priority": line.priority}
        same = by_traits.get(line.cell)
        quotas.put_cell(
            connection, values | {"survey_id": survey_id, "traits": traits_of(line.cell)}, same.id if same else None
        )
    quotas.drop_cells(connection, [cell.id for cell in gone])
    places = sum(line.places for line in lines)
    record_act(connection, "quotas_set", now, staff_id, survey=survey_id, cells=len(lines), places=places)
    set_priorities(connection, survey_id)
    return len(lines)


def _below(lines: Sequence[Line], known: dict[str, QuotaCell]) -> list[Fault]:
    return [
        cell_fault("quota_below_taken", line.number, PLACES, taken=known[line.cell].taken)
        for line in lines
        if line.cell in known and line.places < known[line.cell].taken
    ]


def read_quotas(content: bytes) -> list[Line]:
    """The lines of a sheet.

    Raises:
        Refused: every fault found, each with row and column.
    """
    lines = read_lines(content)
    heads = read_headings(lines[0][1], COLUMNS, ENGLISH, {one: [one] for one in COLUMNS[:4]}) if lines else []
    reader = _Reader()
    found = [line for number, cells in lines[1:] if (line := reader.line(number, heads, cells))]
    refuse(reader.faults)
    return found


class _Reader:
    """Reads lines and keeps every fault."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._seen: dict[str, int] = {}

    def line(self, number: int, heads: Sequence[str], cells: Sequence[str]) -> Line | None:
        """The line, or None and its faults."""
        before = len(self.faults)
        if any(cell.strip() for cell in cells[len(heads) :]):
            self._fault("csv_cells_left_over", number, letter(len(heads)))
        named = dict.fromkeys(COLUMNS, "") | {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}
        for column in COLUMNS[:4]:
            if not named[column]:
                self._fault("csv_cell_missing", number, column)
            elif len(named[column]) > LONGEST_NAME:
                self._fault("csv_basis_too_long", number, column, most=LONGEST_NAME)
        cell = self._cell(number, named[TRAITS])
        places = self._whole(number, PLACES, named[PLACES], MOST_PLACES)
        priority = self._whole(number, PRIORITY, named[PRIORITY] or "0", MOST_PRIORITY)
        if len(self.faults) > before:
            return None
        return Line(number, named[NAME_ZH], named[NAME_EN], cell, places, priority)

    def _fault(self, code: str, line: int, column: str, **facts: object) -> None:
        self.faults.append(cell_fault(code, line, column, **facts))

    def _cell(self, number: int, text: str) -> str:
        """The traits in their one order; the same traits twice are a fault."""
        if not text:
            return ""
        parts = [part.strip().partition("=") for part in text.split("|")]
        traits = {name: level for name, _, level in parts}
        try:
            cell = wcell_of(traits, "") if len(traits) == len(parts) else ""
        except Refused:
            cell = ""
        if not cell:
            self._fault("quota_traits_unreadable", number, TRAITS, value=short(text))
            return ""
        if self._seen.setdefault(cell, number) != number:
            self._fault("quota_cell_twice", number, TRAITS, first=self._seen[cell])
        return cell

    def _whole(self, number: int, column: str, text: str, most: int) -> int:
        value = plain_decimal(text) if text else None
        if value is not None and value == int(value) and 0 <= value <= most:
            return int(value)
        if text:
            self._fault("quota_number_unfit", number, column, value=short(text), most=most)
        return 0
