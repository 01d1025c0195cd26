"""Which interviews are checked again: nobody picks, and whoever knows the draw's seed can repeat the choice.

An interview's ticket is the SHA-256 of the draw's seed, its case's ticket and the moment at which it ended, to the
microsecond. Seed and case are public before the interview, its end is not: no interviewer can know while interviewing
whether this one will be checked. Per interviewer the smallest tickets are chosen, at least one.
"""

from collections.abc import Collection, Iterable
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


def ticket_of(seed: str, case_ticket: str, ended_at: datetime) -> str:
    """An interview's ticket: hex SHA-256 of `seed|backcheck|case_ticket@end`, the end in UTC with microseconds."""
    end = ended_at.astimezone(UTC).isoformat(timespec="microseconds")
    return ticket(seed, LABEL, f"{case_ticket}@{end}")


def choose(interviews: Iterable[Interview], checked: Collection[int], percent: int) -> list[Interview]:
    """The interviews that are to be checked besides those that are already.

    Args:
        interviews: all that are complete.
        checked: cases that were chosen by chance before.
        percent: of each interviewer's interviews, rounded up; above nought at least one of each.

    Returns:
        In the order of their tickets. Choosing again with what was chosen as `checked` chooses nothing more.
    """
    mine: dict[int, list[Interview]] = {}
    for one in interviews:
        mine.setdefault(one.interviewer, []).append(one)
    chosen: list[Interview] = []
    for all_of_one in mine.values():
        fresh = sorted((one for one in all_of_one if one.case_id not in checked), key=lambda one: one.ticket)
        wanted = -(-len(all_of_one) * percent // 100) - (len(all_of_one) - len(fresh))
        chosen += fresh[: max(wanted, 0)]
    return sorted(chosen, key=lambda one: one.ticket)
