"""What the ledger must still meet: all that was signed of it before, in the database and out of its owner's reach."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection

from api.actions.note_files import kept_keys, kept_notes
from api.store import checkpoints
from api.store.checkpoints import Kept
from survey_forms.refusal import Refused
from survey_forms.signed_notes import Checkpoint, Note, Verifier, read_checkpoint


def known_checkpoints(connection: Connection, key: Verifier | None, own_notes: Path | None) -> Iterator[Checkpoint]:
    """Every checkpoint that was signed before, with its signature verified, and what the freezes found.

    A row counts where a key signed it that this signer has or had; a process that knows no key must take the row's
    own. A note of the signer's own counts whoever signed it: nobody else writes there, and keys come and go.

    Raises:
        Refused: `checkpoint_bent`.
    """
    keys = {str(one): one for one in ([key] if key else [])}
    keys |= {str(one): one for one in map(Verifier.read, kept_keys(own_notes) if own_notes else ())}
    for one in checkpoints.checkpoints(connection):
        yield row_signed(one, keys)
    for note in kept_notes(own_notes) if own_notes else ():
        found = Note.read(note)
        signers = [one for one in keys.values() if any(by.key_id == one.id for by in found.signatures)]
        yield _signed(note.decode(), signers[0]) if signers else Checkpoint.read(found.text)
    for frozen in checkpoints.frozen_ledgers(connection).values():
        yield Checkpoint("", frozen.size, frozen.root)


def row_signed(one: Kept, keys: Mapping[str, Verifier]) -> Checkpoint:
    """What a row says, if its note says the same and one of the keys signed it; the row's own where none is known.

    Raises:
        Refused: `checkpoint_bent`.
    """
    try:
        key = keys[one.verifier_key] if keys else Verifier.read(one.verifier_key)
    except (KeyError, Refused):
        raise Refused("checkpoint_bent", size=one.size) from None
    return _signed(one.note, key, one.size, one.root)


def _signed(note: str, key: Verifier, size: int | None = None, root: bytes | None = None) -> Checkpoint:
    try:
        found = read_checkpoint(note.encode(), key)[1]
    except Refused:
        raise Refused("checkpoint_bent", size="?" if size is None else size) from None
    if (size, root) not in {(None, None), (found.size, found.root)}:
        raise Refused("checkpoint_bent", size=size)
    return found
