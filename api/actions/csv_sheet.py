"""What every CSV file that the office hands in shares: its encoding, its headings, and faults told by row and column.

UTF-8 (with or without a mark) and GB18030 are recognised, because that is what Excel writes on Chinese machines.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from api.store.evaluations import Unit
from survey_forms.refusal import Fault, Refused

LARGEST_FILE = 2 * 1024 * 1024
MOST_ROWS = 20_000
MOST_FAULTS = 100
UNIT = "单位"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of .xlsx and .xls."""


def refuse(faults: list[Fault]) -> None:
    """Refuse with all faults, the first `MOST_FAULTS` one by one; nothing happens when there are none."""
    if len(faults) > MOST_FAULTS:
        left_out = len(faults) - MOST_FAULTS
        faults = [*faults[:MOST_FAULTS], Fault("csv_more_faults", "", {"count": left_out})]
    if faults:
        raise Refused.of(faults)


def read_lines(content: bytes) -> list[tuple[int, list[str]]]:
    """(line number as Excel counts, cells) of every line that is not blank.

    Raises:
        Refused: `csv_too_large`, `csv_is_workbook`, `csv_encoding`, `csv_unreadable`.
    """
    if len(content) > LARGEST_FILE:
        raise Refused("csv_too_large", "file", most="2 MB")
    if content.startswith(WORKBOOKS):
        raise Refused("csv_is_workbook", "file")
    text = io.StringIO(decoded(content), newline="")
    try:
        numbered = [
            (number, cells) for number, cells in enumerate(csv.reader(text, strict=True), start=1) if any(cells)
        ]
    except csv.Error as error:
        raise Refused("csv_unreadable", "file", what=str(error)) from error
    if len(numbered) > MOST_ROWS:
        raise Refused("csv_too_large", "file", most=f"{MOST_ROWS} 行 rows")
    return numbered


def decoded(content: bytes) -> str:
    """The text of a file.

    Raises:
        Refused: `csv_encoding`.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refused("csv_encoding", "file")


def read_headings(
    cells: Sequence[str], columns: Collection[str], english: Mapping[str, str], needed: Mapping[str, Collection[str]]
) -> list[str]:
    """The columns in the file's order.

    Args:
        cells: the first line.
        columns: the names that a column may have.
        english: other names for them, in small letters.
        needed: what to call a column that may not be missing → the names of which one must be there.

    Raises:
        Refused: one is missing, unknown or doubled.
    """
    heads = [english.get(cell.strip().lower(), cell.strip()) for cell in cells]
    while heads and not heads[-1]:
        heads.pop()
    known = "、".join(columns)
    faults = [
        Fault("csv_column_unknown", "1", {"column": short(head) or "—", "known": known})
        for head in heads
        if head not in columns
    ]
    faults += [Fault("csv_column_twice", "1", {"column": head}) for head, n in Counter(heads).items() if n > 1]
    missing = [called for called, names in needed.items() if not set(names) & set(heads)]
    if missing:
        faults.append(Fault("csv_column_missing", "1", {"columns": "、".join(missing)}))
    refuse(faults)
    return heads


def cell_fault(code: str, line: int, column: str, **facts: object) -> Fault:
    """A fault of one cell."""
    return Fault(code, f"{line}:{column}", {"row": line, "column": column, **facts})


def letter(number: int) -> str:
    """A column as Excel names it, counted from nought (A to Z are enough for a sheet of ours)."""
    return chr(ord("A") + min(number, 25))


def short(text: str) -> str:
    """A cell's words, cut so that a sentence can repeat them."""
    return text if len(text) <= 40 else f"{text[:39]}…"


class UnitRows:
    """Reads rows about units: every fault so far, and a unit by its code or its name."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.faults: list[Fault] = []
        self._units: dict[str, list[Unit]] = {}
        for unit in units:
            for name in {unit.code, unit.name_zh, unit.name_en}:
                self._units.setdefault(name, []).append(unit)

    def _fault(self, code: str, line: int, column: str, **facts: object) -> None:
        self.faults.append(cell_fault(code, line, column, **facts))

    def _unit(self, line: int, name: str) -> Unit | None:
        found = self._units.get(name, [])
        if len(found) == 1:
            return found[0]
        if not name:
            self._fault("csv_cell_missing", line, UNIT)
        elif found:
            self._fault("csv_unit_ambiguous", line, UNIT, value=short(name), codes="、".join(one.code for one in found))
        else:
            self._fault("csv_unit_unknown", line, UNIT, value=short(name))
        return None
