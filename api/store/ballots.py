"""Answers, apart from people: no key to a code or a case, no clock finer than a day, random ids.

A draft is sealed under a key that only the respondent's code yields (`survey_forms/sampling/codes.py`);
its id is derived from the code by a one-way function, so the row tells the operator nothing.
"""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.base import facts, metadata

response = Table(
    "response",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("survey_id", Integer, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("wcell", Text, nullable=False),  # weighting cell; the stratum itself until calibration makes finer ones
    Column("form_version", Text, nullable=False),
    facts("answers"),
    Column("mode", Text, nullable=False),  # web, phone, visit, simulated
    Column("interviewer", Integer),  # staff id; only where ten or more answers of the survey share it
    Column("day", Date, nullable=False),
    schema="ballot",
)

# An open answer is its own obligation: the worker folds it into cells and deletes its id here. One that cannot
# be counted stays, with the number of attempts in place of a time: no clock finer than a day here either.
untallied = Table(
    "untallied",
    metadata,
    Column("response_id", Uuid, primary_key=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),  # a code, never words: those could repeat an answer
    schema="ballot",
)

# Proves that an answer with this receipt was accepted; says nothing of which one.
receipt = Table(
    "receipt",
    metadata,
    Column("receipt_hash", LargeBinary, primary_key=True),
    schema="ballot",
)

draft = Table(
    "draft",
    metadata,
    Column("draft_id", LargeBinary, primary_key=True),
    Column("survey_id", Integer, nullable=False, index=True),  # so that drafts go when their survey closes
    Column("sealed", LargeBinary, nullable=False),
    Column("day", Date, nullable=False),
    schema="ballot",
)

# Pictures given as answers, by the random names that the answers give them: with an unfinished answer under its key,
# with an accepted one as they are.
draft_file = Table(
    "draft_file",
    metadata,
    Column("draft_id", ForeignKey(draft.c.draft_id, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    schema="ballot",
)

response_file = Table(
    "response_file",
    metadata,
    Column("response_id", ForeignKey(response.c.id, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    schema="ballot",
)


_RECEIPTS = text(
    """
    SELECT receipt_hash FROM ballot.receipt WHERE receipt_hash = ANY(:hashes)
    UNION ALL SELECT receipt_hash FROM ballot.box WHERE receipt_hash = ANY(:hashes)
    """
).bindparams(bindparam("hashes", type_=ARRAY(LargeBinary)))


def receipt_exists(connection: Connection, receipt_hash: bytes) -> bool:
    """Whether an answer with this receipt was accepted."""
    return bool(receipts_known(connection, [receipt_hash]))


def receipts_known(connection: Connection, hashes: Sequence[bytes]) -> frozenset[bytes]:
    """Those of the receipts with which an answer was accepted, open or sealed."""
    rows = connection.execute(_RECEIPTS, {"hashes": list(hashes)})
    return frozenset(bytes(row.receipt_hash) for row in rows)


def sealed_draft(connection: Connection, draft_id: bytes, *, hold: bool = False) -> bytes | None:
    """The sealed draft, if one is kept; `hold` keeps its row from others until the transaction ends."""
    question = select(draft.c.sealed).where(draft.c.draft_id == draft_id)
    found = connection.execute(question.with_for_update() if hold else question).scalar()
    return bytes(found) if found is not None else None


def keep_draft(connection: Connection, draft_id: bytes, survey_id: int, sealed: bytes, day: date) -> None:
    """Keep the newest state of a draft."""
    values = {"draft_id": draft_id, "survey_id": survey_id, "sealed": sealed, "day": day}
    statement = insert(draft).values(values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["draft_id"], set_={"sealed": sealed, "day": day})
    )


def drop_draft(connection: Connection, draft_id: bytes) -> None:
    """Forget a draft: it was submitted."""
    connection.execute(delete(draft).where(draft.c.draft_id == draft_id))


def keep_draft_file(connection: Connection, draft_id: bytes, name: str, sealed: bytes) -> None:
    """Keep a sealed picture beside a draft."""
    connection.execute(insert(draft_file).values(draft_id=draft_id, name=name, sealed=sealed))


def draft_files(connection: Connection, draft_id: bytes, names: Collection[str]) -> dict[str, bytes]:
    """Those of the sealed pictures beside a draft that are named."""
    mine = (draft_file.c.draft_id == draft_id) & draft_file.c.name.in_(names)
    rows = connection.execute(select(draft_file.c.name, draft_file.c.sealed).where(mine))
    return {row.name: bytes(row.sealed) for row in rows}


def drop_draft_files(connection: Connection, draft_id: bytes, but: Collection[str]) -> None:
    """Delete the pictures beside a draft, but for those named."""
    others = (draft_file.c.draft_id == draft_id) & draft_file.c.name.not_in(but)
    connection.execute(delete(draft_file).where(others))


def keep_response_files(connection: Connection, files: Sequence[tuple[UUID, str, bytes]]) -> None:
    """Keep the pictures of answers accepted in this transaction: response, name, content."""
    rows = [{"response_id": response_id, "name": name, "content": content} for response_id, name, content in files]
    connection.execute(insert(response_file), rows)
