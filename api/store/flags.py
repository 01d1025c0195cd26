"""Data-quality flags: they mark and never delete. A judgement is written beside a flag, the flag stays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Select,
    Table,
    Text,
    UniqueConstraint,
    cast,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.ballots import response
from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import round_
from api.store.people import staff
from api.store.surveys import survey

quality_flag = Table(
    "quality_flag",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # straight_lining, speeding, duplicate, overlap, …
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # id of the response, case, attempt or interviewer
    facts("facts"),
    moment("raised_at", now=True),
    Column("judgement", Text),
    Column("judged_by", ForeignKey(staff.c.id)),
    moment("judged_at", null=True),
    CheckConstraint("subject_kind IN ('response','case','attempt','interviewer')", name="subject_kind"),
    UniqueConstraint("survey_id", "kind", "subject_kind", "subject"),
    schema="result",
)


@dataclass(frozen=True, slots=True)
class Flag:
    """A sign that was seen: of what kind, on what, with which figures."""

    kind: str
    subject_kind: str
    subject: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFlag:
    """A flag with what somebody made of it, if anybody has."""

    id: int
    survey_id: int
    kind: str
    subject_kind: str
    subject: str
    facts: Mapping[str, Any]
    raised_at: datetime
    judgement: str | None
    judge: str | None
    judged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as its quality is looked at: whose it is, nobody can tell from here."""

    id: UUID
    form_version: str
    answers: Mapping[str, Any]
    mode: str
    interviewer: int | None


_FLAG: Select[Any] = select(
    *(quality_flag.c[name] for name in ("id", "survey_id", "kind", "subject_kind", "subject", "facts", "raised_at")),
    quality_flag.c.judgement,
    staff.c.name,
    quality_flag.c.judged_at,
).outerjoin(staff, staff.c.id == quality_flag.c.judged_by)


def put_flags(connection: Connection, survey_id: int, flags: Sequence[Flag], now: datetime) -> int:
    """Write flags; one that is there keeps its time, and its figures once it was judged. Returns how many are new."""
    rows = [
        {"survey_id": survey_id, "kind": f.kind, "subject_kind": f.subject_kind, "subject": f.subject}
        | {"facts": dict(f.facts), "raised_at": now}
        for f in flags
    ]
    if not rows:
        return 0
    before = len(known_flags(connection, survey_id))
    statement = insert(quality_flag)
    again = statement.on_conflict_do_update(
        index_elements=["survey_id", "kind", "subject_kind", "subject"],
        set_={"facts": statement.excluded.facts},
        where=quality_flag.c.judged_at.is_(None),
    )
    connection.execute(again, rows)
    return len(known_flags(connection, survey_id)) - before


def known_flags(connection: Connection, survey_id: int) -> list[int]:
    """The numbers of a survey's flags."""
    found = connection.execute(select(quality_flag.c.id).where(quality_flag.c.survey_id == survey_id))
    return list(found.scalars())


def flags_of(connection: Connection, survey_id: int) -> list[StoredFlag]:
    """The flags of a survey: those that wait for a judgement first, then by kind and number."""
    rows = connection.execute(
        _FLAG.where(quality_flag.c.survey_id == survey_id).order_by(
            quality_flag.c.judged_at.is_not(None), quality_flag.c.kind, quality_flag.c.id
        )
    )
    return [StoredFlag(*row) for row in rows]


def flag_numbered(connection: Connection, flag_id: int) -> StoredFlag | None:
    """One flag, kept from others until the transaction ends."""
    row = connection.execute(_FLAG.where(quality_flag.c.id == flag_id).with_for_update(of=quality_flag)).first()
    return StoredFlag(*row) if row else None


def put_judgement(connection: Connection, flag_id: int, words: str, staff_id: int, now: datetime) -> None:
    """Write beside a flag what somebody made of it."""
    values = {"judgement": words, "judged_by": staff_id, "judged_at": now}
    connection.execute(update(quality_flag).where(quality_flag.c.id == flag_id).values(**values))


def flagged_responses(connection: Connection, survey_id: int) -> set[UUID]:
    """The answers of a survey that are marked, to compare the estimate with and without them.

    Judgements do not matter here: which answers to leave out is the same for everybody, whatever somebody thinks.
    """
    marked = (quality_flag.c.survey_id == survey_id) & (quality_flag.c.subject_kind == "response")
    return {UUID(row.subject) for row in connection.execute(select(quality_flag.c.subject).where(marked))}


def is_complete(connection: Connection, survey_id: int) -> bool:
    """Whether a survey takes no answers any more by its nature: sealed ones are counted after their end only."""
    ended = (survey.c.secrecy == "sealed") | (round_.c.status != "open")
    query = select(survey.c.id).join(round_, round_.c.id == survey.c.round_id).where(survey.c.id == survey_id, ended)
    return connection.execute(query).first() is not None


def answers_to_check(
    connection: Connection, survey_id: int, *, only_flagged: bool = False, batch: int = 2000
) -> Iterator[Answered]:
    """The stored answers of a survey, streamed; or only those that are marked."""
    columns = (response.c[name] for name in ("id", "form_version", "answers", "mode", "interviewer"))
    query = select(*columns).where(response.c.survey_id == survey_id)
    if only_flagged:
        marked = (quality_flag.c.survey_id == survey_id) & (quality_flag.c.subject_kind == "response")
        query = query.where(cast(response.c.id, Text).in_(select(quality_flag.c.subject).where(marked)))
    rows = connection.execute(query, execution_options={"yield_per": batch})
    return (Answered(*row) for row in rows)
