"""One entry in one signed checkpoint, from one file: a true proof holds, and every bit of it is checked."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.ledger_copy import write_line
from survey_forms.ledger_inclusion import Proof, faults_of, read_entry, read_proof
from survey_forms.refusal import Refused
from survey_forms.signed_notes import Checkpoint, Note, log_signer, read_checkpoint
from survey_forms.transparency import Tree
from tests.rules.test_ledger_copy import a_body, leaf_of

SIGNER = log_signer(b"a test's ledger key, thirty-two bytes at least", "pingyi.example.gov.cn/mingcha-ledger")


def a_proof(seq: int = 17, size: int = 40) -> bytes:
    """What the page of an entry gives to download."""
    tree = Tree.of(leaf_of(a_body(one)) for one in range(1, size + 1))
    note = SIGNER.signed(Note(Checkpoint(SIGNER.name, size, tree.root).text))
    told = {
        "seq": seq, "size": size, "leaf": tree.leaf(seq - 1).hex(), "path": [one.hex() for one in tree.path(seq - 1)],
        "root": tree.root.hex(), "entry": a_body(seq), "checkpoint": str(note),
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False).encode()


def found(content: bytes) -> list[str]:
    """The codes of what is wrong; that the note is unsigned is one of them."""
    proof = read_proof(content)
    try:
        _, checkpoint = read_checkpoint(proof.note or b"", SIGNER.verifier)
    except Refused as refused:
        return [refused.code]
    return [one.code for one in faults_of(proof, checkpoint)]


WHOLE = a_proof()


def bent(**facts: Any) -> bytes:
    return json.dumps(json.loads(WHOLE) | facts).encode()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size))))
def test_every_entry_of_every_size_is_proven(case):
    assert found(a_proof(*case)) == []


@settings(max_examples=800, deadline=None)
@given(st.integers(0, len(WHOLE) * 8 - 1))
def test_every_bit_of_the_file_is_checked_or_says_nothing(bit):
    flipped = bytearray(WHOLE)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        wrong = found(bytes(flipped))
    except Refused:
        return
    assert wrong or said_of(bytes(flipped)) == said_of(WHOLE)  # without a word it was a blank between the words


def said_of(content: bytes) -> str:
    proof = read_proof(content)
    return repr((proof.seq, proof.size, proof.leaf, proof.path, proof.root, proof.entry))


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({"entry": a_body(17, points="3")}, ["inclusion_entry_changed"]),
        ({"entry": a_body(18)}, ["inclusion_entry_changed", "inclusion_other_entry"]),
        ({"leaf": "00" * 32}, ["inclusion_leaf_changed"]),
        ({"path": ["00" * 32] * 6}, ["inclusion_path_wrong"]),
        ({"path": []}, ["inclusion_path_wrong"]),
        ({"seq": 18}, ["inclusion_other_entry", "inclusion_path_wrong"]),
        ({"seq": 41}, ["inclusion_other_entry", "inclusion_path_wrong"]),
        ({"size": 41}, ["inclusion_other_checkpoint"]),
        ({"root": "00" * 32}, ["inclusion_other_checkpoint"]),
        ({"leaf": leaf_of(a_body(18)).hex(), "entry": a_body(18)}, ["inclusion_other_entry", "inclusion_path_wrong"]),
        ({"entry": None}, []),
        ({"entry": None, "leaf": "00" * 32}, ["inclusion_path_wrong"]),
        ({"checkpoint": json.loads(a_proof(17, 41))["checkpoint"]}, ["inclusion_other_checkpoint"]),
        ({"checkpoint": json.loads(WHOLE)["checkpoint"].replace("\n40\n", "\n41\n")}, ["note_not_signed"]),
    ],
)
def test_what_does_not_fit_is_named(facts, codes):
    assert found(bent(**facts)) == codes


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000, b" " * (1024 * 1024 + 1), bent(path="x"), bent(seq=0),
        bent(seq="17"), bent(seq=True), bent(leaf="0" * 63), bent(leaf=7), bent(entry=[]),
        bent(entry={"points": 2.5}), bent(checkpoint=7), bent(path=["00" * 32] * 65), bent(root=None),
    ],
)  # fmt: skip
def test_what_is_no_proof_is_refused(content):
    with pytest.raises(Refused, match="inclusion_unreadable"):
        read_proof(content)


def lines(text: str) -> bytes:
    """The whole proof with words put before its first member."""
    return b"{" + text.encode() + b"," + WHOLE[1:]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (bent(note="this entry was lifted by the office"), "note"),
        (bent(lifted=True), "lifted"),
        (lines('"entry": {"points": "0"}'), "entry"),
        (lines('"seq": 18'), "seq"),
        (WHOLE.replace(b'"points": "2"', b'"points": "0", "points": "2"'), "points"),
        (WHOLE.replace(b'"points": "2"', b'"points": "0", "po\\u0069nts": "2"'), "points"),
        (lines('"\\u001b[2J": 1'), "\N{REPLACEMENT CHARACTER}[2J"),
    ],
)
def test_what_no_signature_speaks_for_is_refused_by_its_name(content, name):
    assert content != WHOLE
    with pytest.raises(Refused, match="inclusion_member_strange") as refused:
        read_proof(content)
    assert refused.value.faults[0].facts == {"name": name}


def test_so_it_is_in_an_entry_that_somebody_holds():
    body = a_body(17)
    line = {"body": body, "leaf": leaf_of(body).hex()}
    for content in (
        json.dumps(line | {"lifted": True}).encode(),
        json.dumps(body).replace('"points"', '"points": "0", "points"', 1).encode(),
    ):
        with pytest.raises(Refused, match="inclusion_member_strange"):
            read_entry(content)
    with pytest.raises(Refused, match="inclusion_entry_unreadable"):
        read_entry(json.dumps(line | {"leaf": "00" * 32}).encode())


def test_an_entry_of_the_file_is_its_body_alone():
    body = a_body(17)
    assert found(bent(entry={"body": body, "leaf": leaf_of(body).hex()})) != []


def test_an_entry_is_read_by_itself_or_from_its_line_of_a_copy():
    body = a_body(17)
    assert read_entry(write_line(body, leaf_of(body))) == read_entry(json.dumps(body).encode()) == body
    for content in (b"", b"[]", b'{"body": [], "leaf": ""}', b'{"points": 2.5}'):
        with pytest.raises(Refused, match="inclusion_entry_unreadable"):
            read_entry(content)


def test_a_checkpoint_of_another_log_is_not_one_of_this_key():
    other = log_signer(b"another secret of thirty-two bytes or more", SIGNER.name)
    proof: Proof = read_proof(WHOLE)
    with pytest.raises(Refused, match="note_not_signed"):
        read_checkpoint(proof.note or b"", other.verifier)
