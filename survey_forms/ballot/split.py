"""The campaign's private key in three shares, any two of which give it back: SLIP-39, by `shamir-mnemonic`.

A share is a line of English words that can be printed, read aloud and typed; its own checksum finds a wrong word.
The library draws its own chance from `secrets`, so this file stands at the edge: only the offline commands call it.
"""

from collections.abc import Sequence

from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

from survey_forms.refusal import Refused

SHARES = 3
THRESHOLD = 2
_NO_PASSPHRASE = b""
_ITERATION_EXPONENT = 0  # slows only the guessing of a passphrase, and there is none


def split_key(private_key: bytes) -> tuple[str, ...]:
    """Three lines of words; one alone tells nothing about the key."""
    (shares,) = generate_mnemonics(
        1, [(THRESHOLD, SHARES)], private_key, _NO_PASSPHRASE, iteration_exponent=_ITERATION_EXPONENT
    )
    return tuple(shares)


def join_key(shares: Sequence[str]) -> bytes:
    """The private key from two shares.

    Raises:
        Refused: `shares_do_not_fit` with the library's reason: a wrong word, one share twice, shares of two keys.
    """
    try:
        return bytes(combine_mnemonics([" ".join(share.split()).lower() for share in shares], _NO_PASSPHRASE))
    except MnemonicError as error:
        raise Refused("shares_do_not_fit", reason=str(error)) from error
