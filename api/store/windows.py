"""The time in which a survey takes answers: when it begins and ends, who ended it early, and what goes with its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, or_, select, text, update

from api.store.ballots import draft
from api.store.evaluations import round_
from api.store.people import audit, staff
from api.store.surveys import survey

ACTS = ("survey_closed", "survey_extended")
"""The audit's lines about a survey's window."""


@dataclass(frozen=True, slots=True)
class Window:
    """A survey's window. `closed_at` is set where somebody ended it before `closes_at`, `early_reason` says why."""

    survey_id: int
    round_id: int
    evaluation_id: int
    name_zh: str  # the survey's own, else its round's
    name_en: str
    secrecy: str
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    early_reason: str | None
    round_status: str
    round_closes_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it takes no answers any more."""
        return self.closed_at is not None or self.is_frozen or now >= self.closes_at

    @property
    def is_frozen(self) -> bool:
        """Whether its round was frozen, after which nothing that results are made of changes."""
        return self.round_status not in {"draft", "open"}

    def is_open(self, now: datetime) -> bool:
        """Whether it takes answers now."""
        return self.round_status == "open" and self.opens_at <= now and not self.is_over(now)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the audit about a survey's window."""

    at: datetime
    act: str
    name: str | None
    about: dict[str, Any]


_WINDOW: Select[Any] = select(
    survey.c.id,
    survey.c.round_id,
    round_.c.evaluation_id,
    func.coalesce(func.nullif(survey.c.name_zh, ""), round_.c.name_zh),
    func.coalesce(func.nullif(survey.c.name_en, ""), round_.c.name_en),
    survey.c.secrecy,
    survey.c.opens_at,
    survey.c.closes_at,
    survey.c.closed_at,
    survey.c.early_reason,
    round_.c.status,
    round_.c.closes_at,
).join(round_, round_.c.id == survey.c.round_id)


def windows_of(connection: Connection, evaluation_id: int) -> list[Window]:
    """The windows of an evaluation's surveys, the newest survey first."""
    rows = connection.execute(_WINDOW.where(round_.c.evaluation_id == evaluation_id).order_by(survey.c.id.desc()))
    return [Window(*row) for row in rows]


def window_of(connection: Connection, survey_id: int) -> Window | None:
    """A survey's window."""
    row = connection.execute(_WINDOW.where(survey.c.id == survey_id)).first()
    return Window(*row) if row else None


def hold_window(connection: Connection, survey_id: int) -> Window | None:
    """A survey's window, kept with its round from everybody else who would change it until the transaction ends."""
    row = connection.execute(_WINDOW.where(survey.c.id == survey_id).with_for_update(of=[round_, survey])).first()
    return Window(*row) if row else None


_KEEP = text("SELECT pg_advisory_xact_lock_shared(hashtext('round'), :survey)")


def keep_unfrozen(connection: Connection, survey_id: int) -> Window | None:
    """A survey's window, whose round nobody freezes until the transaction ends; before any lock of a case.

    The lock is that of the answers (`rounds.shut_out_answers`): many hold it side by side.
    """
    connection.execute(_KEEP, {"survey": survey_id})
    return window_of(connection, survey_id)


def mark_closed(connection: Connection, survey_id: int, reason: str, now: datetime) -> None:
    """Write that a survey was ended early, and why."""
    connection.execute(update(survey).where(survey.c.id == survey_id).values(closed_at=now, early_reason=reason))


def move_survey_end(connection: Connection, survey_id: int, closes_at: datetime) -> None:
    """Give a survey another end."""
    connection.execute(update(survey).where(survey.c.id == survey_id).values(closes_at=closes_at))


def changes_of(connection: Connection, survey_ids: Sequence[int]) -> dict[int, list[Change]]:
    """Who changed the windows of these surveys, the latest first."""
    number = audit.c.about["survey"].as_integer()
    rows = connection.execute(
        select(number, audit.c.at, audit.c.act, staff.c.name, audit.c.about)
        .outerjoin(staff, staff.c.id == audit.c.staff_id)
        .where(audit.c.act.in_(ACTS), number.in_(survey_ids))
        .order_by(audit.c.id.desc())
    )
    found: dict[int, list[Change]] = {}
    for survey_id, *change in rows:
        found.setdefault(survey_id, []).append(Change(*change))
    return found


def drop_drafts_of(connection: Connection, survey_ids: Sequence[int]) -> int:
    """Forget the unfinished answers of these surveys, pictures included; returns how many."""
    return connection.execute(delete(draft).where(draft.c.survey_id.in_(survey_ids))).rowcount


def drop_drafts_of_closed(connection: Connection, now: datetime) -> int:
    """Forget the unfinished answers of every survey that takes no answers any more; returns how many."""
    over = (
        select(survey.c.id)
        .join(round_, round_.c.id == survey.c.round_id)
        .where(
            or_(
                survey.c.closed_at.is_not(None),
                survey.c.closes_at <= now,
                round_.c.status.not_in(["draft", "open"]),
            )
        )
    )
    return connection.execute(delete(draft).where(draft.c.survey_id.in_(over))).rowcount
