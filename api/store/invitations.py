"""Codes on their way to people: batches of them, which are spent or revoked, and whose they are where cases are listed.

Printed codes belong to a stratum and to nobody. Only a listed case has its code's MAC beside it (`case_code`), and
only in a sealed survey, where a spent code tells that somebody took part and never what they said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.people import staff
from api.store.roll import access_code, case_code, code_batch


@dataclass(frozen=True, slots=True)
class Batch:
    """Codes that were made in one go; never which."""

    id: int
    survey_id: int
    kind: str  # printed or listed
    strata: Mapping[str, int]
    sheets: int
    made_at: datetime
    maker: str | None
    handed_over_at: datetime | None  # the print file went out and is kept nowhere
    revoked_at: datetime | None
    revoker: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Handed:
    """A stratum's codes: handed out and still good or spent, spent, revoked."""

    out: int = 0
    spent: int = 0
    revoked: int = 0


@dataclass(frozen=True, slots=True)
class Whose:
    """What a code of a listed case carries to its answer: the weighting cell, the mode, who interviews."""

    wcell: str | None = None
    mode: str = "web"
    interviewer: int | None = None


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code as the database knows it; the code itself is not here."""

    mac: bytes
    stratum: str
    block: int | None
    blocks: int | None = None
    whose: Whose = field(default_factory=Whose)


_maker, _revoker = staff.alias("maker"), staff.alias("revoker")
_BATCH = (
    select(
        code_batch.c.id,
        code_batch.c.survey_id,
        code_batch.c.kind,
        code_batch.c.strata,
        code_batch.c.sheets,
        code_batch.c.made_at,
        _maker.c.name,
        code_batch.c.destroyed_at,
        code_batch.c.revoked_at,
        _revoker.c.name,
        code_batch.c.reason,
    )
    .outerjoin(_maker, _maker.c.id == code_batch.c.made_by)
    .outerjoin(_revoker, _revoker.c.id == code_batch.c.revoked_by)
)


def add_batch(  # noqa: PLR0913, PLR0917 - the columns of a batch
    connection: Connection, survey_id: int, kind: str, strata: Mapping[str, int], staff_id: int | None, now: datetime
) -> int:
    """Write that codes are being made; returns the batch's number."""
    number: int = connection.execute(
        insert(code_batch)
        .values(
            survey_id=survey_id,
            kind=kind,
            strata=dict(strata),
            sheets=sum(strata.values()),
            made_by=staff_id,
            made_at=now,
        )
        .returning(code_batch.c.id)
    ).scalar_one()
    return number


def add_codes(connection: Connection, survey_id: int, batch_id: int, codes: Sequence[NewCode]) -> set[bytes]:
    """Write new codes in the order of their MACs, which tells nothing; returns those that were new to the database."""
    rows = [
        {
            "mac": code.mac,
            "survey_id": survey_id,
            "batch_id": batch_id,
            "stratum": code.stratum,
            "block": code.block,
            "blocks": code.blocks,
            "wcell": code.whose.wcell,
            "mode": code.whose.mode,
            "interviewer": code.whose.interviewer,
        }
        for code in sorted(codes, key=lambda code: code.mac)
    ]
    if not rows:
        return set()
    statement = upsert(access_code).values(rows).on_conflict_do_nothing().returning(access_code.c.mac)
    return {bytes(row.mac) for row in connection.execute(statement)}


def newest_batch(connection: Connection, survey_id: int) -> int:
    """The number of a survey's newest batch, 0 before the first."""
    newest = select(func.coalesce(func.max(code_batch.c.id), 0)).where(code_batch.c.survey_id == survey_id)
    return int(connection.execute(newest).scalar_one())


def mark_handed_over(connection: Connection, batch_id: int, now: datetime) -> None:
    """Write that a batch's print file went out and is kept nowhere."""
    connection.execute(update(code_batch).where(code_batch.c.id == batch_id).values(destroyed_at=now))


def batches_of(connection: Connection, survey_id: int) -> list[Batch]:
    """A survey's batches that were handed out, the newest first; interviewers' codes never leave their browser."""
    handed = (code_batch.c.survey_id == survey_id) & (code_batch.c.kind != "interview")
    rows = connection.execute(_BATCH.where(handed).order_by(code_batch.c.id.desc()))
    return [Batch(*row) for row in rows]


def hold_batch(connection: Connection, batch_id: int) -> Batch | None:
    """A batch, kept from everybody else who would revoke it until the transaction ends."""
    row = connection.execute(_BATCH.where(code_batch.c.id == batch_id).with_for_update(of=code_batch)).first()
    return Batch(*row) if row else None


def mark_revoked(connection: Connection, batch_id: int, staff_id: int, reason: str, now: datetime) -> None:
    """Write who revoked a batch, and why."""
    connection.execute(
        update(code_batch).where(code_batch.c.id == batch_id).values(revoked_at=now, revoked_by=staff_id, reason=reason)
    )


def revoke_codes_of(connection: Connection, batch_id: int) -> int:
    """Revoke the unspent codes of a batch; one that is being spent this very moment stays spent. Returns how many."""
    return connection.execute(
        update(access_code)
        .where(access_code.c.batch_id == batch_id, ~access_code.c.spent, ~access_code.c.revoked)
        .values(revoked=True)
    ).rowcount


def revoke_code(connection: Connection, survey_id: int, mac: bytes) -> NewCode | None:
    """Revoke one code; None where it is unknown, another survey's, spent or revoked already."""
    row = connection.execute(
        update(access_code)
        .where(
            access_code.c.mac == mac,
            access_code.c.survey_id == survey_id,
            ~access_code.c.spent,
            ~access_code.c.revoked,
        )
        .values(revoked=True)
        .returning(access_code.c.stratum, access_code.c.block)
    ).first()
    return NewCode(mac, row.stratum, row.block) if row else None


def is_listed(connection: Connection, mac: bytes) -> bool:
    """Whether a code belongs to a listed case."""
    return connection.execute(select(case_code.c.mac).where(case_code.c.mac == mac)).first() is not None


def handed_out(connection: Connection, survey_id: int) -> dict[str, Handed]:
    """How many codes each stratum has. A revoked code no longer counts as handed out."""
    rows = connection.execute(
        select(
            access_code.c.stratum,
            func.count().filter(~access_code.c.revoked),
            func.count().filter(access_code.c.spent),
            func.count().filter(access_code.c.revoked),
        )
        .where(access_code.c.survey_id == survey_id)
        .group_by(access_code.c.stratum)
    )
    return {stratum: Handed(*counts) for stratum, *counts in rows}


def blocks_used(connection: Connection, survey_id: int) -> dict[str, dict[int, int]]:
    """How many good or spent codes each block of each stratum has; strata without blocks are not here."""
    rows = connection.execute(
        select(access_code.c.stratum, access_code.c.block, func.count())
        .where(access_code.c.survey_id == survey_id, access_code.c.block.is_not(None), ~access_code.c.revoked)
        .group_by(access_code.c.stratum, access_code.c.block)
    )
    found: dict[str, dict[int, int]] = {}
    for stratum, block, number in rows:
        found.setdefault(stratum, {})[block] = number
    return found


def blocks_over(connection: Connection, survey_id: int) -> dict[str, int]:
    """Over how many blocks the codes of listed cases are spread, by stratum."""
    rows = connection.execute(
        select(access_code.c.stratum, func.max(access_code.c.blocks).label("max"))
        .where(access_code.c.survey_id == survey_id, access_code.c.blocks.is_not(None))
        .group_by(access_code.c.stratum)
    )
    return {row.stratum: row.max for row in rows}


_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('invitations'), :survey)")


def hold_invitations(connection: Connection, survey_id: int) -> None:
    """Let one person at a time hand out a survey's codes, until the transaction ends."""
    connection.execute(_IN_TURN, {"survey": survey_id})
