"""The living directory of inspectors: skills, base, and whom each must stay away from. Sites: site_directory.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.base import metadata, moment, serial
from api.store.evaluations import unit
from api.store.people import staff

inspector = Table(
    "inspector",
    metadata,
    Column("staff_id", ForeignKey(staff.c.id), primary_key=True),
    Column("organisation", Text, nullable=False, server_default=""),  # a third party's name; "": the office's own
    Column("skills", ARRAY(Text), nullable=False, server_default="{}"),
    Column("lat", Float),  # where the inspector sets out from, degrees in `datum`; none: no distance rule
    Column("lon", Float),
    Column("datum", Text, nullable=False, server_default="WGS-84"),
    Column("most_km", Integer),  # drawn for no site farther away; none: no limit
    Column("changed_by", ForeignKey(staff.c.id)),
    moment("changed_at", now=True),
    moment("withdrawn_at", null=True),
    CheckConstraint("datum IN ('WGS-84','GCJ-02','BD-09')", name="datum"),
    CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="position"),
    CheckConstraint("most_km IS NULL OR (most_km BETWEEN 1 AND 5000 AND lat IS NOT NULL)", name="most_km"),
    schema="field",
)

recusal = Table(
    "recusal",
    metadata,
    serial(),
    Column("staff_id", ForeignKey(staff.c.id), nullable=False),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False),
    Column("reason", Text, nullable=False),
    Column("declared_by", ForeignKey(staff.c.id), nullable=False),
    moment("declared_at"),
    moment("withdrawn_at", null=True),
    schema="field",
)
Index(
    "uq_recusal_standing",
    recusal.c.staff_id,
    recusal.c.unit_id,
    unique=True,
    postgresql_where=recusal.c.withdrawn_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class Inspector:
    """An inspector of the directory; somebody who was never entered has no skill, no base and no limit."""

    staff_id: int
    name: str
    username: str
    organisation: str
    skills: tuple[str, ...]
    lat: float | None  # degrees, in `datum`
    lon: float | None
    datum: str
    most_km: int | None
    entered: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Recusal:
    """Whom somebody must stay away from, and why."""

    id: int
    staff_id: int
    unit_id: int
    unit_code: str
    unit_zh: str
    unit_en: str
    reason: str
    declared_at: datetime


def inspectors(connection: Connection) -> list[Inspector]:
    """Every inspector who may sign in, by name; those withdrawn last."""
    query = (
        select(staff.c.id, staff.c.name, staff.c.username, inspector)
        .select_from(staff.outerjoin(inspector, inspector.c.staff_id == staff.c.id))
        .where(staff.c.role == "inspector", staff.c.disabled_at.is_(None))
        .order_by(inspector.c.withdrawn_at.is_not(None), staff.c.name, staff.c.id)
    )
    return [
        Inspector(
            row.id,
            row.name,
            row.username,
            row.organisation or "",
            tuple(row.skills or ()),
            row.lat,
            row.lon,
            row.datum or "WGS-84",
            row.most_km,
            entered=row.staff_id is not None,
            withdrawn=row.withdrawn_at is not None,
        )
        for row in connection.execute(query)
    ]


def put_inspector(connection: Connection, values: Mapping[str, Any]) -> None:
    """Enter an inspector, or change the entry."""
    connection.execute(
        upsert(inspector).values(**values).on_conflict_do_update(index_elements=["staff_id"], set_=dict(values))
    )


def recusals(connection: Connection) -> list[Recusal]:
    """Every recusal that stands."""
    query = (
        select(
            recusal.c.id,
            recusal.c.staff_id,
            recusal.c.unit_id,
            unit.c.code,
            unit.c.name_zh,
            unit.c.name_en,
            recusal.c.reason,
            recusal.c.declared_at,
        )
        .join(unit, unit.c.id == recusal.c.unit_id)
        .where(recusal.c.withdrawn_at.is_(None))
        .order_by(recusal.c.staff_id, unit.c.code)
    )
    return [Recusal(*row) for row in connection.execute(query)]


def add_recusal(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Declare a recusal unless it stands already; whether it is new."""
    statement = upsert(recusal).values(**values).on_conflict_do_nothing().returning(recusal.c.id)
    return connection.execute(statement).first() is not None


def end_recusal(connection: Connection, recusal_id: int, now: datetime) -> bool:
    """Withdraw a recusal; whether it stood."""
    statement = (
        update(recusal)
        .where(recusal.c.id == recusal_id, recusal.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(recusal.c.id)
    )
    return connection.execute(statement).first() is not None


def is_unit(connection: Connection, unit_id: int) -> bool:
    """Whether there is a unit of that number."""
    return connection.execute(select(unit.c.id).where(unit.c.id == unit_id)).first() is not None
