"""What an author gets wrong in a workbook, found before pyxform sees it, with the cell and what to write.

pyxform stops at its first complaint, in English, and lets through what no phone would open; so the whole
sheet is read here first. Cells of logic that are wrong are named and left out, so that the rest is checked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from survey_forms.forms.expressions import compile_condition, compile_value
from survey_forms.forms.headers import (
    APPEARANCES,
    KNOWN_TYPES,
    LOGIC,
    SELECTS,
    TRANSLATED,
    plain,
    question_type,
    repaired,
    yes_or_expression,
)
from survey_forms.forms.operations import Node, Unreadable
from survey_forms.forms.places import closest
from survey_forms.forms.scalars import Kind
from survey_forms.forms.tables import Line, Table
from survey_forms.refusal import Fault

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_CHOICE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_REFERENCE = re.compile(r"\$\{\s*([^{}]*?)\s*\}")
_ROWS = re.compile(r"rows\s*=\s*[0-9]+")
_RESERVED = {"data", "meta", "instanceID"}
UNIT = "bind::mc:unit"
_GROUPS = {"begin_group", "end_group"}
_KINDS: dict[str, Kind] = {"integer": "number", "decimal": "number", "date": "date"}
_STAND_IN = {"calculation": "1"}  # a calculate without its expression would be pyxform's own complaint

Where = dict[tuple[str, str], tuple[Table, int, str]]
"""(name, XLSForm column) → the table, row and column where the author wrote it."""


@dataclass(slots=True)
class Linted:
    """What goes on to pyxform, what was wrong, what was put right silently, and where each name stands.

    `fatal` says that the faults leave nothing worth converting.
    """

    survey: list[dict[str, str]] = field(default_factory=list)
    choices: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    where: Where = field(default_factory=dict)
    fatal: bool = False

    def wrong(self, fault: Fault) -> None:
        """A fault of structure: without the cell there is no form."""
        self.faults.append(fault)
        self.fatal = True


def lint(survey: Table, choices: Table | None) -> Linted:
    """Check both sheets cell by cell."""
    linted = Linted()
    lists = _lint_choices(choices, linted) if choices else set[str]()
    nodes = _nodes(survey, linted)
    open_groups: list[Line] = []
    for line in survey.lines:
        kind, argument = question_type(line.cells.get("type", ""))
        row = _checked_row(survey, line, kind, nodes, linted)
        _check_type(survey, line, (kind, argument), lists, linted)
        _check_group(survey, line, kind, open_groups, linted)
        row["type"] = f"{kind} {argument}".strip()
        _place(linted.survey, line.number, row)
        for name in line.cells:
            linted.where[line.cells.get("name", ""), name.partition("::")[0]] = (survey, line.number, name)
            linted.where[line.cells.get("name", ""), name] = (survey, line.number, name)
    for line in open_groups:
        linted.wrong(survey.fault("workbook_group_open", line.number, "type"))
    return linted


def _nodes(survey: Table, linted: Linted) -> dict[str, Node]:
    """Every name that logic may refer to, as if all stood at the top of the form."""
    first: dict[str, int] = {}
    nodes: dict[str, Node] = {}
    for line in survey.lines:
        kind, _ = question_type(line.cells.get("type", ""))
        name = line.cells.get("name", "")
        if kind == "end_group":
            continue
        if not NAME.fullmatch(name) or name in _RESERVED:
            linted.wrong(survey.fault("workbook_name", line.number, "name", given=name))
        elif name in first:
            linted.wrong(survey.fault("workbook_name_twice", line.number, "name", given=name, other=first[name]))
        first.setdefault(name, line.number)
        if kind != "begin_group":
            nodes[f"/data/{name}"] = Node(line.number, _KINDS.get(kind, "string"))
    return nodes


def _check_type(survey: Table, line: Line, written: tuple[str, str], lists: set[str], linted: Linted) -> None:
    kind, argument = written
    if kind not in KNOWN_TYPES:
        given = line.cells.get("type", "")
        code = "workbook_type" if given else "workbook_type_missing"
        linted.wrong(survey.fault(code, line.number, "type", given=given))
    elif kind in SELECTS and argument not in lists:
        meant = closest(argument, lists)
        linted.wrong(survey.fault("workbook_list_missing", line.number, "type", given=argument, meant=meant))
    elif kind not in SELECTS and argument:
        linted.wrong(survey.fault("workbook_type", line.number, "type", given=line.cells["type"]))
    if kind in KNOWN_TYPES - _GROUPS - {"calculate"} and not _has(line, "label"):
        linted.wrong(survey.fault("workbook_label_missing", line.number, "label"))
    if kind == "calculate" and "calculation" not in line.cells:
        linted.wrong(survey.fault("workbook_calculation_missing", line.number, "calculation"))


def _check_group(survey: Table, line: Line, kind: str, open_groups: list[Line], linted: Linted) -> None:
    if kind == "begin_group":
        open_groups.append(line)
    elif kind == "end_group":
        if open_groups:
            open_groups.pop()
        else:
            linted.wrong(survey.fault("workbook_group_unopened", line.number, "type"))


def _checked_row(survey: Table, line: Line, kind: str, nodes: dict[str, Node], linted: Linted) -> dict[str, str]:
    """The row as pyxform gets it: logic repaired or left out, styles in XLSForm's words."""
    row = {name: text for name, text in line.cells.items() if name != "type"}
    for name in LOGIC:
        if name not in row:
            continue
        logic = yes_or_expression(row[name]) if name == "required" else repaired(row[name])
        wrong = None if logic in {"", "yes"} else _wrong_logic(line.cells.get("name", ""), name, logic, nodes)
        if wrong:
            code, facts = wrong
            linted.faults.append(survey.fault(code, line.number, name, **facts))
            row[name] = _STAND_IN.get(name, "")
            continue
        if logic != row[name] and name != "required":
            linted.notes.append(survey.fault("workbook_repaired", line.number, name, before=row[name], after=logic))
        row[name] = logic
    for name in _texts_with_references(line):
        linted.wrong(survey.fault("workbook_reference_in_text", line.number, name))
    unit = _REFERENCE.search(row.get(UNIT, ""))
    if unit and f"/data/{unit[1]}" not in nodes:
        linted.wrong(survey.fault("workbook_reference", line.number, UNIT, **_unknown(unit[1], nodes)))
    if "appearance" in row:
        row["appearance"] = APPEARANCES.get(plain(row["appearance"]), plain(row["appearance"]))
    if "parameters" in row and (kind != "text" or not _ROWS.fullmatch(plain(row["parameters"]))):
        linted.faults.append(survey.fault("workbook_parameters", line.number, "parameters"))
        row["parameters"] = ""
    return {name: text for name, text in row.items() if text}


def _wrong_logic(name: str, column: str, logic: str, nodes: dict[str, Node]) -> tuple[str, dict[str, object]] | None:
    """The code and facts of what is wrong with an expression, with `${…}` as the author wrote it."""
    for reference in _REFERENCE.findall(logic):
        if f"/data/{reference}" not in nodes:
            return "workbook_reference", _unknown(reference, nodes)
    compiler = compile_value if column == "calculation" else compile_condition
    try:
        compiler(_REFERENCE.sub(r" /data/\1 ", logic), nodes, f"/data/{name}")
    except Unreadable as unreadable:
        facts = {key: _as_written(fact) for key, fact in unreadable.facts.items()}
        return unreadable.code, facts
    return None


def _unknown(reference: str, nodes: dict[str, Node]) -> dict[str, object]:
    return {"given": reference, "meant": closest(reference, (path.rpartition("/")[2] for path in nodes))}


def _as_written(fact: object) -> object:
    return re.sub(r"/data/(\w+)", r"${\1}", fact) if isinstance(fact, str) else fact


def _lint_choices(choices: Table, linted: Linted) -> set[str]:
    seen: dict[tuple[str, str], int] = {}
    for line in choices.lines:
        group, code = line.cells.get("list_name", ""), line.cells.get("name", "")
        if not NAME.fullmatch(group):
            linted.wrong(choices.fault("workbook_name", line.number, "list_name", given=group))
        if not _CHOICE.fullmatch(code):
            linted.wrong(choices.fault("workbook_choice", line.number, "name", given=code))
        if not _has(line, "label"):
            linted.wrong(choices.fault("workbook_label_missing", line.number, "label"))
        if (group, code) in seen:
            other = seen[group, code]
            linted.wrong(choices.fault("workbook_choice_twice", line.number, "name", given=code, other=other))
        seen.setdefault((group, code), line.number)
        for name in _texts_with_references(line):
            linted.wrong(choices.fault("workbook_reference_in_text", line.number, name))
        _place(linted.choices, line.number, line.cells)
        linted.where[f"{group}/{code}", "points"] = (choices, line.number, "points")
    return {group for group, _ in seen}


def _texts_with_references(line: Line) -> Iterator[str]:
    texts = (name for name in line.cells if name.partition("::")[0] in TRANSLATED)
    return (name for name in texts if "${" in line.cells[name])


def _has(line: Line, column: str) -> bool:
    return any(name.partition("::")[0] == column for name in line.cells)


def _place(rows: list[dict[str, str]], number: int, row: dict[str, str]) -> None:
    """Keep pyxform's row numbers those of the sheet: the first row below the header is number 2."""
    rows.extend({} for _ in range(number - 2 - len(rows)))
    rows.append(row)
