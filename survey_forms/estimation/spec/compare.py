"""Comparisons between groups: ttest, contrast."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from survey_forms.estimation.design import Floats
from survey_forms.estimation.domains import DomainLinear, domain_means
from survey_forms.estimation.spec.domains import Groups, groups_of
from survey_forms.estimation.spec.means import answered
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import plain
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed


def ttest(request: Request) -> Result:
    """Whether two groups' means differ: second less first, t, df = degf - 1, two-sided p."""
    column = request.one_name("y")
    values = request.values("y", (column,))
    groups = groups_of(request, "group")
    inside = answered(request, values) & (groups.domains.of >= 0)
    if len(groups.names) != 2:
        raise Refused("estimate_two_groups", request.place("group"), count=len(groups.names))
    found = domain_means(request.survey, values, groups.among(inside))
    difference, se = combined(request, found, np.asarray([-1.0, 1.0]))
    df = request.survey.degf(inside) - 1
    t = difference / se if se else math.nan
    p = 2 * float(special.stdtr(df, -abs(t))) if df > 0 else math.nan
    return {"difference": plain(difference), "t": plain(t), "df": df, "p": plain(p)}


def contrast(request: Request) -> Result:
    """A weighted sum of group means with their covariance; or one unit less another (`plus`, `minus`)."""
    ratings = request.satisfaction is not None
    pair = "plus" in request.args or "minus" in request.args
    columns = request.names("variable", ("score",) if ratings else None)
    if len(columns) != 1:
        raise request.wrong("variable", "column")
    values = request.values("variable", columns)
    groups = groups_of(request, "by", ("dept",) if ratings else None)
    found = domain_means(request.survey, values, groups.among(answered(request, values)))
    order: Sequence[str] = ()
    weights: Sequence[float] = (1.0, -1.0)
    if pair:
        order = [request.text("plus"), request.text("minus")]
    else:
        weights = request.numbers("weights")
        order = _order(request, groups)
        if len(order) != len(weights):
            raise request.wrong("weights", f"{len(order)} × number")
    factors = _factors(request, groups, order, weights, "plus" if pair else "order")
    estimate, se = combined(request, found, factors)
    result: Result = {"estimate": plain(estimate), "se": plain(se)}
    if pair:
        alone = found.se(request.survey)[factors != 0, 0]
        result["se_if_independent"] = plain(math.sqrt(float(np.square(alone).sum())))
    return result


def combined(request: Request, found: DomainLinear, factors: Floats) -> tuple[float, float]:
    """A weighted sum of the domains' estimates and its error, from the summed influence."""
    domains = found.domains
    used = (factors != 0)[domains.of] & (domains.of >= 0)
    influence = np.where(used, found.influence[:, 0] * factors[domains.of], 0.0)
    value = float(factors[factors != 0] @ found.estimate[factors != 0, 0])
    error = math.sqrt(max(float(request.survey.variance(influence, used)[0, 0]), 0.0))
    return value, math.nan if math.isnan(value) else error


def _order(request: Request, groups: Groups) -> Sequence[str]:
    raw = request.args.get("order")
    if raw is None:
        return ["|".join(name) for name in groups.names]
    if not isinstance(raw, list) or not all(isinstance(name, str | int | float) for name in raw):
        raise request.wrong("order", "[group, …]")
    return [name if isinstance(name, str) else f"{name:.15g}" for name in raw]


def _factors(request: Request, groups: Groups, order: Sequence[str], weights: Sequence[float], name: str) -> Floats:
    """The weight of each group (D,), 0 for those not named."""
    known = {"|".join(group): index for index, group in enumerate(groups.names)}
    factors = np.zeros(len(known))
    for group, weight in zip(order, weights, strict=True):
        if group not in known:
            raise Refused("estimate_level_unknown", request.place(name), level=brief(group), known=listed(known))
        factors[known[group]] += weight
    return factors


STATISTICS: dict[str, Statistic] = {"ttest": ttest, "contrast": contrast}
