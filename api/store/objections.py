"""A unit objects to an entry: explained by the office, decided by somebody who had no hand in it before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Select,
    Table,
    Text,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.base import POINTS, hold_row, metadata, moment, serial
from api.store.evaluations import unit
from api.store.ledger import ledger_entry
from api.store.people import staff

objection = Table(
    "objection",
    metadata,
    serial(),
    Column("seq", BigInteger, nullable=False, unique=True),  # one objection an entry; its decision is final
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("entry_filed_by", Integer, nullable=False),
    Column("entry_decided_by", Integer, nullable=False),
    Column("grounds", Text, nullable=False),
    Column("filed_by", ForeignKey(staff.c.id), nullable=False),
    moment("filed_at"),
    moment("due_at"),  # of the explanation
    Column("explanation", Text, nullable=False, server_default=""),
    Column("explained_by", ForeignKey(staff.c.id)),
    moment("explained_at", null=True),
    Column("status", Text, nullable=False, server_default="filed"),
    Column("decided_by", ForeignKey(staff.c.id)),
    moment("decided_at", null=True),
    Column("decision_note", Text, nullable=False, server_default=""),
    Column("points", POINTS),  # that stand after the decision: null while undecided, 0 when it is upheld whole
    Column("reversal_seq", ForeignKey(ledger_entry.c.seq)),
    Column("replacement_seq", ForeignKey(ledger_entry.c.seq)),
    ForeignKeyConstraint(
        ["seq", "entry_filed_by", "entry_decided_by"],
        ["field.ledger_entry.seq", "field.ledger_entry.filed_by", "field.ledger_entry.decided_by"],
        name="fk_objection_entry",
    ),
    CheckConstraint("status IN ('filed','explained','upheld','reduced','dismissed')", name="status"),
    CheckConstraint("(status IN ('upheld','reduced','dismissed')) = (decided_by IS NOT NULL)", name="decided"),
    CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided_at"),
    CheckConstraint("(explained_by IS NULL) = (explained_at IS NULL)", name="explained"),
    CheckConstraint("decided_by IS NULL OR explained_by IS NOT NULL", name="explained_first"),
    CheckConstraint("decided_by IS NULL OR decision_note <> ''", name="decided_with_reason"),
    CheckConstraint(
        "decided_by IS NULL OR decided_by NOT IN (filed_by, entry_filed_by, entry_decided_by, explained_by)",
        name="decided_by_another",
    ),
    CheckConstraint("(status IN ('upheld','reduced')) = (reversal_seq IS NOT NULL)", name="reversal"),
    CheckConstraint("(status = 'reduced') = (replacement_seq IS NOT NULL)", name="replacement"),
    schema="field",
)

GUARD = """
CREATE OR REPLACE FUNCTION field.keep_objection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'filed' OR NEW.explained_by IS NOT NULL OR NEW.explanation <> ''
       OR NOT EXISTS (SELECT FROM field.ledger_entry AS entry
                      WHERE entry.seq = NEW.seq AND entry.unit_id = NEW.unit_id AND entry.reverses IS NULL)
       OR NOT EXISTS (SELECT FROM office.staff AS one
                      WHERE one.id = NEW.filed_by AND one.role = 'unit' AND one.unit_id = NEW.unit_id) THEN
      RAISE EXCEPTION 'an objection begins as its own unit files it against entry %', NEW.seq
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.decided_by IS NOT NULL
     OR ROW(NEW.id, NEW.seq, NEW.unit_id, NEW.entry_filed_by, NEW.entry_decided_by, NEW.grounds, NEW.filed_by,
            NEW.filed_at, NEW.due_at)
        IS DISTINCT FROM
        ROW(OLD.id, OLD.seq, OLD.unit_id, OLD.entry_filed_by, OLD.entry_decided_by, OLD.grounds, OLD.filed_by,
            OLD.filed_at, OLD.due_at)
     OR (OLD.explained_by IS NOT NULL AND
         ROW(NEW.explained_by, NEW.explained_at, NEW.explanation)
         IS DISTINCT FROM ROW(OLD.explained_by, OLD.explained_at, OLD.explanation)) THEN
    RAISE EXCEPTION 'what was said of objection % stays as it was said', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF EXISTS (SELECT FROM office.staff AS one
             WHERE one.role <> 'office' AND (one.id = NEW.decided_by OR
               (one.id = NEW.explained_by AND OLD.explained_by IS NULL))) THEN
    RAISE EXCEPTION 'only the office explains and decides objection %', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF (NEW.reversal_seq IS NOT NULL AND NOT EXISTS (
        SELECT FROM field.ledger_entry AS entry WHERE entry.seq = NEW.reversal_seq AND entry.reverses = NEW.seq))
     OR (NEW.replacement_seq IS NOT NULL AND NOT EXISTS (
        SELECT FROM field.ledger_entry AS entry WHERE entry.seq = NEW.replacement_seq
          AND entry.unit_id = NEW.unit_id AND entry.body->>'instead_of' = CAST(NEW.seq AS text))) THEN
    RAISE EXCEPTION 'objection % ends with entries about the one that it is against', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER objection_stays BEFORE INSERT OR UPDATE ON field.objection
  FOR EACH ROW EXECUTE FUNCTION field.keep_objection();
"""
"""Run by the migration that makes the table. Who explained was of the office then; what became of them since is no
matter. Nobody is talked into a decision by changing who explained it."""

DECIDED = ("upheld", "reduced", "dismissed")


@dataclass(frozen=True, slots=True)
class Objection:
    """A unit's objection to one ledger entry, as far as it has come."""

    id: int
    seq: int
    unit_id: int
    entry_filed_by: int
    entry_decided_by: int
    grounds: str
    filed_by: int
    filed_at: datetime
    due_at: datetime  # of the explanation
    explanation: str
    explained_by: int | None
    explained_at: datetime | None
    status: str  # filed, explained, upheld, reduced, dismissed
    decided_by: int | None
    decided_at: datetime | None
    decision_note: str
    points: Decimal | None
    reversal_seq: int | None
    replacement_seq: int | None
    filer: str
    explainer: str | None
    decider: str | None

    @property
    def is_decided(self) -> bool:
        """Whether its decision stands."""
        return self.decided_by is not None

    @property
    def involved(self) -> frozenset[int]:
        """Who may not decide: whoever filed or confirmed the entry, objected or explained."""
        people = {self.filed_by, self.entry_filed_by, self.entry_decided_by, self.explained_by}
        return frozenset(one for one in people if one is not None)


_filer, _explainer, _decider = staff.alias("filer"), staff.alias("explainer"), staff.alias("decider")
_OBJECTION: Select[Any] = select(
    objection,
    _filer.c.name.label("filer"),
    _explainer.c.name.label("explainer"),
    _decider.c.name.label("decider"),
).select_from(
    objection.join(_filer, _filer.c.id == objection.c.filed_by)
    .outerjoin(_explainer, _explainer.c.id == objection.c.explained_by)
    .outerjoin(_decider, _decider.c.id == objection.c.decided_by)
)


def put_objection(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Write an objection; its key, or None when the entry has one already."""
    statement = insert(objection).values(**values).on_conflict_do_nothing()
    row = connection.execute(statement.returning(objection.c.id)).first()
    return int(row.id) if row else None


def objection_numbered(connection: Connection, objection_id: int, *, lock: bool = False) -> Objection | None:
    """The objection of that key; with `lock` it is held until the transaction ends."""
    if lock:
        hold_row(connection, objection, objection_id)
    row = connection.execute(_OBJECTION.where(objection.c.id == objection_id)).first()
    return Objection(*row) if row else None


def objection_of(connection: Connection, seq: int) -> Objection | None:
    """The objection to that entry."""
    row = connection.execute(_OBJECTION.where(objection.c.seq == seq)).first()
    return Objection(*row) if row else None


def objection_that_led_to(connection: Connection, seq: int) -> Objection | None:
    """The objection whose decision made that entry: the reversing one, or the one with fewer points."""
    made = or_(objection.c.reversal_seq == seq, objection.c.replacement_seq == seq)
    row = connection.execute(_OBJECTION.where(made)).first()
    return Objection(*row) if row else None


def objections_of(connection: Connection, unit_id: int) -> list[Objection]:
    """A unit's objections, the newest first."""
    query = _OBJECTION.where(objection.c.unit_id == unit_id).order_by(objection.c.id.desc())
    return [Objection(*row) for row in connection.execute(query)]


def objections_in(connection: Connection, evaluation_id: int) -> list[Objection]:
    """An evaluation's objections, the oldest first."""
    query = _OBJECTION.join(ledger_entry, ledger_entry.c.seq == objection.c.seq)
    query = query.where(ledger_entry.c.evaluation_id == evaluation_id).order_by(objection.c.id)
    return [Objection(*row) for row in connection.execute(query)]


def undecided_in(connection: Connection, evaluation_id: int) -> int:
    """How many objections of an evaluation wait for their decision."""
    query = (
        select(func.count())
        .select_from(objection.join(ledger_entry, ledger_entry.c.seq == objection.c.seq))
        .where(ledger_entry.c.evaluation_id == evaluation_id, objection.c.decided_by.is_(None))
    )
    return int(connection.execute(query).scalar_one())


def hold_undecided(connection: Connection, due_before: datetime) -> list[Objection]:
    """What is undecided though its explanation was due before that, held; without what somebody else holds just now."""
    query = _OBJECTION.where(objection.c.decided_by.is_(None), objection.c.due_at < due_before)
    query = query.order_by(objection.c.id).with_for_update(of=objection, skip_locked=True)
    return [Objection(*row) for row in connection.execute(query)]


def change_objection(connection: Connection, objection_id: int, values: Mapping[str, Any]) -> None:
    """Write an explanation or a decision; the caller holds the objection."""
    connection.execute(update(objection).where(objection.c.id == objection_id).values(**values))
