"""A visit's events as a phone wrote them → facts. Nothing here refuses a visit: what cannot be read is told beside it.

Times are the phone's, in milliseconds since 1970; positions are WGS-84, for a browser knows no other datum.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from typing import Any
from uuid import UUID

from survey_forms.inspection.datum import Position
from survey_forms.inspection.presence import Fix
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused

LATEST_MS = 4_102_444_800_000  # the year 2100
LONGEST = {"reason": 500, "description": 2000, "signed_by": 100, "text": 2000, "name": 200, "answer": 10_000}
LONGEST_WHOLE = 18  # digits and sign
MOST_FIXES = 200
MOST_ANSWERS = 2000
MOST_FINDING_PHOTOS = 50


@dataclass(frozen=True, slots=True)
class Event:
    """What every event has: its place in the visit and the two clocks of the phone."""

    n: int  # where it stands among those sent
    text: str
    at: datetime
    mono_ms: float  # performance.now(): it knows nothing of the wall clock, and begins anew with the page


@dataclass(frozen=True, slots=True)
class Arrival(Event):
    """A check-in or check-out."""

    fixes: tuple[Fix, ...]
    reason: str
    out: bool


@dataclass(frozen=True, slots=True)
class PhotoTaken(Event):
    """A photo, named by the hash of the bytes that are uploaded."""

    sha256: bytes
    name: str
    modified: datetime | None
    nonce: str


@dataclass(frozen=True, slots=True)
class FindingMade(Event):
    """A finding as the inspector worded it; no points where the rule fixes them."""

    id: UUID
    rule: str
    points: Decimal | None
    description: str
    photos: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ChecklistDone(Event):
    """A checklist's answers, by the question's name."""

    form: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signed(Event):
    """The picture of a signature, and whose it is."""

    sha256: bytes
    signed_by: str


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A note on the visit."""

    words: str


@dataclass(frozen=True, slots=True)
class Events:
    """All that could be read, in the order sent, and what could not."""

    read: tuple[Event, ...]
    parsed: tuple[Any, ...]  # every text as JSON, None where it is none
    faults: tuple[Fault, ...]
    blobs: tuple[bytes, ...] = field(default=())  # SHA-256 of everything that belongs to the visit, each once


def moment_of(value: object) -> datetime | None:
    """Milliseconds since 1970 as a moment; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value) if 0 <= value < LATEST_MS else None


def read_events(texts: Sequence[str]) -> Events:
    """Read what can be read; each text that cannot gives one fault, by its place."""
    parsed = tuple(_parsed(text) for text in texts)
    read: list[Event] = []
    faults: list[Fault] = []
    for n, (text, event) in enumerate(zip(texts, parsed, strict=True)):
        try:
            read.append(_read(n, text, event))
        except _Unreadable as odd:
            faults.append(Fault("event_unreadable", f"events[{n}].{odd}".rstrip("."), {"n": n + 1}))
    return Events(tuple(read), parsed, tuple(faults), tuple(dict.fromkeys(_hashes(parsed))))


def _hashes(parsed: Iterable[Any]) -> Iterator[bytes]:
    """What the events name, the unreadable ones too: the phone deletes what nobody asks it for."""
    for event in parsed:
        if isinstance(event, dict) and "sha256" in event:
            with suppress(_Unreadable):
                yield _hash(event)


def clean(text: str, most: int) -> str:
    """A text as the database can hold it: printable, on lines, not longer than `most`."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip()[:most]


class _Unreadable(Exception):
    """A member is not what it should be; its name is the message."""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | float:
    """A whole number; one that no event can mean is a float, which Python reads at any length."""
    return int(digits) if len(digits) <= LONGEST_WHOLE else float(digits)


def _read(n: int, text: str, event: Any) -> Event:
    if not isinstance(event, dict):
        raise _Unreadable("")
    at, mono = moment_of(event.get("at")), event.get("mono", 0)
    if at is None:
        raise _Unreadable("at")
    if isinstance(mono, bool) or not isinstance(mono, int | float) or not isfinite(mono):
        raise _Unreadable("mono")
    reader = _READERS.get(str(event.get("kind")))
    if reader is None:
        raise _Unreadable("kind")
    return reader((n, text, at, float(mono)), event)


_Common = tuple[int, str, datetime, float]


def _arrival(common: _Common, event: dict[str, Any]) -> Event:
    sent = event.get("fixes", [])
    if not isinstance(sent, list):
        raise _Unreadable("fixes")
    fixes = tuple(_fix(one) for one in sent[:MOST_FIXES])
    return Arrival(*common, fixes, _text(event, "reason"), event["kind"] == "check_out")


def _fix(value: object) -> Fix:
    if not isinstance(value, list) or len(value) != 4 or any(_odd(number) for number in value):
        raise _Unreadable("fixes")
    at = moment_of(value[3])
    if at is None:
        raise _Unreadable("fixes")
    try:
        return Fix(Position(float(value[0]), float(value[1])), float(value[2]), at)
    except Refused as refused:
        raise _Unreadable("fixes") from refused


def _odd(number: object) -> bool:
    return isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number)


def _photo(common: _Common, event: dict[str, Any]) -> Event:
    return PhotoTaken(
        *common, _hash(event), _text(event, "name"), moment_of(event.get("modified")), _text(event, "nonce", 10)
    )


def _finding(common: _Common, event: dict[str, Any]) -> Event:
    photos = event.get("photos", [])
    if not isinstance(photos, list) or len(photos) > MOST_FINDING_PHOTOS:
        raise _Unreadable("photos")
    hashes = tuple(_hash({"photos": one}, "photos") for one in photos)
    try:
        key = UUID(_text(event, "id", 40))
    except ValueError as error:
        raise _Unreadable("id") from error
    return FindingMade(*common, key, _text(event, "rule", 100), _points(event), _text(event, "description"), hashes)


def _points(event: dict[str, Any]) -> Decimal | None:
    if event.get("points") is None:
        return None
    points = plain_decimal(unicodedata.normalize("NFKC", _text(event, "points", 20)))
    if points is None:
        raise _Unreadable("points")
    return points


def _checklist(common: _Common, event: dict[str, Any]) -> Event:
    answers = event.get("answers")
    if not isinstance(answers, dict) or len(answers) > MOST_ANSWERS:
        raise _Unreadable("answers")
    if not all(isinstance(value, str) for value in answers.values()):
        raise _Unreadable("answers")
    cleaned = {clean(name, 200): clean(value, LONGEST["answer"]) for name, value in answers.items()}
    return ChecklistDone(*common, _text(event, "form", 100), cleaned)


def _signature(common: _Common, event: dict[str, Any]) -> Event:
    return Signed(*common, _hash(event), _text(event, "signed_by"))


def _note(common: _Common, event: dict[str, Any]) -> Event:
    return Noted(*common, _text(event, "text"))


def _text(event: dict[str, Any], name: str, most: int | None = None) -> str:
    value = event.get(name, "")
    if not isinstance(value, str):
        raise _Unreadable(name)
    return clean(value, most or LONGEST[name])


def _hash(event: dict[str, Any], name: str = "sha256") -> bytes:
    value = event.get(name)
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) and len(value) == 64 else b""
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise _Unreadable(name)
    return digest


_READERS = {
    "check_in": _arrival,
    "check_out": _arrival,
    "photo": _photo,
    "finding": _finding,
    "checklist": _checklist,
    "signature": _signature,
    "note": _note,
}


def time_faults(events: Sequence[Event]) -> Iterator[int]:
    """The events that cannot have happened when and after what they say, by their place.

    `performance.now()` goes on while the wall clock is set, and begins anew with the page: a phone that closed the
    browser while the camera was open is honest, one whose page is older than the event before it is not.
    """
    for before, after in pairwise(events):
        passed = (after.at - before.at).total_seconds() * 1000
        restarted = after.mono_ms < before.mono_ms
        least = after.mono_ms - RESTART_MS if restarted else after.mono_ms - before.mono_ms - STEP_MS
        if passed < max(-RESTART_MS, least):
            yield after.n


STEP_MS = 5_000  # a phone takes its time from the network now and then
RESTART_MS = 1_000
