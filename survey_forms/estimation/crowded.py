"""Weights of crowds: the cells that a sealed survey's answers tell of, each several weighting cells by their sizes.

People are weighed by their true cells, which the roll knows; an answer tells its crowd only (`ballot/crowds.py`). A
crowd's weight is the mean of its respondents' weights. That alone would give men who share a crowd with women the
weight of both: where men answer less, the sum of the weights of men falls short. So the weights of a group's crowds are
calibrated (Deville & Särndal 1992, exponential distance, factors from 1/5 to 5) to what the true cells' weights give
each level of its margins, a crowd standing in a level by the share of its respondents who do. No answer is needed.

Where crowds are too mixed for that, they go as far towards it as they can, in tenths of the way, and say how far.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from survey_forms.estimation.calibrate import Distance, Margin, calibrate, indicators
from survey_forms.estimation.design import Floats
from survey_forms.estimation.weighting import STRATUM, CellKey, CellWeight, GroupReport, Weighting
from survey_forms.refusal import Refused
from survey_forms.sampling.traits import traits_of

STEPS = ("base", "eligibility", "nonresponse", "raked", "final")
LARGEST = 5.0  # factor of a crowd's weight, and of its inverse
TENTHS = 10
ROUNDS = 50  # Newton's; it needs about ten where weights exist

Composition = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Stratum → crowd → true weighting cell → its respondents."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """Crowds with their weights; who is in them; of each group, how far (0 to 1) they met their levels' weights."""

    cells: tuple[CellWeight, ...]
    composition: Composition
    reached: Mapping[str, float]


def crowded(weighting: Weighting, crowd_of: Mapping[CellKey, str], group_of: Mapping[str, str]) -> Crowded:
    """The weights of crowds.

    Every step is the mean over a crowd's respondents; only the final weight is calibrated. A crowd of one cell keeps
    its weights, and so does a group without other ones.

    Args:
        weighting: of the true cells.
        crowd_of: every cell → the crowd of its stratum that its answers are counted under.
        group_of: stratum → its group.
    """
    inside: defaultdict[CellKey, list[CellWeight]] = defaultdict(list)
    for cell in sorted(weighting.cells, key=lambda one: (one.stratum, one.wcell)):
        inside[cell.stratum, crowd_of[cell.stratum, cell.wcell]].append(cell)
    means = {key: _mean(key, inside[key], crowd_of) for key in sorted(inside)}
    reached = {}
    for name, report in weighting.groups.items():
        own = [key for key in means if group_of[key[0]] == name and means[key].respondents]
        factors, reached[name] = _calibrated([inside[key] for key in own], [means[key] for key in own], report)
        for key, factor in zip(own, factors, strict=True):
            means[key] = replace(means[key], final=means[key].final * factor)
    composition: defaultdict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for (stratum, crowd), cells in inside.items():
        composition[stratum][crowd] = {cell.wcell: cell.respondents for cell in cells if cell.respondents}
    return Crowded(tuple(means.values()), dict(composition), reached)


def shares_of(names: Sequence[str], crowds: Mapping[CellKey, Mapping[str, int]]) -> Floats:
    """What crowds are in: 1, then their respondents' shares of each level but the first of each margin, (C, p).

    Args:
        names: margins: traits, or `STRATUM`.
        crowds: (stratum, crowd) → true cell → respondents, at least one.
    """
    members = [
        (place, stratum, cell, n)
        for place, ((stratum, _), cells) in enumerate(crowds.items())
        for cell, n in cells.items()
    ]
    traits = _indicators(names, [(stratum, cell) for _, stratum, cell, _ in members])
    found = np.zeros((len(crowds), traits.shape[1]))
    persons = np.zeros(len(crowds))
    for row, (place, _, _, n) in enumerate(members):
        found[place] += n * traits[row]
        persons[place] += n
    shares: Floats = found / persons[:, None]
    return shares


def _indicators(names: Sequence[str], cells: Sequence[CellKey]) -> Floats:
    margins = []
    for name in names:
        levels = [stratum if name == STRATUM else traits_of(wcell)[name] for stratum, wcell in cells]
        known, codes = np.unique(levels, return_inverse=True)
        margins.append(Margin(name, codes.astype(np.int64), tuple(known), np.zeros(len(known))))
    return indicators(margins)


def _mean(key: CellKey, cells: Sequence[CellWeight], crowd_of: Mapping[CellKey, str]) -> CellWeight:
    """A crowd's steps: the mean over its respondents; of its cells alike where nobody answered."""
    told = [cell for cell in cells if cell.respondents] or list(cells)
    if len(told) == 1:
        steps = {step: float(getattr(told[0], step)) for step in STEPS}
    else:
        persons = np.array([float(max(cell.respondents, 1)) for cell in told])
        steps = {
            step: float(persons @ np.array([getattr(cell, step) for cell in told]) / persons.sum()) for step in STEPS
        }
    counts: Counter[str] = Counter()
    for cell in cells:
        counts.update(cell.counts)
    respondents = sum(cell.respondents for cell in cells)
    cut = any(cell.trimmed for cell in told)
    stratum, crowd = key
    host = _host(key, told, crowd_of)
    return CellWeight(stratum, crowd, dict(sorted(counts.items())), respondents, host, **steps, trimmed=cut)


def _host(key: CellKey, told: Sequence[CellWeight], crowd_of: Mapping[CellKey, str]) -> str | None:
    """The crowd that all of a crowd were adjusted with for nonresponse, if that is one and another."""
    hosts = set()
    for cell in told:
        named = cell.merged_into or cell.wcell
        hosts.add(crowd_of.get((key[0], named), named))
    return hosts.pop() if len(hosts) == 1 and hosts != {key[1]} else None


def _calibrated(
    inside: Sequence[Sequence[CellWeight]], means: Sequence[CellWeight], report: GroupReport
) -> tuple[Floats, float]:
    """Factors (C,) on the final weights of a group's crowds, and how far they went."""
    factors: Floats = np.ones(len(means))
    cells = [cell for listed in inside for cell in listed if cell.respondents]
    names = report.raked_to or _traits(cells)
    if not names or len(cells) == len(means):
        return factors, 1.0
    shares = shares_of(
        names,
        {
            (mean.stratum, mean.wcell): {cell.wcell: cell.respondents for cell in listed if cell.respondents}
            for mean, listed in zip(means, inside, strict=True)
        },
    )
    carried = np.array([mean.final * mean.respondents for mean in means])
    wanted = np.array([cell.final * cell.respondents for cell in cells]) @ _indicators(
        names, [(cell.stratum, cell.wcell) for cell in cells]
    )
    now = carried @ shares
    for tenths in range(TENTHS, 0, -1):
        totals = now + tenths / TENTHS * (wanted - now)
        try:
            factors = calibrate(carried, shares, totals, Distance("raking", 1 / LARGEST, LARGEST), rounds=ROUNDS)
        except Refused:  # no such weights; a little less, then
            continue
        return factors, tenths / TENTHS
    return factors, 0.0


def _traits(cells: Sequence[CellWeight]) -> tuple[str, ...]:
    """What an unraked group's weights may depend on: its strata, and the traits that all of its cells have."""
    common = set.intersection(*(set(traits_of(cell.wcell)) for cell in cells)) if cells else set()
    return (STRATUM, *sorted(common)) if cells else ()
