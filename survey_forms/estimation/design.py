"""A sample design with any number of stages, and the variance of a linearised statistic under it.

Source: the recursion of multistage sampling (Särndal, Swensson & Wretman 1992, ch. 4; Bellhouse 1985), in the form
of R's `survey`: with z_i the summed influence of unit i of stratum h, n_h units drawn and f_i = n_h / N_h,

    v = sum_h sum_i (1 - f_i) n_h/(n_h - 1) (z_i - mean z)²  +  sum_i f_i v_i

where v_i is the same expression inside unit i, one stage below. Without population sizes the first stage alone is
used (drawn with replacement). f may differ between the units of a stratum: with inclusion probabilities that is
Brewer's approximation for samples drawn proportional to size. A domain is rows whose influence is zero: n_h stays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey_forms.refusal import Refused

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_ROOM = 16  # places a row that counting may take before sorting is the shorter way
CENSUS = 1e-7  # 1 - f below which a stratum counts as taken whole (R's own bound)


class Lonely(Exception):
    """A stratum (its number) with a single drawn unit of several."""

    def __init__(self, stratum: int) -> None:
        super().__init__(stratum)
        self.stratum = stratum


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: U units in H strata, both numbered from 0; strata of a later stage lie inside one unit above.

    `unit` (n,) of each row; `stratum` (U,) of each unit; `sampled` (H,) units drawn; `open_share` (U,) is 1 - f;
    `carried` (U,) the product of f over the stages above; `parent` (H,) the unit above that holds the stratum.
    """

    unit: Ints
    stratum: Ints
    sampled: Ints
    open_share: Floats
    carried: Floats
    parent: Ints

    def widest(self) -> Floats:
        """The largest 1 - f of each stratum's units (H,)."""
        result = np.zeros(len(self.sampled))
        np.maximum.at(result, self.stratum, self.open_share)
        return result

    def coefficients(self, present: Mask, lonely: str) -> tuple[Floats, Mask]:
        """The weight of each unit's squared deviation (U,), and which strata (H,) are centred at 0, not their mean.

        Args:
            present: strata (H,) with a row in the domain.
            lonely: what a stratum with one drawn unit of several counts for.

        Raises:
            Lonely: such a stratum, and `lonely` is "fail".
        """
        widest = self.widest()
        alone = (self.sampled == 1) & (widest >= CENSUS) & present
        if lonely == "fail" and alone.any():
            raise Lonely(int(np.argmax(alone)))
        factor = np.where(self.sampled > 1, self.sampled / np.maximum(self.sampled - 1, 1), 1.0)
        factor[(widest < CENSUS) | ~present] = 0.0
        if lonely == "average" and alone.any():
            strata = np.bincount(self.parent[present], minlength=int(self.parent.max()) + 1)
            known = np.bincount(self.parent[present & ~alone], minlength=len(strata))
            average = np.divide(strata, known, out=np.full(len(strata), np.nan), where=known > 0)
            factor = np.where(alone, 0.0, factor) * average[self.parent]
        return self.open_share * self.carried * factor[self.stratum], alone & (lonely == "adjust")

    def sums(self, values: Floats) -> Floats:
        """Values (n, k) summed over the rows of each unit: (U, k)."""
        return grouped(self.unit, values, len(self.stratum))

    def deviations(self, totals: Floats, at_zero: Mask) -> Floats:
        """Totals (U, k) less the mean of their stratum."""
        mean = grouped(self.stratum, totals, len(self.sampled)) / self.sampled[:, None]
        mean[at_zero] = 0.0
        return totals - mean[self.stratum]


@dataclass(frozen=True, slots=True)
class SurveyDesign:
    """Weights (n,) of the rows and the stages that drew them; `strata_names` of the first stage."""

    weights: Floats
    stages: tuple[Stage, ...]
    lonely: str = "fail"
    strata_names: tuple[str, ...] = ()

    def degf(self, inside: Mask | None = None) -> int:
        """First-stage units less strata, among the rows `inside` (n,) with a weight."""
        rows = self.weights != 0 if inside is None else inside & (self.weights != 0)
        units = np.unique(self.stages[0].unit[rows])
        return len(units) - len(np.unique(self.stages[0].stratum[units]))

    def variance(self, influence: Floats, inside: Mask | None = None) -> Floats:
        """The covariance (k, k) of k linearised statistics.

        Args:
            influence: (n, k) or (n,), weight included: of a total w·y, of a mean w·(y - mean)/sum w; zero outside the
                domain.
            inside: the domain's rows (n,): strata that it does not touch cannot be lonely.

        Raises:
            Refused: a stratum with one unit of several, and `lonely` is "fail".
        """
        values = np.asarray(influence, dtype=np.float64).reshape(len(self.weights), -1)
        return self.variance_of_sums(lambda stage: stage.sums(values), values.shape[1], inside)

    def variance_of_sums(self, sums: Callable[[Stage], Floats], k: int, inside: Mask | None = None) -> Floats:
        """The same from the sums of the influence by unit, (U, k) of each stage."""
        result = np.zeros((k, k))
        for stage in self.stages:
            coefficients, at_zero = self.coefficients(stage, _present(stage, inside))
            deviations = stage.deviations(sums(stage), at_zero)
            result += deviations.T @ (deviations * coefficients[:, None])
        return result

    def domain_variances(self, influence: Floats, domain: Ints, domains: int) -> Floats:
        """Variances (domains, k) of statistics of many domains that share no row, in one pass over the rows.

        Args:
            influence: (n, k), each row that of its own domain.
            domain: (n,) numbers from 0; -1 for none.
            domains: how many.

        Raises:
            Refused: as `variance`.
        """
        if any(((stage.sampled == 1) & (stage.widest() >= CENSUS)).any() for stage in self.stages):  # by the domain
            return np.vstack([self._one_domain(influence, domain == d) for d in range(domains)])
        result = np.zeros((domains, influence.shape[1]))
        for stage in self.stages:
            result += _pair_variances(self, stage, influence, domain, domains)
        return result

    def coefficients(self, stage: Stage, present: Mask) -> tuple[Floats, Mask]:
        """`Stage.coefficients` under this design's rule for lonely units.

        Raises:
            Refused: a stratum with one unit of several, and the rule is "fail".
        """
        try:
            return stage.coefficients(present, self.lonely)
        except Lonely as alone:
            raise self.refusal(stage, alone.stratum) from alone

    def refusal(self, stage: Stage, stratum: int) -> Refused:
        """That this stratum has a single drawn unit: by its name at the first stage, else by its number."""
        number = next(index for index, one in enumerate(self.stages) if one is stage)
        named = number == 0 and stratum < len(self.strata_names)
        name = self.strata_names[stratum] if named else str(stratum + 1)
        return Refused("estimate_lonely_unit", stage=number + 1, stratum=name)

    def _one_domain(self, influence: Floats, inside: Mask) -> Floats:
        return np.diag(self.variance(np.where(inside[:, None], influence, 0.0), inside)).copy()


def _present(stage: Stage, inside: Mask | None) -> Mask:
    if inside is None:
        return np.ones(len(stage.sampled), dtype=bool)
    found = np.zeros(len(stage.sampled), dtype=bool)
    found[stage.stratum[stage.unit[inside]]] = True
    return found


def _pair_variances(survey: SurveyDesign, stage: Stage, influence: Floats, domain: Ints, domains: int) -> Floats:
    """One stage's part (domains, k) from the sums over the (unit, domain) pairs that occur; the others are zero.

    sum c (t - m)² over all units of a stratum = sum c t² - 2 m sum c t + m² sum c, where pairs that do not occur
    add to the last sum alone. The influence is centred, so little is lost to cancellation.
    """
    inside = domain >= 0
    keys = stage.unit[inside] * domains + domain[inside]
    values = influence[inside]
    if len(stage.stratum) < len(stage.unit):  # else every row is a unit of its own, and every pair one row
        keys, pair = _distinct(keys, len(stage.stratum) * domains)
        values = grouped(pair, values, len(keys))
    unit, of = keys // domains, keys % domains
    everywhere = np.ones(len(stage.sampled), dtype=bool)
    coefficients, _ = survey.coefficients(stage, everywhere)
    cell = stage.stratum[unit] * domains + of
    shape = (len(stage.sampled), domains, influence.shape[1])
    first = grouped(cell, values, shape[0] * domains).reshape(shape)
    crossed = grouped(cell, coefficients[unit][:, None] * values, shape[0] * domains).reshape(shape)
    squared = grouped(of, coefficients[unit][:, None] * np.square(values), domains)
    mean = first / stage.sampled[:, None, None]
    whole = np.bincount(stage.stratum, weights=coefficients, minlength=shape[0])
    result = squared - 2.0 * (mean * crossed).sum(axis=0) + (np.square(mean) * whole[:, None, None]).sum(axis=0)
    variances: Floats = np.maximum(result, 0.0)
    return variances


def _distinct(keys: Ints, bound: int) -> tuple[Ints, Ints]:
    """The keys (0 to below `bound`) that occur, ascending, and each row's place among them; counted if short."""
    if bound > _ROOM * len(keys):
        found, places = np.unique(keys, return_inverse=True)
        return found, places
    seen = np.zeros(bound, dtype=bool)
    seen[keys] = True
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[keys]


def grouped(group: Ints, values: Floats, groups: int) -> Floats:
    """Sums (groups, k) of values (n, k) over the rows of each group."""
    if groups == len(values) and (np.diff(group) == 1).all():
        return values
    columns = [np.bincount(group, weights=column, minlength=groups) for column in values.T]
    return np.column_stack(columns) if columns else np.zeros((groups, 0))
