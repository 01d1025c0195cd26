"""Re-inspection (回头看) of what a unit was to put right: unannounced, and under seal until the morning of its day.

Until then nothing about a rectification says that it is looked at again. Whether it is, is found in memory, by opening
the seals of re-inspections: there are never many at once.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from api.actions.assignment_seals import open_goal
from api.actions.assignments import Work, assign
from api.store.crews import Row, row_numbered, sealed_revisits
from api.store.rectifications import rectification_numbered
from api.store.revisits import hold_revisits, revisit_is_open, site_seen
from survey_forms.refusal import Refused


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
    with the morning of the day (`api.actions.assignments.open_due`).

    Raises:
        Refused: `not_found`, `rectification_closed`, `rectification_site_missing`; `rectification_revisit_open`
            where another day was ordered; as `assign`.
    """
    hold_revisits(connection, key)
    found = rectification_numbered(connection, key)
    if found is None:
        raise Refused("not_found")
    if found.status == "closed":
        raise Refused("rectification_closed")
    standing = revisit_under_way(connection, secret_key, key)
    if standing is not None:
        if standing.day != day:
            raise Refused("rectification_revisit_open", "day")
        return standing.id
    place = site_seen(connection, found.seq) or site_id
    if place is None:
        raise Refused("rectification_site_missing", "site")
    work = Work(place, tuple(inspectors), day, "revisit", rectification_id=key)
    return assign(connection, work, secret_key, staff_id, now)


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
