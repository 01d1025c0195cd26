"""The sampling error of composites: from the error of each group's score to the error of the published figure.

A composite is linear in the scores that come from a survey, whatever the scheme: its coefficients are found by
scoring copies of the document in which one such score has been moved by a known step, with the scheme's own
arithmetic. SE² = Σ coefficient² · SE², for the groups are drawn independently (statistics.md, section 6).
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from survey_forms.estimation.intervals import grade_probabilities
from survey_forms.estimation.scores import Estimate, Reading, composite_interval, error_to_compare, weighted_score
from survey_forms.numbers import EXACT, ZERO, plain
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.compute import score_by
from survey_forms.scoring.grade import bands_of
from survey_forms.scoring.supplied import Supplied

STEP = Decimal(1)
"""How far a score is moved, in points of the scheme's scale. Any step gives the same coefficient."""

Surveyed = Mapping[str, Mapping[str, Estimate]]
"""Unit id → component path → the estimate that was handed in as its score, on the scheme's scale."""


@dataclass(frozen=True, slots=True)
class CompositeError:
    """A composite with its sampling error; `grades` holds each grade's probability, best grade first.

    `compared`: the error with which it is compared with cuts and other units (`error_to_compare` of its parts).
    """

    estimate: Estimate
    compared: float | None
    coefficients: Mapping[str, Decimal]
    grades: Mapping[str, float]


def composite_errors(
    scheme: Scheme, document: Mapping[str, Any], output: Mapping[str, Any], surveyed: Surveyed
) -> dict[str, CompositeError]:
    """The sampling error of every unit's composite.

    Args:
        scheme: the scheme that `output` was computed by.
        document: the input of the exchange format; every score of `surveyed` stands in it.
        output: what `score` made of it.
        surveyed: the scores that come from a survey. The others are counts and carry no sampling error.
    """
    with localcontext(EXACT):
        coefficients = _coefficients(scheme, document, output, surveyed)
    cuts = _cuts(scheme, document)
    scale = float(scheme.composite.scale) if scheme.composite else 0.0
    found = {}
    for unit in output["units"]:
        estimates = surveyed.get(unit["id"], {})
        if estimates:
            total = float(_total(unit))
            estimate = _with_error(total, estimates, coefficients[unit["id"]], scale)
            compared = _compared(estimates, coefficients[unit["id"]])
            grades = _grades(estimate.value, compared, cuts)
            found[unit["id"]] = CompositeError(estimate, compared, coefficients[unit["id"]], grades)
    return found


def _coefficients(
    scheme: Scheme, document: Mapping[str, Any], output: Mapping[str, Any], surveyed: Surveyed
) -> dict[str, dict[str, Decimal]]:
    """Unit → path → what one point more of that score adds to the unit's unrounded composite."""
    before = {unit["id"]: _total(unit) for unit in output["units"]}
    found: dict[str, dict[str, Decimal]] = {unit: {} for unit in before}
    for path in sorted({path for estimates in surveyed.values() for path in estimates}):
        moved = deepcopy(dict(document))
        steps = {}
        for unit in moved["units"]:
            if path in surveyed.get(unit["id"], {}):
                steps[unit["id"]] = _move(unit["scores"], path, scheme)
        for unit in score_by(scheme, moved)["units"]:
            if unit["id"] in steps:
                found[unit["id"]][path] = (_total(unit) - before[unit["id"]]) / steps[unit["id"]]
    return found


def _move(scores: dict[str, Any], path: str, scheme: Scheme) -> Decimal:
    """Move one score by a step, away from the end of the scale that it is near; the step with its sign."""
    *above, key = path.split(".")
    for name in above:
        scores = scores[name]
    value = Decimal(scores[key])
    highest = scheme.composite.scale if scheme.composite else ZERO
    step = STEP if value + STEP <= highest else -STEP
    scores[key] = plain(value + step)
    return step


def _total(unit: Mapping[str, Any]) -> Decimal:
    """The unrounded composite: the sum of its parts."""
    return sum((Decimal(part) for part in unit["parts"].values()), ZERO)


def _with_error(
    total: float, estimates: Mapping[str, Estimate], coefficients: Mapping[str, Decimal], scale: float
) -> Estimate:
    """The composite as review · 1 + rest, where the review is the part that was surveyed."""
    weighing = {path: share for path, share in coefficients.items() if share}
    if not weighing:  # a violated condition sets all of it to zero: nothing surveyed is left in the figure
        n = sum(estimate.n for estimate in estimates.values())
        return Estimate(total, 0.0, None, n, total, total)
    review = weighted_score(estimates, weighing, Reading(0.0, scale))
    return composite_interval(review, 1.0, total - (review.value or 0.0))


def _compared(estimates: Mapping[str, Estimate], coefficients: Mapping[str, Decimal]) -> float | None:
    """The error to compare with: the SE, and of parts whose answers were all equal what their bound tells."""
    total = 0.0
    for path, share in coefficients.items():
        error = error_to_compare(estimates[path])
        if share and error is None:
            return None
        total += (float(share) * (error or 0.0)) ** 2
    return float(total**0.5)


def _cuts(scheme: Scheme, document: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Grades by score, best first, with the lowest score of each; empty where grades go by rank."""
    supplied = document.get("supplied", {}).get("grades")
    given = tuple((name, Decimal(lowest)) for name, lowest in supplied) if supplied else None
    return [(name, float(lowest or 0)) for name, lowest in bands_of(scheme, Supplied(bands=given)) or ()]


def _grades(value: float | None, error: float | None, cuts: list[tuple[str, float]]) -> dict[str, float]:
    if not cuts or value is None or error is None:
        return {}
    names = [name for name, _ in cuts]
    lowest = [cut for _, cut in cuts[:-1]]
    return dict(zip(names, grade_probabilities(value, error, lowest), strict=True))
