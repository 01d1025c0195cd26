"""Pictures made on the server: accessible SVG as pure functions of numbers. The page sets a table beside each.

A score is drawn as its interval with a dot on it, never as a bar from nought: the axis may begin where the scores
do without making a small difference look large. What a colour says is also said by shape or words. Each picture
is drawn twice, `WIDE` for the desk and `NARROW` for 320 px up; the stylesheet shows the one that fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from api.pages.drawing import FOOT, HEAD, SIZES, WIDE, Size, both, labels, line, middle_of, rect, tag, text, width_of
from api.pages.palette import tokens


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a picture: a value with its interval; `note` is what stands at its end, `weak` draws it hollow."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the axis with a name: a grade. Half open: `low` is inside, `high` is not."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a response picture: `done` of `whole`; `note` stands at its end."""

    label: str
    done: int
    whole: int
    note: str


def interval_chart(marks: Sequence[Mark], title: str, description: str, bands: Sequence[Band] = ()) -> Markup:
    """Values with their intervals on one axis, over named bands.

    Args:
        marks: from top to bottom; a value of None is drawn as a line of words only.
        title: names the picture for those who do not see it.
        description: tells in a sentence what there is to see in it.
        bands: background stretches; only those that the axis reaches are drawn.
    """
    return both([_intervals(marks, bands, size) for _, size in SIZES], title, description)


def share_chart(shares: Sequence[Share], title: str, description: str) -> Markup:
    """How far each line has come, as bars from nought to one."""
    return both([_shares(shares, size) for _, size in SIZES], title, description)


def axis_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that enclose [low, high], at most `most` steps of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-3 * max(abs(high), 1.0))  # one value alone still gets an axis around it
    power = 10.0 ** floor(log10(span / most))
    for factor in (1, 2, 5, 10, 20):
        first, last = floor(low / (power * factor)), ceil(high / (power * factor))
        if last - first <= most:
            break
    return [number * power * factor for number in range(first, max(last, first + 1) + 1)]


def _intervals(marks: Sequence[Mark], bands: Sequence[Band], size: Size) -> tuple[Markup, float]:
    ends = [end for mark in marks for end in (mark.value, mark.low, mark.high) if end is not None]
    ticks = axis_ticks(min(ends), max(ends), 6 if size is WIDE else 4) if ends else [0.0, 1.0]
    scale = _Scale(ticks[0], ticks[-1], size)
    height = HEAD + size.row * len(marks) + FOOT
    parts = [_band(band, number, scale, height) for number, band in enumerate(bands)]
    parts += [_tick(tick, scale, height) for tick in ticks]
    parts += [_mark(mark, HEAD + size.row * row, scale) for row, mark in enumerate(marks)]
    return Markup("").join(parts), height


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    size: Size

    def x(self, value: float) -> float:
        """Where a value lies, kept inside the plot."""
        share = (value - self.low) / (self.high - self.low)
        return self.size.left + min(max(share, 0.0), 1.0) * self.size.plot


def _band(band: Band, number: int, scale: _Scale, height: float) -> Markup:
    """A grade behind the marks: its ground, its lower cut, and its name where there is room for it."""
    if band.high <= scale.low or band.low >= scale.high:
        return Markup("")
    left, right = scale.x(band.low), scale.x(band.high)
    drawn = rect((left, HEAD, right - left, height - HEAD - FOOT), "sunken" if number % 2 else "accent-tint")
    if band.low > scale.low:
        drawn += line((left, HEAD - 4), (left, height - FOOT), "edge", dashed=True)
    if right - left >= width_of(band.label):
        drawn += text(((left + right) / 2, HEAD - 9), band.label, "ink-soft", "middle")
    return drawn


def _tick(value: float, scale: _Scale, height: float) -> Markup:
    x = scale.x(value)
    anchor = "middle" if scale.size is WIDE else {scale.low: "start", scale.high: "end"}.get(value, "middle")
    return line((x, HEAD), (x, height - FOOT), "line") + text((x, height - 8), f"{value:g}", "ink-soft", anchor)


def _mark(mark: Mark, top: float, scale: _Scale) -> Markup:
    middle = middle_of(top, scale.size)
    drawn = labels(mark.label, mark.note, top, scale.size)
    if mark.value is None:
        return drawn
    if mark.low is not None and mark.high is not None:
        left, right = scale.x(mark.low), scale.x(mark.high)
        drawn += line((left, middle), (right, middle), "accent", 2 if mark.weak else 7, dashed=mark.weak)
        for end in (left, right):
            drawn += line((end, middle - 7), (end, middle + 7), "accent", 2)
    inner, outer = ("surface", "accent-deep") if mark.weak else ("accent-deep", "surface")
    dot = {"fill": tokens()[inner], "stroke": tokens()[outer]}
    return drawn + tag("circle", cx=scale.x(mark.value), cy=middle, r=5.5, stroke_width=2, **dot)


def _shares(shares: Sequence[Share], size: Size) -> tuple[Markup, float]:
    drawn = Markup("")
    for row, share in enumerate(shares):
        top = size.row * row
        done = min(share.done / share.whole, 1.0) if share.whole else 0.0
        drawn += labels(share.label, share.note, top, size)
        drawn += rect((size.left, middle_of(top, size) - 6, size.plot, 12), "sunken", "edge")
        drawn += rect((size.left, middle_of(top, size) - 6, size.plot * done, 12), "accent")
    return drawn, size.row * len(shares) + 4
