"""The plain scenario: everybody who is drawn answers. It also runs the methods that must fail."""

import numpy as np

from survey_forms.estimation.linear import ratio
from survey_forms.estimation.simulation.checks import Control, Verdict, inclusion_verdict
from survey_forms.estimation.simulation.drawing import (
    Answered,
    Scored,
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
    Population,
    make_population,
)
from survey_forms.estimation.simulation.trials import (
    Told,
    Trials,
    Truth,
    chosen,
    interval,
    judged,
    measured,
    randomness,
    ranked_units,
    truths,
)
from survey_forms.estimation.stages import Columns, build

CONTROL_EVERY = 3  # draws: a wrong method is seen with fewer
HALF_EVERY = 5


def plain(seed: int, draws: int, told: Told) -> tuple[list[Verdict], list[Control]]:
    """Everybody who is drawn answers. Controls: no weights, ratings as PSUs, a half sample without its FPC."""
    population = make_population(seed)
    trials, plan, half = Trials(), plan_for(population), plan_for(population, 0.5)
    expected = population.expected_ratings()
    truths(trials, population, population.true_means(), expected)
    enough = measured(expected)
    trials.truths["overall"] = trials.truths["ratings as PSUs"] = overall_truth(population)
    trials.truths["unweighted"] = trials.truths["half"] = trials.truths["half without FPC"] = trials.truths["all"]
    times_drawn = np.zeros(len(population.group), dtype=np.int64)
    for number in range(draws):
        people = drawn(population, plan, randomness(seed, "plain", number))
        times_drawn[people] += 1
        answers = answered(population, people)
        cells, frames = cells_of(answers), frames_of(population, answers)
        scored = scores_of_all(cells, frames)
        trials.keep("all", scored)
        trials.keep("groups", chosen(group_weighted(population, cells, frames), enough))
        trials.judge(scored, covariance_of(answers, frames, ranked_units(trials.truths["all"])), trials.truths["all"])
        trials.keep("overall", overall(population, answers, by_person=True))
        if number % CONTROL_EVERY == 0:
            even = {(cell.stratum, cell.wcell): 1.0 for cell in cells}
            trials.keep("unweighted", scores_of_all(cells, frames, even), control=True)
            trials.keep("ratings as PSUs", overall(population, answers, by_person=False), control=True)
        if number % HALF_EVERY == 0:
            answers = answered(population, drawn(population, half, randomness(seed, "half", number)))
            cells, frames = cells_of(answers), frames_of(population, answers)
            trials.keep("half", scores_of_all(cells, frames))
            trials.keep("half without FPC", scores_of_all(cells, frames, finite=False), control=True)
        told()
    verdicts, controls = judged("plain", trials, draws)
    by_group = {
        group.code: (times_drawn[population.group == place], group.drawn, draws)
        for place, group in enumerate(population.groups)
    }
    return [inclusion_verdict("plain", by_group), *verdicts], controls


def overall_truth(population: Population) -> Truth:
    """The mean of all ratings that everybody would give."""
    everybody = np.arange(len(population.group))
    given = population.scores(everybody)
    mean = given.sum(dtype=np.int64) / np.count_nonzero(given)
    return Truth(np.array([mean]), np.array([population.expected_ratings().sum()]))


def overall(population: Population, answers: Answered, *, by_person: bool) -> Scored:
    """The mean of all ratings with the respondent as PSU, or, wrongly, with every rating as one."""
    group = population.group[answers.people]
    size, n = np.array([one.members for one in population.groups]), np.bincount(group)
    known = (answers.scores > 0).astype(np.float64)
    if by_person:
        above, below = answers.scores.sum(axis=1), known.sum(axis=1)
    else:
        row, unit = np.nonzero(answers.scores)
        above, below, group = answers.scores[row, unit], np.ones(len(row)), group[row]
    share = (n / size)[group]
    survey = build(Columns(len(group), strata=[group], sizes=[share], weights=1 / share))
    everyone = np.ones(len(group), dtype=bool)
    linear = ratio(survey, above[:, None].astype(np.float64), below[:, None].astype(np.float64), everyone)
    return interval(linear, survey.degf())
