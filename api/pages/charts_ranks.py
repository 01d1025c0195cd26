"""Pictures of what a rank and a grade can bear: rank intervals, grades by their probabilities, a histogram of weights.

A rank is drawn as the places that it may really be, never as a dot of its own. See `charts.py` for the two sizes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.pages.drawing import FOOT, HEAD, SIZES, WIDE, Size, both, labels, line, middle_of, rect, text, width_of

FILLS = (("accent-deep", "on-accent"), ("accent-tint", "ink"), ("accent", "on-accent"), ("sunken", "ink"))
"""Ground and ink of a grade's stretch, best grade first; neighbours differ in lightness, and each carries its name."""


@dataclass(frozen=True, slots=True)
class Places:
    """One line: the best and the worst place, `of` how many; `note` stands at its end."""

    label: str
    best: int
    worst: int
    of: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """One line: shares of 1 by name, in the order of `names` of the picture; `note` stands at its end."""

    label: str
    shares: Sequence[tuple[str, float]]
    note: str = ""


def rank_chart(places: Sequence[Places], title: str, description: str) -> Markup:
    """The places that each line may really take, the best at the left."""
    return both([_ranks(places, size) for _, size in SIZES], title, description)


def strip_chart(strips: Sequence[Strip], title: str, description: str) -> Markup:
    """Shares of one, side by side on each line; a stretch carries its name where there is room for it."""
    return both([_strips(strips, size) for _, size in SIZES], title, description)


def histogram(counts: Sequence[int], edges: Sequence[float], title: str, description: str) -> Markup:
    """How many (`counts`) lie between one edge and the next."""
    return both([_bins(counts, edges, size) for _, size in SIZES], title, description)


def _ranks(places: Sequence[Places], size: Size) -> tuple[Markup, float]:
    last = max((one.of for one in places), default=1)
    height = HEAD + size.row * len(places) + FOOT
    drawn = Markup("")
    for place in _round_places(last, 8 if size is WIDE else 4):
        x = _at(place, last, size)
        drawn += line((x, HEAD), (x, height - FOOT), "line") + text((x, height - 8), str(place), "ink-soft", "middle")
    for row, one in enumerate(places):
        top = HEAD + size.row * row
        middle = middle_of(top, size)
        left, right = _at(one.best, last, size), _at(one.worst, last, size)
        drawn += labels(one.label, one.note, top, size)
        drawn += rect((left - 4, middle - 5, right - left + 8, 10), "accent")
        for end in (left - 4, right + 4):
            drawn += line((end, middle - 9), (end, middle + 9), "accent-deep", 2)
    return drawn, height


def _at(place: int, last: int, size: Size) -> float:
    """Where a place lies: the first and the last keep half a step from the edge."""
    return size.left + size.plot * (place - 0.5) / last


def _round_places(last: int, most: int) -> list[int]:
    """Places to name on the axis: the first, and every so many of which there are not too many."""
    step = next(
        one for power in (1, 10, 100, 1000, 10**4) for one in (power, 2 * power, 5 * power) if last / one <= most
    )
    return [1, *range(step, last + 1, step)] if step > 1 else list(range(1, last + 1))


def _strips(strips: Sequence[Strip], size: Size) -> tuple[Markup, float]:
    drawn = Markup("")
    for row, one in enumerate(strips):
        top = size.row * row
        middle, x = middle_of(top, size), size.left
        drawn += labels(one.label, one.note, top, size)
        for number, (name, share) in enumerate(one.shares):
            wide = size.plot * share
            ground, ink = FILLS[number % len(FILLS)]
            if wide >= 0.5:
                drawn += rect((x, middle - 11, wide, 22), ground, "edge")
            if wide >= width_of(name) + 8:
                drawn += text((x + wide / 2, middle + 5), name, ink, "middle")
            x += wide
    return drawn, size.row * len(strips) + 4


def _bins(counts: Sequence[int], edges: Sequence[float], size: Size) -> tuple[Markup, float]:
    tall = 150.0
    base, highest = HEAD + tall, max(counts, default=0) or 1
    wide = size.plot / max(len(counts), 1)
    drawn = line((size.left, base), (size.left + size.plot, base), "edge")
    for number, count in enumerate(counts):
        height = tall * count / highest
        x = size.left + wide * number
        drawn += rect((x + 1, base - height, wide - 2, height), "accent")
        if count and (size is WIDE or count == highest):
            drawn += text((x + wide / 2, base - height - 6), str(count), "ink-soft", "middle")
    shown = range(len(edges)) if size is WIDE and len(edges) <= 13 else (0, len(edges) - 1)
    for number in shown:
        anchor = "start" if number == 0 and size is not WIDE else "end" if size is not WIDE else "middle"
        drawn += text((size.left + wide * number, base + 20), f"{edges[number]:.3g}", "ink-soft", anchor)
    return drawn, base + FOOT
