"""Ranks as intervals: where a unit may really stand among those it is ranked with. A bare rank is never shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api.store.results import Composite
from survey_forms.estimation.ranks import RankInterval, rank_intervals
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.rank import groups_of

UNKNOWN_VARIANCE = 1e12
"""Of a score whose error cannot be known: it is then clearly above or below nobody."""


def places_of(scheme: Scheme, composite: Composite) -> dict[str, tuple[RankInterval, int]]:
    """Unit code → its rank interval (95 %, marginal) and among how many: those of its class's group, else all.

    Scores count as independent, which errs on the safe side (see `rank_intervals`). Empty while there is no output.
    """
    rows: Sequence[Mapping[str, Any]] = composite.output["units"] if composite.output else ()
    found: dict[str, tuple[RankInterval, int]] = {}
    for members in groups_of(scheme, [row.get("class", "") for row in rows]).values():
        listed = [rows[place] for place in members]
        variances = np.array([_variance(composite.errors.get(row["id"])) for row in listed])
        ranks = rank_intervals([float(row["composite"]) for row in listed], variances)
        found |= {row["id"]: (rank, len(listed)) for row, rank in zip(listed, ranks, strict=True)}
    return found


def _variance(error: Mapping[str, Any] | None) -> float:
    """Of a composite: 0 where nothing in it was surveyed, and huge where its error is not known."""
    if error is None:
        return 0.0
    return UNKNOWN_VARIANCE if error["se"] is None else float(error["se"]) ** 2
