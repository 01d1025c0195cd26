"""Slips to units: a deduction told (扣分告知单), a reminder (提醒单), an urging (催办单). Each once, by its key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Select,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
    update,
)

from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.ledger import ledger_entry
from api.store.people import staff
from api.store.rectifications import rectification

slip = Table(
    "slip",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),  # what it is about and which one: the clock may try again
    Column("number", BigInteger, nullable=False),  # 〔2026〕第 n 号
    Column("seq", ForeignKey(ledger_entry.c.seq)),
    Column("rectification_id", ForeignKey(rectification.c.id)),
    facts("about"),  # what it says, as facts at that moment
    Column("issued_by", ForeignKey(staff.c.id)),  # null: the clock
    moment("issued_at"),
    moment("due_at", null=True),
    Column("read_by", ForeignKey(staff.c.id)),
    moment("read_at", null=True),
    CheckConstraint("kind IN ('deduction','decision','rectification','reminder','urging')", name="kind"),
    UniqueConstraint("evaluation_id", "kind", "number"),
    schema="field",
)

GUARD = """
CREATE OR REPLACE FUNCTION field.keep_slip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.read_by IS NOT NULL OR NEW.read_at IS NOT NULL
       OR (NEW.seq IS NOT NULL AND NOT EXISTS (
             SELECT FROM field.ledger_entry AS entry WHERE entry.seq = NEW.seq
               AND entry.unit_id = NEW.unit_id AND entry.evaluation_id = NEW.evaluation_id)) THEN
      RAISE EXCEPTION 'a slip goes unread to the unit of entry %', NEW.seq
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP <> 'UPDATE' OR OLD.read_at IS NOT NULL
     OR to_jsonb(NEW) - 'read_by' - 'read_at' IS DISTINCT FROM to_jsonb(OLD) - 'read_by' - 'read_at' THEN
    RAISE EXCEPTION 'slip % stays as it was issued; its first reading is written once', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER slip_stays BEFORE INSERT OR UPDATE OR DELETE ON field.slip
  FOR EACH ROW EXECUTE FUNCTION field.keep_slip();
"""
"""Run by the migration that makes the table."""

_NUMBERING = text("SELECT pg_advisory_xact_lock(hashtext('slip'), :evaluation)")
_CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip as it was issued, and whether its unit has opened it."""

    id: int
    evaluation_id: int
    unit_id: int
    kind: str  # deduction, decision, rectification, reminder, urging
    key: str
    number: int
    seq: int | None
    rectification_id: int | None
    about: Mapping[str, Any]
    issued_by: int | None  # None: the clock
    issued_at: datetime
    due_at: datetime | None
    read_by: int | None
    read_at: datetime | None
    reader: str | None
    unit_zh: str
    unit_en: str

    @property
    def numbered(self) -> str:
        """〔2026〕3号: the year of issue in China, and the number within its evaluation and kind."""
        return f"〔{self.issued_at.astimezone(_CHINA).year}〕{self.number}号"


_SLIP: Select[Any] = select(
    slip, staff.c.name.label("reader"), unit.c.name_zh.label("unit_zh"), unit.c.name_en.label("unit_en")
).select_from(slip.join(unit, unit.c.id == slip.c.unit_id).outerjoin(staff, staff.c.id == slip.c.read_by))


def put_slip(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Issue a slip under the next number of its evaluation and kind; None where its key is known already."""
    connection.execute(_NUMBERING, {"evaluation": values["evaluation_id"]})
    if connection.execute(select(slip.c.id).where(slip.c.key == values["key"])).first() is not None:
        return None
    last = select(func.coalesce(func.max(slip.c.number), 0)).where(
        slip.c.evaluation_id == values["evaluation_id"], slip.c.kind == values["kind"]
    )
    number = connection.execute(last).scalar_one() + 1
    return int(connection.execute(insert(slip).values(number=number, **values).returning(slip.c.id)).scalar_one())


def slip_numbered(connection: Connection, slip_id: int) -> Slip | None:
    """The slip of that key."""
    row = connection.execute(_SLIP.where(slip.c.id == slip_id)).first()
    return Slip(*row) if row else None


def slip_of(connection: Connection, seq: int) -> Slip | None:
    """The slip that told a deduction."""
    row = connection.execute(_SLIP.where(slip.c.seq == seq, slip.c.kind == "deduction")).first()
    return Slip(*row) if row else None


def slips_of(connection: Connection, unit_id: int) -> list[Slip]:
    """A unit's slips, the newest first."""
    query = _SLIP.where(slip.c.unit_id == unit_id).order_by(slip.c.id.desc())
    return [Slip(*row) for row in connection.execute(query)]


def slips_in(connection: Connection, evaluation_id: int, most: int = 500) -> list[Slip]:
    """An evaluation's slips, the newest first."""
    query = _SLIP.where(slip.c.evaluation_id == evaluation_id).order_by(slip.c.id.desc())
    return [Slip(*row) for row in connection.execute(query.limit(most))]


def slips_about(connection: Connection, rectification_id: int) -> list[Slip]:
    """The slips of a rectification in the order of issue."""
    query = _SLIP.where(slip.c.rectification_id == rectification_id).order_by(slip.c.id)
    return [Slip(*row) for row in connection.execute(query)]


def mark_read(connection: Connection, slip_id: int, staff_id: int, now: datetime) -> None:
    """Write who of the unit opened a slip first; later openings change nothing."""
    statement = update(slip).where(slip.c.id == slip_id, slip.c.read_at.is_(None))
    connection.execute(statement.values(read_by=staff_id, read_at=now))
