"""The ledger's checkpoints: recompute everything from what is stored, and sign only what has merely grown.

Triggers keep people from changing the ledger, but not the database's owner. So before each signature every leaf is
computed again from its body, the columns that scores come from are compared with the body, and every checkpoint that
was ever signed must still be met. Whoever holds an old checkpoint (a witness, a gazette) can show the rest.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from api.actions.known_checkpoints import known_checkpoints, row_signed
from api.actions.note_files import keep_key, keep_note
from api.config import Settings
from api.store import checkpoints, evaluations, results
from api.store.checkpoints import LOOK, WELL, Frozen, Kept, Row
from api.store.owed import beat, emit
from survey_forms.ledger_copy import write_line
from survey_forms.ledger_scores import at_size
from survey_forms.numbers import plain
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_scheme
from survey_forms.scoring.compute import score_by
from survey_forms.signed_notes import Checkpoint, Note, Signer, Verifier, log_signer
from survey_forms.transparency import Tree, canonical_json, leaf_hash, roots_at

TOPIC = "checkpoints"
ASKED = "asked"
NOTES = "checkpoints"  # directory of the signer's own notes


def origin_of(settings: Settings) -> str:
    """The log's name, which stands in every checkpoint; the port is left out, for it is no part of whose log it is."""
    return f"{urlsplit(settings.base_url).hostname}/mingcha-ledger"


def signer_of(settings: Settings) -> Signer | None:
    """Who signs in this process; nobody where another host does."""
    return log_signer(settings.ledger_key, origin_of(settings)) if settings.ledger_key else None


def keep_checkpoint(  # noqa: PLR0913 - who, why, when, for which round and with what memory
    connection: Connection,
    signer: Signer | None,
    occasion: str,
    now: datetime,
    *,
    round_id: int | None = None,
    own_notes: Path | None = None,
) -> Fault | None:
    """Look through the ledger, and sign it unless it was bent; what was found is told to the office.

    Args:
        connection: a transaction that reads what is committed.
        signer: nobody where another host signs; the ledger is then only looked through.
        occasion: hourly, freeze or asked.
        now: the moment.
        round_id: the round that was frozen.
        own_notes: directory with the signer's own notes and keys, which the database's owner cannot reach.

    Returns:
        What is wrong; nothing is signed then.
    """
    if signer and own_notes:
        keep_key(own_notes, str(signer.verifier))
    try:
        checkpoint = look_through(connection, signer.verifier if signer else None, own_notes)
    except Refused as refused:
        fault = refused.faults[0]
        beat(connection, LOOK, json.dumps({"code": fault.code, "path": fault.path, "facts": dict(fault.facts)}))
        return fault
    beat(connection, LOOK, WELL)
    if round_id is not None:
        checkpoints.put_frozen(connection, Frozen(round_id, checkpoint.size, checkpoint.root, now.astimezone(UTC)))
    if signer and checkpoints.checkpoint_of(connection, checkpoint.size) is None:
        named = Checkpoint(signer.name, checkpoint.size, checkpoint.root)
        note = str(signer.signed(Note(named.text)))
        if own_notes:
            keep_note(own_notes, named.size, note)
        key = str(signer.verifier)
        checkpoints.put_checkpoint(connection, Kept(named.size, named.root, note, key, occasion, now.astimezone(UTC)))
    return None


def look_through(connection: Connection, key: Verifier | None, own_notes: Path | None = None) -> Checkpoint:
    """Recompute the whole ledger and compare it with every checkpoint of it, and with what each freeze found.

    Raises:
        Refused: `ledger_gap`, `ledger_entry_bent`, `ledger_shrank`, `ledger_rewritten`, `checkpoint_bent`.
    """
    known = {(one.size, one.root) for one in known_checkpoints(connection, key, own_notes)}  # entries only come after
    leaves = list(_leaves(connection))
    last = max((size for size, _ in known), default=0)
    if last > len(leaves):
        raise Refused("ledger_shrank", size=len(leaves), last=last)
    roots = roots_at(leaves, {len(leaves), *(size for size, _ in known)})
    for size, root in sorted(known):
        if roots[size] != root:
            raise Refused("ledger_rewritten", size=size)
    return Checkpoint("", len(leaves), roots[len(leaves)])


def _leaves(connection: Connection) -> Iterator[bytes]:
    with closing(checkpoints.rows(connection)) as stored:
        for expected, row in enumerate(stored, 1):
            if row.entry.seq != expected:
                raise Refused("ledger_gap", seq=expected)
            leaf = leaf_hash(canonical_json(row.body))
            if leaf != row.entry.leaf_hash or not _agrees(row):
                raise Refused("ledger_entry_bent", seq=expected)
            yield leaf


def _agrees(row: Row) -> bool:
    """Whether the columns, which the scores are computed from, say what the hashed body says."""
    entry, root = row.entry, row.entry.evidence_root
    said = {
        "seq": entry.seq,
        "evaluation": row.evaluation,
        "unit": row.unit,
        "component": entry.component,
        "aspect": entry.aspect,
        "rule": entry.rule,
        "points": plain(entry.points),
        "reverses": entry.reverses,
        "finding": str(entry.finding_id) if entry.finding_id else None,
        "basis": entry.basis,
        "filed_by": entry.filed_by,
        "decided_by": entry.decided_by,
        "entered_at": entry.entered_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    same = all(row.body.get(name) == value for name, value in said.items())
    return same and row.body.get("evidence_root") == (root.hex() if root else None)


@dataclass(frozen=True, slots=True)
class Look:
    """When the whole ledger was last computed anew, and what was wrong with it."""

    at: datetime
    wrong: Fault | None


def last_look(connection: Connection) -> Look | None:
    """What the worker last saw; nothing before it first looked."""
    found = checkpoints.last_look(connection)
    if found is None:
        return None
    at, state = found
    return Look(at, None if state == WELL else Fault(**json.loads(state)))


def ask_checkpoint(connection: Connection, now: datetime) -> None:
    """Owe a checkpoint now; the worker has the key."""
    emit(connection, TOPIC, ASKED, int(now.timestamp()))


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry stands in the log of some size."""

    seq: int
    size: int
    leaf: bytes
    path: tuple[bytes, ...]
    root: bytes


class Trees:
    """The trees of the last checkpoints that proofs were asked of; a checkpoint never changes."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._kept: dict[bytes, Tree] = {}

    def of(self, connection: Connection, size: int) -> Tree:
        """The tree of a checkpoint.

        Raises:
            Refused: `checkpoint_unknown`; `ledger_rewritten` where the ledger no longer meets it.
        """
        root = _known_size(connection, size).root
        tree = self._kept.get(root)
        if tree is None:
            tree = Tree.of(checkpoints.leaves(connection, size))
            if tree.root != root:
                raise Refused("ledger_rewritten", size=size)
            while len(self._kept) >= self._most:
                self._kept.pop(next(iter(self._kept), root), None)
            self._kept[root] = tree
        return tree


def inclusion(connection: Connection, trees: Trees, seq: int, size: int) -> Inclusion:
    """The proof that an entry stands in a checkpoint.

    Raises:
        Refused: `checkpoint_unknown`; `not_found` where the checkpoint has no such entry.
    """
    tree = trees.of(connection, size)
    if not 1 <= seq <= size:
        raise Refused("not_found", "seq")
    return Inclusion(seq, size, tree.leaf(seq - 1), tree.path(seq - 1), tree.root)


def consistency(connection: Connection, trees: Trees, earlier: int, size: int) -> tuple[bytes, ...]:
    """The proof that one checkpoint continues another.

    Raises:
        Refused: `checkpoint_unknown`; `checkpoints_out_of_order`.
    """
    _known_size(connection, earlier)
    if earlier > size:
        raise Refused("checkpoints_out_of_order", "from")
    return trees.of(connection, size).consistency(earlier)


def checkpoint(connection: Connection, size: int | None = None) -> Kept:
    """The latest checkpoint, or the one of that many entries.

    Raises:
        Refused: `checkpoint_none` yet; `checkpoint_unknown`.
    """
    if size is not None:
        return _known_size(connection, size)
    found = checkpoints.last_checkpoint(connection)
    while found is not None:
        try:
            row_signed(found, {})
        except Refused:  # no checkpoint, whoever wrote the row; the worker's next look tells the office
            found = checkpoints.last_checkpoint(connection, below=found.size)
        else:
            return found
    raise Refused("checkpoint_none")


def _known_size(connection: Connection, size: int) -> Kept:
    found = checkpoints.checkpoint_of(connection, size)
    if found is None:
        raise Refused("checkpoint_unknown", "size", size=size)
    return found


def copy_of(connection: Connection, first: int, last: int) -> Iterator[bytes]:
    """The lines of a copy, from one entry to another."""
    for body, leaf in checkpoints.bodies(connection, first, last):
        yield write_line(body, leaf)


@dataclass(frozen=True, slots=True)
class PastScore:
    """The scores as the ledger stood at a checkpoint; everything else in the input is that of the latest composite."""

    checkpoint: Kept
    document: dict[str, Any]
    output: dict[str, Any]


def composite_at(connection: Connection, evaluation_id: int, size: int) -> PastScore:
    """Compute the scores again with the deductions that stood at a checkpoint.

    Raises:
        Refused: `checkpoint_unknown`; `not_computed` where there is no composite yet; what the arithmetic lacks.
    """
    kept = _known_size(connection, size)
    evaluation = evaluations.evaluation_numbered(connection, evaluation_id)
    latest = results.latest_composite(connection, evaluation_id)
    if latest is None:
        raise Refused("not_computed")
    scheme = load_scheme(evaluation.scheme)
    held = (body for body, _ in checkpoints.bodies(connection, 1, size))
    document = at_size(scheme, latest.input, held, evaluation.code, size)
    return PastScore(kept, document, score_by(scheme, document, trace=True))
