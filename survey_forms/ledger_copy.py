"""What a ledger entry rests on, and the copy of the ledger that anybody can check without the database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survey_forms.transparency import canonical_json, leaf_hash, tree_root

LONGEST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """The SHA-256 of what a deduction rests on: its photos in order, then what the visit's phones handed in."""

    photos: tuple[bytes, ...] = ()
    uploads: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of RFC 9162 over one leaf for each, in that order."""
        named = [{"photo": one.hex()} for one in self.photos] + [{"upload": one.hex()} for one in self.uploads]
        return tree_root(leaf_hash(canonical_json(one)) for one in named)

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "Evidence":
        """What an entry's body names; the first format named photos alone.

        Raises:
            ValueError: a name that is no SHA-256 in hexadecimal digits.
        """
        return cls(tuple(map(digest_named, body["evidence"])), tuple(map(digest_named, body.get("uploads", ()))))


def digest_named(name: str) -> bytes:
    """The SHA-256 that 64 small hexadecimal digits name; ValueError for any other text."""
    digest = bytes.fromhex(name)
    if len(digest) != 32 or digest.hex() != name:  # capitals would be a second spelling
        raise ValueError(f"{name[:80]!r} is no SHA-256")
    return digest


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a copy: an entry's body, the leaf hash written beside it, and the one that the body really has.

    All three are None where the line is not exactly what `write_line` writes.
    """

    body: Mapping[str, Any] | None = None
    written: bytes | None = None
    leaf: bytes | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the entry says what it said when its leaf was written."""
        return self.leaf is not None and self.leaf == self.written

    @property
    def seq(self) -> int | None:
        """The number that the entry gives itself, a whole number above 0."""
        found = self.body.get("seq") if self.body is not None else None
        return found if type(found) is int and found > 0 else None


def write_line(body: Mapping[str, Any], leaf: bytes) -> bytes:
    """An entry as a line of a copy: canonical JSON, so that no bit of it can be spelt otherwise."""
    return canonical_json({"body": body, "leaf": leaf.hex()}) + b"\n"


def read_line(content: bytes) -> Line:
    """What a line says; nothing where it is none."""
    try:
        told = json.loads(content) if len(content) <= LONGEST_LINE else None
        if not isinstance(told, dict) or set(told) != {"body", "leaf"} or canonical_json(told) + b"\n" != content:
            return Line()
        body, written = told["body"], digest_named(told["leaf"])
        return Line(body, written, leaf_hash(canonical_json(body))) if isinstance(body, dict) else Line()
    except (ValueError, TypeError, KeyError, RecursionError):
        return Line()
