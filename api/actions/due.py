"""Terms in days, as people count them: calendar days of China's one time, the last of them whole."""

from datetime import date, datetime, time, timedelta

from survey_forms.inspection.mornings import CHINA
from survey_forms.scheme.load import load_catalogue
from survey_forms.scheme.model import Terms

LAST_SECOND = time(23, 59, 59)


def terms_of(scheme: str) -> Terms:
    """The terms of a scheme's catalogue; the usual ones where it has no catalogue."""
    catalogue = load_catalogue(scheme)
    return catalogue.terms if catalogue else Terms()


def day_of(moment: datetime) -> date:
    """The day in China."""
    return moment.astimezone(CHINA).date()


def end_of(day: date) -> datetime:
    """The last second of a day in China."""
    return datetime.combine(day, LAST_SECOND, CHINA)


def end_after(moment: datetime, days: int) -> datetime:
    """The end of the last of so many days; the day of the moment itself is not counted."""
    return end_of(day_of(moment) + timedelta(days=days))


def is_over(due: datetime, now: datetime) -> bool:
    """Whether a term's last day has passed, to its last second."""
    return day_of(now) > day_of(due)
