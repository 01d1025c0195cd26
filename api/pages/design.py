"""`/design`: the living page of the design system. It shows the parts themselves, so it cannot go stale."""

import re
from functools import cache
from importlib.resources import files

from flask import Blueprint
from werkzeug.wrappers import Response

from api.auth import allow_anyone
from api.pages.render import page

pages = Blueprint("design", __name__)

_TOKEN = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")
TEXT_ON = ("paper", "surface", "sunken")
TEXT_COLOURS = ("ink", "ink-soft", "ink-faint", "accent", "accent-deep", "good", "warn", "bad")
TINTS = (("good", "good-tint"), ("warn", "warn-tint"), ("bad", "bad-tint"), ("accent", "accent-tint"))


@cache
def tokens() -> dict[str, str]:
    """The design tokens by name, read from the stylesheet that the pages use."""
    text = files("api.pages").joinpath("static", "tokens.css").read_text(encoding="utf-8")
    return {name: value.strip() for name, value in _TOKEN.findall(text)}


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb` as WCAG 2.2 defines it: 1 (none) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, from IEC 61966-2-1)."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pages.get("/design")
@allow_anyone
def design() -> Response:
    """Show every part of the design system in each of its states. It holds no data of anybody's."""
    known = tokens()
    colours = [
        (name, known[name], [(ground, contrast(known[name], known[ground])) for ground in TEXT_ON])
        for name in TEXT_COLOURS
    ]
    tints = [(name, tint, known[tint], contrast(known[name], known[tint])) for name, tint in TINTS]
    return page("design.html", tokens=known, colours=colours, tints=tints)
