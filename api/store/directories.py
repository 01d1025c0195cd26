"""The living directory of inspectors: skills, base, and whom each must stay away from. Sites: inspections.py."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY

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
