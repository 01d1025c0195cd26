"""What is told of units' scores: domain_mean_ci, group_weighted_score, grade_probability, rank_interval."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from survey_forms.estimation.design import Floats, Mask
from survey_forms.estimation.domains import DomainLinear, Domains, domain_means
from survey_forms.estimation.freedom import satterthwaite
from survey_forms.estimation.intervals import equal_answers_interval, grade_probabilities, logit_t_interval
from survey_forms.estimation.ranks import MaxT, RankInterval, compared, rank_intervals
from survey_forms.estimation.spec.domains import Groups, groups_of
from survey_forms.estimation.spec.means import answered
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import plain
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed

_BLOCK = 16  # groups whose columns are held at once


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of D groups that are known: names, (D,) and their covariance (D, D)."""

    names: list[object]
    value: Floats
    vcov: Floats


def _means(request: Request) -> tuple[Groups, DomainLinear]:
    """One variable's means by group; a satisfaction survey's score by unit unless something else is asked for."""
    ratings = request.satisfaction is not None
    columns = request.names("variables", ("score",) if ratings else None)
    if len(columns) != 1:
        raise request.wrong("variables", "column")
    request.args.get("score"), request.args.get("weight")
    values = request.values("variables", columns)
    groups = groups_of(request, "by", ("dept",) if ratings else None)
    # a missing answer is no part of the domain: a score is of those who gave one
    inside = answered(request, values) & ~np.isnan(values[:, 0])
    return groups, domain_means(request.survey, values, groups.among(inside))


def _scored(request: Request) -> Scored:
    """Scores given as `estimate` with `vcov` or `se` (and `groups`), or estimated from the data."""
    if "estimate" in request.args:
        value = np.asarray(request.numbers("estimate"))
        names = request.args.get("groups") or [str(place + 1) for place in range(len(value))]
        if "vcov" in request.args:
            matrix = np.asarray(request.args.get("vcov"), dtype=np.float64)
        else:
            matrix = np.diag(np.square(request.numbers("se")))
        if matrix.shape != (len(value), len(value)) or len(names) != len(value):
            raise request.wrong("vcov" if "vcov" in request.args else "se", f"{len(value)} × {len(value)}")
        return Scored(list(names), value, matrix)
    groups, found = _means(request)
    return Scored(list(groups.printed()), found.estimate[:, 0], found.vcov(request.survey))


def domain_mean_ci(request: Request) -> Result:
    """Means by group with logit-t intervals inside `bounds` and Satterthwaite's degrees of freedom.

    Where all answers are equal the interval is the exact one-sided bound, and there are no degrees of freedom. Answers
    that differ and still have no error are those of a census: the interval is the mean itself.
    """
    request.args.get("df")
    bounds = request.numbers("bounds")
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        raise request.wrong("bounds", "[low, high]")
    level = request.probability("level", 0.95)
    groups, found = _means(request)
    domains = found.domains
    value, se = found.estimate[:, 0], found.se(request.survey)[:, 0]
    df = np.concatenate([_freedom(request, found, start) for start in range(0, domains.count, _BLOCK)] or [se])
    # all first-stage units taken: the error comes from later stages alone, and the design's own df has to do
    df = np.where(np.isnan(df) & (se > 0), request.survey.degf(request.inside), df)
    low, high = logit_t_interval(value, se, df, (bounds[0], bounds[1]), level)
    flat = _all_equal(request, domains) & ~np.isnan(se)
    se, df = np.where(flat, 0.0, se), np.where(flat, np.nan, df)  # rounding may have left a trace of either
    n = np.bincount(domains.of[domains.of >= 0], minlength=domains.count)
    with np.errstate(divide="ignore"):
        least, most = equal_answers_interval(value, n, (bounds[0], bounds[1]), level)
    census = (se == 0) & (n > 0) & ~flat
    low, high = (np.where(census, value, end) for end in (low, high))
    ends = np.column_stack([np.where(flat, least, low), np.where(flat, most, high)])
    name = f"ci{level * 100:g}".replace(".", "_")
    return {"groups": groups.printed(), "estimate": plain(value), "se": plain(se), "df": plain(df), name: plain(ends)}


def _all_equal(request: Request, domains: Domains) -> Mask:
    """Groups (D,) whose answers are all one value; a group without answers is none."""
    inside = domains.of >= 0
    of, values = domains.of[inside], request.values("variables", request.names("variables", ("score",)))[inside, 0]
    least, most = np.full(domains.count, np.inf), np.full(domains.count, -np.inf)
    np.minimum.at(least, of, values)
    np.maximum.at(most, of, values)
    equal: Mask = least == most
    return equal


def _freedom(request: Request, found: DomainLinear, start: int) -> Floats:
    """Degrees of freedom of a block of groups: each needs a column over all rows."""
    block = np.arange(start, min(start + _BLOCK, found.domains.count))
    return satterthwaite(request.survey, np.where(found.domains.of[:, None] == block, found.influence, 0.0))


def group_weighted_score(request: Request) -> Result:
    """Scores of units from the groups' scores with fixed weights; groups are strata and so independent.

    With `renormalise_over_groups_present` a unit that a group did not rate spreads that group's weight over the others,
    and `groups_present` says so; without it such a unit has no score.
    """
    raw = request.args.get("group_weights")
    good = isinstance(raw, Mapping) and raw and all(isinstance(one, int | float) and one >= 0 for one in raw.values())
    if not isinstance(raw, Mapping) or not good:
        raise request.wrong("group_weights", '{"group": weight ≥ 0}')
    renormalise = request.flag("renormalise_over_groups_present")
    column = request.text("groups", "stratum" if request.satisfaction is not None else None)
    labels = request.table.labels(column, request.place("groups"))
    strange = next((level for level in labels.levels if level not in raw), None)
    if strange is not None:
        place = request.place("group_weights")
        raise Refused("estimate_level_unknown", place, level=brief(strange), known=listed(raw))
    groups, whole = _means(request)
    units, size = whole.domains, len(labels.levels)
    of = np.where((units.of >= 0) & (labels.codes >= 0), units.of * size + labels.codes, -1)
    values = request.values("variables", request.names("variables", ("score",)))
    parts = domain_means(request.survey, values, Domains(of, units.count * size))
    mean = parts.estimate[:, 0].reshape(units.count, size)
    error = parts.se(request.survey)[:, 0].reshape(units.count, size)
    present = ~np.isnan(mean)
    weight = np.where(present, [float(raw[level]) for level in labels.levels], 0.0)
    if renormalise:
        weight /= weight.sum(axis=1, keepdims=True)
    score = (weight * np.nan_to_num(mean)).sum(axis=1)
    se = np.sqrt((np.square(weight) * np.square(np.nan_to_num(error))).sum(axis=1))
    complete = present.all(axis=1) & (len(raw) == size) | renormalise
    return {
        "groups": groups.printed(),
        "estimate": plain(np.where(complete, score, np.nan)),
        "se": plain(np.where(complete, se, np.nan)),
        "groups_present": [int(count) for count in present.sum(axis=1)],
    }


def grade_probability(request: Request) -> Result:
    """The probability of each grade of each unit, best grade first; a grade begins at its cut."""
    request.args.get("rule")
    cuts = request.numbers("cuts")
    if any(upper <= lower for upper, lower in pairwise(cuts)):
        raise request.wrong("cuts", "9, 8, 7, …")
    names = request.args.get("grades")
    if names is not None and (not isinstance(names, list) or len(names) != len(cuts) + 1):
        raise request.wrong("grades", f"{len(cuts) + 1} × text")
    scored = _scored(request)
    errors = np.sqrt(np.diag(scored.vcov))
    rows = [
        [None] * (len(cuts) + 1) if np.isnan([value, se]).any() else list(grade_probabilities(value, se, cuts))
        for value, se in zip(scored.value.tolist(), errors.tolist(), strict=True)
    ]
    return {"groups": scored.names, "probability": rows}


def rank_interval(request: Request) -> Result:
    """Rank intervals: with `draws` by the largest difference that chance makes, else by Bonferroni's quantile."""
    level = request.probability("level", 0.95)
    for name in ("marginal_z", "simultaneous_z"):  # the level says them
        request.args.get(name)
    scored = _scored(request)
    m = len(scored.value)
    if np.isnan(scored.value).any() or np.isnan(scored.vcov).any():
        unknown = scored.names[int(np.argmax(np.isnan(scored.value) | np.isnan(np.diag(scored.vcov))))]
        raise Refused("estimate_rank_unmeasured", request.place("by"), group=brief(unknown))
    values = scored.value.tolist()
    if "draws" not in request.args:
        alone, jointly = (rank_intervals(values, scored.vcov, level=level, simultaneous=both) for both in (False, True))
        return {
            "groups": scored.names,
            "rank": [one.rank for one in alone],
            "marginal": _ends(alone),
            "simultaneous": _ends(jointly),
        }
    draws = int(request.number("draws"))
    if not 100 <= draws * m <= 20_000_000:
        raise request.wrong("draws", f"{-(-100 // m)}…{20_000_000 // m}")
    step_down, seed = request.flag("step_down"), int(request.number("seed", 1.0))
    found = compared(values, scored.vcov, MaxT(level, simultaneous=True, draws=draws, seed=seed, step_down=step_down))
    return {"critical_value": found.critical[0] if found.critical else None, "simultaneous": _ends(found.intervals)}


def _ends(intervals: list[RankInterval]) -> list[list[int]]:
    return [[one.best, one.worst] for one in intervals]


STATISTICS: dict[str, Statistic] = {
    "domain_mean_ci": domain_mean_ci,
    "group_weighted_score": group_weighted_score,
    "grade_probability": grade_probability,
    "rank_interval": rank_interval,
}
