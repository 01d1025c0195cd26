"""The calendar of visits: a month of days with their counts; what is sealed is a number and nothing else."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, request
from werkzeug.wrappers import Response

from api.actions.inspections import CHINA
from api.auth import allow
from api.pages.desk import evaluation_in_view
from api.pages.render import page
from api.services import services, utc_now
from api.store.inspection_overview import DayCount, days_shown
from survey_forms.refusal import Refused

pages = Blueprint("inspection_calendar", __name__, url_prefix="/office")


@dataclass(frozen=True, slots=True)
class Day:
    """A square of the calendar."""

    date: date
    counts: DayCount
    is_inside: bool  # of the month
    is_today: bool


@pages.get("/inspections/calendar")
@allow("office")
def calendar() -> Response:
    """Show a month, this one where the address names none (`?month=2026-11`)."""
    today = utc_now().astimezone(CHINA).date()
    first = _month(request.args.get("month", f"{today:%Y-%m}"))
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        counts = days_shown(connection, evaluation.id, weeks[0][0], weeks[-1][-1], today)
    shown = [
        [Day(one, counts.get(one, DayCount()), one.month == first.month, one == today) for one in week]
        for week in weeks
    ]
    return page(
        "office/calendar.html",
        evaluation=evaluation,
        here="/office/ledger",
        month=first,
        weeks=shown,
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{first + timedelta(days=32):%Y-%m}",
    )


def _month(text: str) -> date:
    """The first day of the month that an address names.

    Raises:
        Refused: `not_found` for anything else.
    """
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Refused("not_found", "month") from error
    if not 1970 <= found.year <= 9000:
        raise Refused("not_found", "month")
    return found
