"""The strokes that pictures are made of: SVG elements, words that fit, lines with their labels, in two sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

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


def both(drawn: Sequence[tuple[Markup, float]], title: str, description: str) -> Markup:
    """The picture in each size, one of which the stylesheet hides from eye and reader alike."""
    head = tag("title", title) + tag("desc", description)
    return Markup("").join(
        tag("svg", head + inside, class_=f"chart chart-{name}", viewBox=f"0 0 {size.width:g} {height:g}", role="img")
        for (name, size), (inside, height) in zip(SIZES, drawn, strict=True)
    )


def middle_of(top: float, size: Size) -> float:
    """The height at which a line's marks stand."""
    return top + (size.row - 15 if size.label_above else size.row / 2)


def labels(label: str, note: str, top: float, size: Size) -> Markup:
    """The words of a line: beside the plot, or above it where there is no room beside."""
    if size.label_above:
        taken = width_of(note) + 12 if note else 0.0
        shown = text((size.left + 5, top + 18), _fitted(label, size.width - 26 - taken), "ink")
        return shown + text((size.width - size.right - 5, top + 18), note, "ink-soft", "end")
    lines = _wrapped(label, size.left - 20)
    middle = top + size.row / 2 + TEXT * 0.36
    first = middle - LINE * (len(lines) - 1) / 2
    shown = text((size.width - size.right + 16, middle), note, "ink-soft")
    for number, part in enumerate(lines):
        shown += text((size.left - 16, first + LINE * number), part, "ink", "end")
    return shown


def _wrapped(words: str, room: float) -> list[str]:
    """The words on at most two lines, broken at a blank where one is; what is too long ends with an ellipsis."""
    if width_of(words) <= room:
        return [words]
    first = _fitted(words, room, ellipsis="")
    if " " in first and not words[len(first) :].startswith(" "):
        first = first[: first.rindex(" ")]
    return [first.rstrip(), _fitted(words[len(first) :].strip(), room)]


def _fitted(words: str, room: float, ellipsis: str = "…") -> str:
    if width_of(words) <= room:
        return words
    kept = words
    while kept and width_of(kept + ellipsis) > room:
        kept = kept[:-1]
    return kept + ellipsis


def width_of(words: str) -> float:
    """About how wide words are drawn: an ideograph is square, other letters are about half as wide."""
    return TEXT * sum(1.0 if ord(letter) > 0x2E80 else 0.58 for letter in words)


def rect(box: tuple[float, float, float, float], fill: str, edge: str = "") -> Markup:
    """A rectangle of x, y, width and height."""
    x, y, width, height = box
    stroke = {"stroke": tokens()[edge]} if edge else {}
    return tag("rect", x=x, y=y, width=max(width, 0.0), height=height, fill=tokens()[fill], **stroke)


def line(start: Point, end: Point, colour: str, width: float = 1, *, dashed: bool = False) -> Markup:
    """A straight stroke in the colour of a token."""
    dashes = {"stroke_dasharray": "4 3"} if dashed else {}
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    return tag("line", stroke=tokens()[colour], stroke_width=width, **ends, **dashes)


def text(at: Point, words: str, colour: str, anchor: str = "start") -> Markup:
    """Words at a point; nothing where there are none."""
    if not words:
        return Markup("")
    return tag("text", words, x=at[0], y=at[1], fill=tokens()[colour], font_size=TEXT, text_anchor=anchor)


def tag(name: str, inside: str = "", /, **attributes: str | float) -> Markup:
    """An element; whatever is not `Markup` made here is escaped."""
    made = Markup("<") + name
    for key, value in attributes.items():
        shown = value if isinstance(value, str) else f"{value:.4g}" if value < 100 else f"{value:.1f}"
        made += Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), shown)
    return made + Markup(">{}</{}>").format(inside, name)
