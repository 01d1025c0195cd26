"""Signed notes: the published example of the format, and laws that hold for every note."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.signed_notes import (
    COSIGNATURE,
    MOST_NOTE_BYTES,
    Checkpoint,
    Note,
    Signer,
    Verifier,
    log_signer,
    read_checkpoint,
)
from survey_forms.transparency import leaf_hash

# The example of the format's own documentation.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENIGMA = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = log_signer(b"l" * 32, "pingyi.example.gov.cn/ledger")
CHECKPOINT = Checkpoint(LOG.name, 12, leaf_hash(b"root"))
SIGNED = LOG.signed(Note(CHECKPOINT.text))

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
texts = (
    st.lists(lines, min_size=1, max_size=5).map(lambda some: "\n".join(some) + "\n").filter(lambda text: text != "\n")
)
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="+"), min_size=1, max_size=12
).filter(lambda name: not any(char.isspace() for char in name))
signers = st.builds(Signer, names, st.binary(min_size=32, max_size=32), st.sampled_from([1, COSIGNATURE]))


def test_the_published_example_is_read_verified_and_written_as_it_was() -> None:
    key, note = Verifier.read(NEUMANN), Note.read(ENIGMA.encode())
    assert key.signed(note)
    assert (str(key), str(note)) == (NEUMANN, ENIGMA)


def test_a_checkpoint_is_three_lines() -> None:
    assert CHECKPOINT.text == f"pingyi.example.gov.cn/ledger\n12\n{b64encode(CHECKPOINT.root).decode()}\n"
    assert read_checkpoint(str(SIGNED).encode(), LOG.verifier) == (SIGNED, CHECKPOINT)


@given(texts, st.lists(signers, min_size=1, max_size=4, unique_by=lambda one: one.name), st.integers(0, 2**40))
def test_every_signer_of_a_note_is_found_in_it_again(text: str, some: list[Signer], moment: int) -> None:
    note = Note(text)
    for signer in some:
        note = signer.signed(note, moment)
    read = Note.read(str(note).encode())
    assert read == note
    for signer in some:
        assert Verifier.read(str(signer.verifier)).signed(read)
    stranger = Signer(some[0].name, bytes(32) if some[0].seed != bytes(32) else b"\1" * 32, some[0].kind).verifier
    assert not stranger.signed(read)
    assert not some[0].verifier.signed(Note("!" + text, note.signatures))


@given(st.integers(0, 8 * len(str(SIGNED).encode()) - 1))
def test_any_flipped_bit_of_a_checkpoint_is_refused(bit: int) -> None:
    content = bytearray(str(SIGNED).encode())
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused) as refused:
        read_checkpoint(bytes(content), LOG.verifier)
    assert refused.value.code in {"note_unreadable", "note_not_signed"}


def test_a_witness_signs_the_moment_too() -> None:
    witness = Signer("witness", b"w" * 32, COSIGNATURE)
    twice = witness.signed(SIGNED, 1_795_300_000)
    assert LOG.verifier.signed(twice)
    assert witness.verifier.signed(twice)
    line = twice.signatures[-1]
    later = line.content[:7] + bytes([line.content[7] ^ 1]) + line.content[8:]
    moved = Note(twice.text, (*SIGNED.signatures, type(line)(line.name, line.key_id, later)))
    assert not witness.verifier.signed(moved)


def test_a_false_signature_beside_a_true_one_is_not_passed_over() -> None:
    false = type(SIGNED.signatures[0])(LOG.name, LOG.verifier.id, bytes(64))
    assert not LOG.verifier.signed(Note(SIGNED.text, (*SIGNED.signatures, false)))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_note_or_a_refusal(content: bytes) -> None:
    try:
        note = Note.read(content)
    except Refused as refused:
        assert refused.code == "note_unreadable"  # noqa: PT017 - the other branch has a claim too
    else:
        assert str(note).encode() == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"\n\n\xe2\x80\x94 a AAAAAAA=\n",
        b"text\n\n- a AAAAAAA=\n",
        b"te\x00xt\n\n\xe2\x80\x94 a AAAAAAA=\n",
        b"text\n\n\xe2\x80\x94 a+b AAAAAAA=\n",
        b"text\n\n" + b"\xe2\x80\x94 a AAAAAAA=\n" * 101,
        b"t" * MOST_NOTE_BYTES + b"\n\n\xe2\x80\x94 a AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="note_unreadable"):
        Note.read(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="note_unreadable"):
        Checkpoint.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        NEUMANN[:-4],
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("Neumann", "Newman"),
        "a+b+c+d",
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="verifier_key_unreadable"):
        Verifier.read(text)


@given(signers)
def test_a_private_key_is_written_and_read_and_fits_its_id(signer: Signer) -> None:
    text = signer.written()
    assert Signer.read(text + "\n") == signer
    for bent in (text[:-3], text.removeprefix("PRIVATE+"), text.replace("+", "-"), ""):
        with pytest.raises(Refused, match="signer_key_unreadable") as refusal:
            Signer.read(bent)
        assert refusal.value.faults[0].facts == {}


def test_the_private_half_is_not_shown() -> None:
    assert "seed" not in repr(LOG)
