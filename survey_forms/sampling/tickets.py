"""The verifiable draw: a SHA-256 ticket for every unit, the smallest tickets are the sample.

Frame and plan are committed by their hashes, and the source of the randomness is named, before its value is known.
After that nobody chooses anything: whoever knows a unit's id works out its ticket with `sha256sum` and compares it
with the stratum's threshold. No floats and no library's random stream decide.

Source: RFC 3797 and the SHA-256 sampler of Rivest and Stark; systematic selection with one exact rational start.
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from survey_forms.refusal import Refused

LABEL = "mingcha-draw/1"
_TWO_64 = 1 << 64


def seed_of(frame_sha256: str, plan_sha256: str, randomness: str) -> str:
    """The seed: hex SHA-256 of the label, both commitments and the public randomness, a line each.

    Raises:
        Refused: `draw_randomness_missing` when it is empty or no text.
    """
    text = f"{LABEL}\n{frame_sha256}\n{plan_sha256}\n{randomness}\n"
    if not randomness.strip():
        raise Refused("draw_randomness_missing", "randomness")
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise Refused("draw_randomness_missing", "randomness") from error


def ticket(seed: str, stratum: str, unit_id: str) -> str:
    """A unit's ticket: hex SHA-256 of `seed|stratum|unit_id`."""
    return sha256(f"{seed}|{stratum}|{unit_id}".encode()).hexdigest()


def start_of(seed: str, stratum: str) -> int:
    """The public start of a stratum's steps, of 2^64: the first 16 hex digits of SHA-256(`seed|start|stratum`)."""
    return int(sha256(f"{seed}|start|{stratum}".encode()).hexdigest()[:16], 16)


def systematic_places(seed: str, stratum: str, size: int, n: int) -> tuple[int, ...]:
    """Places (from 0) of n units at equal distances along the published order, after one public start.

    Place i is floor((U + i·2^64)·N / (n·2^64)), U of `start_of`.
    """
    start = start_of(seed, stratum)
    return tuple((start + index * _TWO_64) * size // (n * _TWO_64) for index in range(n))


def digests(key: str, stratum: str, units: Sequence[str]) -> NDArray[np.uint8]:
    """The tickets as bytes, (N, 32): 32 MB for a million, where a list of bytes objects would take 73.

    Args:
        key: the seed, or a permanent text.
        stratum: theirs.
        units: N of them.
    """
    prefix = sha256(f"{key}|{stratum}|".encode())
    packed = bytearray()
    for unit in units:
        state = prefix.copy()
        state.update(unit.encode())
        packed += state.digest()
    return np.frombuffer(packed, dtype=np.uint8).reshape(-1, 32)


def words_of(digests_: NDArray[np.uint8], shift: int = 0) -> NDArray[np.uint64]:
    """The tickets as big-endian words, (N, 4), which compare as the bytes do; less `shift`, modulo 2^256."""
    words = digests_.view(">u8").astype(np.uint64)
    if shift:
        borrow = np.zeros(len(words), dtype=np.uint64)
        for at in (3, 2, 1, 0):
            less = np.uint64((shift >> (64 * (3 - at))) & (_TWO_64 - 1))
            had = words[:, at].copy()
            words[:, at] = had - less - borrow
            borrow = ((had < less) | ((had == less) & (borrow > 0))).astype(np.uint64)
    return words


def smallest(words: NDArray[np.uint64], count: int) -> list[int]:
    """Places of the `count` smallest tickets, in their order.

    The recipe orders equal tickets by unit_id. Ids are unique, so two equal tickets would be a collision of SHA-256;
    the code has no branch that nobody could ever test.
    """
    if count == 0:
        return []
    last = np.partition(words[:, 0], count - 1)[count - 1]
    near = np.flatnonzero(words[:, 0] <= last)
    places: list[int] = near[np.lexsort(words[near].T[::-1])][:count].tolist()
    return places


def place_of(words: NDArray[np.uint64], at: int) -> int:
    """Which in the line of tickets the unit at place `at` is, from 1."""
    less = np.zeros(len(words), dtype=bool)
    for column in (3, 2, 1, 0):
        own = words[at, column]
        less = (words[:, column] < own) | ((words[:, column] == own) & less)
    return 1 + int(np.count_nonzero(less))
