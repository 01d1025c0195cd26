"""Adjusted weights of an entry: post-stratified, raked or calibrated, as it says itself or an entry beside it does.

An entry such as `dclus1.rake.mean` does not repeat its margins: they are those of the entry `dclus1.rake`, or else of
the nearest entry before with the same data and design. A satisfaction survey is raked person by person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from survey_forms.estimation.calibrate import (
    KINDS,
    Distance,
    Margin,
    calibrate,
    indicators,
    r_rake_residuals,
    rake,
    residuals,
)
from survey_forms.estimation.design import Floats, Ints, SurveyDesign
from survey_forms.estimation.spec.data import MISSING, Table
from survey_forms.estimation.spec.request import Request
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief

Project = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The design with its weights `before` and after; `project`: what is left of an influence (n, k) of the latter."""

    survey: SurveyDesign
    before: Floats
    project: Project
    r_project: Project


OWN = {"poststratify": "population", "rake": "margins", "calibrate": "totals"}
"""What says how, in the arguments of each statistic that adjusts."""


def adjusted(request: Request, kind: str) -> Adjusted:
    """The weights that the entry's `kind` ("poststratify", "rake", "calibrate") gives its units.

    Raises:
        Refused: nobody says how; the totals or the data do not allow it.
    """
    teller = _teller(request, kind)
    if kind == "calibrate" and teller is not None:
        return _calibrated(request, teller)
    if teller is None:
        if kind != "rake" or request.satisfaction is None:
            raise Refused("estimate_argument_missing", request.place(OWN[kind]), statistic=request.statistic)
        margins = _margins_of_file(request)
    else:
        margins = _post_strata(request, teller) if kind == "poststratify" else _margins(request, teller)
    before = units(request)
    factors = rake(before.weights, margins).factors
    return _adjusted(before, factors, indicators(margins), [margin.codes for margin in margins])


def units(request: Request) -> SurveyDesign:
    """The design of what is weighed: the rows of a table, the respondents of a satisfaction survey."""
    return request.survey if request.satisfaction is None else request.satisfaction.person_design()


def _adjusted(survey: SurveyDesign, factors: Floats, traits: Floats, codes: Sequence[Ints]) -> Adjusted:
    after = survey.weights * factors
    return Adjusted(
        replace(survey, weights=after),
        survey.weights,
        lambda influence: residuals(influence, survey.weights, after, traits),
        lambda influence: r_rake_residuals(influence, after, codes),
    )


def _teller(request: Request, kind: str) -> Request | None:
    """The entry that says how: this one, one whose id this one's continues, or the nearest before."""
    if OWN[kind] in request.args:
        return request
    named = request.prefix()
    while named is not None and named.dataset == request.dataset:
        if named.statistic == kind:
            return named
        named = named.prefix()
    found = request.earlier(kind)
    wanted = request.args.get("calfun")
    while found is not None and wanted is not None and found.args.get("calfun") != wanted:
        found = found.earlier(kind)
    return found


def _columns(request: Request) -> tuple[Table, Ints | None]:
    """The table whose columns tell traits, and the rows of it that are weighed (None for all)."""
    survey = request.satisfaction
    return (request.table, None) if survey is None else (survey.cases, survey.respondents)


def _margin(request: Request, teller: Request, columns: Sequence[str], levels: Any, totals: Any) -> Margin:
    """A margin over the combinations of columns; `levels` as the entry gives them."""
    name = "+".join(columns)
    good = isinstance(levels, list) and isinstance(totals, list) and len(levels) == len(totals) > 0
    if not good or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in totals):
        raise teller.wrong(name, '{"levels": […], "totals": […]}')
    wanted = ["|".join(_word(part) for part in (one if isinstance(one, list) else [one])) for one in levels]
    if len(set(wanted)) < len(wanted):
        raise teller.wrong(name, "levels, each once")
    number = {level: code for code, level in enumerate(wanted)}
    table, rows = _columns(request)
    parts = [table.labels(column, teller.place(name)) for column in columns]
    chosen = [part.codes if rows is None else part.codes[rows] for part in parts]
    shape = [len(part.levels) + 1 for part in parts]  # the last place of each is for a missing value
    whole = np.ravel_multi_index(
        [np.where(code == MISSING, size - 1, code) for code, size in zip(chosen, shape, strict=True)], shape
    )
    translate = np.full(int(np.prod(shape)), MISSING, dtype=np.int64)
    for place in np.unique(whole).tolist():
        at = [int(one) for one in np.unravel_index(place, shape)]
        if all(one < len(part.levels) for one, part in zip(at, parts, strict=True)):
            level = "|".join(part.levels[one] for one, part in zip(at, parts, strict=True))
            translate[place] = number.get(level, MISSING)
    return Margin(name, translate[whole], tuple(wanted), np.asarray(totals, dtype=np.float64))


def _post_strata(request: Request, teller: Request) -> list[Margin]:
    population = teller.args.get("population")
    if not isinstance(population, Mapping):
        raise teller.wrong("population", '{"levels": […], "totals": […]}')
    return [_margin(request, teller, teller.names("by"), population.get("levels"), population.get("totals"))]


def _margins(request: Request, teller: Request) -> list[Margin]:
    """`margins`: {variable: {levels, totals}}, or a list of {variable, levels, totals}."""
    raw = teller.args.get("margins")
    listed = raw
    if isinstance(raw, Mapping):
        listed = [isinstance(one, Mapping) and {"variable": name, **one} for name, one in raw.items()]
    if not isinstance(listed, list) or not listed:
        raise teller.wrong("margins", '{"column": {"levels": […], "totals": […]}}')
    found = []
    for one in listed:
        if not isinstance(one, Mapping) or not isinstance(one.get("variable"), str):
            raise teller.wrong("margins", '{"column": {"levels": […], "totals": […]}}')
        columns = [part.strip() for part in one["variable"].removeprefix("~").split("+")]
        found.append(_margin(request, teller, columns, one.get("levels"), one.get("totals")))
    return found


def _margins_of_file(request: Request) -> list[Margin]:
    """The file of margins, and the strata's own sizes."""
    survey = request.satisfaction
    if survey is None:
        return []
    strata, sizes = survey.cases.labels("stratum", "cases"), survey.cases.numbers("N_h", "cases")
    own = [float(sizes[strata.codes == code][0]) for code in range(len(strata.levels))]
    tables: dict[str, dict[str, float]] = {"stratum": dict(zip(strata.levels, own, strict=True))}
    table = survey.margins
    names = (table.texts(column, "margins") for column in ("variable", "level"))
    for variable, level, total in zip(*names, table.numbers("population", "margins").tolist(), strict=True):
        tables.setdefault(variable, {})[level] = total
    return [_margin(request, request, [name], list(one), list(one.values())) for name, one in tables.items()]


def _calibrated(request: Request, teller: Request) -> Adjusted:
    """Calibration to the columns that `totals` names, as R's model matrix names them."""
    totals = teller.args.get("totals")
    names, values = (totals.get(key) if isinstance(totals, Mapping) else None for key in ("names", "values"))
    if not isinstance(names, list) or not isinstance(values, list) or len(names) != len(values) or not names:
        raise teller.wrong("totals", '{"names": […], "values": […]}')
    wanted = np.array([value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64)
    if not np.isfinite(wanted).all():
        raise teller.wrong("totals", "[number, …]")
    columns = teller.names("formula", _columns(request)[0].columns)
    traits = np.column_stack([_trait(request, teller, str(name), columns) for name in names])
    bounds = teller.numbers("bounds", (-np.inf, np.inf))
    if len(bounds) != 2:
        raise teller.wrong("bounds", "[low, high]")
    kind = teller.text("calfun", "linear", of=KINDS)
    before = units(request)
    return _adjusted(before, calibrate(before.weights, traits, wanted, Distance(kind, *bounds)), traits, [])


def _trait(request: Request, teller: Request, name: str, columns: Sequence[str]) -> Floats:
    """A column of the model matrix: 1, a column of numbers, or 0/1 for a level of a column of words."""
    table, rows = _columns(request)
    place = teller.place("formula")
    size = table.rows if rows is None else len(rows)
    if name == "(Intercept)":
        return np.ones(size)
    if name in columns and table.is_number(name, place):
        found = table.numbers(name, place)
    else:
        column = max((one for one in columns if name.startswith(one) and name != one), key=len, default=None)
        labels = None if column is None else table.labels(column, place)
        level = name[len(column) :] if column is not None else ""
        if labels is None or level not in labels.levels:
            raise Refused("estimate_level_unknown", place, level=brief(name), known=", ".join(columns))
        found = np.where(labels.codes == MISSING, np.nan, labels.codes == labels.levels.index(level))
    found = found if rows is None else found[rows]
    if np.isnan(found).any():
        raise Refused("margin_code_missing", name, row=int(np.argmax(np.isnan(found))) + 1)
    return found


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if isinstance(value, str) else f"{value:.15g}" if isinstance(value, int | float) else brief(value)
