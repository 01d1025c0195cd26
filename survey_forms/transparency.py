"""The ledger's hashing: canonical JSON, and leaf and root hashes of RFC 9162 (Certificate Transparency 2.0).

Whoever holds a root can show that an entry was changed, removed or moved; nobody needs the database for it.
"""

import json
from collections.abc import Iterable
from hashlib import sha256

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"


def canonical_json(value: object) -> bytes:
    """The one byte string of a JSON value: keys sorted by code point, no blanks, UTF-8, JSON's own escapes.

    Amounts are written as text and counts as whole numbers; a float has several spellings, so none here.

    Raises:
        TypeError: a float, a key that is not text, or anything that JSON lacks (the path is named).
        ValueError: text that UTF-8 cannot hold (a lone surrogate).
    """
    _refuse_ambiguity(value, "$")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry): RFC 9162, section 2.1.1."""
    return sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): RFC 9162, section 2.1.1."""
    return sha256(NODE_PREFIX + left + right).digest()


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The Merkle tree hash of leaf hashes in ledger order; of none, SHA-256 of nothing.

    One pass with a stack of whole subtrees, as long as the binary digits of the count; the odd node is
    carried up and never doubled, which is the recursion of RFC 9162, section 2.1.1, read from the left.
    """
    stack: list[tuple[int, bytes]] = []  # (height, hash), heights falling
    for leaf in leaves:
        height, node = 0, leaf
        while stack and stack[-1][0] == height:
            node = node_hash(stack.pop()[1], node)
            height += 1
        stack.append((height, node))
    if not stack:
        return sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def _refuse_ambiguity(value: object, path: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{path}: the key {key!r} is not text")
            _refuse_ambiguity(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_ambiguity(item, f"{path}[{index}]")
    elif not (value is None or isinstance(value, str | int)):  # a bool is an int, and JSON knows both
        raise TypeError(f"{path}: {type(value).__name__} has no canonical form; write text or a whole number")
