"""Quota cells: places are taken when an interview begins, so that they cannot be overshot.

Whoever changes a cell or a place in it holds the cell first (`hold_cells`), always in the order of the cells' numbers,
so that two who need several never wait for each other in a ring.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import case
from api.store.surveys import survey

quota_cell = Table(
    "quota_cell",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    facts("traits"),  # {"sex": "f"}; what a case must be to belong here
    Column("places", Integer, nullable=False),
    Column("taken", Integer, nullable=False, server_default="0"),  # begun or complete
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("closing", Text, nullable=False, server_default="soft"),  # soft: interviews under way may end
    moment("closed_at", null=True),
    Column("closed_by", ForeignKey(staff.c.id)),
    CheckConstraint("closing IN ('soft','hard')", name="closing"),
    CheckConstraint("taken BETWEEN 0 AND places", name="never_overshot"),
    schema="roll",
)

quota_place = Table(
    "quota_place",
    metadata,
    Column("cell_id", ForeignKey(quota_cell.c.id), primary_key=True),
    Column("case_id", ForeignKey(case.c.id), primary_key=True),
    moment("taken_at", now=True),
    moment("until", null=True),  # None: complete. As `taken_at`: it ran out and another has it
    schema="roll",
)


@dataclass(frozen=True, slots=True)
class QuotaCell:
    """A cell: who belongs to it, how many may be interviewed, how many have begun (and of these: are complete)."""

    id: int
    survey_id: int
    name_zh: str
    name_en: str
    traits: Mapping[str, str]
    places: int
    taken: int
    set_priority: int  # 0: by itself
    closing: str
    closed_at: datetime | None
    complete: int

    @property
    def priority(self) -> int:
        """How urgent the cell is: what was set, else 100 less its completion in per cent, rounded down."""
        return self.set_priority or 100 - (100 * self.complete // self.places if self.places else 100)


_LIVE = quota_place.c.until.is_(None) | (quota_place.c.until > quota_place.c.taken_at)
_COMPLETE = (
    select(func.count())
    .where(quota_place.c.cell_id == quota_cell.c.id, quota_place.c.until.is_(None))
    .correlate(quota_cell)
    .scalar_subquery()
)
_CELL: Select[Any] = select(
    *(quota_cell.c[name] for name in ("id", "survey_id", "name_zh", "name_en", "traits", "places", "taken")),
    *(quota_cell.c[name] for name in ("priority", "closing", "closed_at")),
    _COMPLETE,
)


def cells_of(connection: Connection, survey_id: int) -> list[QuotaCell]:
    """The cells of a survey in the order they were made."""
    rows = connection.execute(_CELL.where(quota_cell.c.survey_id == survey_id).order_by(quota_cell.c.id))
    return [QuotaCell(*row) for row in rows]


def cell_numbered(connection: Connection, cell_id: int) -> QuotaCell | None:
    """One cell, if it exists."""
    row = connection.execute(_CELL.where(quota_cell.c.id == cell_id)).first()
    return QuotaCell(*row) if row else None


def trait_names(connection: Connection, survey_id: int) -> list[str]:
    """The traits that decide to which cells of a survey somebody belongs: the quota questions."""
    name = func.jsonb_object_keys(quota_cell.c.traits).label("name")
    rows = connection.execute(select(name).where(quota_cell.c.survey_id == survey_id).distinct())
    return sorted(row.name for row in rows)


def cells_matching(connection: Connection, survey_id: int, traits: Mapping[str, str]) -> list[int]:
    """The numbers of the cells that somebody with these traits belongs to."""
    mine = quota_cell.c.traits.op("<@")(bindparam("traits", dict(traits), type_=JSONB))
    rows = connection.execute(select(quota_cell.c.id).where(quota_cell.c.survey_id == survey_id, mine))
    return sorted(row.id for row in rows)


def cells_held_by_case(connection: Connection, case_id: int) -> list[int]:
    """The numbers of the cells in which a case has a place, or had one until another took it."""
    rows = connection.execute(select(quota_place.c.cell_id).where(quota_place.c.case_id == case_id))
    return sorted(row.cell_id for row in rows)


def hold_cells(connection: Connection, cell_ids: Collection[int]) -> list[QuotaCell]:
    """Keep cells from others until the transaction ends, and tell how they stand then."""
    mine = quota_cell.c.id.in_(cell_ids)
    connection.execute(select(quota_cell.c.id).where(mine).order_by(quota_cell.c.id).with_for_update(key_share=True))
    # Asked again: the statement above saw the cells as they were before it waited.
    return [QuotaCell(*row) for row in connection.execute(_CELL.where(mine).order_by(quota_cell.c.id))]


def places_of(connection: Connection, case_id: int) -> dict[int, datetime | None]:
    """Cell → until when the case has a place there (None: for good)."""
    rows = connection.execute(
        select(quota_place.c.cell_id, quota_place.c.until).where(quota_place.c.case_id == case_id, _LIVE)
    )
    return {row.cell_id: row.until for row in rows}


def places_lost(connection: Connection, case_id: int) -> list[int]:
    """The numbers of the cells in which a case had a place that ran out and that another took."""
    rows = connection.execute(select(quota_place.c.cell_id).where(quota_place.c.case_id == case_id, ~_LIVE))
    return sorted(row.cell_id for row in rows)


def renew_places(connection: Connection, case_id: int, until: datetime) -> None:
    """Let a case have its places for longer."""
    mine = (quota_place.c.case_id == case_id) & quota_place.c.until.is_not(None) & _LIVE
    connection.execute(update(quota_place).where(mine).values(until=until))


def take_in(connection: Connection, cell_id: int, case_id: int, now: datetime, until: datetime) -> bool:
    """Take a place in a cell that is open and has one; whether it had."""
    if not _count_in(connection, cell_id, quota_cell.c.closed_at.is_(None)):
        return False
    place = upsert(quota_place).values(cell_id=cell_id, case_id=case_id, taken_at=now, until=until)
    again = {"taken_at": now, "until": until}  # one that was lost is the same row
    connection.execute(place.on_conflict_do_update(index_elements=["cell_id", "case_id"], set_=again))
    return True


def take_again(connection: Connection, cell_id: int, case_id: int, until: datetime) -> bool:
    """Take a lost place again where the cell has one, closed softly or not; whether it had."""
    if not _count_in(connection, cell_id, true()):
        return False
    mine = (quota_place.c.cell_id == cell_id) & (quota_place.c.case_id == case_id)
    connection.execute(update(quota_place).where(mine).values(until=until))
    return True


def _count_in(connection: Connection, cell_id: int, also: ColumnElement[bool]) -> bool:
    free = (quota_cell.c.id == cell_id) & (quota_cell.c.taken < quota_cell.c.places) & also
    return connection.execute(update(quota_cell).where(free).values(taken=quota_cell.c.taken + 1)).rowcount == 1


# Who loses a place keeps its row: what cells a forgotten interview belongs to is known from nothing else.
_GIVE_BACK = """
WITH gone AS ({gone} RETURNING cell_id, until > taken_at AS live),
     counted AS (SELECT cell_id, count(*) AS places FROM gone {counts} GROUP BY cell_id)
UPDATE roll.quota_cell SET taken = taken - counted.places FROM counted WHERE id = counted.cell_id
"""
_GIVE_BACK_OF_CASE = text(
    _GIVE_BACK.format(
        gone="DELETE FROM roll.quota_place WHERE until IS NOT NULL AND case_id = :case", counts="WHERE live"
    )
)
_GIVE_BACK_EXPIRED = text(
    _GIVE_BACK.format(
        gone="UPDATE roll.quota_place SET until = taken_at WHERE until < :now AND until > taken_at "
        "AND cell_id = ANY(:cells)",
        counts="",
    )
)


def give_back_of_case(connection: Connection, case_id: int) -> None:
    """Free the places of a case whose interview is not complete; the caller holds their cells."""
    connection.execute(_GIVE_BACK_OF_CASE, {"case": case_id})


def give_back_expired(connection: Connection, cell_ids: Sequence[int], now: datetime) -> None:
    """Free the places of interviews that never ended; the caller holds the cells."""
    connection.execute(_GIVE_BACK_EXPIRED, {"cells": list(cell_ids), "now": now})


def fill(connection: Connection, case_id: int) -> None:
    """Let a case have its places for good; the caller holds their cells."""
    connection.execute(update(quota_place).where(quota_place.c.case_id == case_id, _LIVE).values(until=None))


def put_cell(connection: Connection, values: Mapping[str, Any], cell_id: int | None = None) -> None:
    """Write a new cell, or other facts of one."""
    if cell_id is None:
        connection.execute(upsert(quota_cell).values(**values))
    else:
        connection.execute(update(quota_cell).where(quota_cell.c.id == cell_id).values(**values))


def drop_cells(connection: Connection, cell_ids: Collection[int]) -> None:
    """Delete cells in which no place is taken, with what is known of places that were lost there."""
    connection.execute(delete(quota_place).where(quota_place.c.cell_id.in_(cell_ids), ~_LIVE))
    connection.execute(delete(quota_cell).where(quota_cell.c.id.in_(cell_ids)))


# A case belongs where its traits in the frame say. A file that somebody holds right now is passed over: it gets its
# priority with the next interview that ends, and nobody who works waits for this.
_SET_PRIORITIES = text(
    """
    WITH wanted AS (
      SELECT f.case_id, coalesce(max(u.priority) FILTER (WHERE m.traits @> u.traits), 0) AS priority
      FROM roll.case_file f
      JOIN roll."case" c ON c.id = f.case_id
      JOIN roll.draw d ON d.id = c.draw_id
      JOIN roll.frame_member m ON m.frame_id = d.frame_id AND m.member = c.member
      CROSS JOIN unnest(CAST(:traits AS jsonb[]), CAST(:priorities AS integer[])) AS u (traits, priority)
      WHERE f.survey_id = :survey GROUP BY f.case_id),
    free AS (
      SELECT f.case_id, wanted.priority FROM roll.case_file f JOIN wanted USING (case_id)
      WHERE f.priority <> wanted.priority FOR UPDATE OF f SKIP LOCKED)
    UPDATE roll.case_file f SET priority = free.priority FROM free WHERE f.case_id = free.case_id
    """
)


def set_priorities(connection: Connection, survey_id: int, urgent: Sequence[tuple[str, int]]) -> None:
    """Give each case file the priority of the most urgent cell that it belongs to.

    Args:
        connection: in a transaction.
        survey_id: whose files.
        urgent: of each cell its traits (JSON) and its priority.
    """
    traits, priorities = zip(*urgent, strict=True) if urgent else (("{}",), (0,))
    connection.execute(_SET_PRIORITIES, {"survey": survey_id, "traits": list(traits), "priorities": list(priorities)})
