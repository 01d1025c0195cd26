"""The CSV files of an estimate's SPEC: columns of text, read once, turned into numbers or labels when asked.

A column is kept as codes into its distinct texts, so a million rows of scores weigh four bytes a cell and whatever
is decided about a text (is it a number? which label comes first?) is decided once a distinct text.
"""

import csv
import io
import math
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed, printable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MISSING = -1
_LINES = 20_000  # rows turned into codes at a time
_WORDS = {"": math.nan, "NA": math.nan, "Inf": math.inf, "-Inf": -math.inf}  # beside plain numbers, in R's files


@dataclass(frozen=True, slots=True)
class Labels:
    """Groups of rows: `codes` (n,), -1 where missing; `levels` in R's order (numbers by size, words by code point)."""

    codes: Ints
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    codes: NDArray[np.int32]
    distinct: tuple[str, ...]


class Table:
    """Rows under named columns; computed columns of numbers may be put beside those of a file."""

    def __init__(self, name: str, columns: Mapping[str, _Column], rows: int) -> None:
        self.name = name
        self.rows = rows
        self._columns = dict(columns)
        self._computed: dict[str, Floats] = {}

    def __contains__(self, column: str) -> bool:
        return column in self._columns or column in self._computed

    @property
    def columns(self) -> tuple[str, ...]:
        """Names, those of the file first."""
        return (*self._columns, *self._computed)

    def put(self, column: str, values: Floats) -> None:
        """Set a computed column of numbers (n,), NaN where missing."""
        self._computed[column] = values
        self._columns.pop(column, None)

    def take(self, rows: Ints) -> "Table":
        """The rows of these indices, in this order."""
        columns = {name: _Column(column.codes[rows], column.distinct) for name, column in self._columns.items()}
        taken = Table(self.name, columns, len(rows))
        taken._computed = {name: values[rows] for name, values in self._computed.items()}
        return taken

    def padded(self, rows: int) -> "Table":
        """This table with so many more rows at its end, all missing."""
        more = np.zeros(rows, dtype=np.int32)
        columns = {}
        for name, column in self._columns.items():
            blank = column.distinct.index("") if "" in column.distinct else len(column.distinct)
            distinct = column.distinct if blank < len(column.distinct) else (*column.distinct, "")
            columns[name] = _Column(np.concatenate([column.codes, more + np.int32(blank)]), distinct)
        return Table(self.name, columns, self.rows + rows)

    def beside(self, other: "Table", rows: Ints) -> "Table":
        """This table with the columns of `other` that it lacks, row i from row `rows[i]` of the other."""
        theirs = other.take(rows)._columns  # noqa: SLF001 - its own kind
        joined = Table(self.name, {**theirs, **self._columns}, self.rows)
        joined._computed = dict(self._computed)
        return joined

    def texts(self, column: str, path: str) -> list[str]:
        """The texts of a column as the file has them; "" where missing.

        Raises:
            Refused: there is no such column.
        """
        if column in self._computed:
            return [("" if math.isnan(value) else _plain(value)) for value in self._computed[column].tolist()]
        found = self._column(column, path)
        return [found.distinct[code] for code in found.codes.tolist()]

    def is_number(self, column: str, path: str) -> bool:
        """Whether every text of the column that is not missing is a number; a column without any value is."""
        return column in self._computed or _numbers(self._column(column, path).distinct) is not None

    def numbers(self, column: str, path: str) -> Floats:
        """The numbers of a column (n,), NaN where missing.

        Raises:
            Refused: no such column; a text that is no number (named, with its row).
        """
        if column in self._computed:
            return self._computed[column]
        found = self._column(column, path)
        values = _numbers(found.distinct)
        if values is None:
            code = next(code for code, text in enumerate(found.distinct) if _number(text) is None)
            row = int(np.flatnonzero(found.codes == code)[0]) + 1 if (found.codes == code).any() else 0
            raise Refused("estimate_not_a_number", path, column=column, row=row, value=brief(found.distinct[code]))
        return values[found.codes] if len(values) else np.zeros(0)

    def labels(self, column: str, path: str) -> Labels:
        """The groups of a column, in R's order of factor levels.

        Raises:
            Refused: there is no such column.
        """
        if column in self._computed:
            values = self._computed[column]
            levels, codes = np.unique(values[~np.isnan(values)], return_inverse=True)
            result = np.full(self.rows, MISSING, dtype=np.int64)
            result[~np.isnan(values)] = codes
            return Labels(result, tuple(_plain(level) for level in levels.tolist()))
        found = self._column(column, path)
        present = np.zeros(len(found.distinct), dtype=bool)
        present[found.codes] = True
        numbers = _numbers(found.distinct)
        label = {
            code: _plain(numbers[code]) if numbers is not None else text
            for code, text in enumerate(found.distinct)
            if present[code] and not (text == "" or (numbers is not None and math.isnan(numbers[code])))
        }
        by_size = (lambda code: numbers[code]) if numbers is not None else (lambda code: found.distinct[code])
        rank: dict[str, int] = {}
        translate = np.full(len(found.distinct), MISSING, dtype=np.int64)
        for code in sorted(label, key=by_size):
            translate[code] = rank.setdefault(label[code], len(rank))
        return Labels(translate[found.codes], tuple(rank))

    def _column(self, name: str, path: str) -> _Column:
        if name not in self._columns:
            raise Refused(
                "estimate_column_missing",
                path,
                column=brief(name),
                table=printable(self.name),
                known=listed(self.columns),
            )
        return self._columns[name]


def read_table(data: bytes, name: str) -> Table:
    """A CSV file: UTF-8 (a byte order mark allowed), a header line, commas, RFC 4180 quotes; empty = missing.

    Raises:
        Refused: not UTF-8; no header; a column named twice; a row of another length than the header.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("input_not_utf8", name, byte=error.start) from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return _table(lines, name)
    except csv.Error as error:
        raise Refused("estimate_csv_broken", name, line=lines.line_num, what=str(error)) from error


def _table(lines: "Iterator[list[str]]", name: str) -> Table:
    header = next(lines, [])
    if not any(header):
        raise Refused("estimate_csv_empty", name)
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise Refused("estimate_csv_column_twice", name, column=brief(twice[0]))
    codes = [array("i") for _ in header]
    known: list[defaultdict[str, int]] = [defaultdict() for _ in header]
    for lookup in known:
        lookup.default_factory = lookup.__len__
    rows = 0
    while chunk := list(islice(lines, _LINES)):
        kept = list(filter(None, chunk))
        if set(map(len, kept)) - {len(header)}:
            offset, row = next((index, row) for index, row in enumerate(kept) if len(row) != len(header))
            raise Refused("estimate_csv_ragged", name, row=rows + offset + 1, columns=len(row), expected=len(header))
        for column, lookup, cells in zip(codes, known, zip(*kept, strict=True), strict=bool(kept)):
            column.extend(map(lookup.__getitem__, cells))
        rows += len(kept)
    columns = {
        title: _Column(np.asarray(column, dtype=np.int32), tuple(lookup))
        for title, column, lookup in zip(header, codes, known, strict=True)
    }
    return Table(name, columns, rows)


def _number(text: str) -> float | None:
    if text in _WORDS:
        return _WORDS[text]
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _numbers(distinct: tuple[str, ...]) -> Floats | None:
    values = [_number(text) for text in distinct]
    if any(value is None for value in values):
        return None
    return np.asarray(values, dtype=np.float64)


def _plain(value: float) -> str:
    """A number as R's `as.character` writes it: whole numbers without a point, 15 digits otherwise."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.15g}"
