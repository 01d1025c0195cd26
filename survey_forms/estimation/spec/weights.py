"""Statistics of weights and with adjusted weights: poststratify, rake, calibrate, their means, trimming, Kish.

`poststratified_`, `raked_` and `calibrated_` stand before mean, total, ratio, domain_mean, domain_total, domain_ratio.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import Floats, Ints, Mask, grouped
from survey_forms.estimation.linear import standard_errors
from survey_forms.estimation.spec.adjusting import OWN, Adjusted, Project, adjusted, units
from survey_forms.estimation.spec.domains import Groups, groups_of
from survey_forms.estimation.spec.means import answered, variables
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import NORMAL, around, normal_and_t, plain, t_quantile
from survey_forms.estimation.trimming import spread, trim
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed

KINDS = {"poststratified": "poststratify", "raked": "rake", "calibrated": "calibrate"}
STRICT = "cut to the bounds, spread the excess equally over the units inside, repeat until none is outside"
FIRST = 10  # respondents whose weights are printed for a survey of many persons


def weights_of(request: Request) -> Result:
    """The adjusted weights in file order; of a satisfaction survey what sums them up."""
    for name in ("start", "by", "formula", "calfun", "bounds", "margins", "population", "totals"):
        request.args.get(name)
    weights = adjusted(request, request.statistic).survey.weights
    survey = request.satisfaction
    if survey is None:
        return {"weights": plain(weights), "sum": float(weights.sum())}
    return {
        "sum": float(weights.sum()),
        "min": float(weights.min()),
        "max": float(weights.max()),
        "first_ten_respondents": first_respondents(request, "w", weights),
        "sum_w_squared": float(weights @ weights),
    }


def first_respondents(request: Request, name: str, weights: Floats) -> Result:
    """The first respondents of a satisfaction survey and their weights."""
    survey = request.satisfaction
    if survey is None:
        return {}
    ids = [survey.cases.texts("case_id", "cases")[row] for row in survey.respondents[:FIRST]]
    whole = all(re.fullmatch(r"-?\d{1,15}", one) for one in ids)
    return {"case_id": [int(one) for one in ids] if whole else ids, name: plain(weights[:FIRST])}


@dataclass(frozen=True, slots=True)
class Parts:
    """What is summed a unit: `above` (n, m), `below` (n, m), None for totals; m = k statistics x D groups."""

    names: list[str]
    groups: Groups | None
    above: Floats
    below: Floats | None


def _weighed(request: Request) -> Adjusted:
    for name in ("calfun", "margins", "population", "totals", "formula", "bounds"):
        request.args.get(name)
    return adjusted(request, KINDS[request.statistic.split("_", 1)[0]])


def _parts(request: Request, what: str) -> Parts:
    """The sums of a mean, total or ratio, over all units or by group; groups run fastest."""
    if what.endswith("ratio"):
        names = [request.one_name("numerator"), request.one_name("denominator")]
        both = np.column_stack(
            [request.values(side, (name,)) for side, name in zip(("numerator", "denominator"), names, strict=True)]
        )
        inside, values, whole = answered(request, both), both[:, :1], both[:, 1:]
    else:
        names, values, inside = variables(request)
        whole = np.ones_like(values)
    groups = groups_of(request) if what.startswith("domain") else None
    of, count = (inside.astype(np.int64) - 1, 1) if groups is None else (groups.among(inside).of, groups.domains.count)
    above, below = (_by_unit(request, one, of, count) for one in (values, whole))
    return Parts(names, groups, above, None if what.endswith("total") else below)


def _by_unit(request: Request, values: Floats, of: Ints, count: int) -> Floats:
    """Values (rows, k) summed by unit and group: (n, k D); rows of group -1 count nothing."""
    rows = np.flatnonzero(of >= 0)
    survey = request.satisfaction
    unit = rows if survey is None else survey.person[rows]
    n, k = (request.table.rows if survey is None else len(survey.respondents)), values.shape[1]
    sums = grouped(unit * count + of[rows], values[rows], n * count).reshape(n, count, k)
    return sums.transpose(0, 2, 1).reshape(n, k * count)


def _influence(weighed: Adjusted, parts: Parts) -> tuple[Floats, Floats]:
    """Estimates (m,) and their influence (n, m) with the adjusted weights, before projection."""
    weights = weighed.survey.weights
    total = weights @ parts.above
    if parts.below is None:
        return total, weights[:, None] * parts.above
    whole = weights @ parts.below
    whole = np.where(whole == 0, np.nan, whole)
    estimate = total / whole
    influence = weights[:, None] * (parts.above - estimate * parts.below) / whole
    return estimate, influence


def _vcov(weighed: Adjusted, influence: Floats, project: Project) -> Floats:
    known: Mask = np.all(~np.isnan(influence), axis=0)
    result = np.full((len(known), len(known)), np.nan)
    result[np.ix_(known, known)] = weighed.survey.variance(project(influence[:, known]))
    return result


def estimate(request: Request, *, like_r: bool = False) -> Result:
    """A mean, total or ratio with adjusted weights, over all units or by group; its error is that of the residuals.

    `like_r` takes the error that R's `rake()` gives, only to compare.
    """
    what = request.statistic.split("_", 1)[1]
    weighed, parts = _weighed(request), _parts(request, "mean" if like_r else what)
    found, influence = _influence(weighed, parts)
    vcov = _vcov(weighed, influence, weighed.r_project if like_r else weighed.project)
    df = weighed.survey.degf()
    if parts.groups is not None:
        return _by_group(request, parts.groups.printed(), parts.names, found, vcov) | _others(
            request, weighed, influence
        )
    if what == "ratio":
        se = standard_errors(vcov)
        ends = (around(found, se, NORMAL), around(found, se, t_quantile(0.975, df)))
        return {
            "estimate": plain(found)[0],
            "se": plain(se)[0],
            "ci95_normal": plain(ends[0])[0],
            "ci95_t": plain(ends[1])[0],
        }
    return normal_and_t(parts.names, found, vcov, df)


def r_rake_mean(request: Request) -> Result:
    """Means with raked weights and the error that R's `rake()` gives."""
    return estimate(request, like_r=True)


def _others(request: Request, weighed: Adjusted, influence: Floats) -> Result:
    """Of a raked satisfaction survey also the two errors that only serve to compare."""
    if request.satisfaction is None or not request.statistic.startswith("raked"):
        return {}
    ways = {"se_R_rake_function": weighed.r_project, "se_weights_taken_as_fixed": _as_it_is}
    return {name: plain(standard_errors(_vcov(weighed, influence, way))) for name, way in ways.items()}


def _as_it_is(influence: Floats) -> Floats:
    return influence


def _by_group(request: Request, groups: Sequence[object], names: list[str], found: Floats, vcov: Floats) -> Result:
    se = standard_errors(vcov)
    if request.satisfaction is not None or request.statistic.endswith("ratio"):
        return {"groups": groups, "estimate": plain(found), "se": plain(se)}
    shape = (len(names), len(groups))
    result = {
        "by": list(request.names("by")),
        "groups": groups,
        "variables": names,
        "estimate": plain(found.reshape(shape).T),
        "se": plain(se.reshape(shape).T),
    }
    if "covmat" in request.args or (request.r_call and request.asks("covmat")):
        result |= {"vcov": plain(vcov), "vcov_order": "groups run fastest within a variable"}
    return result


def trim_weights(request: Request) -> Result:
    """Weights cut to `lower` and `upper`, the excess spread over the others."""
    weights = _named(request, request.args.get("weights", request.args.get("start")))
    upper = np.inf
    if "upper" in request.args:
        upper = request.number("upper")
    elif found := re.fullmatch(r"([\d.]+) ?[x*] ?median", request.text("upper_rule", "")):
        upper = float(found[1]) * float(np.median(weights))
    request.args.get("upper_rule")
    lower = request.number("lower") if "lower" in request.args else -np.inf
    strict = request.flag("strict")
    cut = trim(weights, lower, upper, strict=strict)
    if request.satisfaction is None:
        result = {"weights": plain(cut), "sum": float(cut.sum())}
        return result | ({"iterations_note": STRICT} if strict else {})
    kish_ = spread(cut)
    return {
        "n_trimmed": int(np.count_nonzero(weights > upper)),
        "sum": float(cut.sum()),
        "max": float(cut.max()),
        "sum_w_squared": float(cut @ cut),
        "n_eff": None if kish_ is None else kish_.n_eff,
    }


def kish(request: Request) -> Result:
    """Kish's design effect of unequal weights and the effective number."""
    found = spread(_named(request, request.args.get("weights")))
    if found is None:
        return {"n": 0, "deff_kish": None, "n_eff": None}
    return {"n": found.n, "deff_kish": found.deff_w, "n_eff": found.n_eff}


def _named(request: Request, said: object) -> Floats:
    """The weights that an entry speaks of: adjusted ones or the design's own, of all units or of one stratum.

    A satisfaction survey's are "base", "wnr" (for nonresponse) or "raked"; ", residents only" or the argument
    `stratum` keeps one stratum. A table's are those of the entry that `said` or the id names, else the design's.
    """
    survey = request.satisfaction
    if survey is None:
        return _of_entry(request, said)
    words = re.fullmatch(r"(\w+)(?:, (\w+?)s? only)?", said if isinstance(said, str) else "wnr")
    kind, part = (words[1], words[2]) if words else ("", None)
    if kind == "raked":
        weights = adjusted(request, "rake").survey.weights
    elif kind in {"wnr", "base"}:
        weights = survey.nonresponse_weights if kind == "wnr" else survey.base[survey.respondents]
    else:
        raise request.wrong("weights", "base, wnr, raked")
    stratum = request.text("stratum", part) if part or "stratum" in request.args else None
    if stratum is None:
        return weights
    labels = survey.cases.labels("stratum", "cases")
    if stratum not in labels.levels:
        raise Refused(
            "estimate_level_unknown", request.place("stratum"), level=brief(stratum), known=listed(labels.levels)
        )
    kept: Floats = weights[labels.codes[survey.respondents] == labels.levels.index(stratum)]
    return kept


def _of_entry(request: Request, said: object) -> Floats:
    """A table's weights: of the entry named in `said` ("weights of ID") or by this id's beginning."""
    name = said.rsplit(" ", 1)[-1] if isinstance(said, str) else ""
    teller = next((one for one in request.document.requests if one.id and one.id == name), None)
    if teller is None and name in request.table:
        return request.values("weights", (name,))[:, 0]
    teller = teller or request.prefix()
    own = next((kind for kind, told in OWN.items() if told in request.args), None)
    if own is not None:
        for argument in ("by", "formula", "calfun", "bounds"):
            request.args.get(argument)
        return adjusted(request, own).survey.weights
    while teller is not None and teller.statistic not in KINDS.values():
        teller = teller.prefix()
    if teller is not None and teller.dataset == request.dataset:
        return adjusted(teller, teller.statistic).survey.weights
    if name:
        raise request.wrong("start" if "start" in request.args else "weights", "weights of ID")
    return units(request).weights


STATISTICS: dict[str, Statistic] = {
    **dict.fromkeys(KINDS.values(), weights_of),
    **{
        f"{kind}_{what}": estimate
        for kind in KINDS
        for what in ("mean", "total", "ratio", "domain_mean", "domain_total", "domain_ratio")
    },
    "raked_mean_R_rake": r_rake_mean,
    "trim_weights": trim_weights,
    "kish": kish,
}
