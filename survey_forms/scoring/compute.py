"""`score`: one document of the exchange format in, every published figure out. The same for every scheme."""

from collections.abc import Mapping, Sequence
from decimal import localcontext
from typing import Any

from survey_forms.numbers import EXACT, competition_ranks, plain, published
from survey_forms.refusal import Refused
from survey_forms.scheme.components import Rounding
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.composite import Scored, reckon
from survey_forms.scoring.consequences import Standing, consequences, numbers_among
from survey_forms.scoring.grade import bands_of, grade_by_band, grades_by_share, limited, missing_grades
from survey_forms.scoring.intake import Intake
from survey_forms.scoring.plan import plan_for, zeroed_paths
from survey_forms.scoring.rank import groups_of, prizes, ranks_within
from survey_forms.scoring.supplied import Supplied, read_supplied
from survey_forms.scoring.trace import Outcome, trace_of
from survey_forms.scoring.unit import NamedUnit, UnitFacts, read_unit


def score(document: Mapping[str, Any], *, trace: bool = False) -> dict[str, Any]:
    """Composites, grades, ranks and consequences of the units of one document.

    Args:
        document: the parsed input, as docs/adding_a_scheme.md shows it.
        trace: give each unit its `trace`: the lines by which a person can check the figure by hand.

    Returns:
        `{"scheme", "scheme_digest", "units": [...]}`, figures as decimal strings, units in the input's order.

    Raises:
        Refused: everything that is wrong with the input, each with its path.
    """
    intake = Intake()
    document = intake.table(document, "input")
    intake.refuse()
    scheme_id = intake.text(document.get("scheme"), "scheme")
    if not scheme_id:
        intake.refuse()
    intake.keys(document, ("scheme", "supplied", "units"), "", need=False)
    if document.get("units") == []:
        intake.fault("no_units", "units")
    return score_by(load_scheme(scheme_id), document, intake, trace=trace)


def score_by(
    scheme: Scheme, document: Mapping[str, Any], intake: Intake | None = None, *, trace: bool = False
) -> dict[str, Any]:
    """Like `score`, by a scheme that is already at hand."""
    if scheme.composite is None or scheme.rounding is None:
        raise Refused("no_composite", "scheme", id=scheme.id, zh=scheme.zh, en=scheme.en)
    with localcontext(EXACT):
        supplied, scored = _read_and_reckon(scheme, scheme.rounding, document, intake or Intake(), trace=trace)
        units = _placed(scheme, supplied, scored, trace=trace)
    return {"scheme": scheme.id, "scheme_digest": scheme.digest, "units": units}


def _read_and_reckon(
    scheme: Scheme, rounding: Rounding, document: Mapping[str, Any], intake: Intake, *, trace: bool
) -> tuple[Supplied, list[Scored]]:
    """Every unit's composite, or a refusal that names everything wrong with the input.

    Only a trace looks at the scores again: without one they are let go unit by unit.
    """
    named = _named(scheme, intake.items(document.get("units"), "units"), intake)
    raw_supplied = intake.table(document.get("supplied", {}), "supplied")
    supplied = read_supplied(scheme, raw_supplied, {one.id: one.unit_class for one in named}, intake)
    if not supplied.names_components(scheme):
        intake.refuse()  # without the table that says which scores there are, every unit would seem to be at fault
    plans = {unit_class: plan_for(scheme, supplied, unit_class) for unit_class in {one.unit_class for one in named}}
    scored: list[Scored] = []
    for one in named:
        plan = plans[one.unit_class]
        if one.id in supplied.unit_shares:
            plan = plan_for(scheme, supplied, one.unit_class, supplied.unit_shares[one.id])
        unit = read_unit(scheme, plan, one, intake)
        zeroed = _zeroed(scheme, supplied, unit, intake)
        if not intake.faults:
            reckoning = reckon(plan, unit, zeroed)
            result = Scored(unit, plan, reckoning, published(reckoning.total, rounding.places, rounding.mode))
            scored.append(result if trace else result.figures_only())
    intake.refuse()
    return supplied, scored


def _named(scheme: Scheme, raw_units: Sequence[Any], intake: Intake) -> list[NamedUnit]:
    """Every unit with its id and class; one whose class is not known is left out, its fault noted."""
    classes = [entry.id for entry in scheme.classes]
    named: list[NamedUnit] = []
    seen: set[str] = set()
    for place, raw in enumerate(raw_units):
        path = f"units[{place}]"
        table = intake.table(raw, path)
        if table is not raw:
            continue
        unit_id = intake.text(table.get("id"), f"{path}.id")
        if unit_id and unit_id in seen:
            intake.fault("duplicate_id", f"{path}.id", value=unit_id)
        seen.add(unit_id)
        unit_class = intake.text(table.get("class"), f"{path}.class") if classes else ""
        if not classes or intake.known(unit_class, classes, f"{path}.class"):
            named.append(NamedUnit(unit_id, unit_class, table, path))
    return named


def _zeroed(scheme: Scheme, supplied: Supplied, unit: UnitFacts, intake: Intake) -> list[str]:
    """The components that the violated conditions set to zero; which they are must have been supplied."""
    paths: list[str] = []
    left_out = {entry.path: entry for entry in scheme.left_out if entry.kind == "zeroed"}
    for binding in scheme.bindings:
        if binding.id in unit.violated and binding.zeroes:
            if binding.zeroes in left_out and binding.zeroes not in supplied.zeroed:
                entry = left_out[binding.zeroes]
                path = f"supplied.{entry.path}.{binding.id}"
                intake.fault("supplied_missing", path, zh=entry.zh, en=entry.en)
            paths += zeroed_paths(scheme, supplied, binding.id)
    return paths


def _placed(scheme: Scheme, supplied: Supplied, scored: Sequence[Scored], *, trace: bool) -> list[dict[str, Any]]:
    """Grades, ranks, prizes and consequences: what depends on how the others did."""
    figures = [one.published for one in scored]
    classes = [one.unit.unit_class for one in scored]
    groups = groups_of(scheme, classes)
    ranks, within = competition_ranks(figures), ranks_within(groups, figures)
    grades = _grades(scheme, supplied, scored, groups, within)
    won = prizes(scheme, classes, figures)
    this_year = _this_year(scheme, scored)
    units = []
    for place, one in enumerate(scored):
        at = Standing(one.unit, grades[place], ranks[place], len(scored), supplied.percents, this_year)
        follows = consequences(scheme.consequences, at)
        numbers = numbers_among(scheme.consequences, at) if trace else {}
        outcome = Outcome(grades[place], ranks[place], within[place], won[place], follows, numbers)
        shown = _shown(scheme, one, outcome)
        if trace:
            shown["trace"] = trace_of(scheme, one, outcome, supplied)
        units.append(shown)
    return units


def _grades(
    scheme: Scheme,
    supplied: Supplied,
    scored: Sequence[Scored],
    groups: Mapping[str, Sequence[int]],
    within: Sequence[int],
) -> list[str | None]:
    """Each unit's grade after binding conditions; None where nobody stated how grades are given."""
    bands = bands_of(scheme, supplied)
    grades: list[str | None] = [None] * len(scored)
    if bands is not None:
        grades = [grade_by_band(one.published, bands) for one in scored]
    elif scheme.grades:
        for members in groups.values():
            given = grades_by_share(scheme, supplied.grade_shares, [within[one] for one in members])
            for place, grade in zip(members, given, strict=True):
                grades[place] = grade
    names = [name for name, _ in bands] if bands else [grade.name for grade in scheme.grades]
    by_id = {binding.id: binding for binding in scheme.bindings}
    return [
        limited(grade, names, [by_id[condition] for condition in one.unit.violated])
        for grade, one in zip(grades, scored, strict=True)
    ]


def _this_year(scheme: Scheme, scored: Sequence[Scored]) -> int:
    """The year after the latest that any unit's records name: the records are of the years before."""
    latest = 0
    for repeated in (when.repeated for entry in scheme.consequences for when in entry.when if when.repeated):
        for one in scored:
            for record in one.unit.records.get(repeated.facts, ()):
                latest = max(latest, record[repeated.year])
    return latest + 1


def _shown(scheme: Scheme, one: Scored, outcome: Outcome) -> dict[str, Any]:
    """The unit as the exchange format prints it."""
    shown: dict[str, Any] = {"id": one.unit.id}
    if scheme.classes:
        shown["class"] = one.unit.unit_class
    shown |= {"composite": f"{one.published:f}", "grade": outcome.grade}
    if outcome.grade is None:
        shown["grade_missing"] = missing_grades(scheme)
    shown["parts"] = {key: plain(part) for key, part in one.reckoning.parts.items()}
    shown["cut_by_cap"] = plain(one.reckoning.cut)
    shown["rank"] = outcome.rank
    if scheme.classes:
        shown["rank_in_class"] = outcome.rank_in_class
    if outcome.prize is not None:
        shown["prize"] = outcome.prize
    shown["consequences"] = outcome.consequences
    return shown
