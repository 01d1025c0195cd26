"""Datums: published points, round trips, ranges."""

import random
from itertools import permutations
from math import cos, hypot, radians
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.presence import distance_m
from survey_forms.refusal import Refused

DEGREE_M = 111_320
in_china = st.builds(Position, st.floats(18.2, 53.5), st.floats(74, 134.7), st.sampled_from(Datum))


def apart_m(one: Position, other: Position) -> float:
    """Metres on the tangent plane: exact enough for millimetres, and independent of the code under test."""
    return hypot(one.lat - other.lat, (one.lon - other.lon) * cos(radians(one.lat))) * DEGREE_M


@pytest.mark.parametrize(
    ("here", "there"),
    [  # the example of many published converters: 116.404 E, 39.915 N
        (Position(39.915, 116.404), Position(39.91640428150164, 116.41024449916938, Datum.GCJ_02)),
        (
            Position(39.915, 116.404, Datum.GCJ_02),
            Position(39.92133699351021, 116.41036949371029, Datum.BD_09),
        ),
    ],
)
def test_the_published_formula_gives_its_published_points(here: Position, there: Position) -> None:
    assert apart_m(converted(here, there.datum), there) < 1e-6
    assert apart_m(converted(there, here.datum), here) < 1e-6


@given(in_china, st.sampled_from(Datum))
def test_there_and_back_is_the_same_place_within_a_micrometre(here: Position, datum: Datum) -> None:
    there = converted(here, datum)
    assert there.datum == datum
    assert apart_m(converted(there, here.datum), here) < 1e-6


def test_three_thousand_places_in_china_come_back_within_a_micrometre_and_move_as_published() -> None:
    chance = random.Random(2026)
    moved = []
    for _ in range(3000):
        here = Position(chance.uniform(18.2, 53.5), chance.uniform(74, 134.7))
        for one, other in permutations(Datum, 2):
            start = converted(here, one)
            assert apart_m(converted(converted(start, other), one), start) < 1e-6
        moved.append(distance_m(here, Position(*degrees(converted(here, Datum.GCJ_02)))))
    assert 410 < median(moved) < 450  # over the whole rectangle about China; at Tiananmen 556 m
    assert 650 < max(moved) < 720


def degrees(position: Position) -> tuple[float, float]:
    return position.lat, position.lon


def test_outside_the_rectangle_of_the_published_formula_gcj_is_wgs() -> None:
    """The rectangle is wider than China: Seoul and Hanoi move as well, Tokyo does not."""
    for lat, lon in ((35.68, 139.69), (0.5, 105.0), (48.85, 2.35), (-33.87, 151.21), (55.9, 100.0)):
        here = Position(lat, lon)
        assert degrees(converted(here, Datum.GCJ_02)) == degrees(here)
    for lat, lon in ((22.3, 114.17), (25.03, 121.5), (37.57, 126.98), (21.03, 105.85)):  # 香港, 台北, 首尔, 河内
        assert apart_m(converted(Position(lat, lon), Datum.GCJ_02), Position(lat, lon)) > 100


@given(in_china)
def test_every_way_leads_to_the_same_place(here: Position) -> None:
    by_the_way = converted(converted(here, Datum.GCJ_02), Datum.BD_09)
    assert apart_m(by_the_way, converted(here, Datum.BD_09)) < 1e-6


def test_the_shift_at_tiananmen_is_556_metres() -> None:
    wgs = Position(39.9087, 116.3975)
    relabelled = Position(39.9087, 116.3975, Datum.GCJ_02)
    assert distance_m(wgs, relabelled) == pytest.approx(556, abs=2)


@given(st.floats(-33, -1), st.floats(-70, 50))
def test_outside_the_formulas_rectangle_nothing_moves(lat: float, lon: float) -> None:
    assert converted(Position(lat, lon), Datum.GCJ_02) == Position(lat, lon, Datum.GCJ_02)


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.1), (0, -200), (float("nan"), 0), (0, float("inf")), (118.1, 24.5)]
)
def test_a_position_that_is_none_is_refused_not_wrapped(lat: float, lon: float) -> None:
    with pytest.raises(Refused, match="position_out_of_range"):
        Position(lat, lon)
