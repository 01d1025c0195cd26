"""Builders for double-random draws: a town with sites of every risk class, inspectors, an item, a plan, a draw."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, insert
from werkzeug.security import generate_password_hash

from api.actions.inspection_draws import commit, draw_inspection
from api.actions.inspection_plan import Said
from api.store import people
from api.store.directories import inspector, recusal
from api.store.inspection_draws import inspection_item
from api.store.sites import site
from tests.inspections import PASSWORD, Town, a_town

SECRET_KEY = b"k" * 32
COMMITTED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KNOWN = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
DRAWN = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
MONDAY, FRIDAY = date(2026, 11, 23), date(2026, 11, 27)
RANDOMNESS = "314 2718"
RATES = {group: {"share": share, "times": 2} for group, share in zip("ABCD", ("0.2", "0.4", "0.6", "1"), strict=True)}


@dataclass(frozen=True, slots=True)
class Directory:
    """The keys of what `a_directory` stored."""

    town: Town
    item_id: int
    sites: tuple[int, ...]
    inspectors: tuple[int, ...]


def a_directory(connection: Connection, sites: int = 20, inspectors: int = 6) -> Directory:
    """Twenty sites of four risk classes, six inspectors with bases, the first recused from the first unit."""
    town = a_town(connection)
    places = [
        connection.execute(
            insert(site)
            .values(
                unit_id=(town.unit_id, town.other_unit_id)[number % 2], code=f"S{number:02}",
                name_zh=f"察访地点第{number:02}号", name_en=f"Inspected place {number:02}",
                address=f"滨海路 {number} 号",
                lat=24.45 + number / 500, lon=118.08, datum="WGS-84", radius_m=150, risk="ABCD"[number % 4],
            )
            .returning(site.c.id)
        ).scalar_one()
        for number in range(sites)
    ]  # fmt: skip
    secret = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
    hands = []
    for number in range(inspectors):
        who = connection.execute(
            insert(people.staff)
            .values(username=f"hand{number}", password_hash=secret, name=f"检查员{number}", role="inspector")
            .returning(people.staff.c.id)
        ).scalar_one()
        hands.append(who)
        connection.execute(
            insert(inspector).values(
                staff_id=who, organisation="", skills=["消防"] if number % 2 else [], lat=24.45, lon=118.1, most_km=40
            )
        )
    connection.execute(
        insert(recusal).values(
            staff_id=hands[0], unit_id=town.unit_id, reason="配偶在该单位任职", declared_by=town.office,
            declared_at=COMMITTED,
        )
    )  # fmt: skip
    item_id = connection.execute(
        insert(inspection_item)
        .values(
            evaluation_id=town.evaluation_id, code="W1", name_zh="窗口作风", name_en="Window conduct",
            component="inspection", skill="", rates=RATES,
        )
        .returning(inspection_item.c.id)
    ).scalar_one()  # fmt: skip
    return Directory(town, item_id, tuple(places), tuple(hands))


def said(directory: Directory, **facts: Any) -> Said:
    given = Said(
        directory.item_id, "十一月窗口作风抽查", MONDAY, FRIDAY, "排列三、排列五第 2026312 期", KNOWN, "### ####"
    )
    return replace(given, **facts)


def a_draw(connection: Connection, directory: Directory, **facts: Any) -> int:
    """Committed by one, drawn by another."""
    draw_id = commit(connection, said(directory, **facts), SECRET_KEY, directory.town.office, COMMITTED)
    draw_inspection(connection, draw_id, RANDOMNESS, SECRET_KEY, directory.town.second_office, DRAWN)
    return draw_id
