"""What is stored of a site and of check-ins, as the rules of presence take it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from api.store.field_flags import fixes_of_the_day
from api.store.inspections import CheckIn
from api.store.sites import Site as SiteStored
from survey_forms.inspection.datum import Datum, Position
from survey_forms.inspection.fences import fence_of
from survey_forms.inspection.presence import Fix, Flag, Site, travel_flags


def site_of(stored: SiteStored) -> Site:
    """A site of the directory as presence is judged at it: its polygon where it has one, else its circle.

    Raises:
        Refused: a stored fence that is none, which an import lets nobody store.
    """
    datum = Datum(stored.datum)
    fence = fence_of(stored.fence, datum) if stored.fence else None
    return Site(Position(stored.lat, stored.lon, datum), stored.radius_m, fence)


def fixes_of(stored: CheckIn) -> tuple[Fix, ...]:
    """Everything that the phone saw at a check-in."""
    return _fixes(stored.fixes, stored.datum)


def best_of(stored: CheckIn) -> Fix | None:
    """The fix that a check-in was judged by; None where the phone gave no position."""
    if stored.lat is None or stored.lon is None or stored.accuracy_m is None or stored.fix_at is None:
        return None
    return Fix(Position(stored.lat, stored.lon, Datum(stored.datum)), stored.accuracy_m, stored.fix_at)


def travel_flags_of(connection: Connection, staff_id: int, here: Fix) -> tuple[Flag, ...]:
    """Whether the same person's other fixes of that day (China) lie too far from this one for their times.

    To be asked before the check-in is stored, in the order in which check-ins arrive: of each pair the second is
    flagged.
    """
    return travel_flags(here, _fixes_of_the_day(connection, staff_id, here.taken_at))


def other_fixes(connection: Connection, staff_id: int, here: CheckIn) -> list[Fix]:
    """The same person's fixes of that day (China) but this check-in's own."""
    own = best_of(here)
    if own is None:
        return []
    return [fix for fix in _fixes_of_the_day(connection, staff_id, own.taken_at) if fix != own]


def _fixes_of_the_day(connection: Connection, staff_id: int, at: datetime) -> list[Fix]:
    return [
        Fix(Position(row.lat, row.lon, Datum(row.datum)), row.accuracy_m, row.fix_at)
        for row in fixes_of_the_day(connection, staff_id, at)
    ]


def _fixes(stored: Sequence[Sequence[float]], datum: str) -> tuple[Fix, ...]:
    return tuple(
        Fix(Position(lat, lon, Datum(datum)), accuracy_m, datetime.fromtimestamp(at / 1000, UTC))
        for lat, lon, accuracy_m, at in stored
    )
