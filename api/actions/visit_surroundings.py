"""What is odd about a visit beside what its own record says: when it came, who was still sent, where, and what lacks.

Flags are for a person to look at. Dates are told by the phone, and a phone's clock can be set: so a record that lay
about, or tells of another day than the one it was sent for, is named.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from api.actions.visit_flags import Ticket
from api.actions.visit_taking import Taking
from api.store.visit_surroundings import ended_at, forms_of, has_moved_since, is_signed_elsewhere
from survey_forms.inspection.mornings import CHINA
from survey_forms.inspection.visit_events import Arrival, ChecklistDone, Events, FindingMade, Signed
from survey_forms.refusal import Fault

LATE = timedelta(hours=72)
"""The phone begins no new visit while one has waited for so long."""
CREWMATE = timedelta(hours=24)
"""For so long after a visit was closed the crew's other phone may still hand in, unremarked."""


def surrounding_flags(taking: Taking) -> Iterator[str]:
    """The flags of an upload against what surrounds it; the upload has been taken in."""
    connection, visit, upload, events = taking.connection, taking.visit, taking.upload, taking.events
    yield from _time_flags(taking)
    if ended_at(connection, visit.assignment.id, upload.staff_id) is not None:
        yield "flag_after_withdrawal"
    if not any(isinstance(one, Arrival) and not one.out for one in events.read):
        yield "flag_no_check_in"
    since = taking.ticket.issued_at if taking.ticket else min(_times(events, taking.offset), default=taking.now)
    if has_moved_since(connection, visit.assignment.site.id, since):
        yield "flag_site_changed_since"
    signed = (one.sha256 for one in events.read if isinstance(one, Signed))
    if any(is_signed_elsewhere(connection, one, visit.id) for one in signed):
        yield "flag_signature_reused"
    yield from _checklist_flags(taking)


def late_findings(taking: Taking) -> Iterator[Fault]:
    """The fault of findings that come long after their visit was closed; they are filed, and somebody looks."""
    closed = taking.visit.closed_at
    has_findings = any(isinstance(one, FindingMade) for one in taking.events.read)
    if closed is not None and has_findings and taking.upload.received_at > closed + LATE:
        yield Fault("upload_long_after_closing", "visit")


def has_begun_before(ticket: Ticket | None, events: Events, offset: timedelta, ended: datetime) -> bool:
    """Whether a phone had its ticket, and says that it began, before its assignment ended: offline it cannot know."""
    first = min(_times(events, offset), default=None)
    return ticket is not None and first is not None and max(ticket.issued_at, first) < ended


def _times(events: Events, offset: timedelta) -> list[datetime]:
    return [one.at - offset for one in events.read]


def _time_flags(taking: Taking) -> Iterator[str]:
    times, received_at = _times(taking.events, taking.offset), taking.upload.received_at
    if times and received_at - max(times) > LATE:
        yield "flag_arrived_late"
    if any(one.astimezone(CHINA).date() != taking.visit.assignment.day for one in times):
        yield "flag_other_day"
    closed = taking.visit.closed_at
    if closed is not None and received_at > closed + CREWMATE:
        yield "flag_after_closing"


def _checklist_flags(taking: Taking) -> Iterator[str]:
    """Once the visit is over, against the form of the item; any checklist, as it comes."""
    asked, filled = forms_of(taking.connection, taking.visit.assignment.id)
    if asked is None:
        return
    sent = {one.form for one in taking.events.read if isinstance(one, ChecklistDone)}
    if sent - {asked}:
        yield "flag_checklist_other_form"
    over = taking.visit.closed_at or any(isinstance(one, Arrival) and one.out for one in taking.events.read)
    if over and asked not in filled:
        yield "flag_checklist_missing"
