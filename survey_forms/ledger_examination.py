"""What is wrong with a copy of the ledger, entry by entry, told from the copy and the signed checkpoints alone.

A changed entry betrays itself by its leaf hash, a missing or moved one by its number, and whoever rewrites those too
meets the checkpoints: the root of each is computed anew from the copy.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, product
from typing import Literal

from survey_forms.ledger_copy import Evidence, Line
from survey_forms.refusal import Fault
from survey_forms.signed_notes import Checkpoint
from survey_forms.transparency import roots_at

MOST_READINGS = 64
"""Ways to read a copy that are tried where lines contradict each other, before it counts as rewritten."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found: faults in the order of the copy, and the size of the largest checkpoint that the copy meets."""

    faults: tuple[Fault, ...]
    proven: int | None


@dataclass(frozen=True, slots=True)
class _Place:
    """A line, and the entry that it is taken for: by its own number, or where it was changed by where it stands."""

    number: int  # of the line, from 1
    line: Line
    seq: int | None  # none where it can be no entry
    kind: Literal["ordered", "double", "moved", "changed", "strange"]


_Reading = Mapping[int, tuple[_Place, bytes | None]]
"""Sequence number → the line that holds the entry, and its leaf hash where the line can be read."""


def examine(lines: Sequence[Line], checkpoints: Iterable[Checkpoint]) -> Examination:
    """Compare a copy with checkpoints whose signatures were verified, and name each thing that is wrong."""
    notes = sorted(checkpoints, key=lambda one: one.size)
    places = _placed(lines)
    reading = _best_reading(places, notes)
    proven, forked = _compared(reading, notes)
    faults = [
        *_disorder(places, reading),
        *_missing(sorted(reading), notes[-1].size if notes else 0),
        *_split(notes),
        *forked,
        *_against_rules(reading),
    ]
    return Examination(tuple(faults), proven)


def _placed(lines: Sequence[Line]) -> list[_Place]:
    own = [(number, line.seq) for number, line in enumerate(lines, 1) if line.is_whole and line.seq is not None]
    ordered = {own[at][0]: own[at][1] for at in _longest_rise([seq for _, seq in own])}  # line → entry
    numbers = dict(own)
    in_order = set(ordered.values())
    ahead = iter([*ordered.values(), None])
    known, before, after = set(numbers.values()), 0, next(ahead)
    places = []
    for number, line in enumerate(lines, 1):
        if number in ordered:
            before, after = ordered[number], next(ahead)
            places.append(_Place(number, line, before, "ordered"))
        elif number in numbers:
            kind: Literal["double", "moved"] = "double" if numbers[number] in in_order else "moved"
            places.append(_Place(number, line, numbers[number], kind))
        else:
            seq = before + 1
            while seq in known:
                seq += 1
            if after is not None and seq >= after:
                places.append(_Place(number, line, None, "strange"))
            else:
                known.add(seq)
                places.append(_Place(number, line, seq, "changed"))
    return places


def _longest_rise(seqs: Sequence[int]) -> list[int]:
    """Where the longest rising subsequence stands: what is outside of it was moved, or came twice."""
    tails: list[int] = []  # the smallest last value of a rise of each length
    ends: list[int] = []
    before: list[int | None] = []
    for at, seq in enumerate(seqs):
        length = bisect_left(tails, seq)
        before.append(ends[length - 1] if length else None)
        tails[length : length + 1], ends[length : length + 1] = [seq], [at]
    at_last = ends[-1] if ends else None
    rise = []
    while at_last is not None:
        rise.append(at_last)
        at_last = before[at_last]
    return rise[::-1]


def _best_reading(places: Sequence[_Place], notes: Sequence[Checkpoint]) -> _Reading:
    """The reading that meets the largest checkpoint; where none does, the one that trusts what is written."""
    options: dict[int, list[tuple[_Place, bytes | None]]] = {}
    for place in sorted(places, key=lambda one: one.kind != "ordered"):
        if place.seq is not None:
            leaves = dict.fromkeys([place.line.written, place.line.leaf])
            options.setdefault(place.seq, []).extend((place, leaf) for leaf in leaves)
    first = {seq: some[0] for seq, some in options.items()}
    doubtful = [seq for seq, some in options.items() if len(some) > 1]
    if not doubtful:
        return first
    for choice in islice(product(*(options[seq] for seq in doubtful)), MOST_READINGS):
        reading = first | dict(zip(doubtful, choice, strict=True))
        proven, forked = _compared(reading, notes)
        if proven is not None and not forked:
            return reading
    return first


def _compared(reading: _Reading, notes: Sequence[Checkpoint]) -> tuple[int | None, list[Fault]]:
    """The largest checkpoint that the copy meets, and the first that it does not."""
    leaves: list[bytes] = []
    while (held := reading.get(len(leaves) + 1)) is not None and held[1] is not None:
        leaves.append(held[1])
    roots = roots_at(leaves, {one.size for one in notes})
    met: int | None = None
    for note in notes:
        if note.size in roots and roots[note.size] != note.root:
            return met, [Fault("copy_forked", "", {"after": met or 0, "size": note.size})]
        met = note.size if note.size in roots else met
    return met, []


def _disorder(places: Sequence[_Place], reading: _Reading) -> Iterator[Fault]:
    for place in places:
        facts = {"seq": place.seq, "line": place.number}
        held = reading[place.seq] if place.seq is not None else None
        if held is None:
            yield Fault("copy_line_strange", "", facts)
        elif held[0] is not place:
            yield Fault("copy_entry_inserted", "", facts)
        elif place.kind == "moved":
            yield Fault("copy_entry_moved", "", facts)
        elif place.kind == "changed" and place.line.leaf is None:
            yield Fault("copy_line_unreadable", "", facts)
        elif place.kind == "changed":
            code = "copy_leaf_changed" if held[1] == place.line.leaf else "copy_entry_changed"
            yield Fault(code, "", facts)


def _missing(seqs: Sequence[int], size: int) -> Iterator[Fault]:
    """Runs of numbers that nobody has; what a checkpoint counts beyond the last is cut off."""
    for before, after in pairwise([0, *seqs]):
        if after == before + 2:
            yield Fault("copy_entry_missing", "", {"seq": before + 1})
        elif after > before + 2:
            yield Fault("copy_entries_missing", "", {"first": before + 1, "last": after - 1})
    last = seqs[-1] if seqs else 0
    if last < size:
        yield Fault("copy_ends_early", "", {"last": last, "size": size})


def _split(notes: Sequence[Checkpoint]) -> Iterator[Fault]:
    """Two checkpoints of one size: the log showed two faces, and signed both."""
    for one, other in pairwise(notes):
        if one.size == other.size and one.root != other.root:
            yield Fault("copy_split", "", {"size": one.size})


def _against_rules(reading: _Reading) -> Iterator[Fault]:
    """Entries that say what no honest ledger says, however well they are hashed."""
    reversed_by: dict[object, int] = {}
    for seq, (place, _) in sorted(reading.items(), key=lambda one: one[0]):
        body = place.line.body
        if body is None or not place.line.is_whole:
            continue
        if body.get("filed_by") == body.get("decided_by"):
            yield Fault("copy_one_person", "", {"seq": seq})
        back = body.get("reverses")
        if back is not None and (type(back) is not int or not 0 < back < seq or back in reversed_by):
            yield Fault("copy_reversal_unfit", "", {"seq": seq, "reverses": str(back)[:20]})
        reversed_by[back] = seq
        try:
            fits = "evidence_root" not in body or Evidence.of_body(body).root.hex() == body["evidence_root"]
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            yield Fault("copy_evidence_unfit", "", {"seq": seq})
