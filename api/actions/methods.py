"""How an evaluation's figures came about: rates, weights by cell, covariances of what is shown."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from api.actions.covariances import covariances_in_use
from api.actions.report import Report
from api.actions.response_rates import RateLine, read_rates
from api.store import surveys, weightings

__all__ = ["CovarianceLine", "RateLine", "WeightLine", "covariances_of", "rates_of", "weights_of"]


@dataclass(frozen=True, slots=True)
class WeightLine:
    """A weighting cell of a survey's newest weighting."""

    survey_id: int
    group: str
    stratum: str
    wcell: str
    outcomes: dict[str, int]
    merged_into: str | None
    base: float
    eligibility: float
    nonresponse: float
    raked: float
    final: float


@dataclass(frozen=True, slots=True)
class CovarianceLine:
    """The covariance of two units' scores within a group, in squared points; of a unit with itself, SE²."""

    survey_id: int
    group: str
    one: str
    other: str
    covariance: float


def rates_of(connection: Connection, evaluation_id: int) -> list[RateLine]:
    """The response rates of all surveys of an evaluation, oldest first."""
    ids = surveys.surveys_of(connection, evaluation_id)
    return [line for one in ids if surveys.strata_of(connection, one) for line in read_rates(connection, one)]


def weights_of(connection: Connection, evaluation_id: int) -> list[WeightLine]:
    """The cells of the newest weighting of each survey."""
    found = []
    for survey_id in surveys.surveys_of(connection, evaluation_id):
        newest = weightings.latest_weighting(connection, survey_id)
        group_of = {one.code: one.group for one in surveys.strata_of(connection, survey_id)}
        for one in weightings.weights_of(connection, newest.id) if newest else ():
            steps = (one.base, one.eligibility, one.nonresponse, one.raked, one.final)
            about = (survey_id, group_of[one.stratum], one.stratum, one.wcell)
            found.append(WeightLine(*about, one.outcomes, one.merged_into, *steps))
    return found


def covariances_of(connection: Connection, report: Report) -> list[CovarianceLine]:
    """Each pair of units once, by group; nothing of a unit whose figure is hidden in that group, nor of other answers.

    The diagonal is the square of a standard error, which is hidden together with the score.
    """
    shown = {(one.survey_id, one.group, one.unit.code) for one in report.estimates if one.value is not None}
    found = []
    for survey_id in surveys.surveys_of(connection, report.evaluation.id):
        for group, known in covariances_in_use(connection, survey_id).items():
            places = [at for at, unit in enumerate(known.units) if (survey_id, group, unit) in shown]
            for number, at in enumerate(places):
                for other in places[number:]:
                    value = float(known.matrix[at, other])
                    if np.isfinite(value):
                        found.append(CovarianceLine(survey_id, group, known.units[at], known.units[other], value))
    return found
