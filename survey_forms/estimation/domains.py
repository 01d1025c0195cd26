"""Statistics of many domains at once: estimates by counting, errors in one pass over the rows, or their covariance.

A domain's n_h is that of the whole stratum; outside the domain the influence is zero (Cochran 1977, 5A.13; R's
`svyby` on a design). Domains of one call share no row; a row of domain -1 belongs to none.
"""

from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import Floats, Ints, Mask, Stage, SurveyDesign, grouped


@dataclass(frozen=True, slots=True)
class Domains:
    """The domain of each row (n,), from 0, -1 for none; `count` of them."""

    of: Ints
    count: int

    def spread(self, values: Floats) -> Floats:
        """Values (count, k) of the domains at their rows: (n, k); 0 at rows of none."""
        padded = np.vstack([values, np.zeros((1, values.shape[1]))])
        result: Floats = padded[self.of]
        return result

    def sums(self, values: Floats) -> Floats:
        """Sums (count, k) over the rows of each domain."""
        inside = self.of >= 0
        return grouped(self.of[inside], values[inside], self.count)


@dataclass(frozen=True, slots=True)
class DomainLinear:
    """k statistics of D domains: `estimate` (D, k), NaN for an empty domain; `influence` (n, k), a row its domain's."""

    estimate: Floats
    influence: Floats
    domains: Domains

    def se(self, survey: SurveyDesign) -> Floats:
        """Standard errors (D, k)."""
        found = survey.domain_variances(self.influence, self.domains.of, self.domains.count)
        return np.sqrt(np.where(np.isnan(self.estimate), np.nan, found))

    def vcov(self, survey: SurveyDesign) -> Floats:
        """The covariance (k D, k D), the domains running fastest: it holds what shared units and clusters induce."""
        k, count = self.influence.shape[1], self.domains.count
        inside = self.domains.of >= 0

        def sums(stage: Stage) -> Floats:
            units = len(stage.stratum)
            cell = stage.unit[inside] * count + self.domains.of[inside]
            parts = grouped(cell, self.influence[inside], units * count).reshape(units, count, k)
            return parts.transpose(0, 2, 1).reshape(units, k * count)

        result = survey.variance_of_sums(sums, k * count, inside)
        empty = np.isnan(self.estimate).T.ravel()
        result[empty, :] = np.nan
        result[:, empty] = np.nan
        return result


def domain_totals(survey: SurveyDesign, values: Floats, domains: Domains) -> DomainLinear:
    """Weighted sums of values (n, k)."""
    influence = values * survey.weights[:, None]
    estimate = domains.sums(influence)
    estimate[_empty(survey, domains)] = np.nan
    return DomainLinear(estimate, influence, domains)


def domain_means(survey: SurveyDesign, values: Floats, domains: Domains) -> DomainLinear:
    """Weighted means of values (n, k)."""
    return domain_ratios(survey, values, np.ones_like(values), domains)


def domain_ratios(survey: SurveyDesign, numerator: Floats, denominator: Floats, domains: Domains) -> DomainLinear:
    """Ratios of totals (n, k) over (n, k)."""
    weights = survey.weights[:, None]
    below = domains.sums(denominator * weights)
    below[(below == 0) | _empty(survey, domains)[:, None]] = np.nan
    estimate = domains.sums(numerator * weights) / below
    residual = numerator - domains.spread(estimate) * denominator
    scale = domains.spread(below)
    influence = np.divide(residual * weights, scale, out=np.zeros_like(residual), where=scale != 0)
    return DomainLinear(estimate, influence, domains)


def domain_squares(survey: SurveyDesign, values: Floats, domains: Domains) -> DomainLinear:
    """Population variances of values (n, k): weighted mean squares, times n/(n-1) of the domain's weighted rows."""
    centre = domain_means(survey, values, domains).estimate
    n = domains.sums((survey.weights != 0).astype(np.float64)[:, None])
    factor = np.divide(n, n - 1, out=np.full_like(n, np.nan), where=n > 1)
    squares = np.square(values - domains.spread(centre)) * domains.spread(factor)
    return domain_means(survey, squares, domains)


def _empty(survey: SurveyDesign, domains: Domains) -> Mask:
    found: Mask = domains.sums(survey.weights[:, None])[:, 0] == 0
    return found
