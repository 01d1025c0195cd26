"""Which case comes next: live appointments, quota priority, then the time of day that was not tried yet.

Spacing and cooling decide who may be tried at all; of these the order is: appointments that run now, the one that ends
first before the others; the priority of the quota cell; fewest former attempts in this part of the day or week; the
ticket of the draw. The database decides by the same rule (`api/store/taking.py`), in one statement; a test compares.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from survey_forms.fieldwork.plan import Plan

CHINA = timezone(timedelta(hours=8))
NOON, EVENING = 12, 18
PARTS = ("morning", "afternoon", "evening", "weekend")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that nobody holds.

    `live_until` is the end of an appointment that runs now and that whoever asks may keep; `booked` says that there
    is an appointment that has not ended, whoever it is for and whenever it begins.
    """

    case_id: int
    ticket: str
    priority: int = 0
    not_before: datetime | None = None
    live_until: datetime | None = None
    booked: bool = False
    parts: Mapping[str, int] = field(default_factory=dict)  # former attempts by `part_of` their beginning


def part_of(moment: datetime) -> str:
    """The part of the day or week in which somebody is at home or is not, by the clock in China."""
    local = moment.astimezone(CHINA)
    if local.isoweekday() > 5:  # Saturday, Sunday
        return "weekend"
    return "morning" if local.hour < NOON else "afternoon" if local.hour < EVENING else "evening"


def parts_of(began: Sequence[datetime]) -> Mapping[str, int]:
    """How many attempts began in each part."""
    return Counter(part_of(one) for one in began)


def may_call(now: datetime, plan: Plan) -> bool:
    """Whether people who made no appointment may be troubled at this time of day."""
    local = now.astimezone(CHINA)
    return plan.calls_from <= local.hour * 60 + local.minute < plan.calls_until


def may_be_tried(case: Waiting, now: datetime, plan: Plan) -> bool:
    """Whether a case may be offered now: its appointment runs, or it is not booked, rests no more and it is time."""
    if case.live_until is not None:
        return True
    return not case.booked and may_call(now, plan) and (case.not_before is None or case.not_before <= now)


def next_case(waiting: Sequence[Waiting], now: datetime, plan: Plan) -> Waiting | None:
    """The case to be offered now, if there is one."""
    part = part_of(now)

    def rank(case: Waiting) -> tuple[bool, datetime, int, int, str, int]:
        ends = case.live_until or now
        return (case.live_until is None, ends, -case.priority, case.parts.get(part, 0), case.ticket, case.case_id)

    return min((case for case in waiting if may_be_tried(case, now, plan)), key=rank, default=None)
