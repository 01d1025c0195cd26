"""The file of a frame: what it is, its first lines, and its lines one after another from wherever reading stopped.

A million rows never lie in memory: text is decoded as it is read, and a workbook through openpyxl's reader. Which
encoding it is, is decided over the whole file, once, when it is handed in.
"""

import codecs
import csv
import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from api.actions.contact_sheet import cell_text
from api.actions.csv_sheet import WORKBOOKS
from survey_forms.forms.archive import Limits, measure_archive
from survey_forms.refusal import Refused

LARGEST_FILE = 256 * 1024 * 1024
LARGEST_BOOK = 96 * 1024 * 1024
BOOK_LIMITS = Limits(unpacked=1_500_000_000, words=96_000_000)
MOST_LINES = 1_000_000
WIDEST = 60  # columns that are looked at
SHOWN = 5  # lines of a preview
ENCODINGS = ("utf-8-sig", "gb18030")
_PIECE = 1024 * 1024
_ZIP, _OLE = WORKBOOKS
_UNREADABLE = (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, EOFError)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: the encoding of a text (None: a workbook), and how many lines it has besides its headings."""

    encoding: str | None
    lines: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """The headings and the first lines of a file."""

    headings: list[str]
    rows: list[list[str]]


def recognise(file: IO[bytes]) -> Kind:
    """What the file is; all of it is looked at once, in pieces.

    Raises:
        Refused: `frame_file_large`, `frame_file_empty`, `csv_encoding`, `workbook_*`.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    first = file.read(4)
    file.seek(0)
    largest = LARGEST_BOOK if first == _ZIP else LARGEST_FILE
    if size > largest:
        raise Refused("frame_file_large", "file", most=largest // 1024 // 1024)
    if not size:
        raise Refused("frame_file_empty", "file")
    if first == _OLE:
        raise Refused("workbook_old_format", "file")
    if first == _ZIP:
        measure_archive(file, BOOK_LIMITS)
        return Kind(None, None)
    return _text(file)


def _text(file: IO[bytes]) -> Kind:
    """The first encoding in which the whole file can be read, and its lines."""
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ENCODINGS}
    lines, last = 0, b"\n"
    while piece := file.read(_PIECE):
        if b"\0" in piece:
            raise Refused("csv_encoding", "file")
        lines, last = lines + piece.count(b"\n"), piece[-1:]
        decoders = {name: decoder for name, decoder in decoders.items() if _decodes(decoder, piece)}
    fitting = [name for name, decoder in decoders.items() if _decodes(decoder, b"", final=True)]
    if not fitting:
        raise Refused("csv_encoding", "file")
    return Kind(fitting[0], max(lines + (last != b"\n") - 1, 0))


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


class Reader:
    """The lines of a file in their order; `read` counts those taken, the headings apart."""

    def __init__(self, file: IO[bytes], encoding: str | None) -> None:
        """Reads the headings.

        Raises:
            Refused: as `take`.
        """
        self._lines = _book_lines(file) if encoding is None else _text_lines(file, encoding)
        self._file = file
        self.read = 0
        self.headings = [cell.strip() for cell in next(iter(self._next(1)), [])]
        while self.headings and not self.headings[-1]:
            self.headings.pop()

    def take(self, most: int) -> list[tuple[int, list[str]]]:
        """(line as Excel counts, cells without blanks around them) of the next lines; none at the end.

        Raises:
            Refused: `frame_line_unreadable`, `workbook_unreadable`, `contact_unreadable`.
        """
        found = [(self.read + at, cells) for at, cells in enumerate(self._next(most), start=2)]
        self.read += len(found)
        return found

    def skip_to(self, line: int, seconds: float) -> bool:
        """Pass over lines that were read before; whether it is there after so many seconds."""
        until = time.monotonic() + seconds
        while self.read < line and time.monotonic() < until and self.take(min(2000, line - self.read)):
            pass
        return self.read >= line

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _next(self, most: int) -> list[list[str]]:
        return [[cell.strip() for cell in cells[:WIDEST]] for cells in islice(self._lines, most)]


def head_of(file: IO[bytes], encoding: str | None) -> Head:
    """The headings and first lines of a file.

    Raises:
        Refused: as `Reader.take`; `csv_empty` where there is no line beside the headings.
    """
    reader = Reader(file, encoding)
    rows = [cells for _, cells in reader.take(SHOWN) if any(cells)]
    if not reader.headings or not rows:
        raise Refused("csv_empty", "file")
    return Head(reader.headings, rows)


def _text_lines(file: IO[bytes], encoding: str) -> Iterator[list[str]]:
    """Separated by tabs where the headings have more of them than of commas."""
    first = file.readline(64 * 1024)
    file.seek(0)
    delimiter = "\t" if first.count(b"\t") > first.count(b",") else ","
    text = io.TextIOWrapper(file, encoding, newline="")
    lines = csv.reader(text, strict=True, delimiter=delimiter)
    try:
        yield from lines
    except csv.Error as error:
        raise Refused("frame_line_unreadable", "file", row=lines.line_num, reason=str(error)) from error


def _book_lines(file: IO[bytes]) -> Iterator[list[str]]:
    """Of the first sheet; telephones are often numbers there."""
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        for row in book.worksheets[0].iter_rows(max_col=WIDEST, values_only=True):
            yield [cell_text(cell) for cell in row]
    except _UNREADABLE as error:
        raise Refused("workbook_unreadable", "file", reason=type(error).__name__) from error
