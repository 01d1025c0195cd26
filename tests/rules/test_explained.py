"""Every class and flag is explained with its numbers and with what it does not prove."""

from datetime import UTC, datetime, timedelta

import pytest

from api.problems import say
from survey_forms.inspection.datum import Position
from survey_forms.inspection.explained import EXPLANATIONS, UNKNOWN, Seen, check_in_facts, photo_facts
from survey_forms.inspection.photo_claims import CheckedIn, Claims, PhotoFlag, contradictions
from survey_forms.inspection.presence import Fix, Flag, Presence, Site
from survey_forms.refusal import Fault

HALL = Position(24.4798, 118.0894)
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
KILOMETRE = 1 / 110.78  # of latitude at the hall, in degrees
SITE = Site(HALL, 150)


def a_fix(north_km: float = 0, accuracy: float = 12, seconds: float = 0) -> Fix:
    return Fix(Position(HALL.lat + north_km * KILOMETRE, HALL.lon), accuracy, NOON + timedelta(seconds=seconds))


def explained(code: str, seen: Seen, language: str = "zh") -> str:
    return say(Fault(EXPLANATIONS[code], "", check_in_facts(seen)), language)


def test_every_class_and_flag_has_an_explanation_without_open_blanks():
    nothing = check_in_facts(Seen(SITE, (), NOON)) | photo_facts(contradictions(Claims(None, None, NOON), []))
    assert set(EXPLANATIONS) == {*Presence, *Flag, *PhotoFlag}
    for code in EXPLANATIONS.values():
        for language in ("zh", "en"):
            assert "<" not in say(Fault(code, "", nothing), language), code


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_explanation_tells_distance_accuracy_and_age(language):
    seen = Seen(SITE, (a_fix(1.2, 40, -90), a_fix(0.4, 25, -75)), NOON)
    for code in (Presence.OUTSIDE, Presence.LIKELY, Presence.CERTAIN):
        words = explained(code, seen, language)
        assert "400" in words
        assert "250" in words  # beyond the circle of 150 m
        assert "25" in words
    assert "75" in explained(Flag.FIX_OLD, seen, language)


def test_a_jump_is_told_by_its_fastest_leg():
    seen = Seen(SITE, (a_fix(0, 10, -60), a_fix(10, 10, -24), a_fix(0.1, 10, -2)), NOON)
    facts = check_in_facts(seen)
    assert (facts["leg_m"], facts["leg_s"], facts["leg_kmh"]) == (pytest.approx(10_000, abs=5), 36.0, 1000)
    assert check_in_facts(Seen(SITE, (a_fix(0, 10, -60), a_fix(0.1, 10, -2)), NOON))["leg_m"] == UNKNOWN


def test_repetitions_are_counted():
    facts = check_in_facts(Seen(SITE, tuple(a_fix(0, 10, -second) for second in range(5)), NOON))
    assert (facts["fixes"], facts["same"]) == (5, 4)


def test_impossible_travel_names_the_other_place():
    seen = Seen(SITE, (a_fix(),), NOON, others=(a_fix(60, 10, -600), a_fix(0.2, 10, -1800)), arrival=a_fix(0.7))
    facts = check_in_facts(seen)
    assert (facts["travel_km"], facts["travel_min"], facts["apart_m"]) == ("60.0", 10, pytest.approx(700, abs=1))


def test_a_photo_is_told_in_kilometres_and_minutes():
    claims = Claims(
        a_fix(70).position, NOON + timedelta(hours=3), NOON - timedelta(minutes=9), page_position=a_fix(2).position,
        ticket_at=NOON - timedelta(minutes=4),
    )  # fmt: skip
    facts = photo_facts(contradictions(claims, [CheckedIn(HALL, NOON)]), bits=3)
    assert facts == {"km": "70.0", "page_km": "2.0", "minutes": 180, "file_min": 9, "ticket_min": 5, "bits": 3}
