"""The map of visits: sites as numbered marks on bare ground, without tiles and without any foreign server.

Each state has a shape and a colour. The numbers are those of the table beside it. A view is a part of the whole;
the page zooms by asking for another one, so no script is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, radians

from markupsafe import Markup

from api.pages.charts import axis_ticks
from api.pages.drawing import Point, line, rect, tag, text
from api.pages.palette import tokens
from api.pages.render import t
from api.store.inspection_overview import SiteState
from survey_forms.inspection.datum import Datum, Position, converted

METRES_A_DEGREE = 111_195.0
SHAPES = {  # state → (token of the colour, Chinese, English)
    "overdue": ("bad", "整改逾期", "rectification overdue"),
    "deducted": ("warn", "有扣分", "deductions stand"),
    "due": ("accent", "待察访", "to be visited"),
    "visited": ("good", "已察访", "visited"),
    "unvisited": ("edge", "未察访", "not visited"),
}
PICTURES = (("wide", 1000.0, 560.0), ("narrow", 340.0, 360.0))
MARGIN = 26.0
MOST_NUMBERED = 150
DEEPEST = 6
LEAST_WIDTH_M = 400.0


@dataclass(frozen=True, slots=True)
class View:
    """What part is shown: its middle as shares (0 to 1) of the whole from west and north; each step shows half."""

    zoom: int = 0
    x: float = 0.5
    y: float = 0.5

    def moved(self, east: float = 0.0, south: float = 0.0) -> "View":
        """The view moved by so many of its own widths, kept over the whole."""
        reach = 0.5**self.zoom
        x, y = (min(max(at + step * reach, 0.0), 1.0) for at, step in ((self.x, east), (self.y, south)))
        return replace(self, x=x, y=y)

    def zoomed(self, step: int) -> "View":
        """The view one step nearer or farther; the whole has only one middle."""
        zoom = min(max(self.zoom + step, 0), DEEPEST)
        return replace(self, zoom=zoom) if zoom else View()

    def asked(self) -> str:
        """The view as an address has it."""
        return f"zoom={self.zoom}&x={self.x:.4f}&y={self.y:.4f}" if self.zoom else ""


@dataclass(frozen=True, slots=True)
class Ground:
    """The whole map: metres east and north of its middle, half its width and height, and the place of each site."""

    half: float
    spots: tuple[Point, ...]

    def view_of(self, number: int) -> View:
        """A near view with that site in its middle."""
        east, north = self.spots[number]
        return View(4, (east / self.half + 1) / 2, (1 - north / self.half) / 2)


def ground_of(sites: Sequence[SiteState]) -> Ground:
    """Sites on a plane that touches the earth in their middle; over a city it is right to a few metres."""
    places = [converted(Position(one.site.lat, one.site.lon, Datum(one.site.datum)), Datum.WGS_84) for one in sites]
    if not places:
        return Ground(LEAST_WIDTH_M, ())
    lats, lons = [place.lat for place in places], [place.lon for place in places]
    lat, lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    east = METRES_A_DEGREE * cos(radians(lat))
    spots = tuple(((place.lon - lon) * east, (place.lat - lat) * METRES_A_DEGREE) for place in places)
    return Ground(max([LEAST_WIDTH_M / 2, *(max(abs(x), abs(y)) for x, y in spots)]), spots)


def map_drawing(sites: Sequence[SiteState], ground: Ground, view: View) -> Markup:
    """The sites of a view, in a wide and in a narrow picture; the stylesheet shows the one that fits."""
    title = t("察访地图", "Map of visits")
    words = t(
        f"{len(sites)} 个检查点，编号与下表相同；形状和颜色表示状态。",
        f"{len(sites)} sites, numbered as in the table below; shape and colour tell the state.",
    )
    head = tag("title", title) + tag("desc", words)
    return Markup("").join(
        tag(
            "svg",
            head + _drawn(sites, ground, view, (width, height)),
            class_=f"chart chart-{name} map",
            viewBox=f"0 0 {width:g} {height:g}",
            role="img",
        )
        for name, width, height in PICTURES
    )


def legend() -> list[tuple[Markup, str]]:
    """Each state's mark with its name."""
    return [
        (tag("svg", mark(state, (12, 12)), viewBox="0 0 24 24", aria_hidden="true"), t(zh, en))
        for state, (_, zh, en) in SHAPES.items()
    ]


def state_words(state: str) -> str:
    """A state in the reader's language."""
    return t(*SHAPES[state][1:])


def mark(state: str, at: Point, number: str = "") -> Markup:
    """The mark of a state at a point, with the site's number in it."""
    x, y = at
    colour, ground = tokens()[SHAPES[state][0]], tokens()["surface"]
    look: dict[str, str | float] = {"fill": colour, "stroke": ground, "stroke_width": 1.5}
    if state == "overdue":
        shape = tag("path", d=f"M{x:.1f} {y - 14:.1f}l14 14l-14 14l-14 -14z", **look)
    elif state == "deducted":
        shape = tag("path", d=f"M{x:.1f} {y - 15:.1f}l14.5 25h-29z", **look)
    elif state == "due":
        shape = tag("rect", x=x - 10.5, y=y - 10.5, width=21, height=21, **look)
    elif state == "visited":
        shape = tag("circle", cx=x, cy=y, r=11, **look)
    else:
        shape = tag("circle", cx=x, cy=y, r=10, fill=ground, stroke=colour, stroke_width=2)
    if not number:
        return shape
    ink = tokens()["ink" if state == "unvisited" else "surface"]
    return shape + tag("text", number, x=x, y=y + 4, fill=ink, font_size=11, text_anchor="middle")


def _drawn(sites: Sequence[SiteState], ground: Ground, view: View, size: tuple[float, float]) -> Markup:
    width, height = size
    scale = (min(width, height) / 2 - MARGIN) / ground.half * 2**view.zoom
    middle = ((view.x * 2 - 1) * ground.half, (1 - view.y * 2) * ground.half)
    drawn = rect((0, 0, width, height), "paper", "line")
    step = axis_ticks(0.0, width / scale, 6)[1]
    drawn += _grid(step * scale, size)
    order = sorted(range(len(sites)), key=lambda one: list(SHAPES).index(sites[one].state), reverse=True)
    numbered = len(sites) <= MOST_NUMBERED
    for place in order:  # what asks for most is drawn last, on top
        east, north = ground.spots[place]
        at = (width / 2 + (east - middle[0]) * scale, height / 2 - (north - middle[1]) * scale)
        if 0 <= at[0] <= width and 0 <= at[1] <= height:
            drawn += mark(sites[place].state, at, str(place + 1) if numbered else "")
    words = f"{step / 1000:g} km" if step >= 1000 else f"{step:g} m"
    drawn += line((14, height - 14), (14 + step * scale, height - 14), "ink", 3)
    drawn += text((14, height - 22), words, "ink")
    return drawn + text((width - 12, 22), t("北 ↑", "N ↑"), "ink-soft", "end")


def _grid(step: float, size: tuple[float, float]) -> Markup:
    """Faint lines a round length apart, so that distances can be read off."""
    width, height = size
    drawn = Markup("")
    for number in range(int(width / 2 / step) + 1):
        for x in {width / 2 - number * step, width / 2 + number * step}:
            drawn += line((x, 0), (x, height), "line", 0.6)
    for number in range(int(height / 2 / step) + 1):
        for y in {height / 2 - number * step, height / 2 + number * step}:
            drawn += line((0, y), (width, y), "line", 0.6)
    return drawn
