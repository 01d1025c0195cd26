"""Cells as arrays: weighting cells by domains, with the design that they are read by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from survey_forms.estimation.calibrated import Raking
from survey_forms.estimation.cells import Cell
from survey_forms.estimation.linearised import Counts, Design

CellName = tuple[str, str]
"""stratum, weighting cell"""

Domain = tuple[str, str]
"""unit, item"""


@dataclass(frozen=True, slots=True)
class RakedCell:
    """A cell of a raked group: a person's weight before raking, its responding persons, the margins that it is in."""

    before: float
    persons: int
    traits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows are (stratum, wcell), columns (unit, item), both sorted. `raking` where the group was raked."""

    rows: list[CellName]
    domains: list[Domain]
    counts: Counts
    design: Design
    raking: Raking | None


def tabulated(
    cells: Sequence[Cell],
    sizes: Mapping[str, tuple[int, int]],
    weights: Mapping[CellName, float] | None,
    raked: Mapping[CellName, RakedCell] | None,
) -> Table:
    """Cells as a table; equal cells add up.

    Args:
        cells: answers of the respondents of these strata.
        sizes: stratum → persons N, responding persons n; in order.
        weights: of a person of a cell; N/n of the stratum without any.
        raked: every cell with a respondent, also those whose persons rated nothing; None where nothing was raked.

    Raises:
        ValueError: a cell of a stratum without a size, or more ratings of a unit than responding persons.
    """
    names = list(sizes)
    place = {stratum: index for index, stratum in enumerate(names)}
    row_keys = [(cell.stratum, cell.wcell) for cell in cells]
    domain_keys = [(cell.unit, cell.item) for cell in cells]
    known = {cell for cell in raked or () if cell[0] in place}
    rows, domains = sorted(known | set(row_keys)), sorted(set(domain_keys))
    if strangers := {stratum for stratum, _ in rows} - place.keys():
        raise ValueError(f"cells of strata that the frame lacks: {sorted(strangers)}")
    row_of = {row: index for index, row in enumerate(rows)}
    column_of = {domain: index for index, domain in enumerate(domains)}
    at = ([row_of[key] for key in row_keys], [column_of[key] for key in domain_keys])
    table = np.zeros((3, len(rows), len(domains)), dtype=np.int64)
    np.add.at(table[0], at, [cell.n for cell in cells])
    np.add.at(table[1], at, [cell.s1 for cell in cells])
    np.add.at(table[2], at, [cell.s2 for cell in cells])
    stratum = np.array([place[name] for name, _ in rows], dtype=np.int64)
    responded = np.array([n for _, n in sizes.values()], dtype=np.int64)
    rated = np.zeros((len(names), len(domains)), dtype=np.int64)
    np.add.at(rated, stratum, table[0])
    if (rated > responded[:, None]).any():
        crowded = names[int(np.argmax((rated > responded[:, None]).any(axis=1)))]
        raise ValueError(f"stratum {crowded} has more ratings of a unit than responding persons")
    weight = [_plain(sizes[name]) if weights is None else weights[name, wcell] for name, wcell in rows]
    population = np.array([persons for persons, _ in sizes.values()], dtype=np.int64)
    design = Design(stratum, np.array(weight, dtype=np.float64), population, responded)
    return Table(rows, domains, Counts(*table), design, _raking(rows, raked))


def _plain(size: tuple[int, int]) -> float:
    return size[0] / size[1]


def _raking(rows: Sequence[CellName], raked: Mapping[CellName, RakedCell] | None) -> Raking | None:
    if raked is None or not rows:
        return None
    listed = [raked[row] for row in rows]
    return Raking(
        np.array([one.before for one in listed]),
        np.array([one.persons for one in listed], dtype=np.int64),
        np.array([one.traits for one in listed], dtype=np.float64),
    )
