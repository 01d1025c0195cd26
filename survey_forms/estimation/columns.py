"""Integer cells from whole columns of answers: how a recount, an import or a benchmark reads raw rows.

A score is a small whole number, so a histogram of (cell, unit, score) holds all that n, the sum and the sum of
squares need: one pass over the rows an item, in whole numbers, piece by piece, and memory does not grow with them.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from survey_forms.estimation.linearised import Counts, Ints

PIECE = 1 << 17
"""Rows at once: small enough for the cache, large enough to spread what a histogram costs by itself."""

Piece = tuple[NDArray[np.integer], Sequence[NDArray[np.integer]]]
"""place (rows,) = cell · units + unit of each rating, and of each item the scores (rows,), 0 where there is none"""


def count_columns(pieces: Iterable[Piece], cells: int, units: int, items: int, top: int) -> Counts:
    """The counts (cells, units · items), the items of a unit side by side, of ratings that come in pieces.

    Args:
        pieces: of any size, in any order.
        cells: weighting cells of all strata.
        units: that were rated.
        items: scores of one rating.
        top: the greatest score; the least is 1.

    Raises:
        ValueError: a place or a score out of range.
    """
    width, length = top + 1, cells * units * (top + 1)
    histogram = np.zeros((items, length), dtype=np.int64)
    for place, scores in pieces:
        _check(place, cells * units - 1, "place")
        for item in range(items):
            _check(scores[item], top, f"item {item}")
        for start in range(0, len(place), PIECE):
            part = slice(start, start + PIECE)
            base = place[part] * np.int64(width)
            for item in range(items):
                histogram[item] += np.bincount(base + scores[item][part], minlength=length)
    by_score = histogram.reshape(items, cells, units, width)[..., 1:]
    points = np.arange(1, width, dtype=np.int64)
    tables = (by_score @ weight for weight in (np.ones_like(points), points, points**2))
    return Counts(*(_side_by_side(table) for table in tables))


def _check(numbers: NDArray[np.integer], most: int, what: str) -> None:
    if numbers.size and not (numbers.min() >= 0 and numbers.max() <= most):
        raise ValueError(f"{what}: outside 0..{most}")


def _side_by_side(table: Ints) -> Ints:
    """(items, cells, units) as (cells, units · items)."""
    items, cells, units = table.shape
    return np.ascontiguousarray(table.transpose(1, 2, 0)).reshape(cells, units * items)
