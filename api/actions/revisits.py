"""Re-inspection (回头看) of what a unit was to put right: unannounced, and under seal until the morning of its day.

Until then nothing about a rectification says that it is looked at again. Whether it is, is found in memory, by opening
the seals of re-inspections: there are never many at once.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from api.actions.assignment_seals import open_goal, seal_words
from api.actions.assignments import Work, assign, refuse_unfit
from api.store import people
from api.store.crews import Row, owner_of, row_numbered, sealed_revisits
from api.store.rectifications import rectification_numbered
from api.store.revisits import hold_revisits, revisit_is_open, site_seen
from survey_forms.refusal import Refused

_DIGITS = 10  # of the largest number of a rectification: every seal is as long as every other


def order_revisit(  # noqa: PLR0913, PLR0917 - which, who, what day, where, under which key, by whom and when
    connection: Connection,
    key: int,
    inspectors: Sequence[int],
    day: date,
    site_id: int | None,
    secret_key: bytes,
    staff_id: int,
    now: datetime,
) -> UUID:
    """Send inspectors to look again; while they have not been there, there is one such visit.

    The site is that of the finding; an entry that no visit led to needs one named. The rectification's steps have it
    with the morning of the day (`api.actions.assignments.open_due`). Whoever sends it again for its day gets the one
    that there is. Nobody else learns that day, nor that there is one, by a form that would have sent nobody.

    Raises:
        Refused: `not_found`, `rectification_closed`, `rectification_site_missing`, `assignment_site_unknown` for
            another unit's; as `assign`; `rectification_revisit_open` (`note_told`).
    """
    hold_revisits(connection, key)
    found = rectification_numbered(connection, key)
    if found is None:
        raise Refused("not_found")
    if found.status == "closed":
        raise Refused("rectification_closed")
    place = site_seen(connection, found.seq) or site_id
    if place is None:
        raise Refused("rectification_site_missing", "site")
    owner = owner_of(connection, place)
    if owner is None or owner[0] != found.unit_id:
        raise Refused("assignment_site_unknown", "site")
    standing = revisit_under_way(connection, secret_key, key)
    if standing is not None and (standing.made_by, standing.day) == (staff_id, day):
        return standing.id
    work = Work(place, tuple(inspectors), day, "revisit", rectification_id=key)
    if standing is not None:
        refuse_unfit(connection, work, now)
        raise Refused("rectification_revisit_open")
    return assign(connection, work, secret_key, staff_id, now)


def note_told(connection: Connection, key: int, secret_key: bytes, staff_id: int, now: datetime) -> None:
    """Keep who was told that inspectors go again, in a transaction of its own: the one that asked is undone.

    To which rectification lies sealed, bound to whoever asked: the audit names no unit before its morning.
    """
    sealed = seal_words(secret_key, UUID(int=staff_id), str(key), _DIGITS)
    people.record_act(connection, "revisit_told", now, staff_id, sealed=sealed)


def revisit_under_way(connection: Connection, secret_key: bytes, key: int) -> Row | None:
    """The re-inspection of a rectification that stands and is not over, sealed or open."""
    for row in sealed_revisits(connection):  # first: one that opens meanwhile is then found in its rectification
        try:
            goal = open_goal(secret_key, row.id, row.sealed or b"")
        except Refused:
            continue  # `open_due` sounds the alarm
        if goal.rectification_id == key:
            return row
    found = rectification_numbered(connection, key)
    if found is None or found.assignment_id is None or not revisit_is_open(connection, key):
        return None
    return row_numbered(connection, found.assignment_id)
