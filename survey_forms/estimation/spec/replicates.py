"""Jackknife statistics: jackknife_mean, jackknife_total, jackknife_ratio."""

import numpy as np

from survey_forms.estimation.design import Floats, Mask
from survey_forms.estimation.replicate import Replicates, jackknife_vcov, replicates
from survey_forms.estimation.spec.means import answered, variables
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import normal_and_t, plain


def jackknife_mean(request: Request) -> Result:
    """Means with the jackknife's errors."""
    names, values, inside = variables(request)
    found = _replicated(request, np.column_stack([values, np.ones(len(values))]), inside)
    thetas = found.without[:, :-1] / found.without[:, -1:]
    return normal_and_t(names, found.whole[:-1] / found.whole[-1], jackknife_vcov(thetas, found.factor), found.df)


def jackknife_total(request: Request) -> Result:
    """Totals with the jackknife's errors."""
    names, values, inside = variables(request)
    found = _replicated(request, values, inside)
    return normal_and_t(names, found.whole, jackknife_vcov(found.without, found.factor), found.df)


def jackknife_ratio(request: Request) -> Result:
    """A ratio of totals with the jackknife's error."""
    columns = (request.one_name("numerator"), request.one_name("denominator"))
    values = np.column_stack(
        [request.values(name, (column,)) for name, column in zip(("numerator", "denominator"), columns, strict=True)]
    )
    found = _replicated(request, values, answered(request, values))
    variance = jackknife_vcov(found.without[:, :1] / found.without[:, 1:], found.factor)
    return {"estimate": plain(found.whole[0] / found.whole[1]), "se": plain(np.sqrt(variance[0, 0]))}


def _replicated(request: Request, values: Floats, inside: Mask) -> Replicates:
    kind = request.text("type", "JKn", of=("JKn", "JK1"))
    if kind == "JK1" and len(request.survey.stages[0].sampled) > 1:
        raise request.wrong("type", "JKn")
    return replicates(request.survey, values, inside)


STATISTICS: dict[str, Statistic] = {
    "jackknife_mean": jackknife_mean,
    "jackknife_total": jackknife_total,
    "jackknife_ratio": jackknife_ratio,
}
