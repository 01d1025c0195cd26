"""The item list (抽查事项清单) and the double-random draws: plan, commitment, record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
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
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

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


@dataclass(frozen=True, slots=True)
class HeldDraw:
    """A double-random draw: committed, perhaps drawn, perhaps published. The columns of `inspection_draw`."""

    id: int
    evaluation_id: int
    item_id: int
    title: str
    announced: bool
    first_day: date
    last_day: date
    plan: dict[str, Any]
    plan_hash: bytes
    commitment: bytes
    sealed_secret: bytes
    randomness_source: str
    randomness_at: datetime
    committed_by: int
    committed_at: datetime
    randomness: str | None
    drawn_by: int | None
    drawn_at: datetime | None
    record_hash: bytes | None
    published_at: datetime | None
    record: dict[str, Any] | None


def add_item(connection: Connection, values: Mapping[str, Any]) -> int | None:
    """Put an item on the list; None where the evaluation has its code already."""
    statement = upsert(inspection_item).values(**values).on_conflict_do_nothing().returning(inspection_item.c.id)
    added: int | None = connection.execute(statement).scalar()
    return added


def change_item(connection: Connection, item_id: int, values: Mapping[str, Any]) -> None:
    """Give an item other values."""
    connection.execute(update(inspection_item).where(inspection_item.c.id == item_id).values(**values))


def checklists(connection: Connection, most: int) -> list[tuple[str, str]]:
    """(version, name) of the forms that an item may take as its checklist, the newest first."""
    query = select(form_version.c.version, form_version.c.name).order_by(form_version.c.uploaded_at.desc()).limit(most)
    return [(row.version, row.name) for row in connection.execute(query)]


def add_draw(connection: Connection, values: Mapping[str, Any]) -> int:
    """Keep a committed plan."""
    added: int = connection.execute(
        insert(inspection_draw).values(**values).returning(inspection_draw.c.id)
    ).scalar_one()
    return added


def set_draw(connection: Connection, draw_id: int, values: Mapping[str, Any]) -> None:
    """Note what came of a draw."""
    connection.execute(update(inspection_draw).where(inspection_draw.c.id == draw_id).values(**values))


def draw_numbered(connection: Connection, draw_id: int, *, hold: bool = False) -> HeldDraw | None:
    """The draw of that number; `hold` keeps all others from changing it or its crews until the transaction ends."""
    query = select(inspection_draw).where(inspection_draw.c.id == draw_id)
    row = connection.execute(query.with_for_update() if hold else query).first()
    return HeldDraw(**row._asdict()) if row else None


def inspection_draws(connection: Connection, most: int, evaluation_id: int | None = None) -> list[HeldDraw]:
    """Committed plans and draws, the newest first; of all evaluations where none is named."""
    query = select(inspection_draw).order_by(inspection_draw.c.id.desc()).limit(most)
    if evaluation_id is not None:
        query = query.where(inspection_draw.c.evaluation_id == evaluation_id)
    return [HeldDraw(**row._asdict()) for row in connection.execute(query)]


def draws_across(connection: Connection, item_id: int, first: date, last: date) -> list[HeldDraw]:
    """The draws of an item whose days overlap with a period, the newest first, held by this transaction."""
    query = (
        select(inspection_draw)
        .where(
            inspection_draw.c.item_id == item_id,
            inspection_draw.c.first_day <= last,
            inspection_draw.c.last_day >= first,
        )
        .order_by(inspection_draw.c.id.desc())
        .with_for_update()
    )
    return [HeldDraw(**row._asdict()) for row in connection.execute(query)]


def unpublished(connection: Connection, before: date) -> list[int]:
    """The draws whose last day was before a day and that are not published yet."""
    query = select(inspection_draw.c.id).where(
        inspection_draw.c.drawn_at.is_not(None),
        inspection_draw.c.published_at.is_(None),
        inspection_draw.c.last_day < before,
    )
    return list(connection.execute(query).scalars())
