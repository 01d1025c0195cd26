"""An .xlsx file as rows of text with their addresses; what no questionnaire can mean becomes a fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from survey_forms.forms.archive import Marks, measure, read_marks
from survey_forms.forms.headers import COLUMNS, SHEETS, UNSUPPORTED_SHEETS, plain, understood
from survey_forms.forms.languages import CHINESE
from survey_forms.forms.places import cell_fault
from survey_forms.refusal import Fault, Refused

MOST_ROWS = 5_000
MOST_COLUMNS = 60
_SEARCHED = 10  # rows below a title in which the header is looked for

_ERRORS = {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "########"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as Excel numbers it; column letter → text, empty cells left out. `dates` are cells that Excel dates."""

    number: int
    cells: dict[str, str]
    dates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title as the author wrote it, its headers by column letter, its rows."""

    title: str
    headers: dict[str, str]
    rows: tuple[Row, ...]


def read_sheets(data: bytes) -> tuple[dict[str, Sheet], list[Fault], list[Fault]]:
    """The sheets that make a questionnaire (`survey`, `choices`, `settings`), faults of cells, and notes.

    Raises:
        Refused: `workbook_*` when the file is no workbook that we open.
    """
    measure(data)
    faults: list[Fault] = []
    notes: list[Fault] = []
    sheets: dict[str, Sheet] = {}
    try:
        marks = read_marks(data)
        book = load_workbook(BytesIO(data), read_only=True)
        for worksheet in book.worksheets:
            key = _key_of(worksheet.title, sheets, faults)
            if key is not None:
                sheets[key] = _sheet(key, worksheet, marks.get(worksheet.title, Marks()), faults, notes)
    except Refused:
        raise
    except Exception as error:  # openpyxl lets out whatever its parsing meets
        raise Refused("workbook_unreadable", reason=type(error).__name__) from error
    for key in ("survey", "settings"):
        if key not in sheets:
            names = " / ".join(alias for alias, meant in SHEETS.items() if meant == key)
            raise Refused("workbook_sheet_missing", names=names)
    return sheets, faults, notes


def _key_of(title: str, sheets: Mapping[str, Sheet], faults: list[Fault]) -> str | None:
    """Which part of a questionnaire a sheet is; sheets of other names are the author's own."""
    if plain(title).replace(" ", "_") in UNSUPPORTED_SHEETS:
        faults.append(Fault("workbook_sheet_unsupported", title))
    key = SHEETS.get(plain(title))
    if key is not None and key in sheets:
        raise Refused("workbook_sheet_twice", one=sheets[key].title, other=title)
    return key


def _sheet(key: str, worksheet: Any, marks: Marks, faults: list[Fault], notes: list[Fault]) -> Sheet:
    title: str = worksheet.title
    if marks.last > MOST_ROWS + 1:
        raise Refused("workbook_too_many_rows", path=title, limit=MOST_ROWS, last=marks.last)
    worksheet.reset_dimensions()  # what the file says of its own size is not to be believed
    headers: dict[str, str] = {}
    rows: list[Row] = []
    for number, cells in enumerate(worksheet.iter_rows(max_row=max(marks.last, 1), max_col=MOST_COLUMNS), 1):
        row = _row(title, number, cells, headers, faults)
        if number == 1:
            headers = row.cells
        elif row.cells:
            rows.append(row)
    sheet = Sheet(title, headers, tuple(rows))
    faults.extend(_marked(sheet, marks))
    notes.extend(_hidden(sheet, worksheet.sheet_state, marks))
    _refuse_header_below(key, sheet)
    return sheet


def _row(sheet: str, number: int, cells: Any, headers: Mapping[str, str], faults: list[Fault]) -> Row:
    texts: dict[str, str] = {}
    dates: set[str] = set()
    for index, cell in enumerate(cells, 1):
        if cell.value is None:
            continue
        letter = get_column_letter(index)
        text = _text(cell.value)
        if cell.data_type in {"f", "e"} or text in _ERRORS:
            code = "workbook_formula" if cell.data_type == "f" else "workbook_error_cell"
            faults.append(cell_fault(code, sheet, number, letter, headers.get(letter, ""), given=text))
        elif text:
            texts[letter] = text
            if isinstance(cell.value, date | time):
                dates.add(letter)
    return Row(number, texts, frozenset(dates))


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):  # Excel keeps whole numbers as 1.0, and shows fifteen digits of the others
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    return str(value).strip()


def _marked(sheet: Sheet, marks: Marks) -> Iterator[Fault]:
    """Merged areas and hidden rows: the author sees something else than what would be asked."""
    written = {row.number for row in sheet.rows}
    for area, (number, letter) in marks.merged.items():
        if number == 1 or number in written:
            yield cell_fault("workbook_merged", sheet.title, number, letter, sheet.headers.get(letter, ""), area=area)
    for number in sorted(marks.hidden_rows & written):
        yield cell_fault("workbook_hidden_row", sheet.title, number, "A", sheet.headers.get("A", ""))


def _hidden(sheet: Sheet, state: str, marks: Marks) -> Iterator[Fault]:
    """Hidden sheets and columns are read like any other, and the author is told so."""
    if state != "visible":
        yield cell_fault("workbook_hidden_sheet", sheet.title, 1, "A", sheet.headers.get("A", ""))
    for letter in sorted(marks.hidden_columns & sheet.headers.keys()):
        yield cell_fault("workbook_hidden_column", sheet.title, 1, letter, sheet.headers[letter])


def _refuse_header_below(key: str, sheet: Sheet) -> None:
    """A title or an empty row above the header: everything below would be misread, so nothing else is said.

    Raises:
        Refused: `workbook_header_below` with the row in which the header stands.
    """
    if _known(key, sheet.headers) > 1:
        return
    for row in sheet.rows[:_SEARCHED]:
        if _known(key, row.cells) > 1:
            raise Refused("workbook_header_below", sheet.title, sheet=sheet.title, row=row.number)


def _known(key: str, cells: Mapping[str, str]) -> int:
    """How many cells are headers that every such sheet has."""
    needed = set(list(COLUMNS[key])[:3])
    return sum(understood(key, text, CHINESE)[1].partition("::")[0] in needed for text in cells.values())
