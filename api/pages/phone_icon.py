"""The house's mark (`static/mark.svg`) as PNG, for home screens that take no SVG; full to the edge for masks."""

import io
from functools import cache
from math import asin, cos, sin

from PIL import Image, ImageDraw

GROUND, INK = "#07424b", "#ffffff"
SIDE = 32  # the drawing's own units
FINER = 4  # drawn so many times larger, then reduced: smooth edges
STROKE = 2.2
TOP, BOTTOM, LEFT = 8.2, 23.8, 19.5  # the crescent's two ends
ARCS = (8.2, 10.6)  # its outer and inner radius
Line = list[tuple[float, float]]


@cache
def icon(size: int) -> bytes:
    """The mark as a PNG of so many pixels a side."""
    scale = size * FINER / SIDE
    drawn = Image.new("RGB", (size * FINER, size * FINER), GROUND)
    pen = ImageDraw.Draw(drawn)
    closed: Line = [(6.5, 8.5), (14.5, 8.5), (14.5, 23.5), (6.5, 23.5), (6.5, 8.5), (14.5, 8.5)]
    crescent = [*_arc(ARCS[0]), *reversed(_arc(ARCS[1]))]
    for line in (closed, [(6.5, 16.0), (14.5, 16.0)], [*crescent, *crescent[:2]]):
        points = [(x * scale, y * scale) for x, y in line]
        pen.line(points, fill=INK, width=round(STROKE * scale), joint="curve")
    written = io.BytesIO()
    drawn.resize((size, size), Image.Resampling.LANCZOS).save(written, "PNG", optimize=True)
    return written.getvalue()


def _arc(radius: float, steps: int = 48) -> Line:
    """From the crescent's upper end to its lower one, bulging to the right."""
    half = (BOTTOM - TOP) / 2
    reach = asin(half / radius)
    x, y = LEFT - radius * cos(reach), TOP + half
    angles = [reach * (2 * at / steps - 1) for at in range(steps + 1)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]
