"""Means, totals, ratios, variances and their linearised errors under any `SurveyDesign`.

Source: Särndal, Swensson & Wretman (1992), ch. 5; Woodruff (1971). A statistic is its estimate and its influence
(n, k), weight included, whose variance the design knows. Rows outside the domain have influence 0, so that n_h stays.
"""

from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import Floats, Mask, SurveyDesign


@dataclass(frozen=True, slots=True)
class Linear:
    """k statistics: `estimate` (k,), `influence` (n, k), `vcov` (k, k); NaN where a value cannot be known."""

    estimate: Floats
    influence: Floats
    vcov: Floats

    @property
    def se(self) -> Floats:
        """Standard errors (k,)."""
        return standard_errors(self.vcov)


def standard_errors(vcov: Floats) -> Floats:
    """Roots of the diagonal (k,); a negative variance, possible by rounding only, counts as 0."""
    diagonal = np.diag(vcov)
    return np.sqrt(np.where(diagonal < 0, 0.0, diagonal))


def total(survey: SurveyDesign, values: Floats, inside: Mask) -> Linear:
    """Weighted sums of values (n, k) over the rows `inside` (n,)."""
    return _linear(survey, _weighted(survey, values, inside), None, inside)


def mean(survey: SurveyDesign, values: Floats, inside: Mask) -> Linear:
    """Weighted means of values (n, k) over the rows `inside` (n,); NaN for an empty domain."""
    weights = np.where(inside, survey.weights, 0.0)
    whole = weights.sum()
    if whole == 0:
        return _nothing(survey, values)
    estimate = _weighted(survey, values, inside).sum(axis=0) / whole
    influence = _weighted(survey, values - estimate, inside) / whole
    return _linear(survey, influence, estimate, inside)


def ratio(survey: SurveyDesign, numerator: Floats, denominator: Floats, inside: Mask) -> Linear:
    """Ratios of totals (n, k) over (n, k); NaN where the denominator's total is 0."""
    above = _weighted(survey, numerator, inside).sum(axis=0)
    below = _weighted(survey, denominator, inside).sum(axis=0)
    usable = np.where(below == 0, np.nan, below)
    estimate = above / usable
    influence = _weighted(survey, (numerator - estimate * denominator) / usable, inside)
    return _linear(survey, influence, estimate, inside)


def variance(survey: SurveyDesign, values: Floats, inside: Mask, rows: int | None = None) -> Linear:
    """Population variances and covariances of values (n, k), by columns: k² statistics.

    The weighted mean of products of deviations, times n/(n-1); the error takes the mean as known.

    Args:
        survey: the design.
        values: (n, k).
        inside: the domain (n,).
        rows: n, by default the rows of the domain that have a weight.
    """
    n = counted(survey, inside) if rows is None else rows
    centred = values - mean(survey, values, inside).estimate
    k = values.shape[1]
    products = (centred[:, :, None] * centred[:, None, :]).reshape(len(values), k * k)
    return mean(survey, products * (n / (n - 1) if n > 1 else np.nan), inside)


def srs_variance(survey: SurveyDesign, values: Floats, inside: Mask, *, replace: bool) -> Floats:
    """What a simple random sample of as many rows would give the mean (k,); NaN if the weights sum to fewer.

    Args:
        survey: the design, for its weights.
        values: (n, k).
        inside: the domain (n,).
        replace: drawn with replacement, so without the population correction.
    """
    n = counted(survey, inside)
    weights = np.where(inside, survey.weights, 0.0)
    whole = weights.sum()
    if n < 2 or (not replace and whole < n):
        return np.full(values.shape[1], np.nan)
    rows = np.where(inside[:, None], values, 0.0)
    centre = weights @ rows / whole
    spread = weights @ np.square(np.where(inside[:, None], values - centre, 0.0)) / whole * n / (n - 1)
    correction = 1.0 if replace else (whole - n) / whole
    result: Floats = spread * correction / n
    return result


def counted(survey: SurveyDesign, inside: Mask) -> int:
    """Rows of the domain that have a weight."""
    return int(np.count_nonzero(inside & (survey.weights != 0)))


def complete(values: Floats, inside: Mask) -> Mask:
    """The domain's rows (n,) with every value (n, k) there."""
    return inside & ~np.isnan(values).any(axis=1)


def _weighted(survey: SurveyDesign, values: Floats, inside: Mask) -> Floats:
    return np.where(inside[:, None], values * survey.weights[:, None], 0.0)


def _linear(survey: SurveyDesign, influence: Floats, estimate: Floats | None, inside: Mask) -> Linear:
    value = influence.sum(axis=0) if estimate is None else estimate
    return Linear(value, influence, survey.variance(influence, inside))


def _nothing(survey: SurveyDesign, values: Floats) -> Linear:
    k = values.shape[1]
    return Linear(np.full(k, np.nan), np.zeros((len(survey.weights), k)), np.full((k, k), np.nan))
