"""The weights that a survey's estimates are read with: those of its newest weighting, while they fit its answers."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from api.store import surveys, tallies, weightings
from api.store.weightings import StoredWeight
from survey_forms.estimation.crowded import shares_of
from survey_forms.estimation.outcomes import RESPONDED
from survey_forms.estimation.tables import CellName, RakedCell


@dataclass(frozen=True, slots=True)
class WeightsInUse:
    """(stratum, weighting cell) → a respondent's weight, None for N/n of the stratum.

    `raked`: group → its cells with a respondent, where it was raked to margins. `outdated`: there is a weighting, but
    other answers are counted now than it was made for; it is then not used, for its weights would add up to nobody's
    number.
    """

    weights: Mapping[CellName, float] | None = None
    raked: Mapping[str, Mapping[CellName, RakedCell]] = field(default_factory=dict)
    outdated: bool = False


def weights_in_use(connection: Connection, survey_id: int) -> WeightsInUse:
    """The weights to read a survey's answers with, as they stand now (the caller holds the cells).

    A cell has as many answers as it had respondents, or fewer by sealed boxes that were known to hold no answer when
    it was weighed; those who are left then carry the others' weight.
    """
    newest = weightings.latest_weighting(connection, survey_id)
    if newest is None:
        return WeightsInUse()
    cells = {(one.stratum, one.wcell): one for one in weightings.weights_of(connection, newest.id)}
    answered = {cell: n for cell, n in tallies.respondents_of(connection, survey_id).items() if n}
    persons = {cell: _respondents(one) for cell, one in cells.items()}
    if answered and not _fits(answered, persons, newest.report["spoiled"]):
        return WeightsInUse(outdated=True)
    weights = {
        cell: one.final * (persons[cell] / answered[cell] if cell in answered else 1.0) for cell, one in cells.items()
    }
    return WeightsInUse(weights, _raked_groups(connection, survey_id, newest.report, cells, answered))


def _respondents(one: StoredWeight) -> int:
    return sum(one.outcomes.get(cls, 0) for cls in RESPONDED)


def _fits(answered: Mapping[CellName, int], persons: Mapping[CellName, int], spoiled: Mapping[str, int]) -> bool:
    """Whether answers are those of the respondents, but for the boxes of a stratum that were spoiled."""
    missing: Counter[str] = Counter()
    for cell in {*answered, *persons}:
        lost = persons.get(cell, 0) - answered.get(cell, 0)
        if lost < 0:
            return False
        missing[cell[0]] += lost
    return all(n <= spoiled.get(stratum, 0) for stratum, n in missing.items())


def _raked_groups(
    connection: Connection,
    survey_id: int,
    report: Mapping[str, Any],
    cells: Mapping[CellName, StoredWeight],
    answered: Mapping[CellName, int],
) -> dict[str, dict[CellName, RakedCell]]:
    group_of = {one.code: one.group for one in surveys.strata_of(connection, survey_id)}
    crowds: defaultdict[str, dict[CellName, Mapping[str, int]]] = defaultdict(dict)
    for stratum, crowd in sorted(answered):
        crowds[group_of[stratum]][stratum, crowd] = report["crowds"][stratum][crowd]
    found = {}
    for group, about in report["groups"].items():
        if about["raked_to"] and crowds[group]:
            shares = shares_of(about["raked_to"], crowds[group]).tolist()
            found[group] = {
                cell: RakedCell(cells[cell].nonresponse, answered[cell], tuple(traits))
                for cell, traits in zip(crowds[group], shares, strict=True)
            }
    return found
