"""Canonical JSON and RFC 9162 hashes."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.transparency import canonical_json, leaf_hash, node_hash, tree_root

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=12,
)


def rfc9162(leaves: Sequence[bytes]) -> bytes:
    """Section 2.1.1 word for word: k is the largest power of two smaller than n."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + rfc9162(leaves[:k]) + rfc9162(leaves[k:])).digest()


def test_the_bytes_of_an_entry_are_fixed() -> None:
    entry = {
        "unit": "市政园林局",
        "points": "-2.50",
        "evidence": ["b", "a"],
        "a": None,
        "seq": 7,
        "open": True,
    }
    expected = '{"a":null,"evidence":["b","a"],"open":true,"points":"-2.50","seq":7,"unit":"市政园林局"}'
    assert canonical_json(entry) == expected.encode()
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values))
def test_the_order_of_keys_does_not_matter(entry: dict[str, object]) -> None:
    assert canonical_json(dict(reversed(entry.items()))) == canonical_json(entry)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, 0.5]}, r"\$\.a\[1\]"),
        ({"a": Decimal(1)}, r"\$\.a"),
        ({1: "a"}, "key 1"),
        (float("nan"), "float"),
        (b"", "bytes"),
    ],
)
def test_what_has_no_single_spelling_is_an_error_with_its_place(value: object, place: str) -> None:
    with pytest.raises(TypeError, match=place):
        canonical_json(value)


def test_text_that_utf8_cannot_hold_is_an_error() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical_json("\ud800")


def test_the_root_is_the_recursion_of_the_rfc_for_up_to_300_leaves() -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(300)]
    for size in range(301):
        assert tree_root(iter(leaves[:size])) == rfc9162(leaves[:size])


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_any_changed_removed_or_moved_entry_changes_the_root(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    root = tree_root(leaves)
    place = data.draw(st.integers(0, len(leaves) - 1))
    assert tree_root([*leaves[:place], *leaves[place + 1 :]]) != root
    assert tree_root([*leaves[:place], leaf_hash(entries[place] + b"!"), *leaves[place + 1 :]]) != root
    other = data.draw(st.integers(0, len(leaves) - 1))
    moved = list(leaves)
    moved[place], moved[other] = moved[other], moved[place]
    assert (tree_root(moved) != root) == (moved != leaves)


def test_a_leaf_can_never_pass_for_a_node() -> None:
    left, right = leaf_hash(b"l"), leaf_hash(b"r")
    assert leaf_hash(left + right) != node_hash(left, right)
