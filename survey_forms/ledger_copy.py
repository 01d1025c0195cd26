"""What a ledger entry rests on, and the copy of the ledger that anybody can check without the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survey_forms.transparency import canonical_json, leaf_hash, tree_root


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
        return cls(tuple(map(_digest, body["evidence"])), tuple(map(_digest, body.get("uploads", ()))))


def _digest(name: str) -> bytes:
    digest = bytes.fromhex(name)
    if len(digest) != 32:
        raise ValueError(f"{name[:80]!r} is no SHA-256")
    return digest
