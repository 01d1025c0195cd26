"""Was the inspector there? A class with its reasons, never a barrier: a person decides on flags.

The report says "reported position": a browser cannot prove where it is. Distances are geopy's geodesic on the WGS-84
ellipsoid, about 0.1 ms each. Measured over 3,000 pairs up to 3 km apart in China: the haversine with R = 6,371,008.8 m,
which a phone may use to show a distance, differs from it by 0.46 % at most (0.7 m on a 150 m radius), and
geopy's great_circle differs from that haversine by 0.1 mm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import isfinite

from geopy.distance import geodesic

from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.fences import Fence, signed_m
from survey_forms.refusal import Refused

USABLE_ACCURACY_M = 100.0  # worse: try again, then photo and reason
ALLOWANCE_M = 50.0  # of inaccuracy that a fix may use in its favour
OLDEST_FIX_S = 60.0
FASTEST_KMH = 150.0
CHECK_OUT_WITHIN_M = 500.0
CONSTANT_ACCURACY_FIXES = 5
SAME_TO_DECIMALS = 7


class Presence(StrEnum):
    """d = distance to the site, a = accuracy (95 % radius, W3C), R = the site's radius.

    For a polygon d is the distance to its edge, negative inside, and R = 0.
    """

    CERTAIN = "certain"  # d + a <= R
    LIKELY = "likely"  # d <= R + min(a, 50), a <= 100
    UNCLEAR = "unclear"  # no usable position: try again, then photo and reason
    OUTSIDE = "outside"  # d - a > R: a reason, and the supervisor sees it


class Flag(StrEnum):
    """What a supervisor should look at; the values are also the codes of the sentences."""

    NO_POSITION = "flag_no_position"
    ACCURACY_POOR = "flag_accuracy_poor"
    DATUM_SUSPECT = "flag_datum_suspect"
    FIX_OLD = "flag_fix_old"
    FIX_AHEAD = "flag_fix_ahead"
    TOO_FAST = "flag_too_fast"
    POSITION_REPEATED = "flag_position_repeated"
    ACCURACY_CONSTANT = "flag_accuracy_constant"
    CHECK_OUT_FAR = "flag_check_out_far"
    TRAVEL_TOO_FAST = "flag_travel_too_fast"


SENTENCES = {
    Presence.CERTAIN: "presence_certain",
    Presence.LIKELY: "presence_likely",
    Presence.UNCLEAR: "presence_unclear",
    Presence.OUTSIDE: "presence_outside",
}
"""The sentence of each class at a circle; its blanks are `distance_m` and `radius_m`."""

FENCE_SENTENCES = {
    Presence.CERTAIN: "presence_fence_certain",
    Presence.LIKELY: "presence_fence_likely",
    Presence.UNCLEAR: "presence_unclear",
    Presence.OUTSIDE: "presence_fence_outside",
}
"""The sentence of each class at a polygon; its blank is `distance_m`, which is 0 inside."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site to be inspected: its position, and its fence: a polygon, or a circle of that radius in metres."""

    position: Position
    radius_m: float
    fence: Fence | None = None

    def signed_m(self, position: Position) -> float:
        """Metres from the edge of the fence, negative inside."""
        if self.fence is None:
            return distance_m(self.position, position) - self.radius_m
        return signed_m(self.fence, position)

    def distance_m(self, position: Position) -> float:
        """The distance that is told: to the middle of a circle; to the edge of a polygon, 0 inside."""
        if self.fence is None:
            return distance_m(self.position, position)
        return max(0.0, signed_m(self.fence, position))


@dataclass(frozen=True, slots=True)
class Fix:
    """A position that a phone reported: accuracy in metres (95 % radius) and the phone's time of it.

    Raises:
        Refused: `accuracy_out_of_range` for a negative or endless accuracy.
    """

    position: Position
    accuracy_m: float
    taken_at: datetime

    def __post_init__(self) -> None:
        if not (isfinite(self.accuracy_m) and self.accuracy_m >= 0):
            raise Refused("accuracy_out_of_range", "accuracy_m", accuracy_m=self.accuracy_m)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The class of a check-in, the distance to the site (`Site.distance_m`), and whether to try for a better fix."""

    presence: Presence
    distance_m: float | None
    retry: bool
    flags: tuple[Flag, ...]

    @property
    def needs_reason(self) -> bool:
        """Whether the inspector is asked why; the check-in counts either way."""
        return self.presence in {Presence.UNCLEAR, Presence.OUTSIDE}


def distance_m(one: Position, other: Position) -> float:
    """Metres between two positions on the WGS-84 ellipsoid, whatever their datums."""
    a, b = converted(one, Datum.WGS_84), converted(other, Datum.WGS_84)
    return float(geodesic((a.lat, a.lon), (b.lat, b.lon)).m)


def judge(site: Site, fixes: Sequence[Fix], claimed_at: datetime) -> Judgement:
    """The class and flags of a check-in.

    Args:
        site: where the inspector should be.
        fixes: everything the phone saw, in any order; `best_fix` is judged.
        claimed_at: when the inspector checked in, by the clock that dated the fixes.
    """
    if not fixes:
        return Judgement(Presence.UNCLEAR, None, retry=True, flags=(Flag.NO_POSITION,))
    best = best_fix(fixes, claimed_at)
    presence = classify(site.signed_m(best.position), best.accuracy_m, 0)
    raised = set(track_flags(fixes))
    if best.accuracy_m > USABLE_ACCURACY_M:
        raised.add(Flag.ACCURACY_POOR)
    age = (claimed_at - best.taken_at).total_seconds()
    if abs(age) > OLDEST_FIX_S:
        raised.add(Flag.FIX_OLD if age > 0 else Flag.FIX_AHEAD)
    if presence == Presence.OUTSIDE and _inside_in_another_datum(site, best):
        raised.add(Flag.DATUM_SUSPECT)
        presence = Presence.UNCLEAR  # "坐标系可能有误" is said instead of "outside"
    retry = presence != Presence.CERTAIN and best.accuracy_m > USABLE_ACCURACY_M
    return Judgement(presence, site.distance_m(best.position), retry, _in_order(raised))


def best_fix(fixes: Iterable[Fix], claimed_at: datetime) -> Fix:
    """The most accurate fix, the newest among equals."""
    return min(fixes, key=lambda fix: (fix.accuracy_m, claimed_at - fix.taken_at))


def classify(distance: float, accuracy: float, radius: float) -> Presence:
    """The class of one fix, all in metres; `classify(d - R, a, 0)` is the same, for the rule knows no centre.

    At a = 800 the rule that people write, d <= R + a, accepts 97 % of fixes from 200 m off a 150 m radius; this
    one accepts none, and turns away no honest fix with a usable accuracy.
    """
    if distance + accuracy <= radius:
        return Presence.CERTAIN
    if distance - accuracy > radius:
        return Presence.OUTSIDE
    if accuracy <= USABLE_ACCURACY_M and distance <= radius + min(accuracy, ALLOWANCE_M):
        return Presence.LIKELY
    return Presence.UNCLEAR


def track_flags(fixes: Iterable[Fix]) -> tuple[Flag, ...]:
    """What is odd about a phone's fixes taken together.

    Speed counts only the distance that the two accuracies do not explain: a phone indoors jumps 60 m in a second.
    """
    track = sorted(fixes, key=lambda fix: fix.taken_at)
    raised: set[Flag] = set()
    for before, after in pairwise(track):
        seconds = (after.taken_at - before.taken_at).total_seconds()
        if too_fast(before, after):
            raised.add(Flag.TOO_FAST)
        if seconds > 0 and _rounded(before) == _rounded(after):
            raised.add(Flag.POSITION_REPEATED)
    if len(track) >= CONSTANT_ACCURACY_FIXES and len({fix.accuracy_m for fix in track}) == 1:
        raised.add(Flag.ACCURACY_CONSTANT)
    return _in_order(raised)


def too_fast(one: Fix, other: Fix) -> bool:
    """Whether nobody travels from one fix to the other in their time at 150 km/h."""
    unexplained = distance_m(one.position, other.position) - one.accuracy_m - other.accuracy_m
    seconds = abs((other.taken_at - one.taken_at).total_seconds())
    return unexplained > 0 and unexplained * 3.6 > FASTEST_KMH * seconds


def travel_flags(here: Fix, others: Iterable[Fix]) -> tuple[Flag, ...]:
    """Whether an inspector's check-in and the same person's others of that day lie too far apart for their times."""
    return (Flag.TRAVEL_TOO_FAST,) if any(too_fast(here, other) for other in others) else ()


def check_out_flags(check_in: Fix, check_out: Fix) -> tuple[Flag, ...]:
    """Whether check-in and check-out lie more than 500 m apart."""
    apart = distance_m(check_in.position, check_out.position)
    return (Flag.CHECK_OUT_FAR,) if apart > CHECK_OUT_WITHIN_M else ()


def _inside_in_another_datum(site: Site, fix: Fix) -> bool:
    """Whether the fix would be at the site if one of the two were WGS-84 labelled for GCJ-02, or the reverse.

    Reading the fix anew caught 98.9 % of mislabelled fixes and touched 1.5 % of honest ones outside (150 m to 3 km);
    a site copied from a map with the wrong label gives the opposite shift, so it is read anew as well.
    """
    other = {Datum.WGS_84: Datum.GCJ_02, Datum.GCJ_02: Datum.WGS_84, Datum.BD_09: Datum.GCJ_02}
    reach = min(fix.accuracy_m, ALLOWANCE_M)
    datum = other[site.position.datum]
    relabelled = Site(
        replace(site.position, datum=datum), site.radius_m, site.fence.read_in(datum) if site.fence else None
    )
    readings = ((site, replace(fix.position, datum=other[fix.position.datum])), (relabelled, fix.position))
    return any(place.signed_m(position) <= reach for place, position in readings)


def _rounded(fix: Fix) -> tuple[float, float]:
    return round(fix.position.lat, SAME_TO_DECIMALS), round(fix.position.lon, SAME_TO_DECIMALS)


def _in_order(raised: set[Flag]) -> tuple[Flag, ...]:
    return tuple(flag for flag in Flag if flag in raised)
