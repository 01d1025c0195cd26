"""Canonical JSON and RFC 9162 hashes."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.transparency import (
    Tree,
    canonical_json,
    leaf_hash,
    node_hash,
    roots_at,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

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
    assert roots_at(leaves, range(302)) == {size: rfc9162(leaves[:size]) for size in range(301)}
    assert roots_at(leaves, {7, 9}).keys() == {7, 9}


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


def rfc9162_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Section 2.1.3.1 word for word."""
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < k:
        return [*rfc9162_path(index, leaves[:k]), rfc9162(leaves[k:])]
    return [*rfc9162_path(index - k, leaves[k:]), rfc9162(leaves[:k])]


def some_leaves(number: int) -> list[bytes]:
    return [leaf_hash(str(at).encode()) for at in range(number)]


@pytest.mark.parametrize("number", [*range(1, 34), 63, 64, 65, 100])
def test_every_leaf_has_the_path_of_the_rfc_and_proves_it(number: int) -> None:
    leaves = some_leaves(number)
    tree = Tree.of(leaves)
    assert (tree.size, tree.root) == (number, rfc9162(leaves))
    for index, leaf in enumerate(leaves):
        path = tree.path(index)
        assert list(path) == rfc9162_path(index, leaves)
        assert tree.leaf(index) == leaf
        assert verify_inclusion(leaf, index, number, path, tree.root)


def test_an_empty_tree_has_the_root_of_nothing_and_no_path() -> None:
    tree = Tree.of([])
    assert (tree.size, tree.root) == (0, tree_root([]))
    with pytest.raises(IndexError):
        tree.path(0)
    assert not verify_inclusion(leaf_hash(b""), 0, 0, [], tree.root)


@given(st.integers(2, 200), st.data())
def test_no_proof_holds_for_another_leaf_index_size_path_or_root(number: int, data: st.DataObject) -> None:
    leaves = some_leaves(number)
    tree = Tree.of(leaves)
    index = data.draw(st.integers(0, number - 1))
    other = data.draw(st.integers(-1, number + 1).filter(lambda at: at != index))
    leaf, path = leaves[index], list(tree.path(index))
    bent = data.draw(st.integers(0, len(path) - 1))
    wrong = [*path[:bent], leaf_hash(b"another"), *path[bent + 1 :]]
    assert not verify_inclusion(leaf_hash(b"another"), index, number, path, tree.root)
    assert not verify_inclusion(leaf, other, number, path, tree.root)
    assert not verify_inclusion(leaf, index, number, wrong, tree.root)
    assert not verify_inclusion(leaf, index, number, path[:-1], tree.root)
    assert not verify_inclusion(leaf, index, number, [*path, leaf], tree.root)
    assert not verify_inclusion(leaf, index, number, path, leaf_hash(b"another"))


@given(st.sets(st.binary(min_size=32, max_size=32), max_size=40), st.binary(min_size=32, max_size=32))
def test_a_leaf_is_found_in_an_ordered_tree_and_a_stranger_is_not(leaves: set[bytes], stranger: bytes) -> None:
    ordered = sorted(leaves)
    tree = Tree.of(ordered)
    assert [tree.index(leaf) for leaf in ordered] == list(range(len(ordered)))
    assert stranger in leaves or tree.index(stranger) is None


def rfc9162_subproof(earlier: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """Section 2.1.4.1 word for word."""
    if earlier == len(leaves):
        return [] if whole else [rfc9162(leaves)]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if earlier <= k:
        return [*rfc9162_subproof(earlier, leaves[:k], whole=whole), rfc9162(leaves[k:])]
    return [*rfc9162_subproof(earlier - k, leaves[k:], whole=False), rfc9162(leaves[:k])]


def test_every_earlier_size_has_the_consistency_proof_of_the_rfc_and_it_holds() -> None:
    leaves = some_leaves(70)
    roots = [rfc9162(leaves[:size]) for size in range(71)]
    for size in range(1, 71):
        tree = Tree.of(leaves[:size])
        for earlier in range(1, size + 1):
            path = tree.consistency(earlier)
            assert list(path) == rfc9162_subproof(earlier, leaves[:size], whole=True)
            assert verify_consistency(earlier, size, path, roots[earlier], roots[size])


def test_the_example_of_the_rfc_is_proved_as_it_prints_it() -> None:
    """Section 2.1.5: seven leaves, proofs from 3, 4 and 6."""
    a, b, c, d, e, f, j = some_leaves(7)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k = node_hash(g, h)
    tree = Tree.of([a, b, c, d, e, f, j])
    assert tree.consistency(3) == (c, d, g, node_hash(i, j))
    assert tree.consistency(4) == (node_hash(i, j),)
    assert tree.consistency(6) == (i, j, k)


def test_a_tree_says_nothing_of_a_larger_one_and_of_none_there_is_nothing_to_prove() -> None:
    tree = Tree.of(some_leaves(5))
    assert tree.consistency(0) == ()
    assert verify_consistency(0, 5, (), tree_root([]), tree.root)
    assert verify_consistency(0, 0, (), tree_root([]), tree_root([]))
    assert not verify_consistency(0, 5, (), tree.root, tree.root)
    assert not verify_consistency(6, 5, (), tree.root, tree.root)
    for size in (-1, 6):
        with pytest.raises(IndexError):
            tree.consistency(size)


@given(st.integers(2, 200), st.data())
def test_no_consistency_proof_holds_for_a_log_that_was_bent(number: int, data: st.DataObject) -> None:
    leaves = some_leaves(number)
    tree = Tree.of(leaves)
    earlier = data.draw(st.integers(1, number - 1))
    root, path = tree_root(leaves[:earlier]), list(tree.consistency(earlier))
    assert verify_consistency(earlier, number, path, root, tree.root)

    place = data.draw(st.integers(0, earlier - 1))
    forked = Tree.of([*leaves[:place], leaf_hash(b"another"), *leaves[place + 1 :]])
    assert not verify_consistency(earlier, number, forked.consistency(earlier), root, forked.root)
    assert not verify_consistency(earlier, number, path, root, forked.root)
    assert not verify_consistency(earlier, number, path[:-1], root, tree.root)
    assert not verify_consistency(earlier, number, [*path, root], root, tree.root)
    bent = data.draw(st.integers(0, len(path) - 1))
    assert not verify_consistency(
        earlier, number, [*path[:bent], leaf_hash(b"another"), *path[bent + 1 :]], root, tree.root
    )
    other = data.draw(st.integers(0, number).filter(lambda size: size != earlier))
    assert not verify_consistency(other, number, path, root, tree.root)
