"""Builders for what follows a deduction: a town whose unit objects, and an office with people enough to decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select

from api.actions.objections import ObjectionSent, explain, file_objection
from api.actions.rectifications import OrderSent, order
from api.actions.slips import tell_deduction
from api.objects import Objects
from api.store import people
from api.store.ledger import Entry
from tests.inspections import NOW, Town, a_jpeg, a_town, an_entry

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <<>> endobj\n%%EOF\n"
GROUNDS = "当日三号窗口经批准停办，有批文为证。"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the town's people, and those of the unit and of the office whom `a_town` gives no names."""

    town: Town
    unit: int
    unit_again: int  # a second person of the same unit
    other_unit: int
    third_office: int


def a_cast(connection: Connection) -> Cast:
    town = a_town(connection)

    def put(username: str, role: str, unit_id: int | None = None) -> int:
        values = {"username": username, "password_hash": "-", "name": username, "role": role, "unit_id": unit_id}
        return int(connection.execute(insert(people.staff).values(**values).returning(people.staff.c.id)).scalar_one())

    def key(username: str) -> int:
        return int(
            connection.execute(select(people.staff.c.id).where(people.staff.c.username == username)).scalar_one()
        )

    return Cast(town, key("unit"), put("unit-b", "unit", town.unit_id), key("unit2"), put("office3", "office"))


def a_told_entry(connection: Connection, cast: Cast, *, now: datetime = NOW, **facts: Any) -> int:
    """A deduction of 2 points in the ledger, and its slip."""
    seq = an_entry(connection, cast.town, now=now, **facts)
    tell_deduction(connection, seq, now)
    return seq


def an_objection(
    connection: Connection, objects: Objects, cast: Cast, seq: int, now: datetime = NOW, **facts: Any
) -> int:
    given = {"seq": seq, "unit_id": cast.town.unit_id, "staff_id": cast.unit, "grounds": GROUNDS} | facts
    return file_objection(connection, objects, ObjectionSent(**given), now)


def an_explained_objection(connection: Connection, objects: Objects, cast: Cast, seq: int) -> int:
    key = an_objection(connection, objects, cast, seq)
    explain(connection, key, cast.town.second_office, "批文写明停办的是五号窗口。", NOW + timedelta(days=1))
    return key


def an_order(connection: Connection, cast: Cast, seq: int, now: datetime = NOW, **facts: Any) -> int:
    given = {"seq": seq, "staff_id": cast.town.office, "demand": "窗口工作时间须有人值守"} | facts
    return order(connection, OrderSent(**given), now)


def some_papers() -> list[tuple[str, bytes]]:
    return [("批文.pdf", PDF), ("现场.jpg", a_jpeg())]


def standing(entries: Iterable[Entry]) -> Decimal:
    """The ledger folded from its beginning: what is deducted, less what is taken back."""
    points: dict[int, Decimal] = {}
    for entry in entries:
        if entry.reverses is None:
            points[entry.seq] = entry.points
        else:
            del points[entry.reverses]
    return sum(points.values(), Decimal(0))
