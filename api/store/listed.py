"""Listed cases: who was drawn by name, how to reach them, what was sent, and whether their code is spent.

Contacts and the words of a message are sealed under a key of the service; the words go when the message has gone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.fieldwork import case_file
from api.store.roll import IN_SAMPLE, access_code, case, case_code, contact, draw, frame, message


@dataclass(frozen=True, slots=True)
class Case:
    """A drawn member: stratum, place in the order of tickets, the sealed contact."""

    id: int
    stratum: str
    member: str
    contact: bytes | None
    wcell: str | None = None  # weighting cell; None: its stratum


@dataclass(frozen=True, slots=True)
class Standing:
    """What the office sees of a listed case: how far its messages came, and not whether its code is spent."""

    id: int
    stratum: str
    member: str
    contact: bytes | None
    has_code: bool
    sent_at: datetime | None  # when the last message went out
    failed: str | None  # why it did not
    waiting: bool  # it is on its way


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be sent; `sealed` is None once it went or was given up."""

    id: int
    survey_id: int
    case_id: int
    kind: str  # invitation or reminder
    channel: str  # sms or mail
    sealed: bytes | None
    made_at: datetime


_CASES = (
    select(case.c.id, case.c.stratum, case.c.member, contact.c.sealed)
    .join(draw, draw.c.id == case.c.draw_id)
    .join(frame, frame.c.id == draw.c.frame_id)
    .outerjoin(contact, contact.c.case_id == case.c.id)
    .where(IN_SAMPLE)
)
_GOOD = ~access_code.c.spent & ~access_code.c.revoked


def cases_of(connection: Connection, survey_id: int) -> list[Case]:
    """The cases of a survey's draws, by stratum in the order of their tickets."""
    rows = connection.execute(
        _CASES.add_columns(case.c.wcell)
        .where(frame.c.survey_id == survey_id)
        .order_by(case.c.stratum, case.c.position, case.c.id)
    )
    return [Case(*row) for row in rows]


def number_of_cases(connection: Connection, survey_id: int) -> int:
    """How many cases a survey's draws have."""
    return int(
        connection.execute(
            select(func.count())
            .select_from(case)
            .join(draw, draw.c.id == case.c.draw_id)
            .join(frame, frame.c.id == draw.c.frame_id)
            .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        ).scalar_one()
    )


def put_contacts(connection: Connection, contacts: Mapping[int, bytes]) -> None:
    """Keep the sealed contacts of cases; a case's former one goes."""
    if contacts:
        statement = upsert(contact).values([{"case_id": one, "sealed": sealed} for one, sealed in contacts.items()])
        connection.execute(
            statement.on_conflict_do_update(index_elements=["case_id"], set_={"sealed": statement.excluded.sealed})
        )


def standings(connection: Connection, survey_id: int, most: int, offset: int = 0) -> list[Standing]:
    """How each listed case stands, by stratum and ticket."""
    has_code = (
        select(case_code.c.mac)
        .join(access_code, access_code.c.mac == case_code.c.mac)
        .where(case_code.c.case_id == case.c.id, ~access_code.c.revoked)
        .exists()
    )
    newest = (
        select(message.c.case_id, func.max(message.c.id).label("id"))
        .where(message.c.survey_id == survey_id)
        .group_by(message.c.case_id)
        .subquery()
    )
    rows = connection.execute(
        _CASES.add_columns(
            has_code,
            message.c.sent_at,
            message.c.failed,
            message.c.sealed.is_not(None),
        )
        .outerjoin(newest, newest.c.case_id == case.c.id)
        .outerjoin(message, message.c.id == newest.c.id)
        .where(frame.c.survey_id == survey_id)
        .order_by(case.c.stratum, case.c.position, case.c.id)
        .limit(most)
        .offset(offset)
    )
    return [Standing(*row) for row in rows]


def link_codes(connection: Connection, codes: Sequence[tuple[bytes, int]]) -> None:
    """Write which case each code (by its MAC) was made for."""
    if codes:
        connection.execute(insert(case_code), [{"mac": mac, "case_id": case_id} for mac, case_id in codes])


def cases_with_codes(connection: Connection, case_ids: Collection[int], *, unspent: bool = False) -> set[int]:
    """Those of the cases that have a code which was not revoked; with `unspent`, one that is still good."""
    rows = connection.execute(
        select(case_code.c.case_id)
        .join(access_code, access_code.c.mac == case_code.c.mac)
        .where(case_code.c.case_id.in_(case_ids), _GOOD if unspent else ~access_code.c.revoked)
    )
    return {row.case_id for row in rows}


def hold_case(connection: Connection, survey_id: int, case_id: int) -> Case | None:
    """A case of a survey, kept from everybody else who would reissue its code until the transaction ends."""
    row = connection.execute(
        _CASES.add_columns(case.c.wcell)
        .where(frame.c.survey_id == survey_id, case.c.id == case_id)
        .with_for_update(of=case, key_share=True)
    ).first()
    return Case(*row) if row else None


def hold_cases(connection: Connection, case_ids: Collection[int]) -> None:
    """Keep cases, in the order of their numbers, from everybody else who makes codes or contacts for them.

    Until the transaction ends; what is read after this is what they left. Attempts may be written meanwhile.
    """
    connection.execute(
        select(case.c.id).where(case.c.id.in_(case_ids)).order_by(case.c.id).with_for_update(key_share=True)
    ).all()


def left_in_peace(connection: Connection, survey_id: int, now: datetime) -> set[int]:
    """The cases whom nobody writes to now: they are done with, resting after an attempt, or being interviewed."""
    rows = connection.execute(
        select(case_file.c.case_id).where(
            case_file.c.survey_id == survey_id,
            or_(case_file.c.stage == "done", case_file.c.not_before > now, case_file.c.interview.is_not(None)),
        )
    )
    return set(rows.scalars())


def revoke_codes_of_case(connection: Connection, case_id: int) -> int:
    """Revoke a case's unspent codes; returns how many."""
    own = select(case_code.c.mac).where(case_code.c.case_id == case_id)
    return connection.execute(
        update(access_code).where(access_code.c.mac.in_(own), _GOOD).values(revoked=True)
    ).rowcount


def add_messages(connection: Connection, rows: Sequence[Mapping[str, object]]) -> list[int]:
    """Keep messages to be sent; returns their numbers."""
    if not rows:
        return []
    statement = insert(message).values([dict(row) for row in rows]).returning(message.c.id)
    return list(connection.execute(statement).scalars())


def hold_message(connection: Connection, message_id: int) -> Message | None:
    """A message, kept from everybody else who would send it until the transaction ends."""
    row = connection.execute(
        select(
            message.c.id,
            message.c.survey_id,
            message.c.case_id,
            message.c.kind,
            message.c.channel,
            message.c.sealed,
            message.c.made_at,
        )
        .where(message.c.id == message_id)
        .with_for_update()
    ).first()
    return Message(*row) if row else None


def mark_sent(connection: Connection, message_id: int, provider_id: str, now: datetime) -> None:
    """Write that a message went out, and wipe its words."""
    connection.execute(
        update(message)
        .where(message.c.id == message_id)
        .values(sealed=None, sent_at=now, provider_id=provider_id, failed=None)
    )


def give_up(connection: Connection, message_id: int, why: str) -> None:
    """Write why a message will not be sent, and wipe its words."""
    connection.execute(update(message).where(message.c.id == message_id).values(sealed=None, failed=why))


def withdraw_messages(connection: Connection, case_id: int) -> None:
    """Give up whatever is still on its way to a case: what it says is no longer true."""
    connection.execute(
        update(message)
        .where(message.c.case_id == case_id, message.c.sealed.is_not(None))
        .values(sealed=None, failed="withdrawn")
    )


def withdraw_messages_of_batch(connection: Connection, batch_id: int) -> None:
    """Give up the invitations that are still on their way with codes of a batch."""
    cases = (
        select(case_code.c.case_id)
        .join(access_code, access_code.c.mac == case_code.c.mac)
        .where(access_code.c.batch_id == batch_id)
    )
    connection.execute(
        update(message)
        .where(and_(message.c.case_id.in_(cases), message.c.sealed.is_not(None)))
        .values(sealed=None, failed="withdrawn")
    )
