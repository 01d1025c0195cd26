"""Which interviews are checked again: nobody picks, and whoever knows the draw's seed can repeat the choice.

An interview's ticket is the SHA-256 of the draw's seed, its case's ticket and the moment at which it began, to the
microsecond. It is chosen where its ticket lies below the plan's share of all tickets: by itself, so that no choosing
early, late or often changes which. Seed and case are public before; the beginning is the server's, is shown to nobody
while the interview runs, and is fixed before anything is said: no interviewer can know or steer whether it is checked.

After the survey's end each interviewer of whom none was chosen has the one with the smallest ticket checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from survey_forms.sampling.tickets import ticket

LABEL = "backcheck"


@dataclass(frozen=True, slots=True)
class Interview:
    """A completed interview: its case, who made it, its ticket."""

    case_id: int
    interviewer: int
    ticket: str


def ticket_of(seed: str, case_ticket: str, began_at: datetime) -> str:
    """An interview's ticket: hex SHA-256 of `seed|backcheck|case_ticket@beginning`, in UTC with microseconds."""
    beginning = began_at.astimezone(UTC).isoformat(timespec="microseconds")
    return ticket(seed, LABEL, f"{case_ticket}@{beginning}")


def choose(interviews: Iterable[Interview], percent: int, *, over: bool) -> list[Interview]:
    """The interviews that are to be checked.

    Args:
        interviews: all that are complete.
        percent: of all tickets; none is checked at nought, every one at a hundred.
        over: whether no interview can be added any more: then nobody who made one goes unchecked.

    Returns:
        In the order of their tickets. More interviews, or asking again, take none of them away.
    """
    by_ticket = sorted(interviews, key=lambda one: one.ticket)
    chosen = {one for one in by_ticket if is_below(one.ticket, percent)}
    if over and percent > 0:
        smallest = {one.interviewer: one for one in reversed(by_ticket)}
        chosen |= {
            one for one in smallest.values() if not any(other.interviewer == one.interviewer for other in chosen)
        }
    return [one for one in by_ticket if one in chosen]


def is_below(hex_ticket: str, percent: int) -> bool:
    """Whether a ticket lies in the first `percent` hundredths of all: ticket × 100 < percent × 2^256, exactly."""
    return int(hex_ticket, 16) * 100 < percent << 256
