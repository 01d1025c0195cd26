"""Orders that a walk follows: Hilbert's curve by its laws, bands to and fro, codes by their bytes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.sampling.frame import millionths
from survey_forms.sampling.spatial import by_code, distance, hilbert, serpentine

degrees = st.lists(st.tuples(st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000)), max_size=60)


@pytest.mark.parametrize("bits", range(1, 8))
def test_the_curve_visits_every_cell_once_and_steps_to_a_neighbour(bits: int) -> None:
    side = 1 << bits
    y, x = (axis.ravel().astype(np.int64) for axis in np.mgrid[:side, :side])
    along = distance(x, y, bits)
    assert sorted(along.tolist()) == list(range(side * side))
    steps = np.argsort(along)
    assert (abs(np.diff(x[steps])) + abs(np.diff(y[steps])) == 1).all()
    assert along[0] == 0  # it begins at (0, 0)
    assert (x[steps[-1]], y[steps[-1]]) == (side - 1, 0)


def test_the_first_cells_are_those_of_the_books() -> None:
    x, y = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    assert distance(x, y, 1).tolist() == [0, 1, 2, 3]
    # of order two: up the first quarter's other way round
    assert distance(np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1]), 2).tolist() == [0, 1, 2, 3]


@given(degrees, st.integers(0, 70))
def test_every_order_holds_every_unit_once(points: list[tuple[int, int]], n: int) -> None:
    latitudes, longitudes = [one for one, _ in points], [one for _, one in points]
    assert sorted(hilbert(latitudes, longitudes).tolist()) == list(range(len(points)))
    assert sorted(serpentine(latitudes, longitudes, n).tolist()) == list(range(len(points)))


@given(degrees, st.integers(-1_000_000, 1_000_000))
def test_an_order_hangs_on_where_units_lie_to_each_other_and_ties_stand_as_given(
    points: list[tuple[int, int]], moved: int
) -> None:
    latitudes, longitudes = [one for one, _ in points], [one for _, one in points]
    east = [one + moved for one in longitudes]
    assert hilbert(latitudes, longitudes).tolist() == hilbert(latitudes, east).tolist()
    assert hilbert([7] * len(points), [3] * len(points)).tolist() == list(range(len(points)))
    assert serpentine([7] * len(points), [3] * len(points), 9).tolist() == list(range(len(points)))


def test_neighbours_on_the_map_are_near_each_other_in_the_walk() -> None:
    side = 30
    latitudes, longitudes = (list(part) for part in zip(*np.ndindex(side, side), strict=True))
    for walk in (hilbert(latitudes, longitudes), serpentine(latitudes, longitudes, 900)):
        steps = [
            max(abs(latitudes[one] - latitudes[other]), abs(longitudes[one] - longitudes[other]))
            for one, other in pairwise(walk.tolist())
        ]
        assert sum(steps) / len(steps) < 1.7
    as_given = sum(abs(one - other) for one, other in pairwise(longitudes)) / len(longitudes)
    assert as_given > 1.8  # a walk row by row jumps back at the end of every row


def test_the_serpentine_goes_to_and_fro() -> None:
    latitudes, longitudes = [0, 0, 0, 9, 9, 9], [1, 3, 2, 1, 3, 2]
    assert serpentine(latitudes, longitudes, 4).tolist() == [0, 2, 1, 4, 5, 3]
    assert serpentine(latitudes, longitudes, 3).tolist() == [0, 3, 2, 5, 1, 4]  # one band: from west to east
    assert serpentine([0, 1, 2, 3], [0, 1, 2, 3], 4).tolist() == [0, 1, 3, 2]  # bands of equal height, to the millionth


def test_codes_stand_in_the_order_of_their_bytes() -> None:
    codes = ["350203", "3502", "350203001", "\u9e64", "\U00020bb7", "350203"]
    assert by_code(codes).tolist() == sorted(range(6), key=lambda at: (codes[at].encode(), at))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("24.479834", 24_479_834),
        ("-118.1", -118_100_000),
        ("0", 0),
        ("-0.5", -500_000),
        ("3.1000000000", 3_100_000),
        ("", None),
        ("-", None),
        (".", None),
        ("1.", None),
        (".5", None),
        ("1e3", None),
        ("1_000", None),
        ("+1", None),
        (" 1", None),
        ("1.0000001", None),
        ("1.-5", None),
        ("\uff11", None),
        ("1.\u0665", None),
        ("--1", None),
        ("nan", None),
        ("9" * 16, None),
    ],
)
def test_numbers_are_read_in_whole_millionths_or_not_at_all(text: str, number: int | None) -> None:
    assert millionths(text) == number
