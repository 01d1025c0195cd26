"""Pictures made on the server: accessible SVG as pure functions of numbers. The page sets a table beside each.

A score is drawn as its interval with a dot on it, never as a bar from nought: the axis may begin where the scores
do without making a small difference look large. What a colour says is also said by shape or words. Each picture
is drawn twice, `WIDE` for the desk and `NARROW` for 320 px up; the stylesheet shows the one that fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from api.pages.palette import tokens

TEXT = 13.0
LINE = 17.0
HEAD = 26.0
FOOT = 26.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Size:
    """How wide a picture is drawn (px), and where its plot lies between the labels."""

    width: float
    left: float
    right: float
    row: float
    label_above: bool

    @property
    def plot(self) -> float:
        """Width of the plot."""
        return self.width - self.left - self.right


WIDE = Size(width=1040, left=232, right=150, row=38, label_above=False)
NARROW = Size(width=320, left=8, right=8, row=54, label_above=True)
SIZES = (("wide", WIDE), ("narrow", NARROW))


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
    return _both([_intervals(marks, bands, size) for _, size in SIZES], title, description)


def share_chart(shares: Sequence[Share], title: str, description: str) -> Markup:
    """How far each line has come, as bars from nought to one."""
    return _both([_shares(shares, size) for _, size in SIZES], title, description)


def axis_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that enclose [low, high], at most `most` steps of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-3 * max(abs(high), 1.0))  # one value alone still gets an axis around it
    power = 10.0 ** floor(log10(span / most))
    for factor in (1, 2, 5, 10, 20):
        first, last = floor(low / (power * factor)), ceil(high / (power * factor))
        if last - first <= most:
            break
    return [number * power * factor for number in range(first, max(last, first + 1) + 1)]


def _both(drawn: Sequence[tuple[Markup, float]], title: str, description: str) -> Markup:
    """The picture in each size, one of which the stylesheet hides from eye and reader alike."""
    head = _tag("title", title) + _tag("desc", description)
    return Markup("").join(
        _tag("svg", head + inside, class_=f"chart chart-{name}", viewBox=f"0 0 {size.width:g} {height:g}", role="img")
        for (name, size), (inside, height) in zip(SIZES, drawn, strict=True)
    )


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
    drawn = _rect((left, HEAD, right - left, height - HEAD - FOOT), "sunken" if number % 2 else "accent-tint")
    if band.low > scale.low:
        drawn += _line((left, HEAD - 4), (left, height - FOOT), "edge", dashed=True)
    if right - left >= _width(band.label):
        drawn += _text(((left + right) / 2, HEAD - 9), band.label, "ink-soft", "middle")
    return drawn


def _tick(value: float, scale: _Scale, height: float) -> Markup:
    x = scale.x(value)
    anchor = "middle" if scale.size is WIDE else {scale.low: "start", scale.high: "end"}.get(value, "middle")
    return _line((x, HEAD), (x, height - FOOT), "line") + _text((x, height - 8), f"{value:g}", "ink-soft", anchor)


def _mark(mark: Mark, top: float, scale: _Scale) -> Markup:
    middle = _middle(top, scale.size)
    drawn = _labels(mark.label, mark.note, top, scale.size)
    if mark.value is None:
        return drawn
    if mark.low is not None and mark.high is not None:
        left, right = scale.x(mark.low), scale.x(mark.high)
        drawn += _line((left, middle), (right, middle), "accent", 2 if mark.weak else 7, dashed=mark.weak)
        for end in (left, right):
            drawn += _line((end, middle - 7), (end, middle + 7), "accent", 2)
    inner, outer = ("surface", "accent-deep") if mark.weak else ("accent-deep", "surface")
    dot = {"fill": tokens()[inner], "stroke": tokens()[outer]}
    return drawn + _tag("circle", cx=scale.x(mark.value), cy=middle, r=5.5, stroke_width=2, **dot)


def _shares(shares: Sequence[Share], size: Size) -> tuple[Markup, float]:
    drawn = Markup("")
    for row, share in enumerate(shares):
        top = size.row * row
        done = min(share.done / share.whole, 1.0) if share.whole else 0.0
        drawn += _labels(share.label, share.note, top, size)
        drawn += _rect((size.left, _middle(top, size) - 6, size.plot, 12), "sunken", "edge")
        drawn += _rect((size.left, _middle(top, size) - 6, size.plot * done, 12), "accent")
    return drawn, size.row * len(shares) + 4


def _middle(top: float, size: Size) -> float:
    """The height at which a line's marks stand."""
    return top + (size.row - 15 if size.label_above else size.row / 2)


def _labels(label: str, note: str, top: float, size: Size) -> Markup:
    """The words of a line: beside the plot, or above it where there is no room beside."""
    if size.label_above:
        taken = _width(note) + 12 if note else 0.0
        shown = _text((size.left + 5, top + 18), _fitted(label, size.width - 26 - taken), "ink")
        return shown + _text((size.width - size.right - 5, top + 18), note, "ink-soft", "end")
    lines = _wrapped(label, size.left - 20)
    middle = top + size.row / 2 + TEXT * 0.36
    first = middle - LINE * (len(lines) - 1) / 2
    shown = _text((size.width - size.right + 16, middle), note, "ink-soft")
    for number, line in enumerate(lines):
        shown += _text((size.left - 16, first + LINE * number), line, "ink", "end")
    return shown


def _wrapped(words: str, room: float) -> list[str]:
    """The words on at most two lines, broken at a blank where one is; what is too long ends with an ellipsis."""
    if _width(words) <= room:
        return [words]
    first = _fitted(words, room, ellipsis="")
    if " " in first and not words[len(first) :].startswith(" "):
        first = first[: first.rindex(" ")]
    return [first.rstrip(), _fitted(words[len(first) :].strip(), room)]


def _fitted(words: str, room: float, ellipsis: str = "…") -> str:
    if _width(words) <= room:
        return words
    kept = words
    while kept and _width(kept + ellipsis) > room:
        kept = kept[:-1]
    return kept + ellipsis


def _width(words: str) -> float:
    """About how wide words are drawn: an ideograph is square, other letters are about half as wide."""
    return TEXT * sum(1.0 if ord(letter) > 0x2E80 else 0.58 for letter in words)


def _rect(box: tuple[float, float, float, float], fill: str, edge: str = "") -> Markup:
    """A rectangle of x, y, width and height."""
    x, y, width, height = box
    stroke = {"stroke": tokens()[edge]} if edge else {}
    return _tag("rect", x=x, y=y, width=max(width, 0.0), height=height, fill=tokens()[fill], **stroke)


def _line(start: Point, end: Point, colour: str, width: float = 1, *, dashed: bool = False) -> Markup:
    dashes = {"stroke_dasharray": "4 3"} if dashed else {}
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    return _tag("line", stroke=tokens()[colour], stroke_width=width, **ends, **dashes)


def _text(at: Point, words: str, colour: str, anchor: str = "start") -> Markup:
    if not words:
        return Markup("")
    return _tag("text", words, x=at[0], y=at[1], fill=tokens()[colour], font_size=TEXT, text_anchor=anchor)


def _tag(name: str, inside: str = "", /, **attributes: str | float) -> Markup:
    """An element; whatever is not `Markup` made here is escaped."""
    made = Markup("<") + name
    for key, value in attributes.items():
        shown = value if isinstance(value, str) else f"{value:.4g}" if value < 100 else f"{value:.1f}"
        made += Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), shown)
    return made + Markup(">{}</{}>").format(inside, name)
