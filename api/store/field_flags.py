"""What was flagged in the field: on check-ins, photos and uploads; the flags stand in their own tables."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from api.store.inspections import check_in, visit
from survey_forms.inspection.mornings import CHINA


def fixes_of_the_day(connection: Connection, staff_id: int, at: datetime) -> list[Row[Any]]:
    """(lat, lon, datum, accuracy_m, fix_at) of a person's check-ins and -outs on the day in China that `at` is in."""
    begins = at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(check_in.c.lat, check_in.c.lon, check_in.c.datum, check_in.c.accuracy_m, check_in.c.fix_at)
        .join(visit, visit.c.id == check_in.c.visit_id)
        .where(func.coalesce(check_in.c.staff_id, visit.c.inspector_id) == staff_id)
        .where(check_in.c.lat.is_not(None), check_in.c.lon.is_not(None), check_in.c.accuracy_m.is_not(None))
        .where(check_in.c.fix_at >= begins, check_in.c.fix_at < begins + timedelta(days=1))
        .order_by(check_in.c.fix_at)
    )
    return list(connection.execute(query))
