"""Access codes: what is caught, what is accepted, what cannot be joined."""

import unicodedata
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.codes import (
    ALPHABET,
    check_character,
    code_mac,
    display,
    draft_id,
    draft_key,
    new_code,
    new_token,
    open_draft,
    read_code,
    seal_draft,
)

PEPPER = b"a pepper of the tests, long enough"
codes = st.text(ALPHABET, min_size=10, max_size=10).map(lambda body: body + check_character(body))


def chance(values: Iterable[int]) -> Callable[[int], int]:
    """Known chance: these values, one a call."""
    rest = iter(values)
    return lambda bound: next(rest) % bound


def mistyped(text: str) -> bool:
    try:
        read_code(text)
    except Refused as refused:
        return refused.code == "code_mistyped"
    return False


def test_the_alphabet_is_a_prime_number_of_characters_without_look_alikes() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 29
    assert not set(ALPHABET) & set("01ILOSU")


def test_a_new_code_takes_chance_only_from_its_argument() -> None:
    assert new_code(lambda _: 0) == "2" * 11  # all values 0, so the check value is 0
    assert new_code(chance([9] + [0] * 9)) == "B222222222H"


def test_the_check_character_of_a_code_worked_out_by_hand() -> None:
    # B has value 9: 1·9 = 9, and 11·c = -9 = 20 (mod 29) gives c = 20·8 = 160 = 15 (mod 29), which is H
    assert ALPHABET[15] == "H"
    assert check_character("B222222222") == "H"


@given(codes)
def test_a_printed_code_is_read_back(code: str) -> None:
    assert len(display(code)) == 13
    assert read_code(display(code)) == code


@given(codes, st.sampled_from("-－—–‐−  \u3000\t\u200b\ufeff"))
def test_full_width_small_letters_and_any_separator_are_accepted(code: str, separator: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())
    assert unicodedata.normalize("NFKC", wide) == code.lower()
    assert read_code(separator.join(wide)) == code


@given(codes, st.integers(0, 10), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_caught(code: str, place: int, wrong: str) -> None:
    typed = code[:place] + wrong + code[place + 1 :]
    assert mistyped(typed) == (typed != code)


@given(codes, st.integers(0, 10), st.integers(0, 10))
def test_every_exchange_of_two_characters_is_caught(code: str, one: int, other: int) -> None:
    letters = list(code)
    letters[one], letters[other] = letters[other], letters[one]
    typed = "".join(letters)
    assert mistyped(typed) == (typed != code)


@pytest.mark.parametrize("text", ["", "-", "B222222222", "B222222222H2", "O" * 11, "评议码", "H" * 101, "\ud800" * 11])
def test_anything_else_is_one_refusal_that_does_not_repeat_what_was_typed(text: str) -> None:
    with pytest.raises(Refused) as caught:
        read_code(text)
    assert caught.value.code == "code_mistyped"
    assert not caught.value.faults[0].facts


def test_a_token_has_sixteen_characters_and_is_read_too() -> None:
    token = new_token(chance(range(5, 100)))
    assert len(token) == 16
    assert read_code(display(token).lower()) == token


def test_the_mac_is_hmac_sha256_and_parts_cannot_be_shifted() -> None:
    assert len(code_mac(PEPPER, "xiamen-2015", "B222222222H")) == 32
    macs = {
        code_mac(PEPPER, "a", "bc"),
        code_mac(PEPPER, "ab", "c"),
        code_mac(PEPPER, "a", "bd"),
        code_mac(PEPPER + b"x", "a", "bc"),
    }
    assert len(macs) == 4
    with pytest.raises(ValueError, match="pepper"):
        code_mac(b"short", "a", "b")


def test_mac_draft_id_and_draft_key_have_nothing_in_common() -> None:
    facts = (PEPPER, "xiamen-2015", "B222222222H")
    assert len(draft_id(*facts)) == 16
    assert len(draft_key(*facts)) == 32
    assert draft_id(*facts) not in code_mac(*facts)
    assert draft_key(*facts)[:16] != draft_id(*facts)
    assert draft_key(*facts) != code_mac(*facts)


@given(st.binary(max_size=3000), st.binary(min_size=12, max_size=12))
def test_a_draft_opens_only_with_its_code(draft: bytes, nonce: bytes) -> None:
    key = draft_key(PEPPER, "e", "B222222222H")
    sealed = seal_draft(key, draft, nonce)
    assert open_draft(key, sealed) == draft
    for broken in (sealed[:-1], sealed[:5], b"", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(Refused, match="draft_unreadable"):
            open_draft(key, broken)
    with pytest.raises(Refused, match="draft_unreadable"):
        open_draft(draft_key(PEPPER, "e", "2" * 11), sealed)


def test_a_nonce_of_another_length_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="nonce"):
        seal_draft(bytes(32), b"", bytes(8))
