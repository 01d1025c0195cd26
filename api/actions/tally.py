"""From stored answers to integer cells: once when they come (`fold`), and again from the beginning (`recount`).

Both count with the same function, and cells are whole numbers, so the two must agree to the last bit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, NoResultFound

from api.store import tallies
from api.store.flags import is_complete
from api.store.owed import emit
from api.store.surveys import evaluation_of_survey, xform_of
from api.store.tallies import CellRow, Kept, RespondentRow
from survey_forms.estimation.cells import Cell, count_answers, merge_cells
from survey_forms.estimation.overall import overall
from survey_forms.forms.answers import ratings
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Answers, Form
from survey_forms.refusal import Refused

MOST_UNMERGED = 50_000
"""Cells held before they are added up: memory stays flat however many answers there are."""

_Numbers = Mapping[tuple[str, ...], tuple[int, ...]]

_FORMS: dict[str, Form] = {}
"""Compiled forms by version; a version is the SHA-256 of its text, so an entry is never out of date."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that holds other numbers than its answers add up to. `cell` names stratum, wcell, unit and item."""

    survey_id: int
    cell: tuple[str, ...]
    kept: tuple[int, ...]
    recounted: tuple[int, ...]


@dataclass(slots=True)
class _Count:
    """What the answers of one survey add up to."""

    cells: list[Cell] = field(default_factory=list)
    persons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, kept: Kept, cells: Iterable[Cell]) -> None:
        self.cells.extend(cells)
        self.persons[kept.stratum, kept.wcell] += 1
        if len(self.cells) > MOST_UNMERGED:
            self.cells = merge_cells(self.cells)

    def cell_rows(self) -> list[CellRow]:
        return [(c.stratum, c.wcell, c.unit, c.item, c.n, c.s1, c.s2) for c in merge_cells(self.cells)]

    def person_rows(self) -> list[RespondentRow]:
        return [(stratum, wcell, n) for (stratum, wcell), n in sorted(self.persons.items())]


def fold(connection: Connection, most: int, *, stuck: bool = False) -> int:
    """Count up to `most` waiting answers into the cells and owe what reads them: composites, quality.

    An answer that cannot be counted (its form is gone or does not compile) stays owed and stops no other.
    Returns how many answers were looked at.
    """
    taken = tallies.take_untallied(connection, most, stuck=stuck)
    counts: dict[int, _Count] = {}
    evaluations: dict[int, int] = {}
    counted = []
    for kept in taken:
        try:
            survey, cells = cells_of_answer(connection, kept)
            if survey not in evaluations:
                evaluations[survey] = evaluation_of_survey(connection, survey)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this answer must not hold up the others
            tallies.mark_uncounted(connection, kept.id, _code(error))
            continue
        counts.setdefault(survey, _Count()).add(kept, cells)
        counted.append(kept.id)
    tallies.hold_cells(connection, counts, to_write=True)
    for survey in sorted(counts):
        count = counts[survey]
        version = tallies.add_to_cells(connection, survey, count.cell_rows(), count.person_rows())
        emit(connection, "compose", f"{evaluations[survey]}:tally:{survey}", version)
        if is_complete(connection, survey):
            emit(connection, "quality", str(survey), version)
    if counted:
        tallies.mark_counted(connection, counted)
    return len(taken)


def cells_of_answer(connection: Connection, kept: Kept) -> tuple[int, list[Cell]]:
    """The survey of an answer and what the answer adds to each cell.

    Raises:
        Refused: the answer or its form is gone, or the form does not compile.
    """
    if kept.survey_id is None:
        raise Refused("answer_gone", str(kept.id))
    form = form_of_version(connection, kept.form_version)
    # What JSON made of dates, numbers and lists does not matter here: ratings are choice names, which it keeps.
    rated = ratings(form, Answers(kept.answers))
    survey = str(kept.survey_id)
    return kept.survey_id, count_answers(
        ((survey, kept.stratum, kept.wcell, one.unit, one.item), one.points) for one in (*rated, *overall(rated))
    )


def form_of_version(connection: Connection, version: str) -> Form:
    """The compiled form of a version.

    Raises:
        Refused: `form_gone` when no such form is stored; the compiler's own faults.
    """
    if version not in _FORMS:
        xform = xform_of(connection, version)
        if xform is None:
            raise Refused("form_gone", version)
        _FORMS[version] = compile_form(xform)
    return _FORMS[version]


def recount(connection: Connection, survey_id: int, *, repair: bool = False) -> list[Difference]:
    """Add up all counted answers of a survey again and compare with its cells, bit for bit.

    Args:
        connection: in a transaction; the survey's cells cannot change until it ends.
        survey_id: whose.
        repair: put the recounted numbers in the place of those that differ, and owe the composites.
    """
    tallies.hold_cells(connection, [survey_id], to_write=repair)
    count = _Count()
    for kept in tallies.counted_answers(connection, survey_id):
        count.add(kept, cells_of_answer(connection, kept)[1])
    cells, persons = count.cell_rows(), count.person_rows()
    kept_cells: _Numbers = {row[:4]: row[4:] for row in tallies.cells_of(connection, survey_id)}
    kept_persons: _Numbers = {key: (n,) for key, n in tallies.respondents_of(connection, survey_id).items()}
    differences = [
        *_compared(survey_id, kept_cells, {row[:4]: row[4:] for row in cells}),
        *_compared(survey_id, kept_persons, {row[:2]: row[2:] for row in persons}),
    ]
    if repair and differences:
        version = tallies.replace_cells(connection, survey_id, cells, persons)
        emit(connection, "compose", f"{evaluation_of_survey(connection, survey_id)}:tally:{survey_id}", version)
    return differences


def _compared(survey_id: int, kept: _Numbers, recounted: _Numbers) -> list[Difference]:
    """Where the two differ; a cell that one of them lacks has no numbers."""
    return [
        Difference(survey_id, key, kept.get(key, ()), recounted.get(key, ()))
        for key in sorted(kept.keys() | recounted.keys())
        if kept.get(key) != recounted.get(key)
    ]


def _code(error: Exception) -> str:
    """The refusal's code, or the kind of exception; never its words, which could repeat an answer."""
    if isinstance(error, Refused):
        return error.code
    return "survey_gone" if isinstance(error, NoResultFound) else type(error).__name__
