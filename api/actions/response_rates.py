"""AAPOR's rates by group and stratum, counted and weighted by base weights, and what the weights cost each group."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.actions.weighting_inputs import read_outcomes
from api.actions.weights_in_use import weights_in_use
from api.store import surveys, weightings
from survey_forms.estimation.outcomes import CLASSES, RESPONDED, Rates, rates
from survey_forms.estimation.trimming import Spread, spread


@dataclass(frozen=True, slots=True)
class CellCounts:
    """A weighting cell: cases by AAPOR class, and its respondents' final weight once weighed."""

    stratum: str
    counts: Mapping[str, int]
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

    Those of its newest weighting while estimates are read with it; before there is one, and once it is out of date, of
    the outcomes as they stand.
    """
    newest = weightings.latest_weighting(connection, survey_id)
    if newest is None or weights_in_use(connection, survey_id).outdated:
        outcomes = read_outcomes(connection, survey_id)
        cells = [CellCounts(one.stratum, one.counts, None) for one in outcomes.cells]
        weighted: Mapping[str, Mapping[str, float]] = outcomes.weighted()
    else:
        stored = weightings.weights_of(connection, newest.id)
        cells = [CellCounts(one.stratum, one.outcomes, one.final) for one in stored]
        weighted = newest.report["weighted"]
    by_stratum: defaultdict[str, list[CellCounts]] = defaultdict(list)
    for cell in cells:
        by_stratum[cell.stratum].append(cell)
    strata = surveys.strata_of(connection, survey_id)
    found = []
    for group in surveys.groups_of(connection, survey_id):
        about = (survey_id, group.code, group.name_zh, group.name_en)
        own = [one for one in strata if one.group == group.code]
        of_group = [cell for one in own for cell in by_stratum[one.code]]
        sums = {cls: fsum(weighted.get(one.code, {}).get(cls, 0.0) for one in own) for cls in CLASSES}
        found.append(RateLine(*about, None, "", "", **_told(of_group, sums)))
        if len(own) > 1:
            found += [
                RateLine(
                    *about,
                    one.code,
                    one.name_zh,
                    one.name_en,
                    **_told(by_stratum[one.code], weighted.get(one.code, {})),
                )
                for one in own
            ]
    return found


def _told(cells: Iterable[CellCounts], weighted: Mapping[str, float]) -> dict[str, Any]:
    listed = list(cells)
    counts: Counter[str] = Counter()
    for cell in listed:
        counts.update(cell.counts)
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
