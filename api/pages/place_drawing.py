"""A visit's place as a plain picture: the site, its fence, and every position that a phone reported with its accuracy.

No tiles and no foreign server: metres on a plane about the site, which is right to a metre at the size of a fence.
What a colour says is also said by shape: a cross is the site, a dot a check-in, a square a check-out, a triangle
where a photo's own data say it was taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import Literal

from markupsafe import Markup

from api.actions.presence import best_of, fixes_of, site_of
from api.pages.charts import axis_ticks
from api.pages.drawing import Point, line, tag, text
from api.pages.palette import tokens
from api.pages.render import named, t
from api.store.inspections import CheckIn
from api.store.photos import Photo
from api.store.sites import Site
from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.presence import Site as Place

WIDTH, HEIGHT, MARGIN = 480.0, 360.0, 34.0
METRES_A_DEGREE = 111_195.0
SMALLEST_REACH_M = 60.0
FARTHEST_DRAWN_M = 100_000.0  # beyond it a position is told in words only; no fence would be left to see

Kind = Literal["in", "out", "seen", "photo"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A reported position in metres east and north of the site; `seen` is a fix that was not the one judged."""

    kind: Kind
    east: float
    north: float
    accuracy_m: float


def place_drawing(site: Site, check_ins: Sequence[CheckIn], photos: Sequence[Photo]) -> Markup:
    """The picture of a visit's positions about its site; those too far away to draw are left to the words beside it."""
    place = site_of(site)
    fence = [_metres(place, corner) for corner in place.fence.corners] if place.fence else []
    spots = [spot for spot in spots_of(place, check_ins, photos) if hypot(spot.east, spot.north) < FARTHEST_DRAWN_M]
    reach = _reach(place.radius_m, fence, spots)
    scale = (min(WIDTH, HEIGHT) / 2 - MARGIN) / reach

    def at(east: float, north: float) -> Point:
        return WIDTH / 2 + east * scale, HEIGHT / 2 - north * scale

    drawn = tag("rect", width=WIDTH, height=HEIGHT, fill=tokens()["paper"])
    drawn += (
        _fence([at(*corner) for corner in fence])
        if fence
        else _ring(at(0, 0), place.radius_m * scale, "accent", "accent-tint")
    )
    for spot in spots:
        if spot.accuracy_m:
            drawn += _ring(at(spot.east, spot.north), spot.accuracy_m * scale, "edge")
    drawn += _cross(at(0, 0))
    for spot in sorted(spots, key=lambda one: one.kind != "seen"):
        drawn += _dot(spot.kind, at(spot.east, spot.north))
    drawn += _bar(reach, scale) + text((WIDTH - 12, 22), t("北 ↑", "N ↑"), "ink-soft", "end")
    title = t(f"{named(site)}：报告的位置", f"{named(site)}: reported positions")
    words = t(
        "十字是检查点，实线是围栏；圆点是签到，方块是签退，三角是照片自带的位置；虚线圆是误差范围。",
        "The cross is the site, the line its fence; dots are check-ins, squares check-outs, triangles photos' own "
        "positions; dashed circles are accuracies.",
    )
    inside = tag("title", title) + tag("desc", words) + drawn
    return tag("svg", inside, class_="place", viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img")


def spots_of(place: Place, check_ins: Iterable[CheckIn], photos: Iterable[Photo]) -> list[Spot]:
    """Every reported position about a site, the judged fix of each check-in among them."""
    found: list[Spot] = []
    for check_in in check_ins:
        best = best_of(check_in)
        others = [fix for fix in fixes_of(check_in) if fix != best]
        found += [Spot("seen", *_metres(place, fix.position), 0.0) for fix in others]
        if best is not None:
            kind: Kind = "out" if check_in.kind == "out" else "in"
            found.append(Spot(kind, *_metres(place, best.position), best.accuracy_m))
    located = [(one.exif_lat, one.exif_lon) for one in photos]
    return found + [
        Spot("photo", *_metres(place, Position(lat, lon)), 0.0)
        for lat, lon in located
        if lat is not None and lon is not None
    ]


def _metres(place: Place, position: Position) -> Point:
    """Metres east and north of the site, whatever the datums."""
    here, there = converted(place.position, Datum.WGS_84), converted(position, Datum.WGS_84)
    east = (there.lon - here.lon) * METRES_A_DEGREE * cos(radians(here.lat))
    return east, (there.lat - here.lat) * METRES_A_DEGREE


def _reach(radius_m: float, fence: Sequence[Point], spots: Sequence[Spot]) -> float:
    """How far from the site the picture must reach in metres: the fence whole, every position, small accuracies."""
    ends = [hypot(*corner) for corner in fence] or [radius_m]
    ends += [hypot(spot.east, spot.north) + min(spot.accuracy_m, radius_m) for spot in spots]
    return max(SMALLEST_REACH_M, *ends)


def _fence(corners: Sequence[Point]) -> Markup:
    pairs = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return tag("polygon", points=pairs, fill=tokens()["accent-tint"], stroke=tokens()["accent"], stroke_width=2)


def _ring(centre: Point, radius: float, stroke: str, fill: str = "") -> Markup:
    """A circle: whole with a ground, dashed without one."""
    shape = {"fill": tokens()[fill]} if fill else {"fill": "none", "stroke_dasharray": "4 3"}
    return tag(
        "circle", cx=centre[0], cy=centre[1], r=radius, stroke=tokens()[stroke],
        stroke_width=2 if fill else 1.2, **shape,
    )  # fmt: skip


def _cross(centre: Point) -> Markup:
    x, y = centre
    return line((x - 9, y), (x + 9, y), "accent-deep", 3) + line((x, y - 9), (x, y + 9), "accent-deep", 3)


def _dot(kind: Kind, centre: Point) -> Markup:
    x, y = centre
    edge: dict[str, str | float] = {"stroke": tokens()["surface"], "stroke_width": 1.5}
    if kind == "photo":
        return tag("path", d=f"M{x:.1f} {y - 8:.1f}l7.5 13h-15z", fill=tokens()["warn"], **edge)
    if kind == "out":
        return tag("rect", x=x - 6, y=y - 6, width=12, height=12, fill=tokens()["bad"], **edge)
    if kind == "seen":
        return tag("circle", cx=x, cy=y, r=3, fill=tokens()["edge"])
    return tag("circle", cx=x, cy=y, r=6.5, fill=tokens()["bad"], **edge)


def _bar(reach: float, scale: float) -> Markup:
    """A round length that takes about a quarter of the picture, with its number."""
    metres = axis_ticks(0.0, reach, 4)[1]
    left, y = 14.0, HEIGHT - 14
    drawn = line((left, y), (left + metres * scale, y), "ink", 2)
    for x in (left, left + metres * scale):
        drawn += line((x, y - 5), (x, y + 5), "ink", 2)
    words = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    return drawn + text((left, y - 10), words, "ink-soft")
