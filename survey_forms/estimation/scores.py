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
from scipy.special import ndtri

from survey_forms.estimation.calibrated import calibrated_means, predictions
from survey_forms.estimation.cells import Cell
from survey_forms.estimation.intervals import equal_answers_interval, logit_t_interval
from survey_forms.estimation.linearised import Means, domain_means
from survey_forms.estimation.tables import CellName, Domain, RakedCell, Table, tabulated
from survey_forms.numbers import published
from survey_forms.refusal import Refused

MEASURED_FROM = 10  # ratings; below, a unit counts as "not measured"
SOUND_FROM = 30  # ratings; below, a score is shown with a flag
ONE_SIDED = float(ndtri(0.95))
"""The normal quantile of the bound of equal answers (`Reading.level` is 0.95 for all that is published)."""


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
    (stratum, wcell), by default N/n of the stratum; `raked` tells of every cell with a respondent what its weight was
    before raking, which the error then takes into account; `finite` applies the finite population correction ("what
    this year's population thinks") and is off for comparisons between years.
    """

    low: float
    high: float
    level: float = 0.95
    finite: bool = True
    weights: Mapping[CellName, float] | None = None
    raked: Mapping[CellName, RakedCell] | None = None


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


def error_to_compare(one: Estimate) -> float | None:
    """The error with which a group's score is compared with a cut or with others; None where it is unknown.

    It is the SE, but where all answers were equal. The SE by formula is then 0, which is no certainty: it is read from
    the exact one-sided bound, as far as the mean may lie on either side, over the normal quantile of that bound.
    """
    if Flag.ALL_ANSWERS_EQUAL not in one.flags or one.value is None or one.low is None or one.high is None:
        return one.se
    return max(one.high - one.value, one.value - one.low) / ONE_SIDED


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
    table = _tabulated(cells, frames, reading)
    if not table.domains:
        return {}
    if table.raking is None:
        means = domain_means(table.counts, table.design, finite=reading.finite)
    else:
        means = calibrated_means(table.counts, table.design, table.raking, finite=reading.finite)
    low, high = _intervals(means, reading)
    group = _flags_of_group(frames, finite=reading.finite)
    return {
        domain: _estimate(means, column, low[column], high[column], group)
        for column, domain in enumerate(table.domains)
    }


def margin_predictions(
    cells: Iterable[Cell], strata: Iterable[StratumFrame], reading: Reading
) -> dict[CellName, dict[Domain, float]]:
    """What the margins of a raked group predict of w z of a cell's persons (`pairs.covariance` takes it off)."""
    table = _tabulated(cells, sorted(strata, key=lambda frame: frame.stratum), reading)
    if table.raking is None or not table.domains:
        return {}
    found = predictions(table.counts, table.design, table.raking)
    return {row: dict(zip(table.domains, found[at].tolist(), strict=True)) for at, row in enumerate(table.rows)}


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


def _tabulated(cells: Iterable[Cell], frames: Sequence[StratumFrame], reading: Reading) -> Table:
    sizes = {frame.stratum: (frame.N, frame.n) for frame in frames}
    return tabulated(list(cells), sizes, reading.weights, reading.raked)


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
