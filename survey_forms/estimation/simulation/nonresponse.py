"""The scenario of nonresponse: some cannot be traced, some are not eligible, the young residents answer less often.

Cases get their AAPOR classes; weights are made as the office makes them, adjusted inside groups and residents raked.
Controls: base weights alone; everybody raked together to margins that residents dominate.
"""

from collections import Counter

import numpy as np

from survey_forms.estimation.calibrate import Margin, indicators
from survey_forms.estimation.simulation.checks import Control, Verdict
from survey_forms.estimation.simulation.drawing import (
    CELLS,
    answered,
    cells_of,
    covariance_of,
    drawn,
    frames_of,
    group_weighted,
    plan_for,
    scores_of_all,
)
from survey_forms.estimation.simulation.population import (
    AGES,
    GROUPS,
    RESIDENTS,
    SEXES,
    Bools,
    Floats,
    Ints,
    Population,
    make_population,
)
from survey_forms.estimation.simulation.trials import (
    Told,
    Trials,
    chosen,
    judged,
    measured,
    randomness,
    ranked_units,
    truths,
)
from survey_forms.estimation.tables import CellName, RakedCell
from survey_forms.estimation.weighting import CellOutcome, Margins, Weighting, weigh
from survey_forms.estimation.weighting import Population as Strata
from survey_forms.sampling.traits import traits_of

NAME = "nonresponse"
INELIGIBLE, UNTRACED = 0.05, 0.08
CODES = ("I", "R", "NE", "UH")
CONTROL_EVERY = 2


def nonresponse(seed: int, draws: int, told: Told) -> tuple[list[Verdict], list[Control]]:
    """Nonresponse at random inside weighting cells, weights, raking of residents."""
    population = make_population(seed, ineligible=INELIGIBLE)
    chance = np.random.Generator(np.random.PCG64([seed, 1]))
    trials, plan = Trials(), plan_for(population)
    expected = _expected(population)
    truths(trials, population, population.true_means(), expected)
    trials.truths["no adjustment"], trials.truths["raked together"] = trials.truths["all"], trials.truths["groups"]
    strata = {group.code: Strata(group.code, group.members) for group in GROUPS}
    residents = _margins(population, population.group == RESIDENTS)
    own, together = (
        {GROUPS[RESIDENTS].code: residents},
        {"all": {"age": _margins(population, population.eligible)["age"]}},
    )
    enough = measured(expected)
    for number in range(draws):
        people = drawn(population, plan, randomness(seed, NAME, number))
        outcome = _outcomes(population, people, chance)
        answers = answered(population, people[outcome == 0])
        cells, frames = cells_of(answers), frames_of(population, answers)
        weighting = weigh(_cell_outcomes(population, people, outcome), strata, margins=own)
        weights, raked = weighting.final, {GROUPS[RESIDENTS].code: _raked_cells(weighting)}
        scored = scores_of_all(cells, frames, weights)
        trials.keep("all", scored)
        trials.keep("groups", chosen(group_weighted(population, cells, frames, weights, raked), enough))
        truth = trials.truths["all"]
        trials.judge(scored, covariance_of(answers, frames, ranked_units(truth), weights), truth)
        if number % CONTROL_EVERY == 0:
            trials.keep("no adjustment", scores_of_all(cells, frames), control=True)
            wrong = _raked_together(population, answers.people, together)
            trials.keep(
                "raked together", chosen(group_weighted(population, cells, frames, wrong), enough), control=True
            )
        told()
    return judged(NAME, trials, draws)


def _expected(population: Population) -> Floats:
    """Ratings (groups, UNITS) that a draw brings on average."""
    large = np.array([group.members > 1000 for group in GROUPS])[population.group]
    rate = population.answers * population.eligible * np.where(large, 1 - UNTRACED, 1.0)
    return np.stack(
        [
            (population.knows * rate[:, None])[population.group == place].mean(axis=0) * group.drawn
            for place, group in enumerate(GROUPS)
        ]
    )


def _outcomes(population: Population, people: Ints, chance: np.random.Generator) -> Ints:
    """The class of every case as its place in `CODES`: untraced at random first, then not eligible, then by chance."""
    large = np.array([group.members > 1000 for group in GROUPS])[population.group[people]]
    untraced = large & (chance.random(len(people)) < UNTRACED)
    answers = chance.random(len(people)) < population.answers[people]
    return np.select([untraced, ~population.eligible[people], answers], [3, 2, 0], 1)


def _cell_outcomes(population: Population, people: Ints, outcome: Ints) -> list[CellOutcome]:
    counts: dict[int, Counter[str]] = {}
    for cell, place in zip(population.wcell[people].tolist(), outcome.tolist(), strict=True):
        counts.setdefault(cell, Counter())[CODES[place]] += 1
    base = [group.members / group.drawn for group in GROUPS for _ in range(len(AGES) * len(SEXES))]
    return [CellOutcome(*CELLS[cell], base[cell], counts[cell]) for cell in sorted(counts)]


def _margins(population: Population, inside: Bools) -> dict[str, dict[str, int]]:
    """Eligible persons by trait and level, as a census knows them."""
    counted = population.eligible & inside
    return {
        "age": {level: int((counted & (population.age == place)).sum()) for place, level in enumerate(AGES)},
        "sex": {level: int((counted & (population.sex == place)).sum()) for place, level in enumerate(SEXES)},
    }


def _raked_cells(weighting: Weighting) -> dict[CellName, RakedCell]:
    """Of the residents' cells: the weight before raking and the margins, from which the error after it follows."""
    cells = [cell for cell in weighting.cells if cell.stratum == GROUPS[RESIDENTS].code and cell.respondents]
    margins = []
    for trait, levels in (("age", AGES), ("sex", SEXES)):
        codes = np.array([levels.index(traits_of(cell.wcell)[trait]) for cell in cells])
        margins.append(Margin(trait, codes, levels, np.zeros(len(levels))))
    traits = indicators(margins).tolist()
    return {
        (cell.stratum, cell.wcell): RakedCell(cell.nonresponse, cell.respondents, tuple(levels))
        for cell, levels in zip(cells, traits, strict=True)
    }


def _raked_together(population: Population, respondents: Ints, margins: Margins) -> dict[tuple[str, str], float]:
    """The wrong way: everybody one group, no adjustment inside groups, one margin for all."""
    n = np.bincount(population.group[respondents], minlength=len(GROUPS))
    per_group = len(AGES) * len(SEXES)
    eligible = np.bincount(population.group, weights=population.eligible)
    cells = [
        CellOutcome(*CELLS[cell], float(eligible[cell // per_group] / n[cell // per_group]), {"I": count})
        for cell, count in Counter(population.wcell[respondents].tolist()).items()
    ]
    strata = {group.code: Strata("all", int(eligible[place])) for place, group in enumerate(GROUPS)}
    return weigh(cells, strata, margins=margins).final
