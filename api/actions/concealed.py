"""Which figures of an evaluation nobody is told: cells of its surveys, and composites that would give one away.

The composite and its parts are published, and their weights are known. So of all cells that feed one part of a unit's
composite, of whatever survey, either none is hidden or two: one alone could be worked out. Where no second one can be
hidden, the unit's composite is withheld. It is withheld too where fewer than 10 persons spoke in every group of a
surveyed part: such a unit is not measured (statistics.md, sections 6 and 8).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.store import results, surveys
from survey_forms.disclosure import THRESHOLD, Hidden, hidden_figures
from survey_forms.estimation.scores import SOUND_FROM, Flag

Cell = tuple[int, str, str]
"""survey, unit, group"""

Rows = Mapping[int, Sequence[Mapping[str, Any]]]
"""survey → its estimates as they are kept, surveys oldest first"""

NOT_MEASURED, GIVES_AWAY = "not_measured", "gives_away"
"""Why a composite is withheld; the codes of the sentences."""


@dataclass(frozen=True, slots=True)
class Concealed:
    """What may not be told. `uncounted`: units whose number of persons; `withheld`: unit → why its composite."""

    cells: frozenset[Cell]
    uncounted: frozenset[str]
    withheld: Mapping[str, str]


def concealed_of(connection: Connection, evaluation_id: int) -> Concealed:
    """What of an evaluation stays hidden, in every file and view, for whoever asks."""
    rows: dict[int, Sequence[Mapping[str, Any]]] = {}
    component: dict[tuple[int, str], str] = {}
    for survey_id in surveys.surveys_of(connection, evaluation_id):
        rows[survey_id] = results.estimates_of(connection, survey_id)
        component |= {(survey_id, one.code): one.component for one in surveys.groups_of(connection, survey_id)}
    return concealed(rows, component)


def concealed(rows: Rows, component: Mapping[tuple[int, str], str]) -> Concealed:
    """What stays hidden of these estimates.

    Args:
        rows: estimates by survey.
        component: (survey, group) → the path of the scheme's component that it feeds.
    """
    persons = {
        survey: {(row["unit"], row["group_code"]): row["n"] for row in listed} for survey, listed in rows.items()
    }
    also = {
        survey: [(row["unit"], row["group_code"]) for row in listed if _tells_of_everyone(row)]
        for survey, listed in rows.items()
    }
    parts = _parts(persons, component)
    hidden = _hidden(persons, also)
    while more := list(_partners(parts, hidden)):
        for survey, unit, group in more:
            also[survey].append((unit, group))
        hidden = _hidden(persons, also)
    cells = frozenset((survey, *cell) for survey, one in hidden.items() for cell in one.cells)
    uncounted = frozenset(unit for one in hidden.values() for unit in one.rows)
    return Concealed(cells, uncounted, _withheld(parts, cells))


def masked_trace(lines: Iterable[Mapping[str, Any]], hidden: Collection[str]) -> Iterator[dict[str, Any]]:
    """A unit's trace without the figures of hidden components.

    Args:
        lines: of the trace.
        hidden: paths of the components that a hidden cell feeds.

    Yields:
        Every line: inputs of hidden components have no value, formulas that spell one are empty, and a component
        between a hidden one and the part that is published has no result.
    """
    for line in lines:
        secret = [one.get("path") in hidden or _is_between(one.get("path"), hidden) for one in line["inputs"]]
        inputs = [{**one, "value": None} if is_so else one for one, is_so in zip(line["inputs"], secret, strict=True)]
        told = {**line, "inputs": inputs, "formula": "" if any(secret) else line["formula"]}
        within = line["path"] in hidden or _is_between(line["path"], hidden)
        yield told | ({"result": None, "formula": ""} if within else {})


def _is_between(path: str | None, hidden: Collection[str]) -> bool:
    """Whether a component lies above a hidden one, and below the part of the composite that is published."""
    return path is not None and "." in path and any(one.startswith(f"{path}.") for one in hidden)


def _hidden(
    persons: Mapping[int, Mapping[tuple[str, str], int]], also: Mapping[int, Sequence[tuple[str, str]]]
) -> dict[int, Hidden]:
    return {survey: hidden_figures(counts, also[survey]) for survey, counts in persons.items()}


def _parts(
    persons: Mapping[int, Mapping[tuple[str, str], int]], component: Mapping[tuple[int, str], str]
) -> dict[tuple[str, str], dict[Cell, int]]:
    """Unit and part of the composite → the cells that feed it; a later survey's score replaces an earlier one's."""
    feeding: dict[tuple[str, str], tuple[Cell, int]] = {}
    for survey, counts in persons.items():
        for (unit, group), n in counts.items():
            if n:
                feeding[unit, component[survey, group]] = (survey, unit, group), n
    parts: defaultdict[tuple[str, str], dict[Cell, int]] = defaultdict(dict)
    for (unit, path), (cell, n) in feeding.items():
        parts[unit, path.partition(".")[0]][cell] = n
    return dict(parts)


def _partners(parts: Mapping[tuple[str, str], Mapping[Cell, int]], hidden: Mapping[int, Hidden]) -> Iterator[Cell]:
    """The smallest shown cell of every part that has one cell hidden."""
    for feeding in parts.values():
        shown = [cell for cell in feeding if cell[1:] not in hidden[cell[0]].cells]
        if shown and len(shown) == len(feeding) - 1:
            yield min(shown, key=lambda cell: (feeding[cell], cell))


def _withheld(parts: Mapping[tuple[str, str], Mapping[Cell, int]], hidden: Collection[Cell]) -> dict[str, str]:
    found: dict[str, str] = {}
    for (unit, _), feeding in sorted(parts.items()):
        if all(n < THRESHOLD for n in feeding.values()):
            found[unit] = NOT_MEASURED
        elif len(feeding) == 1 and next(iter(feeding)) in hidden:
            found.setdefault(unit, GIVES_AWAY)
    return found


def _tells_of_everyone(row: Mapping[str, Any]) -> bool:
    """Whether all of few persons answered alike: their mean is then the answer of each of them."""
    return Flag.ALL_ANSWERS_EQUAL in row["flags"] and row["n"] < SOUND_FROM
