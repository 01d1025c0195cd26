"""What is odd about a visit that a phone handed in: its chain, its signature, its ticket, its clocks, its photos.

Flags are for a person to look at. None of them keeps anything from being taken in.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from api.actions.receipts import is_our_ticket
from api.actions.uploads import VisitSent
from survey_forms.inspection.chain import chain_breaks, sealed_text, signature_holds
from survey_forms.inspection.photo_claims import EARLIEST_FILE, PhotoFlag
from survey_forms.inspection.visit_events import Arrival, Event, Events, PhotoTaken, moment_of, time_faults

CLOCK_OFF = timedelta(minutes=5)
CLOCK_FAR_OFF = timedelta(minutes=10)
NONCE_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the phone was given while it had a connection, as we signed it."""

    issued_at: datetime
    expires_at: datetime
    nonce: str


def flags_of(  # noqa: PLR0913, PLR0917 - the record, its phone's key, our key, and both clocks
    sent: VisitSent,
    events: Events,
    key: EllipticCurvePublicKey | None,
    secret_key: bytes,
    offset: timedelta,
    received_at: datetime,
) -> tuple[str, ...]:
    """The flags of a whole visit, each once.

    Args:
        sent: the visit as it came.
        events: its events, read.
        key: of the phone that it names, where that phone is the sender's own.
        secret_key: of the service, which signs tickets.
        offset: the phone's clock minus ours at sending.
        received_at: when it came first.
    """
    ticket = ticket_of(sent, secret_key)
    raised = [
        *record_flags(sent, events, key),
        *_ticket_flags(sent, ticket, events.read, offset),
        *_clock_flags(events.read, ticket, offset, received_at),
        *(flag for photo in events.read if isinstance(photo, PhotoTaken) for flag in _nonce_flags(photo, ticket)),
    ]
    return tuple(dict.fromkeys(raised))


def photo_flags_of(photo: PhotoTaken, events: Events, ticket: Ticket | None, offset: timedelta) -> tuple[str, ...]:
    """The flags of one photo: taken before the ticket or before the check-in, or with another number on the paper."""
    raised = list(_nonce_flags(photo, ticket))
    arrivals = [one.at for one in events.read if isinstance(one, Arrival) and not one.out]
    if photo.modified is not None and arrivals and photo.modified < min(arrivals) - EARLIEST_FILE:
        raised.append(PhotoFlag.BEFORE_CHECK_IN.value)
    if photo.modified is not None and ticket is not None and photo.modified - offset < ticket.issued_at:
        raised.append("flag_file_before_ticket")
    return tuple(raised)


def ticket_of(sent: VisitSent, secret_key: bytes) -> Ticket | None:
    """The visit's ticket, if we issued it for this assignment."""
    ticket = sent.ticket
    issued, expires = moment_of(ticket.get("issued_at")), moment_of(ticket.get("expires_at"))
    if ticket.get("assignment") != str(sent.assignment_id) or not is_our_ticket(secret_key, ticket):
        return None
    return Ticket(issued, expires, str(ticket.get("nonce"))) if issued and expires else None


def record_flags(sent: VisitSent, events: Events, key: EllipticCurvePublicKey | None) -> Iterator[str]:
    """What keeps a record from being proven; nothing where that key signed it as it stands."""
    if chain_breaks(sent.events, events.parsed, sent.head):
        yield "flag_chain_broken"
    sealed = sealed_text(sent.id, sent.assignment_id, sent.ticket.get("signature", ""), sent.head)
    if not sent.signature:
        yield "flag_signature_missing"
    elif key is None:
        yield "flag_device_unknown"
    elif not signature_holds(key, sealed, _signature(sent.signature)):
        yield "flag_signature_wrong"


def _ticket_flags(sent: VisitSent, ticket: Ticket | None, events: Iterable[Event], offset: timedelta) -> Iterator[str]:
    if not sent.ticket:
        yield "flag_ticket_missing"
    elif ticket is None:
        yield "flag_ticket_forged"
    elif any(event.at - offset > ticket.expires_at for event in events):
        yield "flag_ticket_expired"


def _clock_flags(
    events: tuple[Event, ...], ticket: Ticket | None, offset: timedelta, received_at: datetime
) -> Iterator[str]:
    """A visit lies between its ticket and its receipt, whatever the phone's clock says."""
    if abs(offset) > CLOCK_FAR_OFF:
        yield "flag_clock_far_off"
    elif abs(offset) > CLOCK_OFF:
        yield "flag_clock_off"
    impossible = any(event.at - offset > received_at + CLOCK_OFF for event in events)
    if ticket is not None:
        impossible |= any(event.at - offset < ticket.issued_at - CLOCK_OFF for event in events)
    if impossible or next(time_faults(events), None) is not None:
        yield "flag_events_out_of_time"


def _nonce_flags(photo: PhotoTaken, ticket: Ticket | None) -> Iterator[str]:
    if photo.nonce and ticket is not None and photo.nonce != ticket.nonce:
        yield "flag_photo_nonce_wrong"


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
