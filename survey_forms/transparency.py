"""The ledger's hashing: canonical JSON, and leaf and root hashes of RFC 9162 (Certificate Transparency 2.0).

Whoever holds a root can show that an entry was changed, removed or moved, and whoever holds an inclusion path that
an entry is among the others; nobody needs the database for it.
"""

import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
HASH_LENGTH = 32


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
        _grow(stack, leaf)
    return _folded(stack)


def roots_at(leaves: Iterable[bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """The roots that a growing tree had at some of its sizes, in one pass; of sizes that it never had, none."""
    stack: list[tuple[int, bytes]] = []
    found = {0: _folded(stack)} if 0 in sizes else {}
    for size, leaf in enumerate(leaves, 1):
        _grow(stack, leaf)
        if size in sizes:
            found[size] = _folded(stack)
    return found


def _grow(stack: list[tuple[int, bytes]], leaf: bytes) -> None:
    height, node = 0, leaf
    while stack and stack[-1][0] == height:
        node = node_hash(stack.pop()[1], node)
        height += 1
    stack.append((height, node))


def _folded(stack: Sequence[tuple[int, bytes]]) -> bytes:
    if not stack:
        return sha256(b"").digest()
    root = stack[-1][1]
    for _, left in reversed(stack[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(frozen=True, slots=True)
class Tree:
    """All hashes of a tree that grows no more, level by level from the leaves up, each level one byte string.

    64 bytes a leaf: a path is then read, not computed, however often it is asked for.
    """

    levels: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> "Tree":
        """The tree over leaf hashes in their order; its root is that of `tree_root`."""
        levels = [b"".join(leaves)]
        while len(levels[-1]) > HASH_LENGTH:
            below = levels[-1]
            pairs = range(0, len(below) - HASH_LENGTH, 2 * HASH_LENGTH)
            above = [sha256(NODE_PREFIX + below[at : at + 2 * HASH_LENGTH]).digest() for at in pairs]
            odd = len(below) % (2 * HASH_LENGTH)  # the odd node is carried up
            levels.append(b"".join(above) + (below[-HASH_LENGTH:] if odd else b""))
        return cls(tuple(levels))

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self.levels[0]) // HASH_LENGTH

    @property
    def root(self) -> bytes:
        """The Merkle tree hash."""
        return self.levels[-1] or sha256(b"").digest()

    def leaf(self, index: int) -> bytes:
        """The leaf hash at an index."""
        return self.levels[0][index * HASH_LENGTH : (index + 1) * HASH_LENGTH]

    def index(self, leaf: bytes) -> int | None:
        """Where a leaf stands in a tree whose leaves are in the order of their bytes; None where it is not."""
        index = bisect_left(range(self.size), leaf, key=self.leaf)
        return index if index < self.size and self.leaf(index) == leaf else None

    def path(self, index: int) -> tuple[bytes, ...]:
        """The inclusion path of a leaf, the lowest sibling first: RFC 9162, section 2.1.3.1.

        Raises:
            IndexError: there is no leaf of that index.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} in a tree of {self.size}")
        siblings = [
            level[(index >> height ^ 1) * HASH_LENGTH :][:HASH_LENGTH] for height, level in enumerate(self.levels[:-1])
        ]
        return tuple(sibling for sibling in siblings if sibling)

    def consistency(self, earlier: int) -> tuple[bytes, ...]:
        """The proof that the first `earlier` leaves stand in this tree as they stood: RFC 9162, section 2.1.4.1.

        Nothing is to be proved of no leaves, or of all of them: the proof is empty then.

        Raises:
            IndexError: this tree is smaller.
        """
        if not 0 <= earlier <= self.size:
            raise IndexError(f"no {earlier} leaves in a tree of {self.size}")
        return tuple(self._subproof(earlier, 0, self.size, whole=True)) if earlier else ()

    def _subproof(self, earlier: int, low: int, high: int, *, whole: bool) -> list[bytes]:
        """SUBPROOF(m, D[low:high], b) of the RFC, whose `b` says that the earlier tree's own root is at hand."""
        if earlier == high - low:
            return [] if whole else [self._node(low, high)]
        half = low + (1 << (high - low - 1).bit_length() - 1)
        if earlier <= half - low:
            return [*self._subproof(earlier, low, half, whole=whole), self._node(half, high)]
        return [*self._subproof(earlier - (half - low), half, high, whole=False), self._node(low, half)]

    def _node(self, low: int, high: int) -> bytes:
        """The hash over leaves low..high, which stand under one node: the recursion cuts nowhere else."""
        height = (high - low - 1).bit_length()
        return self.levels[height][(low >> height) * HASH_LENGTH :][:HASH_LENGTH]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf stands at that index of the tree with that size and root: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(earlier: int, size: int, path: Sequence[bytes], earlier_root: bytes, root: bytes) -> bool:
    """Whether the tree of that size and root begins with the earlier one: RFC 9162, section 2.1.4.2."""
    if not 0 <= earlier <= size:
        return False
    if earlier in {0, size}:
        return not path and earlier_root == (root if earlier else sha256(b"").digest())
    place, last = earlier - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    steps = [earlier_root, *path] if earlier & (earlier - 1) == 0 else list(path)
    if not steps:
        return False
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == earlier_root and new == root


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
