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


@dataclass(frozen=True, slots=True)
class Claims:
    """What came with a photo: the camera's word, and the time of the file on the phone."""

    position: Position | None
    taken_at: datetime | None
    file_at: datetime
    metadata_damaged: bool = False


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


def photo_flags(claims: Claims, check_ins: Sequence[CheckedIn]) -> tuple[PhotoFlag, ...]:
    """The contradictions between a photo and the check-ins of its visit; the nearest check-in counts."""
    raised = [PhotoFlag.METADATA_DAMAGED] if claims.metadata_damaged else []
    places = [check_in.position for check_in in check_ins if check_in.position is not None]
    if claims.position is not None and places:
        nearest = min(distance_m(claims.position, place) for place in places)
        if nearest > FARTHEST_M:
            raised.append(PhotoFlag.FAR)
    times = [check_in.at for check_in in check_ins]
    if claims.taken_at is not None and times:
        taken_at = claims.taken_at
        if min(abs(taken_at - at) for at in times) > LONGEST_APART:
            raised.append(PhotoFlag.OTHER_TIME)
    if times and claims.file_at < min(times) - EARLIEST_FILE:
        raised.append(PhotoFlag.BEFORE_CHECK_IN)
    return tuple(raised)
