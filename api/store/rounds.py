"""A round on its way: open, frozen, published; who did it and when. The table itself is in `evaluations`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Connection, Integer, Select, bindparam, func, select, text, update

from api.store.ballots import response, untallied
from api.store.boxes import closing
from api.store.evaluations import round_
from api.store.people import audit, staff
from api.store.surveys import survey

PUBLICATIONS = ("round_published", "round_corrected")
"""The audit's lines about what units were shown."""


@dataclass(frozen=True, slots=True)
class RoundState:
    """A round with the people who took it a step further; nobody yet is None."""

    id: int
    evaluation_id: int
    name_zh: str
    name_en: str
    opens_at: datetime
    closes_at: datetime
    status: str
    frozen_by: int | None
    freezer: str | None
    frozen_at: datetime | None
    published_by: int | None
    publisher: str | None
    published_at: datetime | None
    published_digest: str | None  # of the composite that the units are shown
    corrected_by: int | None
    corrected_at: datetime | None

    @property
    def last_publisher(self) -> int | None:
        """Who published or corrected it last."""
        return self.corrected_by or self.published_by

    @property
    def shown_since(self) -> datetime | None:
        """When what it shows was published or corrected."""
        return self.corrected_at or self.published_at


@dataclass(frozen=True, slots=True)
class Publication:
    """A line of a round's history: results published, or corrected with a reason."""

    at: datetime
    act: str  # round_published, round_corrected
    name: str
    about: dict[str, Any]  # inputs_digest; of a correction also the one before and the reason


_freezer, _publisher = staff.alias("freezer"), staff.alias("publisher")
_ROUND: Select[Any] = (
    select(
        round_.c.id,
        round_.c.evaluation_id,
        round_.c.name_zh,
        round_.c.name_en,
        round_.c.opens_at,
        round_.c.closes_at,
        round_.c.status,
        round_.c.frozen_by,
        _freezer.c.name.label("freezer"),
        round_.c.frozen_at,
        round_.c.published_by,
        _publisher.c.name.label("publisher"),
        round_.c.published_at,
        round_.c.published_digest,
        round_.c.corrected_by,
        round_.c.corrected_at,
    )
    .outerjoin(_freezer, _freezer.c.id == round_.c.frozen_by)
    .outerjoin(_publisher, _publisher.c.id == round_.c.published_by)
)

_SHUT_OUT = text("SELECT pg_advisory_xact_lock(hashtext('round'), :survey)")


def round_states(connection: Connection, evaluation_id: int) -> list[RoundState]:
    """The rounds of an evaluation, oldest first."""
    rows = connection.execute(
        _ROUND.where(round_.c.evaluation_id == evaluation_id).order_by(round_.c.opens_at, round_.c.id)
    )
    return [RoundState(*row) for row in rows]


def hold_round(connection: Connection, round_id: int) -> RoundState | None:
    """A round, kept from everybody else who would change it until the transaction ends."""
    row = connection.execute(_ROUND.where(round_.c.id == round_id).with_for_update(of=round_)).first()
    return RoundState(*row) if row else None


def surveys_of_round(connection: Connection, round_id: int) -> list[int]:
    """The surveys of a round in the order of their numbers."""
    return list(
        connection.execute(select(survey.c.id).where(survey.c.round_id == round_id).order_by(survey.c.id)).scalars()
    )


def shut_out_answers(connection: Connection, survey_ids: Sequence[int]) -> None:
    """Wait for the answers on their way and let no other in until the transaction ends.

    Answers hold the same locks shared (`api/actions/responses.py`), and in the same order, so neither side waits
    for the other in a ring.
    """
    for one in sorted(survey_ids):
        connection.execute(_SHUT_OUT, {"survey": one})


def mark_frozen(connection: Connection, round_id: int, staff_id: int, now: datetime) -> None:
    """Write that a round was frozen, and by whom."""
    connection.execute(
        update(round_).where(round_.c.id == round_id).values(status="frozen", frozen_by=staff_id, frozen_at=now)
    )


def mark_published(connection: Connection, round_id: int, digest: str, staff_id: int, now: datetime) -> None:
    """Write that a round was published, by whom, and the digest of the composite that it shows."""
    connection.execute(
        update(round_)
        .where(round_.c.id == round_id)
        .values(status="published", published_digest=digest, published_by=staff_id, published_at=now)
    )


def mark_corrected(connection: Connection, round_id: int, digest: str, staff_id: int, now: datetime) -> None:
    """Write that a published round shows another composite, and by whom."""
    connection.execute(
        update(round_)
        .where(round_.c.id == round_id)
        .values(published_digest=digest, corrected_by=staff_id, corrected_at=now)
    )


def publications_of(connection: Connection, round_id: int) -> list[Publication]:
    """What a round published and corrected, the first first, as the audit keeps it."""
    rows = connection.execute(
        select(audit.c.at, audit.c.act, func.coalesce(staff.c.name, ""), audit.c.about)
        .outerjoin(staff, staff.c.id == audit.c.staff_id)
        .where(audit.c.act.in_(PUBLICATIONS), audit.c.about["round"].as_integer() == round_id)
        .order_by(audit.c.id)
    )
    return [Publication(*row) for row in rows]


def move_end(connection: Connection, held: RoundState, closes_at: datetime) -> None:
    """Give a round another end, and the surveys that ended with it.

    One that ends earlier keeps its own end, and so does one whose boxes were published: they are all there will be.
    """
    is_published = select(closing.c.survey_id).where(closing.c.survey_id == survey.c.id).exists()
    connection.execute(
        update(survey)
        .where(survey.c.round_id == held.id, survey.c.closes_at == held.closes_at, ~is_published)
        .values(closes_at=closes_at)
    )
    connection.execute(update(round_).where(round_.c.id == held.id).values(closes_at=closes_at))


def answers_uncounted(connection: Connection, survey_ids: Sequence[int]) -> int:
    """How many accepted answers of these surveys still wait to be counted."""
    waiting = (
        select(func.count())
        .select_from(untallied)
        .join(response, response.c.id == untallied.c.response_id)
        .where(response.c.survey_id == func.any(bindparam("surveys", type_=ARRAY(Integer))))
    )
    return int(connection.execute(waiting, {"surveys": list(survey_ids)}).scalar_one())
