"""What is published of the boxes when a survey closes: two Merkle roots (RFC 9162), one a reader.

The receipts' tree lets a respondent find their box among all boxes; its leaves are public and tell nothing without
the receipt. The boxes' tree has no receipts in it: with it the custodians know that the boxes before them are the
boxes that were published, though their machine never sees a receipt.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from survey_forms.transparency import leaf_hash, tree_root


@dataclass(frozen=True, slots=True)
class Box:
    """A sealed ballot and its stratum; no receipt."""

    stratum: str
    sealed: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the sealed bytes."""
        return sha256(self.sealed).digest()


def receipt_leaf(receipt_hash: bytes, box_digest: bytes) -> bytes:
    """SHA-256(0x00 || SHA-256 of the receipt || SHA-256 of the box)."""
    return leaf_hash(receipt_hash + box_digest)


def box_leaf(box_digest: bytes, stratum: str) -> bytes:
    """SHA-256(0x00 || SHA-256 of the box || its stratum)."""
    return leaf_hash(box_digest + stratum.encode())


def box_root(boxes: Iterable[Box]) -> bytes:
    """The root over the boxes' leaves in the order of their bytes."""
    return tree_root(sorted(box_leaf(box.digest, box.stratum) for box in boxes))


def counts_of(strata: Iterable[str]) -> Mapping[str, int]:
    """How often each stratum comes, in the order of their names."""
    return dict(sorted(Counter(strata).items()))
