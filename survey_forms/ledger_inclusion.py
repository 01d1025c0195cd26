"""Whether one entry stands in a signed checkpoint, from one file: no database, and no copy of the other entries."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from survey_forms.ledger_copy import digest_named
from survey_forms.refusal import Fault, Refused
from survey_forms.signed_notes import Checkpoint
from survey_forms.transparency import canonical_json, leaf_hash, verify_inclusion

LARGEST = 1024 * 1024
LONGEST_PATH = 64
_SHOWN = 12  # digits of a hash, enough to tell two apart


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as `proof/inclusion` of the API gives it, with what it is about; nothing in it is believed yet."""

    seq: int
    size: int
    leaf: bytes
    path: tuple[bytes, ...]
    root: bytes
    entry: Mapping[str, Any] | None  # none for those who may not read it
    note: bytes | None  # the signed checkpoint


def read_proof(content: bytes) -> Proof:
    """Read a proof.

    Raises:
        Refused: `inclusion_unreadable`.
    """
    try:
        told = json.loads(content) if len(content) <= LARGEST else None
        if not isinstance(told, dict) or not isinstance(told["path"], list) or len(told["path"]) > LONGEST_PATH:
            raise Refused("inclusion_unreadable")
        entry, note = told.get("entry"), told.get("checkpoint")
        return Proof(
            _count(told["seq"]),
            _count(told["size"]),
            digest_named(told["leaf"]),
            tuple(map(digest_named, told["path"])),
            digest_named(told["root"]),
            None if entry is None else _body(entry),
            None if note is None else note.encode(),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused("inclusion_unreadable") from error


def read_entry(content: bytes) -> Mapping[str, Any]:
    """An entry that somebody holds: its body as JSON, or its line of a copy.

    Raises:
        Refused: `inclusion_entry_unreadable`.
    """
    try:
        return _body(json.loads(content) if len(content) <= LARGEST else None)
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("inclusion_entry_unreadable") from error


def faults_of(proof: Proof, checkpoint: Checkpoint) -> Iterator[Fault]:
    """What keeps a proof from showing that its entry stands in a checkpoint whose signature was verified."""
    if (proof.size, proof.root) != (checkpoint.size, checkpoint.root):
        facts = {"size": proof.size, "root": proof.root.hex()[:_SHOWN]}
        signed = {"signed_size": checkpoint.size, "signed_root": checkpoint.root.hex()[:_SHOWN]}
        yield Fault("inclusion_other_checkpoint", "", facts | signed)
        return
    leaf = proof.leaf if proof.entry is None else leaf_hash(canonical_json(proof.entry))
    holds = _stands(proof, leaf, checkpoint)
    if leaf != proof.leaf:
        yield Fault("inclusion_leaf_changed" if holds else "inclusion_entry_changed", "", {"seq": proof.seq})
    if proof.entry is not None and proof.entry.get("seq") != proof.seq:
        yield Fault("inclusion_other_entry", "", {"seq": proof.seq, "own": str(proof.entry.get("seq"))[:20]})
    if not holds and not _stands(proof, proof.leaf, checkpoint):
        yield Fault("inclusion_path_wrong", "", {"seq": proof.seq, "size": proof.size})


def _stands(proof: Proof, leaf: bytes, checkpoint: Checkpoint) -> bool:
    return verify_inclusion(leaf, proof.seq - 1, checkpoint.size, proof.path, checkpoint.root)


def _body(told: object) -> Mapping[str, Any]:
    body = told["body"] if isinstance(told, dict) and set(told) == {"body", "leaf"} else told
    if not isinstance(body, dict):
        raise TypeError("no entry")
    canonical_json(body)
    return body


def _count(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("no number of an entry")
    return value
