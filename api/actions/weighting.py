"""Weighing a survey: from the final outcomes of its cases, or of its codes, to a weight for each weighting cell.

Strata with listed cases count the cases' final outcomes. Where codes were handed out without names, a stratum is one
cell: a spent code is an interview, a code that never came back is unknown (3.19). Every step's weight is written down,
with the digest of all that went in: equal inputs make no second weighting. It runs in the web process, which reads the
roll; what the worker computes with is the result alone, by cell.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from api.store import people, roll, surveys, tallies, weightings
from api.store.cases import CaseOutcome, outcomes_of
from api.store.owed import emit
from api.store.weightings import StoredWeight
from survey_forms.ballot.crowds import crowd_names
from survey_forms.estimation.outcomes import RESPONDED, class_of
from survey_forms.estimation.trimming import Spread
from survey_forms.estimation.weighting import CellOutcome, Population, Rules, Weighting, weigh
from survey_forms.refusal import Fault, Refused
from survey_forms.transparency import canonical_json

CASES, CODES = "cases", "codes"
"""Where a stratum's outcomes come from."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What weights are made of: cells with their outcomes, and strata with group, size and source.

    `varied`: cells whose cases were drawn with unequal probabilities; their base weight is the mean of 1/probability.
    """

    cells: tuple[CellOutcome, ...]
    populations: Mapping[str, Population]
    sources: Mapping[str, str]
    varied: tuple[tuple[str, str], ...] = ()


def weigh_survey(connection: Connection, survey_id: int, rules: Rules, staff_id: int | None, now: datetime) -> int:
    """Weigh a survey by its outcomes as they stand, and owe the composites; returns the weighting's key.

    Equal inputs change nothing: the newest weighting is then the answer.

    Raises:
        Refused: `not_found`; `weights_without_cases`; `weights_group_silent` for each group in which nobody answered;
            what `weigh` refuses.
    """
    tallies.hold_cells(connection, [survey_id], to_write=True)  # no composite reads weights while they change
    outcomes = read_outcomes(connection, survey_id)
    refuse_silent(outcomes)
    margins: defaultdict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for one in weightings.margins_of(connection, survey_id):
        margins[one.group].setdefault(one.trait, {})[one.level] = one.total
    digest = _digest(outcomes, margins, rules)
    newest = weightings.latest_weighting(connection, survey_id)
    if newest is not None and newest.digest == digest:
        return newest.id
    found = weigh(outcomes.cells, outcomes.populations, rules, margins)
    values = {
        "digest": digest,
        "rules": asdict(rules),
        "report": _report(found, outcomes),
        "made_by": staff_id,
        "made_at": now,
    }
    key = weightings.add_weighting(connection, survey_id, values, _stored(found))
    weightings.forget_covariances(connection, survey_id)
    emit(connection, "compose", f"{surveys.evaluation_of_survey(connection, survey_id)}:weights:{survey_id}", key)
    people.record_act(connection, "survey_weighed", now, staff_id, survey=survey_id, weighting=key, digest=digest)
    return key


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
    varied: list[tuple[str, str]] = []
    sources = {}
    for code, population in populations.items():
        if code in cases:
            found, unequal = _of_cases(cases[code], population.persons)
            varied += unequal
        else:
            found = _of_codes(code, population.persons, work.get(code, roll.Fieldwork()), answered.get(code, 0))
        cells += found
        if found:
            sources[code] = CASES if code in cases else CODES
    return Outcomes(tuple(cells), populations, sources, tuple(varied))


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


def _of_cases(cases: Iterable[CaseOutcome], population: int) -> tuple[list[CellOutcome], list[tuple[str, str]]]:
    """The cells of a stratum with listed cases, and those drawn with unequal probabilities.

    Answers tell their cell of crowds only (`ballot/crowds.py`); the cells are merged here by the same rule, from who
    took part. A crowd has the traits of the cell that it is named after.

    Equal probabilities make a simple sample of as many as were drawn or released: one in N/n, a released reserve
    being one more ticket of the same draw.
    """
    listed = list(cases)
    answered = Counter(case.wcell for case in listed if class_of(case.outcome) in RESPONDED)
    names = crowd_names(answered, {case.wcell for case in listed})
    by_cell: defaultdict[tuple[str, str], list[CaseOutcome]] = defaultdict(list)
    for case in listed:
        by_cell[case.stratum, names[case.wcell]].append(case)
    is_simple = len({case.inclusion for case in listed}) == 1
    found, varied = [], []
    for key in sorted(by_cell):
        inside = by_cell[key]
        chances = [len(listed) / population if is_simple else case.inclusion or 1.0 for case in inside]
        if len(set(chances)) > 1:
            varied.append(key)
        base = sum(1.0 / chance for chance in sorted(chances)) / len(chances)
        counts = Counter(class_of(case.outcome) for case in inside)
        found.append(CellOutcome(*key, base=base, counts=dict(sorted(counts.items()))))
    return found, varied


def _of_codes(stratum: str, population: int, work: roll.Fieldwork, answered: int) -> list[CellOutcome]:
    """The one cell of a stratum whose codes carry no names; none where nobody was asked."""
    spent = max(work.spent, answered)
    issued = max(work.issued, spent)
    if not issued:
        return []
    counts = {"I": spent} | ({"UH": issued - spent} if issued > spent else {})
    return [CellOutcome(stratum, stratum, base=population / issued, counts=counts)]


def _digest(outcomes: Outcomes, margins: Mapping[str, Any], rules: Rules) -> str:
    """SHA-256 of everything that decides the weights; numbers are written as text, which has one spelling."""
    document = {
        "cells": [
            {"stratum": cell.stratum, "wcell": cell.wcell, "base": repr(cell.base), "counts": dict(cell.counts)}
            for cell in sorted(outcomes.cells, key=lambda cell: cell.key)
        ],
        "populations": {code: [one.group, one.persons] for code, one in outcomes.populations.items()},
        "margins": {group: dict(traits) for group, traits in margins.items()},
        "rules": {name: str(value) for name, value in asdict(rules).items()},
    }
    return sha256(canonical_json(document)).hexdigest()


def _report(found: Weighting, outcomes: Outcomes) -> dict[str, Any]:
    groups = {}
    for name, one in found.groups.items():
        groups[name] = {
            "population": one.population,
            "spread": _spread(one.spread),
            "cells": one.cells,
            "classes": one.classes,
            "merged": [[*cell, *into] for cell, into in sorted(one.merged.items())],
            "raked_to": list(one.raked_to),
            "trimmed": one.trimmed,
            "still_above": one.still_above,
        }
    return {
        "groups": groups,
        "overall": _spread(found.overall),
        "trimmed": [[cell.stratum, cell.wcell] for cell in found.cells if cell.trimmed],
        "sources": dict(outcomes.sources),
        "varied": [list(cell) for cell in outcomes.varied],
    }


def _spread(one: Spread | None) -> dict[str, float] | None:
    return asdict(one) if one else None


def _stored(found: Weighting) -> list[StoredWeight]:
    return [
        StoredWeight(
            one.stratum,
            one.wcell,
            dict(one.counts),
            one.merged_into,
            base=one.base,
            eligibility=one.eligibility,
            nonresponse=one.nonresponse,
            raked=one.raked,
            final=one.final,
        )
        for one in found.cells
    ]
