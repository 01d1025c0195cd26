"""Presence: classes, the datum hint, flags. Nobody is ever turned away, so nothing here raises for a far position."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from api.problems import say
from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.presence import (
    FENCE_SENTENCES,
    SENTENCES,
    Fix,
    Flag,
    Judgement,
    Presence,
    Site,
    check_out_flags,
    classify,
    distance_m,
    judge,
    track_flags,
)
from survey_forms.refusal import Fault, Refused

NOON = datetime(2015, 7, 1, 12, 0, tzinfo=UTC)
WEIR = Position(24.4798, 118.0894)  # 厦门
SITE = Site(WEIR, 150)


def moved(position: Position, metres: float, bearing: float = 90) -> Position:
    there = geodesic(meters=metres).destination((position.lat, position.lon), bearing)
    return Position(there.latitude, there.longitude, position.datum)


def a_fix(metres: float = 0, accuracy: float = 12, seconds: float = 0, bearing: float = 90) -> Fix:
    return Fix(moved(WEIR, metres, bearing), accuracy, NOON + timedelta(seconds=seconds))


def judged(*fixes: Fix) -> Judgement:
    return judge(SITE, fixes, NOON)


@pytest.mark.parametrize(
    ("metres", "accuracy", "presence", "retry"),
    [
        (100, 40, Presence.CERTAIN, False),
        (140, 12, Presence.LIKELY, False),
        (185, 40, Presence.LIKELY, False),
        (198, 90, Presence.LIKELY, False),
        (205, 90, Presence.UNCLEAR, False),  # more than 50 m of its inaccuracy in its favour
        (140, 100.5, Presence.UNCLEAR, True),
        (0, 800, Presence.UNCLEAR, True),
        (200, 12, Presence.OUTSIDE, False),
        (1000, 800, Presence.OUTSIDE, True),
    ],
)
def test_the_class_of_a_check_in(metres: float, accuracy: float, presence: Presence, retry: bool) -> None:  # noqa: FBT001 - a parameter of the test
    judgement = judged(a_fix(metres, accuracy))
    assert judgement.presence == presence
    assert judgement.retry == retry
    assert judgement.distance_m == pytest.approx(metres, abs=1e-3)
    assert judgement.needs_reason == (presence in {Presence.UNCLEAR, Presence.OUTSIDE})
    assert judgement.flags == ((Flag.ACCURACY_POOR,) if accuracy > 100 else ())


def test_the_edges_belong_to_the_inspector() -> None:
    assert classify(110, 40, 150) == Presence.CERTAIN
    assert classify(190, 40, 150) == Presence.LIKELY
    assert classify(200, 100, 150) == Presence.LIKELY
    assert classify(250, 100, 150) == Presence.UNCLEAR
    assert classify(250.1, 100, 150) == Presence.OUTSIDE


ORDER = [Presence.CERTAIN, Presence.LIKELY, Presence.UNCLEAR, Presence.OUTSIDE]


@given(st.floats(0, 5000), st.floats(0, 5000), st.floats(0, 2000), st.floats(10, 5000))
def test_nearer_is_never_worse(near: float, far: float, accuracy: float, radius: float) -> None:
    near, far = sorted((near, far))
    assert ORDER.index(classify(near, accuracy, radius)) <= ORDER.index(classify(far, accuracy, radius))


@given(st.floats(0, 500), st.floats(100.1, 2000))
def test_a_useless_accuracy_never_makes_presence_likely(distance: float, accuracy: float) -> None:
    assert classify(distance, accuracy, 150) != Presence.LIKELY


def test_the_most_accurate_fix_is_judged() -> None:
    judgement = judged(a_fix(400, 300, -20), a_fix(30, 8, -5), a_fix(300, 60, -40, bearing=80))
    assert judgement.presence == Presence.CERTAIN
    assert judgement.distance_m == pytest.approx(30, abs=1e-3)


def test_a_phone_without_a_position_is_unclear_and_may_go_on() -> None:
    assert judged() == Judgement(Presence.UNCLEAR, None, retry=True, flags=(Flag.NO_POSITION,))


@pytest.mark.parametrize("accuracy", [-1, float("nan"), float("inf")])
def test_an_accuracy_that_is_none_is_refused(accuracy: float) -> None:
    with pytest.raises(Refused, match="accuracy_out_of_range"):
        a_fix(0, accuracy)


# --- the datum --------------------------------------------------------------------------------------------------


def test_site_and_fix_may_have_different_datums() -> None:
    site = Site(converted(WEIR, Datum.BD_09), 150)
    judgement = judge(site, [a_fix(60)], NOON)
    assert judgement.distance_m == pytest.approx(60, abs=1e-3)
    assert judgement.presence == Presence.CERTAIN


def mislabelled(position: Position) -> Position:
    """True coordinates of GCJ-02 that claim to be WGS-84."""
    gcj = converted(position, Datum.GCJ_02)
    return Position(gcj.lat, gcj.lon)


def test_a_fix_in_the_wrong_datum_is_hinted_at_instead_of_outside() -> None:
    judgement = judged(Fix(mislabelled(moved(WEIR, 30)), 12, NOON))
    assert judgement.presence == Presence.UNCLEAR
    assert judgement.flags == (Flag.DATUM_SUSPECT,)
    assert "坐标系可能有误" in say(Fault(judgement.flags[0]))


def test_a_site_copied_from_a_map_with_the_wrong_label_is_hinted_at_too() -> None:
    judgement = judge(Site(mislabelled(WEIR), 150), [a_fix(30)], NOON)
    assert judgement.presence == Presence.UNCLEAR
    assert judgement.flags == (Flag.DATUM_SUSPECT,)


def test_few_who_are_honestly_outside_get_the_hint() -> None:
    fixes = [a_fix(160 + 12 + step * 25, bearing=turn) for step in range(114) for turn in range(0, 360, 24)]
    hinted = sum(Flag.DATUM_SUSPECT in judged(fix).flags for fix in fixes)
    assert 0 < hinted / len(fixes) < 0.05


# --- flags ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "flags"),
    [(-60, ()), (-61, (Flag.FIX_OLD,)), (60, ()), (61, (Flag.FIX_AHEAD,)), (-86400, (Flag.FIX_OLD,))],
)
def test_the_age_of_a_fix(seconds: float, flags: tuple[Flag, ...]) -> None:
    assert judged(a_fix(0, 12, seconds)).flags == flags


def test_nobody_drives_at_a_thousand_kilometres_an_hour() -> None:
    assert track_flags([a_fix(0, 10, 0), a_fix(10_000, 10, 36)]) == (Flag.TOO_FAST,)
    assert track_flags([a_fix(10_000, 10, 36), a_fix(0, 10, 0)]) == (Flag.TOO_FAST,)
    assert track_flags([a_fix(0, 10, 0), a_fix(1000, 10, 36)]) == ()  # 98 km/h
    assert track_flags([a_fix(0, 10, 0), a_fix(1000, 10, 0)]) == (Flag.TOO_FAST,)


def test_a_jump_that_inaccuracy_explains_is_no_journey() -> None:
    assert track_flags([a_fix(0, 40, 0), a_fix(70, 40, 1)]) == ()


def test_coordinates_equal_to_seven_decimals_at_two_times_are_odd() -> None:
    assert track_flags([a_fix(30, 10, 0), a_fix(30, 11, 5)]) == (Flag.POSITION_REPEATED,)
    assert track_flags([a_fix(30, 10, 0), a_fix(30.1, 11, 5)]) == ()
    assert track_flags([a_fix(30, 10, 0), a_fix(30, 10, 0)]) == ()  # one fix sent twice


def test_an_accuracy_that_never_changes_is_odd_from_five_fixes_on() -> None:
    track = [a_fix(step, 20, step) for step in range(5)]
    assert track_flags(track) == (Flag.ACCURACY_CONSTANT,)
    assert track_flags(track[:4]) == ()


def test_check_out_far_from_check_in_is_flagged() -> None:
    assert check_out_flags(a_fix(0), a_fix(499.9)) == ()
    assert check_out_flags(a_fix(0), a_fix(500.1)) == (Flag.CHECK_OUT_FAR,)


def test_every_class_and_flag_has_its_sentences() -> None:
    for code in [*SENTENCES.values(), *FENCE_SENTENCES.values(), *Flag]:
        fault = Fault(code, facts={"distance_m": 12, "radius_m": 150})
        assert "<" not in say(fault, "zh") + say(fault, "en")


@given(st.floats(18, 53), st.floats(74, 134), st.floats(0, 3000), st.floats(0, 360))
def test_distance_is_symmetric_and_that_of_the_ellipsoid(lat: float, lon: float, metres: float, turn: float) -> None:
    here = Position(lat, lon)
    there = moved(here, metres, turn)
    assert distance_m(here, there) == pytest.approx(metres, abs=1e-4)
    assert distance_m(there, here) == pytest.approx(metres, abs=1e-4)


def test_classes_are_ordered_as_their_distances() -> None:
    classes = [classify(metres, 40, 150) for metres in (50, 150, 195, 300)]
    assert all(ORDER.index(one) <= ORDER.index(other) for one, other in pairwise(classes))
