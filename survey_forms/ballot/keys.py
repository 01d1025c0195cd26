"""The campaign key as it is carried: the public half as a file for the service, each share as a sheet for a person.

The private key itself is written nowhere.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from survey_forms.ballot.seal import KEY_LENGTH, public_key_of, seal
from survey_forms.ballot.split import SHARES, THRESHOLD, join_key, split_key
from survey_forms.refusal import Refused

CAMPAIGN_KEY = "mingcha/campaign-key/1"
LONGEST_NAME = 40
WORDS_A_LINE = 4
_RULE = "-" * 8


@dataclass(frozen=True, slots=True)
class CampaignKey:
    """The public half, and who holds the shares of the private one, in the order of their sheets."""

    public_key: bytes
    custodians: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """One custodian's sheet. The words are the secret."""

    custodian: str
    public_key: bytes
    words: str


def new_key(private_key: bytes, custodians: Sequence[str]) -> tuple[CampaignKey, tuple[Share, ...]]:
    """The public key and the sheets of a private key that the caller drew and forgets.

    Every pair of sheets has been joined again before this returns: a share that fails on the day of the count would
    be found too late.

    Raises:
        Refused: `custodians_unfit`.
    """
    key = CampaignKey(public_key_of(private_key), check_custodians(custodians))
    words = split_key(private_key)
    for left in range(SHARES):
        for right in range(left):
            if join_key((words[left], words[right])) != private_key:
                raise RuntimeError("the shares do not give the key back")
    sheets = zip(key.custodians, words, strict=True)
    return key, tuple(Share(custodian, key.public_key, line) for custodian, line in sheets)


def join_shares(shares: Sequence[Share], public_key: bytes) -> bytes:
    """The private key, known to be the one behind the public key.

    Raises:
        Refused: `shares_do_not_fit`; `shares_of_another_key`.
    """
    private_key = join_key([share.words for share in shares])
    if len(private_key) != KEY_LENGTH or public_key_of(private_key) != public_key:
        raise Refused("shares_of_another_key")
    return private_key


def check_custodians(names: Sequence[str]) -> tuple[str, ...]:
    """Three different names that fit a sheet.

    Raises:
        Refused: `custodians_unfit`.
    """
    cleaned = tuple(" ".join(name.split()) for name in names)
    fit = all(name.isprintable() and 0 < len(name) <= LONGEST_NAME for name in cleaned)
    if len(set(cleaned)) != SHARES or len(cleaned) != SHARES or not fit:
        raise Refused("custodians_unfit", number=SHARES, longest=LONGEST_NAME)
    return cleaned


def key_bytes(public_key: str) -> bytes:
    """A public key from its hexadecimal spelling in a file.

    Raises:
        Refused: `campaign_key_unfit`.
    """
    try:
        return bytes.fromhex(public_key)
    except ValueError as error:
        raise Refused("campaign_key_unfit") from error


def write_public(key: CampaignKey) -> bytes:
    """`public.json`, for the office to upload."""
    facts = {
        "file": CAMPAIGN_KEY,
        "public_key": key.public_key.hex(),
        "custodians": list(key.custodians),
        "threshold": THRESHOLD,
    }
    return json.dumps(facts, ensure_ascii=False, indent=2).encode() + b"\n"


def read_public(content: bytes) -> CampaignKey:
    """The file that `write_public` wrote.

    Raises:
        Refused: `not_a_key_file`; `custodians_unfit`; `campaign_key_unfit` for bytes that are no usable key.
    """
    try:
        found = json.loads(content)
        public_key = bytes.fromhex(found["public_key"])
        names, named, threshold = [str(name) for name in found["custodians"]], found["file"], found["threshold"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("not_a_key_file") from error
    if named != CAMPAIGN_KEY or threshold != THRESHOLD:
        raise Refused("not_a_key_file")
    seal(public_key, 0, "", b"", KEY_LENGTH, bytes(range(KEY_LENGTH)))
    return CampaignKey(public_key, check_custodians(names))


def write_share(share: Share) -> str:
    """A sheet to print: whose it is, which key's, and the words, numbered."""
    numbered = [f"{at:2}. {word:<10}" for at, word in enumerate(share.words.split(), start=1)]
    lines = ["".join(numbered[at : at + WORDS_A_LINE]).rstrip() for at in range(0, len(numbered), WORDS_A_LINE)]
    return "\n".join(
        [
            "明察 Mingcha",
            "密封评议私钥份额（三份中任意两份可以开箱） / Key share of a sealed survey: any two of three open it",
            f"保管人 / Custodian: {share.custodian}",
            f"公钥 / Public key: {share.public_key.hex()}",
            "单独保管，不拍照，不传输，计票时本人带到现场。",
            "Keep it alone, take no picture, send it nowhere; bring it to the count yourself.",
            _RULE,
            *lines,
            "",
        ]
    )


def read_share(sheet: str) -> Share:
    """The sheet that `write_share` wrote; a file of nothing but words will do as well.

    Raises:
        Refused: `shares_do_not_fit` where it holds no words.
    """
    head, _, body = sheet.rpartition(_RULE)
    words = re.findall(r"[a-z]+", body.lower())
    if not words:
        raise Refused("shares_do_not_fit", reason="no words")
    custodian = re.search(r"Custodian: (.*)", head)
    public_key = re.search(r"Public key: ([0-9a-f]{64})", head)
    return Share(
        custodian[1].strip() if custodian else "", bytes.fromhex(public_key[1]) if public_key else b"", " ".join(words)
    )
