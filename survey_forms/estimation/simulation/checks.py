"""What a simulation must show, with bands that follow from the number of draws; and what a wrong method must not pass.

At 2,000 draws these are the bands of the plan (statistics.md, section 9): coverage of one unit 0.95 ± 0.0167 jointly
over 80 units (3.42 standard deviations, Bonferroni), mean SE² over true variance within 0.89..1.11, mean coverage
within 0.945..0.958, simultaneous rank sets at least 0.94. Fewer draws widen them by the root of their number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

import numpy as np
from scipy.special import bdtrik, chdtr, chdtri, ndtr

from survey_forms.estimation.simulation.population import Bools, Floats, Ints

LEVEL = 0.95
JOINT = 3.42  # standard deviations: 95 % jointly over 80 units
FULL = 2000  # draws of the plan's own bands
SMALL_LEAST, SMALL_MARGIN = 0.93, 0.0033  # of units with 15 to 49 ratings: at 2,000 draws, and below the others
SMALL, MIDDLE, LARGE = 15, 50, 125  # expected ratings of a unit


class Check(StrEnum):
    """What is looked at."""

    INCLUSION = "inclusion"
    BIAS = "bias"
    VARIANCE = "variance"
    COVERAGE = "coverage"
    COVERAGE_SMALL = "coverage_small"
    COVERAGE_MEAN = "coverage_mean"
    RANKS = "ranks"
    GRADES = "grades"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check of one estimator: the least and greatest value found, and between which they must lie."""

    scenario: str
    estimator: str
    check: Check
    draws: int
    units: int
    least: float
    most: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether all values lie inside the band."""
        return self.low <= self.least and self.most <= self.high


@dataclass(frozen=True, slots=True)
class Control:
    """A wrong method, through the same checks: it must fail one of those named."""

    scenario: str
    estimator: str
    verdicts: tuple[Verdict, ...]

    @property
    def caught(self) -> bool:
        """Whether a check saw that the method is wrong."""
        return any(not verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Series:
    """One estimator over R draws of U units: truth and expected ratings (U,); the others (R, U)."""

    truth: Floats
    expected: Floats
    value: Floats
    se: Floats
    low: Floats
    high: Floats

    @property
    def coverage(self) -> Floats:
        """The share of draws whose interval holds the truth, (U,)."""
        held = (self.low <= self.truth) & (self.truth <= self.high)
        return np.asarray(held.mean(axis=0), dtype=np.float64)


def widened(width: float, draws: int) -> float:
    """A band's half-width at 2,000 draws, for another number of draws."""
    return width * sqrt(FULL / draws)


def shares_between(share: float, draws: int) -> tuple[float, float]:
    """Between which shares a binomial share of so many draws falls, jointly over 80 units.

    The plan's share ± 3.42 standard deviations from 2,000 draws on; the binomial's own quantiles for fewer.
    """
    if draws >= FULL:
        half = JOINT * sqrt(share * (1 - share) / draws)
        return share - half, share + half
    tail = float(ndtr(-JOINT))
    least, most = (float(np.ceil(bdtrik(one, draws, share))) for one in (tail, 1 - tail))
    return least / draws, most / draws


def ratios_between(draws: int) -> tuple[float, float]:
    """Between which ratios a true variance over that of so many draws falls, jointly over 80 units.

    The plan's 1 ± 3.42 √(2/R) from 2,000 draws on; chi-square's own quantiles for fewer.
    """
    if draws >= FULL:
        half = JOINT * sqrt(2 / draws)
        return 1 - half, 1 + half
    tail = float(ndtr(-JOINT))
    least, most = (float((draws - 1) / chdtri(draws - 1, one)) for one in (tail, 1 - tail))
    return least, most


def _ends(values: Floats) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def verdicts_of(scenario: str, estimator: str, series: Series) -> list[Verdict]:
    """Bias, variance and coverage of one estimator."""
    draws = len(series.value)
    sd = series.value.std(axis=0, ddof=1)
    bias = np.abs(series.value.mean(axis=0) - series.truth) / (sd / sqrt(draws))
    ratio = np.square(series.se).mean(axis=0) / np.square(sd)
    coverage = series.coverage
    least, most = shares_between(LEVEL, draws)
    small = SMALL_LEAST if draws >= FULL else shares_between(LEVEL - SMALL_MARGIN, draws)[0]
    middle, half = 0.9515, widened(0.0065, draws)
    judged = series.expected >= SMALL
    rows: Sequence[tuple[Check, Floats, Bools, float, float]] = (
        (Check.BIAS, bias, judged, 0.0, 4.0),
        (Check.VARIANCE, ratio, series.expected >= LARGE, *ratios_between(draws)),
        (Check.COVERAGE, coverage, series.expected >= MIDDLE, least, most),
        (Check.COVERAGE_SMALL, coverage, judged & (series.expected < MIDDLE), small, 1.0),
    )
    found = [
        Verdict(
            scenario, estimator, check, draws, int(of.sum()), float(values[of].min()), float(values[of].max()), *ends
        )
        for check, values, of, *ends in rows
        if of.any()
    ]
    if judged.sum() > 1:
        mean = float(coverage[judged].mean())
        ends = (middle - half, middle + half)
        found.append(Verdict(scenario, estimator, Check.COVERAGE_MEAN, draws, int(judged.sum()), mean, mean, *ends))
    return found


def rank_verdict(scenario: str, holds: Sequence[bool], units: int) -> Verdict:
    """Simultaneous rank sets: the share of draws in which all of them hold."""
    share = sum(holds) / len(holds)
    low = LEVEL - widened(0.01, len(holds))
    return Verdict(scenario, "ranks", Check.RANKS, len(holds), units, share, share, low, 1.0)


def grade_verdict(scenario: str, draws: int, statements: Iterable[tuple[float, bool]]) -> Verdict:
    """Grade probabilities: of the statements made with 0.8 to 0.9, the share that is true."""
    true = [right for probability, right in statements if 0.8 <= probability <= 0.9]
    share = sum(true) / max(len(true), 1)
    return Verdict(scenario, "grades", Check.GRADES, draws, len(true), share, share, 0.75, 0.95)


def inclusion_verdict(scenario: str, drawn: Mapping[str, tuple[Ints, int, int]]) -> Verdict:
    """How often each person was drawn, against n/N: chi-square's tail probability by stratum.

    Counts of a sample without replacement vary less: sum (c - Rf)²/(R f (1-f)) · (N-1)/N has N-1 degrees of freedom.

    Args:
        scenario: its name.
        drawn: by stratum: how often each of its N persons was drawn (N,), the persons a draw, and the draws.
    """
    tails = []
    for counts, n, draws in drawn.values():
        size, share = len(counts), n / len(counts)
        if n == size:
            continue
        statistic = np.square(counts - draws * share).sum() / (draws * share * (1 - share)) * (size - 1) / size
        tails.append(float(chdtr(size - 1, statistic)))
    draws = max(draws for _, _, draws in drawn.values())
    return Verdict(scenario, "draw", Check.INCLUSION, draws, len(tails), min(tails), max(tails), 0.0005, 0.9995)
