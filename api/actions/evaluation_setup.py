"""A new evaluation: the scheme in force, the units under assessment, and the values that the document leaves out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import Connection

from api.actions.csv_sheet import cell_fault, letter, read_headings, read_lines, refuse, short
from api.store import evaluation_setup as stored
from api.store import evaluations, people
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import DOCUMENTS, load_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.intake import Intake
from survey_forms.scoring.supplied import read_supplied

CODE, NAME_ZH, NAME_EN, CLASS = COLUMNS = ("单位代码", "单位", "英文名", "类别")
ENGLISH = {"code": CODE, "unit": CODE, "name_zh": NAME_ZH, "name_en": NAME_EN, "class": CLASS}
NEEDED = {one: [one] for one in (CODE, NAME_ZH, NAME_EN)}
FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST_NAME = 100
LONGEST_SUPPLIED = 100_000
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the office says of a new evaluation; `supplied` is JSON: dotted path → value (score-input)."""

    scheme: str
    code: str
    year: int
    name_zh: str
    name_en: str
    supplied: bytes = field(repr=False)
    units: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit as its line names it."""

    line: int
    code: str
    name_zh: str
    name_en: str
    class_: str | None


def set_up(connection: Connection, plan: Plan, staff_id: int, now: datetime) -> int:
    """Make the evaluation with its units; returns its key.

    Raises:
        Refused: every fault of the plan, its sheet of units and its supplied values at once; `unknown_scheme`.
    """
    scheme = load_scheme(plan.scheme)
    faults = list(_wrong(plan, is_taken=evaluations.evaluation_called(connection, plan.code) is not None))
    units: list[NewUnit] = []
    try:
        units = read_units(plan.units, scheme)
    except Refused as refused:
        faults += refused.faults
    supplied: dict[str, object] = {}
    try:
        supplied = read_values(plan.supplied, scheme, units)
    except Refused as refused:
        faults += refused.faults
    if faults:
        raise Refused.of(faults)
    source = (DOCUMENTS / scheme.id / "scheme.toml").read_text("utf-8")
    stored.keep_scheme(connection, scheme.digest, scheme.id, source)
    evaluation_id = stored.add_evaluation(
        connection,
        {
            "code": plan.code,
            "year": plan.year,
            "name_zh": plan.name_zh.strip(),
            "name_en": plan.name_en.strip(),
            "scheme_digest": scheme.digest,
            "supplied": supplied,
        },
    )
    stored.add_units(
        connection,
        evaluation_id,
        [
            {"code": unit.code, "name_zh": unit.name_zh, "name_en": unit.name_en, "class_": unit.class_}
            for unit in units
        ],
    )
    people.record_act(connection, "evaluation_set_up", now, staff_id, evaluation=plan.code, scheme=scheme.digest)
    return evaluation_id


def read_units(content: bytes, scheme: Scheme) -> list[NewUnit]:
    """The units of a sheet; the class is asked for where the scheme has classes, and only there.

    Raises:
        Refused: every fault, with row and column.
    """
    lines = read_lines(content)
    heads = read_headings(lines[0][1], COLUMNS, ENGLISH, NEEDED) if lines else []
    faults: list[Fault] = []
    units = [_unit(number, heads, cells, scheme, faults) for number, cells in lines[1:]]
    if not units and not faults:
        raise Refused("csv_empty")
    refuse([*faults, *_twice(units)])
    return units


def read_values(content: bytes, scheme: Scheme, units: Sequence[NewUnit]) -> dict[str, object]:
    """The supplied values, whole: what the composite cannot do without must be there.

    Raises:
        Refused: `supplied_unreadable`; the faults of `read_supplied`.
    """
    try:
        found = orjson.loads(content.strip() or b"{}") if len(content) <= LONGEST_SUPPLIED else None
    except orjson.JSONDecodeError as error:
        raise Refused("supplied_unreadable", "supplied") from error
    if not isinstance(found, dict):
        raise Refused("supplied_unreadable", "supplied")
    intake = Intake()
    read_supplied(scheme, found, {unit.code: unit.class_ or "" for unit in units}, intake)
    intake.refuse()
    return found


def _unit(number: int, heads: Sequence[str], cells: Sequence[str], scheme: Scheme, faults: list[Fault]) -> NewUnit:
    if any(cell.strip() for cell in cells[len(heads) :]):
        faults.append(cell_fault("csv_cells_left_over", number, letter(len(heads))))
    named = dict.fromkeys(COLUMNS, "") | {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}
    for column in NEEDED:
        if not named[column]:
            faults.append(cell_fault("csv_cell_missing", number, column))
        elif len(named[column]) > LONGEST_NAME:
            faults.append(cell_fault("csv_basis_too_long", number, column, most=LONGEST_NAME))
    if named[CODE] and not _CODE.fullmatch(named[CODE]):
        faults.append(cell_fault("csv_code_unfit", number, CODE, value=short(named[CODE]), most=60))
    classes = {name: one.id for one in scheme.classes for name in (one.id, one.zh, one.en)}
    if named[CLASS] not in (classes or {""}):
        known = "、".join(f"{one.zh}({one.id})" for one in scheme.classes) or "—"
        faults.append(cell_fault("csv_class_unknown", number, CLASS, value=short(named[CLASS]) or "—", known=known))
    return NewUnit(number, named[CODE], named[NAME_ZH], named[NAME_EN], classes.get(named[CLASS]))


def _twice(units: Sequence[NewUnit]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for unit in units:
        if unit.code and first.setdefault(unit.code, unit.line) != unit.line:
            yield cell_fault("csv_unit_twice", unit.line, CODE, first=first[unit.code], value=short(unit.code))


def _wrong(plan: Plan, *, is_taken: bool) -> Iterator[Fault]:
    if not _CODE.fullmatch(plan.code):
        yield Fault("evaluation_code_unfit", "code")
    elif is_taken:
        yield Fault("evaluation_code_taken", "code", {"taken": plan.code})
    if not FIRST_YEAR <= plan.year <= LAST_YEAR:
        yield Fault("evaluation_year_unfit", "year", {"first": FIRST_YEAR, "last": LAST_YEAR})
    for name, words in (("name_zh", plan.name_zh), ("name_en", plan.name_en)):
        if not 0 < len(words.strip()) <= LONGEST_NAME:
            yield Fault("survey_name_unfit", name, {"most": LONGEST_NAME})
