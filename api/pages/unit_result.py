"""One unit's result down to its inputs: what the office sees of every unit, and a unit of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from api.pages.charts import Mark, interval_chart
from api.pages.progress import groups_in_order
from api.pages.render import named, t
from api.pages.shown import WEAK, Standing, standings
from api.pages.ui import points
from api.store import evaluations, indicators, ledger, results, surveys
from api.store.evaluations import Evaluation, Unit
from api.store.ledger import Entry
from api.store.results import Composite
from api.store.surveys import Group
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
    """What one respondent group said of the unit (points of 0..100), and what a point of it moves the composite by."""

    group: Group
    value: float | None
    se: float | None
    low: float | None
    high: float | None
    n: int
    flags: tuple[str, ...]
    coefficient: Decimal | None

    @property
    def is_weak(self) -> bool:
        """Whether so few answered that the score is an orientation only."""
        return bool(WEAK & set(self.flags))

    @property
    def is_measured(self) -> bool:
        """Whether the score may be shown at all."""
        return self.value is not None and "not_measured" not in self.flags


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An entry of the unit, the reversal that took it back, and its component's name."""

    entry: Entry
    reversed_by: int | None
    component: Component | None


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Everything a page shows of one unit."""

    unit: Unit
    scheme: Scheme
    composite: Composite | None
    standing: Standing | None
    groups: Sequence[GroupScore]
    entries: Sequence[LedgerLine]
    scores: Sequence[tuple[Component | None, str, Decimal]]  # component, its path, points

    @property
    def steps(self) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
        """The trace under its headings: (Chinese, English, lines); headings without a line are left out."""
        trace = self.standing.trace if self.standing else ()
        listed = [(zh, en, [line for line in trace if line["step"] in steps]) for steps, zh, en in STEPS]
        return [step for step in listed if step[2]]


def result_of(connection: Connection, evaluation: Evaluation, unit_code: str) -> UnitResult:
    """The result of the unit of that code.

    Raises:
        Refused: `not_found`.
    """
    units = evaluations.units_of(connection, evaluation.id)
    unit = next((one for one in units if one.code == unit_code), None)
    if unit is None:
        raise Refused("not_found", "unit")
    scheme = load_scheme(evaluation.scheme)
    composite = results.latest_composite(connection, evaluation.id)
    ranked = standings(scheme, units, composite) if composite else []
    scores = indicators.scores_of(connection, evaluation.id)
    return UnitResult(
        unit=unit,
        scheme=scheme,
        composite=composite,
        standing=next((one for one in ranked if one.unit.code == unit_code), None),
        groups=_group_scores(connection, evaluation, unit, composite),
        entries=_ledger_lines(connection, evaluation, unit, scheme),
        scores=[(scheme.by_path.get(path), path, value) for (code, path), value in scores.items() if code == unit_code],
    )


def group_chart(result: UnitResult) -> str:
    """The groups' scores as a picture, on the scale of the answers."""
    marks = [
        Mark(
            named(one.group),
            one.value if one.is_measured else None,
            one.low,
            one.high,
            f"{points(one.value, 1)} (n = {one.n})" if one.is_measured else t("未测", "not measured"),
            one.is_weak,
        )
        for one in result.groups
    ]
    return interval_chart(
        marks,
        t(f"{named(result.unit)}：各群体评价", f"{named(result.unit)}: scores by group"),
        t("每个群体一行：点是得分（0 至 100），条是 95% 区间。", "A line a group: score (0 to 100), 95% interval."),
    )


def _group_scores(
    connection: Connection, evaluation: Evaluation, unit: Unit, composite: Composite | None
) -> list[GroupScore]:
    survey_ids = surveys.surveys_of(connection, evaluation.id)
    if not survey_ids:
        return []
    estimates = results.estimates_of(connection, survey_ids[-1])
    rows = {row["group_code"]: row for row in estimates if row["unit"] == unit.code}
    moved = composite.errors.get(unit.code, {}).get("coefficients", {}) if composite else {}
    found = []
    for group in groups_in_order(connection, survey_ids[-1], load_scheme(evaluation.scheme)):
        row = rows.get(group.code)
        coefficient = Decimal(moved[group.component]) if group.component in moved else None
        if row is None:
            found.append(GroupScore(group, None, None, None, None, 0, (), coefficient))
            continue
        figures = (row["value"], row["se"], row["low"], row["high"], row["n"])
        found.append(GroupScore(group, *figures, tuple(row["flags"]), coefficient))
    return found


def _ledger_lines(connection: Connection, evaluation: Evaluation, unit: Unit, scheme: Scheme) -> list[LedgerLine]:
    entries = ledger.entries_of(connection, evaluation.id, unit.id)
    gone = {entry.reverses: entry.seq for entry in entries if entry.reverses is not None}
    return [LedgerLine(entry, gone.get(entry.seq), scheme.by_path.get(entry.component)) for entry in entries]
