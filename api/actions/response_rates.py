"""AAPOR's rates by group and stratum, counted and weighted by base weights, and what the weights cost each group."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.actions.weighting import read_outcomes
from api.store import surveys, weightings
from survey_forms.estimation.outcomes import RESPONDED, Rates, rates, sums
from survey_forms.estimation.trimming import Spread, spread


@dataclass(frozen=True, slots=True)
class CellCounts:
    """A weighting cell: cases by AAPOR class, their base weight, and its respondents' final weight once weighed."""

    stratum: str
    counts: Mapping[str, int]
    base: float
    final: float | None


@dataclass(frozen=True, slots=True)
class RateLine:
    """A group, or one stratum of it. `weighted` counts each case by its base weight; `spread` once it is weighed.

    The rates are None where nobody was asked.
    """

    survey_id: int
    group: str
    group_zh: str
    group_en: str
    stratum: str | None
    stratum_zh: str
    stratum_en: str
    cases: int
    n: int
    counts: Mapping[str, int]
    rates: Rates
    weighted: Rates
    spread: Spread | None


def read_rates(connection: Connection, survey_id: int) -> list[RateLine]:
    """A survey's rates: each group, then its strata where it has several.

    Those of its newest weighting, which estimates are read with; before there is one, of the outcomes as they stand.
    """
    newest = weightings.latest_weighting(connection, survey_id)
    if newest is None:
        outcomes = read_outcomes(connection, survey_id)
        cells = [CellCounts(one.stratum, one.counts, one.base, None) for one in outcomes.cells]
    else:
        stored = weightings.weights_of(connection, newest.id)
        cells = [CellCounts(one.stratum, one.outcomes, one.base, one.final) for one in stored]
    by_stratum: defaultdict[str, list[CellCounts]] = defaultdict(list)
    for cell in cells:
        by_stratum[cell.stratum].append(cell)
    strata = surveys.strata_of(connection, survey_id)
    found = []
    for group in surveys.groups_of(connection, survey_id):
        about = (survey_id, group.code, group.name_zh, group.name_en)
        own = [one for one in strata if one.group == group.code]
        of_group = [cell for one in own for cell in by_stratum[one.code]]
        found.append(RateLine(*about, None, "", "", **_told(of_group)))
        if len(own) > 1:
            found += [
                RateLine(*about, one.code, one.name_zh, one.name_en, **_told(by_stratum[one.code])) for one in own
            ]
    return found


def _told(cells: Iterable[CellCounts]) -> dict[str, Any]:
    listed = list(cells)
    counts: Counter[str] = Counter()
    for cell in listed:
        counts.update(cell.counts)
    weighted = sums((cls, cell.base * number) for cell in listed for cls, number in cell.counts.items())
    answered = [sum(cell.counts.get(cls, 0) for cls in RESPONDED) for cell in listed]
    final = np.array([cell.final or 0.0 for cell in listed])
    return {
        "cases": counts.total(),
        "n": sum(answered),
        "counts": dict(counts),
        "rates": rates(counts),
        "weighted": rates(weighted),
        "spread": spread(final, np.array(answered, dtype=np.int64)) if listed else None,
    }
