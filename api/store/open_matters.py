"""What is still under way in an evaluation and may yet change its deductions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select

from api.store.findings import waiting_in
from api.store.ledger import ledger_entry, reversal_request
from api.store.objections import objection
from api.store.owed import outbox
from api.store.slips import slip

_ON_ITS_WAY = timedelta(seconds=61)
"""A term is kept as the last second of its last day, and an objection of that second is a minute on its way at most."""


@dataclass(frozen=True, slots=True)
class OpenMatters:
    """How many of each; `term_ends`: when the last of the running terms to object is over."""

    findings: int  # filed and not decided
    reversals: int  # asked for and not decided
    untold: int  # entries whose slip is still to be written
    terms: int  # entries told, whose unit may still object
    term_ends: datetime | None


def open_matters(connection: Connection, evaluation_id: int, now: datetime) -> OpenMatters:
    """What is under way, read in the order in which one becomes the next, so that nothing slips between two."""
    findings = waiting_in(connection, evaluation_id)
    reversals = _count(
        connection,
        select(func.count())
        .select_from(reversal_request.join(ledger_entry, ledger_entry.c.seq == reversal_request.c.seq))
        .where(ledger_entry.c.evaluation_id == evaluation_id, reversal_request.c.status == "asked"),
    )
    untold = _count(
        connection,
        select(func.count())
        .select_from(outbox.join(ledger_entry, cast(ledger_entry.c.seq, Text) == outbox.c.key))
        .where(outbox.c.topic == "slips", outbox.c.done_at.is_(None), ledger_entry.c.evaluation_id == evaluation_id),
    )
    terms, ends = _terms(connection, evaluation_id, now)
    return OpenMatters(findings, reversals, untold, terms, ends)


def _terms(connection: Connection, evaluation_id: int, now: datetime) -> tuple[int, datetime | None]:
    """Deductions told whose term runs: neither reversed meanwhile nor objected to already."""
    back = ledger_entry.alias("back")
    row = connection.execute(
        select(func.count(), func.max(slip.c.due_at)).where(
            slip.c.evaluation_id == evaluation_id,
            slip.c.kind == "deduction",
            slip.c.due_at > now - _ON_ITS_WAY,
            ~select(back.c.seq).where(back.c.reverses == slip.c.seq).exists(),
            ~select(objection.c.id).where(objection.c.seq == slip.c.seq).exists(),
        )
    ).one()
    return int(row[0]), row[1]


def _count(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar_one())
