"""When a sealed assignment opens: at six in the morning of its day, by the one time that China has."""

from datetime import date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

OPENS_AT = time(6)
"""Early enough to get there before a hall opens its doors, too late to tell anybody the evening before."""


def morning_of(day: date) -> datetime:
    """The moment at which the assignments of a day open."""
    return datetime.combine(day, OPENS_AT, CHINA)


def last_opened(now: datetime) -> date:
    """The latest day whose morning has come; every assignment of it and of the days before is open."""
    passed = timedelta(hours=OPENS_AT.hour, minutes=OPENS_AT.minute)
    return (now.astimezone(CHINA) - passed).date()
