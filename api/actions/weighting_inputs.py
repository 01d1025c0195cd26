"""What a survey is weighed by: the outcomes of its cases or codes by true cell, and the crowds that answers tell of.

Strata with listed cases count the cases' final outcomes. Where codes were handed out without names, drawn people or
not, a stratum is one cell: a spent code is an interview, a code that never came back is unknown (3.19).
"""

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from api.store import roll, surveys, tallies
from api.store.cases import CaseOutcome, outcomes_of
from api.store.closings import closing_of
from api.store.windows import window_of
from survey_forms.ballot.crowds import crowd_names
from survey_forms.estimation.outcomes import class_of, sums
from survey_forms.estimation.weighting import CellKey, CellOutcome, Population
from survey_forms.fieldwork.consequences import NOT_TRIED
from survey_forms.refusal import Fault, Refused

CASES, CODES = "cases", "codes"
"""Where a stratum's outcomes come from."""

ALIKE = 1e-9
"""Inclusion probabilities that differ by less, relatively, are the same."""


@dataclass(frozen=True, slots=True)
class Unequal:
    """A cell whose cases were drawn with unequal probabilities: the least and the greatest."""

    stratum: str
    wcell: str
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What weights are made of: true cells with their outcomes, and strata with group, size and source.

    `unequal`: cells whose base weight is the mean of 1/probability, which is good for rates and not for weights.
    """

    cells: tuple[CellOutcome, ...]
    populations: Mapping[str, Population]
    sources: Mapping[str, str]
    unequal: tuple[Unequal, ...] = ()

    def weighted(self) -> dict[str, dict[str, float]]:
        """Stratum → AAPOR class → the base weight of its cases."""
        parts: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for cell in self.cells:
            parts[cell.stratum] += [(cls, cell.base * n) for cls, n in cell.counts.items()]
        return {stratum: sums(parts[stratum]) for stratum in sorted(parts)}


@dataclass(frozen=True, slots=True)
class Crowds:
    """Under which name each true cell's answers are counted; and the boxes that could not be opened, by stratum."""

    names: Mapping[CellKey, str]
    spoiled: Mapping[str, int]


def read_outcomes(connection: Connection, survey_id: int) -> Outcomes:
    """A survey's outcomes as they stand.

    Raises:
        Refused: `not_found`.
    """
    strata = surveys.strata_of(connection, survey_id)
    if not strata:
        raise Refused("not_found", "survey")
    populations = {one.code: Population(one.group, one.population) for one in strata}
    cases: defaultdict[str, list[CaseOutcome]] = defaultdict(list)
    for case in outcomes_of(connection, survey_id):
        cases[case.stratum].append(case)
    work = roll.fieldwork_of(connection, survey_id)
    answered = tallies.respondents_by_stratum(tallies.respondents_of(connection, survey_id))
    cells: list[CellOutcome] = []
    unequal: list[Unequal] = []
    sources = {}
    for code, population in populations.items():
        is_listed = _is_listed(cases[code], work.get(code))
        if is_listed:
            found, differing = _of_cases(cases[code], population.persons)
            unequal += differing
        else:
            found = _of_codes(code, population.persons, work.get(code, roll.Fieldwork()), answered.get(code, 0))
        cells += found
        if found:
            sources[code] = CASES if is_listed else CODES
    return Outcomes(tuple(cells), populations, sources, tuple(unequal))


def refuse_silent(outcomes: Outcomes) -> None:
    """Refuse where nobody was asked at all, and name every group that was asked and in which nobody answered."""
    if not outcomes.cells:
        raise Refused("weights_without_cases")
    answered: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for cell in outcomes.cells:
        group = outcomes.populations[cell.stratum].group
        answered[group] += cell.respondents
        asked[group] += cell.number()
    silent = [group for group in sorted(asked) if not answered[group]]
    if silent:
        raise Refused.of(
            [Fault("weights_group_silent", group, {"group": group, "cases": asked[group]}) for group in silent]
        )


def refuse_unequal(outcomes: Outcomes) -> None:
    """Refuse cells whose cases were drawn with unequal probabilities: one weight for all would undo the draw."""
    faults = [
        Fault(
            "weights_chances_unequal",
            one.stratum,
            {"stratum": one.stratum, "wcell": one.wcell, "least": f"{one.least:.6g}", "most": f"{one.most:.6g}"},
        )
        for one in outcomes.unequal
    ]
    if faults:
        raise Refused.of(faults)


def read_crowds(connection: Connection, survey_id: int, outcomes: Outcomes) -> Crowds:
    """The crowds of a survey's cells: each cell itself, save where answers are sealed.

    Before the count they are worked out from who took part. Afterwards the counted names decide, for boxes that could
    not be opened may have moved them: a cell is in the last crowd that does not stand after it.
    """
    window = window_of(connection, survey_id)
    if window is None or window.secrecy != "sealed":
        return Crowds({cell.key: cell.wcell for cell in outcomes.cells}, {})
    counted = tallies.respondents_of(connection, survey_id)
    spoiled = _spoiled(connection, survey_id, counted)
    inside: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for cell in outcomes.cells:
        inside[cell.stratum][cell.wcell] = cell.respondents
    names: dict[CellKey, str] = {}
    for stratum, cells in inside.items():
        told = sorted(wcell for (at, wcell), n in counted.items() if at == stratum and n)
        if spoiled.get(stratum) and told:
            of_cell = {cell: told[max(bisect(told, cell) - 1, 0)] for cell in cells}
        else:
            of_cell = crowd_names({cell: n for cell, n in cells.items() if n}, cells)
        names |= {(stratum, cell): crowd for cell, crowd in of_cell.items()}
    return Crowds(names, spoiled)


def _spoiled(connection: Connection, survey_id: int, counted: Mapping[CellKey, int]) -> dict[str, int]:
    """Stratum → boxes that held no answer, once all that came back are counted; nothing is known before."""
    closed = closing_of(connection, survey_id)
    if closed is None or closed.counted_at is None or tallies.is_waiting(connection, survey_id):
        return {}
    found = tallies.respondents_by_stratum(counted)
    return {
        stratum: n - found.get(stratum, 0) for stratum, n in sorted(closed.counts.items()) if n > found.get(stratum, 0)
    }


def _is_listed(cases: Iterable[CaseOutcome], work: roll.Fieldwork | None) -> bool:
    """Whether outcomes are known case by case: not where people were drawn, but only codes without names went out."""
    outcomes = {case.outcome for case in cases}
    return bool(outcomes) and not (outcomes == {NOT_TRIED} and work is not None and work.issued)


def _of_cases(cases: Iterable[CaseOutcome], population: int) -> tuple[list[CellOutcome], list[Unequal]]:
    """The cells of a stratum with listed cases, and those drawn with unequal probabilities.

    Equal probabilities make a simple sample of as many as were drawn or released: one in N/n, a released reserve
    being one more ticket of the same draw.
    """
    listed = list(cases)
    by_cell: defaultdict[CellKey, list[CaseOutcome]] = defaultdict(list)
    for case in listed:
        by_cell[case.stratum, case.wcell].append(case)
    plain = len(listed) / population
    told = [plain if case.inclusion is None else case.inclusion for case in listed]
    is_simple = _are_alike(told)
    found, unequal = [], []
    for key in sorted(by_cell):
        inside = by_cell[key]
        chances = sorted(plain if is_simple or case.inclusion is None else case.inclusion for case in inside)
        if not _are_alike(chances):
            unequal.append(Unequal(*key, chances[0], chances[-1]))
        base = sum(1.0 / chance for chance in chances) / len(chances)
        counts = Counter(class_of(case.outcome) for case in inside)
        found.append(CellOutcome(*key, base=base, counts=dict(sorted(counts.items()))))
    return found, unequal


def _are_alike(chances: Iterable[float]) -> bool:
    listed = list(chances)
    return max(listed) - min(listed) <= ALIKE * max(listed)


def _of_codes(stratum: str, population: int, work: roll.Fieldwork, answered: int) -> list[CellOutcome]:
    """The one cell of a stratum whose codes carry no names; none where nobody was asked."""
    spent = max(work.spent, answered)
    issued = max(work.issued, spent)
    if not issued:
        return []
    counts = {"I": spent} | ({"UH": issued - spent} if issued > spent else {})
    return [CellOutcome(stratum, stratum, base=population / issued, counts=counts)]
