"""A photo's word against the check-in: contradictions are flagged, silence is not."""

from datetime import UTC, datetime, timedelta

import pytest

from survey_forms.inspection.datum import Position
from survey_forms.inspection.photo_claims import CheckedIn, Claims, camera_time, photo_flags

HALL = Position(24.4798, 118.0894)
AT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
KILOMETRE = 1 / 111.195  # of latitude, in degrees


def north(kilometres: float | None) -> Position | None:
    return None if kilometres is None else Position(HALL.lat + kilometres * KILOMETRE, HALL.lon)


def flags(*, north_km=None, minutes=None, file_minutes=0.0, damaged=False, page_km=None, ticket_minutes=None):
    claims = Claims(
        north(north_km),
        None if minutes is None else AT + timedelta(minutes=minutes),
        AT + timedelta(minutes=file_minutes),
        damaged,
        north(page_km),
        None if ticket_minutes is None else AT + timedelta(minutes=ticket_minutes),
    )
    return {flag.value for flag in photo_flags(claims, [CheckedIn(HALL, AT)])}


@pytest.mark.parametrize(
    ("facts", "raised"),
    [
        ({}, set()),
        ({"north_km": 0.9, "minutes": 59}, set()),
        ({"north_km": 1.1}, {"flag_photo_far"}),
        ({"minutes": -61}, {"flag_photo_other_time"}),
        ({"minutes": 61}, {"flag_photo_other_time"}),
        ({"file_minutes": -1}, set()),
        ({"file_minutes": -3}, {"flag_photo_before_check_in"}),
        ({"damaged": True}, {"flag_photo_metadata_damaged"}),
        ({"page_km": 0.9, "ticket_minutes": -600}, set()),
        ({"page_km": 1.1}, {"flag_photo_taken_far"}),
        ({"file_minutes": 0, "ticket_minutes": 1}, set()),
        ({"file_minutes": 0, "ticket_minutes": 3}, {"flag_photo_before_ticket"}),
        ({"file_minutes": -3, "ticket_minutes": -600}, {"flag_photo_before_check_in"}),
    ],
)
def test_only_contradictions_are_flagged(facts, raised):
    assert flags(**facts) == raised


def test_the_nearest_check_in_counts_and_none_says_nothing():
    far = CheckedIn(Position(30, 110), AT - timedelta(days=1))
    claims = Claims(HALL, AT, AT)
    assert photo_flags(claims, [far, CheckedIn(None, AT)]) != ()
    assert photo_flags(claims, [far, CheckedIn(HALL, AT)]) == ()
    assert photo_flags(claims, []) == ()


def test_a_camera_without_a_zone_shows_chinas_time():
    assert camera_time("2026:11:21 10:30:00", None) == AT
    assert camera_time("2026:11:21 03:30:00", "+01:00") == AT


@pytest.mark.parametrize("taken", [None, "", "0000:00:00 00:00:00", "2026:13:01 10:00:00", "yesterday"])
def test_a_nonsense_time_is_no_time(taken):
    assert camera_time(taken, None) is None
