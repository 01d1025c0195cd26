"""What the API and the downloads tell of an evaluation: one reading of the store, under one rule of disclosure.

The same cells stay hidden in every file and every view, for whoever asks (statistics.md, section 8).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from api.actions.concealed import Cell, Concealed, concealed_of
from api.actions.places import Place, places_of
from api.actions.publication import Since, shown_composite, since_publication
from api.store import evaluations, fieldwork, ledger, results, roll, surveys, tallies
from api.store.evaluations import Evaluation, Unit
from api.store.results import Composite
from survey_forms.estimation.bands import error_bands
from survey_forms.estimation.ranks import RankInterval
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.rank import group_of, groups_of

_NOTHING_SHOWN = {"n": None, "value": None, "se": None, "df": None, "low": None, "high": None, "flags": ()}


@dataclass(frozen=True, slots=True)
class UnitResult:
    """A unit's composite with its error; `grade_probability` is that of the grade given."""

    unit: Unit
    composite: Decimal
    grade: str | None
    grade_missing: str | None
    rank: int
    rank_in_class: int | None
    place: RankInterval  # where it may really stand among the `ranked` of its group, by itself
    jointly: RankInterval  # where all of them may stand at once
    ranked: int
    ranking_group: str  # those it is ranked with
    band: int  # units of one band of one ranking group cannot be told apart
    prize: str | None
    parts: Mapping[str, Decimal]
    cut_by_cap: Decimal
    consequences: Mapping[str, Any]
    se: float | None
    low: float | None
    high: float | None
    n: int | None
    flags: tuple[str, ...]
    grades: tuple[tuple[str, float], ...]

    @property
    def grade_probability(self) -> float | None:
        """The probability that the unit would keep its grade if everybody had been asked."""
        return dict(self.grades).get(self.grade or "")


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What a respondent group says of a unit, in points of 0..100; hidden ones carry no figure."""

    survey_id: int
    group: str
    group_zh: str
    group_en: str
    component: str
    unit: Unit
    hidden: bool
    n: int | None
    value: float | None
    se: float | None
    df: float | None
    low: float | None
    high: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A ledger entry, and the one that reversed it."""

    seq: int
    unit: Unit
    component: str
    aspect: str | None
    rule: str
    points: Decimal
    reverses: int | None
    reversed_by: int | None
    basis: str
    entered_at: datetime
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class GroupProgress:
    """How far a survey has come in a group: codes issued or people drawn, codes spent, answers counted."""

    survey_id: int
    group: str
    group_zh: str
    group_en: str
    issued: int
    spent: int
    counted: int

    @property
    def rate(self) -> float | None:
        """Answers by codes or people, all of them counted as eligible: the least of the response rates (AAPOR RR1)."""
        return self.spent / self.issued if self.issued else None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A unit whose composite nobody is told, with the code of the reason: not measured, or it gives a cell away."""

    unit: Unit
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one evaluation that may be told. `units` and the rest are empty while there is no composite."""

    evaluation: Evaluation
    composite: Composite | None  # the published one, once there is one
    since: Since | None  # what changed since its publication
    parts: Mapping[str, tuple[str, str]]  # top component → Chinese and English name, in the document's order
    units: tuple[UnitResult, ...]
    withheld: tuple[Withheld, ...]
    estimates: tuple[GroupResult, ...]
    ledger: tuple[LedgerLine, ...]


def read_report(connection: Connection, evaluation: Evaluation, only_unit: int | None = None) -> Report:
    """What may be told of an evaluation, of one unit alone where it is named (by its key)."""
    units = {
        unit.code: unit for unit in evaluations.units_of(connection, evaluation.id) if only_unit in {None, unit.id}
    }
    composite = shown_composite(connection, evaluation.id)
    secret = concealed_of(connection, evaluation.id)
    estimates: list[GroupResult] = []
    for survey_id in surveys.surveys_of(connection, evaluation.id):
        estimates += _estimates(connection, survey_id, units, secret.cells)
    scheme = load_scheme(evaluation.scheme)
    return Report(
        evaluation=evaluation,
        composite=composite,
        since=since_publication(connection, evaluation.id, composite),
        parts={component.key: (component.zh, component.en) for component in scheme.children()},
        units=tuple(_units(scheme, composite, units, secret)),
        withheld=tuple(
            Withheld(units[code], why)
            for code, why in sorted(secret.withheld.items())
            if code in units and composite and composite.output
        ),
        estimates=tuple(estimates),
        ledger=tuple(read_ledger(connection, evaluation.id, units.values())),
    )


def read_ledger(connection: Connection, evaluation_id: int, units: Iterable[Unit]) -> list[LedgerLine]:
    """The ledger of these units in sequence."""
    by_id = {unit.id: unit for unit in units}
    entries = [entry for entry in ledger.entries_of(connection, evaluation_id) if entry.unit_id in by_id]
    reversed_by = {entry.reverses: entry.seq for entry in entries if entry.reverses is not None}
    return [
        LedgerLine(
            entry.seq,
            by_id[entry.unit_id],
            entry.component,
            entry.aspect,
            entry.rule,
            entry.points,
            entry.reverses,
            reversed_by.get(entry.seq),
            entry.basis,
            entry.entered_at,
            entry.leaf_hash.hex(),
        )
        for entry in entries
    ]


def read_progress(connection: Connection, evaluation_id: int) -> list[GroupProgress]:
    """How far each group of each survey has come.

    An interview's code is made when somebody agreed to it: where interviewers reach people, those drawn are counted.
    """
    found = []
    for survey_id in surveys.surveys_of(connection, evaluation_id):
        codes = roll.codes_by_group(connection, survey_id)
        responded = tallies.respondents_by_stratum(tallies.respondents_of(connection, survey_id))
        strata = surveys.strata_of(connection, survey_id)
        plan = fieldwork.plan_of(connection, survey_id)
        work = roll.fieldwork_of(connection, survey_id) if plan else {}
        for group in surveys.groups_of(connection, survey_id):
            counted = sum(responded.get(one.code, 0) for one in strata if one.group == group.code)
            issued, spent = codes.get(group.code, (0, 0))
            if plan:
                drawn = sum(work[one.code].drawn for one in strata if one.group == group.code and one.code in work)
                issued = max(drawn, spent)
            found.append(GroupProgress(survey_id, group.code, group.name_zh, group.name_en, issued, spent, counted))
    return found


def _units(
    scheme: Scheme, composite: Composite | None, units: Mapping[str, Unit], secret: Concealed
) -> Iterable[UnitResult]:
    """The composites by error band; they are told, and persons counted, only where that gives no hidden cell away."""
    output = composite.output if composite else None
    if composite is None or output is None:
        return
    places = places_of(composite)
    names = {code: unit.name_zh for code, unit in units.items()}
    for row, band in _in_bands(scheme, output["units"], names, places):
        if row["id"] in units and row["id"] not in secret.withheld:
            error, place = composite.errors.get(row["id"], {}), places[row["id"]]
            yield UnitResult(
                unit=units[row["id"]],
                composite=Decimal(row["composite"]),
                grade=row["grade"],
                grade_missing=row.get("grade_missing"),
                rank=row["rank"],
                rank_in_class=row.get("rank_in_class"),
                place=place.alone,
                jointly=place.jointly,
                ranked=place.ranked,
                ranking_group=group_of(scheme, row.get("class", "")),
                band=band,
                prize=row.get("prize"),
                parts={key: Decimal(part) for key, part in row["parts"].items()},
                cut_by_cap=Decimal(row["cut_by_cap"]),
                consequences=row["consequences"],
                se=error.get("se"),
                low=error.get("low"),
                high=error.get("high"),
                n=None if row["id"] in secret.uncounted else error.get("n"),
                flags=tuple(error.get("flags", ())),
                grades=tuple((name, probability) for name, probability in error.get("grades", ())),
            )


def _in_bands(
    scheme: Scheme, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], places: Mapping[str, Place]
) -> list[tuple[Mapping[str, Any], int]]:
    """The rows with their error bands: group by group, best grade first, and by name among those not told apart.

    Chinese names go by the bytes of GB 18030, whose common characters are in the order of pinyin.
    """
    grades = {grade.name: number for number, grade in enumerate(scheme.grades)}
    found = []
    for number, members in enumerate(groups_of(scheme, [row.get("class", "") for row in rows]).values()):
        bands = error_bands([places[rows[one]["id"]].alone for one in members])
        for one, band in zip(members, bands, strict=True):
            row = rows[one]
            name = names.get(row["id"], "").encode("gb18030")
            found.append(((number, grades.get(row["grade"], len(grades)), band, name), row, band))
    return [(row, band) for _, row, band in sorted(found, key=lambda one: one[0])]


def _estimates(
    connection: Connection, survey_id: int, units: Mapping[str, Unit], hidden: Collection[Cell]
) -> list[GroupResult]:
    """A survey's estimates under the rule of disclosure."""
    rows = [row for row in results.estimates_of(connection, survey_id) if row["unit"] in units]
    by_code = {group.code: group for group in surveys.groups_of(connection, survey_id)}
    found = []
    for row in rows:
        group, is_hidden = by_code[row["group_code"]], (survey_id, row["unit"], row["group_code"]) in hidden
        shown: Mapping[str, Any] = _NOTHING_SHOWN if is_hidden else row
        found.append(
            GroupResult(
                survey_id=survey_id,
                group=group.code,
                group_zh=group.name_zh,
                group_en=group.name_en,
                component=group.component,
                unit=units[row["unit"]],
                hidden=is_hidden,
                flags=tuple(shown["flags"]),
                **{name: shown[name] for name in ("n", "value", "se", "df", "low", "high")},
            )
        )
    return found
