"""Build a `SurveyDesign` from columns: strata, units, population sizes, weights, as `svydesign` reads them.

Unit ids are read inside their stratum unless that is ruled out (`nest=False`), as SAS and Stata do: a PSU "1" of
stratum A and a PSU "1" of stratum B are two. Where ids are unique anyway the result is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.design import Floats, Ints, Mask, Stage, SurveyDesign
from survey_forms.refusal import Refused


@dataclass(frozen=True, slots=True)
class Columns:
    """What a design is made of, each array (n,); codes are whole numbers from 0.

    `ids`: units of each stage, none = every row a unit; `strata`: of the stages, none = no strata; `sizes`: N of the
    stratum or f of the unit a stage, none = drawn with replacement; `weights`: None = the inverse of the fractions.
    """

    rows: int
    ids: Sequence[Ints] = ()
    strata: Sequence[Ints] = ()
    sizes: Sequence[Floats] = ()
    weights: Floats | None = None
    nest: bool | None = None


def build(columns: Columns, lonely: str = "fail", strata_names: tuple[str, ...] = ()) -> SurveyDesign:
    """The design of these columns.

    Raises:
        Refused: as many sizes as stages are needed; sizes neither all fractions nor all counts; more units drawn than
            there are; with `nest=False` a unit in two strata; a weight that is negative or no number.
    """
    ids = list(columns.ids) or [np.arange(columns.rows, dtype=np.int64)]
    sizes = list(columns.sizes)
    if sizes and len(sizes) != len(ids):
        raise Refused("estimate_sizes_per_stage", sizes=len(sizes), stages=len(ids))
    fractions = _are_fractions(sizes)
    stages: list[Stage] = []
    expansion = np.ones(columns.rows)
    within = np.zeros(columns.rows, dtype=np.int64)
    carried = np.ones(1)
    for number, identity in enumerate(ids if sizes else ids[:1]):
        named = columns.strata[min(number, len(columns.strata) - 1)] if columns.strata else within * 0
        strata, stratum_rows, stratum_of_row = _distinct(within, named)
        if number == 0 and columns.nest is False:
            _refuse_crossing(identity, stratum_of_row)
        _, unit_rows, unit = _distinct(stratum_of_row, identity)
        stratum = stratum_of_row[unit_rows]
        sampled = np.bincount(stratum, minlength=strata)
        share = (
            _shares(sizes[number], unit_rows, sampled[stratum], fractions=fractions)
            if sizes
            else np.zeros(len(stratum))
        )
        parent = within[stratum_rows]
        stages.append(Stage(unit, stratum, sampled, 1.0 - share, carried[parent][stratum], parent))
        carried = carried[parent][stratum] * share
        with np.errstate(divide="ignore"):
            expansion = expansion / share[unit]
        within = unit
    weights = expansion if sizes else np.ones(columns.rows)
    weights = weights if columns.weights is None else columns.weights
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise Refused("estimate_weight_wrong", row=int(np.argmin(np.isfinite(weights) & (weights >= 0))) + 1)
    return SurveyDesign(weights, tuple(stages), lonely, strata_names)


def _distinct(outer: Ints, inner: Ints) -> tuple[int, Ints, Ints]:
    """The pairs that occur: how many, the first row of each, and the pair of every row."""
    if not len(outer):
        return 0, outer, outer
    keys = outer * (int(inner.max()) + 1) + inner
    distinct, first, of = np.unique(keys, return_index=True, return_inverse=True)
    return len(distinct), first, of


def _are_fractions(sizes: Sequence[Floats]) -> bool:
    """Whether sizes are sampling fractions (all at most 1) and not counts (all at least 1)."""
    if not sizes:
        return False
    least, most = min(float(size.min()) for size in sizes), max(float(size.max()) for size in sizes)
    if least <= 0 or (least < 1 < most):
        raise Refused("estimate_sizes_mixed", least=f"{least:.6g}", most=f"{most:.6g}")
    return most <= 1


def _shares(size: Floats, unit_rows: Ints, sampled: Ints, *, fractions: bool) -> Floats:
    """F of each unit (U,)."""
    given = size[unit_rows]
    share: Floats = given if fractions else sampled / given
    if (share > 1).any():
        unit = int(np.argmax(share > 1))
        raise Refused("estimate_sample_over_population", row=int(unit_rows[unit]) + 1, n=int(sampled[unit]))
    return share


def _refuse_crossing(identity: Ints, stratum: Ints) -> None:
    pairs, _, _ = _distinct(stratum, identity)
    if pairs > len(np.unique(identity)):
        crossing: Mask = np.zeros(len(identity), dtype=bool)
        seen: dict[int, int] = {}
        for row, (unit, here) in enumerate(zip(identity.tolist(), stratum.tolist(), strict=True)):
            crossing[row] = seen.setdefault(unit, here) != here
        raise Refused("estimate_unit_in_two_strata", row=int(np.argmax(crossing)) + 1)
