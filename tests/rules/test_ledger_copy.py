"""Every way to bend a copy of the ledger is named, entry by entry."""

import json
import random
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.ledger_copy import Evidence, Line, read_line, write_line
from survey_forms.ledger_examination import examine
from survey_forms.ledger_scores import at_size
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_scheme
from survey_forms.signed_notes import Checkpoint
from survey_forms.transparency import canonical_json, leaf_hash, tree_root

SIZE = 10_000


def a_body(seq: int, **facts: Any) -> dict[str, Any]:
    evidence = Evidence((sha256(bytes([seq % 251])).digest(),), ())
    return {
        "format": 2, "seq": seq, "evaluation": "city-2026", "unit": ("civil", "transport")[seq % 2],
        "component": "inspection", "aspect": "conduct", "rule": "late_or_early", "points": "2", "reverses": None,
        "instead_of": None, "finding": None, "basis": f"9:{seq % 60:02d} 三号窗口无人值守",
        "evidence": [one.hex() for one in evidence.photos], "uploads": [], "evidence_root": evidence.root.hex(),
        "filed_by": 3, "decided_by": 4, "entered_at": "2026-11-21T02:30:00.000000+00:00",
    } | facts  # fmt: skip


def leaf_of(body: dict[str, Any]) -> bytes:
    return leaf_hash(canonical_json(body))


def a_copy(size: int) -> list[bytes]:
    return [write_line(body, leaf_of(body)) for body in map(a_body, range(1, size + 1))]


def read(copy: list[bytes]) -> list[Line]:
    return [read_line(line) for line in copy]


def notes_of(copy: list[bytes], *sizes: int) -> list[Checkpoint]:
    leaves = [line.written for line in read(copy)]
    return [Checkpoint("log", size, tree_root(leaves[:size])) for size in sizes]


def told(copy: list[bytes], notes: list[Checkpoint]) -> list[tuple[str, dict[str, Any]]]:
    return [(fault.code, dict(fault.facts)) for fault in examine(read(copy), notes).faults]


@pytest.fixture(scope="module")
def town() -> list[bytes]:
    return a_copy(SIZE)


@pytest.fixture(scope="module")
def notes(town: list[bytes]) -> list[Checkpoint]:
    return notes_of(town, 0, 4_000, 7_001, SIZE)


def test_a_true_copy_is_without_fault_and_proven_to_its_last_checkpoint(town, notes):
    assert examine(read(town), notes) == type(examine([], []))((), SIZE)
    beyond = [*town, *[write_line(a_body(seq), leaf_of(a_body(seq))) for seq in (SIZE + 1, SIZE + 2)]]
    assert (told(beyond, notes), examine(read(beyond), notes).proven) == ([], SIZE)


def test_every_bit_of_a_line_is_part_of_what_is_checked(town):
    content = town[4_711]
    for bit in range(8 * len(content)):
        bent = bytearray(content)
        bent[bit // 8] ^= 1 << bit % 8
        assert not read_line(bytes(bent)).is_whole, bit


@pytest.mark.parametrize("place", [0, 4_711, SIZE - 1])
def test_a_flipped_bit_names_its_entry_among_ten_thousand(town, notes, place):
    lines = read(town)
    chance = random.Random(place)
    for bit in chance.sample(range(8 * len(town[place])), 8):
        bent = bytearray(town[place])
        bent[bit // 8] ^= 1 << bit % 8
        found = examine([*lines[:place], read_line(bytes(bent)), *lines[place + 1 :]], notes).faults
        assert len(found) == 1, bit
        assert found[0].code in {"copy_entry_changed", "copy_leaf_changed", "copy_line_unreadable"}
        assert found[0].facts == {"seq": place + 1, "line": place + 1}


def test_a_changed_figure_and_a_changed_hash_are_told_apart(town, notes):
    body = a_body(500, points="1")
    assert told([*town[:499], write_line(body, leaf_of(a_body(500))), *town[500:]], notes) == [
        ("copy_entry_changed", {"seq": 500, "line": 500})
    ]
    assert told([*town[:499], write_line(a_body(500), bytes(32)), *town[500:]], notes) == [
        ("copy_leaf_changed", {"seq": 500, "line": 500})
    ]


def test_a_deleted_entry_is_named(town, notes):
    assert told(town[:4_999] + town[5_000:], notes) == [("copy_entry_missing", {"seq": 5_000})]
    assert told(town[2:], notes) == [("copy_entries_missing", {"first": 1, "last": 2})]


def test_an_entry_in_the_wrong_place_is_named(town, notes):
    moved = town[:99] + town[100:6_000] + [town[99]] + town[6_000:]
    assert told(moved, notes) == [("copy_entry_moved", {"seq": 100, "line": 6_000})]
    swapped = [*town[:9], town[10], town[9], *town[11:]]
    assert [code for code, _ in told(swapped, notes)] == ["copy_entry_moved"]


def test_an_inserted_entry_is_named_whatever_it_calls_itself(town, notes):
    forged = a_body(300, points="9")
    for at, line in ((299, 300), (300, 301)):
        copy = [*town[:at], write_line(forged, leaf_of(forged)), *town[at:]]
        assert told(copy, notes) == [("copy_entry_inserted", {"seq": 300, "line": line})]
    assert told([*town[:300], b'{"a":1}\n', *town[300:]], notes) == [("copy_line_strange", {"seq": None, "line": 301})]


def test_a_copy_that_ends_early_is_named(town, notes):
    assert told(town[:-1], notes) == [("copy_ends_early", {"last": SIZE - 1, "size": SIZE})]
    assert told([], notes) == [("copy_ends_early", {"last": 0, "size": SIZE})]


def test_a_line_cut_in_half_is_named(town, notes):
    assert told([*town[:-1], town[-1][:40]], notes) == [("copy_line_unreadable", {"seq": SIZE, "line": SIZE})]


def test_a_line_with_words_beside_the_entry_is_named(town, notes):
    """No leaf speaks for them, and a reader of the copy may believe them."""
    beside = canonical_json(json.loads(town[41]) | {"a": "lifted by order of the office"}) + b"\n"
    assert told([*town[:41], beside, *town[42:]], notes) == [("copy_line_unreadable", {"seq": 42, "line": 42})]


def test_a_rewritten_log_is_named_by_the_checkpoints_around_the_change(town, notes):
    body = a_body(5_000, points="0.5")
    forked = [*town[:4_999], write_line(body, leaf_of(body)), *town[5_000:]]
    assert told(forked, notes) == [("copy_forked", {"after": 4_000, "size": 7_001})]
    assert examine(read(forked), notes).proven == 4_000
    renumbered = town[:4_999] + [
        write_line(body, leaf_of(body)) for body in (a_body(seq) | {"basis": "-"} for seq in range(5_000, SIZE + 1))
    ]
    assert told(renumbered, notes) == [("copy_forked", {"after": 4_000, "size": 7_001})]


def test_two_signed_faces_of_one_log_are_named(town, notes):
    other = Checkpoint("log", 7_001, bytes(32))
    assert ("copy_split", {"size": 7_001}) in told(town, [*notes, other])


@given(st.integers(1, 60), st.data())
def test_no_bent_copy_passes(size, data):
    copy = a_copy(size)
    notes = notes_of(copy, *data.draw(st.sets(st.integers(0, size), max_size=4)), size)
    bent = list(copy)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(bent) - 1, 0)))
        act = data.draw(st.sampled_from(["delete", "move", "double", "rewrite", "garble"]))
        if not bent:
            break
        if act == "delete":
            del bent[at]
        elif act == "move":
            bent.insert(data.draw(st.integers(0, len(bent) - 1)), bent.pop(at))
        elif act == "double":
            bent.insert(at, bent[data.draw(st.integers(0, len(bent) - 1))])
        elif act == "rewrite":
            body = a_body(data.draw(st.integers(1, size)), points="7")
            bent[at] = write_line(body, leaf_of(body))
        else:
            bent[at] = data.draw(st.binary(max_size=20))
    assert bool(told(bent, notes)) == (bent != copy)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"decided_by": 3}, "copy_one_person"),
        ({"reverses": 2}, "copy_reversal_unfit"),
        ({"reverses": "1"}, "copy_reversal_unfit"),
        ({"uploads": ["ab" * 32]}, "copy_evidence_unfit"),
        ({"evidence": ["ab"]}, "copy_evidence_unfit"),
    ],
)
def test_what_breaks_the_rules_is_named_though_it_is_hashed_well(facts, code):
    body = a_body(2, **facts)
    copy = [*a_copy(1), write_line(body, leaf_of(body))]
    assert [fault[0] for fault in told(copy, notes_of(copy, 2))] == [code]


def test_an_entry_is_reversed_once():
    bodies = [a_body(1), a_body(2, reverses=1), a_body(3, reverses=1)]
    copy = [write_line(body, leaf_of(body)) for body in bodies]
    assert told(copy, notes_of(copy, 3)) == [("copy_reversal_unfit", {"seq": 3, "reverses": "1"})]


def test_an_entry_of_the_first_format_is_read():
    body = {name: fact for name, fact in a_body(1, format=1).items() if name not in {"uploads", "evidence_root"}}
    copy = [write_line(body, leaf_of(body))]
    assert told(copy, notes_of(copy, 1)) == []


@given(st.binary(max_size=80))
def test_any_bytes_are_a_line_or_none(content):
    assert not read_line(content).is_whole


def test_a_deep_or_endless_line_is_none():
    assert read_line(b"[" * 100_000) == Line()
    assert read_line(b'{"a":"' + b"x" * 2_000_000 + b'"}\n') == Line()


def test_the_deductions_of_a_document_are_those_of_the_ledger_at_that_size():
    scheme = load_scheme("xiamen-wf-2015")
    document = {"scheme": scheme.id, "supplied": {}, "units": [{"id": "civil", "scores": {}}, {"id": "transport"}]}
    bodies = [a_body(1), a_body(2, points="1.5"), a_body(3, reverses=1), a_body(4, evaluation="other", unit="x")]
    found = at_size(scheme, document, bodies, "city-2026", 2)
    assert [unit["deductions"] for unit in found["units"]] == [
        [{"id": "L2", "to": "inspection", "points": "1.5"}],
        [{"id": "L1", "to": "inspection", "points": "2"}],
    ]
    later = at_size(scheme, found, bodies, "city-2026", 4)["units"][1]["deductions"]
    assert later[1] == {"id": "L3", "reverses": "L1"}
    with pytest.raises(Refused, match="copy_unit_unknown"):
        at_size(scheme, document, bodies, "other", 4)
