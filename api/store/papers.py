"""What is asked of papers that units handed in; their table stands beside the steps that they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select

from api.store.objections import objection
from api.store.rectifications import paper, rectification, rectification_step


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that a unit handed in."""

    id: int
    objection_id: int | None
    step_id: int | None
    sha256: bytes
    name: str
    media_type: str
    size: int
    added_by: int


_PAPER: Select[Any] = select(
    paper.c.id,
    paper.c.objection_id,
    paper.c.step_id,
    paper.c.sha256,
    paper.c.name,
    paper.c.media_type,
    paper.c.size,
    paper.c.added_by,
)


def put_paper(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write that a file was handed in."""
    connection.execute(insert(paper).values(**values))


def papers_of_objection(connection: Connection, objection_id: int) -> list[Paper]:
    """What a unit handed in with its objection."""
    query = _PAPER.where(paper.c.objection_id == objection_id).order_by(paper.c.id)
    return [Paper(*row) for row in connection.execute(query)]


def papers_of_rectification(connection: Connection, key: int) -> list[Paper]:
    """What a unit handed in as proofs, step by step."""
    query = _PAPER.join(rectification_step, rectification_step.c.id == paper.c.step_id)
    query = query.where(rectification_step.c.rectification_id == key).order_by(paper.c.id)
    return [Paper(*row) for row in connection.execute(query)]


def paper_numbered(connection: Connection, paper_id: int, unit_id: int | None = None) -> Paper | None:
    """The paper of that key; with a unit, only if the matter is that unit's."""
    query = (
        _PAPER.outerjoin(objection, objection.c.id == paper.c.objection_id)
        .outerjoin(rectification_step, rectification_step.c.id == paper.c.step_id)
        .outerjoin(rectification, rectification.c.id == rectification_step.c.rectification_id)
        .where(paper.c.id == paper_id)
    )
    if unit_id is not None:
        query = query.where(or_(objection.c.unit_id == unit_id, rectification.c.unit_id == unit_id))
    row = connection.execute(query).first()
    return Paper(*row) if row else None
