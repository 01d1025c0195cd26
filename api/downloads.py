"""CSV and XLSX of aggregates: the one place where files for spreadsheets are written.

A cell is a number or a text. A text can never become a formula or a link: in CSV a
live first character gets an apostrophe before it, in XLSX every text is written as a text, whatever it looks like.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import xlsxwriter

Value = str | int | float | Decimal | datetime | None

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Tells Excel that a CSV file is UTF-8."""

LIVE = frozenset("=+-@\t\r\n＝＋－＠|%")
"""First characters that some spreadsheet takes for the beginning of a formula or a command."""

SKIPPED = frozenset({"Zs", "Cf"})
"""Categories of characters that a spreadsheet may skip before it looks: blanks, and what has no width."""

LONGEST_CELL = 32_767
"""Characters that a cell of XLSX holds."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its headings; `widths` are columns' widths in characters, where the default does not do."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Value]]
    widths: Sequence[int] = ()


def csv_lines(sheet: Sheet) -> Iterator[bytes]:
    """The sheet as CSV, a line at a time: UTF-8 with a byte order mark, texts quoted, numbers bare."""
    line = io.StringIO()
    writer = csv.writer(line, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    line.write(BOM)
    for row in (sheet.headings, *sheet.rows):
        writer.writerow([_csv_cell(value) for value in row])
        yield line.getvalue().encode("utf-8")
        line.seek(0)
        line.truncate()


def harmless(text: str) -> str:
    """A text for CSV: printable, and never the beginning of a formula."""
    clean = _clean(text)
    first = next((char for char in clean if unicodedata.category(char) not in SKIPPED), "")
    return f"'{clean}" if first in LIVE else clean


def xlsx_bytes(sheets: Sequence[Sheet]) -> bytes:
    """The sheets as one XLSX file; rows are written as they come, so memory holds one row of each sheet."""
    file = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd hh:mm",
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(file, options) as book:
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        quoted = book.add_format({"quote_prefix": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 0)
            for column, width in enumerate(sheet.widths):
                page.set_column(column, column, width)
            for column, title in enumerate(sheet.headings):
                page.write_string(0, column, title, heading)
            for place, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    _write(page, place, column, value, quoted)
    return file.getvalue()


def _csv_cell(value: Value) -> str | int | float | Decimal | None:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return harmless(value) if isinstance(value, str) else value


def _write(page: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Value, quoted: object) -> None:
    if isinstance(value, str):
        text = _clean(value)[:LONGEST_CELL]
        page.write_string(row, column, text, quoted if harmless(text) != text else None)
    elif isinstance(value, datetime):
        page.write_string(row, column, value.isoformat(timespec="seconds"))
    elif value is not None:
        page.write_number(row, column, float(value))


def _clean(text: str) -> str:
    """Without what no file can hold: control characters but tab and line feed, and halves of characters."""
    kept = "".join(char if char in "\t\n\r" or ord(char) >= 0x20 else "\N{REPLACEMENT CHARACTER}" for char in text)
    return kept.encode("utf-8", "replace").decode("utf-8")
