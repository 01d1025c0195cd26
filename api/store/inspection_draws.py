"""The item list (抽查事项清单) and the double-random draws: plan, commitment, record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    select,
)

from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import evaluation
from api.store.people import staff
from api.store.surveys import form_version

inspection_item = Table(
    "inspection_item",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False),
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("key_item", Boolean, nullable=False, server_default="false"),  # 重点检查事项, else 一般检查事项
    Column("component", Text, nullable=False),  # path in the scheme's tree that its findings deduct from
    Column("skill", Text, nullable=False, server_default=""),  # that one of the crew must have; "": none
    facts("rates"),  # risk class → {"share": "0.05", "times": 2} a year
    Column("form_version", ForeignKey(form_version.c.version)),  # the checklist
    moment("withdrawn_at", null=True),
    UniqueConstraint("evaluation_id", "code"),
    schema="field",
)

inspection_draw = Table(
    "inspection_draw",
    metadata,
    serial(),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("item_id", ForeignKey(inspection_item.c.id), nullable=False),
    Column("title", Text, nullable=False),
    Column("announced", Boolean, nullable=False, server_default="false"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    facts("plan"),  # canonical: item, shares, days, both directories as they stood, recusals
    Column("plan_hash", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),  # SHA-256 of the secret
    Column("sealed_secret", LargeBinary, nullable=False),  # under the service's key, until publication
    Column("randomness_source", Text, nullable=False),  # what public draw of numbers, of what moment
    moment("randomness_at"),
    Column("committed_by", ForeignKey(staff.c.id), nullable=False),
    moment("committed_at"),
    Column("randomness", Text),
    Column("drawn_by", ForeignKey(staff.c.id)),
    moment("drawn_at", null=True),
    Column("record_hash", LargeBinary),  # of the canonical record: shown at once, the record itself when all is over
    moment("published_at", null=True),
    facts("record", null=True),  # with the secret: from here on anybody can repeat the draw
    CheckConstraint("last_day >= first_day", name="days"),
    CheckConstraint("drawn_by IS NULL OR drawn_by <> committed_by", name="second_person"),
    CheckConstraint("(drawn_at IS NULL) = (randomness IS NULL)", name="drawn"),
    CheckConstraint("published_at IS NULL OR (drawn_at IS NOT NULL AND record IS NOT NULL)", name="published"),
    CheckConstraint("committed_at < randomness_at", name="committed_before"),
    schema="field",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One matter of the list; `rates` says for each risk class what share is drawn and how often a year at most."""

    id: int
    evaluation_id: int
    code: str
    name_zh: str
    name_en: str
    key_item: bool
    component: str
    skill: str  # that one of the crew must have; "": none
    rates: Mapping[str, Any]
    form_version: str | None
    withdrawn: bool


def items_of(connection: Connection, evaluation_id: int) -> list[Item]:
    """An evaluation's list, by code, withdrawn items last."""
    query = (
        select(inspection_item)
        .where(inspection_item.c.evaluation_id == evaluation_id)
        .order_by(inspection_item.c.withdrawn_at.is_not(None), inspection_item.c.code)
    )
    return [_item(row) for row in connection.execute(query)]


def item_numbered(connection: Connection, item_id: int) -> Item | None:
    """The item of that number."""
    row = connection.execute(select(inspection_item).where(inspection_item.c.id == item_id)).first()
    return _item(row) if row else None


def _item(row: Any) -> Item:
    values = row._asdict()
    return Item(withdrawn=values.pop("withdrawn_at") is not None, **values)
