"""One person's score of one unit as a whole, from the items that the person rated.

Cells of single items cannot give the error of their mean (the items of one person go together), so the mean is
taken person by person and counted as an item of its own.
"""

from collections import defaultdict
from collections.abc import Iterable

from survey_forms.forms.model import Rating

OVERALL = "*"
"""The item under which a person's mean over all items of a unit is counted; no form can use the name."""

HUNDREDTHS = 100
"""A person's mean is kept in hundredths of a point: cells hold whole numbers."""


def overall(ratings: Iterable[Rating]) -> list[Rating]:
    """One rating a unit: the mean of the person's points over its items, in hundredths, rounded half up once."""
    points: defaultdict[str, list[int]] = defaultdict(list)
    for rating in ratings:
        points[rating.unit].append(rating.points)
    return [Rating(unit, OVERALL, mean_in_hundredths(given)) for unit, given in points.items()]


def mean_in_hundredths(points: list[int]) -> int:
    """The mean of whole points, in hundredths of a point, rounded half up."""
    return (2 * HUNDREDTHS * sum(points) + len(points)) // (2 * len(points))
