"""The verifiable draw: a SHA-256 ticket for every unit, the smallest tickets are the sample.

Frame and plan are committed by their hashes, and the source of the randomness is named, before its value is known.
After that nobody chooses anything: whoever knows a unit's id works out its ticket with `sha256sum` and compares it
with the stratum's threshold. No floats and no library's random stream decide.

Source: RFC 3797 and the SHA-256 sampler of Rivest and Stark; systematic selection with one exact rational start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from survey_forms.refusal import Refused
from survey_forms.sampling.frame import Frame, Plan, check_plan

LABEL = "mingcha-draw/1"
RESERVE = 5
_TWO_64 = 1 << 64


@dataclass(frozen=True, slots=True)
class StratumDraw:
    """What was drawn of one stratum.

    `sample` and `reserve` are in the order of tickets; `threshold` is the last drawn ticket (None for n = 0);
    `systematic` are places (from 0) in the published order, for strata that are drawn along it.
    """

    stratum: str
    size: int
    n: int
    sample: tuple[str, ...]
    reserve: tuple[str, ...]
    threshold: str | None
    systematic: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Draw:
    """The public record of a draw; strata in the order of the plan."""

    frame_sha256: str
    plan_sha256: str
    randomness: str
    seed: str
    strata: tuple[StratumDraw, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one unit stands: its ticket, its place in ticket order (from 1), and whether it was drawn."""

    unit_id: str
    stratum: str
    ticket: str
    place: int
    drawn: bool


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


def draw(frame: Frame, plan: Plan, randomness: str, reserve: int = RESERVE) -> Draw:
    """Draw every stratum of the plan, with `reserve` substitutes each.

    Raises:
        Refused: the plan asks for what the frame lacks; no randomness.
    """
    check_plan(frame, plan)
    seed = seed_of(frame.sha256, plan.sha256, randomness)
    strata = tuple(
        draw_stratum(seed, line.stratum, frame.members[line.stratum], line.n, reserve) for line in plan.lines
    )
    return Draw(frame.sha256, plan.sha256, randomness, seed, strata)


def draw_stratum(seed: str, stratum: str, units: Sequence[str], n: int, reserve: int = RESERVE) -> StratumDraw:
    """The n units with the smallest tickets, and the next ones in line as reserve."""
    taken = min(n + reserve, len(units))
    digests = _digests(seed, stratum, units)
    order = _smallest(digests, taken)
    ids = tuple(units[place] for place in order)
    return StratumDraw(
        stratum=stratum,
        size=len(units),
        n=n,
        sample=ids[:n],
        reserve=ids[n:taken],
        threshold=digests[order[n - 1]].tobytes().hex() if n else None,
        systematic=systematic_places(seed, stratum, len(units), n),
    )


def systematic_places(seed: str, stratum: str, size: int, n: int) -> tuple[int, ...]:
    """Places (from 0) of n units at equal distances along the published order, after one public start.

    U = the first 16 hex digits of SHA-256(`seed|start|stratum`); place i is floor((U + i·2^64)·N / (n·2^64)).
    """
    start = int(sha256(f"{seed}|start|{stratum}".encode()).hexdigest()[:16], 16)
    return tuple((start + index * _TWO_64) * size // (n * _TWO_64) for index in range(n))


def standing(frame: Frame, drawing: Draw, unit_id: str) -> Standing:
    """Whether one unit was drawn, and why.

    Raises:
        Refused: `draw_unit_unknown`: the frame lacks it, or the plan draws nothing from its stratum.
    """
    for drawn in drawing.strata:
        units = frame.members[drawn.stratum]
        if unit_id in units:
            own = ticket(drawing.seed, drawn.stratum, unit_id)
            digests = _digests(drawing.seed, drawn.stratum, units)
            place = 1 + sum(digest.tobytes() < bytes.fromhex(own) for digest in digests)
            return Standing(unit_id, drawn.stratum, own, place, place <= drawn.n)
    raise Refused("draw_unit_unknown", unit_id)


def _digests(seed: str, stratum: str, units: Sequence[str]) -> NDArray[np.uint8]:
    """The tickets as bytes, (N, 32): 32 MB for a million, where a list of bytes objects would take 73."""
    prefix = sha256(f"{seed}|{stratum}|".encode())
    packed = bytearray()
    for unit in units:
        state = prefix.copy()
        state.update(unit.encode())
        packed += state.digest()
    return np.frombuffer(packed, dtype=np.uint8).reshape(-1, 32)


def _smallest(digests: NDArray[np.uint8], count: int) -> list[int]:
    """Places of the `count` smallest digests, in their order.

    The recipe orders equal tickets by unit_id. Ids are unique, so two equal tickets would be a collision of SHA-256;
    the code has no branch that nobody could ever test.
    """
    if count == 0:
        return []
    words = digests.view(">u8").astype(np.uint64)  # (N, 4): big-endian words compare as the bytes do
    last = np.partition(words[:, 0], count - 1)[count - 1]
    near = np.flatnonzero(words[:, 0] <= last)
    places: list[int] = near[np.lexsort(words[near].T[::-1])][:count].tolist()
    return places
