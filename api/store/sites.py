"""The living directory of sites: where units are inspected, and what fence and risk each has."""

from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text

from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import unit

site = Table(
    "site",
    metadata,
    serial(),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("lat", Float, nullable=False),  # degrees, in `datum`
    Column("lon", Float, nullable=False),
    Column("datum", Text, nullable=False),
    Column("radius_m", Integer, nullable=False),
    Column("code", Text, nullable=False, server_default=""),  # the office's own; an import finds its site by it
    facts("fence", null=True),  # a polygon [[lat, lon], …] in `datum`; without one the radius is the fence
    Column("risk", Text, nullable=False, server_default="B"),
    moment("withdrawn_at", null=True),  # a living directory: nothing is deleted, what is gone is not drawn
    CheckConstraint("risk IN ('A','B','C','D')", name="risk"),  # A: least risk, D: most (信用风险分级)
    CheckConstraint("datum IN ('WGS-84','GCJ-02','BD-09')", name="datum"),
    CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="position"),
    CheckConstraint("radius_m BETWEEN 10 AND 5000", name="radius"),
    schema="field",
)
Index("uq_site_code", site.c.unit_id, site.c.code, unique=True, postgresql_where=site.c.code != "")


@dataclass(frozen=True, slots=True)
class Site:
    """A place that is inspected, and whose it is."""

    id: int
    name_zh: str
    name_en: str
    address: str
    lat: float  # degrees, in `datum`
    lon: float
    datum: str
    radius_m: int
    unit_id: int
    unit_zh: str
    unit_en: str
    fence: list[list[float]] | None = None  # a polygon [[lat, lon], …] in `datum`; without one the radius is the fence


SITE_COLUMNS = (
    site.c.id,
    site.c.name_zh,
    site.c.name_en,
    site.c.address,
    site.c.lat,
    site.c.lon,
    site.c.datum,
    site.c.radius_m,
    site.c.unit_id,
    unit.c.name_zh.label("unit_zh"),
    unit.c.name_en.label("unit_en"),
    site.c.fence,
)
"""What a `Site` is read from, joined with its unit."""
