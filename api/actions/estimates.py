"""Group estimates: from a survey's integer cells to every group's score of every unit, with its error.

Answers count with the survey's newest weights where it has been weighed, else with N/n of their stratum.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from api.actions.weights_in_use import WeightsInUse
from api.store import results, surveys, tallies
from api.store.surveys import Group
from survey_forms.estimation.cells import Cell
from survey_forms.estimation.overall import HUNDREDTHS, OVERALL
from survey_forms.estimation.scores import NOTHING, Estimate, Reading, StratumFrame, unit_scores

HIGHEST = 100.0
"""Points of a rating go from 0 to 100."""


@dataclass(frozen=True, slots=True)
class GroupEstimate:
    """What one respondent group says of one unit, in points of 0..100, and where the scheme wants it."""

    survey_id: int
    group: str
    component: str
    unit: str
    estimate: Estimate


def estimate_survey(
    connection: Connection, survey_id: int, units: Sequence[str], weights: WeightsInUse
) -> list[GroupEstimate]:
    """Estimate a survey's groups from its cells as they stand (the caller holds them), and keep the estimates.

    Args:
        connection: in a transaction that holds the survey's cells.
        survey_id: whose.
        units: codes of the units.
        weights: `weights_in_use`.

    Raises:
        Refused: `stratum_smaller_than_sample`: more persons answered than the frame has.
    """
    found = []
    for group, frames, cells in cells_by_group(connection, survey_id):
        scores = unit_scores(cells, frames, reading_of(group.code, weights))
        found += [
            GroupEstimate(
                survey_id, group.code, group.component, unit, scaled(scores.get((unit, OVERALL), NOTHING), HUNDREDTHS)
            )
            for unit in units
        ]
    _keep(connection, found, tallies.version_of(connection, survey_id))
    return found


def reading_of(group: str, weights: WeightsInUse) -> Reading:
    """How a group's cells are read, in hundredths of a point."""
    return Reading(0.0, HIGHEST * HUNDREDTHS, weights=weights.weights, raked=weights.raked.get(group))


def cells_by_group(connection: Connection, survey_id: int) -> list[tuple[Group, list[StratumFrame], list[Cell]]]:
    """Each group of a survey with its strata and the cells of its persons' overall scores."""
    cells = _cells_by_stratum(connection, survey_id)
    responded = tallies.respondents_by_stratum(tallies.respondents_of(connection, survey_id))
    strata = surveys.strata_of(connection, survey_id)
    found = []
    for group in surveys.groups_of(connection, survey_id):
        frames = [
            StratumFrame(one.code, one.population, responded.get(one.code, 0))
            for one in strata
            if one.group == group.code
        ]
        found.append((group, frames, [cell for frame in frames for cell in cells[frame.stratum]]))
    return found


def scaled(estimate: Estimate, divisor: float) -> Estimate:
    """The same estimate on another scale."""
    value, se, low, high = (
        None if number is None else number / divisor
        for number in (estimate.value, estimate.se, estimate.low, estimate.high)
    )
    return replace(estimate, value=value, se=se, low=low, high=high)


def _cells_by_stratum(connection: Connection, survey_id: int) -> defaultdict[str, list[Cell]]:
    by_stratum: defaultdict[str, list[Cell]] = defaultdict(list)
    for stratum, wcell, unit, item, n, s1, s2 in tallies.cells_of(connection, survey_id):
        if item == OVERALL:
            by_stratum[stratum].append(Cell(str(survey_id), stratum, wcell, unit, item, n, s1, s2))
    return by_stratum


def _keep(connection: Connection, found: Iterable[GroupEstimate], version: int) -> None:
    rows = [
        {
            "survey_id": one.survey_id,
            "unit": one.unit,
            "group_code": one.group,
            "value": one.estimate.value,
            "se": one.estimate.se,
            "df": one.estimate.df,
            "low": one.estimate.low,
            "high": one.estimate.high,
            "n": one.estimate.n,
            "flags": [str(flag) for flag in one.estimate.flags],
            "tally_version": version,
        }
        for one in found
    ]
    results.put_estimates(connection, rows)
