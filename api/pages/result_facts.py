"""What the office's and the bureau's pages of results share: pictures first, tables, rates, what may not be claimed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.actions.claims import Claim, claims_of
from api.actions.publication import Moved, units_moved
from api.actions.report import Report, read_report
from api.actions.response_rates import RateLine, read_rates
from api.pages.shown import Standing, grades_chart, places_chart, score_chart, standings
from api.store import surveys
from api.store.evaluations import Evaluation, Unit
from survey_forms.scheme.load import load_scheme


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """An evaluation's results with everything that must stand beside them."""

    report: Report
    standings: list[Standing]
    rates: list[RateLine]
    claims: list[Claim]

    def for_page(self) -> dict[str, Any]:
        """What the templates read, pictures drawn."""
        return {
            "scheme": load_scheme(self.report.evaluation.scheme),
            "composite": self.report.composite,
            "standings": self.standings,
            "withheld": self.report.withheld,
            "since": self.report.since,
            "moved": moved(self.report),
            "rates": self.rates,
            "claims": self.claims,
            "scores": score_chart(self.report, self.standings),
            "places": places_chart(self.standings),
            "grades": grades_chart(self.report, self.standings),
        }


def moved(report: Report) -> list[tuple[Unit, Moved]]:
    """The units that may be told of whose figures are others by what stands now, in the order of the table."""
    if report.composite is None or report.since is None or report.since.recount is None:
        return []
    found = units_moved(report.composite, report.since.recount)
    return [(one.unit, found[one.unit.code]) for one in report.units if one.unit.code in found]


def result_facts(connection: Connection, evaluation: Evaluation) -> ResultFacts:
    """Read an evaluation's results, and the rates of its newest survey."""
    report = read_report(connection, evaluation)
    known = surveys.surveys_of(connection, evaluation.id)
    rates = read_rates(connection, known[-1]) if known and surveys.strata_of(connection, known[-1]) else []
    return ResultFacts(report, standings(report), rates, claims_of(connection, report, rates))
