"""The frame and the plan of a draw: read, checked row by row, and committed by one hash of one canonical text.

The canonical text of a frame is a line `stratum,unit_id` for each unit, strata in byte order, units in the given
order; of a plan a line `stratum,n`, strata in byte order. Both are UTF-8 with a line feed after every line and
without a header, so a citizen can make them with `sort` and `sha256sum`.

Python compares text by code point, and UTF-8 keeps that order: sorting text is sorting bytes.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from survey_forms.refusal import Fault, Refused

FAULTS_SHOWN = 20

# What would break the canonical text in two: the separator, quotes, NUL, and every character that some reader
# takes for the end of a line. A lone surrogate is a byte that was not UTF-8 (files are read with surrogateescape).
_FORBIDDEN = re.compile('[,"\0\n\r\v\f\x1c-\x1e\x85\u2028\u2029]')
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
_CHUNK = 10_000  # units joined at once: the text of a million is never held whole


@dataclass(frozen=True, slots=True)
class Frame:
    """Units by stratum (strata in byte order, units as given) and the hash that commits to them."""

    members: Mapping[str, Sequence[str]]
    sha256: str


@dataclass(frozen=True, slots=True)
class PlanLine:
    """How many units a stratum gives; `place` is where the plan says so."""

    stratum: str
    n: int
    place: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of a plan as given, and the hash that commits to them."""

    lines: tuple[PlanLine, ...]
    sha256: str


def read_frame(lines: Iterable[str], name: str = "frame") -> Frame:
    """A frame from the lines of a CSV with the columns `stratum` and `unit_id`; other columns are not read.

    Raises:
        Refused: every fault of the first twenty, each with `name:row`.
    """
    return frame_of(_rows(lines, ("stratum", "unit_id"), name))


def read_plan(lines: Iterable[str], name: str = "plan") -> Plan:
    """A plan from the lines of a CSV with the columns `stratum` and `n`.

    Raises:
        Refused: every fault of the first twenty, each with `name:row`.
    """
    return plan_of(_rows(lines, ("stratum", "n"), name))


def frame_of(rows: Iterable[tuple[str, str, str]]) -> Frame:
    """A frame from (place, stratum, unit_id); a unit may occur once in the whole frame.

    Raises:
        Refused: as `read_frame`.
    """
    faults: list[Fault] = []
    members: dict[str, list[str]] = {}
    seen: set[str] = set()
    for place, stratum, unit in rows:
        units = members.get(stratum)
        if units is None:
            if not _acceptable(stratum, "stratum", place, faults):
                continue
            units = members[stratum] = []
        if not _acceptable(unit, "unit_id", place, faults):
            continue
        if unit in seen:
            _note(faults, Fault("draw_unit_twice", place, {"unit": unit}))
            continue
        seen.add(unit)
        units.append(unit)
    if faults:
        raise Refused.of(faults)
    ordered = {stratum: members[stratum] for stratum in sorted(members)}
    return Frame(ordered, _hash_of_frame(ordered))


def plan_of(rows: Iterable[tuple[str, str, str]]) -> Plan:
    """A plan from (place, stratum, n); n is a whole number in plain digits.

    Raises:
        Refused: as `read_plan`.
    """
    faults: list[Fault] = []
    lines: dict[str, PlanLine] = {}
    for place, stratum, n in rows:
        if not _acceptable(stratum, "stratum", place, faults):
            continue
        if stratum in lines:
            _note(faults, Fault("draw_stratum_twice", place, {"stratum": stratum}))
        elif not _WHOLE.fullmatch(n):
            _note(faults, Fault("draw_size_not_whole", place, {"value": _shown(n)}))
        else:
            lines[stratum] = PlanLine(stratum, int(n), place)
    if faults:
        raise Refused.of(faults)
    text = "".join(f"{stratum},{lines[stratum].n}\n" for stratum in sorted(lines))
    return Plan(tuple(lines.values()), sha256(text.encode()).hexdigest())


def check_plan(frame: Frame, plan: Plan) -> None:
    """The plan asks only for what the frame has.

    Raises:
        Refused: every line that asks for an unknown stratum or for more units than there are.
    """
    faults: list[Fault] = []
    for line in plan.lines:
        if line.stratum not in frame.members:
            faults.append(Fault("draw_stratum_unknown", line.place, {"stratum": line.stratum}))
        elif line.n > len(frame.members[line.stratum]):
            facts = {"stratum": line.stratum, "n": line.n, "N": len(frame.members[line.stratum])}
            faults.append(Fault("draw_size_too_large", line.place, facts))
    if faults:
        raise Refused.of(faults[:FAULTS_SHOWN])


def digest_of_members(rows: Iterable[tuple[str, str]]) -> str:
    """The hash that commits to a frame, of (stratum, unit) in canonical order; never more than a few are held."""
    digest = sha256()
    rest = iter(rows)
    while chunk := [f"{stratum},{unit}\n" for stratum, unit in islice(rest, _CHUNK)]:
        digest.update("".join(chunk).encode())
    return digest.hexdigest()


def _rows(lines: Iterable[str], columns: tuple[str, str], name: str) -> Iterator[tuple[str, str, str]]:
    """(place, first column, second column) of every row after the header; a row's place is its first line."""
    reader = csv.reader(lines, strict=True)
    ended = 0
    try:
        header = [title.strip().removeprefix("\ufeff") for title in next(reader, [])]
        if missing := [column for column in columns if header.count(column) != 1]:
            raise Refused("draw_columns_missing", f"{name}:1", wanted=", ".join(columns), missing=", ".join(missing))
        first, second = (header.index(column) for column in columns)
        ended = reader.line_num
        for row in reader:
            place, ended = f"{name}:{ended + 1}", reader.line_num
            if not row:
                continue
            if len(row) <= max(first, second):
                raise Refused("draw_row_incomplete", place, wanted=", ".join(columns))
            yield place, row[first], row[second]
    except csv.Error as error:
        raise Refused("draw_row_unreadable", f"{name}:{ended + 1}", reason=str(error)) from error


def _acceptable(value: str, column: str, place: str, faults: list[Fault]) -> bool:
    """Whether the value can stand in the canonical text; if not, why not is noted."""
    if not value.strip():
        fault = Fault("draw_field_empty", place, {"column": column})
    elif _NOT_UTF8.search(value):
        fault = Fault("draw_not_utf8", place, {"column": column})
    elif _FORBIDDEN.search(value):
        fault = Fault("draw_character_forbidden", place, {"column": column, "value": _shown(value)})
    else:
        return True
    _note(faults, fault)
    return False


def _note(faults: list[Fault], fault: Fault) -> None:
    """Collect a fault; the twentieth ends the reading, for a file of another kind has one in every row."""
    faults.append(fault)
    if len(faults) == FAULTS_SHOWN:
        raise Refused.of(faults)


def _shown(value: str) -> str:
    """A value as a sentence may repeat it: short, and with nothing invisible."""
    return ascii(value[:40])[1:-1] if not value.isprintable() else value[:40]


def _hash_of_frame(members: Mapping[str, Sequence[str]]) -> str:
    return digest_of_members((stratum, unit) for stratum, units in members.items() for unit in units)
