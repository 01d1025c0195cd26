"""A sealed survey's closing: what was published of its boxes, and the answers that came back from the count."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from api.store.boxes import closing
from api.store.evaluations import round_
from api.store.people import audit, staff
from api.store.surveys import survey

_closer, _counter = staff.alias("closer"), staff.alias("counter")


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed ballot: what was published of its boxes, and whether their answers have come back."""

    survey_id: int
    boxes: int
    counts: Mapping[str, int]
    merkle_root: str
    box_root: str
    closed_by: int | None
    closer: str | None
    closed_at: datetime
    counter: str | None
    counted_at: datetime | None
    result_digest: str | None


def put_closing(  # noqa: PLR0913, PLR0917 - one row
    connection: Connection,
    survey_id: int,
    counts: Mapping[str, int],
    merkle_root: str,
    box_root: str,
    staff_id: int | None,
    now: datetime,
) -> None:
    """Keep what is published of a closed ballot."""
    connection.execute(
        insert(closing).values(
            survey_id=survey_id,
            boxes=sum(counts.values()),
            counts=dict(counts),
            merkle_root=merkle_root,
            box_root=box_root,
            closed_by=staff_id,
            closed_at=now,
        )
    )


def closing_of(connection: Connection, survey_id: int, *, hold: bool = False) -> Closed | None:
    """A survey's closing; `hold` keeps it from others until the transaction ends."""
    question = (
        select(
            closing.c.survey_id,
            closing.c.boxes,
            closing.c.counts,
            closing.c.merkle_root,
            closing.c.box_root,
            closing.c.closed_by,
            _closer.c.name,
            closing.c.closed_at,
            _counter.c.name,
            closing.c.counted_at,
            closing.c.result_digest,
        )
        .outerjoin(_closer, _closer.c.id == closing.c.closed_by)
        .outerjoin(_counter, _counter.c.id == closing.c.counted_by)
        .where(closing.c.survey_id == survey_id)
    )
    row = connection.execute(question.with_for_update(of=closing) if hold else question).first()
    return Closed(*row) if row else None


def mark_result(connection: Connection, survey_id: int, digest: str, staff_id: int | None, now: datetime) -> None:
    """Write that the answers of a ballot have come back."""
    connection.execute(
        update(closing)
        .where(closing.c.survey_id == survey_id)
        .values(counted_at=now, counted_by=staff_id, result_digest=digest)
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """An answer out of a box, under a random id: where it lay in the box's table or the count is not in it."""

    id: UUID
    stratum: str
    wcell: str
    mode: str
    interviewer: int | None
    form_version: str
    answers: Mapping[str, Any]


_LOAD = text(
    """
    WITH given AS (
      SELECT * FROM jsonb_to_recordset(CAST(:given AS jsonb))
        AS t(id uuid, stratum text, wcell text, mode text, interviewer integer, form_version text, answers jsonb)
    ), kept AS (
      INSERT INTO ballot.response (id, survey_id, stratum, wcell, form_version, answers, mode, interviewer, day)
      SELECT id, :survey, stratum, wcell, form_version, answers, mode, interviewer, :day FROM given
    )
    INSERT INTO ballot.untallied (response_id) SELECT id FROM given
    """
)


def load_counted(connection: Connection, survey_id: int, day: date, answers: Sequence[Counted]) -> None:
    """Write answers from the count as responses that wait for the tally, in the order given."""
    given = [asdict(one) for one in answers]
    connection.execute(_LOAD, {"given": orjson.dumps(given).decode(), "survey": survey_id, "day": day})


def ended_unclosed(connection: Connection, now: datetime) -> list[int]:
    """Sealed surveys whose time is over and whose ballot nobody closed, save those that could not be closed."""
    refused = (
        select(audit.c.id)
        .where(audit.c.act == "ballot_not_closed", audit.c.about["survey"].as_integer() == survey.c.id)
        .exists()
    )
    rows = connection.execute(
        select(survey.c.id)
        .join(round_, round_.c.id == survey.c.round_id)
        .outerjoin(closing, closing.c.survey_id == survey.c.id)
        .where(
            survey.c.secrecy == "sealed",
            round_.c.status != "draft",
            closing.c.survey_id.is_(None),
            or_(survey.c.closed_at.is_not(None), survey.c.closes_at <= now, round_.c.status != "open"),
            ~refused,
        )
        .order_by(survey.c.id)
    )
    return list(rows.scalars())


def ballots_to_count(connection: Connection, survey_ids: Sequence[int]) -> list[int]:
    """The sealed ones among these surveys whose answers have not come back from the count."""
    rows = connection.execute(
        select(survey.c.id)
        .outerjoin(closing, closing.c.survey_id == survey.c.id)
        .where(survey.c.id.in_(survey_ids), survey.c.secrecy == "sealed", closing.c.counted_at.is_(None))
        .order_by(survey.c.id)
    )
    return list(rows.scalars())
