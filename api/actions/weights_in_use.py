"""The weights that a survey's estimates are read with: those of its newest weighting, while they fit its answers."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection

from api.store import surveys, tallies, weightings
from api.store.weightings import StoredWeight
from survey_forms.estimation.calibrate import Margin, indicators
from survey_forms.estimation.tables import CellName, RakedCell
from survey_forms.estimation.weighting import STRATUM
from survey_forms.sampling.traits import traits_of


@dataclass(frozen=True, slots=True)
class WeightsInUse:
    """(stratum, weighting cell) → a respondent's weight, None for N/n of the stratum.

    `raked`: group → its cells with a respondent, where it was raked to margins. `outdated`: there is a weighting, but
    it gives no weight to some cell that has answers now; it is then not used, for no answer may be left out.
    """

    weights: Mapping[CellName, float] | None = None
    raked: Mapping[str, Mapping[CellName, RakedCell]] = field(default_factory=dict)
    outdated: bool = False


def weights_in_use(connection: Connection, survey_id: int) -> WeightsInUse:
    """The weights to read a survey's answers with, as they stand now (the caller holds the cells)."""
    newest = weightings.latest_weighting(connection, survey_id)
    if newest is None:
        return WeightsInUse()
    cells = {(one.stratum, one.wcell): one for one in weightings.weights_of(connection, newest.id)}
    answered = {cell: n for cell, n in tallies.respondents_of(connection, survey_id).items() if n}
    if any(cell not in cells for cell in answered):
        return WeightsInUse(outdated=True)
    group_of = {one.code: one.group for one in surveys.strata_of(connection, survey_id)}
    by_group: defaultdict[str, dict[CellName, tuple[StoredWeight, int]]] = defaultdict(dict)
    for cell, n in sorted(answered.items()):
        by_group[group_of[cell[0]]][cell] = (cells[cell], n)
    raked = {
        group: _raked(by_group[group], about["raked_to"])
        for group, about in newest.report["groups"].items()
        if about["raked_to"] and by_group[group]
    }
    return WeightsInUse({cell: one.final for cell, one in cells.items()}, raked)


def _raked(cells: Mapping[CellName, tuple[StoredWeight, int]], margins: list[str]) -> dict[CellName, RakedCell]:
    listed = []
    for name in margins:
        levels = [stratum if name == STRATUM else traits_of(wcell)[name] for stratum, wcell in cells]
        known, codes = np.unique(levels, return_inverse=True)
        listed.append(Margin(name, codes.astype(np.int64), tuple(known), np.zeros(len(known))))
    traits = indicators(listed)
    return {
        cell: RakedCell(one.nonresponse, n, tuple(traits[place].tolist()))
        for place, (cell, (one, n)) in enumerate(cells.items())
    }
