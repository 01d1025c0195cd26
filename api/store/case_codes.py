"""The codes of a case: held together, suspended while an interview runs, given back after it.

The order of locks, the same everywhere: the round against freezing (`windows.keep_unfrozen`), the case's file
(`cases.hold_file`), the case (`listed.hold_cases`), its codes (`hold_codes`), quota cells; several of a kind by their
numbers. What is not needed is left out. Whoever makes a code for a case holds the case and reads its codes after that.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from api.store.roll import access_code, case_code, code_batch


class CaseCode(NamedTuple):
    """A code of a case and whether it is spent, revoked, an interviewer's; `voided` tells of its batch."""

    mac: bytes
    spent: bool
    revoked: bool
    kind: str | None
    blocks: int | None
    voided: bool


def hold_codes(connection: Connection, case_id: int) -> list[CaseCode]:
    """A case's codes, the newest last; nobody spends one of them until the transaction ends."""
    own = select(case_code.c.mac).where(case_code.c.case_id == case_id)
    connection.execute(
        select(access_code.c.mac).where(access_code.c.mac.in_(own)).order_by(access_code.c.mac).with_for_update()
    )
    # Asked again: the statement above saw the codes as they were before it waited.
    rows = connection.execute(
        select(
            access_code.c.mac,
            access_code.c.spent,
            access_code.c.revoked,
            code_batch.c.kind,
            access_code.c.blocks,
            code_batch.c.revoked_at.is_not(None),
        )
        .outerjoin(code_batch, code_batch.c.id == access_code.c.batch_id)
        .where(access_code.c.mac.in_(own))
        .order_by(access_code.c.batch_id.nulls_first(), access_code.c.mac)
    )
    return [CaseCode(bytes(row[0]), *row[1:]) for row in rows]


def interviewer_of(connection: Connection, mac: bytes) -> int | None:
    """Who asks, or asked, under the code of an interview."""
    found: int | None = connection.execute(select(access_code.c.interviewer).where(access_code.c.mac == mac)).scalar()
    return found


def set_revoked(connection: Connection, macs: Sequence[bytes], *, revoked: bool) -> None:
    """Suspend codes or give them back; one that is spent stays as it is."""
    if macs:
        connection.execute(
            update(access_code).where(access_code.c.mac.in_(macs), ~access_code.c.spent).values(revoked=revoked)
        )


def interview_batch(connection: Connection, survey_id: int) -> int | None:
    """The batch that a survey's interview codes belong to."""
    found: int | None = connection.execute(
        select(func.min(code_batch.c.id)).where(code_batch.c.survey_id == survey_id, code_batch.c.kind == "interview")
    ).scalar()
    return found
