"""The survey as the office sees it: groups and strata with their fieldwork, the draw, the questionnaires."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.pages.progress import groups_in_order
from api.store import closings, roll, surveys, tallies
from api.store.evaluations import Evaluation
from api.store.roll import Fieldwork
from api.store.surveys import Group, Stratum
from survey_forms.scheme.load import load_scheme


@dataclass(frozen=True, slots=True)
class StratumLine:
    """A stratum, how far its fieldwork has come, and the answers counted."""

    stratum: Stratum
    work: Fieldwork
    counted: int


@dataclass(frozen=True, slots=True)
class GroupLines:
    """A respondent group with its strata."""

    group: Group
    lines: Sequence[StratumLine]

    def total(self, name: str) -> int:
        """A column's sum: population, drawn, issued, spent or counted."""
        if name == "population":
            return sum(line.stratum.population for line in self.lines)
        if name == "counted":
            return sum(line.counted for line in self.lines)
        return sum(getattr(line.work, name) for line in self.lines)


def survey_facts(connection: Connection, evaluation: Evaluation) -> dict[str, Any]:
    """Everything the survey page shows of the evaluation's latest survey; no groups before there is one."""
    survey_ids = surveys.surveys_of(connection, evaluation.id)
    if not survey_ids:
        return {"groups": [], "draws": [], "forms": []}
    latest = survey_ids[-1]
    work = roll.fieldwork_of(connection, latest)
    counted = tallies.respondents_by_stratum(tallies.respondents_of(connection, latest))
    strata = surveys.strata_of(connection, latest)
    groups = groups_in_order(connection, latest, load_scheme(evaluation.scheme))
    return {
        "survey_id": latest,
        "groups": [
            GroupLines(
                group,
                [
                    StratumLine(one, work.get(one.code, Fieldwork()), counted.get(one.code, 0))
                    for one in strata
                    if one.group == group.code
                ],
            )
            for group in groups
        ],
        "names": {group.code: group for group in groups},
        "draws": roll.draws_of(connection, latest),
        "forms": surveys.forms_of(connection, latest),
        "sealed": closings.ballots_to_count(connection, [latest]),
    }
