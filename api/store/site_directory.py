"""The living directory of sites at the office's desk: listed, entered, changed, withdrawn; never deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from api.store.evaluations import unit
from api.store.inspections import assignment, visit
from api.store.sites import site


@dataclass(frozen=True, slots=True)
class Entry:
    """A site of the directory with its unit; `fence` is [[lat, lon], …] in `datum`, or None: the radius is it."""

    id: int
    unit_id: int
    unit_code: str
    unit_zh: str
    unit_en: str
    code: str
    name_zh: str
    name_en: str
    address: str
    lat: float
    lon: float
    datum: str
    radius_m: int
    fence: list[list[float]] | None
    risk: str
    withdrawn: bool

    @property
    def called(self) -> str:
        """The site's code; one entered without a code goes by its number."""
        return self.code or f"site-{self.id}"


_ENTRY = (
    site.c.id,
    site.c.unit_id,
    unit.c.code.label("unit_code"),
    unit.c.name_zh.label("unit_zh"),
    unit.c.name_en.label("unit_en"),
    site.c.code,
    site.c.name_zh,
    site.c.name_en,
    site.c.address,
    site.c.lat,
    site.c.lon,
    site.c.datum,
    site.c.radius_m,
    site.c.fence,
    site.c.risk,
    site.c.withdrawn_at.is_not(None).label("withdrawn"),
)


def entries(connection: Connection, evaluation_id: int) -> list[Entry]:
    """All sites of an evaluation's units: those in use first, by unit and code."""
    query = (
        select(*_ENTRY)
        .join(unit, unit.c.id == site.c.unit_id)
        .where(unit.c.evaluation_id == evaluation_id)
        .order_by(site.c.withdrawn_at.is_not(None), unit.c.code, site.c.code, site.c.id)
    )
    return [Entry(**row._asdict()) for row in connection.execute(query)]


def entry_numbered(connection: Connection, site_id: int, *, hold: bool = False) -> Entry | None:
    """The site of that number; `hold` keeps others from changing it until the transaction ends."""
    query = select(*_ENTRY).join(unit, unit.c.id == site.c.unit_id).where(site.c.id == site_id)
    row = connection.execute(query.with_for_update(of=site) if hold else query).first()
    return Entry(**row._asdict()) if row else None


def add_entry(connection: Connection, values: Mapping[str, Any]) -> int:
    """Enter a site."""
    added: int = connection.execute(insert(site).values(**values).returning(site.c.id)).scalar_one()
    return added


def change_entry(connection: Connection, site_id: int, values: Mapping[str, Any]) -> None:
    """Give a site other values."""
    connection.execute(update(site).where(site.c.id == site_id).values(**values))


def visits_by_site(connection: Connection, item_id: int, first: date, last: date) -> dict[int, int]:
    """How often draws of an item had each site visited from one day to another; what is sealed is not counted.

    Work made by hand is left out: whoever orders it would choose which sites are drawn no more.
    """
    query = (
        select(assignment.c.site_id, func.count())
        .join(visit, visit.c.assignment_id == assignment.c.id)
        .where(
            assignment.c.item_id == item_id, assignment.c.day.between(first, last), assignment.c.site_id.is_not(None)
        )
        .where(assignment.c.draw_id.is_not(None))
        .group_by(assignment.c.site_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}
