"""Orders along which a systematic sample walks: by code, by bands of latitude to and fro, along Hilbert's curve.

Coordinates are whole millionths of a degree and all arithmetic is on whole numbers, so that anybody's computer finds
the same order. Units at the same place of an order stand as the frame gives them.

Source: Hilbert 1891; Skilling's and Warren's bit-wise form of the curve, checked here by its own laws (every cell
once, neighbours along it are neighbours on the map).
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

BITS = 16
"""Hilbert's curve runs over a square of 2^16 by 2^16 cells."""

Whole = NDArray[np.int64]
Words = NDArray[np.uint64]


def by_code(codes: Sequence[str]) -> Whole:
    """Places of the units in byte order of their codes."""
    return np.array(sorted(range(len(codes)), key=codes.__getitem__), dtype=np.int64)


def serpentine(latitudes: Sequence[int], longitudes: Sequence[int], n: int) -> Whole:
    """Places of the units by bands of latitude from the south, the first eastward, the next westward, and so on.

    As many bands of equal height as the whole root of n, so that a step along a band is about a band's height.
    """
    north, east = np.asarray(latitudes, dtype=np.int64), np.asarray(longitudes, dtype=np.int64)
    if not len(north):
        return north
    south = north.min()
    band = (north - south) * max(1, isqrt(n)) // (north.max() - south + 1)
    return np.lexsort((np.where(band % 2, -east, east), band))


def hilbert(latitudes: Sequence[int], longitudes: Sequence[int]) -> Whole:
    """Places of the units along Hilbert's curve over the smallest square, from the south-west, that holds them."""
    north, east = np.asarray(latitudes, dtype=np.int64), np.asarray(longitudes, dtype=np.int64)
    if not len(north):
        return north
    south, west = north.min(), east.min()
    span = max(north.max() - south, east.max() - west) + 1
    return np.argsort(distance(((east - west) << BITS) // span, ((north - south) << BITS) // span), kind="stable")


def distance(x: Whole, y: Whole, bits: int = BITS) -> Whole:
    """How far along Hilbert's curve a cell lies, from 0 at (0, 0).

    Args:
        x: (N,) columns, 0 to 2^bits - 1.
        y: (N,) rows.
        bits: at most 31.
    """
    x, y = x.copy(), y.copy()
    along = np.zeros_like(x)
    for bit in reversed(range(bits)):
        side = 1 << bit
        right, upper = (x & side) > 0, (y & side) > 0
        along += (side * side) * np.where(right, np.where(upper, 2, 3), np.where(upper, 1, 0))
        x, y = x & (side - 1), y & (side - 1)
        mirrored = right & ~upper  # the last quarter is turned over, and so is the first, by swapping
        x, y = np.where(mirrored, side - 1 - x, x), np.where(mirrored, side - 1 - y, y)
        x, y = np.where(upper, x, y), np.where(upper, y, x)
    return along
