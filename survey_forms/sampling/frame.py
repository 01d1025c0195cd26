"""The frame of a draw: read, checked row by row, and committed by one hash of one canonical text.

The canonical text is a line `stratum,unit_id` for each unit, strata in byte order, units in the given order: UTF-8
with a line feed after every line and without a header, so a citizen can make it with `sort` and `sha256sum`.

A plan that walks along places or draws by size reads further columns. What decides there is committed in the same
way, by a second text with the lines `stratum,unit_id,column,…`; numbers stand in it as whole millionths.

Python compares text by code point, and UTF-8 keeps that order: sorting text is sorting bytes.
"""

import csv
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Any

from survey_forms.refusal import Fault, Refused

FAULTS_SHOWN = 20

# What would break the canonical text in two: the separator, quotes, NUL, and every character that some reader
# takes for the end of a line. A lone surrogate is a byte that was not UTF-8 (files are read with surrogateescape).
_FORBIDDEN = re.compile('[,"\0\n\r\v\f\x1c-\x1e\x85\u2028\u2029]')
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"[\w.:-]+")  # no such text is blank or holds what is forbidden
_DECIMAL = re.compile(r"(-?[0-9]{1,15})(?:\.([0-9]{1,6})0*)?")
_CHUNK = 10_000  # units joined at once: the text of a million is never held whole


COLUMNS: Mapping[str, int] = {"latitude": 90, "longitude": 180, "size": 10**12, "sort": 0}
"""What a plan may read of a member, with the largest number (0: text); sizes are not below 0."""

MISSING = -(1 << 63)
"""Stands for a number that a member lacks."""

Fact = str | Decimal | None
Row = tuple[str, str, str] | tuple[str, str, str, *tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class Frame:
    """Units by stratum (strata in byte order, units as given) and the hash that commits to them.

    `facts` are the further columns, by column and stratum, parallel to `members`: numbers in millionths (`MISSING`
    where there is none), sorting codes as text. `facts_sha256` commits to them; it is empty when no column was read.
    """

    members: Mapping[str, Sequence[str]]
    sha256: str
    facts: Mapping[str, Mapping[str, Sequence[int] | Sequence[str]]] = field(default_factory=dict)
    facts_sha256: str = ""

    @property
    def sizes(self) -> dict[str, int]:
        """N_h, how many units each stratum has."""
        return {stratum: len(units) for stratum, units in self.members.items()}


def read_frame(lines: Iterable[str], name: str = "frame", columns: Sequence[str] = ()) -> Frame:
    """A frame from the lines of a CSV with the columns `stratum` and `unit_id`, and those of `columns`.

    Raises:
        Refused: every fault of the first twenty, each with `name:row`.
    """
    return frame_of(rows_of(lines, ("stratum", "unit_id", *columns), name), columns)


def frame_of(rows: Iterable[Row], columns: Sequence[str] = ()) -> Frame:
    """A frame from (place, stratum, unit, *facts); a unit may occur once in the whole frame.

    Args:
        rows: the facts are those of `columns`, as text or decimals; None or empty where a member has none.
        columns: of `COLUMNS`, in byte order.

    Raises:
        Refused: as `read_frame`.
    """
    faults: list[Fault] = []
    members: dict[str, list[str]] = {}
    facts: dict[str, dict[str, Any]] = {column: {} for column in columns}
    keepers: dict[str, list[tuple[str, Callable[[int | str], None]]]] = {}
    seen: set[str] = set()
    for row in rows:
        place, stratum, unit = row[:3]
        units = members.get(stratum)
        if units is None:
            if not acceptable(stratum, "stratum", place, faults):
                continue
            units = members[stratum] = []
            for column in columns:
                facts[column][stratum] = array("q") if COLUMNS[column] else []
            keepers[stratum] = [(column, facts[column][stratum].append) for column in columns]
        if not acceptable(unit, "unit_id", place, faults):
            continue
        if unit in seen:
            note(faults, Fault("draw_unit_twice", place, {"unit": unit}))
            continue
        seen.add(unit)
        units.append(unit)
        if columns:
            for value, (column, keep) in zip(row[3:], keepers[stratum], strict=True):
                keep(_fact(value, column, place, faults))
    if faults:
        raise Refused.of(faults)
    ordered = {stratum: members[stratum] for stratum in sorted(members)}
    digest = digest_of_members(chain.from_iterable(zip(repeat(one), units) for one, units in ordered.items()))
    return Frame(ordered, digest, facts, _digest_of_facts(ordered, facts) if columns else "")


def digest_of_members(rows: Iterable[tuple[str, ...]]) -> str:
    """The hash that commits to a frame, of (stratum, unit) in canonical order; never more than a few are held."""
    digest = sha256()
    rest = iter(rows)
    while chunk := list(map(",".join, islice(rest, _CHUNK))):
        digest.update(("\n".join(chunk) + "\n").encode())
    return digest.hexdigest()


def _digest_of_facts(members: Mapping[str, Sequence[str]], facts: Mapping[str, Mapping[str, Any]]) -> str:
    """The hash that commits to the further columns, in canonical order."""

    def texts(kept: Sequence[int] | Sequence[str]) -> Iterable[str]:
        return map(str, kept) if MISSING not in kept else ("" if one == MISSING else str(one) for one in kept)

    return digest_of_members(
        chain.from_iterable(
            zip(repeat(stratum), units, *(texts(kept[stratum]) for kept in facts.values()))
            for stratum, units in members.items()
        )
    )


def _fact(value: Fact, column: str, place: str, faults: list[Fault]) -> int | str:
    """A fact as it is kept; what cannot be read is noted."""
    text = value if isinstance(value, str) else "" if value is None else format(value, "f")
    most = COLUMNS[column]
    if not text:
        return MISSING if most else ""
    if not most:
        acceptable(text, column, place, faults)
        return text
    number = millionths(text)
    if number is None or abs(number) > most * 1_000_000 or (number < 0 and column == "size"):
        note(faults, Fault("draw_number_wrong", place, {"column": column, "value": shown(text), "most": most}))
        return MISSING
    return number


def millionths(text: str) -> int | None:
    """A plain decimal of at most six places in whole millionths, whatever its trailing zeros; None if it is none."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return None
    whole, part = found.groups("")
    return int(whole + part.ljust(6, "0"))


def rows_of(lines: Iterable[str], columns: Sequence[str], name: str) -> Iterator[Any]:
    """(place, *columns) of every row after the header; a row's place is its first line."""
    reader = csv.reader(lines, strict=True)
    ended = 0
    try:
        header = [title.strip().removeprefix("\ufeff") for title in next(reader, [])]
        if missing := [column for column in columns if header.count(column) != 1]:
            raise Refused("draw_columns_missing", f"{name}:1", wanted=", ".join(columns), missing=", ".join(missing))
        places = [header.index(column) for column in columns]
        pick, last = itemgetter(*places), max(places)
        ended = reader.line_num
        for row in reader:
            place, ended = f"{name}:{ended + 1}", reader.line_num
            if not row:
                continue
            if len(row) <= last:
                raise Refused("draw_row_incomplete", place, wanted=", ".join(columns))
            yield place, *pick(row)
    except csv.Error as error:
        raise Refused("draw_row_unreadable", f"{name}:{ended + 1}", reason=str(error)) from error


def acceptable(value: str, column: str, place: str, faults: list[Fault]) -> bool:
    """Whether the value can stand in the canonical text; if not, why not is noted."""
    if _PLAIN.fullmatch(value):
        return True
    if not value.strip():
        fault = Fault("draw_field_empty", place, {"column": column})
    elif _NOT_UTF8.search(value):
        fault = Fault("draw_not_utf8", place, {"column": column})
    elif _FORBIDDEN.search(value):
        fault = Fault("draw_character_forbidden", place, {"column": column, "value": shown(value)})
    else:
        return True
    note(faults, fault)
    return False


def note(faults: list[Fault], fault: Fault) -> None:
    """Collect a fault; the twentieth ends the reading, for a file of another kind has one in every row."""
    faults.append(fault)
    if len(faults) == FAULTS_SHOWN:
        raise Refused.of(faults)


def shown(value: str) -> str:
    """A value as a sentence may repeat it: short, and with nothing invisible."""
    return ascii(value[:40])[1:-1] if not value.isprintable() else value[:40]
