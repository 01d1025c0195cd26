"""The picture of when people were tried: weekdays by hours of the day, with the number of attempts in each field."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from api.pages.drawing import HEAD, SIZES, WIDE, Size, both, rect, text

FIELD = 26.0


def hours_chart(tried: Mapping[tuple[int, int], int], days: Sequence[str], title: str, description: str) -> Markup:
    """How often it was tried, by weekday and hour; a darker field says more, and each says its number.

    Args:
        tried: (weekday from 0, hour) → attempts.
        days: the seven weekdays' names, short enough for two ideographs.
        title: names the picture for those who do not see it.
        description: tells in a sentence what there is to see in it.
    """
    return both([_fields(tried, days, size) for _, size in SIZES], title, description)


def _fields(tried: Mapping[tuple[int, int], int], days: Sequence[str], size: Size) -> tuple[Markup, float]:
    hours = range(min((hour for _, hour in tried), default=9), max((hour for _, hour in tried), default=20) + 1)
    left = size.left / 2 if size is WIDE else 36.0
    wide = min((size.width - left - size.right) / len(hours), 56.0)
    most = max(tried.values(), default=1)
    drawn = Markup("")
    for number, hour in enumerate(hours):
        if size is WIDE or number % 3 == 0:
            drawn += text((left + wide * (number + 0.5), HEAD - 9), str(hour), "ink-soft", "middle")
    for day, name in enumerate(days):
        top = HEAD + FIELD * day
        drawn += text((left - 8, top + 18), name, "ink", "end")
        for number, hour in enumerate(hours):
            count = tried.get((day, hour), 0)
            ground, ink = _shade(count, most)
            drawn += rect((left + wide * number, top, wide - 2, FIELD - 2), ground, "line")
            if count:
                drawn += text((left + wide * (number + 0.5) - 1, top + 17), str(count), ink, "middle")
    return drawn, HEAD + FIELD * len(days) + 4


def _shade(count: int, most: int) -> tuple[str, str]:
    """Ground and ink of a field."""
    if not count:
        return "surface", "ink"
    return ("accent", "on-accent") if 2 * count > most else ("accent-tint", "ink")
