"""Whether one entry stands in a signed checkpoint, from one file: no database, and no copy of the other entries."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from survey_forms.ledger_copy import digest_named
from survey_forms.refusal import Fault, Refused
from survey_forms.scoring.intake import printable
from survey_forms.signed_notes import Checkpoint
from survey_forms.transparency import canonical_json, leaf_hash, verify_inclusion

LARGEST = 1024 * 1024
LONGEST_PATH = 64
_SHOWN = 12  # digits of a hash, enough to tell two apart
_LONGEST_SHOWN = 80
_MEMBERS = frozenset({"seq", "size", "leaf", "path", "root", "entry", "checkpoint"})


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

    def shown(self, name: str) -> str:
        """What the entry says under a name, as a terminal can show it; nothing where it does not say."""
        said = self.entry.get(name) if self.entry is not None else None
        return "" if said is None else printable(str(said)[:_LONGEST_SHOWN])


def read_proof(content: bytes) -> Proof:
    """Read a proof.

    Raises:
        Refused: `inclusion_unreadable`; `inclusion_member_strange` for what no proof has, or has once and not twice:
            nobody has checked it, and whoever reads the file may believe it.
    """
    try:
        told = _told(content)
        entry, note, path = told.get("entry"), told.get("checkpoint"), told["path"]
        if not isinstance(path, list) or len(path) > LONGEST_PATH:
            raise Refused("inclusion_unreadable")
        _only(_MEMBERS, told)
        return Proof(
            _count(told["seq"]),
            _count(told["size"]),
            digest_named(told["leaf"]),
            tuple(map(digest_named, path)),
            digest_named(told["root"]),
            None if entry is None else _body(entry),
            None if note is None else note.encode(),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused("inclusion_unreadable") from error


def read_entry(content: bytes) -> Mapping[str, Any]:
    """An entry that somebody holds: its body as JSON, or its line of a copy.

    Raises:
        Refused: `inclusion_entry_unreadable`, also for a line whose hash is another entry's; `inclusion_member_strange`
            as for a proof.
    """
    try:
        told = _told(content)
        if "body" not in told:
            return _body(told)
        _only(frozenset({"body", "leaf"}), told)
        body = _body(told["body"])
        if digest_named(told["leaf"]) != leaf_hash(canonical_json(body)):
            raise Refused("inclusion_entry_unreadable")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused("inclusion_entry_unreadable") from error
    return body


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


def _told(content: bytes) -> dict[str, Any]:
    """A file's object, each of its members told once."""
    told = json.loads(content, object_pairs_hook=_each_once) if len(content) <= LARGEST else None
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in pairs:
        if name in told:
            raise _strange(name)
        told[name] = value
    return told


def _only(known: frozenset[str], told: Iterable[str]) -> None:
    for name in told:
        if name not in known:
            raise _strange(name)


def _strange(name: str) -> Refused:
    return Refused("inclusion_member_strange", name=printable(name[:_LONGEST_SHOWN]))


def _body(told: object) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        raise TypeError("no entry")
    canonical_json(told)
    return told


def _count(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("no number of an entry")
    return value
