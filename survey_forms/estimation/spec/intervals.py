"""Statistics that are intervals: proportion_ci, quantile."""

from dataclasses import replace

import numpy as np

from survey_forms.estimation import linear, proportions, quantiles
from survey_forms.estimation.design import Floats, Mask
from survey_forms.estimation.proportions import Share
from survey_forms.estimation.spec.means import answered, indicators
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import plain

QUARTILES = (0.25, 0.5, 0.75)
COLUMNS = ["quantile", "lower", "upper", "se"]


def proportion_ci(request: Request) -> Result:
    """The share of one level with its 95 % interval by one of six methods."""
    column = request.one_name("variable")
    _, values = indicators(request, column, (request.text("level"),), ("variable", "level"))
    method = request.text("method", "logit", of=tuple(proportions.METHODS))
    inside = answered(request, values)
    found = linear.mean(request.survey, values, inside)
    df = request.survey.degf(request.inside)
    rows = int(np.count_nonzero(request.inside if method == "beta" else inside))
    share = Share(float(found.estimate[0]), float(found.vcov[0, 0]), df, rows)
    if method == "likelihood" and share.inner:
        share = _with_fit(request, share, values[:, 0], inside)
    return {"estimate": plain(found.estimate)[0], "ci95": plain(proportions.METHODS[method](share)), "df": df}


def _with_fit(request: Request, share: Share, values: Floats, inside: Mask) -> Share:
    """With what the likelihood's interval takes from the logistic fit."""
    weights = request.survey.weights
    used, everyone = inside & (weights > 0), request.inside & (weights > 0)
    scaled = weights[used] / weights[everyone].mean()
    return replace(share, before=proportions.fitted_before(values[used], scaled), relative=float(scaled.mean()))


def quantile(request: Request) -> Result:
    """Quantiles of columns with Woodruff's 95 % intervals."""
    columns = request.names("variables")
    values = request.values("variables", columns)
    p = request.numbers("p", QUARTILES)
    if not all(0 <= one <= 1 for one in p):
        raise request.wrong("p", "0 ≤ p ≤ 1")
    rule = request.text("qrule", "math", of=tuple(quantiles.RULES))
    interval = request.text("interval", "mean", of=quantiles.INTERVALS)
    inside = answered(request, values)
    df = request.survey.degf(inside)
    result: Result = {"p": list(p)}
    for column, column_values in zip(columns, values.T, strict=True):
        asked = quantiles.Asked(p, rule, interval, df)
        if np.isnan(column_values[inside]).any():  # missing answers, and no na_rm
            result[column] = plain(np.full((len(p), len(COLUMNS)), np.nan))
        else:
            result[column] = plain(quantiles.quantiles(request.survey, column_values, inside, asked))
    return result | {"columns": COLUMNS, "df": df}


STATISTICS: dict[str, Statistic] = {"proportion_ci": proportion_ci, "quantile": quantile}
