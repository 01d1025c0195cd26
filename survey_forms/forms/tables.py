"""A sheet with its headers understood: XLSForm columns → text, and the way back to the author's cell."""

from collections.abc import Iterator
from dataclasses import dataclass

from survey_forms.forms.cells import Sheet
from survey_forms.forms.headers import COLUMNS, REMARKS, column, plain
from survey_forms.forms.places import Bilingual, cell_fault, closest
from survey_forms.refusal import Fault


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


def read_table(key: str, sheet: Sheet, default_language: str, needs: tuple[str, ...], faults: list[Fault]) -> Table:
    """Understand a sheet's headers; unknown, doubled and missing ones become faults."""
    letters: dict[str, str] = {}
    for letter, header in sheet.headers.items():
        if plain(header) in REMARKS:
            continue
        name = column(key, header, default_language)
        if name is None:
            known = Bilingual("、".join(aliases[0] for aliases in COLUMNS[key].values()), ", ".join(COLUMNS[key]))
            words = [word for one, aliases in COLUMNS[key].items() for word in (one, *aliases)]
            code = "workbook_language" if _language_wrong(key, header, default_language) else "workbook_header_unknown"
            faults.append(
                cell_fault(code, sheet.title, 1, letter, header, known=known, meant=closest(plain(header), words))
            )
        elif name in letters:
            faults.append(cell_fault("workbook_header_twice", sheet.title, 1, letter, header, other=letters[name]))
        else:
            letters[name] = letter
    for need in needs:
        if not any(name.partition("::")[0] == need for name in letters):
            wanted = f"{COLUMNS[key][need][0]} / {need}"
            faults.append(cell_fault("workbook_header_missing", sheet.title, 1, "A", wanted, wanted=wanted))
    return Table(sheet, letters, tuple(_lines(sheet, letters)))


def _lines(sheet: Sheet, letters: dict[str, str]) -> Iterator[Line]:
    for row in sheet.rows:
        cells = {name: row.cells[letter] for name, letter in letters.items() if letter in row.cells}
        if cells:
            yield Line(row.number, cells)


def _language_wrong(key: str, header: str, default_language: str) -> bool:
    base = plain(header).partition("::")[0]
    return "::" in plain(header) and column(key, base, default_language) is not None
