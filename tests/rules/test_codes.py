"""Access codes: what is caught, what is accepted, what cannot be joined."""

import unicodedata
from collections.abc import Callable, Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.codes import (
    ALPHABET,
    canonical,
    check_character,
    code_mac,
    display,
    draft_id,
    draft_key,
    new_code,
    new_digits,
    open_draft,
    read_code,
    seal_draft,
    token_of,
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


digit_codes = st.integers(0, 2**64).map(lambda seed: new_digits(Random(seed).randrange))


@given(codes)
def test_a_token_is_read_and_leads_to_the_code_it_was_made_of(code: str) -> None:
    token = token_of(PEPPER, "e", code)
    assert len(token) == 16
    assert token[:10] == code[:10]
    assert canonical(PEPPER, "e", read_code(display(token).lower())) == code
    assert canonical(PEPPER, "e", code) == code


@given(codes, st.integers(0, 15), st.integers(1, 28))
def test_a_token_that_the_service_did_not_write_leads_to_no_code(code: str, place: int, step: int) -> None:
    token = token_of(PEPPER, "e", code)
    wrong = ALPHABET[(ALPHABET.index(token[place]) + step) % 29]
    forged = token[:place] + wrong + token[place + 1 :]
    assert canonical(PEPPER, "e", read_code(forged)) == forged  # as long as a token, so no code's MAC


@given(codes)
def test_a_token_is_worth_nothing_under_another_pepper_or_in_another_evaluation(code: str) -> None:
    token = token_of(PEPPER, "e", code)
    assert canonical(PEPPER + b"x", "e", token) == token
    assert canonical(PEPPER, "f", token) == token


def test_the_six_characters_of_a_token_are_spread_over_the_whole_alphabet() -> None:
    tails = [token_of(PEPPER, "e", new_code(Random(seed).randrange))[10:] for seed in range(600)]
    for place in range(6):
        assert {tail[place] for tail in tails} == set(ALPHABET)


@given(digit_codes)
def test_a_code_of_digits_is_another_spelling_of_a_typed_code(code: str) -> None:
    assert len(code) == 15
    assert len(display(code)) == 17
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in display(code) if digit != " ")
    assert read_code(wide) == read_code(display(code)) == code
    typed = canonical(PEPPER, "e", code)
    assert read_code(typed) == typed
    assert len(typed) == 11


def test_two_codes_of_digits_are_two_codes() -> None:
    made = {new_digits(Random(seed).randrange) for seed in range(3000)}
    assert len({canonical(PEPPER, "e", code) for code in made}) == len(made) > 2990


@given(digit_codes, st.integers(0, 14), st.sampled_from("0123456789"))
def test_every_single_wrong_digit_is_caught(code: str, place: int, wrong: str) -> None:
    typed = code[:place] + wrong + code[place + 1 :]
    assert mistyped(typed) == (typed != code)


@given(digit_codes, st.integers(0, 13), st.integers(1, 2))
def test_digits_exchanged_with_a_neighbour_or_the_next_but_one_are_caught(code: str, place: int, step: int) -> None:
    other = min(place + step, 14)
    digits = list(code)
    digits[place], digits[other] = digits[other], digits[place]
    assert mistyped("".join(digits)) == ("".join(digits) != code)


def test_a_check_digit_worked_out_by_hand() -> None:
    assert not mistyped("300000000000006")  # 1·3 + 5·6 = 33 = 3·11
    assert not mistyped("700000000000010")  # 1·7 + 4·1 = 11
    # 1·5 + 5·c = 0 (mod 11) asks for c = 10, which is no digit: drawn again
    assert new_digits(chance([5] + [0] * 13 + [3] + [0] * 13)) == "300000000000006"
    assert all(mistyped(f"50000000000000{digit}") for digit in range(10))


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
