"""The audit read as a record: what was done about one double-random draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from api.store.people import audit


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
