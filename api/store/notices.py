"""What respondents are told about their data, version by version, and what they report of pressure on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    Date,
    ForeignKey,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    text,
    update,
)

from api.store.base import facts, metadata, moment
from api.store.evaluations import round_
from api.store.people import staff
from api.store.surveys import survey

privacy_notice = Table(
    "privacy_notice",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 of survey and canonical JSON
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    facts("notice"),  # language → sponsor, purpose, kinds, retention, rights, contact, help_line
    moment("published_at", now=True),
    Column("published_by", ForeignKey(staff.c.id)),
    schema="office",
)

# Who reported it is not here, and nothing that could lead to the answers: the survey and the day.
coercion_report = Table(
    "coercion_report",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("day", Date, nullable=False),
    Column("kind", Text, nullable=False),  # who and how, a colon between
    Column("words", Text, nullable=False),
    Column("read_by", ForeignKey(staff.c.id)),
    moment("read_at", null=True),
    schema="office",
)


@dataclass(frozen=True, slots=True)
class KeptNotice:
    """A published version: language → part → words."""

    digest: str
    survey_id: int
    words: Mapping[str, Mapping[str, str]]
    published_at: datetime
    publisher: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report of pressure as the office reads it. `who` put the pressure on, `how` says by which way."""

    id: UUID
    survey_id: int
    day: date
    who: str
    how: str
    words: str
    reader: str | None = None
    read_at: datetime | None = None


_NOTICE: Select[Any] = select(
    privacy_notice.c.digest,
    privacy_notice.c.survey_id,
    privacy_notice.c.notice,
    privacy_notice.c.published_at,
    staff.c.name,
).outerjoin(staff, staff.c.id == privacy_notice.c.published_by)

_NEWEST_FIRST = (privacy_notice.c.published_at.desc(), privacy_notice.c.digest)


def add_notice(connection: Connection, notice: KeptNotice, staff_id: int | None) -> None:
    """Keep a version."""
    connection.execute(
        insert(privacy_notice).values(
            digest=notice.digest,
            survey_id=notice.survey_id,
            notice=notice.words,
            published_at=notice.published_at,
            published_by=staff_id,
        )
    )


def latest_notice(connection: Connection, survey_id: int) -> KeptNotice | None:
    """The version in force."""
    row = connection.execute(
        _NOTICE.where(privacy_notice.c.survey_id == survey_id).order_by(*_NEWEST_FIRST).limit(1)
    ).first()
    return _kept(row) if row else None


def notices_of(connection: Connection, survey_id: int) -> list[KeptNotice]:
    """Every version of a survey's notice, the newest first."""
    rows = connection.execute(_NOTICE.where(privacy_notice.c.survey_id == survey_id).order_by(*_NEWEST_FIRST))
    return [_kept(row) for row in rows]


def notice_called(connection: Connection, digest: str) -> KeptNotice | None:
    """The version of that digest."""
    row = connection.execute(_NOTICE.where(privacy_notice.c.digest == digest)).first()
    return _kept(row) if row else None


_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('privacy_notice'), :survey)")


def hold_notices(connection: Connection, survey_id: int) -> None:
    """Let one person at a time publish a survey's notice, until the transaction ends."""
    connection.execute(_IN_TURN, {"survey": survey_id})


def add_report(connection: Connection, report: Report) -> None:
    """Keep a report of pressure."""
    connection.execute(
        insert(coercion_report).values(
            id=report.id,
            survey_id=report.survey_id,
            day=report.day,
            kind=f"{report.who}:{report.how}",
            words=report.words,
        )
    )


def reports_on(connection: Connection, survey_id: int, day: date) -> int:
    """How many reports a survey had on a day."""
    question = select(func.count()).where(coercion_report.c.survey_id == survey_id, coercion_report.c.day == day)
    return int(connection.execute(question.select_from(coercion_report)).scalar_one())


def reports_in(connection: Connection, evaluation_id: int, most: int, offset: int = 0) -> list[Report]:
    """The reports of an evaluation's surveys: unread first, then by day; within a day in an order of chance."""
    rows = connection.execute(
        select(
            coercion_report.c.id,
            coercion_report.c.survey_id,
            coercion_report.c.day,
            coercion_report.c.kind,
            coercion_report.c.words,
            staff.c.name,
            coercion_report.c.read_at,
        )
        .join(survey, survey.c.id == coercion_report.c.survey_id)
        .join(round_, round_.c.id == survey.c.round_id)
        .outerjoin(staff, staff.c.id == coercion_report.c.read_by)
        .where(round_.c.evaluation_id == evaluation_id)
        .order_by(coercion_report.c.read_at.is_not(None), coercion_report.c.day.desc(), coercion_report.c.id)
        .limit(most)
        .offset(offset)
    )
    return [Report(one, survey_id, day, *kind.split(":"), *rest) for one, survey_id, day, kind, *rest in rows]


def number_of_reports(connection: Connection, evaluation_id: int) -> tuple[int, int]:
    """How many reports an evaluation's surveys have, and how many of them nobody has read."""
    row = connection.execute(
        select(func.count(), func.count().filter(coercion_report.c.read_at.is_(None)))
        .select_from(coercion_report)
        .join(survey, survey.c.id == coercion_report.c.survey_id)
        .join(round_, round_.c.id == survey.c.round_id)
        .where(round_.c.evaluation_id == evaluation_id)
    ).one()
    return int(row[0]), int(row[1])


def mark_read(connection: Connection, report_id: UUID, staff_id: int, now: datetime) -> bool:
    """Write who read a report first; False where there is none that is unread."""
    changed = connection.execute(
        update(coercion_report)
        .where(coercion_report.c.id == report_id, coercion_report.c.read_at.is_(None))
        .values(read_by=staff_id, read_at=now)
        .returning(coercion_report.c.id)
    )
    return changed.first() is not None


def report_exists(connection: Connection, report_id: UUID) -> bool:
    """Whether there is such a report."""
    return connection.execute(select(coercion_report.c.id).where(coercion_report.c.id == report_id)).first() is not None


def _kept(row: Row[*tuple[Any, ...]]) -> KeptNotice:
    return KeptNotice(*row)
