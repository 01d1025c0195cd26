"""A sheet with its headers understood: XLSForm columns → text, and the way back to the author's cell."""

from collections.abc import Iterator
from dataclasses import dataclass

from survey_forms.forms.cells import Row, Sheet
from survey_forms.forms.headers import COLUMNS, TRANSLATED, understood
from survey_forms.forms.places import Bilingual, cell_fault, closest
from survey_forms.refusal import Fault

_MAY_BE_DATES = {"default", "version"}


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number in Excel and its text by XLSForm column."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet by XLSForm columns. `letters` says in which column of the sheet each one stands."""

    sheet: Sheet
    letters: dict[str, str]
    lines: tuple[Line, ...]

    def fault(self, code: str, number: int, name: str, /, **facts: object) -> Fault:
        """A fault in the cell of one row and XLSForm column; the first column when the sheet lacks that one."""
        letter = self.letters.get(name) or next(
            (self.letters[one] for one in self.letters if one.partition("::")[0] == name), "A"
        )
        header = self.sheet.headers.get(letter, name)
        return cell_fault(code, self.sheet.title, number, letter, header, **facts)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the sheet's columns, each once, in their order."""
        spoken = (name.partition("::")[2] for name in self.letters if name.partition("::")[0] in TRANSLATED)
        return tuple(dict.fromkeys(spoken))


@dataclass(slots=True)
class Reading:
    """What is wrong with the workbook (`faults`) and what the author should know of it (`notes`)."""

    faults: list[Fault]
    notes: list[Fault]


def read_table(key: str, sheet: Sheet, default_language: str, needs: tuple[str, ...], reading: Reading) -> Table:
    """Understand a sheet's headers; unknown, doubled and missing ones become faults."""
    letters: dict[str, str] = {}
    for letter, header in sheet.headers.items():
        sort, name = understood(key, header, default_language)
        filled = any(letter in row.cells for row in sheet.rows)
        if sort == "unknown" or (sort == "filter" and closest(name.lower(), COLUMNS[key]).zh):
            reading.faults.append(_unknown(key, sheet, letter))
        elif sort == "language":
            reading.faults.append(cell_fault("workbook_language", sheet.title, 1, letter, header))
        elif sort == "unsupported" and filled:
            reading.faults.append(cell_fault("workbook_column", sheet.title, 1, letter, header, feature=name))
        elif sort == "ignored" and filled:
            reading.notes.append(cell_fault("workbook_column_ignored", sheet.title, 1, letter, header))
        elif name in letters:
            other = letters[name]
            reading.faults.append(cell_fault("workbook_header_twice", sheet.title, 1, letter, header, other=other))
        elif sort in {"column", "filter"}:
            letters[name] = letter
    reading.faults.extend(_headless(sheet))
    for need in needs:
        if not any(name.partition("::")[0] == need for name in letters):
            wanted = f"{COLUMNS[key][need][0]} / {need}"
            reading.faults.append(cell_fault("workbook_header_missing", sheet.title, 1, "A", wanted, wanted=wanted))
    table = Table(sheet, letters, tuple(_lines(key, sheet, letters, reading)))
    _check_dates(table, reading)
    return table


def _unknown(key: str, sheet: Sheet, letter: str) -> Fault:
    header = sheet.headers[letter]
    known = Bilingual("、".join(aliases[0] for aliases in COLUMNS[key].values()), ", ".join(COLUMNS[key]))
    words = [word for one, aliases in COLUMNS[key].items() for word in (one, *aliases)]
    meant = closest(" ".join(header.lower().split()), words)
    return cell_fault("workbook_header_unknown", sheet.title, 1, letter, header, known=known, meant=meant)


def _headless(sheet: Sheet) -> Iterator[Fault]:
    """Cells under no header would be lost without a word; one fault a column."""
    first: dict[str, int] = {}
    for row in sheet.rows:
        for letter in row.cells.keys() - sheet.headers.keys():
            first.setdefault(letter, row.number)
    for letter, number in first.items():
        yield cell_fault("workbook_headless", sheet.title, number, letter, "")


def _lines(key: str, sheet: Sheet, letters: dict[str, str], reading: Reading) -> Iterator[Line]:
    for row in sheet.rows:
        cells = {name: row.cells[letter] for name, letter in letters.items() if letter in row.cells}
        if _is_header_again(key, row, sheet):
            reading.faults.append(cell_fault("workbook_second_table", sheet.title, row.number, "A", ""))
        elif cells:
            yield Line(row.number, cells)


def _is_header_again(key: str, row: Row, sheet: Sheet) -> bool:
    """Whether a row repeats the header: a second table below the first."""
    same = sum(text == sheet.headers.get(letter) for letter, text in row.cells.items())
    return same > 1 or (same == len(row.cells) and key == "settings")


def _check_dates(table: Table, reading: Reading) -> None:
    """Excel turns `1-2` into the second of January; what the author typed is gone."""
    named = {letter: name for name, letter in table.letters.items() if name not in _MAY_BE_DATES}
    for row in table.sheet.rows:
        for letter in sorted(row.dates & named.keys()):
            reading.faults.append(table.fault("workbook_date_cell", row.number, named[letter], given=row.cells[letter]))
