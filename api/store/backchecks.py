"""Back-checks: cases of their own in which somebody else asks whether an interview took place as it was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Select,
    Table,
    Text,
    cast,
    exists,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on

from api.store.base import facts, metadata, moment
from api.store.fieldwork import case_file, contact_attempt
from api.store.flags import quality_flag
from api.store.people import staff
from api.store.roll import IN_SAMPLE, access_code, case, case_code, contact, draw, frame

backcheck = Table(
    "backcheck",
    metadata,
    Column("case_id", ForeignKey(case.c.id), primary_key=True),  # of kind backcheck
    Column("checks", ForeignKey(case.c.id), nullable=False, unique=True),
    Column("interviewer", ForeignKey(staff.c.id), nullable=False),
    Column("reason", Text, nullable=False),
    moment("made_at", now=True),
    facts("said", null=True),  # what the person said: took part, how long, which subjects
    Column("verdict", Text),
    Column("judged_by", ForeignKey(staff.c.id)),
    moment("judged_at", null=True),
    CheckConstraint("reason IN ('random','flag')", name="reason"),
    CheckConstraint("verdict IN ('confirmed','doubtful','false','not_reached')", name="verdict"),
    CheckConstraint("judged_by IS DISTINCT FROM interviewer", name="second_person"),
    schema="roll",
)

COMPLETE = ("1.1", "1.2")


@dataclass(frozen=True, slots=True)
class Done:
    """A completed interview, with what its ticket is made of."""

    case_id: int
    interviewer: int
    seed: str
    case_ticket: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """A back-check: whose interview, why it is checked, what the person said, what a second person made of it."""

    case_id: int
    checks: int
    survey_id: int
    interviewer: int
    interviewer_name: str
    reason: str
    made_at: datetime
    stage: str
    attempts: int
    said: Mapping[str, Any] | None
    verdict: str | None
    judge: str | None
    judged_at: datetime | None


_interviewer, _judge = staff.alias("interviewer"), staff.alias("judge")
_CHECK: Select[Any] = (
    select(
        backcheck.c.case_id,
        backcheck.c.checks,
        case_file.c.survey_id,
        backcheck.c.interviewer,
        _interviewer.c.name,
        backcheck.c.reason,
        backcheck.c.made_at,
        case_file.c.stage,
        case_file.c.attempts,
        backcheck.c.said,
        backcheck.c.verdict,
        _judge.c.name,
        backcheck.c.judged_at,
    )
    .join(case_file, case_file.c.case_id == backcheck.c.case_id)
    .join(_interviewer, _interviewer.c.id == backcheck.c.interviewer)
    .outerjoin(_judge, _judge.c.id == backcheck.c.judged_by)
)


def checks_of(connection: Connection, survey_id: int) -> list[Check]:
    """The back-checks of a survey, the oldest first."""
    rows = connection.execute(_CHECK.where(case_file.c.survey_id == survey_id).order_by(backcheck.c.case_id))
    return [Check(*row) for row in rows]


def check_of(connection: Connection, case_id: int, *, hold: bool = False) -> Check | None:
    """The back-check that a case is; None where it is none. `hold` keeps it until the transaction ends."""
    query = _CHECK.where(backcheck.c.case_id == case_id)
    row = connection.execute(query.with_for_update(of=backcheck) if hold else query).first()
    return Check(*row) if row else None


def hold_checks(connection: Connection, survey_id: int) -> None:
    """Let nobody else choose back-checks of a survey until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('backchecks'), :survey)"), {"survey": survey_id})


def completed(connection: Connection, survey_id: int) -> list[Done]:
    """The interviews of a survey's sample that are complete, each by who ended it last."""
    rows = connection.execute(
        select(case.c.id, contact_attempt.c.staff_id, draw.c.seed, case.c.ticket, contact_attempt.c.began_at)
        .ext(distinct_on(case.c.id))
        .join(case, case.c.id == contact_attempt.c.case_id)
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        .where(contact_attempt.c.outcome.in_(COMPLETE), contact_attempt.c.staff_id.is_not(None))
        .order_by(case.c.id, contact_attempt.c.ended_at.desc(), contact_attempt.c.id.desc())
    )
    return [Done(*row) for row in rows]


def is_any_open(connection: Connection, survey_id: int) -> bool:
    """Whether an interview of a survey has not been settled: begun, and neither counted nor broken off."""
    running = (case_file.c.survey_id == survey_id) & case_file.c.interview.is_not(None)
    return bool(connection.execute(select(exists().where(running))).scalar())


def flagged_cases(connection: Connection, survey_id: int) -> set[int]:
    """The cases that a flag of fieldwork is about, itself or one of its attempts."""
    of_survey = quality_flag.c.survey_id == survey_id
    own = select(cast(quality_flag.c.subject, Integer).label("case_id")).where(
        of_survey, quality_flag.c.subject_kind == "case"
    )
    tried = (
        select(contact_attempt.c.case_id)
        .join(quality_flag, cast(contact_attempt.c.id, Text) == quality_flag.c.subject)
        .where(of_survey, quality_flag.c.subject_kind == "attempt")
    )
    return {row.case_id for row in connection.execute(own.union(tried))}


_COPIED = ("draw_id", "stratum", "member", "position", "wcell")


def add_check(  # noqa: PLR0913, PLR0917 - the columns of a back-check
    connection: Connection, done: Done, ticket: str, reason: str, survey_id: int, now: datetime
) -> int:
    """Open a case that checks an interview, with a file for the telephone. Returns its number."""
    copied = select(*(case.c[name] for name in _COPIED), literal(ticket), literal("backcheck"))
    case_id: int = connection.execute(
        insert(case)
        .from_select([*_COPIED, "ticket", "kind"], copied.where(case.c.id == done.case_id))
        .returning(case.c.id)
    ).scalar_one()
    connection.execute(insert(case_file).values(case_id=case_id, survey_id=survey_id, stage="phone"))
    connection.execute(
        insert(backcheck).values(
            case_id=case_id, checks=done.case_id, interviewer=done.interviewer, reason=reason, made_at=now
        )
    )
    return case_id


def sealed_contact(connection: Connection, case_id: int) -> bytes | None:
    """A case's contact as it is kept."""
    found = connection.execute(select(contact.c.sealed).where(contact.c.case_id == case_id)).scalar()
    return bytes(found) if found is not None else None


def put_contact(connection: Connection, case_id: int, sealed: bytes) -> None:
    """Keep a case's contact."""
    connection.execute(insert(contact).values(case_id=case_id, sealed=sealed))


def block_of(connection: Connection, case_id: int) -> int | None:
    """The block of subjects that a case answered about; None: all of them."""
    found: int | None = connection.execute(
        select(access_code.c.block)
        .join(case_code, case_code.c.mac == access_code.c.mac)
        .where(case_code.c.case_id == case_id, access_code.c.spent)
    ).scalar()
    return found


def stratum_of(connection: Connection, case_id: int) -> str:
    """The stratum of a case."""
    return str(connection.execute(select(case.c.stratum).where(case.c.id == case_id)).scalar_one())


def put_said(connection: Connection, case_id: int, said: Mapping[str, Any]) -> None:
    """Write what the person said."""
    connection.execute(update(backcheck).where(backcheck.c.case_id == case_id).values(said=dict(said)))


def put_verdict(connection: Connection, case_id: int, verdict: str, staff_id: int, now: datetime) -> None:
    """Write what a second person made of it."""
    mine = backcheck.c.case_id == case_id
    connection.execute(update(backcheck).where(mine).values(verdict=verdict, judged_by=staff_id, judged_at=now))


def asked_by(connection: Connection, case_id: int, staff_id: int) -> bool:
    """Whether somebody worked on a case."""
    mine = (contact_attempt.c.case_id == case_id) & (contact_attempt.c.staff_id == staff_id)
    return bool(connection.execute(select(exists().where(mine))).scalar())
