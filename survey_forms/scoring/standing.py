"""Where units stand, as surely as it may be told: rank sets, and for grades that go by rank the share of each grade.

Scores of units go together, for the same persons gave them: Cov(S_d, S_e) = sum over the surveyed components of
c_d c_e V_de, with the coefficients of `uncertainty.py` (statistics.md, section 6). Overlapping intervals are no test;
a rank set is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survey_forms.estimation.ranks import RankInterval, rank_sets
from survey_forms.estimation.stability import place_shares
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.grade import grades_by_share
from survey_forms.scoring.rank import groups_of
from survey_forms.scoring.uncertainty import CompositeError

Floats = NDArray[np.float64]
LEVEL = 0.95
DRAWS = 10_000
UNKNOWN_VARIANCE = 1e12
"""Of a score whose error cannot be known: it is then clearly above or below nobody."""

Together = Mapping[str, tuple[Sequence[str], Floats]]
"""Component path → units, and the covariance of their scores on the scheme's scale."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A unit among the `ranked` units that it is ranked with.

    `place`: where it may stand, by itself (95 %, marginal). `jointly`: where all of them may stand at once.
    `shares`: of draws in which it takes each grade, best grade first, where grades go by rank; a stability share.
    """

    place: RankInterval
    jointly: RankInterval
    ranked: int
    shares: Mapping[str, float] = field(default_factory=dict)


def standings(
    scheme: Scheme,
    document: Mapping[str, Any],
    output: Mapping[str, Any],
    covariance: Floats,
    seed: int,
) -> dict[str, Standing]:
    """Every unit's standing within its ranking group.

    Args:
        scheme: that `output` was computed by.
        document: the input of the exchange format.
        output: what `score` made of it.
        covariance: of the composites, in the order of `output` (`composite_covariance`).
        seed: of the draws: equal seeds give equal standings.
    """
    rows: Sequence[Mapping[str, Any]] = output["units"]
    found: dict[str, Standing] = {}
    for members in groups_of(scheme, [row.get("class", "") for row in rows]).values():
        ids = [rows[one]["id"] for one in members]
        values = [float(rows[one]["composite"]) for one in members]
        within = covariance[np.ix_(members, members)]
        alone, jointly = (
            rank_sets(values, within, LEVEL, simultaneous=both, draws=DRAWS, seed=seed) for both in (False, True)
        )
        shares = _grade_shares(scheme, document, values, within, seed)
        for place, unit in enumerate(ids):
            found[unit] = Standing(alone[place], jointly[place], len(ids), shares[place])
    return found


def composite_covariance(units: Sequence[str], errors: Mapping[str, CompositeError], together: Together) -> Floats:
    """The covariance of the units' composites (m, m); on the diagonal is the square of the error to compare with.

    That is SE² but where all answers of a part were equal, and 0 where nothing was surveyed.

    Args:
        units: in the order of the matrix.
        errors: units with something surveyed in their composite; the others carry no sampling error.
        together: components whose covariance is known; units count as independent in the others.
    """
    matrix = np.zeros((len(units), len(units)))
    for path, (known, covariance) in sorted(together.items()):
        place = {unit: at for at, unit in enumerate(known)}
        rows = [at for at, unit in enumerate(units) if unit in place]
        at = [place[units[row]] for row in rows]
        slope = np.array([_coefficient(errors, units[row], path) for row in rows])
        matrix[np.ix_(rows, rows)] += np.nan_to_num(covariance[np.ix_(at, at)]) * np.outer(slope, slope)
    for row, unit in enumerate(units):
        error = errors[unit].compared if unit in errors else 0.0
        if error is None:
            matrix[row, :], matrix[:, row] = 0.0, 0.0
        matrix[row, row] = UNKNOWN_VARIANCE if error is None else error * error
    return matrix


def _coefficient(errors: Mapping[str, CompositeError], unit: str, path: str) -> float:
    return float(errors[unit].coefficients.get(path, 0)) if unit in errors else 0.0


def _grade_shares(
    scheme: Scheme, document: Mapping[str, Any], values: Sequence[float], covariance: Floats, seed: int
) -> list[dict[str, float]]:
    """Unit → grade → share of draws; empty where grades do not go by rank, or the shares are not known."""
    left_out = scheme.left_out_of("grade_shares")
    supplied = document.get("supplied", {}).get(left_out.path) if left_out else None
    shares = {name: Decimal(share) for name, share in supplied.items()} if supplied else None
    if not left_out and all(grade.share is None for grade in scheme.grades):
        return [{} for _ in values]
    by_place = grades_by_share(scheme, shares, list(range(1, len(values) + 1)))
    if None in by_place:
        return [{} for _ in values]
    chances = place_shares(values, covariance, DRAWS, seed)
    columns = {
        grade.name: [place for place, one in enumerate(by_place) if one == grade.name] for grade in scheme.grades
    }
    return [{name: float(row[places].sum()) for name, places in columns.items()} for row in chances]
