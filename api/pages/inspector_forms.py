"""What the inspector's forms hold, read into facts; what cannot be read is refused by the field's name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import orjson

from api.actions.inspections import CheckInSent, FindingSent
from survey_forms.inspection.datum import Position
from survey_forms.inspection.presence import Fix
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Refused

MOST_FIXES = 200
LONGEST_REASON = 500
LONGEST_DESCRIPTION = 2000
LATEST_MS = 4_102_444_800_000  # 2100-01-01


def check_in_sent(form: Mapping[str, str], assignment_id: UUID, now: datetime) -> CheckInSent:
    """A check-in; without the script there are no fixes and the phone's clock is unknown."""
    return CheckInSent(
        id=read_uuid(form, "check_in"),
        visit_id=read_uuid(form, "visit"),
        assignment_id=assignment_id,
        fixes=_fixes(form.get("fixes", "")),
        claimed_at=read_moment(form.get("claimed_at", ""), now),
        reason=read_words(form, "reason", LONGEST_REASON),
    )


def finding_sent(form: Mapping[str, str], photos: list[str], visit_id: UUID) -> FindingSent:
    """A finding; empty points mean those of the rule."""
    points = form.get("points", "").strip()
    if points and plain_decimal(points) is None:
        raise Refused("finding_points_unreadable", "points")
    try:
        hashes = tuple(bytes.fromhex(name) for name in photos)
    except ValueError as error:
        raise Refused("finding_photo_unfit", "photos") from error
    return FindingSent(
        id=read_uuid(form, "finding"),
        visit_id=visit_id,
        rule=form.get("rule", ""),
        points=plain_decimal(points) if points else None,
        description=read_words(form, "description", LONGEST_DESCRIPTION),
        photos=hashes,
    )


def read_uuid(form: Mapping[str, str], name: str) -> UUID:
    """An id that the page or the phone drew."""
    try:
        return UUID(form.get(name, ""))
    except ValueError as error:
        raise Refused("invalid_fields", name) from error


def read_words(form: Mapping[str, str], name: str, most: int) -> str:
    """What somebody wrote: one kind of line end, no invisible characters, no blanks around it."""
    text = form.get(name, "").replace("\r\n", "\n")
    words = "".join(letter for letter in text if letter.isprintable() or letter == "\n").strip()
    if len(words) > most:
        raise Refused("text_too_long", name, most=most)
    return words


def read_moment(text: str, now: datetime) -> datetime:
    """A moment by the phone's clock, milliseconds since 1970; ours where it told none or nonsense."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 13 and int(text) < LATEST_MS):
        return now
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def _fixes(text: str) -> tuple[Fix, ...]:
    """`[[lat, lon, accuracy in m, ms since 1970], …]` in WGS-84, as W3C's Geolocation gives it."""
    if not text:
        return ()
    try:
        rows = orjson.loads(text)
        if not isinstance(rows, list) or len(rows) > MOST_FIXES:
            raise Refused("invalid_fields", "fixes")
        return tuple(_fix(*row) for row in rows)
    except (orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise Refused("invalid_fields", "fixes") from error


def _fix(lat: float, lon: float, accuracy_m: float, at_ms: float) -> Fix:
    if not 0 <= at_ms < LATEST_MS:
        raise Refused("invalid_fields", "fixes")
    return Fix(Position(float(lat), float(lon)), float(accuracy_m), datetime.fromtimestamp(round(at_ms) / 1000, UTC))
