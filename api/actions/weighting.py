"""Weighing a survey: from the final outcomes of its cases, or of its codes, to a weight for each crowd of answers.

Every step's weight is written down, with the digest of all that went in: equal inputs make no second weighting. It runs
in the web process, which reads the roll; what the worker computes with is the result alone, by cell.

A sealed survey's answers tell crowds only (`ballot/crowds.py`). The roll knows every case's true cell: those are
weighed and raked, and what is stored are their crowds, by the names that answers are counted under
(`estimation/crowded.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.actions.weighting_inputs import Crowds, Outcomes, read_crowds, read_outcomes, refuse_silent, refuse_unequal
from api.store import people, surveys, tallies, weightings
from api.store.owed import emit
from api.store.weightings import StoredWeight
from survey_forms.estimation.crowded import Crowded, crowded
from survey_forms.estimation.trimming import spread
from survey_forms.estimation.weighting import CellWeight, Rules, Weighting, weigh
from survey_forms.transparency import canonical_json


def weigh_survey(connection: Connection, survey_id: int, rules: Rules, staff_id: int | None, now: datetime) -> int:
    """Weigh a survey by its outcomes as they stand, and owe the composites; returns the weighting's key.

    Equal inputs change nothing: the newest weighting is then the answer.

    Raises:
        Refused: `not_found`; `weights_without_cases`; `weights_group_silent` for each group in which nobody answered;
            `weights_chances_unequal` for each cell of which one weight cannot speak; what `weigh` refuses.
    """
    tallies.hold_cells(connection, [survey_id], to_write=True)  # no composite reads weights while they change
    outcomes = read_outcomes(connection, survey_id)
    refuse_silent(outcomes)
    refuse_unequal(outcomes)
    crowds = read_crowds(connection, survey_id, outcomes)
    margins: defaultdict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for one in weightings.margins_of(connection, survey_id):
        margins[one.group].setdefault(one.trait, {})[one.level] = one.total
    digest = _digest(outcomes, crowds, margins, rules)
    newest = weightings.latest_weighting(connection, survey_id)
    if newest is not None and newest.digest == digest:
        return newest.id
    weighed = weigh(outcomes.cells, outcomes.populations, rules, margins)
    group_of = {code: one.group for code, one in outcomes.populations.items()}
    found = crowded(weighed, crowds.names, group_of)
    values = {
        "digest": digest,
        "rules": asdict(rules),
        "report": _report(weighed, found, outcomes) | {"spoiled": dict(crowds.spoiled)},
        "made_by": staff_id,
        "made_at": now,
    }
    key = weightings.add_weighting(connection, survey_id, values, _stored(found.cells))
    weightings.forget_covariances(connection, survey_id)
    emit(connection, "compose", f"{surveys.evaluation_of_survey(connection, survey_id)}:weights:{survey_id}", key)
    people.record_act(connection, "survey_weighed", now, staff_id, survey=survey_id, weighting=key, digest=digest)
    return key


def _digest(outcomes: Outcomes, crowds: Crowds, margins: Mapping[str, Any], rules: Rules) -> str:
    """SHA-256 of everything that decides the weights; numbers are written as text, which has one spelling."""
    document = {
        "cells": [
            {
                "stratum": cell.stratum,
                "wcell": cell.wcell,
                "crowd": crowds.names[cell.key],
                "base": repr(cell.base),
                "counts": dict(cell.counts),
            }
            for cell in sorted(outcomes.cells, key=lambda cell: cell.key)
        ],
        "spoiled": dict(crowds.spoiled),
        "populations": {code: [one.group, one.persons] for code, one in outcomes.populations.items()},
        "margins": {group: dict(traits) for group, traits in margins.items()},
        "rules": {name: str(value) for name, value in asdict(rules).items()},
    }
    return sha256(canonical_json(document)).hexdigest()


def _report(weighed: Weighting, found: Crowded, outcomes: Outcomes) -> dict[str, Any]:
    """What became of the groups; spreads are those of the weights that answers get, merges those of true cells."""
    inside: defaultdict[str, list[CellWeight]] = defaultdict(list)
    for cell in found.cells:
        inside[outcomes.populations[cell.stratum].group].append(cell)
    groups = {}
    for name, group in weighed.groups.items():
        groups[name] = {
            "population": group.population,
            "spread": _spread(inside[name]),
            "cells": group.cells,
            "classes": group.classes,
            "merged": [[*cell, *into] for cell, into in sorted(group.merged.items())],
            "raked_to": list(group.raked_to),
            "trimmed": group.trimmed,
            "still_above": group.still_above,
            "reached": found.reached[name],
        }
    return {
        "groups": groups,
        "overall": _spread(found.cells),
        "trimmed": [[cell.stratum, cell.wcell] for cell in found.cells if cell.trimmed],
        "sources": dict(outcomes.sources),
        "crowds": found.composition,
        "weighted": outcomes.weighted(),
    }


def _spread(cells: Iterable[CellWeight]) -> dict[str, float] | None:
    listed = list(cells)
    found = spread(
        np.array([one.final for one in listed]), np.array([one.respondents for one in listed], dtype=np.int64)
    )
    return asdict(found) if found else None


def _stored(cells: Iterable[CellWeight]) -> list[StoredWeight]:
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
        for one in cells
    ]
