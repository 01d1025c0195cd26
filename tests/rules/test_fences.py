"""Polygon fences: distance to the edge, classes of presence at them, and what is no fence at all."""

from datetime import UTC, datetime
from itertools import pairwise
from math import cos, hypot, pi, radians, sin

import pytest
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.fences import Fence, beyond_m, fence_of, signed_m
from survey_forms.inspection.presence import Fix, Flag, Presence, Site, classify, distance_m, judge
from survey_forms.refusal import Refused

HALL = Position(24.4798, 118.0894)  # 厦门
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def moved(metres_north: float, metres_east: float, start: Position = HALL) -> Position:
    there = geodesic(meters=abs(metres_north)).destination((start.lat, start.lon), 0 if metres_north >= 0 else 180)
    there = geodesic(meters=abs(metres_east)).destination(there, 90 if metres_east >= 0 else 270)
    return Position(there.latitude, there.longitude, start.datum)


def a_fence(*metres: tuple[float, float]) -> Fence:
    """A fence by (north, east) of its corners, in metres about the hall."""
    return Fence(tuple(moved(*pair) for pair in metres))


SQUARE = a_fence((100, 100), (100, -100), (-100, -100), (-100, 100))
YARD = a_fence((100, 100), (100, -100), (-100, -100), (-100, 100), (-50, 100), (-50, -50), (50, -50), (50, 100))  # a C


@pytest.mark.parametrize(
    ("north", "east", "signed"),
    [(0, 0, -100), (0, 60, -40), (0, 160, 60), (130, 140, 50), (-100, 0, 0), (400, 0, 300), (0, -5000, 4900)],
)
def test_the_distance_to_a_square_is_that_to_its_nearest_edge(north, east, signed):
    assert signed_m(SQUARE, moved(north, east)) == pytest.approx(signed, abs=0.05 + abs(signed) * 1e-4)
    assert beyond_m(SQUARE, moved(north, east)) == max(0.0, signed_m(SQUARE, moved(north, east)))


def test_the_yard_of_a_building_is_not_in_the_building():
    assert signed_m(YARD, moved(0, 40)) == pytest.approx(50, abs=0.05)
    assert signed_m(YARD, moved(75, 40)) == pytest.approx(-25, abs=0.05)


corners = st.lists(st.floats(20, 400), min_size=3, max_size=12)


def a_star(radii: list[float], start: Position = HALL) -> Fence:
    """A fence around `start` that does not cross itself: one corner in each direction."""
    turns = [2 * pi * place / len(radii) for place in range(len(radii))]
    return Fence(tuple(moved(far * cos(turn), far * sin(turn), start) for far, turn in zip(radii, turns, strict=True)))


@given(corners, st.integers(0, 11), st.booleans(), st.floats(-900, 900), st.floats(-900, 900))
def test_where_a_fence_begins_and_which_way_it_runs_changes_nothing(radii, first, backwards, north, east):
    fence = a_star(radii)
    turned = fence.corners[first % len(radii) :] + fence.corners[: first % len(radii)]
    other = Fence(turned[::-1] if backwards else turned)
    here = moved(north, east)
    assert signed_m(other, here) == pytest.approx(signed_m(fence, here), abs=1e-6)


@given(corners, st.floats(-900, 900), st.floats(-900, 900), st.floats(-900, 900), st.floats(-900, 900))
def test_a_step_changes_the_distance_by_no_more_than_the_step(radii, north, east, north2, east2):
    fence = a_star(radii)
    here, there = moved(north, east), moved(north2, east2)
    step = distance_m(here, there)
    assert abs(signed_m(fence, here) - signed_m(fence, there)) <= step * 1.0002 + 0.02


@given(corners)
def test_corners_lie_on_the_edge_and_the_middle_is_inside(radii):
    fence = a_star(radii)
    assert all(abs(signed_m(fence, corner)) < 1e-6 for corner in fence.corners)
    assert signed_m(fence, HALL) < 0 or len(radii) == 3  # of a thin triangle the middle may lie on the edge
    assert all(beyond_m(fence, _middle(one, other)) < 1e-3 for one, other in pairwise(fence.corners))


def _middle(one: Position, other: Position) -> Position:
    return Position((one.lat + other.lat) / 2, (one.lon + other.lon) / 2, one.datum)


@settings(max_examples=25, deadline=None)
@given(st.floats(18.2, 53.5), st.floats(74, 134.7), st.floats(0, 2 * pi), st.floats(30, 500))
def test_the_plane_agrees_with_the_ellipsoid(lat, lon, turn, metres):
    """A point every 1.5 m of the edge, and geopy's way to the nearest of them."""
    start = Position(lat, lon)
    fence = a_star([200.0] * 8, start)
    out = moved((200 + metres) * cos(turn), (200 + metres) * sin(turn), start)
    nearest = min(distance_m(out, _between(fence, place)) for place in range(800))
    assert signed_m(fence, out) == pytest.approx(nearest, abs=0.05)


def _between(fence: Fence, place: int) -> Position:
    one = fence.corners[place // 100]
    other = fence.corners[(place // 100 + 1) % 8]
    share = place % 100 / 100
    return Position(one.lat + share * (other.lat - one.lat), one.lon + share * (other.lon - one.lon), one.datum)


@given(st.floats(-400, 400), st.floats(-400, 400), st.floats(0, 300))
def test_a_polygon_of_many_corners_is_the_circle(north, east, accuracy):
    circle = Site(HALL, 150)
    polygon = Site(HALL, 150, a_star([150.0] * 120))
    fix = Fix(moved(north, east), accuracy, NOON)
    assert polygon.signed_m(fix.position) == pytest.approx(circle.signed_m(fix.position), abs=0.2)
    edges = (0, accuracy, -accuracy, min(accuracy, 50))
    if min(abs(circle.signed_m(fix.position) - edge) for edge in edges) > 0.3:
        assert judge(polygon, [fix], NOON).presence == judge(circle, [fix], NOON).presence


@given(st.floats(0, 5000), st.floats(0, 2000), st.integers(10, 5000))
def test_the_rule_knows_no_centre(distance, accuracy, radius):
    edges = (radius - accuracy, radius + accuracy, radius + min(accuracy, 50))
    if min(abs(distance - edge) for edge in edges) > 1e-6:
        assert classify(distance - radius, accuracy, 0) == classify(distance, accuracy, radius)


def test_presence_at_a_fence():
    site = Site(HALL, 150, SQUARE)
    for north, accuracy, presence, told in (
        (0, 30, Presence.CERTAIN, 0),
        (0, 100, Presence.CERTAIN, 0),
        (90, 30, Presence.LIKELY, 0),
        (140, 45, Presence.LIKELY, 40),
        (160, 80, Presence.UNCLEAR, 60),
        (160, 20, Presence.OUTSIDE, 60),
    ):
        judgement = judge(site, [Fix(moved(north, 0), accuracy - 0.1, NOON)], NOON)
        assert (judgement.presence, round(judgement.distance_m)) == (presence, told), (north, accuracy)


def test_a_fence_in_another_datum_is_the_same_place_and_a_wrong_label_is_hinted_at():
    gcj = Fence(tuple(converted(corner, Datum.GCJ_02) for corner in SQUARE.corners))
    here = moved(0, 130)
    assert signed_m(gcj, here) == pytest.approx(signed_m(SQUARE, here), abs=0.01)
    mislabelled = Site(converted(HALL, Datum.GCJ_02), 150, gcj.read_in(Datum.WGS_84))
    wrong = Site(Position(mislabelled.position.lat, mislabelled.position.lon), 150, mislabelled.fence)
    judgement = judge(wrong, [Fix(moved(0, 50), 12, NOON)], NOON)
    assert (judgement.presence, judgement.flags) == (Presence.UNCLEAR, (Flag.DATUM_SUSPECT,))


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([], "fence_corners"),
        ([[24.0, 118.0], [24.1, 118.0]], "fence_corners"),
        ([[24.0, 118.0], [24.1, 118.0], [24.0, 118.0]], "fence_corners"),  # closed on itself: two corners
        ([[24.0 + place / 1e5, 118.0 + place**2 / 1e7] for place in range(201)], "fence_corners"),
        ([[24.0, 118.0], [24.1], [24.0, 118.1]], "fence_corners"),
        ([[24.0, 118.0], [24.001, float("nan")], [24.0, 118.001]], "fence_corners"),
        ([[24.0, 118.0], [124.0, 118.0], [24.0, 118.001]], "position_out_of_range"),
        ([[24.0, 118.0], [24.001, 118.001], [24.001, 118.0], [24.0, 118.001]], "fence_crosses_itself"),
        ([[24.0, 118.0], [24.0, 118.001], [24.0, 118.002]], "fence_too_small"),
        ([[24.0, 118.0], [24.00001, 118.0], [24.0, 118.00001]], "fence_too_small"),
        ([[24.0, 118.0], [25.0, 118.0], [24.0, 119.0]], "fence_too_wide"),
        ([[89.0, 0.0], [89.0, 120.0], [89.0, -120.0]], "fence_at_pole"),
        ([[24.0, 179.9], [24.001, 179.9], [24.0, -179.9]], "fence_at_date_line"),
    ],
)
def test_what_is_no_fence_is_refused_with_its_reason(pairs, code):
    with pytest.raises(Refused) as refused:
        fence_of(pairs, Datum.WGS_84)
    assert refused.value.code == code


def test_corners_of_two_datums_make_no_fence():
    with pytest.raises(Refused, match="fence_datums"):
        Fence((*SQUARE.corners[:3], Position(24.4798, 118.09, Datum.GCJ_02)))


def test_a_last_corner_that_repeats_the_first_is_dropped():
    pairs = [[corner.lat, corner.lon] for corner in SQUARE.corners]
    assert fence_of([*pairs, pairs[0]], Datum.WGS_84) == fence_of(pairs, Datum.WGS_84) == SQUARE


def test_metres_of_a_degree_are_those_of_the_ellipsoid():
    """At the equator a degree of longitude has 111.3195 km, at 45° a degree of latitude 111.132 km."""
    fence = fence_of([[0.0, 100.0], [0.001, 100.0], [0.0, 100.001]], Datum.GCJ_02)
    assert hypot(radians(1) * 6378137, 0) == pytest.approx(111_319.49, abs=0.01)
    assert signed_m(fence, Position(0.0, 99.999, Datum.GCJ_02)) == pytest.approx(111.319, abs=0.01)
