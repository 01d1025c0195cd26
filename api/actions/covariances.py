"""The covariance of each group's scores, from the answers themselves: the worker's, for nobody else reads answers.

It takes a pass over all answers of a survey. So while answers still come in it is taken of at most
`MOST_WHILE_OPEN`; once the survey is over and nothing waits to be counted it is taken of all, once, and kept with the
state of the tally that it belongs to. Until it is known, units count as independent, which errs on the safe side.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from api.actions.estimates import cells_by_group, reading_of
from api.actions.tally import cells_of_answer
from api.actions.weights_in_use import WeightsInUse
from api.store import tallies, weightings
from api.store.weightings import StoredCovariance
from api.store.windows import window_of
from survey_forms.estimation.overall import HUNDREDTHS, OVERALL
from survey_forms.estimation.pairs import covariance, pair_counts
from survey_forms.estimation.scores import margin_predictions
from survey_forms.estimation.tables import CellName

MOST_WHILE_OPEN = 2_000
"""Answers of a survey whose covariance is taken anew with every composite: some 0.2 s of one processor."""


def renew_covariances(
    connection: Connection, survey_id: int, units: Sequence[str], weights: WeightsInUse, now: datetime
) -> None:
    """Take a survey's covariances from its answers where they are out of date and it is time (the caller holds them).

    Args:
        connection: of the worker, in a transaction that holds the survey's cells.
        survey_id: whose.
        units: of the evaluation.
        weights: that the estimates were read with.
        now: the time.
    """
    version = tallies.version_of(connection, survey_id)
    known = weightings.covariances_of(connection, survey_id)
    if known and all(one.tally_version == version for one in known.values()):
        return
    persons = sum(tallies.respondents_of(connection, survey_id).values())
    if not persons or not _is_time(connection, survey_id, persons, now):
        return
    pairs = pair_counts(_scores(connection, survey_id), units)
    for group, frames, cells in cells_by_group(connection, survey_id):
        strata = {frame.stratum for frame in frames}
        of_group = {cell: one for cell, one in pairs.items() if cell[0] in strata}
        if of_group:
            said = margin_predictions(cells, frames, reading_of(group.code, weights))
            predicted = {
                cell: np.array([said[cell].get((unit, OVERALL), 0.0) for unit in units]) for cell in of_group if said
            }
            matrix = covariance(of_group, frames, weights.weights, predicted or None) / HUNDREDTHS**2
            weightings.put_covariance(connection, survey_id, group.code, StoredCovariance(list(units), matrix, version))


def covariances_in_use(connection: Connection, survey_id: int) -> dict[str, StoredCovariance]:
    """Group → its covariance, where it was taken of the answers that are counted now; others are not told."""
    version = tallies.version_of(connection, survey_id)
    known = weightings.covariances_of(connection, survey_id)
    return {group: one for group, one in known.items() if one.tally_version == version}


def _scores(connection: Connection, survey_id: int) -> Iterator[tuple[CellName, dict[str, int]]]:
    """Every person who was counted: weighting cell, and the overall score of each unit that the person rated."""
    for kept in tallies.counted_answers(connection, survey_id):
        _, cells = cells_of_answer(connection, kept)
        yield (kept.stratum, kept.wcell), {cell.unit: cell.s1 for cell in cells if cell.item == OVERALL}


def _is_time(connection: Connection, survey_id: int, persons: int, now: datetime) -> bool:
    if persons <= MOST_WHILE_OPEN:
        return True
    window = window_of(connection, survey_id)
    return window is not None and window.is_over(now) and not tallies.are_waiting(connection)
