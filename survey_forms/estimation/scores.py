"""Scores with their errors, read from integer cells: a group's score of a unit, the public review, the composite.

The rules of what may be claimed (fewer than 10 ratings: not measured) are flags, not gaps: the pages and downloads
decide what to show, and the composite what to wait for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from survey_forms.estimation.cells import Cell
from survey_forms.estimation.intervals import equal_answers_interval, logit_t_interval
from survey_forms.estimation.linearised import Counts, Design, Means, domain_means
from survey_forms.numbers import published
from survey_forms.refusal import Refused

MEASURED_FROM = 10  # ratings; below, a unit counts as "not measured"
SOUND_FROM = 30  # ratings; below, a score is shown with a flag

Domain = tuple[str, str]
"""unit, item"""


@dataclass(frozen=True, slots=True)
class StratumFrame:
    """A stratum's N persons in the frame and n responding persons, also those who rated other units only."""

    stratum: str
    N: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.n <= self.N:
            raise Refused("stratum_smaller_than_sample", self.stratum, N=self.N, n=self.n)


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are read.

    `low` and `high` are the least and greatest score an item can take; `level` is the interval's; `weights` those of
    (stratum, wcell), by default N/n of the stratum; `finite` applies the finite population correction ("what this
    year's population thinks") and is off for comparisons between years.
    """

    low: float
    high: float
    level: float = 0.95
    finite: bool = True
    weights: Mapping[tuple[str, str], float] | None = None


class Flag(StrEnum):
    """What a reader must be told of an estimate; the values are also the codes of the sentences."""

    NOT_MEASURED = "not_measured"  # fewer than 10 ratings: no score may be published
    FEW_RATERS = "few_raters"  # 10 to 29 ratings
    SE_NOT_MEASURABLE = "se_not_measurable"  # one rating: the formula would give 0
    LONELY_STRATUM = "lonely_stratum"  # one person answered of a stratum of several
    STRATUM_SILENT = "stratum_silent"  # a stratum without any respondent: the estimate does not speak for it
    ALL_ANSWERS_EQUAL = "all_answers_equal"  # SE 0 by formula; the interval is the exact one-sided bound
    CENSUS = "census"  # every person of the frame answered: no sampling error
    GROUP_BELOW_TEN = "group_below_ten"  # a group's part rests on fewer than 10 ratings
    GROUP_NOT_MEASURED = "group_not_measured"  # a group with a share has no rating at all
    SHARES_RENORMALISED = "shares_renormalised"  # absent groups' shares were spread over those present


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its error on the scale of the items (float64); None where it cannot be known."""

    value: float | None
    se: float | None
    df: float | None
    n: int
    low: float | None
    high: float | None
    flags: tuple[Flag, ...] = ()


NOTHING = Estimate(None, None, None, 0, None, None, (Flag.NOT_MEASURED,))


def group_score(cells: Iterable[Cell], strata: Iterable[StratumFrame], reading: Reading) -> Estimate:
    """One group's score of one unit on one item; see `unit_scores`, which does all of a group at once.

    Raises:
        ValueError: cells of several units or items.
    """
    listed = list(cells)
    domains = {(cell.unit, cell.item) for cell in listed}
    if len(domains) > 1:
        raise ValueError(f"one unit and item at a time, not {sorted(domains)[:3]}")
    scores = unit_scores(listed, strata, reading)
    return next(iter(scores.values())) if scores else NOTHING


def unit_scores(cells: Iterable[Cell], strata: Iterable[StratumFrame], reading: Reading) -> dict[Domain, Estimate]:
    """The stratified mean of every (unit, item) among the cells, with SE, interval and flags.

    A unit that nobody rated has no cell and no entry: read with `.get(domain, NOTHING)`.

    Args:
        cells: answers of the respondents of these strata, whole numbers on the scale of `reading`.
        strata: *all* strata of the group, also those without an answer.
        reading: scale, level, weights.

    Raises:
        ValueError: a cell's stratum is not among `strata`, or a stratum has more ratings than persons.
    """
    frames = sorted(strata, key=lambda frame: frame.stratum)
    domains, counts, design = _tabulated(cells, frames, reading.weights)
    if not domains:
        return {}
    means = domain_means(counts, design, finite=reading.finite)
    low, high = _intervals(means, reading)
    group = _flags_of_group(frames, finite=reading.finite)
    return {domain: _estimate(means, column, low[column], high[column], group) for column, domain in enumerate(domains)}


def weighted_score(
    groups: Mapping[str, Estimate],
    shares: Mapping[str, Decimal | float],
    reading: Reading,
    *,
    renormalise: bool = False,
) -> Estimate:
    """The public review score P = Σ L_g m_g with fixed shares; groups are strata, hence independent.

    SE² = Σ L_g² SE_g², df by Satterthwaite. `reading` is the groups' own scale; shares need not add up to 1. A group
    without ratings leaves it unknown, unless the scheme spreads its share (`renormalise`), flagged and never silent.
    """
    missing = [group for group in shares if groups.get(group, NOTHING).value is None]
    if len(missing) == len(shares) or (missing and not renormalise):
        n = sum(estimate.n for group, estimate in groups.items() if group in shares)
        return Estimate(None, None, None, n, None, None, (Flag.GROUP_NOT_MEASURED,))
    present = {group: float(share) for group, share in shares.items() if group not in missing}
    spread = sum(map(float, shares.values())) / sum(present.values()) if missing else 1.0
    parts = [(share * spread, groups[group]) for group, share in sorted(present.items())]
    flags = {flag for _, part in parts for flag in part.flags} - {Flag.FEW_RATERS, Flag.CENSUS}
    if Flag.NOT_MEASURED in flags:
        flags = flags - {Flag.NOT_MEASURED} | {Flag.GROUP_BELOW_TEN}
    if all(Flag.CENSUS in part.flags for _, part in parts):
        flags |= {Flag.CENSUS}
    if missing:
        flags |= {Flag.SHARES_RENORMALISED}
    return _weighted(parts, flags, reading)


def composite_interval(review: Estimate, weight: Decimal | float, rest: Decimal | float) -> Estimate:
    """S = a·I + b·P - D with its error: P moved by b and by the rest, which are counts and carry no error.

    Args:
        review: P with SE and interval, on the scale that the scheme weighs.
        weight: b.
        rest: a·I - D.
    """
    slope, shift = float(weight), float(rest)
    if review.value is None:
        return review
    ends = None
    if review.low is not None and review.high is not None:
        ends = sorted((slope * review.low + shift, slope * review.high + shift))
    return Estimate(
        value=slope * review.value + shift,
        se=None if review.se is None else abs(slope) * review.se,
        df=review.df,
        n=review.n,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        flags=review.flags,
    )


def as_score(value: float, places: int = 4) -> Decimal:
    """An estimate handed over to the scheme's arithmetic: its shortest decimal spelling, rounded half up once."""
    return published(Decimal(repr(float(value))), places)


def _tabulated(
    cells: Iterable[Cell], frames: Sequence[StratumFrame], weights: Mapping[tuple[str, str], float] | None
) -> tuple[list[Domain], Counts, Design]:
    """Cells as arrays: rows are (stratum, wcell), columns (unit, item), both sorted; equal cells add up."""
    listed = list(cells)
    place = {frame.stratum: index for index, frame in enumerate(frames)}
    row_keys = [(cell.stratum, cell.wcell) for cell in listed]
    domain_keys = [(cell.unit, cell.item) for cell in listed]
    rows, domains = sorted(set(row_keys)), sorted(set(domain_keys))
    if strangers := {stratum for stratum, _ in rows} - place.keys():
        raise ValueError(f"cells of strata that the frame lacks: {sorted(strangers)}")
    row_of = {row: index for index, row in enumerate(rows)}
    column_of = {domain: index for index, domain in enumerate(domains)}
    at = ([row_of[key] for key in row_keys], [column_of[key] for key in domain_keys])
    table = np.zeros((3, len(rows), len(domains)), dtype=np.int64)
    np.add.at(table[0], at, [cell.n for cell in listed])
    np.add.at(table[1], at, [cell.s1 for cell in listed])
    np.add.at(table[2], at, [cell.s2 for cell in listed])
    stratum = np.array([place[name] for name, _ in rows], dtype=np.int64)
    responded = np.array([frame.n for frame in frames], dtype=np.int64)
    rated = np.zeros((len(frames), len(domains)), dtype=np.int64)
    np.add.at(rated, stratum, table[0])
    if (rated > responded[:, None]).any():
        crowded = frames[int(np.argmax((rated > responded[:, None]).any(axis=1)))].stratum
        raise ValueError(f"stratum {crowded} has more ratings of a unit than responding persons")
    design_weight = {frame.stratum: frame.N / frame.n for frame in frames if frame.n}
    weight = [design_weight[name] if weights is None else weights[name, wcell] for name, wcell in rows]
    population = np.array([frame.N for frame in frames], dtype=np.int64)
    design = Design(stratum, np.array(weight, dtype=np.float64), population, responded)
    return domains, Counts(*table), design


def _intervals(means: Means, reading: Reading) -> tuple[list[float | None], list[float | None]]:
    bounds, level = (reading.low, reading.high), reading.level
    sides = logit_t_interval(means.value, np.sqrt(means.variance), means.df, bounds, level)
    with np.errstate(divide="ignore"):
        exact = equal_answers_interval(means.value, means.n, bounds, level)
    low, high = (np.where(means.all_equal, by_count, side) for by_count, side in zip(exact, sides, strict=True))
    return _listed(low), _listed(high)


def _listed(numbers: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(number) else float(number) for number in numbers]


def _flags_of_group(frames: Sequence[StratumFrame], *, finite: bool) -> set[Flag]:
    flags = {
        Flag.LONELY_STRATUM: any(frame.n == 1 < frame.N for frame in frames),
        Flag.STRATUM_SILENT: any(frame.n == 0 < frame.N for frame in frames),
        Flag.CENSUS: finite and all(frame.n == frame.N for frame in frames),
    }
    return {flag for flag, is_so in flags.items() if is_so}


def _estimate(means: Means, column: int, low: float | None, high: float | None, group: set[Flag]) -> Estimate:
    n = int(means.n[column])
    if n == 0:
        return NOTHING
    value = float(means.value[column])
    flags = set(group)
    if n < SOUND_FROM:
        flags.add(Flag.NOT_MEASURED if n < MEASURED_FROM else Flag.FEW_RATERS)
    if Flag.CENSUS in group:
        return Estimate(value, 0.0, None, n, value, value, _in_order(flags))
    if n == 1:
        flags.add(Flag.SE_NOT_MEASURABLE)
    if n == 1 or Flag.LONELY_STRATUM in group:
        return Estimate(value, None, None, n, None, None, _in_order(flags))
    if means.all_equal[column]:
        return Estimate(value, 0.0, None, n, low, high, _in_order(flags | {Flag.ALL_ANSWERS_EQUAL}))
    se = float(np.sqrt(means.variance[column]))
    if se == 0:  # rated only in strata that answered to the last person
        return Estimate(value, 0.0, None, n, value, value, _in_order(flags))
    return Estimate(value, se, float(means.df[column]), n, low, high, _in_order(flags))


def _in_order(flags: set[Flag]) -> tuple[Flag, ...]:
    return tuple(flag for flag in Flag if flag in flags)


def _weighted(parts: Sequence[tuple[float, Estimate]], flags: set[Flag], reading: Reading) -> Estimate:
    value = sum(share * (part.value or 0.0) for share, part in parts)
    n = sum(part.n for _, part in parts)
    raised = _in_order(flags)
    if any(part.se is None for _, part in parts):
        return Estimate(value, None, None, n, None, None, raised)
    variances = [(share * (part.se or 0.0)) ** 2 for share, part in parts]
    total = sum(variances)
    if total == 0:  # every group equal in itself: the groups' exact bounds, share by share
        low = sum(share * (part.low or 0.0) for share, part in parts)
        high = sum(share * (part.high or 0.0) for share, part in parts)
        return Estimate(value, 0.0, None, n, low, high, raised)
    df = total**2 / sum(variance**2 / part.df for variance, (_, part) in zip(variances, parts, strict=True) if part.df)
    whole = sum(share for share, _ in parts)
    bounds = (whole * reading.low, whole * reading.high)
    low_end, high_end = logit_t_interval(value, total**0.5, df, bounds, reading.level)
    return Estimate(value, total**0.5, df, n, float(low_end), float(high_end), raised)
