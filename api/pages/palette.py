"""The design tokens as Python sees them: read from the stylesheet that the pages use, never written twice."""

import re
from functools import cache
from importlib.resources import files

_TOKEN = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")


@cache
def tokens() -> dict[str, str]:
    """The design tokens by name: {"ink": "#1a1f2b", "s4": "1rem", …}."""
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
