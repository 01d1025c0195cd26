"""What one draw of a scenario gives: scores by estimator, and whether ranks and grades told the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from survey_forms.estimation.intervals import logit_t_interval
from survey_forms.estimation.linear import Linear
from survey_forms.estimation.ranks import rank_sets
from survey_forms.estimation.simulation.checks import (
    LEVEL,
    MIDDLE,
    Control,
    Series,
    Verdict,
    grade_verdict,
    rank_verdict,
    verdicts_of,
)
from survey_forms.estimation.simulation.drawing import CUTS, Scored, grades_of
from survey_forms.estimation.simulation.population import HIGH, LOW, Floats, Ints, Population

Told = Callable[[], None]
"""Called after every draw."""

RANK_DRAWS = 1000  # of the max-T quantile; fewer than the product's, which errs wide
GROUP_RATINGS = 13  # expected ratings of a unit in its thinnest group, from which its group-weighted score is judged


@dataclass(frozen=True, slots=True)
class Truth:
    """True scores (U,) by estimator and the ratings (U,) expected for each."""

    score: Floats
    expected: Floats


@dataclass(slots=True)
class Trials:
    """All draws of a scenario: scores by estimator, the rank sets that held, grades with their probabilities."""

    scored: dict[str, list[Scored]] = field(default_factory=dict)
    controls: dict[str, list[Scored]] = field(default_factory=dict)
    truths: dict[str, Truth] = field(default_factory=dict)
    ranks_held: list[bool] = field(default_factory=list)
    grades: list[tuple[float, bool]] = field(default_factory=list)

    def keep(self, estimator: str, scored: Scored, *, control: bool = False) -> None:
        """Note one draw's scores."""
        (self.controls if control else self.scored).setdefault(estimator, []).append(scored)

    def series(self, estimator: str, draws: Sequence[Scored]) -> Series:
        """The draws of one estimator, one beside another."""
        truth = self.truths[estimator]
        columns = ([getattr(one, name) for one in draws] for name in ("value", "se", "low", "high"))
        return Series(truth.score, truth.expected, *(np.array(column) for column in columns))

    def judge(self, scored: Scored, covariance: Floats, truth: Truth) -> None:
        """Note whether the simultaneous rank sets and the grades of the units with enough ratings are right."""
        units = ranked_units(truth)
        sets = rank_sets(scored.value[units].tolist(), covariance, LEVEL, simultaneous=True, draws=RANK_DRAWS)
        rank = 1 + (truth.score[units][:, None] < truth.score[units][None, :]).sum(axis=1)
        self.ranks_held.append(all(one.best <= place <= one.worst for one, place in zip(sets, rank, strict=True)))
        grade, probability = grades_of(scored, units)
        right = grade == (truth.score[units, None] < np.array(CUTS)).sum(axis=1)
        self.grades += list(zip(probability.tolist(), right.tolist(), strict=True))


def ranked_units(truth: Truth) -> Ints:
    """The units that are ranked: 50 ratings or more are expected of them."""
    return np.flatnonzero(truth.expected >= MIDDLE)


def randomness(seed: int, scenario: str, number: int) -> str:
    """The public randomness of one draw of a simulation."""
    return f"simulation {scenario}, seed {seed}, draw {number}"


def judged(scenario: str, trials: Trials, draws: int) -> tuple[list[Verdict], list[Control]]:
    """The verdicts on everything a scenario kept."""
    verdicts = [
        verdict
        for estimator, kept in trials.scored.items()
        for verdict in verdicts_of(scenario, estimator, trials.series(estimator, kept))
    ]
    if trials.ranks_held:
        units = len(ranked_units(next(iter(trials.truths.values()))))
        verdicts.append(rank_verdict(scenario, trials.ranks_held, units))
        verdicts.append(grade_verdict(scenario, draws, trials.grades))
    controls = [
        Control(scenario, estimator, tuple(verdicts_of(scenario, estimator, trials.series(estimator, kept))))
        for estimator, kept in trials.controls.items()
    ]
    return verdicts, controls


def interval(linear: Linear, df: float | Floats) -> Scored:
    """Estimates with their logit-t intervals."""
    low, high = logit_t_interval(linear.estimate, linear.se, df, (LOW, HIGH))
    return Scored(linear.estimate, linear.se, low, high)


def truths(trials: Trials, population: Population, means: tuple[Floats, Floats], expected: Floats) -> None:
    """The truth of the scores of everybody and of the group-weighted scores.

    Args:
        trials: to note them in.
        population: for the groups' shares.
        means: true, of everybody (U,) and by group.
        expected: ratings (groups, U) of a draw.
    """
    score, by_group = means
    trials.truths["all"] = Truth(score, expected.sum(axis=0))
    shares = np.array([group.share for group in population.groups])
    enough = measured(expected)
    trials.truths["groups"] = Truth((shares @ by_group)[enough], expected.sum(axis=0)[enough])


def measured(expected: Floats) -> Ints:
    """The units of which every group has ratings enough for a group-weighted score, from those expected (groups, U)."""
    return np.flatnonzero(expected.min(axis=0) >= GROUP_RATINGS)


def chosen(scored: Scored, units: Ints) -> Scored:
    """The scores of some units."""
    return Scored(scored.value[units], scored.se[units], scored.low[units], scored.high[units])
