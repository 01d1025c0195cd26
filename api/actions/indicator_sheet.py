"""Reading a CSV file of indicator scores and deductions: every fault at once, by row and column.

Columns 单位, 指标, 得分 or 扣分, 依据, in any order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from api.actions.csv_sheet import UNIT, UnitRows, letter, read_headings, read_lines, refuse, short
from api.store.evaluations import Unit
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused

PLACES = 4  # decimals that the database keeps
LONGEST_BASIS = 1000

COLUMNS = (UNIT, "指标", "得分", "扣分", "依据")
_, COMPONENT, SCORE, DEDUCTION, BASIS = COLUMNS
ENGLISH = {"unit": UNIT, "indicator": COMPONENT, "score": SCORE, "deduction": DEDUCTION, "basis": BASIS}
NEEDED = {UNIT: [UNIT], COMPONENT: [COMPONENT], BASIS: [BASIS], f"{SCORE} / {DEDUCTION}": [SCORE, DEDUCTION]}


@dataclass(frozen=True, slots=True)
class Accepts:
    """What may be imported for units of one class: component path → its Chinese and English name."""

    scores: Mapping[str, tuple[str, str]]
    deductions: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: a score of a component, or points deducted from it."""

    line: int  # as Excel counts: the headings are line 1
    unit: Unit
    component: str
    points: Decimal
    is_deduction: bool
    basis: str


def read_sheet(content: bytes, units: Sequence[Unit], accepts: Mapping[str, Accepts], scale: Decimal) -> list[Row]:
    """The rows of a file.

    Args:
        content: the file's bytes.
        units: the units that it may name, by code or name.
        accepts: what each class of units takes; "" where the scheme has no classes.
        scale: the highest score.

    Raises:
        Refused: every fault found (the first hundred), each with `row` and `column`.
    """
    lines = read_lines(content)
    heads = read_headings(lines[0][1], COLUMNS, ENGLISH, NEEDED) if lines else []
    reader = _Reader(units, accepts, scale)
    rows = [row for number, cells in lines[1:] if (row := reader.row(number, heads, cells))]
    if not rows and not reader.faults:
        raise Refused("csv_empty")
    refuse([*reader.faults, *_repeated(rows)])
    return rows


class _Reader(UnitRows):
    """Reads rows and keeps every fault."""

    def __init__(self, units: Sequence[Unit], accepts: Mapping[str, Accepts], scale: Decimal) -> None:
        super().__init__(units)
        self._accepts, self._scale = accepts, scale
        # For a row whose unit is not known: whatever any class takes, so that its other faults are found too.
        self._any = Accepts(
            {path: names for one in accepts.values() for path, names in one.scores.items()},
            {path: names for one in accepts.values() for path, names in one.deductions.items()},
        )

    def row(self, line: int, heads: Sequence[str], cells: Sequence[str]) -> Row | None:
        """The row, or None and its faults."""
        before = len(self.faults)
        if any(cell.strip() for cell in cells[len(heads) :]):
            self._fault("csv_cells_left_over", line, letter(len(heads)))
        named = dict.fromkeys(COLUMNS, "") | {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}
        unit = self._unit(line, named[UNIT])
        is_deduction = bool(named[DEDUCTION])
        if is_deduction == bool(named[SCORE]):
            self._fault("csv_score_or_deduction", line, f"{SCORE} / {DEDUCTION}")
            return None
        column = DEDUCTION if is_deduction else SCORE
        component = self._component(line, named[COMPONENT], unit, is_deduction=is_deduction)
        points = self._points(line, column, named[column])
        if not named[BASIS]:
            self._fault("csv_cell_missing", line, BASIS)
        elif len(named[BASIS]) > LONGEST_BASIS:
            self._fault("csv_basis_too_long", line, BASIS, most=LONGEST_BASIS)
        if len(self.faults) > before or unit is None or component is None or points is None:
            return None
        return Row(line, unit, component, points, is_deduction, named[BASIS])

    def _component(self, line: int, name: str, unit: Unit | None, *, is_deduction: bool) -> str | None:
        if not name:
            self._fault("csv_cell_missing", line, COMPONENT)
            return None
        accepts = self._accepts[unit.class_ or ""] if unit else self._any
        wanted, other = (accepts.deductions, accepts.scores) if is_deduction else (accepts.scores, accepts.deductions)
        found = _named(name, wanted)
        if len(found) == 1:
            return found[0]
        if found:
            self._fault("csv_component_ambiguous", line, COMPONENT, value=short(name), paths="、".join(found))
        elif _named(name, other):
            code = "csv_component_takes_score" if is_deduction else "csv_component_takes_deduction"
            self._fault(code, line, COMPONENT, value=short(name))
        else:
            known = "、".join(f"{zh}({path})" for path, (zh, _) in wanted.items()) or "—"
            self._fault("csv_component_unknown", line, COMPONENT, value=short(name), known=known)
        return None

    def _points(self, line: int, column: str, text: str) -> Decimal | None:
        points = plain_decimal(text)
        if points is None:
            self._fault("csv_not_a_number", line, column, value=short(text))
        elif points != round(points, PLACES):
            self._fault("csv_too_many_decimals", line, column, value=short(text), most=PLACES)
        elif points > self._scale:
            self._fault("csv_above_scale", line, column, value=short(text), scale=self._scale)
        elif not points and column == DEDUCTION:
            self._fault("csv_deduction_zero", line, column)
        else:
            return points
        return None


def _named(name: str, known: Mapping[str, tuple[str, str]]) -> list[str]:
    """The paths that a path or a name stands for."""
    return [name] if name in known else [path for path, names in known.items() if name in names]


def _repeated(rows: Iterable[Row]) -> Iterator[Fault]:
    """A score that the file gives twice, or one deduction written twice."""
    first: dict[tuple[object, ...], int] = {}
    for row in rows:
        same = (row.points, row.basis) if row.is_deduction else ()
        line = first.setdefault((row.unit.code, row.component, row.is_deduction, *same), row.line)
        if line != row.line:
            column = DEDUCTION if row.is_deduction else SCORE
            facts = {"row": row.line, "column": column, "first": line, "unit": row.unit.name_zh}
            yield Fault("csv_row_twice", f"{row.line}:{column}", facts)
