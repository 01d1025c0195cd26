"""The delete-one-unit jackknife of means, totals and ratios.

Source: Wolter (2007), ch. 4. Leaving unit i of stratum h out multiplies the weights of the others of its stratum by
n_h/(n_h - 1); v = sum (1 - f_h)(n_h - 1)/n_h (replicate - mean of all replicates)². "JK1" is one stratum, "JKn" many.
"""

from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import CENSUS, Floats, Ints, Mask, SurveyDesign, grouped


@dataclass(frozen=True, slots=True)
class Replicates:
    """Weighted sums of k columns: `whole` (k,), without each unit (R, k), and the factor of each replicate (R,)."""

    whole: Floats
    without: Floats
    factor: Floats
    df: int


def replicates(survey: SurveyDesign, values: Floats, inside: Mask) -> Replicates:
    """The replicated weighted sums of values (n, k) over the rows `inside`; strata taken whole have no replicates.

    Raises:
        Refused: a stratum with one unit of several (unless the design removes such strata).
    """
    stage = survey.stages[0]
    weighted = np.where(inside[:, None], values * survey.weights[:, None], 0.0)
    units = stage.sums(weighted)
    strata = grouped(stage.stratum, units, len(stage.sampled))
    n = stage.sampled.astype(np.float64)
    used = stage.open_share >= CENSUS
    _refuse_lonely(survey, stage.stratum[used])
    used &= stage.sampled[stage.stratum] > 1
    of = stage.stratum[used]
    grown = np.divide(n, n - 1, out=np.ones_like(n), where=n > 1)[of][:, None]
    whole = weighted.sum(axis=0)
    without = whole - strata[of] + (strata[of] - units[used]) * grown
    factor = stage.open_share[used] * (n[of] - 1) / n[of]
    present = np.unique(of)
    return Replicates(whole, without, factor, int((stage.sampled[present] - 1).sum()))


def jackknife_vcov(estimates: Floats, factor: Floats) -> Floats:
    """The covariance (k, k) of replicated estimates (R, k)."""
    deviations = estimates - estimates.mean(axis=0)
    result: Floats = deviations.T @ (deviations * factor[:, None])
    return result


def _refuse_lonely(survey: SurveyDesign, strata: Ints) -> None:
    stage = survey.stages[0]
    alone = np.unique(strata[stage.sampled[strata] == 1])
    if len(alone) and survey.lonely not in {"remove", "certainty"}:
        raise survey.refusal(stage, int(alone[0]))
