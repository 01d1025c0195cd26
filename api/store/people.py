"""Staff, their sessions and API tokens, and the audit of what they did.

Respondents are not people to this module: they have an access code and nothing else (`store/roll.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from api.store.base import facts, metadata, moment, serial
from api.store.evaluations import unit

ROLES = ("office", "inspector", "interviewer", "supervisor", "bureau", "unit")
IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=10)

staff = Table(
    "staff",
    metadata,
    serial(),
    Column("username", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("unit_id", ForeignKey(unit.c.id)),
    moment("disabled_at", null=True),
    CheckConstraint("role IN ('office','inspector','interviewer','supervisor','bureau','unit')", name="role"),
    CheckConstraint("(role = 'unit') = (unit_id IS NOT NULL)", name="unit_has_unit"),
    schema="office",
)

session = Table(
    "session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # SHA-256 of the cookie's 256-bit value
    Column("staff_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("form_token", Text, nullable=False),  # the synchronizer token of its pages' forms
    moment("created_at", now=True),
    moment("seen_at", now=True),
    schema="office",
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("label", Text, nullable=False),
    moment("created_at", now=True),
    moment("expires_at"),
    moment("revoked_at", null=True),
    schema="office",
)

audit = Table(
    "audit",
    metadata,
    serial(),
    moment("at", now=True),
    Column("staff_id", ForeignKey(staff.c.id)),
    Column("act", Text, nullable=False),
    facts("about"),
    schema="office",
)


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is calling."""

    id: int
    username: str
    name: str
    role: str
    unit_id: int | None
    form_token: str = ""


def staff_named(connection: Connection, username: str) -> tuple[Staff, str] | None:
    """The person of that user name and the stored password hash, unless disabled."""
    row = connection.execute(_staff(staff.c.password_hash).where(staff.c.username == username)).first()
    return (_person(row), row.password_hash) if row else None


def staff_of_session(connection: Connection, token_hash: bytes, now: datetime) -> Staff | None:
    """The person behind a session that is neither idle for 30 minutes nor older than 10 hours."""
    row = connection.execute(
        _staff(session.c.form_token)
        .join(session, session.c.staff_id == staff.c.id)
        .where(
            session.c.token_hash == token_hash,
            session.c.seen_at > now - IDLE,
            session.c.created_at > now - ABSOLUTE,
        )
    ).first()
    return _person(row, row.form_token) if row else None


def staff_of_token(connection: Connection, token_hash: bytes, now: datetime) -> Staff | None:
    """The person behind an API token that is neither expired nor revoked."""
    row = connection.execute(
        _staff()
        .join(api_token, api_token.c.staff_id == staff.c.id)
        .where(
            api_token.c.token_hash == token_hash,
            api_token.c.expires_at > now,
            api_token.c.revoked_at.is_(None),
        )
    ).first()
    return _person(row) if row else None


def add_token(  # noqa: PLR0913, PLR0917 - the columns of a token
    connection: Connection, staff_id: int, token_hash: bytes, label: str, now: datetime, expires_at: datetime
) -> None:
    """Store the digest of a new API token."""
    connection.execute(
        insert(api_token).values(
            token_hash=token_hash, staff_id=staff_id, label=label, created_at=now, expires_at=expires_at
        )
    )


def revoke_tokens(connection: Connection, staff_id: int, label: str, now: datetime) -> int:
    """Revoke somebody's API tokens of that label; how many there were."""
    theirs = (api_token.c.staff_id == staff_id, api_token.c.label == label, api_token.c.revoked_at.is_(None))
    statement = update(api_token).where(*theirs).values(revoked_at=now)
    return len(connection.execute(statement.returning(api_token.c.token_hash)).all())


def add_staff(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Write an account unless its user name is taken; whether it is new."""
    statement = upsert(staff).values(**values).on_conflict_do_nothing(index_elements=["username"])
    return connection.execute(statement.returning(staff.c.id)).first() is not None


def disable_staff(connection: Connection, username: str, now: datetime) -> bool:
    """Disable an account and end its sessions; False where there is no such account in use."""
    found = connection.execute(
        update(staff)
        .where(staff.c.username == username, staff.c.disabled_at.is_(None))
        .values(disabled_at=now)
        .returning(staff.c.id)
    ).scalar()
    connection.execute(delete(session).where(session.c.staff_id == found))
    return found is not None


def open_session(connection: Connection, staff_id: int, token_hash: bytes, form_token: str, now: datetime) -> None:
    """Begin a session; the person's sessions past their end go."""
    connection.execute(delete(session).where(session.c.staff_id == staff_id, session.c.created_at < now - ABSOLUTE))
    connection.execute(
        insert(session).values(
            token_hash=token_hash, staff_id=staff_id, form_token=form_token, created_at=now, seen_at=now
        )
    )


def touch_session(connection: Connection, token_hash: bytes, now: datetime) -> None:
    """Note that the session lives; written at most once a minute, for a page must not cost a write."""
    connection.execute(
        update(session)
        .where(session.c.token_hash == token_hash, session.c.seen_at < now - timedelta(minutes=1))
        .values(seen_at=now)
    )


def close_session(connection: Connection, token_hash: bytes) -> None:
    """End a session."""
    connection.execute(delete(session).where(session.c.token_hash == token_hash))


def close_sessions_of(connection: Connection, staff_id: int) -> None:
    """End all sessions of somebody, on whatever machine."""
    connection.execute(delete(session).where(session.c.staff_id == staff_id))


def record_act(connection: Connection, act: str, now: datetime, staff_id: int | None = None, **about: object) -> None:
    """Write the audit line of an act, in the act's own transaction."""
    connection.execute(insert(audit).values(at=now, staff_id=staff_id, act=act, about=about))


def is_recorded(connection: Connection, act: str, **about: object) -> bool:
    """Whether the audit has a line of that act with these facts among its own."""
    query = select(audit.c.id).where(audit.c.act == act, audit.c.about.contains(about)).limit(1)
    return connection.execute(query).first() is not None


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the audit."""

    at: datetime
    act: str
    about: dict[str, Any]
    name: str | None
    role: str | None


def acts(connection: Connection, most: int, offset: int = 0) -> list[Act]:
    """Lines of the audit, the latest first."""
    rows = connection.execute(
        select(audit.c.at, audit.c.act, audit.c.about, staff.c.name, staff.c.role)
        .outerjoin(staff, staff.c.id == audit.c.staff_id)
        .order_by(audit.c.id.desc())
        .limit(most)
        .offset(offset)
    )
    return [Act(*row) for row in rows]


def number_of_acts(connection: Connection) -> int:
    """How many lines the audit has."""
    return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())


def _staff(*more: Any) -> Select[Any]:
    columns = (staff.c.id, staff.c.username, staff.c.name, staff.c.role, staff.c.unit_id)
    return select(*columns, *more).select_from(staff).where(staff.c.disabled_at.is_(None))


def _person(row: Row[Any], form_token: str = "") -> Staff:
    return Staff(row.id, row.username, row.name, row.role, row.unit_id, form_token)
