"""The rehearsal: before a survey opens, two custodians show that their shares open what the service seals.

The service seals three words that nobody knows under the campaign key, keeps their SHA-256 and forgets them. Whoever
can say the words has opened the boxes.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from survey_forms.ballot.seal import open_box, public_key_of, seal
from survey_forms.refusal import Refused

TESTS, PROOF = "mingcha/rehearsal/1", "mingcha/rehearsal-proof/1"
BALLOTS = 3
STRATUM = "*rehearsal*"
SIZE = 256
WORD_BYTES = 16


@dataclass(frozen=True, slots=True)
class Tests:
    """Sealed test ballots of a survey, and the public key that they were sealed under (hexadecimal)."""

    survey_id: int
    public_key: str
    boxes: tuple[bytes, ...]


def word_hash(word: str) -> str:
    """What the service keeps of a test word."""
    return sha256(word.encode()).hexdigest()


def seal_tests(public_key: bytes, survey_id: int, words: Sequence[str], ephemerals: Sequence[bytes]) -> Tests:
    """Test ballots of fresh random words, each sealed as a ballot is."""
    boxes = tuple(
        seal(public_key, survey_id, STRATUM, word.encode(), SIZE, ephemeral)
        for word, ephemeral in zip(words, ephemerals, strict=True)
    )
    return Tests(survey_id, public_key.hex(), boxes)


def open_tests(private_key: bytes, tests: Tests) -> tuple[str, ...]:
    """The words.

    Raises:
        Refused: `shares_of_another_key`; `box_spoiled`.
    """
    if public_key_of(private_key).hex() != tests.public_key:
        raise Refused("shares_of_another_key")
    return tuple(open_box(private_key, tests.survey_id, STRATUM, box).decode() for box in tests.boxes)


def write_tests(tests: Tests) -> bytes:
    """The file that goes to the custodians."""
    boxes = [b64encode(box).decode() for box in tests.boxes]
    return _file({"file": TESTS, "survey_id": tests.survey_id, "public_key": tests.public_key, "boxes": boxes})


def read_tests(content: bytes) -> Tests:
    """The file that `write_tests` wrote.

    Raises:
        Refused: `not_a_rehearsal_file`.
    """
    try:
        found = json.loads(content)
        boxes = tuple(b64decode(box, validate=True) for box in found["boxes"])
        tests = Tests(int(found["survey_id"]), str(found["public_key"]), boxes)
        named = found["file"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("not_a_rehearsal_file") from error
    if named != TESTS:
        raise Refused("not_a_rehearsal_file")
    return tests


def write_proof(survey_id: int, words: Sequence[str]) -> bytes:
    """The file that comes back."""
    return _file({"file": PROOF, "survey_id": survey_id, "words": list(words)})


def read_proof(content: bytes) -> tuple[int, tuple[str, ...]]:
    """Survey and words of a proof.

    Raises:
        Refused: `not_a_rehearsal_file`.
    """
    try:
        found = json.loads(content)
        survey_id, words = int(found["survey_id"]), tuple(str(word) for word in found["words"])
        named = found["file"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("not_a_rehearsal_file") from error
    if named != PROOF:
        raise Refused("not_a_rehearsal_file")
    return survey_id, words


def _file(facts: dict[str, object]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, indent=2).encode() + b"\n"
