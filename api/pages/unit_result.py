"""One unit's result down to its inputs: what the office sees of every unit, and a unit of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from markupsafe import Markup
from sqlalchemy import Connection

from api.actions.concealed import masked_trace
from api.actions.publication import Moved, Since, is_published, units_moved
from api.actions.report import GroupResult, LedgerLine, Report, read_report
from api.pages.charts import Mark, interval_chart
from api.pages.progress import document_order
from api.pages.render import named, t
from api.pages.shown import WEAK, Standing, standings
from api.pages.ui import points
from api.store import evaluations, indicators, results
from api.store import ledger as entries
from api.store.evaluations import Evaluation, Unit
from api.store.results import Composite
from survey_forms.refusal import Refused
from survey_forms.scheme.components import Component
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Scheme

STEPS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("entry",), "台账里的每一笔", "Every entry of the ledger"),
    (("component",), "各项得分", "Score by component"),
    (("part", "total", "composite"), "合成与修约", "Adding up and rounding"),
    (("grade", "binding", "rank", "prize"), "等次与名次", "Grade and rank"),
    (("consequence",), "结果运用", "Consequences"),
)


@dataclass(frozen=True, slots=True)
class GroupScore:
    """What one respondent group said of the unit, and what a point of it (of 100) moves the composite by."""

    result: GroupResult
    effect: Decimal | None

    @property
    def is_weak(self) -> bool:
        """Whether so few answered that the score is an orientation only."""
        return bool(WEAK & set(self.result.flags))

    @property
    def is_measured(self) -> bool:
        """Whether there is a score that may be shown."""
        return self.result.value is not None and "not_measured" not in self.result.flags


@dataclass(frozen=True, slots=True)
class UnitPage:
    """Everything a page shows of one unit. `is_open`: whether the results may be shown to who looks."""

    unit: Unit
    scheme: Scheme
    composite: Composite | None
    standing: Standing | None
    groups: Sequence[GroupScore]
    ledger: Sequence[LedgerLine]
    scores: Sequence[tuple[Component | None, str, Decimal]]  # component, its path, points
    evidence: Mapping[int, Sequence[str]]  # ledger entry → SHA-256 of its photos
    trace: Sequence[Mapping[str, Any]]
    is_open: bool
    withheld: str | None  # why nobody is told its composite
    since: Since | None  # what changed in its ledger since the publication
    moved: Moved | None  # what it has now instead, where that is known and another figure

    @property
    def holds_hidden(self) -> bool:
        """Whether its inputs hold figures that may not be told outside."""
        return any(one.result.hidden for one in self.groups)

    @property
    def steps(self) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
        """The trace under its headings: (Chinese, English, lines); headings without a line are left out."""
        listed = [(zh, en, [line for line in self.trace if line["step"] in steps]) for steps, zh, en in STEPS]
        return [step for step in listed if step[2]]


def office_page(connection: Connection, evaluation: Evaluation, unit_code: str) -> UnitPage:
    """The unit of that code as the office sees it: every figure, those told to be hidden outside included.

    Raises:
        Refused: `not_found`.
    """
    shown = _page(connection, evaluation, unit_code)
    return replace(shown, groups=_unhidden(connection, shown))


def own_page(connection: Connection, evaluation: Evaluation, unit_code: str) -> UnitPage:
    """A unit's own page: before publication its ledger and indicators alone, afterwards all but the hidden cells.

    A score that moved with every answer would tell the answers.
    """
    shown = _page(connection, evaluation, unit_code)
    if not is_published(connection, evaluation.id):
        return replace(
            shown, composite=None, standing=None, groups=(), trace=(), is_open=False, withheld=None, since=None
        )
    return replace(shown, trace=_masked(shown))


def group_chart(shown: UnitPage) -> Markup:
    """The groups' scores as a picture, on the scale of the answers."""
    marks = [
        Mark(
            t(one.result.group_zh, one.result.group_en),
            one.result.value if one.is_measured else None,
            one.result.low,
            one.result.high,
            _end_words(one),
            one.is_weak,
        )
        for one in shown.groups
    ]
    return interval_chart(
        marks,
        t(f"{named(shown.unit)}：各群体评价", f"{named(shown.unit)}: scores by group"),
        t("每个群体一行：点是得分（0 至 100），条是 95% 区间。", "A line a group: score (0 to 100), 95% interval."),
    )


def _end_words(one: GroupScore) -> str:
    """What stands at the end of a group's line."""
    if one.is_measured:
        return f"{points(one.result.value, 1)} (n = {one.result.n})"
    return t("不公布", "not published") if one.result.hidden else t("未测", "not measured")


def _page(connection: Connection, evaluation: Evaluation, unit_code: str) -> UnitPage:
    unit = next((one for one in evaluations.units_of(connection, evaluation.id) if one.code == unit_code), None)
    if unit is None:
        raise Refused("not_found", "unit")
    scheme = load_scheme(evaluation.scheme)
    report = read_report(connection, evaluation)
    output = report.composite.output if report.composite else None
    row: dict[str, Any] = next((one for one in output["units"] if one["id"] == unit_code), {}) if output else {}
    scores = indicators.scores_of(connection, evaluation.id)
    moved = report.composite.errors.get(unit_code, {}).get("coefficients", {}) if report.composite else {}
    per_point = scheme.composite.scale / 100 if scheme.composite else Decimal(1)
    place = document_order(scheme)
    since, now_told = _since(report, unit)
    estimates = {one.component: one for one in report.estimates if one.unit.code == unit_code}
    return UnitPage(
        unit=unit,
        scheme=scheme,
        composite=report.composite,
        standing=next((one for one in standings(report) if one.result.unit.code == unit_code), None),
        groups=[
            GroupScore(one, Decimal(moved[path]) * per_point if path in moved else None)
            for path, one in sorted(estimates.items(), key=lambda item: place(item[0]))
        ],
        ledger=[line for line in report.ledger if line.unit.code == unit_code],
        scores=[(scheme.by_path.get(path), path, value) for (code, path), value in scores.items() if code == unit_code],
        evidence=entries.evidence_of(connection, unit.id),
        trace=row.get("trace", ()),
        is_open=True,
        withheld=next((one.why for one in report.withheld if one.unit.code == unit_code), None),
        since=since,
        moved=now_told,
    )


def _since(report: Report, unit: Unit) -> tuple[Since | None, Moved | None]:
    """What a unit is told of the time since the publication: its own entries, and its own figure of now."""
    since = report.since
    if since is None or report.composite is None:
        return None, None
    is_told = any(one.unit.id == unit.id for one in report.units)
    moved = units_moved(report.composite, since.recount).get(unit.code) if since.recount and is_told else None
    own = replace(since, entries=tuple(one for one in since.entries if one.unit_id == unit.id))
    return (own if own.entries or moved else None), moved


def _unhidden(connection: Connection, shown: UnitPage) -> list[GroupScore]:
    """The groups with the figures that outsiders do not see; `hidden` still tells which those are."""
    rows = {
        (survey_id, row["group_code"]): row
        for survey_id in {one.result.survey_id for one in shown.groups}
        for row in results.estimates_of(connection, survey_id)
        if row["unit"] == shown.unit.code
    }
    found = []
    for one in shown.groups:
        row = rows[one.result.survey_id, one.result.group]
        figures = {name: row[name] for name in ("value", "se", "low", "high", "n")}
        found.append(replace(one, result=replace(one.result, **figures, flags=tuple(row["flags"]))))
    return found


def _masked(shown: UnitPage) -> list[Mapping[str, Any]]:
    """The trace without the figures of hidden cells and the formulas that spell them."""
    hidden = {one.result.component for one in shown.groups if one.result.hidden}
    words = t("（含未公布的数）", "(holds unpublished figures)")
    lines = zip(shown.trace, masked_trace(shown.trace, hidden), strict=True)
    return [told | {"formula": words} if told["formula"] != line["formula"] else told for line, told in lines]
