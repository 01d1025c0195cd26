"""Reading an evaluation: results with their errors, a unit's trace, estimates, ledger, progress, the input itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify
from sqlalchemy import Connection

from api.actions.concealed import masked_trace
from api.actions.publication import is_published, shown_composite
from api.actions.report import (
    GroupProgress,
    GroupResult,
    LedgerLine,
    Report,
    read_ledger,
    read_progress,
    read_report,
)
from api.auth import allow, current_staff
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.schemas import (
    ByUnit,
    EstimateSchema,
    EvaluationSchema,
    LedgerLineSchema,
    ProgressSchema,
    ResultsSchema,
    UnitTraceSchema,
)
from api.problems import say
from api.services import services
from api.store import evaluations
from api.store.evaluations import Evaluation, Unit
from survey_forms.refusal import Fault, Refused

blp = ApiBlueprint("results", __name__, url_prefix=PREFIX, description="考评结果与过程 / results and progress")
blp.after_request(never_kept)

READERS = ("office", "bureau", "unit")
OFFICES = ("office", "bureau")

EVALUATION = {
    "name": "evaluation",
    "in": "path",
    "required": True,
    "description": "考评代码 / code of the evaluation",
    "schema": {"type": "string", "maxLength": 200},
}
UNIT = {**EVALUATION, "name": "unit", "description": "单位代码 / code of the unit"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One request's look at an evaluation: what it may see. `only_unit` is the key of the caller's own unit."""

    connection: Connection
    evaluation: Evaluation
    units: Mapping[str, Unit]
    only_unit: int | None

    def report(self) -> Report:
        """The report that the caller may read.

        Raises:
            Refused: `not_published` to a unit before publication.
        """
        if self.only_unit is not None and not is_published(self.connection, self.evaluation.id):
            raise Refused("not_published")
        return read_report(self.connection, self.evaluation, self.only_unit)


@contextmanager
def reading(code: str) -> Iterator[Reading]:
    """Open an evaluation for the caller; what is not theirs to see is not there.

    Raises:
        Refused: `not_found`.
    """
    staff = current_staff()
    with services().database.read() as connection:
        evaluation = evaluations.evaluation_called(connection, code) if code.isprintable() else None
        if evaluation is None:
            raise Refused("not_found", "evaluation")
        listed = evaluations.units_of(connection, evaluation.id)
        only = staff.unit_id if staff.role == "unit" else None
        units = {unit.code: unit for unit in listed if only in {None, unit.id}}
        if only is not None and not units:
            raise Refused("not_found", "evaluation")
        yield Reading(connection, evaluation, units, only)


@blp.route("/evaluations")
@allow(*READERS)
@told("全部考评", "All evaluations, newest first; a unit sees those that it takes part in.")
@blp.response(200, EvaluationSchema(many=True))
def list_evaluations() -> list[dict[str, Any]]:
    """List the evaluations that the caller may read."""
    staff = current_staff()
    with services().database.read() as connection:
        found = []
        for one in evaluations.evaluations(connection):
            units = {unit.id for unit in evaluations.units_of(connection, one.id)}
            if staff.role != "unit" or staff.unit_id in units:
                found.append(_shown(connection, one))
        return found


@blp.route("/evaluations/<evaluation>", parameters=[EVALUATION])
@allow(*READERS)
@told("一次考评", "One evaluation.")
@blp.response(200, EvaluationSchema())
def show_evaluation(evaluation: str) -> dict[str, Any]:
    """Show one evaluation."""
    with reading(evaluation) as look:
        return _shown(look.connection, look.evaluation)


@blp.route("/evaluations/<evaluation>/results", parameters=[EVALUATION])
@allow(*READERS)
@told(
    "综合得分",
    "Composites with standard error and 95 % interval, grade and probability, rank interval.",
)
@blp.response(200, ResultsSchema())
def show_results(evaluation: str) -> dict[str, Any]:
    """Show the composites, or what is missing for them."""
    with reading(evaluation) as look:
        report = look.report()
        return _state(report) | {"units": report.units, "withheld": report.withheld}


@blp.route("/evaluations/<evaluation>/results/<unit>", parameters=[EVALUATION, UNIT])
@allow(*READERS)
@told(
    "一个单位的得分及其逐步计算", "One unit's result with every step of its arithmetic, its estimates and its ledger."
)
@blp.response(200, UnitTraceSchema())
def show_unit(evaluation: str, unit: str) -> dict[str, Any]:
    """Show the result of one unit down to articles and ledger entries."""
    with reading(evaluation) as look:
        if unit not in look.units:
            raise Refused("not_found", "unit")
        report = look.report()
        found = next((one for one in report.units if one.unit.code == unit), None)
        return _state(report) | {
            "result": found,
            "withheld": [one for one in report.withheld if one.unit.code == unit],
            "trace": trace_of(report, unit, masked=current_staff().role != "office"),
            "estimates": [one for one in report.estimates if one.unit.code == unit],
            "ledger": [one for one in report.ledger if one.unit.code == unit],
        }


@blp.route("/evaluations/<evaluation>/estimates", parameters=[EVALUATION])
@allow(*READERS)
@told("各评议主体的评价", "What each respondent group says of each unit, with its error; small cells are hidden.")
@blp.arguments(ByUnit(), location="query", as_kwargs=True)
@blp.response(200, EstimateSchema(many=True))
def list_estimates(evaluation: str, unit: str | None = None) -> list[GroupResult]:
    """List the estimates by group and unit."""
    with reading(evaluation) as look:
        return [one for one in look.report().estimates if unit in {None, one.unit.code}]


@blp.route("/evaluations/<evaluation>/ledger", parameters=[EVALUATION])
@allow(*READERS)
@told("扣分台账", "The deduction ledger in sequence; a unit sees its own entries, at any time.")
@blp.arguments(ByUnit(), location="query", as_kwargs=True)
@blp.response(200, LedgerLineSchema(many=True))
def list_ledger(evaluation: str, unit: str | None = None) -> list[LedgerLine]:
    """List the ledger."""
    with reading(evaluation) as look:
        units = [one for one in look.units.values() if unit in {None, one.code}]
        return read_ledger(look.connection, look.evaluation.id, units)


@blp.route("/evaluations/<evaluation>/progress", parameters=[EVALUATION])
@allow(*OFFICES)
@told("评议进度", "Codes issued (or people drawn) and spent, answers counted and the response rate, by group.")
@blp.response(200, ProgressSchema(many=True))
def list_progress(evaluation: str) -> list[GroupProgress]:
    """List how far each group has come."""
    with reading(evaluation) as look:
        return read_progress(look.connection, look.evaluation.id)


@blp.route("/evaluations/<evaluation>/input", parameters=[EVALUATION])
@allow(*OFFICES)
@told(
    "综合得分的全部输入",
    "Everything that the composite was computed from, in the exchange format: save it and run mingcha score to"
    " recompute. Internal, not for publication: it holds the groups' unrounded scores, those that are hidden everywhere"
    " else among them.",
)
@blp.response(200, {"type": "object", "description": "what `mingcha score` reads"})
def show_input(evaluation: str) -> Response:
    """Show the document that the composite was computed from."""
    with reading(evaluation) as look:
        composite = shown_composite(look.connection, look.evaluation.id)
        if composite is None:
            raise Refused("not_computed")
        return jsonify(composite.input)


def trace_of(report: Report, unit: str, *, masked: bool) -> list[dict[str, Any]]:
    """The trace of a unit, empty where its composite is withheld. Masked, the figures of hidden cells are left out."""
    output = report.composite.output if report.composite else None
    told = output["units"] if output and any(one.unit.code == unit for one in report.units) else ()
    row = next((one for one in told if one["id"] == unit), None)
    lines = [_without_rank(report, unit, line) for line in row["trace"]] if row else []
    hidden = {one.component for one in report.estimates if one.unit.code == unit and one.hidden}
    return list(masked_trace(lines, hidden)) if masked else lines


def _without_rank(report: Report, unit: str, line: dict[str, Any]) -> dict[str, Any]:
    """A line of the trace; a rank is told as the places that it may be, never by itself."""
    if line["step"] != "rank":
        return line
    place = next(one.place for one in report.units if one.unit.code == unit)
    return {**line, "result": {"best": place.best, "worst": place.worst}}


def _shown(connection: Connection, evaluation: Evaluation) -> dict[str, Any]:
    names = ("code", "year", "name_zh", "name_en", "scheme", "scheme_digest", "supplied_note", "simulated")
    shown = {name: getattr(evaluation, name) for name in names}
    return shown | {"published": is_published(connection, evaluation.id)}


def _state(report: Report) -> dict[str, Any]:
    composite = report.composite
    names = ("scheme_digest", "computed_at", "inputs_digest", "ledger_seq")
    return {
        "evaluation": report.evaluation.code,
        "simulated": report.evaluation.simulated,
        **{name: getattr(composite, name, None) for name in names},
        "problems": [_told(one) for one in composite.problems] if composite else [],
    }


def _told(problem: Mapping[str, Any]) -> dict[str, str]:
    fault = Fault(problem["code"], problem["path"], problem["facts"])
    return {"code": fault.code, "path": fault.path, "zh": say(fault, "zh"), "en": say(fault, "en")}
