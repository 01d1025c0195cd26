"""Closing a sealed survey: are there as many boxes as spent codes, and what is published of them from then on."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from api.store import boxes, closings, people, rounds, surveys, windows
from api.store.closings import Closed
from survey_forms.ballot.files import Closing, write_boxes
from survey_forms.ballot.roots import box_leaf, box_root, receipt_leaf
from survey_forms.refusal import Fault, Refused
from survey_forms.transparency import Tree, tree_root

TREES_KEPT = 4


def close_ballot(connection: Connection, survey_id: int, staff_id: int | None, now: datetime) -> None:
    """Publish the number of boxes and their roots. No box comes in after this, and none may be changed.

    Closing a closed ballot changes nothing.

    Raises:
        Refused: `not_found`; `survey_not_sealed`; `ballot_still_open`; `ballot_at_odds` for each stratum whose boxes
            are not as many as its spent codes.
    """
    window = windows.hold_window(connection, survey_id)
    if window is None:
        raise Refused("not_found")
    if window.secrecy != "sealed":
        raise Refused("survey_not_sealed")
    if closings.closing_of(connection, survey_id) is not None:
        return
    if window.round_status == "draft" or not window.is_over(now):
        raise Refused("ballot_still_open")
    rounds.shut_out_answers(connection, [survey_id])
    if faults := at_odds(connection, survey_id):
        raise Refused.of(faults)
    counts = {one.code: 0 for one in surveys.strata_of(connection, survey_id)}
    counts |= boxes.boxes_by_stratum(connection, survey_id)
    tree = receipt_tree(connection, survey_id)
    root = tree_root(
        sorted(box_leaf(digest, stratum) for _, digest, stratum in boxes.receipts_of(connection, survey_id))
    )
    closings.put_closing(connection, survey_id, counts, tree.root.hex(), root.hex(), staff_id, now)
    people.record_act(
        connection,
        "ballot_closed",
        now,
        staff_id,
        survey=survey_id,
        boxes=sum(counts.values()),
        merkle_root=tree.root.hex(),
        box_root=root.hex(),
    )


def close_if_sealed(connection: Connection, survey_id: int, staff_id: int | None, now: datetime) -> bool:
    """Close the ballot of a survey that has just ended, whoever or whatever ended it; whether nothing is left to do.

    A ballot that does not add up stays unclosed, is never counted, and the audit and the office's page say why: the
    survey's end itself must not fail by it.
    """
    window = windows.window_of(connection, survey_id)
    if window is None or window.secrecy != "sealed":
        return True
    try:
        close_ballot(connection, survey_id, staff_id, now)
    except Refused as refused:
        strata = [fault.path for fault in refused.faults]
        people.record_act(
            connection, "ballot_not_closed", now, staff_id, survey=survey_id, code=refused.code, strata=strata
        )
        return False
    return True


def close_ended(connection: Connection, now: datetime) -> list[int]:
    """Close the ballots of sealed surveys whose time is over; those that do not add up are returned, and left alone."""
    ended = closings.ended_unclosed(connection, now)
    return [one for one in ended if not close_if_sealed(connection, one, None, now)]


def at_odds(connection: Connection, survey_id: int) -> list[Fault]:
    """The strata whose boxes are not as many as their spent codes: something else than answering has happened."""
    found = boxes.boxes_by_stratum(connection, survey_id)
    spent = boxes.spent_by_stratum(connection, survey_id)
    return [
        Fault("ballot_at_odds", stratum, {"boxes": found.get(stratum, 0), "spent": spent.get(stratum, 0)})
        for stratum in sorted(found | spent)
        if found.get(stratum, 0) != spent.get(stratum, 0)
    ]


def receipt_tree(connection: Connection, survey_id: int) -> Tree:
    """The tree over receipts and boxes, its leaves in the order of their bytes."""
    found = boxes.receipts_of(connection, survey_id)
    return Tree.of(sorted(receipt_leaf(receipt, digest) for receipt, digest, _ in found))


def export(connection: Connection, survey_id: int) -> Iterator[bytes]:
    """The boxes for the custodians, without receipts, as lines of a file.

    Raises:
        Refused: `ballot_not_closed`; `ballot_changed` when they are not the boxes that were published.
    """
    closed = closing_of(connection, survey_id)
    key = boxes.key_of(connection, survey_id)
    found = boxes.boxes_of(connection, survey_id)
    if key is None or box_root(found).hex() != closed.box_root:
        raise Refused("ballot_changed")
    published = Closing(
        survey_id, key.public_key.hex(), dict(sorted(closed.counts.items())), closed.merkle_root, closed.box_root
    )
    return write_boxes(published, found)


def closing_of(connection: Connection, survey_id: int) -> Closed:
    """A survey's closing.

    Raises:
        Refused: `ballot_not_closed`.
    """
    closed = closings.closing_of(connection, survey_id)
    if closed is None:
        raise Refused("ballot_not_closed")
    return closed


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a receipt's box stands in the published tree, and the path that proves it (RFC 9162)."""

    survey_id: int
    receipt_hash: bytes
    box_digest: bytes
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes

    def as_json(self) -> Mapping[str, object]:
        """The proof as a file for the receipt's owner; everything in it is public but the receipt's hash."""
        return {
            "survey_id": self.survey_id,
            "receipt_sha256": self.receipt_hash.hex(),
            "box_sha256": self.box_digest.hex(),
            "leaf": receipt_leaf(self.receipt_hash, self.box_digest).hex(),
            "leaf_index": self.index,
            "tree_size": self.size,
            "inclusion_path": [node.hex() for node in self.path],
            "merkle_root": self.root.hex(),
        }


class Trees:
    """The trees of closed ballots, built at the first question and kept by a web process: 64 bytes a box."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], Tree] = {}
        self._lock = threading.Lock()

    def tree(self, connection: Connection, closed: Closed) -> Tree:
        """The tree of a closed ballot.

        Raises:
            Refused: `ballot_changed` when the boxes do not give the published root any more.
        """
        key = (closed.survey_id, closed.merkle_root)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                found = receipt_tree(connection, closed.survey_id)
                if found.root.hex() != closed.merkle_root:
                    raise Refused("ballot_changed")
                while len(self._kept) >= TREES_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = found
            return found

    def inclusion(self, connection: Connection, survey_id: int, receipt: str) -> Inclusion | None:
        """The proof that a receipt's answer lies among the closed boxes; None when there is no such box.

        Raises:
            Refused: `ballot_not_closed`; `ballot_changed`.
        """
        closed = closing_of(connection, survey_id)
        receipt_hash = sha256(receipt.encode()).digest()
        digest = boxes.digest_of_receipt(connection, survey_id, receipt_hash)
        if digest is None:
            return None
        tree = self.tree(connection, closed)
        index = tree.index(receipt_leaf(receipt_hash, digest))
        if index is None:
            raise Refused("ballot_changed")
        return Inclusion(survey_id, receipt_hash, digest, index, tree.size, tree.path(index), tree.root)
