"""The scenario of villages and interviewers: a sample of villages, some people in each, one interviewer a village.

Villages are drawn by tickets, then people in each village by tickets of its own; an interviewer by lot adds to all
scores that he is told. The village is the PSU; two stages with both finite population corrections. The other groups
answer by themselves, as in the plain survey. Control: people as PSUs, as if nobody had neighbours.

The correction of the first stage takes a share f of the interviewers' part of the variance too, which no sample of
villages exhausts: that part is a quarter here, and f 0.08, so 2 % of the variance is missing by design.
"""

from collections.abc import Iterable

import numpy as np

from survey_forms.estimation.freedom import satterthwaite
from survey_forms.estimation.linear import ratio
from survey_forms.estimation.simulation.checks import Control, Verdict
from survey_forms.estimation.simulation.drawing import Scored
from survey_forms.estimation.simulation.population import (
    GROUPS,
    INTERVIEWERS,
    RESIDENTS,
    UNITS,
    Floats,
    Ints,
    Population,
    make_population,
)
from survey_forms.estimation.simulation.trials import Told, Trials, Truth, interval, judged, randomness, ranked_units
from survey_forms.estimation.stages import Columns, build
from survey_forms.sampling.drawing import draw_plan, draw_stratum
from survey_forms.sampling.frame import Frame, frame_of
from survey_forms.sampling.plan import Plan, PlanLine, plan_with

VILLAGES, DRAWN, ASKED = 1000, 80, 10
NAME = "clusters"
CONTROL_EVERY = 3


def clusters(seed: int, draws: int, told: Told) -> tuple[list[Verdict], list[Control]]:
    """Villages, people in them, interviewers."""
    population = make_population(seed, villages=VILLAGES)
    field = Field(population)
    chance = np.random.Generator(np.random.PCG64([seed, 2]))
    trials = Trials()
    score, _ = population.true_means(INTERVIEWERS)
    trials.truths["villages"] = trials.truths["people as PSUs"] = Truth(score, field.expected())
    for number in range(draws):
        people, village_share = field.sample(randomness(seed, NAME, number))
        sent = chance.choice(INTERVIEWERS, VILLAGES)[population.village[people]]
        scores = population.scores(people, np.where(population.group[people] == RESIDENTS, sent, 0))
        scored, covariance = field.estimate(people, village_share, scores, villages=True)
        trials.keep("villages", scored)
        units = ranked_units(trials.truths["villages"])
        trials.judge(scored, covariance[np.ix_(units, units)], trials.truths["villages"])
        if number % CONTROL_EVERY == 0:
            wrong, _ = field.estimate(people, village_share, scores, villages=False)
            trials.keep("people as PSUs", wrong, control=True)
        told()
    return judged(NAME, trials, draws)


class Field:
    """Where people live, and the plans by which they are drawn."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.living = [
            np.flatnonzero((population.group == RESIDENTS) & (population.village == village))
            for village in range(VILLAGES)
        ]
        others = (("", GROUPS[group].code, str(person)) for person, group in enumerate(population.group.tolist()))
        inhabited = (
            ("", GROUPS[RESIDENTS].code, f"v{village}") for village in range(VILLAGES) if len(self.living[village])
        )
        self.frame = _frame([*(row for row in others if row[1] != GROUPS[RESIDENTS].code), *inhabited])
        self.plan = _plan(DRAWN)
        self.inhabited = len(self.frame.members[GROUPS[RESIDENTS].code])

    def sample(self, text: str) -> tuple[Ints, Floats]:
        """People (n,) and the share of their village that was asked (n,), 1 for those who live in none."""
        record = draw_plan(self.frame, self.plan, text)
        people: list[int] = []
        shares: list[float] = []
        for stratum in record.strata:
            if stratum.stratum != GROUPS[RESIDENTS].code:
                people += map(int, stratum.sample)
                shares += [1.0] * stratum.n
                continue
            for village in stratum.sample:
                living = [str(person) for person in self.living[int(village[1:])]]
                asked = draw_stratum(record.seed, village, living, min(ASKED, len(living)), 0).sample
                people += map(int, asked)
                shares += [len(asked) / len(living)] * len(asked)
        listed = np.array(people)
        order = np.lexsort((listed, self.population.village[listed], self.population.group[listed]))
        return listed[order], np.array(shares)[order]

    def expected(self) -> Floats:
        """Ratings (UNITS,) that a draw brings on average."""
        population, expected = self.population, np.zeros(UNITS)
        for place, group in enumerate(GROUPS):
            if place != RESIDENTS:
                expected += population.knows[population.group == place].mean(axis=0) * group.drawn
        for living in self.living:
            if len(living):
                asked = min(ASKED, len(living))
                expected += population.knows[living].mean(axis=0) * asked * DRAWN / self.inhabited
        return expected

    def estimate(
        self,
        people: Ints,
        village_share: Floats,
        scores: "np.ndarray[tuple[int, ...], np.dtype[np.int8]]",
        *,
        villages: bool,
    ) -> tuple[Scored, Floats]:
        """Means of all units and their covariance, with villages as PSUs or, wrongly, people."""
        group = self.population.group[people]
        resident = group == RESIDENTS
        sizes = np.array([one.members for one in GROUPS])
        first = np.where(
            resident, DRAWN / self.inhabited, np.array([one.drawn for one in GROUPS])[group] / sizes[group]
        )
        weights = 1 / (first * village_share)
        unit = np.where(resident, self.population.village[people] - VILLAGES, people)
        rows = np.arange(len(people))
        if villages:
            columns = Columns(len(people), [unit, rows], [group], [first, village_share], weights)
        else:
            columns = Columns(len(people), [rows], [group], [1 / weights], weights)
        known = (scores > 0).astype(np.float64)
        survey = build(columns)
        linear = ratio(survey, scores.astype(np.float64), known, np.ones(len(people), dtype=bool))
        return interval(linear, satterthwaite(survey, linear.influence)), linear.vcov


def _frame(rows: Iterable[tuple[str, str, str]]) -> Frame:
    return frame_of(sorted(rows, key=lambda row: row[1]))


def _plan(villages: int) -> Plan:
    sizes = {group.code: villages if place == RESIDENTS else group.drawn for place, group in enumerate(GROUPS)}
    return plan_with(tuple(PlanLine(code, n, "", reserve=0) for code, n in sizes.items()))
