"""Moments in the office's forms, by the clock in China: what a datetime-local field shows and sends."""

from collections.abc import Mapping
from datetime import UTC, datetime

from api.pages.ui import CHINA

UNREAD = datetime.min.replace(tzinfo=UTC)
"""What could not be read: a moment before all others, which the verbs refuse by the field's name."""
YEARS = range(2000, 2101)
"""Others are slips of the key, and the last ones of the calendar leave no room for a duration."""
_LOCAL = "%Y-%m-%dT%H:%M"


def read_local(form: Mapping[str, str], field: str) -> datetime:
    """The moment in a field, else `UNREAD`."""
    try:
        read = datetime.strptime(form.get(field, ""), _LOCAL).replace(tzinfo=CHINA)
    except ValueError:
        return UNREAD
    return read if read.year in YEARS else UNREAD


def write_local(moment: datetime) -> str:
    """The moment as a field's value."""
    return moment.astimezone(CHINA).strftime(_LOCAL)
