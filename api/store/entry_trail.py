"""What an entry's page reads beside the ledger itself: who went, and what their phones handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from api.store.directories import inspector
from api.store.inspection_draws import inspection_draw, inspection_item
from api.store.inspections import assignment, crew
from api.store.people import staff
from api.store.surveys import form_version
from api.store.uploads import checklist, lost_among, upload


@dataclass(frozen=True, slots=True)
class Task:
    """How an assignment came to be: its kind, its item, the draw that chose it, and who went."""

    kind: str
    announced: bool
    item_zh: str | None
    item_en: str | None
    draw_id: int | None
    draw_title: str | None
    drawn_at: datetime | None
    crew: tuple[tuple[str, str], ...]  # name, third party's organisation or ""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What one phone handed in for a visit, and the receipt that it was given."""

    id: UUID
    status: str  # waiting, settled, held
    digest: bytes
    received_at: datetime
    chain_head: bytes | None
    clock_offset_ms: int | None
    flags: tuple[str, ...]
    receipt: str | None
    by: str
    lost: Sequence[Mapping[str, Any]]  # of its problems, those that name what never came


@dataclass(frozen=True, slots=True)
class ChecklistAnswers:
    """A checklist as it was filled in."""

    form_version: str
    form: str
    xform: bytes
    answers: Mapping[str, Any]
    complete: bool
    faults: Sequence[Mapping[str, str]]  # question (`path`), code, and the sentence in both languages


def task_of(connection: Connection, assignment_id: UUID) -> Task:
    """The task behind an assignment."""
    row = connection.execute(
        select(
            assignment.c.kind,
            assignment.c.announced,
            inspection_item.c.name_zh,
            inspection_item.c.name_en,
            assignment.c.draw_id,
            inspection_draw.c.title,
            inspection_draw.c.drawn_at,
        )
        .select_from(
            assignment.outerjoin(inspection_item, inspection_item.c.id == assignment.c.item_id).outerjoin(
                inspection_draw, inspection_draw.c.id == assignment.c.draw_id
            )
        )
        .where(assignment.c.id == assignment_id)
    ).one()
    people = connection.execute(
        select(staff.c.name, inspector.c.organisation)
        .select_from(
            crew.join(staff, staff.c.id == crew.c.staff_id).outerjoin(
                inspector, inspector.c.staff_id == crew.c.staff_id
            )
        )
        .where(crew.c.assignment_id == assignment_id, crew.c.left_at.is_(None))
        .order_by(crew.c.position)
    )
    return Task(*row, tuple((one.name, one.organisation or "") for one in people))


def handed_in(connection: Connection, visit_id: UUID) -> list[HandedIn]:
    """What phones handed in for a visit, in the order of arrival."""
    query = (
        select(
            upload.c.id,
            upload.c.status,
            upload.c.digest,
            upload.c.received_at,
            upload.c.chain_head,
            upload.c.clock_offset_ms,
            upload.c.flags,
            upload.c.receipt,
            staff.c.name,
            upload.c.problems,
        )
        .join(staff, staff.c.id == upload.c.staff_id)
        .where(upload.c.visit_id == visit_id)
        .order_by(upload.c.received_at, upload.c.id)
    )
    return [
        HandedIn(*row[:6], tuple(row.flags), row.receipt, row.name, lost_among(row.problems))
        for row in connection.execute(query)
    ]


def checklists_of(connection: Connection, visit_id: UUID) -> list[ChecklistAnswers]:
    """A visit's checklists, each with the form that it was filled in by."""
    query = (
        select(
            checklist.c.form_version,
            form_version.c.name,
            form_version.c.xform,
            checklist.c.answers,
            checklist.c.complete,
            checklist.c.faults,
        )
        .join(form_version, form_version.c.version == checklist.c.form_version)
        .where(checklist.c.visit_id == visit_id)
        .order_by(checklist.c.upload_id)
    )
    return [ChecklistAnswers(*row) for row in connection.execute(query)]
