"""What a class or a flag saw, in numbers, and what it does not prove: a person decides, and must know both.

A flag is a code; its explanation is a sentence with blanks. The numbers come from what is stored of the check-in or
photo, so that a supervisor reads the same ones next year.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from survey_forms.inspection.photo_claims import Contradictions, PhotoFlag
from survey_forms.inspection.presence import Fix, Flag, Presence, Site, best_fix, distance_m, too_fast

UNKNOWN = "—"

EXPLANATIONS: Mapping[str, str] = {
    Presence.CERTAIN: "explained_certain",
    Presence.LIKELY: "explained_likely",
    Presence.UNCLEAR: "explained_unclear",
    Presence.OUTSIDE: "explained_outside",
    Flag.NO_POSITION: "explained_no_position",
    Flag.ACCURACY_POOR: "explained_accuracy_poor",
    Flag.DATUM_SUSPECT: "explained_datum_suspect",
    Flag.FIX_OLD: "explained_fix_old",
    Flag.FIX_AHEAD: "explained_fix_ahead",
    Flag.TOO_FAST: "explained_too_fast",
    Flag.POSITION_REPEATED: "explained_position_repeated",
    Flag.ACCURACY_CONSTANT: "explained_accuracy_constant",
    Flag.CHECK_OUT_FAR: "explained_check_out_far",
    Flag.TRAVEL_TOO_FAST: "explained_travel_too_fast",
    PhotoFlag.METADATA_DAMAGED: "explained_photo_metadata_damaged",
    PhotoFlag.FAR: "explained_photo_far",
    PhotoFlag.OTHER_TIME: "explained_photo_other_time",
    PhotoFlag.BEFORE_CHECK_IN: "explained_photo_before_check_in",
    PhotoFlag.BEFORE_TICKET: "explained_photo_before_ticket",
    PhotoFlag.TAKEN_FAR: "explained_photo_taken_far",
    PhotoFlag.ALIKE: "explained_photo_alike",
}
"""A class or flag → the code of its explanation; flags of uploads are told by their own sentences."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A check-in as stored, with the same person's other fixes of that day; for a check-out, the visit's check-in."""

    site: Site
    fixes: Sequence[Fix]
    claimed_at: datetime
    others: Sequence[Fix] = ()
    arrival: Fix | None = None


def check_in_facts(seen: Seen) -> dict[str, object]:
    """Every number that an explanation of a class or flag may ask for; a dash where there is none.

    Keys: distance_m, edge_m (both as `Site` tells them), accuracy_m, age_s (negative: dated after the check-in),
    fixes, leg_m, leg_s, leg_kmh (the fastest of consecutive fixes), same (fixes that repeat one), apart_m (to the
    check-in), travel_km, travel_min (to the other fix that is too far).
    """
    facts: dict[str, object] = dict.fromkeys(
        (
            "distance_m",
            "edge_m",
            "accuracy_m",
            "age_s",
            "leg_m",
            "leg_s",
            "leg_kmh",
            "apart_m",
            "travel_km",
            "travel_min",
        ),
        UNKNOWN,
    )
    facts |= {"fixes": len(seen.fixes), "same": 0}
    if not seen.fixes:
        return facts
    best = best_fix(seen.fixes, seen.claimed_at)
    facts |= {
        "distance_m": round(distance_m(seen.site.position, best.position)),
        "edge_m": round(max(0.0, seen.site.signed_m(best.position))),
        "accuracy_m": round(best.accuracy_m),
        "age_s": round((seen.claimed_at - best.taken_at).total_seconds()),
        "same": len(seen.fixes) - len({(fix.position.lat, fix.position.lon) for fix in seen.fixes}),
    }
    if seen.arrival is not None:
        facts["apart_m"] = round(distance_m(seen.arrival.position, best.position))
    return facts | _leg(seen.fixes) | _travel(best, seen.others)


def photo_facts(found: Contradictions, bits: int | None = None) -> dict[str, object]:
    """Every number for a photo's flags: km, page_km, minutes, file_min, ticket_min, bits; else a dash."""

    def minutes(span: object) -> object:
        return round(span.total_seconds() / 60) if isinstance(span, timedelta) else UNKNOWN

    return {
        "km": UNKNOWN if found.metres is None else f"{found.metres / 1000:.1f}",
        "page_km": UNKNOWN if found.page_metres is None else f"{found.page_metres / 1000:.1f}",
        "minutes": minutes(found.apart),
        "file_min": minutes(found.file_before),
        "ticket_min": minutes(found.ticket_before),
        "bits": UNKNOWN if bits is None else bits,
    }


def _leg(fixes: Sequence[Fix]) -> dict[str, object]:
    """The fastest of consecutive fixes, by what their accuracies do not explain."""
    track = sorted(fixes, key=lambda fix: fix.taken_at)
    legs = [(before, after) for before, after in pairwise(track) if too_fast(before, after)]
    if not legs:
        return {}
    before, after = max(legs, key=lambda leg: distance_m(leg[0].position, leg[1].position))
    metres = distance_m(before.position, after.position)
    seconds = (after.taken_at - before.taken_at).total_seconds()
    speed = round(metres * 3.6 / seconds) if seconds else UNKNOWN
    return {"leg_m": round(metres), "leg_s": round(seconds, 1), "leg_kmh": speed}


def _travel(here: Fix, others: Sequence[Fix]) -> dict[str, object]:
    """The way to the nearest in time of the day's other fixes that nobody can have travelled."""
    far = [other for other in others if too_fast(here, other)]
    if not far:
        return {}
    other = min(far, key=lambda fix: abs(fix.taken_at - here.taken_at))
    kilometres = distance_m(here.position, other.position) / 1000
    minutes = abs((here.taken_at - other.taken_at).total_seconds()) / 60
    return {"travel_km": f"{kilometres:.1f}", "travel_min": round(minutes)}
