"""What a photo says of itself, held against the check-in of its visit. A contradiction is flagged, never a refusal.

Exif is no proof: phones zero the position on its way through a browser, and a clock can be set. Its absence means
nothing; its contradiction means that somebody should look (mobile.md section 5.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from survey_forms.inspection.datum import Position
from survey_forms.inspection.presence import distance_m

FARTHEST_M = 1000.0
LONGEST_APART = timedelta(hours=1)
EARLIEST_FILE = timedelta(minutes=2)


class PhotoFlag(StrEnum):
    """What a supervisor should look at; the values are also the codes of the sentences."""

    METADATA_DAMAGED = "flag_photo_metadata_damaged"
    FAR = "flag_photo_far"
    OTHER_TIME = "flag_photo_other_time"
    BEFORE_CHECK_IN = "flag_photo_before_check_in"
    BEFORE_TICKET = "flag_photo_before_ticket"
    TAKEN_FAR = "flag_photo_taken_far"
    ALIKE = "flag_photo_alike"  # raised where photos are compared, not here


@dataclass(frozen=True, slots=True)
class Claims:
    """What came with a photo: the camera's word, the time of the file on the phone, and what the page saw."""

    position: Position | None
    taken_at: datetime | None
    file_at: datetime
    metadata_damaged: bool = False
    page_position: Position | None = None  # the browser's, at the moment of capture
    ticket_at: datetime | None = None  # when the server issued the ticket that the photo was taken under


@dataclass(frozen=True, slots=True)
class Contradictions:
    """How far a photo's word lies from the nearest check-in; None where one of both is silent."""

    metres: float | None  # by the camera's position
    page_metres: float | None  # by the browser's
    apart: timedelta | None  # by the camera's clock
    file_before: timedelta | None  # by which the file is older than the first check-in; negative when younger
    ticket_before: timedelta | None  # by which it is older than the ticket


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """A check-in of the same visit, by the phone's clock."""

    position: Position | None
    at: datetime


def camera_time(taken: str | None, offset: str | None) -> datetime | None:
    """Exif's "2026:11:21 09:30:00" with its "+08:00", China's time where it names no zone; None for nonsense."""
    if taken is None:
        return None
    try:
        return datetime.strptime(taken + (offset or "+08:00"), "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return None


def contradictions(claims: Claims, check_ins: Sequence[CheckedIn]) -> Contradictions:
    """The distances between a photo and the check-ins of its visit; the nearest check-in counts."""
    places = [check_in.position for check_in in check_ins if check_in.position is not None]
    times = [check_in.at for check_in in check_ins]

    def nearest(position: Position | None) -> float | None:
        return min((distance_m(position, place) for place in places), default=None) if position is not None else None

    taken_at = claims.taken_at
    return Contradictions(
        metres=nearest(claims.position),
        page_metres=nearest(claims.page_position),
        apart=min((abs(taken_at - at) for at in times), default=None) if taken_at is not None else None,
        file_before=min(times) - claims.file_at if times else None,
        ticket_before=claims.ticket_at - claims.file_at if claims.ticket_at is not None else None,
    )


def photo_flags(claims: Claims, check_ins: Sequence[CheckedIn]) -> tuple[PhotoFlag, ...]:
    """What in a photo contradicts the check-ins of its visit, or the ticket that it was taken under."""
    found = contradictions(claims, check_ins)
    raised = {
        PhotoFlag.METADATA_DAMAGED: claims.metadata_damaged,
        PhotoFlag.FAR: found.metres is not None and found.metres > FARTHEST_M,
        PhotoFlag.OTHER_TIME: found.apart is not None and found.apart > LONGEST_APART,
        PhotoFlag.BEFORE_CHECK_IN: found.file_before is not None and found.file_before > EARLIEST_FILE,
        PhotoFlag.BEFORE_TICKET: found.ticket_before is not None and found.ticket_before > EARLIEST_FILE,
        PhotoFlag.TAKEN_FAR: found.page_metres is not None and found.page_metres > FARTHEST_M,
    }
    return tuple(flag for flag in PhotoFlag if raised.get(flag))
