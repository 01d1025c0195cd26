"""The lines of a sheet of contacts: CSV, or the first sheet of a workbook, where telephones are often numbers."""

import zipfile
from io import BytesIO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from api.actions.csv_sheet import MOST_ROWS, read_lines
from survey_forms.forms.archive import measure
from survey_forms.refusal import Refused

WIDEST = 20  # columns that are looked at


def contact_lines(content: bytes) -> list[tuple[int, list[str]]]:
    """(line number as Excel counts, cells) of every line that is not blank.

    Raises:
        Refused: as `csv_sheet.read_lines`; for a workbook `workbook_*`, measured before anything is unpacked.
    """
    if not content.startswith(b"PK"):
        return read_lines(content)
    measure(content)
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
        rows = book.worksheets[0].iter_rows(max_row=MOST_ROWS + 2, max_col=WIDEST, values_only=True)
        lines = [(number, [cell_text(cell) for cell in row]) for number, row in enumerate(rows, start=1) if any(row)]
        book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError) as error:
        raise Refused("workbook_unreadable", "file", reason=type(error).__name__) from error
    if len(lines) > MOST_ROWS:
        raise Refused("csv_too_large", "file", most=f"{MOST_ROWS} 行 rows")
    return lines


def cell_text(cell: object) -> str:
    """A cell as it was typed: 13812345678 is a number to Excel, and with a format even 13812345678.0."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
