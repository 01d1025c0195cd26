"""Nonresponse classes: weighting cells of one respondent group, merged where too few answered.

The rule, the same for everybody and published with the weights. Cells stand in byte order of stratum and name. While
a class has fewer respondents than `fewest`, or would multiply its respondents' weights by more than `largest_factor`:
take of these classes the one with the fewest respondents (the first among equals), and join it to the class of its
group that shares a stratum with it before one that does not, then agrees with it in more traits, then stands nearer in
the order, then comes first. A group that is one class stays as it is. Groups are never mixed: raking everybody
together to margins that residents dominate gave intervals that covered down to 0.84 (statistics.md, 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey_forms.estimation.outcomes import CLASSES, RESPONDED, UNKNOWN
from survey_forms.sampling.traits import traits_of


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """A weighting cell of a stratum: the base weight of its cases and how many ended in each AAPOR class."""

    stratum: str
    wcell: str
    base: float
    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        if set(self.counts) - set(CLASSES) or min(self.counts.values(), default=0) < 0:
            raise ValueError(f"no counts of AAPOR classes: {dict(self.counts)}")
        if not 0 < self.base < float("inf"):
            raise ValueError(f"a base weight is positive and finite, not {self.base}")

    @property
    def key(self) -> tuple[str, str]:
        """Stratum and weighting cell."""
        return (self.stratum, self.wcell)

    def number(self, *classes: str) -> int:
        """Cases in these classes; in all without any."""
        return sum(self.counts.get(cls, 0) for cls in classes or CLASSES)

    @property
    def respondents(self) -> int:
        """Cases that answered, wholly or in part."""
        return self.number(*RESPONDED)


@dataclass(frozen=True, slots=True)
class Factors:
    """What a class multiplies base weights by: for unknown eligibility, then for nonresponse.

    `silent` when nobody of the class answered; both factors then say nothing and are 1.
    """

    eligibility: float
    nonresponse: float
    silent: bool = False


def factors_of(cells: Sequence[CellOutcome]) -> Factors:
    """Both factors of a class.

    Known cases carry the unknown ones: sum w0(all) / sum w0(known). Respondents carry the eligible who did not answer:
    sum w1(eligible) / sum w1(respondents); cases that are not eligible keep their weight and leave.
    """
    everybody = sum(cell.base * cell.number() for cell in cells)
    known = everybody - sum(cell.base * cell.number(*UNKNOWN) for cell in cells)
    out = sum(cell.base * cell.number("NE") for cell in cells)
    answered = sum(cell.base * cell.respondents for cell in cells)
    if not any(cell.respondents for cell in cells):
        return Factors(1.0, 1.0, silent=True)
    return Factors(everybody / known, (known - out) / answered)


def classes_of(cells: Sequence[CellOutcome], fewest: int, largest_factor: float) -> list[tuple[CellOutcome, ...]]:
    """The cells of one group in classes, merged by the rule of this module; every cell is in exactly one."""
    ordered = sorted(cells, key=lambda cell: cell.key)
    place = {cell.key: index for index, cell in enumerate(ordered)}
    classes: list[tuple[CellOutcome, ...]] = [(cell,) for cell in ordered]
    while len(classes) > 1:
        short = [one for one in classes if _is_short(one, fewest, largest_factor)]
        if not short:
            break
        chosen = min(short, key=lambda one: (sum(cell.respondents for cell in one), place[one[0].key]))
        others = [one for one in classes if one is not chosen]
        host = min(others, key=lambda one: _distance(chosen, one, place))
        joined = tuple(sorted(chosen + host, key=lambda cell: cell.key))
        classes = sorted([one for one in others if one is not host] + [joined], key=lambda one: place[one[0].key])
    return classes


def _is_short(cells: Sequence[CellOutcome], fewest: int, largest_factor: float) -> bool:
    factors = factors_of(cells)
    too_few = sum(cell.respondents for cell in cells) < fewest
    return too_few or factors.silent or factors.nonresponse > largest_factor


def _distance(
    one: Sequence[CellOutcome], other: Sequence[CellOutcome], place: Mapping[tuple[str, str], int]
) -> tuple[bool, int, int, int]:
    """How far a class is from another, by the rule; the least is the neighbour."""
    apart = {cell.stratum for cell in one}.isdisjoint(cell.stratum for cell in other)
    mine, theirs = _levels(one), _levels(other)
    agreed = sum(not mine[trait].isdisjoint(theirs.get(trait, set())) for trait in mine)
    steps = min(abs(place[a.key] - place[b.key]) for a in one for b in other)
    return apart, -agreed, steps, place[other[0].key]


def _levels(cells: Sequence[CellOutcome]) -> dict[str, set[str]]:
    """Trait → the levels that a class has."""
    found: dict[str, set[str]] = {}
    for cell in cells:
        for trait, level in traits_of(cell.wcell).items():
            found.setdefault(trait, set()).add(level)
    return found
