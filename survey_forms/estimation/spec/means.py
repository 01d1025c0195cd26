"""Statistics over all rows or a subset: degf, mean, total, ratio, variance, proportion."""

import numpy as np

from survey_forms.estimation import linear
from survey_forms.estimation.design import Floats, Mask, SurveyDesign
from survey_forms.estimation.linear import Linear
from survey_forms.estimation.spec.data import MISSING
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import NORMAL, around, normal_and_t, plain, t_quantile
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed


def degf(request: Request) -> Result:
    """Degrees of freedom, rows, sum of weights."""
    survey, inside = request.survey, request.inside
    return {
        "df": survey.degf(inside),
        "n": int(np.count_nonzero(inside)),
        "sum_weights": float(survey.weights[inside].sum()),
    }


def mean(request: Request) -> Result:
    """Means; a column of words gives the share of each of its levels."""
    names, values, inside = variables(request)
    result = _pack(request, names, linear.mean(request.survey, values, inside), _srs(request, values, inside))
    if request.satisfaction is not None:
        request.args.get("weight"), request.args.get("score")
        result["se_if_rows_were_psus_no_fpc"] = plain(_rows_as_units(request, values, inside))[0]
    return result


def total(request: Request) -> Result:
    """Totals."""
    names, values, inside = variables(request)
    whole = float(request.survey.weights[inside].sum())
    srs = _srs(request, values, inside)
    found = linear.total(request.survey, values, inside)
    return _pack(request, names, found, None if srs is None else srs * whole**2)


def ratio(request: Request) -> Result:
    """A ratio of two totals."""
    columns = (request.one_name("numerator"), request.one_name("denominator"))
    above, below = request.values("numerator", columns[:1]), request.values("denominator", columns[1:])
    survey = request.survey
    inside = answered(request, np.column_stack([above, below]))
    found = linear.ratio(survey, above, below, inside)
    df = survey.degf(request.inside)
    result: Result = {"estimate": plain(found.estimate)[0], "se": plain(found.se)[0]}
    result["ci95_normal"] = plain(around(found.estimate, found.se, NORMAL))[0]
    result["ci95_t"] = plain(around(found.estimate, found.se, t_quantile(0.975, df)))[0]
    if deff := wanted_deff(request):
        residual = (above - found.estimate * below) / np.where(inside[:, None], below, 0.0).T.dot(survey.weights)
        whole = float(survey.weights[inside].sum())
        srs = linear.srs_variance(survey, residual, inside, replace=deff == "replace")
        result["deff"] = plain(_over(np.diag(found.vcov), srs * whole**2))[0]
    return result


def variance(request: Request) -> Result:
    """The population variance of a column; of several, their covariance matrix and its errors."""
    columns = request.names("variables")
    values = request.values("variables", columns)
    inside = answered(request, values)
    rows = linear.counted(request.survey, request.inside)  # R's n counts the rows without an answer too
    found = linear.variance(request.survey, values, inside, rows)
    if len(columns) == 1:
        return {"estimate": plain(found.estimate)[0], "se": plain(found.se)[0]}
    shape = (len(columns), len(columns))
    return {
        "names": list(columns),
        "estimate": plain(found.estimate.reshape(shape)),
        "se": plain(found.se.reshape(shape)),
    }


def proportion(request: Request) -> Result:
    """Shares of the levels of one or several columns."""
    columns = request.names("variables")
    levels = wanted_levels(request) if len(columns) == 1 else ()
    parts = [indicators(request, column, levels) for column in columns]
    names = [name for part_names, _ in parts for name in part_names]
    values = np.column_stack([part for _, part in parts])
    inside = answered(request, values)
    return _pack(request, names, linear.mean(request.survey, values, inside), _srs(request, values, inside))


def variables(request: Request) -> tuple[list[str], Floats, Mask]:
    """The columns of the argument `variables`, those of words as one column a level; the rows that count."""
    names: list[str] = []
    parts: list[Floats] = []
    for column in request.names("variables"):
        if request.table.is_number(column, request.place("variables")):
            part_names, part = [column], request.values("variables", (column,))
        else:
            part_names, part = indicators(request, column, ())
        names += part_names
        parts.append(part)
    values = np.column_stack(parts)
    return names, values, answered(request, values)


def wanted_levels(request: Request) -> tuple[str, ...]:
    """The argument `levels`, empty if it was not given."""
    raw = request.args.get("levels")
    if raw is None:
        return ()
    levels = raw if isinstance(raw, list) else [raw]
    if not levels or not all(isinstance(level, str | int | float) for level in levels):
        raise request.wrong("levels", "[level, …]")
    return tuple(level if isinstance(level, str) else f"{level:.15g}" for level in levels)


def indicators(
    request: Request, column: str, levels: tuple[str, ...], names: tuple[str, str] = ("variables", "levels")
) -> tuple[list[str], Floats]:
    """One column 0/1 a level (all levels of the column by default), named column + level; NaN where missing.

    `names` are the arguments that column and levels came from.
    """
    labels = request.table.labels(column, request.place(names[0]))
    unknown = [level for level in levels if level not in labels.levels]
    if unknown:
        place = request.place(names[1])
        raise Refused("estimate_level_unknown", place, level=brief(unknown[0]), known=listed(labels.levels))
    chosen = levels or labels.levels
    values = (labels.codes[:, None] == [labels.levels.index(level) for level in chosen]).astype(np.float64)
    values[labels.codes == MISSING] = np.nan
    return [f"{column}{level}" for level in chosen], values


def answered(request: Request, values: Floats) -> Mask:
    """The rows of the domain: with `na_rm` only those with every value there (else a missing one makes all null)."""
    return linear.complete(values, request.inside) if request.flag("na_rm") else request.inside


def wanted_deff(request: Request) -> str:
    """The design effect: "yes", "replace" for that against a sample with replacement, or an empty text for none."""
    raw = request.args.get("deff")
    raw = raw[0] if isinstance(raw, list) and len(raw) == 1 else raw
    if raw not in (None, True, False, "replace"):
        raise request.wrong("deff", "true, false, replace")
    if raw is None:
        replace = "'replace'" in request.r_call or '"replace"' in request.r_call
        return "replace" if replace else "yes" if request.asks("deff") else ""
    return "replace" if raw == "replace" else "yes" if raw else ""


def _srs(request: Request, values: Floats, inside: Mask) -> Floats | None:
    """The variance of means in a simple random sample (k,), None if no design effect is wanted."""
    kind = wanted_deff(request)
    return linear.srs_variance(request.survey, values, inside, replace=kind == "replace") if kind else None


def _pack(request: Request, names: list[str], found: Linear, srs: Floats | None) -> Result:
    """The printed result; `srs` (k,) is what the design effect compares with."""
    patched = "lonely_psu" in request.args  # R's own result then claims no degrees of freedom
    df = None if patched else request.survey.degf(request.inside)
    deff = None if srs is None else _over(np.diag(found.vcov), srs)
    return normal_and_t(names, found.estimate, found.vcov, df, deff)


def _over(variances: Floats, srs: Floats) -> Floats:
    result: Floats = np.divide(variances, srs, out=np.full(len(srs), np.nan), where=srs != 0)
    return result


def _rows_as_units(request: Request, values: Floats, inside: Mask) -> Floats:
    """The error that forgets the persons: every rating a unit of its own, drawn with replacement."""
    stage = request.survey.stages[0]
    rows = np.flatnonzero(inside)
    stratum = stage.stratum[stage.unit[rows]]
    naive = stage.__class__(
        np.arange(len(rows)),
        stratum,
        np.bincount(stratum, minlength=len(stage.sampled)),
        np.ones(len(rows)),
        np.ones(len(rows)),
        stage.parent,
    )
    design = SurveyDesign(request.survey.weights[rows], (naive,), request.survey.lonely, request.survey.strata_names)
    return linear.mean(design, values[rows], np.ones(len(rows), dtype=bool)).se


STATISTICS: dict[str, Statistic] = {
    "degf": degf,
    "mean": mean,
    "total": total,
    "ratio": ratio,
    "variance": variance,
    "proportion": proportion,
}
