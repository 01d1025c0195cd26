"""Flags of the field, with what they saw, for whoever reviews them. A review undoes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import Connection

from api.actions.photos import ALIKE_WITHIN, checked_in, claims_of
from api.actions.presence import best_of, fixes_of, other_fixes, site_of
from api.store import people
from api.store.field_flags import Raised, Wanted, is_raised, put_review, raised_in
from api.store.inspections import CheckIn, check_in_numbered, check_ins_of, visit_numbered
from api.store.photos import Alike, Photo, alike, photo_hashed, photos_of
from api.store.shortfalls import shortfall_of
from api.store.uploads import upload_numbered
from survey_forms.inspection.explained import Seen, check_in_facts, photo_facts
from survey_forms.inspection.likeness import NEAR
from survey_forms.inspection.photo_claims import contradictions
from survey_forms.refusal import Refused

VERDICTS = ("explained", "doubtful")
LONGEST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class Flagged:
    """A check-in, photo or upload with its flags, and the numbers that explain them."""

    raised: tuple[Raised, ...]
    facts: Mapping[str, object]
    check_in: CheckIn | None = None
    photo: Photo | None = None
    alike: tuple[Alike, ...] = ()
    photos: tuple[Photo, ...] = ()  # the visit's, beside a check-in

    @property
    def about(self) -> Raised:
        """Any of the flags: subject, person, site and time are the same in all."""
        return self.raised[0]


def flags_of(connection: Connection, evaluation_id: int) -> list[Raised]:
    """Every flag of an evaluation, the newest first."""
    return raised_in(connection, evaluation_id, Wanted(state=""))[0]


def subjects_of(raised: Iterable[Raised]) -> list[tuple[Raised, ...]]:
    """Flags by what they stand on, in their order."""
    return [tuple(group) for _, group in groupby(raised, key=lambda one: (one.subject, one.subject_id))]


def explained(connection: Connection, raised: tuple[Raised, ...]) -> Flagged:
    """The numbers behind the flags of one check-in, photo or upload."""
    about = raised[0]
    if about.subject == "check_in":
        return _check_in(connection, raised)
    if about.subject == "photo":
        return _photo(connection, raised)
    return Flagged(raised, _upload_facts(connection, UUID(about.subject_id)))


def review(  # noqa: PLR0913, PLR0917 - which flag, what of it, who and when
    connection: Connection,
    subject: str,
    subject_id: str,
    flag: str,
    verdict: str,
    note: str,
    staff_id: int,
    now: datetime,
) -> None:
    """Write what a person made of a flag.

    Raises:
        Refused: `not_found` for a flag that is not raised; `flag_verdict_missing`; `flag_note_missing` where a doubt
            has no reason.
    """
    if not is_raised(connection, subject, subject_id, flag):
        raise Refused("not_found")
    if verdict not in VERDICTS:
        raise Refused("flag_verdict_missing", "verdict")
    if verdict == "doubtful" and not note:
        raise Refused("flag_note_missing", "note")
    about = {"subject": subject, "subject_id": subject_id, "flag": flag}
    people.record_act(connection, "flag_reviewed", now, staff_id, **about, verdict=verdict, note=note)
    put_review(connection, {**about, "verdict": verdict, "note": note, "reviewed_by": staff_id, "reviewed_at": now})


def _check_in(connection: Connection, raised: tuple[Raised, ...]) -> Flagged:
    found = check_in_numbered(connection, UUID(raised[0].subject_id))
    visit = visit_numbered(connection, found.visit_id) if found else None
    if found is None or visit is None:
        return Flagged(raised, {})
    arrival = None
    if found.kind == "out":
        first = next((one for one in check_ins_of(connection, found.visit_id) if one.kind == "in"), None)
        arrival = best_of(first) if first else None
    others = other_fixes(connection, raised[0].staff_id, found)
    seen = Seen(site_of(visit.assignment.site), fixes_of(found), found.claimed_at, others, arrival)
    photos = tuple(one for one in photos_of(connection, found.visit_id) if one.verdict == "clean")
    return Flagged(raised, check_in_facts(seen), check_in=found, photos=photos[:3])


def _upload_facts(connection: Connection, upload_id: UUID) -> dict[str, object]:
    """What of a record never came, and who took it in without; nothing of one that came whole."""
    found, short = upload_numbered(connection, upload_id), shortfall_of(connection, upload_id)
    if found is None or short is None:
        return {}
    names = "; ".join(f"{one['facts']['name']} {one['facts']['sha256'][:12]}" for one in found.lost)
    told = {"missing": len(found.lost), "of": len(found.blobs), "names": names}
    return told | {"by": short.taker, "note": short.note}


def _photo(connection: Connection, raised: tuple[Raised, ...]) -> Flagged:
    found = photo_hashed(connection, bytes.fromhex(raised[0].subject_id))
    if found is None:
        return Flagged(raised, {})
    near = tuple(alike(connection, found, ALIKE_WITHIN, NEAR))
    facts = photo_facts(
        contradictions(claims_of(found), checked_in(connection, found.visit_id)), near[0].bits if near else None
    )
    return Flagged(raised, facts, photo=found, alike=near)
