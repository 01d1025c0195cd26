"""Weights of a survey, step by step, by weighting cell: people of one cell are exchangeable to every step.

Source: statistics.md, section 5; Kalton & Flores-Cervantes (2003). (1) base, the inverse of the inclusion probability;
(2) known cases carry those of unknown eligibility; (3) respondents carry the eligible who did not answer, inside
nonresponse classes of one group (`classes.py`); (4) groups that have margins, the residents, are raked to them; (5)
weights above a multiple of their stratum's median are cut, the excess spread over the others of the stratum, and the
group raked again, until no weight is above.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from survey_forms.estimation.calibrate import Margin, rake
from survey_forms.estimation.classes import CellOutcome, classes_of, factors_of
from survey_forms.estimation.design import Floats, Ints
from survey_forms.estimation.trimming import Spread, spread
from survey_forms.refusal import Refused
from survey_forms.sampling.traits import traits_of

__all__ = ["CellOutcome", "CellWeight", "GroupReport", "Margins", "Population", "Rules", "Weighting", "weigh"]

CellKey = tuple[str, str]
"""stratum, weighting cell"""

Margins = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Group → trait → level → persons of the population."""

SPREADLESS = 1e-9  # of the median: an interquartile range below it is rounding
STRATUM = "stratum"  # the margin of a raked group with several strata: their own sizes


@dataclass(frozen=True, slots=True)
class Population:
    """A stratum's respondent group and its persons N_h."""

    group: str
    persons: int


@dataclass(frozen=True, slots=True)
class Rules:
    """Fixed before fieldwork. `trim_at`: times the median, or times the interquartile range above the median.

    `fewest` respondents and `largest_factor` of a nonresponse class; `fewest_in_margin` respondents of a level.
    """

    fewest: int = 20
    largest_factor: float = 3.0
    trim_by: Literal["median", "iqr", "nothing"] = "median"
    trim_at: float = 4.0
    fewest_in_margin: int = 2
    rounds: int = 100


@dataclass(frozen=True, slots=True)
class CellWeight:
    """A respondent's weight after each step. `merged_into`: the first cell of its class, if that is another one.

    A cell in which nobody answered has the weight that the next answer would get.
    """

    stratum: str
    wcell: str
    counts: Mapping[str, int]
    respondents: int
    merged_into: str | None
    base: float
    eligibility: float
    nonresponse: float
    raked: float
    final: float
    trimmed: bool

    @property
    def factors(self) -> dict[str, float]:
        """What each step multiplied the weight by."""
        steps = ("base", "eligibility", "nonresponse", "raked", "final")
        values = [1.0, *(float(getattr(self, step)) for step in steps)]
        names = ("base", "eligibility", "nonresponse", "raking", "trimming")
        return {name: after / before for name, before, after in zip(names, values, values[1:], strict=False)}


@dataclass(frozen=True, slots=True)
class GroupReport:
    """What became of a group: the spread of its final weights (None if nobody answered), and what was done to it.

    `merged`: cell → the cell it was joined to; `trimmed` respondents were cut, `still_above` is how many the rounds
    could not bring down.
    """

    group: str
    population: int
    spread: Spread | None
    cells: int
    classes: int
    merged: Mapping[CellKey, CellKey]
    raked_to: tuple[str, ...]
    trimmed: int
    still_above: int


@dataclass(frozen=True, slots=True)
class Weighting:
    """All weights and their report."""

    cells: tuple[CellWeight, ...]
    groups: Mapping[str, GroupReport]
    overall: Spread | None

    @property
    def final(self) -> dict[CellKey, float]:
        """(stratum, weighting cell) → the weight of a respondent, as estimates take it (`Reading.weights`)."""
        return {(cell.stratum, cell.wcell): cell.final for cell in self.cells}


@dataclass(slots=True)
class _Group:
    """A group being weighed: its cells in byte order, respondents (C,), and weights (C,) after each step."""

    name: str
    cells: list[CellOutcome]
    persons: Ints
    steps: dict[str, Floats] = field(default_factory=dict)
    merged: dict[CellKey, CellKey] = field(default_factory=dict)
    classes: int = 0
    margins: list[Margin] = field(default_factory=list)
    cut: "np.ndarray[tuple[int], np.dtype[np.bool_]]" = field(default_factory=lambda: np.zeros(0, dtype=bool))
    above: int = 0


def weigh(
    cells: Sequence[CellOutcome],
    populations: Mapping[str, Population],
    rules: Rules | None = None,
    margins: Margins | None = None,
) -> Weighting:
    """Weigh a survey.

    Args:
        cells: every weighting cell with a drawn case, once.
        populations: of every stratum, its group and size.
        rules: the published ones.
        margins: of the groups that are raked; every level that the sample has, each trait with the same sum.

    Raises:
        Refused: `margin_trait_absent`, `margin_level_absent`, `margins_disagree`, `margin_cell_empty`,
            `margin_cell_small`, `raking_without_end`, with the group and trait as their place.
        ValueError: a cell twice, or of a stratum that has no population.
    """
    rules, margins = rules or Rules(), margins or {}
    by_group: defaultdict[str, dict[CellKey, CellOutcome]] = defaultdict(dict)
    for cell in cells:
        if cell.stratum not in populations or cell.key in by_group[populations[cell.stratum].group]:
            raise ValueError(f"no population of, or twice: {cell.key}")
        by_group[populations[cell.stratum].group][cell.key] = cell
    found = []
    for name in sorted(by_group):
        listed = [by_group[name][key] for key in sorted(by_group[name])]
        group = _Group(name, listed, np.array([cell.respondents for cell in listed], dtype=np.int64))
        _adjust(group, rules)
        if margins.get(name) and group.persons.any():
            group.margins = _margins(group, margins[name], populations)
        group.steps["raked"] = _raked(group, group.steps["nonresponse"], rules)
        _trim(group, rules)
        found.append(group)
    weights = tuple(weight for group in found for weight in _listed(group))
    final, persons = np.array([one.final for one in weights]), np.array([one.respondents for one in weights])
    return Weighting(weights, {one.name: _report(one, populations) for one in found}, spread(final, persons))


def _adjust(group: _Group, rules: Rules) -> None:
    """Steps 1 to 3."""
    place = {cell.key: index for index, cell in enumerate(group.cells)}
    base = np.array([cell.base for cell in group.cells])
    known, answered = base.copy(), base.copy()
    classes = classes_of(group.cells, rules.fewest, rules.largest_factor)
    for one in classes:
        factors = factors_of(one)
        at = [place[cell.key] for cell in one]
        known[at] = base[at] * factors.eligibility
        answered[at] = known[at] * factors.nonresponse
        group.merged |= {cell.key: one[0].key for cell in one[1:]}
    group.classes = len(classes)
    group.steps |= {"base": base, "eligibility": known, "nonresponse": answered}


def _margins(
    group: _Group, wanted: Mapping[str, Mapping[str, int]], populations: Mapping[str, Population]
) -> list[Margin]:
    """Codes of the group's cells in each margin; with several strata their sizes are a margin too."""
    sizes = {code: one.persons for code, one in sorted(populations.items()) if one.group == group.name}
    levels: list[list[str | None]] = []
    tables = []
    if len(sizes) > 1:
        tables.append((STRATUM, sizes))
        levels.append([cell.stratum for cell in group.cells])
    for trait in sorted(wanted):
        tables.append((trait, dict(sorted(wanted[trait].items()))))
        levels.append([traits_of(cell.wcell).get(trait) for cell in group.cells])
    found = []
    for (trait, totals), listed in zip(tables, levels, strict=True):
        without = next((cell for cell, level in zip(group.cells, listed, strict=True) if level is None), None)
        if without is not None:
            raise Refused("margin_trait_absent", group.name, wcell=without.wcell, trait=trait)
        number = {level: code for code, level in enumerate(totals)}
        strange = next((level for level in listed if level not in number), None)
        if strange is not None:
            raise Refused("margin_level_absent", f"{group.name}.{trait}", level=strange)
        codes = np.array([number[level or ""] for level in listed], dtype=np.int64)
        sizes_ = np.array(list(totals.values()), dtype=np.float64)
        found.append(Margin(f"{group.name}.{trait}", codes, tuple(totals), sizes_))
    return found


def _raked(group: _Group, weights: Floats, rules: Rules) -> Floats:
    """Step 4: weights (C,) that agree with the group's margins; as they are without margins.

    Cells without a respondent take no part, and get the factor that their levels have.
    """
    if not group.margins:
        return weights
    here = group.persons > 0
    parts = [Margin(one.name, one.codes[here], one.levels, one.totals) for one in group.margins]
    found = rake(
        (weights * group.persons)[here], parts, persons=group.persons[here], fewest=rules.fewest_in_margin
    ).multipliers
    factor = np.ones(len(weights))
    for margin, multiplier in zip(group.margins, found, strict=True):
        factor *= multiplier[margin.codes]
    return weights * factor


def _trim(group: _Group, rules: Rules) -> None:
    """Step 5: cut, spread inside the stratum, rake again, until no respondent's weight is above its bound."""
    weights = group.steps["raked"]
    group.cut = np.zeros(len(weights), dtype=bool)
    names, stratum = np.unique([cell.stratum for cell in group.cells], return_inverse=True)
    bound = np.array([_bound(weights[stratum == h], group.persons[stratum == h], rules) for h in range(len(names))])
    upper = bound[stratum]
    for _ in range(rules.rounds):
        over = (weights > upper * (1 + 1e-9)) & (group.persons > 0)
        if not over.any():
            break
        group.cut |= over
        excess = np.where(over, (weights - upper) * group.persons, 0.0)
        takers = weights < upper
        lost, room = (np.bincount(stratum, weights=one) for one in (excess, np.where(takers, group.persons, 0)))
        each = np.divide(lost, room, out=np.zeros_like(lost), where=room > 0)
        weights = _raked(group, np.where(over, upper, weights + np.where(takers, each[stratum], 0.0)), rules)
    group.above = int(group.persons[weights > upper * (1 + 1e-9)].sum())
    group.steps["final"] = weights


def _bound(weights: Floats, persons: Ints, rules: Rules) -> float:
    """The greatest weight of a stratum's respondents: by the rule, never below their mean (the excess needs room).

    None by the interquartile range where that is 0.
    """
    if rules.trim_by == "nothing" or not persons.any():
        return float("inf")
    quarter, median, three_quarters = np.quantile(np.repeat(weights, persons), [0.25, 0.5, 0.75])
    apart = three_quarters - quarter
    if rules.trim_by == "iqr" and apart <= SPREADLESS * median:  # half of them alike: there is nothing to measure by
        return float("inf")
    by_rule = median + rules.trim_at * apart if rules.trim_by == "iqr" else rules.trim_at * median
    return float(max(by_rule, weights @ persons / persons.sum()))


def _listed(group: _Group) -> list[CellWeight]:
    found = []
    for index, cell in enumerate(group.cells):
        into = group.merged.get(cell.key)
        named = None if into is None else into[1] if into[0] == cell.stratum else f"{into[0]}/{into[1]}"
        steps = {name: float(weights[index]) for name, weights in group.steps.items()}
        cut = bool(group.cut[index])
        found.append(
            CellWeight(cell.stratum, cell.wcell, dict(cell.counts), cell.respondents, named, **steps, trimmed=cut)
        )
    return found


def _report(group: _Group, populations: Mapping[str, Population]) -> GroupReport:
    return GroupReport(
        group=group.name,
        population=sum(one.persons for one in populations.values() if one.group == group.name),
        spread=spread(group.steps["final"], group.persons),
        cells=len(group.cells),
        classes=group.classes,
        merged=group.merged,
        raked_to=tuple(margin.name.removeprefix(f"{group.name}.") for margin in group.margins),
        trimmed=int(group.persons[group.cut].sum()),
        still_above=group.above,
    )
