"""What a unit must put right after a deduction, every step of it, and the papers that units hand in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.base import hold_row, metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.inspections import assignment
from api.store.ledger import ledger_entry
from api.store.objections import objection
from api.store.people import staff

rectification = Table(
    "rectification",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("seq", ForeignKey(ledger_entry.c.seq), nullable=False, unique=True),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("demand", Text, nullable=False),
    Column("ordered_by", ForeignKey(staff.c.id), nullable=False),
    moment("ordered_at"),
    Column("due_on", Date, nullable=False),
    Column("status", Text, nullable=False, server_default="ordered"),
    Column("assignment_id", ForeignKey(assignment.c.id)),  # the re-inspection
    Column("escalated", Integer, nullable=False, server_default="0"),  # how many times it was urged
    Column("closed_by", ForeignKey(staff.c.id)),
    moment("closed_at", null=True),
    CheckConstraint("status IN ('ordered','proven','returned','closed')", name="status"),
    CheckConstraint("(status = 'closed') = (closed_by IS NOT NULL)", name="closed"),
    CheckConstraint("(closed_by IS NULL) = (closed_at IS NULL)", name="closed_at"),
    schema="field",
)

rectification_step = Table(
    "rectification_step",
    metadata,
    serial(),
    Column("rectification_id", ForeignKey(rectification.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("staff_id", ForeignKey(staff.c.id)),  # null: the clock
    moment("at"),
    Column("note", Text, nullable=False, server_default=""),
    CheckConstraint(
        "kind IN ('ordered','proven','returned','extended','revisit','closed','reminded','urged','escalated')",
        name="kind",
    ),
    schema="field",
)
"""Added and never changed."""

paper = Table(
    "paper",
    metadata,
    serial(),
    Column("objection_id", ForeignKey(objection.c.id), index=True),
    Column("step_id", ForeignKey(rectification_step.c.id), index=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),  # as told; never a path
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("added_by", ForeignKey(staff.c.id), nullable=False),
    moment("added_at"),
    CheckConstraint("num_nonnulls(objection_id, step_id) = 1", name="belongs"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    CheckConstraint("media_type IN ('image/jpeg','image/png','application/pdf')", name="media_type"),
    schema="field",
)

GUARD = """
CREATE OR REPLACE FUNCTION field.keep_rectification() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last field.rectification_step;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'ordered' OR NEW.escalated <> 0 OR NEW.assignment_id IS NOT NULL
       OR NOT EXISTS (SELECT FROM field.ledger_entry AS entry
                      WHERE entry.seq = NEW.seq AND entry.reverses IS NULL
                        AND entry.unit_id = NEW.unit_id AND entry.evaluation_id = NEW.evaluation_id)
       OR NOT EXISTS (SELECT FROM office.staff AS one WHERE one.id = NEW.ordered_by AND one.role = 'office') THEN
      RAISE EXCEPTION 'a rectification begins as an order of the office to the unit of entry %', NEW.seq
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.status = 'closed'
     OR ROW(NEW.id, NEW.evaluation_id, NEW.seq, NEW.unit_id, NEW.demand, NEW.ordered_by, NEW.ordered_at)
        IS DISTINCT FROM
        ROW(OLD.id, OLD.evaluation_id, OLD.seq, OLD.unit_id, OLD.demand, OLD.ordered_by, OLD.ordered_at) THEN
    RAISE EXCEPTION 'rectification % stays as it was ordered and closed', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.closed_by = NEW.ordered_by
     OR EXISTS (SELECT FROM office.staff AS one WHERE one.id = NEW.closed_by AND one.role <> 'office')
     OR EXISTS (SELECT FROM field.rectification_step AS step
                WHERE step.rectification_id = NEW.id AND step.kind = 'proven' AND step.staff_id = NEW.closed_by) THEN
    RAISE EXCEPTION 'rectification % is closed by another person of the office', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  SELECT * INTO last FROM field.rectification_step AS step
    WHERE step.rectification_id = NEW.id ORDER BY step.id DESC LIMIT 1;
  IF (NEW.status <> OLD.status AND last.kind IS DISTINCT FROM NEW.status)
     OR (NEW.closed_by IS NOT NULL AND last.staff_id IS DISTINCT FROM NEW.closed_by)
     OR (NEW.status = 'closed' AND OLD.status <> 'proven'
         AND NOT EXISTS (SELECT FROM field.ledger_entry AS entry WHERE entry.reverses = NEW.seq))
     OR (NEW.due_on <> OLD.due_on AND NOT (
           NEW.due_on > OLD.due_on AND last.kind IS NOT DISTINCT FROM 'extended'
           AND starts_with(last.note, to_char(OLD.due_on, 'YYYY-MM-DD') || ' → ' || to_char(NEW.due_on, 'YYYY-MM-DD'))))
     OR (NEW.escalated <> OLD.escalated AND NEW.escalated <> OLD.escalated + 1
         AND NOT (NEW.escalated = 0 AND NEW.due_on > OLD.due_on)) THEN
    RAISE EXCEPTION 'rectification % moves by the steps that are written', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER rectification_stays BEFORE INSERT OR UPDATE ON field.rectification
  FOR EACH ROW EXECUTE FUNCTION field.keep_rectification();
"""
"""Run by the migration that makes the table."""


@dataclass(frozen=True, slots=True)
class Rectification:
    """What a unit must put right after a deduction, and how far it has come."""

    id: int
    evaluation_id: int
    seq: int
    unit_id: int
    demand: str
    ordered_by: int
    ordered_at: datetime
    due_on: date  # whole, in China
    status: str  # ordered, proven, returned, closed
    assignment_id: UUID | None
    escalated: int  # urgings since it is due on that day
    closed_by: int | None
    closed_at: datetime | None
    orderer: str
    closer: str | None
    is_void: bool  # the deduction was taken back whole, not reduced: what it demanded is not urged any more

    def is_overdue(self, today: date) -> bool:
        """Whether the unit's last day has passed without a proof that the office looks at."""
        return self.status in {"ordered", "returned"} and today > self.due_on and not self.is_void


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a rectification."""

    id: int
    kind: str
    staff_id: int | None  # None: the clock
    at: datetime
    note: str
    name: str | None


_orderer, _closer = staff.alias("orderer"), staff.alias("closer")
_reversing = ledger_entry.alias("reversing")
standing_seq = func.coalesce(objection.c.replacement_seq, rectification.c.seq)
"""The entry that an order rests on now, where its objection is joined: the smaller one of a reduced deduction."""
is_void = select(_reversing.c.seq).where(_reversing.c.reverses == standing_seq).exists()
"""Whether that entry was taken back."""
_RECTIFICATION: Select[Any] = select(
    rectification, _orderer.c.name.label("orderer"), _closer.c.name.label("closer"), is_void.label("is_void")
).select_from(
    rectification.join(_orderer, _orderer.c.id == rectification.c.ordered_by)
    .outerjoin(_closer, _closer.c.id == rectification.c.closed_by)
    .outerjoin(objection, objection.c.seq == rectification.c.seq)
)


def put_rectification(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Write an order; its key, or None when the entry has one already."""
    statement = insert(rectification).values(**values).on_conflict_do_nothing()
    row = connection.execute(statement.returning(rectification.c.id)).first()
    return int(row.id) if row else None


def rectification_numbered(connection: Connection, key: int, *, lock: bool = False) -> Rectification | None:
    """The rectification of that key; with `lock` it is held until the transaction ends."""
    if lock:
        hold_row(connection, rectification, key)
    row = connection.execute(_RECTIFICATION.where(rectification.c.id == key)).first()
    return Rectification(*row) if row else None


def rectification_of(connection: Connection, seq: int) -> Rectification | None:
    """What was ordered after that entry, or after the one that it replaced: one order a deduction."""
    query = _RECTIFICATION.where(or_(rectification.c.seq == seq, objection.c.replacement_seq == seq))
    row = connection.execute(query).first()
    return Rectification(*row) if row else None


def rectifications_of(connection: Connection, unit_id: int) -> list[Rectification]:
    """A unit's rectifications, the newest first."""
    query = _RECTIFICATION.where(rectification.c.unit_id == unit_id).order_by(rectification.c.id.desc())
    return [Rectification(*row) for row in connection.execute(query)]


def rectifications_in(connection: Connection, evaluation_id: int) -> list[Rectification]:
    """An evaluation's rectifications, what is due first in front."""
    query = _RECTIFICATION.where(rectification.c.evaluation_id == evaluation_id)
    return [
        Rectification(*row) for row in connection.execute(query.order_by(rectification.c.due_on, rectification.c.id))
    ]


def overdue_in(connection: Connection, evaluation_id: int, today: date) -> list[Rectification]:
    """What an evaluation's units have not put right in time."""
    return [one for one in rectifications_in(connection, evaluation_id) if one.is_overdue(today)]


def waiting_for_units(connection: Connection) -> list[int]:
    """What waits for its unit, in order; the clock looks at each."""
    query = select(rectification.c.id).where(rectification.c.status.in_(("ordered", "returned")))
    return list(connection.execute(query.order_by(rectification.c.id)).scalars())


def hold_free(connection: Connection, key: int) -> Rectification | None:
    """The rectification, held until the transaction ends; None where somebody else holds it just now."""
    query = _RECTIFICATION.where(rectification.c.id == key).with_for_update(of=rectification, skip_locked=True)
    row = connection.execute(query).first()
    return Rectification(*row) if row else None


def change_rectification(connection: Connection, key: int, values: Mapping[str, Any]) -> None:
    """Write how far a rectification has come; the caller holds it."""
    connection.execute(update(rectification).where(rectification.c.id == key).values(**values))


def add_step(  # noqa: PLR0913, PLR0917 - which, what, who, when and why
    connection: Connection, key: int, kind: str, staff_id: int | None, now: datetime, note: str = ""
) -> int:
    """Write one step; it is never changed. Returns its key."""
    values = {"rectification_id": key, "kind": kind, "staff_id": staff_id, "at": now, "note": note}
    row = connection.execute(insert(rectification_step).values(**values).returning(rectification_step.c.id))
    return int(row.scalar_one())


def steps_of(connection: Connection, key: int, told_on: date | None = None) -> list[Step]:
    """The steps of a rectification in order; with a day, those that its unit may read on that day.

    Inspectors come back unannounced: that they were sent is told to the unit when their day is over.
    """
    query = (
        select(
            rectification_step.c.id,
            rectification_step.c.kind,
            rectification_step.c.staff_id,
            rectification_step.c.at,
            rectification_step.c.note,
            staff.c.name,
        )
        .outerjoin(staff, staff.c.id == rectification_step.c.staff_id)
        .where(rectification_step.c.rectification_id == key)
        .order_by(rectification_step.c.id)
    )
    steps = [Step(*row) for row in connection.execute(query)]
    return [one for one in steps if told_on is None or one.kind != "revisit" or date.fromisoformat(one.note) < told_on]
