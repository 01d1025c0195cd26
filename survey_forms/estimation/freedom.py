"""Satterthwaite's degrees of freedom of statistics under a stratified, clustered design.

Source: Satterthwaite (1946), for the sum of the strata's variances v_h, each with as many degrees of freedom as PSUs
hold the domain, less one (Korn & Graubard 1998 count PSUs of the domain for the same reason):

    df = (sum v_h)² / sum v_h² / max(n_hd - 1, 0.5)
"""

import numpy as np

from survey_forms.estimation.design import Floats, SurveyDesign, grouped
from survey_forms.estimation.linearised import SMALLEST_DF


def satterthwaite(survey: SurveyDesign, influence: Floats) -> Floats:
    """The degrees of freedom (k,) of k statistics, from the variance between PSUs; NaN where it is 0.

    Args:
        survey: the design; later stages add little to a variance and are left out, which errs on the safe side.
        influence: (n, k), weight included, exactly 0 in rows outside a statistic's domain.
    """
    stage = survey.stages[0]
    strata = len(stage.sampled)
    coefficients, at_zero = survey.coefficients(stage, np.ones(strata, dtype=bool))
    deviations = stage.deviations(stage.sums(influence), at_zero)
    parts = grouped(stage.stratum, np.square(deviations) * coefficients[:, None], strata)
    inside = stage.sums((influence != 0).astype(np.float64)) > 0
    units = grouped(stage.stratum, inside.astype(np.float64), strata)
    below = (np.square(parts) / np.maximum(units - 1.0, SMALLEST_DF)).sum(axis=0)
    whole = np.square(parts.sum(axis=0))
    df: Floats = np.divide(whole, below, out=np.full_like(whole, np.nan), where=below > 0)
    return df
