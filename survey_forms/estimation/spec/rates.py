"""Outcome rates and the weights that make up for who did not answer: aapor, nonresponse_adjustment."""

import numpy as np

from survey_forms.estimation.design import Floats, Mask
from survey_forms.estimation.outcomes import CLASSES, CODES, rates, sums
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import plain
from survey_forms.estimation.spec.satisfaction import INELIGIBLE, RESPONDENTS, UNKNOWN
from survey_forms.estimation.spec.weights import first_respondents
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed


def aapor(request: Request) -> Result:
    """AAPOR's rates: of counts in the arguments, of a survey's cases, or of the rows of a table with outcomes.

    `weighted` takes sums of base weights; `stratum` keeps the cases of one.
    """
    if any(cls in request.args for cls in CLASSES):
        counts = {cls: request.number(cls, 0.0) for cls in CLASSES}
        negative = next((cls for cls, count in counts.items() if count < 0), None)
        if negative:
            raise request.wrong(negative, "0, 1, 2, …")
        return dict(rates(counts).named())
    weighted = request.flag("weighted")
    inside = _stratum(request)
    kinds = _classes(request)
    weights = _base(request) if weighted else np.ones(len(kinds))
    chosen = [(kind, float(weight)) for kind, weight, kept in zip(kinds, weights, inside, strict=True) if kept]
    counts = sums(chosen)
    found: Result = dict(rates(counts).named())
    if weighted or "stratum" in request.args:
        return found
    return {"counts": {cls: int(count) for cls, count in counts.items()}} | found


def _classes(request: Request) -> list[str]:
    """The class of each case: column `aapor_class`, or the codes of column `disposition`."""
    table = request.table if request.satisfaction is None else request.satisfaction.cases
    place = "cases" if request.satisfaction is not None else request.place("column")
    if "aapor_class" in table or "disposition" not in table:
        kinds = table.texts("aapor_class", place)
    else:
        kinds = [CODES[code].cls if code in CODES else code for code in table.texts("disposition", place)]
    strange = next((kind for kind in kinds if kind not in CLASSES), None)
    if strange is not None:
        raise Refused("estimate_level_unknown", place, level=brief(strange), known=", ".join(CLASSES))
    return kinds


def _stratum(request: Request) -> Mask:
    """The cases of the argument `stratum`; all without one."""
    table = request.table if request.satisfaction is None else request.satisfaction.cases
    if request.args.get("stratum") is None:
        return np.ones(table.rows, dtype=bool)
    wanted, labels = request.text("stratum"), table.labels("stratum", request.place("stratum"))
    if wanted not in labels.levels:
        raise Refused(
            "estimate_level_unknown", request.place("stratum"), level=brief(wanted), known=listed(labels.levels)
        )
    kept: Mask = labels.codes == labels.levels.index(wanted)
    return kept


def _base(request: Request) -> Floats:
    """Base weights: `weight` is a column, or N_h/n_h of a satisfaction survey, or the design's own by default."""
    said = request.text("weight", "") or request.text("base_weight", "")
    survey = request.satisfaction
    table = request.table if survey is None else survey.cases
    if said and said in table:
        return table.numbers(said, request.place("weight"))
    if said not in {"", "N_h/n_h"}:
        raise request.wrong("weight", "N_h/n_h")
    if survey is not None:
        return survey.base
    if said:
        return table.numbers("N_h", request.place("weight")) / table.numbers("n_h", request.place("weight"))
    return request.survey.weights


def nonresponse_adjustment(request: Request) -> Result:
    """Two steps in weighting classes: known cases carry the unknown, respondents the eligible."""
    survey = request.satisfaction
    if survey is None:
        raise Refused("estimate_dataset_wrong", request.place("dataset"), value=brief(request.dataset), known="cases")
    if request.text("base_weight", "N_h/n_h") != "N_h/n_h":
        raise request.wrong("base_weight", "N_h/n_h")
    cell, names = survey.cells(request.names("cells", ("stratum", "age")))
    kinds = np.asarray(survey.classes)
    answer, unknown, out = (
        np.isin(kinds, request.names(name, default))
        for name, default in (("respondents", RESPONDENTS), ("unknown", UNKNOWN), ("ineligible", INELIGIBLE))
    )
    base = survey.base

    def sums(weights: Floats) -> Floats:
        return np.bincount(cell, weights=weights, minlength=len(names)).astype(np.float64)

    first = sums(base) / sums(base * ~unknown)
    known = np.where(unknown, 0.0, base * first[cell])
    second = sums(known * ~(out | unknown)) / sums(known * answer)
    weights = np.where(answer, known * second[cell], 0.0)
    return {
        "cells": list(names),
        "factor_unknown": plain(first),
        "factor_nonresponse": plain(second),
        "sum_w2": float(weights.sum()),
        "first_ten_respondents": first_respondents(request, "w2", weights[survey.respondents]),
    }


STATISTICS: dict[str, Statistic] = {"aapor": aapor, "nonresponse_adjustment": nonresponse_adjustment}
