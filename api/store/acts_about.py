"""The audit read as a record: what was done about a double-random draw, and which withdrawals were asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from api.store.people import audit, staff


@dataclass(frozen=True, slots=True)
class DrawAct:
    """A line of the audit about a draw."""

    at: datetime
    act: str
    staff_id: int | None
    about: dict[str, Any]


def of_draw(connection: Connection, draw_id: int, names: Sequence[str]) -> list[DrawAct]:
    """The acts of these names about a draw, the first first."""
    query = (
        select(audit.c.at, audit.c.act, audit.c.staff_id, audit.c.about)
        .where(audit.c.act.in_(names), audit.c.about["draw"].as_integer() == draw_id)
        .order_by(audit.c.id)
    )
    return [DrawAct(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asked that an assignment be withdrawn."""

    staff_id: int
    name: str
    reason: str


def withdrawals_asked(connection: Connection, assignment_ids: Iterable[UUID]) -> dict[UUID, Asked]:
    """Who asked first that these assignments be withdrawn, by assignment."""
    which = audit.c.about["assignment"].as_string()
    query = (
        select(which, audit.c.staff_id, staff.c.name, audit.c.about["reason"].as_string())
        .join(staff, staff.c.id == audit.c.staff_id)
        .where(audit.c.act == "assignment_withdrawal_asked", which.in_([str(one) for one in assignment_ids]))
        .order_by(audit.c.id.desc())
    )
    return {UUID(row[0]): Asked(*row[1:]) for row in connection.execute(query)}
