"""One draw through the product's own path: tickets, answers, integer cells, scores, intervals, ranks, grades.

Only what chance does in the field is simulated here; every figure comes from the functions that the service calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from survey_forms.estimation.cells import Cell
from survey_forms.estimation.intervals import grade_probabilities
from survey_forms.estimation.pairs import Pairs, covariance
from survey_forms.estimation.scores import NOTHING, Estimate, Reading, StratumFrame, unit_scores, weighted_score
from survey_forms.estimation.simulation.population import HIGH, LOW, UNITS, Floats, Ints, Population, cell_names
from survey_forms.estimation.tables import CellName, RakedCell
from survey_forms.sampling.drawing import draw_plan
from survey_forms.sampling.plan import Plan, PlanLine, plan_with

SURVEY, ITEM = "simulation", "score"
CUTS = (8.5, 7.5, 6.5)
UNIT_NAMES = tuple(f"unit-{number:02d}" for number in range(UNITS))
CELLS = tuple(cell_names())


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answered: people (n,) by number, scores (n, UNITS), 0 where there is none, and weighting cells in order."""

    people: Ints
    scores: Ints
    wcell: Ints


@dataclass(frozen=True, slots=True)
class Scored:
    """Of every unit, (UNITS,): the estimate, its error and interval, NaN where the product gives none."""

    value: Floats
    se: Floats
    low: Floats
    high: Floats


def plan_for(population: Population, fraction: float | None = None) -> Plan:
    """The plan of the draw: each group's own size, or the same fraction of every group."""
    sizes = {
        group.code: group.drawn if fraction is None else round(fraction * group.members) for group in population.groups
    }
    return plan_with(tuple(PlanLine(code, n, "", reserve=0) for code, n in sizes.items()))


def drawn(population: Population, plan: Plan, randomness: str) -> Ints:
    """The people (n,) that the tickets take, by their numbers."""
    record = draw_plan(population.frame, plan, randomness)
    ids = [unit for stratum in record.strata for unit in stratum.sample]
    return np.array([int(unit.removeprefix("p")) for unit in ids])


def answered(population: Population, people: Ints) -> Answered:
    """The answers of these people, in the order of their weighting cells."""
    people = people[np.argsort(population.wcell[people], kind="stable")]
    return Answered(people, population.scores(people).astype(np.int64), population.wcell[people])


def cells_of(answers: Answered) -> list[Cell]:
    """The integer cells, as the workers' GROUP BY gives them."""
    numbers, starts = np.unique(answers.wcell, return_index=True)
    known = (answers.scores > 0).astype(np.int64)
    n, s1, s2 = (np.add.reduceat(part, starts, axis=0) for part in (known, answers.scores, answers.scores**2))
    row, unit = np.nonzero(n)
    columns = (row, unit, n[row, unit], s1[row, unit], s2[row, unit])
    cells = []
    for place, column, count, total, squares in zip(*(one.tolist() for one in columns), strict=True):
        stratum, wcell = CELLS[numbers[place]]
        cells.append(Cell(SURVEY, stratum, wcell, UNIT_NAMES[column], ITEM, n=count, s1=total, s2=squares))
    return cells


def pairs_of(answers: Answered, units: Ints) -> dict[CellName, Pairs]:
    """The pair cells of some units, as `pair_counts` gives them person by person."""
    found: dict[CellName, Pairs] = {}
    for number in np.unique(answers.wcell):
        y = answers.scores[answers.wcell == number][:, units].astype(np.float64)  # exact: far below 2**53
        k = (y > 0).astype(np.float64)
        tables = (np.rint(table).astype(np.int64) for table in (k.T @ k, y.T @ k, y.T @ y))
        found[CELLS[number]] = Pairs(len(y), *tables)
    return found


def frames_of(population: Population, answers: Answered) -> list[StratumFrame]:
    """Every stratum's N, and how many persons answered."""
    n = np.bincount(population.group[answers.people], minlength=len(population.groups))
    return [StratumFrame(group.code, group.members, int(n[place])) for place, group in enumerate(population.groups)]


def scores_of_all(
    cells: Sequence[Cell],
    frames: Sequence[StratumFrame],
    weights: Mapping[CellName, float] | None = None,
    *,
    finite: bool = True,
) -> Scored:
    """The mean of everybody who knows a unit, all groups as strata."""
    reading = Reading(LOW, HIGH, finite=finite, weights=weights)
    return _collected(unit_scores(cells, frames, reading))


def group_weighted(
    population: Population,
    cells: Sequence[Cell],
    frames: Sequence[StratumFrame],
    weights: Mapping[CellName, float] | None = None,
    raked: Mapping[str, Mapping[CellName, RakedCell]] | None = None,
) -> Scored:
    """The public review's score: the groups' means with their fixed shares; `raked` tells of groups that were raked."""
    reading = Reading(LOW, HIGH, weights=weights)
    by_group = {
        frame.stratum: unit_scores(
            [cell for cell in cells if cell.stratum == frame.stratum],
            [frame],
            replace(reading, raked=(raked or {}).get(frame.stratum)),
        )
        for frame in frames
    }
    shares = {group.code: group.share for group in population.groups}
    return _collected(
        {
            (unit, ITEM): weighted_score(
                {code: scores.get((unit, ITEM), NOTHING) for code, scores in by_group.items()}, shares, reading
            )
            for unit in UNIT_NAMES
        }
    )


def _collected(estimates: Mapping[tuple[str, str], Estimate]) -> Scored:
    listed = [estimates.get((unit, ITEM), NOTHING) for unit in UNIT_NAMES]
    columns = ([one.value for one in listed], [one.se for one in listed], [one.low for one in listed])
    return Scored(*(np.array(column, dtype=np.float64) for column in (*columns, [one.high for one in listed])))


def grades_of(scored: Scored, units: Ints) -> tuple[Ints, Floats]:
    """The grade by the point score (0 = best) and its probability, for some units."""
    grade = (scored.value[units, None] < np.array(CUTS)).sum(axis=1)
    probability = [
        grade_probabilities(float(scored.value[unit]), float(scored.se[unit]), CUTS)[place]
        for unit, place in zip(units, grade, strict=True)
    ]
    return grade, np.array(probability)


def covariance_of(
    answers: Answered, frames: Sequence[StratumFrame], units: Ints, weights: Mapping[CellName, float] | None = None
) -> Floats:
    """The covariance between the scores of some units."""
    return covariance(pairs_of(answers, units), frames, weights)
