"""The shapes in which results are printed: those of the reference file, floats as they are, NaN as null."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from survey_forms.estimation.design import Floats
from survey_forms.estimation.linear import standard_errors
from survey_forms.estimation.spec.request import Result

NORMAL = float(special.ndtri(0.975))


def normal_and_t(
    names: Sequence[str], estimate: Floats, vcov: Floats, df: float | None = None, deff: Floats | None = None
) -> Result:
    """Several estimates with their covariance, the 95 % interval by the normal and, with `df`, by t."""
    se = standard_errors(vcov)
    result: Result = {
        "names": list(names),
        "estimate": plain(estimate),
        "se": plain(se),
        "vcov": plain(vcov),
        "ci95_normal": plain(around(estimate, se, NORMAL)),
    }
    if df is not None:
        result |= {"df": df, "ci95_t": plain(around(estimate, se, t_quantile(0.975, df)))}
    if deff is not None:
        result["deff"] = plain(deff)
    return result


def around(estimate: Floats, se: Floats, quantile: float) -> Floats:
    """Intervals (k, 2)."""
    return np.column_stack([estimate - quantile * se, estimate + quantile * se])


def t_quantile(p: float, df: float) -> float:
    """Student's quantile; NaN without degrees of freedom."""
    return float(special.stdtrit(df, p)) if df > 0 else math.nan


def plain(values: Any) -> Any:
    """Numbers as JSON holds them: lists and floats, None for NaN."""
    if isinstance(values, np.ndarray):
        return [plain(value) for value in values] if values.ndim else plain(values.item())
    if isinstance(values, list | tuple):
        return [plain(value) for value in values]
    if isinstance(values, np.integer):
        return int(values)
    number = float(values)
    if math.isinf(number):
        return "Inf" if number > 0 else "-Inf"
    return None if math.isnan(number) else number
