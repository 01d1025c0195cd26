"""Sealed ballots: boxes that only the campaign's custodians can open, the key they hold, and the closing.

A box lies in the transaction that spent its code and tells nothing all the same: it is ciphertext of one size, and
the private key was never on this machine (docs/privacy.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, ForeignKey, Integer, LargeBinary, Table, Text, func, select, update
from sqlalchemy.dialects.postgresql import insert

from api.store.base import facts, metadata, moment
from api.store.people import staff
from api.store.roll import access_code
from api.store.surveys import survey
from survey_forms.ballot.roots import Box

box = Table(
    "box",
    metadata,
    Column("receipt_hash", LargeBinary, primary_key=True),  # SHA-256 of the receipt: proves inclusion, not content
    Column("survey_id", Integer, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    schema="ballot",
)

campaign_key = Table(
    "campaign_key",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("public_key", LargeBinary, nullable=False),  # X25519
    facts("custodians"),
    facts("tests"),  # SHA-256 of the words in the test ballots; the words themselves are kept nowhere
    Column("added_by", ForeignKey(staff.c.id)),
    moment("added_at", now=True),
    Column("rehearsed_by", ForeignKey(staff.c.id)),
    moment("rehearsed_at", null=True),
    schema="ballot",
)

closing = Table(
    "closing",
    metadata,
    Column("survey_id", ForeignKey(survey.c.id), primary_key=True),
    Column("boxes", Integer, nullable=False),
    facts("counts"),  # stratum → boxes
    Column("merkle_root", Text, nullable=False),  # over receipts and boxes: where a respondent finds theirs
    Column("box_root", Text, nullable=False),  # over strata and boxes: what the custodians compare
    Column("closed_by", ForeignKey(staff.c.id)),
    moment("closed_at", now=True),
    moment("counted_at", null=True),
    Column("counted_by", ForeignKey(staff.c.id)),
    Column("result_digest", Text),
    schema="ballot",
)

_RECEIPTS_AT_ONCE = 5000
_adder, _rehearser = staff.alias("adder"), staff.alias("rehearser")


@dataclass(frozen=True, slots=True)
class Key:
    """A survey's campaign key: the public half, who holds the shares, and how far its rehearsal is."""

    survey_id: int
    public_key: bytes
    custodians: tuple[str, ...]
    tests: tuple[str, ...]
    added_by: int | None
    adder: str | None
    added_at: datetime
    rehearser: str | None
    rehearsed_at: datetime | None


def rehearsed_keys(connection: Connection) -> dict[int, bytes]:
    """Survey → public key, where the custodians have shown that they can open boxes."""
    rows = connection.execute(
        select(campaign_key.c.survey_id, campaign_key.c.public_key).where(campaign_key.c.rehearsed_at.is_not(None))
    )
    return {survey_id: bytes(public_key) for survey_id, public_key in rows}


def key_of(connection: Connection, survey_id: int, *, hold: bool = False) -> Key | None:
    """A survey's campaign key; `hold` keeps it from others until the transaction ends."""
    question = (
        select(
            campaign_key.c.survey_id,
            campaign_key.c.public_key,
            campaign_key.c.custodians,
            campaign_key.c.tests,
            campaign_key.c.added_by,
            _adder.c.name,
            campaign_key.c.added_at,
            _rehearser.c.name,
            campaign_key.c.rehearsed_at,
        )
        .outerjoin(_adder, _adder.c.id == campaign_key.c.added_by)
        .outerjoin(_rehearser, _rehearser.c.id == campaign_key.c.rehearsed_by)
        .where(campaign_key.c.survey_id == survey_id)
    )
    row = connection.execute(question.with_for_update(of=campaign_key) if hold else question).first()
    return Key(row[0], bytes(row[1]), tuple(row[2]), tuple(row[3]), *row[4:]) if row else None


def survey_with_key(connection: Connection, public_key: bytes) -> int | None:
    """The survey that a public key belongs to already."""
    found: int | None = connection.execute(
        select(campaign_key.c.survey_id).where(campaign_key.c.public_key == public_key)
    ).scalar()
    return found


def put_key(  # noqa: PLR0913, PLR0917 - one row
    connection: Connection,
    survey_id: int,
    public_key: bytes,
    custodians: Sequence[str],
    tests: Sequence[str],
    staff_id: int,
    now: datetime,
) -> None:
    """Keep a survey's campaign key, not yet rehearsed, in the place of another."""
    values = {
        "public_key": public_key,
        "custodians": list(custodians),
        "tests": list(tests),
        "added_by": staff_id,
        "added_at": now,
    }
    statement = insert(campaign_key).values(survey_id=survey_id, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["survey_id"], set_=values | {"rehearsed_by": None, "rehearsed_at": None}
        )
    )


def put_tests(connection: Connection, survey_id: int, tests: Sequence[str]) -> None:
    """Keep the hashes of new test words."""
    connection.execute(update(campaign_key).where(campaign_key.c.survey_id == survey_id).values(tests=list(tests)))


def mark_rehearsed(connection: Connection, survey_id: int, staff_id: int, now: datetime) -> None:
    """Write that the custodians' shares opened the test ballots."""
    connection.execute(
        update(campaign_key)
        .where(campaign_key.c.survey_id == survey_id)
        .values(rehearsed_by=staff_id, rehearsed_at=now)
    )


def boxes_by_stratum(connection: Connection, survey_id: int) -> dict[str, int]:
    """Boxes of each stratum that has any."""
    rows = connection.execute(
        select(box.c.stratum, func.count()).where(box.c.survey_id == survey_id).group_by(box.c.stratum)
    )
    return {row.stratum: row[1] for row in rows}


def spent_by_stratum(connection: Connection, survey_id: int) -> dict[str, int]:
    """Spent codes of each stratum that has any."""
    rows = connection.execute(
        select(access_code.c.stratum, func.count())
        .where(access_code.c.survey_id == survey_id, access_code.c.spent)
        .group_by(access_code.c.stratum)
    )
    return {row.stratum: row[1] for row in rows}


def receipts_of(connection: Connection, survey_id: int) -> Iterator[tuple[bytes, bytes, str]]:
    """Receipt hash, SHA-256 of the box and stratum of every box; streamed."""
    rows = connection.execute(
        select(box.c.receipt_hash, func.sha256(box.c.sealed), box.c.stratum).where(box.c.survey_id == survey_id),
        execution_options={"yield_per": _RECEIPTS_AT_ONCE},
    )
    return ((bytes(receipt), bytes(digest), stratum) for receipt, digest, stratum in rows)


def boxes_of(connection: Connection, survey_id: int) -> list[Box]:
    """The boxes of a survey without their receipts."""
    rows = connection.execute(select(box.c.stratum, box.c.sealed).where(box.c.survey_id == survey_id))
    return [Box(stratum, bytes(sealed)) for stratum, sealed in rows]


def digest_of_receipt(connection: Connection, survey_id: int, receipt_hash: bytes) -> bytes | None:
    """SHA-256 of the box that a receipt names."""
    found = connection.execute(
        select(func.sha256(box.c.sealed)).where(box.c.receipt_hash == receipt_hash, box.c.survey_id == survey_id)
    ).scalar()
    return bytes(found) if found is not None else None
