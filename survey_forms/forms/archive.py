"""What kind of file an author handed in, and the marks on its sheets that openpyxl's fast reading does not tell.

The file is hostile until it has been measured; nothing is unpacked before that.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from posixpath import join, normpath
from typing import IO, NamedTuple
from xml.parsers import expat

from defusedxml.ElementTree import iterparse
from openpyxl.utils import get_column_letter, range_boundaries

from survey_forms.refusal import Refused

LARGEST_FILE = 5_000_000
LARGEST_UNPACKED = 50_000_000
LARGEST_SHEET = 20_000_000
LARGEST_WORDS = 5_000_000
"""Bytes of the part that holds all words of all sheets, which openpyxl reads whole."""
MOST_ENTRIES = 200
HIGHEST_RATIO = 100

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the stream in which Excel keeps a book with a password
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BOOK, _LINKS, _WORDS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"


class Limits(NamedTuple):
    """How large an archive may unpack: all of it, and the part that holds all words of all sheets."""

    unpacked: int = LARGEST_UNPACKED
    words: int = LARGEST_WORDS


@dataclass(slots=True)
class Marks:
    """What a sheet says besides its cells. Rows count from 1 as Excel shows them; columns are letters.

    `merged` holds areas as Excel writes them (`B2:B5`) by their first cell (row, letter); `last` is the last
    row with a cell that holds anything.
    """

    merged: dict[str, tuple[int, str]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[str] = field(default_factory=set)
    last: int = 0


def measure(data: bytes) -> None:
    """Refuse what is no .xlsx workbook, by the name of what it is, and a bomb by its directory.

    The directory's sizes are the archive's own word, which zipfile holds it to on reading.

    Raises:
        Refused: `workbook_*`.
    """
    if len(data) > LARGEST_FILE:
        raise Refused("workbook_too_large", limit_mb=LARGEST_FILE // 1_000_000)
    if not data:
        raise Refused("workbook_empty_file")
    if data.startswith(_OLE):
        raise Refused("workbook_password" if _ENCRYPTED in data else "workbook_old_format")
    if not data.startswith(b"PK"):
        raise Refused("workbook_is_text" if _is_text(data) else "workbook_unreadable", reason="no zip")
    measure_archive(BytesIO(data))


def measure_archive(file: IO[bytes], limits: Limits = Limits()) -> None:  # noqa: B008 - it cannot change
    """As `measure`, for what begins as an archive does and may be too large to hold.

    Raises:
        Refused: `workbook_*`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Refused("workbook_unreadable", reason=type(error).__name__) from error
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    words = max((entry.file_size for entry in entries if entry.filename == _WORDS), default=0)
    if (
        len(entries) > MOST_ENTRIES
        or unpacked > min(limits.unpacked, HIGHEST_RATIO * max(packed, 1))
        or words > limits.words
    ):
        raise Refused("workbook_bomb", entries=len(entries), unpacked_mb=unpacked // 1_000_000)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("workbook_password")
    _refuse_other_kinds({entry.filename for entry in entries})


def _is_text(data: bytes) -> bool:
    """Whether the first bytes are words: a CSV or a web page that was given another ending."""
    return not any(byte < 9 or 13 < byte < 32 for byte in data[:2000])


def _refuse_other_kinds(names: set[str]) -> None:
    if any(name.startswith("xl/vbaProject") for name in names):
        raise Refused("workbook_macros")
    if _BOOK not in names:
        kind = next((kind for name, kind in _KINDS.items() if name in names), "zip")
        raise Refused("workbook_other_kind", kind=kind)


_KINDS = {
    "xl/workbook.bin": "xlsb",
    "content.xml": "OpenDocument (ods)",
    "word/document.xml": "Word (docx)",
    "ppt/presentation.xml": "PowerPoint (pptx)",
    "Index/Document.iwa": "Numbers",
}


def read_marks(data: bytes) -> Mapping[str, Marks]:
    """The marks of each sheet by its title; sheets that are no worksheets are left out.

    Raises:
        Refused: `workbook_sheet_large` for a sheet that would unpack to more than a questionnaire ever needs.
    """
    with zipfile.ZipFile(BytesIO(data)) as archive:
        with archive.open(_LINKS) as links:
            targets = {link.get("Id"): link.get("Target", "") for _, link in iterparse(links)}
        with archive.open(_BOOK) as book:
            sheets = [(one.get("name", ""), one.get(_LINK)) for _, one in iterparse(book) if _local(one) == "sheet"]
        known = {entry.filename: entry for entry in archive.infolist()}
        found = {}
        for title, link in sheets:
            target = targets.get(link, "")
            path = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
            if path in known:
                if known[path].file_size > LARGEST_SHEET:
                    raise Refused("workbook_sheet_large", path=title)
                with archive.open(path) as sheet:
                    found[title] = _marks(sheet)
    return found


def _marks(sheet: IO[bytes]) -> Marks:
    """Read with expat itself: a hundred thousand empty rows take a second, through ElementTree ten."""
    marks, row = Marks(), dict[str, str]()

    def opened(tag: str, given: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "row":
            row.clear()
            row.update(given)
        elif kind in {"v", "is", "f"}:
            marks.last = int(row.get("r") or marks.last + 1)
            if _is_true(row.get("hidden")):
                marks.hidden_rows.add(marks.last)
        elif kind == "mergeCell":
            first_column, first_row, _, _ = range_boundaries(given.get("ref", "A1"))
            marks.merged[given.get("ref", "")] = (int(first_row), get_column_letter(first_column))
        elif kind == "col" and _is_true(given.get("hidden")):
            marks.hidden_columns.update(_letters(given.get("min"), given.get("max")))

    parser = expat.ParserCreate()
    parser.StartElementHandler = opened
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.ParseFile(sheet)
    return marks


def _refuse_doctype(*_: object) -> None:
    """A worksheet declares no document type; entities could only be an attack."""
    raise ValueError("a DTD in a worksheet")


def _letters(first: str | None, last: str | None) -> Iterator[str]:
    if first and last:
        yield from (get_column_letter(number) for number in range(int(first), min(int(last), 200) + 1))


def _is_true(word: str | None) -> bool:
    return word in {"1", "true"}


def _local(element: object) -> str:
    return str(getattr(element, "tag", "")).rpartition("}")[2]
