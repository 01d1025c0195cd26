"""Statistics by groups of rows: domain_mean, domain_total, domain_ratio, domain_variance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from survey_forms.estimation import domains as pure
from survey_forms.estimation.design import Floats, Mask, SurveyDesign
from survey_forms.estimation.domains import DomainLinear, Domains
from survey_forms.estimation.spec.means import answered, variables
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import plain

MOST_UNASKED = 1000  # estimates whose covariance is printed when the entry does not say whether it wants one
Estimator = Callable[[SurveyDesign, Floats, Domains], DomainLinear]


@dataclass(frozen=True, slots=True)
class Groups:
    """The combinations of levels that occur, the first column's running fastest, and the rows of each."""

    names: tuple[tuple[str, ...], ...]
    domains: Domains

    def printed(self) -> list[str] | list[list[str]]:
        """Labels: of one column a list, of several a list of lists."""
        if all(len(name) == 1 for name in self.names):
            return [name[0] for name in self.names]
        return [list(name) for name in self.names]

    def among(self, inside: Mask) -> Domains:
        """The domains' rows that are also `inside`."""
        return Domains(np.where(inside, self.domains.of, -1), self.domains.count)


def groups_of(request: Request, name: str = "by", default: tuple[str, ...] | None = None) -> Groups:
    """The groups of the argument `by` (or of another name) among the rows inside that have a weight."""
    labels = [request.table.labels(column, request.place(name)) for column in request.names(name, default)]
    key = np.zeros(request.table.rows, dtype=np.int64)
    size = 1
    for column in labels:
        key += column.codes * size
        size *= len(column.levels)
    inside = request.inside & (request.survey.weights != 0)
    for column in labels:
        inside = inside & (column.codes >= 0)
    found, of = np.unique(key[inside], return_inverse=True)
    rows = np.full(request.table.rows, -1, dtype=np.int64)
    rows[inside] = of
    names: list[tuple[str, ...]] = []
    for one in found.tolist():
        rest = one
        group: list[str] = []
        for column in labels:
            rest, code = divmod(rest, len(column.levels))
            group.append(column.levels[code])
        names.append(tuple(group))
    return Groups(tuple(names), Domains(rows, len(found)))


def domain_mean(request: Request) -> Result:
    """Means by group; of a satisfaction survey by unit, each item by itself."""
    if request.satisfaction is not None:
        return _of_ratings(request)
    return _by_groups(request, pure.domain_means)


def domain_total(request: Request) -> Result:
    """Totals by group."""
    return _by_groups(request, pure.domain_totals)


def domain_variance(request: Request) -> Result:
    """Population variances by group."""
    return _by_groups(request, pure.domain_squares)


def domain_ratio(request: Request) -> Result:
    """A ratio of totals by group."""
    columns = (request.one_name("numerator"), request.one_name("denominator"))
    above, below = request.values("numerator", columns[:1]), request.values("denominator", columns[1:])
    groups = groups_of(request)
    domains = groups.among(answered(request, np.column_stack([above, below])))
    found = pure.domain_ratios(request.survey, above, below, domains)
    se = found.se(request.survey)
    return {"groups": groups.printed(), "estimate": plain(found.estimate[:, 0]), "se": plain(se[:, 0])}


def _by_groups(request: Request, estimator: Estimator) -> Result:
    groups = groups_of(request)
    names, values, inside = variables(request)
    found = estimator(request.survey, values, groups.among(inside))
    return _table(request, groups, names, found)


def _table(request: Request, groups: Groups, names: list[str], found: DomainLinear) -> Result:
    """R's `svyby` result; the covariance where it was asked for."""
    result: Result = {
        "by": list(request.names("by")),
        "groups": groups.printed(),
        "variables": names,
        "estimate": plain(found.estimate),
        "se": plain(found.se(request.survey)),
    }
    if request.asks("covmat") and (request.args.get("covmat") or len(names) * len(groups.names) <= MOST_UNASKED):
        result["vcov"] = plain(found.vcov(request.survey))
        result["vcov_order"] = "groups run fastest within a variable"
    return result


def _of_ratings(request: Request) -> Result:
    """By unit: items each with its own missing answers and n; or the score, with the covariance between units."""
    request.args.get("score"), request.args.get("weight")
    groups = groups_of(request)
    names, values, _ = variables(request)
    inside = request.inside
    if len(names) == 1 and len(request.names("by")) == 1:
        kept = answered(request, values)
        found = pure.domain_means(request.survey, values, groups.among(kept))
        return _table(request, groups, names, found) | {"df": request.survey.degf(request.inside)}
    parts = []
    for column in values.T[:, :, None]:
        kept = inside & ~np.isnan(column[:, 0]) if request.flag("na_rm") else inside
        domains = groups.among(kept)
        found = pure.domain_means(request.survey, column, domains)
        n = np.bincount(domains.of[domains.of >= 0], minlength=domains.count)
        parts.append((found.estimate[:, 0], found.se(request.survey)[:, 0], n))
    estimate, se, n = (np.column_stack(part) for part in zip(*parts, strict=True))
    if len(names) == 1:
        return {"groups": groups.printed(), "estimate": plain(estimate[:, 0]), "se": plain(se[:, 0]), "n": _counts(n)}
    whole = [[int(count) for count in row] for row in n]
    return {
        "groups": groups.printed(),
        "variables": names,
        "n": whole,
        "estimate": plain(estimate),
        "se": plain(se),
    }


def _counts(n: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> list[int]:
    return [int(count) for count in n[:, 0]]


STATISTICS: dict[str, Statistic] = {
    "domain_mean": domain_mean,
    "domain_total": domain_total,
    "domain_ratio": domain_ratio,
    "domain_variance": domain_variance,
}
