"""Fences with corners: how far a position lies beyond the edge of a polygon, in metres.

A service hall is no circle: a polygon keeps the street in front of it out. Distances are measured on a plane that
touches the WGS-84 ellipsoid in the middle of the fence (radii of curvature of the meridian and of the prime
vertical); against the geodesic that is wrong by under 5 cm within 500 m of a fence in China
(tests/rules/test_fences.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import cos, hypot, isfinite, radians, sin, sqrt

from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.refusal import Refused

FEWEST_CORNERS = 3
MOST_CORNERS = 200
WIDEST_M = 20_000.0  # a larger fence proves nothing about presence, and the plane no longer fits
LEAST_AREA_M2 = 25.0
HIGHEST_LAT = 85.0
DATE_LINE_LON = 179.5

WGS84_A = 6378137.0  # m
WGS84_E2 = 0.00669437999014132

_Point = tuple[float, float]
"""Metres east and north of the middle of the fence."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A polygon by its corners, all in one datum, in either direction, the last joined to the first.

    Raises:
        Refused: `fence_corners`, `fence_datums`, `fence_at_pole`, `fence_at_date_line`, `fence_too_wide`,
            `fence_crosses_itself`, `fence_too_small`.
    """

    corners: tuple[Position, ...]

    def __post_init__(self) -> None:
        if not FEWEST_CORNERS <= len(self.corners) <= MOST_CORNERS:
            found = len(self.corners)
            raise Refused("fence_corners", "fence", found=found, least=FEWEST_CORNERS, most=MOST_CORNERS)
        if len({corner.datum for corner in self.corners}) > 1:
            raise Refused("fence_datums", "fence")
        if any(abs(corner.lat) > HIGHEST_LAT for corner in self.corners):
            raise Refused("fence_at_pole", "fence", most=HIGHEST_LAT)
        if any(abs(corner.lon) > DATE_LINE_LON for corner in self.corners):
            raise Refused("fence_at_date_line", "fence", most=DATE_LINE_LON)
        points = _Plane(self).corners
        if any(hypot(*point) > WIDEST_M / 2 for point in points):
            raise Refused("fence_too_wide", "fence", most=round(WIDEST_M / 1000))
        if any(_cross(one, other) for one, other in _neighbouring(points)):
            raise Refused("fence_crosses_itself", "fence")
        if abs(_area(points)) < LEAST_AREA_M2:
            raise Refused("fence_too_small", "fence", least=round(LEAST_AREA_M2))

    @property
    def datum(self) -> Datum:
        """The datum of all corners."""
        return self.corners[0].datum

    def read_in(self, datum: Datum) -> "Fence":
        """The same numbers read in another datum: another place, for the hint that a label is wrong."""
        return Fence(tuple(Position(corner.lat, corner.lon, datum) for corner in self.corners))


def fence_of(corners: Sequence[Sequence[float]], datum: Datum) -> Fence:
    """A fence from stored or imported pairs [[lat, lon], …]; a last corner that repeats the first is dropped.

    Raises:
        Refused: as `Fence`, `position_out_of_range`, and `fence_corners` for pairs that are none.
    """
    if any(len(pair) != 2 or not all(isfinite(degrees) for degrees in pair) for pair in corners):
        raise Refused("fence_corners", "fence", found=len(corners), least=FEWEST_CORNERS, most=MOST_CORNERS)
    places = tuple(Position(float(lat), float(lon), datum) for lat, lon in corners)
    return Fence(places[:-1] if len(places) > 1 and places[0] == places[-1] else places)


def signed_m(fence: Fence, position: Position) -> float:
    """Metres from a position to the fence's edge: positive outside, negative inside, 0 on it."""
    plane = _Plane(fence)
    here = plane.point(position)
    edges = list(_edges(plane.corners))
    nearest = min(_to_segment(here, edge) for edge in edges)
    return -nearest if _is_inside(here, edges) else nearest


def beyond_m(fence: Fence, position: Position) -> float:
    """Metres from a position to the fence; inside it is 0."""
    return max(0.0, signed_m(fence, position))


class _Plane:
    """The plane that touches the ellipsoid in the middle of a fence."""

    def __init__(self, fence: Fence) -> None:
        places = [converted(corner, Datum.WGS_84) for corner in fence.corners]
        self.lat = (min(place.lat for place in places) + max(place.lat for place in places)) / 2
        self.lon = (min(place.lon for place in places) + max(place.lon for place in places)) / 2
        w2 = 1 - WGS84_E2 * sin(radians(self.lat)) ** 2
        self.north_m = radians(1) * WGS84_A * (1 - WGS84_E2) / (w2 * sqrt(w2))  # a degree of latitude
        self.east_m = radians(1) * WGS84_A / sqrt(w2) * cos(radians(self.lat))  # a degree of longitude
        self.corners = [self._point(place) for place in places]

    def point(self, position: Position) -> _Point:
        return self._point(converted(position, Datum.WGS_84))

    def _point(self, place: Position) -> _Point:
        east = (place.lon - self.lon + 180) % 360 - 180  # the short way round
        return east * self.east_m, (place.lat - self.lat) * self.north_m


_Edge = tuple[_Point, _Point]


def _edges(points: Sequence[_Point]) -> Iterator[_Edge]:
    yield from pairwise(points)
    yield points[-1], points[0]


def _neighbouring(points: Sequence[_Point]) -> Iterator[tuple[_Edge, _Edge]]:
    """The pairs of edges that share no corner and meet somewhere from west to east; far ones are never compared."""
    edges = sorted(enumerate(_edges(points)), key=lambda numbered: _west(numbered[1]))
    for place, (i, one) in enumerate(edges):
        east = max(one[0][0], one[1][0])
        for j, other in islice(edges, place + 1, None):
            if _west(other) > east:
                break
            if abs(j - i) not in {1, len(edges) - 1}:
                yield one, other


def _west(edge: _Edge) -> float:
    return min(edge[0][0], edge[1][0])


def _cross(one: _Edge, other: _Edge) -> bool:
    """Whether two edges touch or cross: the ends of each lie on both sides of the other, or on it."""
    (a, b), (c, d) = one, other
    return _overlap(one, other) and _side(a, b, c) * _side(a, b, d) <= 0 and _side(c, d, a) * _side(c, d, b) <= 0


def _overlap(one: _Edge, other: _Edge) -> bool:
    """Whether the boxes about two edges meet; without it, edges in one line but apart would count as touching."""
    return all(
        max(min(one[0][axis], one[1][axis]), min(other[0][axis], other[1][axis]))
        <= min(max(one[0][axis], one[1][axis]), max(other[0][axis], other[1][axis]))
        for axis in (0, 1)
    )


def _side(a: _Point, b: _Point, c: _Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _area(points: Sequence[_Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in _edges(points)) / 2


def _to_segment(here: _Point, edge: _Edge) -> float:
    (ax, ay), (bx, by) = edge
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    along = 0.0 if not length2 else max(0.0, min(1.0, ((here[0] - ax) * dx + (here[1] - ay) * dy) / length2))
    return hypot(here[0] - ax - along * dx, here[1] - ay - along * dy)


def _is_inside(here: _Point, edges: Sequence[_Edge]) -> bool:
    """Whether a ray to the east meets the edges an odd number of times; each edge owns its lower end."""
    x, y = here
    crossed = sum((ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax) for (ax, ay), (bx, by) in edges)
    return crossed % 2 == 1
