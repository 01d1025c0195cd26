"""Unfinished answers, kept under a key that only the respondent's code yields.

The row's name and key come from the code and the service's pepper by one-way functions, and its length grows in
steps: its owner finds it again on any phone, and nobody else can tell whose it is, or what or how much it says.
Pictures given as answers lie beside it, each sealed under the same key, and go when the draft goes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import orjson
from sqlalchemy import Connection

from api.actions.responses import CODE_NAMESPACE
from api.store import ballots
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import draft_id, draft_key, open_draft, seal_draft

STEP = 1024
LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Draft:
    """What was answered so far, the address of the screen to go on with, and the receipt drawn for handing it in."""

    receipt: str
    at: str = "1"
    raw: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawer:
    """Where a code's draft lies and the key that opens it; never stored, never logged."""

    id: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, pepper: bytes, code: str) -> "Drawer":
        """The drawer of a canonical code."""
        return cls(draft_id(pepper, CODE_NAMESPACE, code), draft_key(pepper, CODE_NAMESPACE, code))


def find_draft(connection: Connection, drawer: Drawer, *, hold: bool = False) -> Draft | None:
    """The draft, if there is one; with `hold` (in a writing transaction) nobody else changes it before the end.

    Raises:
        Refused: `draft_unreadable` when the sealed bytes were changed.
    """
    sealed = ballots.sealed_draft(connection, drawer.id, hold=hold)
    if sealed is None:
        return None
    found = orjson.loads(open_draft(drawer.key, sealed))
    return Draft(found["receipt"], found["at"], found["raw"])


def keep_draft(  # noqa: PLR0913, PLR0917 - chance and time come in as arguments
    connection: Connection, drawer: Drawer, draft: Draft, survey_id: int, nonce: bytes, day: date, step: int = STEP
) -> None:
    """Keep the newest state.

    Args:
        connection: the transaction.
        drawer: where.
        draft: what.
        survey_id: the survey that it goes with when that closes.
        nonce: 12 fresh random bytes.
        day: today; the only time that the row tells.
        step: its length grows by so many bytes. A sealed survey's draft grows by the size of a box, so that it is as
            long as every other: joined to its box by the transaction, it must not tell long answers from short.

    Raises:
        Refused: `body_too_large` above 64 kB.
    """
    text = orjson.dumps({"receipt": draft.receipt, "at": draft.at, "raw": draft.raw})
    if len(text) > LARGEST:
        raise Refused("body_too_large")
    padded = text + b" " * (-len(text) % step)
    ballots.keep_draft(connection, drawer.id, survey_id, seal_draft(drawer.key, padded, nonce), day)


def forget_draft(connection: Connection, drawer: Drawer) -> None:
    """Forget it: its owner said so."""
    ballots.drop_draft(connection, drawer.id)


def keep_picture(connection: Connection, drawer: Drawer, name: str, content: bytes, nonce: bytes) -> None:
    """Keep a picture beside the draft, which must be there.

    Args:
        connection: the transaction.
        drawer: where.
        name: a fresh name, by which the answers speak of the picture.
        content: a file made by our own decoder.
        nonce: 12 fresh random bytes.
    """
    ballots.keep_draft_file(connection, drawer.id, name, seal_draft(drawer.key, content, nonce))


def find_pictures(connection: Connection, drawer: Drawer, names: Collection[str]) -> dict[str, bytes]:
    """Those of the pictures that are kept beside the draft, by name.

    Raises:
        Refused: `draft_unreadable` when the sealed bytes were changed.
    """
    found = ballots.draft_files(connection, drawer.id, names) if names else {}
    return {name: open_draft(drawer.key, sealed) for name, sealed in found.items()}


def drop_pictures(connection: Connection, drawer: Drawer, but: Collection[str]) -> None:
    """Delete the pictures that the answers no longer name."""
    ballots.drop_draft_files(connection, drawer.id, but)
