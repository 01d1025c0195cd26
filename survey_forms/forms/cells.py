"""An .xlsx file as rows of text with their addresses. The file is hostile until it has been measured."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from survey_forms.forms.headers import SHEETS, plain
from survey_forms.forms.places import cell_fault
from survey_forms.refusal import Fault, Refused

LARGEST_FILE = 10_000_000
LARGEST_UNPACKED = 50_000_000
MOST_ENTRIES = 200
HIGHEST_RATIO = 100
MOST_ROWS = 2_000
MOST_COLUMNS = 60

_OLE = b"\xd0\xcf\x11\xe0"  # .xls, and also any workbook with a password


@dataclass(frozen=True, slots=True)
class Row:
    """One row as Excel numbers it; column letter → text, empty cells left out."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its title as the author wrote it, its headers by column letter, its rows."""

    title: str
    headers: dict[str, str]
    rows: tuple[Row, ...]


def read_sheets(data: bytes) -> tuple[dict[str, Sheet], list[Fault]]:
    """The sheets that make a questionnaire (`survey`, `choices`, `settings`), and cells that hold no text.

    Raises:
        Refused: `workbook_*` when the file is no workbook that we open.
    """
    _measure(data)
    faults: list[Fault] = []
    sheets: dict[str, Sheet] = {}
    try:
        book = load_workbook(BytesIO(data), read_only=True)
        for worksheet in book.worksheets:
            key = SHEETS.get(plain(worksheet.title))
            if key is not None and key not in sheets:
                sheets[key] = _sheet(worksheet, faults)
    except Refused:
        raise
    except Exception as error:  # openpyxl lets out whatever its parsing meets
        raise Refused("workbook_unreadable", reason=type(error).__name__) from error
    for key in ("survey", "settings"):
        if key not in sheets:
            names = " / ".join(alias for alias, meant in SHEETS.items() if meant == key)
            raise Refused("workbook_sheet_missing", names=names)
    return sheets, faults


def _measure(data: bytes) -> None:
    """Refuse a bomb by its directory: sizes are the archive's own word, which zipfile holds it to on reading."""
    if len(data) > LARGEST_FILE:
        raise Refused("workbook_too_large", limit_mb=LARGEST_FILE // 1_000_000)
    if data.startswith(_OLE):
        raise Refused("workbook_old_format")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Refused("workbook_unreadable", reason=type(error).__name__) from error
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > min(LARGEST_UNPACKED, HIGHEST_RATIO * max(packed, 1)):
        raise Refused("workbook_bomb", entries=len(entries), unpacked_mb=unpacked // 1_000_000)


def _sheet(worksheet: Any, faults: list[Fault]) -> Sheet:
    title: str = worksheet.title
    worksheet.reset_dimensions()  # what the file says of its own size is not to be believed
    headers: dict[str, str] = {}
    rows: list[Row] = []
    for number, cells in enumerate(worksheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS), 1):
        texts = dict(_texts(title, number, cells, headers, faults))
        if number == 1:
            headers = texts
        elif texts:
            rows.append(Row(number, texts))
    if rows and rows[-1].number > MOST_ROWS + 1:
        raise Refused("workbook_too_many_rows", path=title, limit=MOST_ROWS)
    return Sheet(title, headers, tuple(rows))


def _texts(
    sheet: str, number: int, cells: Any, headers: dict[str, str], faults: list[Fault]
) -> Iterator[tuple[str, str]]:
    for index, cell in enumerate(cells, 1):
        if cell.value is None:
            continue
        letter = get_column_letter(index)
        if cell.data_type in {"f", "e"}:
            code = "workbook_formula" if cell.data_type == "f" else "workbook_error_cell"
            faults.append(cell_fault(code, sheet, number, letter, headers.get(letter, "")))
        elif text := _text(cell.value):
            yield letter, text


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\u00a0", " ").strip()
