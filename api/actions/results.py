"""Composites: the exchange-format input from what is stored, the scheme's arithmetic, and the error of the figures.

Nothing here knows a scheme: a respondent group, an indicator score and a ledger entry each name the component that
they feed, and what is missing the arithmetic itself says.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import numpy as np
from sqlalchemy import Connection

from api.actions.covariances import covariances_in_use, renew_covariances
from api.actions.estimates import HIGHEST, GroupEstimate, estimate_survey, scaled
from api.actions.weights_in_use import weights_in_use
from api.store import evaluations, indicators, ledger, results, surveys, tallies
from api.store.evaluations import Evaluation, Unit
from api.store.ledger import Entry
from survey_forms.estimation.scores import Estimate, as_score
from survey_forms.ledger_scores import deduction
from survey_forms.numbers import plain
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.compute import score_by
from survey_forms.scoring.standing import Standing, Together, composite_covariance, standings
from survey_forms.scoring.uncertainty import CompositeError, Surveyed, composite_errors
from survey_forms.transparency import canonical_json

KEPT_COMPOSITES = 20
"""Provisional composites kept of an evaluation: enough to see what an entry changed."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a composite is computed from: the document, the surveyed scores in it, and the last ledger entry read.

    `source`: unit and component → the survey whose score it is.
    """

    document: dict[str, Any]
    surveyed: Surveyed
    ledger_seq: int
    source: Mapping[tuple[str, str], int]


def compose(connection: Connection, evaluation_id: int, now: datetime) -> None:
    """Compute an evaluation's composites from what is stored now, and keep them with everything they came from."""
    results.hold_composites(connection, evaluation_id)
    survey_ids = surveys.surveys_of(connection, evaluation_id)
    tallies.hold_cells(connection, survey_ids, to_write=False)
    evaluation = evaluations.evaluation_numbered(connection, evaluation_id)
    scheme = load_scheme(evaluation.scheme)
    units = evaluations.units_of(connection, evaluation_id)
    codes = [unit.code for unit in units]
    estimates: list[GroupEstimate] = []
    for survey_id in survey_ids:
        weights = weights_in_use(connection, survey_id)
        estimates += estimate_survey(connection, survey_id, codes, weights)
        renew_covariances(connection, survey_id, codes, weights, now)
    inputs = read_inputs(connection, evaluation, scheme, units, estimates)
    output, problems, errors = _computed(connection, scheme, evaluation, inputs)
    results.put_composite(
        connection,
        evaluation_id,
        {
            "inputs_digest": sha256(canonical_json(inputs.document)).hexdigest(),
            "scheme_digest": scheme.digest,
            "ledger_seq": inputs.ledger_seq,
            "input": inputs.document,
            "output": output,
            "problems": problems,
            "errors": errors,
            "computed_at": now,
        },
    )
    results.forget_old_composites(connection, evaluation_id, KEPT_COMPOSITES)


def read_inputs(
    connection: Connection,
    evaluation: Evaluation,
    scheme: Scheme,
    units: Iterable[Unit],
    estimates: Iterable[GroupEstimate],
) -> Inputs:
    """The document of the exchange format as far as the database fills it; what is missing is left out."""
    scale = float(scheme.composite.scale) if scheme.composite else HIGHEST
    surveyed: defaultdict[str, dict[str, Estimate]] = defaultdict(dict)
    source: dict[tuple[str, str], int] = {}
    for one in estimates:  # surveys oldest first: a later round's score replaces an earlier one's
        if one.estimate.value is not None:
            surveyed[one.unit][one.component] = scaled(one.estimate, HIGHEST / scale)
            source[one.unit, one.component] = one.survey_id
    scores = indicators.scores_of(connection, evaluation.id)
    entries = ledger.entries_of(connection, evaluation.id)
    listed = []
    for unit in units:
        handed_in = {path: plain(points) for (code, path), points in scores.items() if code == unit.code}
        handed_in |= {path: plain(as_score(one.value or 0.0)) for path, one in surveyed[unit.code].items()}
        listed.append(_unit(scheme, unit, handed_in, [entry for entry in entries if entry.unit_id == unit.id]))
    document = {"scheme": evaluation.scheme, "supplied": evaluation.supplied, "units": listed}
    return Inputs(document, surveyed, max((entry.seq for entry in entries), default=0), source)


def _unit(scheme: Scheme, unit: Unit, scores: Mapping[str, str], entries: Iterable[Entry]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": unit.code}
    if scheme.classes and unit.class_ is not None:
        shown["class"] = unit.class_
    shown["scores"] = _tree(scores)
    shown["deductions"] = [deduction(scheme, entry) for entry in entries]
    return shown


def _tree(scores: Mapping[str, str]) -> dict[str, Any]:
    """Scores by dotted path as the nested objects of the format."""
    tree: dict[str, Any] = {}
    for path, score in scores.items():
        *above, key = path.split(".")
        place = tree
        for name in above:
            place = place.setdefault(name, {})
        place[key] = score
    return tree


def _computed(
    connection: Connection, scheme: Scheme, evaluation: Evaluation, inputs: Inputs
) -> tuple[dict[str, Any] | None, list[dict[str, Any]], dict[str, Any]]:
    """Output, problems and errors; where something is missing there is no output, and the problems name it."""
    if scheme.digest != evaluation.scheme_digest:
        fault = Fault("scheme_text_changed", "scheme", {"agreed": evaluation.scheme_digest, "found": scheme.digest})
        return None, [_problem(fault, inputs)], {}
    try:
        output = score_by(scheme, inputs.document, trace=True)
    except Refused as refused:
        return None, [_problem(fault, inputs) for fault in refused.faults], {}
    errors = composite_errors(scheme, inputs.document, output, inputs.surveyed)
    units = [row["id"] for row in output["units"]]
    covariance = composite_covariance(units, errors, _together(connection, scheme, inputs))
    seed = int.from_bytes(sha256(canonical_json(inputs.document)).digest()[:8])  # a recount draws the same
    placed = standings(scheme, inputs.document, output, covariance, seed)
    return output, [], {unit: _error(errors.get(unit)) | _standing(one) for unit, one in placed.items()}


def _together(connection: Connection, scheme: Scheme, inputs: Inputs) -> Together:
    """The covariances that are up to date, by component; of units whose scores come from the same survey alone."""
    scale = float(scheme.composite.scale) if scheme.composite else HIGHEST
    found: Together = {}
    for survey_id in sorted(set(inputs.source.values())):
        known = covariances_in_use(connection, survey_id)
        for group in surveys.groups_of(connection, survey_id):
            one = known.get(group.code)
            if one is None:
                continue
            own = [at for at, unit in enumerate(one.units) if inputs.source.get((unit, group.component)) == survey_id]
            matrix = one.matrix[np.ix_(own, own)] * (scale / HIGHEST) ** 2
            found = {**found, group.component: ([one.units[at] for at in own], matrix)}
    return found


def _problem(fault: Fault, inputs: Inputs) -> dict[str, Any]:
    """A fault as it is kept: its facts as JSON knows them, and the unit by its code where the path counts units."""
    facts = {name: fact if isinstance(fact, str | int) else str(fact) for name, fact in fault.facts.items()}
    if fault.path.startswith("units["):
        place = int(fault.path[len("units[") :].partition("]")[0])
        facts["unit"] = inputs.document["units"][place]["id"]
    return {"code": fault.code, "path": fault.path, "facts": facts}


def _error(one: CompositeError | None) -> dict[str, Any]:
    """A composite's error as it is kept; nothing where nothing in it was surveyed."""
    if one is None:
        return {}
    return {
        "se": one.estimate.se,
        "df": one.estimate.df,
        "low": one.estimate.low,
        "high": one.estimate.high,
        "n": one.estimate.n,
        "flags": [str(flag) for flag in one.estimate.flags],
        "grades": [[name, probability] for name, probability in one.grades.items()],  # JSONB keeps no order of keys
        "coefficients": {path: _plain_signed(share) for path, share in one.coefficients.items()},
    }


def _standing(one: Standing) -> dict[str, Any]:
    """A rank as it is kept: the places where a unit may stand by itself, and where all may stand at once."""
    kept: dict[str, Any] = {
        "place": [one.place.rank, one.place.best, one.place.worst],
        "jointly": [one.jointly.best, one.jointly.worst],
        "ranked": one.ranked,
    }
    return kept | ({"grades": [[name, share] for name, share in one.shares.items()]} if one.shares else {})


def _plain_signed(value: Decimal) -> str:
    return f"-{plain(-value)}" if value < 0 else plain(value)
