"""A whole draw: every stratum of a plan, by its own method, from one public seed; and where any one unit stands.

Whatever the method, a unit's chance hangs on its SHA-256 ticket or on the stratum's public start, both worked out from
the seed. The record names all that is needed to work it out again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from survey_forms.refusal import Refused
from survey_forms.sampling import spatial
from survey_forms.sampling.frame import Frame
from survey_forms.sampling.plan import RESERVE, Plan, PlanLine, check_plan, text_of
from survey_forms.sampling.pps import Chances, pareto, pik, quotient, rank_of, systematic
from survey_forms.sampling.tickets import (
    digests,
    place_of,
    seed_of,
    smallest,
    start_of,
    systematic_places,
    ticket,
    words_of,
)

BY_SIZE = frozenset({"pareto", "systematic_pps"})
Facts = Mapping[str, Sequence[int] | Sequence[str]]


@dataclass(frozen=True, slots=True)
class StratumDraw:
    """What was drawn of one stratum.

    `sample` and `reserve` stand in the order of the line: of tickets, of rank values (pareto), or along the walk;
    reserves of a walk in ticket order. `threshold` is the last one drawn: its ticket (tickets), its rank value as a
    fraction (pareto), None where a walk decides or nothing is drawn. `systematic` are places (from 0) along the order:
    those of the sample where a walk decides, else those that a walk through the frame as given would have taken.
    `chances` are those of sample, then reserve, where sizes decide; else everybody's is n/N.
    """

    stratum: str
    size: int
    n: int
    sample: tuple[str, ...]
    reserve: tuple[str, ...]
    threshold: str | None
    systematic: tuple[int, ...]
    selection: str = "tickets"
    order: str = "none"
    shift: int = 0
    chances: tuple[Fraction, ...] = ()

    def inclusion(self, place: int) -> Fraction:
        """The inclusion probability of the unit at a place (from 0) of the sample, reserves following."""
        return self.chances[place] if self.chances else Fraction(self.n, self.size)


@dataclass(frozen=True, slots=True)
class Draw:
    """The public record of a draw; strata in the order of the plan."""

    frame_sha256: str
    plan_sha256: str
    randomness: str
    seed: str
    strata: tuple[StratumDraw, ...]
    facts_sha256: str = ""
    permanent: str | None = None

    @property
    def key(self) -> str:
        """What tickets are made of: the permanent text where waves overlap by choice, else the seed."""
        return self.seed if self.permanent is None else self.permanent


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one unit stands, and why.

    `ticket` is what `sha256sum` finds. `value` is what the line is ordered by: the ticket as seen from where the wave
    begins, the rank value as a fraction (None: no size), or the place along the walk, from 0; `threshold` is that of
    the last drawn (None where the walk decides). `place` is that in the line, or along the walk, from 1. `role` is
    main, reserve or none.
    """

    unit_id: str
    stratum: str
    ticket: str
    value: str | None
    threshold: str | None
    place: int
    drawn: bool
    role: str


def draw_plan(frame: Frame, plan: Plan, randomness: str) -> Draw:
    """Draw every stratum of the plan.

    Raises:
        Refused: the plan asks for what the frame lacks, or was made for another; no randomness; `pps_too_few`.
    """
    check_plan(frame, plan)
    if plan.text != text_of(plan.lines, plan.columns, frame.facts_sha256, plan.permanent):
        raise Refused("plan_of_another_frame", "plan")
    seed = seed_of(frame.sha256, plan.sha256, randomness)
    key = seed if plan.permanent is None else plan.permanent
    strata = tuple(
        draw_line(seed, key, line, frame.members[line.stratum], facts_of(frame, line.stratum)) for line in plan.lines
    )
    facts = frame.facts_sha256 if plan.columns else ""
    return Draw(frame.sha256, plan.sha256, randomness, seed, strata, facts, plan.permanent)


def facts_of(frame: Frame, stratum: str) -> Facts:
    """The further columns of one stratum."""
    return {column: values[stratum] for column, values in frame.facts.items() if stratum in values}


def draw_line(seed: str, key: str, line: PlanLine, units: Sequence[str], facts: Facts) -> StratumDraw:
    """Draw one stratum.

    Args:
        seed: of the draw; walks begin by it.
        key: what tickets are made of.
        line: of the plan.
        units: of the stratum, as the frame gives them.
        facts: parallel to them, what the line's method reads.
    """
    words = words_of(digests(key, line.stratum, units), line.shift)
    chances = pik(_numbers(facts, "size"), line.n) if line.selection in BY_SIZE else None
    threshold, places = None, systematic_places(seed, line.stratum, len(units), line.n)
    if line.selection in {"tickets", "pareto"}:
        able = sum(chance > 0 for chance in chances.numerators) if chances else len(units)
        count = min(line.n + line.reserve, able)
        queue = pareto(words, chances, count) if chances else smallest(words, count)
        if line.n:
            last = queue[line.n - 1]
            threshold = _rank(words[last].tolist(), chances, last)
    else:
        walk = _walk(line, facts, len(units))
        if chances:
            places = tuple(systematic(_along(chances, walk), Fraction(start_of(seed, line.stratum), 1 << 64)))
        taken = walk[list(places)] if places else walk[:0]
        queue = [*taken.tolist(), *_others(words, chances, set(taken.tolist()), line.reserve)]
    ids = tuple(units[place] for place in queue)
    return StratumDraw(
        stratum=line.stratum,
        size=len(units),
        n=line.n,
        sample=ids[: line.n],
        reserve=ids[line.n :],
        threshold=threshold,
        systematic=places,
        selection=line.selection,
        order=line.order,
        shift=line.shift,
        chances=tuple(map(chances.of, queue)) if chances else (),
    )


def draw_stratum(seed: str, stratum: str, units: Sequence[str], n: int, reserve: int = RESERVE) -> StratumDraw:
    """The n units with the smallest tickets, and the next ones in line as reserve."""
    return draw_line(seed, seed, PlanLine(stratum, n, stratum, reserve=reserve), units, {})


def standing(frame: Frame, plan: Plan, drawing: Draw, unit_id: str) -> Standing:
    """Whether one unit was drawn, and why.

    Raises:
        Refused: `draw_unit_unknown`: the frame lacks it, or the plan draws nothing from its stratum.
    """
    found = next((at for at, line in enumerate(plan.lines) if unit_id in frame.members[line.stratum]), None)
    if found is None:
        raise Refused("draw_unit_unknown", unit_id)
    line, drawn = plan.lines[found], drawing.strata[found]
    units = frame.members[line.stratum]
    at, facts = units.index(unit_id), facts_of(frame, line.stratum)
    words = words_of(digests(drawing.key, line.stratum, units), line.shift)
    chances = pik(_numbers(facts, "size"), line.n) if line.selection in BY_SIZE else None
    if line.selection in {"tickets", "pareto"}:
        place = rank_of(words, chances, at) if chances else place_of(words, at)
        value = _rank(words[at].tolist(), chances, at)
    else:
        along = int(np.flatnonzero(_walk(line, facts, len(units)) == at)[0])
        place, value = along + 1, str(along)
    role = "main" if unit_id in drawn.sample else "reserve" if unit_id in drawn.reserve else "none"
    own_ticket = ticket(drawing.key, line.stratum, unit_id)
    return Standing(unit_id, line.stratum, own_ticket, value, drawn.threshold, place, role == "main", role)


def tickets_of(drawing: Draw, drawn: StratumDraw) -> Iterator[tuple[str, str]]:
    """(unit, ticket) of the sample, then of the reserve."""
    for unit in (*drawn.sample, *drawn.reserve):
        yield unit, ticket(drawing.key, drawn.stratum, unit)


def _numbers(facts: Facts, column: str) -> Sequence[int]:
    return [int(value) for value in facts[column]]


def _walk(line: PlanLine, facts: Facts, size: int) -> spatial.Whole:
    """Places of the units in the order that the line walks along."""
    if line.order == "administrative":
        return spatial.by_code([str(code) for code in facts["sort"]])
    if line.order == "serpentine":
        return spatial.serpentine(_numbers(facts, "latitude"), _numbers(facts, "longitude"), line.n)
    if line.order == "hilbert":
        return spatial.hilbert(_numbers(facts, "latitude"), _numbers(facts, "longitude"))
    return np.arange(size, dtype=np.int64)


def _along(chances: Chances, walk: spatial.Whole) -> Chances:
    return Chances(tuple(chances.numerators[place] for place in walk.tolist()), chances.denominator)


def _others(words: spatial.Words, chances: Chances | None, taken: set[int], count: int) -> list[int]:
    """The first `count` in line of those that the walk did not take."""
    if chances:
        able = sum(chance > 0 for chance in chances.numerators)
        line = pareto(words, chances, min(len(taken) + count, able))
    else:
        line = smallest(words, min(len(taken) + count, len(words)))
    return [place for place in line if place not in taken][:count]


def _rank(words: Sequence[int], chances: Chances | None, place: int) -> str | None:
    """What the line is ordered by: 64 hex digits, or a rank value as a fraction."""
    number = sum(word << (64 * (3 - at)) for at, word in enumerate(words))
    if chances is None:
        return f"{number:064x}"
    value = quotient(number, chances, place)
    return None if value is None else f"{value.numerator}/{value.denominator}"
