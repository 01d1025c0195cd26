"""What an author gets wrong in a workbook, found before pyxform sees it, with the cell and what to write.

pyxform stops at its first complaint, in English, and lets through what no phone would open; so the whole
sheet is read here first. Cells of logic that are wrong are named and left out, so that the rest is checked.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from pyxform.utils import default_is_dynamic

from survey_forms.forms.headers import ITEM, LOGIC, TRANSLATED, UNIT
from survey_forms.forms.lint_choices import LIST, lint_choices, read_lists
from survey_forms.forms.lint_logic import (
    Names,
    multiples_compared,
    open_reference,
    put_right,
    unknown_reference,
    with_columns,
    wrong_logic,
)
from survey_forms.forms.linted import Linted
from survey_forms.forms.places import Bilingual, closest
from survey_forms.forms.question_types import (
    KNOWN_TYPES,
    OPENING,
    SELECTS,
    STRUCTURE,
    appearance,
    is_long_text,
    parameters,
    question_type,
    unsupported_type,
)
from survey_forms.forms.repairs import REFERENCE, repaired, visible
from survey_forms.forms.tables import Line, Table
from survey_forms.refusal import Fault

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_RESERVED = {"data", "meta", "instanceID", "instanceName"}
_MARKUP = re.compile(r"</?[a-z]+[^<>]*>|\*\*[^*]+\*\*|&(?:nbsp|lt|gt|amp);", re.IGNORECASE)
_STAND_IN = {"calculation": "1"}  # a calculate without its expression would be pyxform's own complaint
_LABELLED = KNOWN_TYPES - STRUCTURE - {"calculate"}
_MOST_STEPS = 100
_MESSAGES = {"constraint_message": "constraint", "required_message": "required"}


def lint(survey: Table, choices: Table | None) -> Linted:
    """Check both sheets cell by cell."""
    linted = Linted()
    read_lists(choices, linted.names)
    _read_names(survey, linted)
    open_groups: list[tuple[Line, str]] = []
    used: set[str] = set()
    for line in survey.lines:
        kind, argument = question_type(visible(line.cells.get("type", "")))
        used.add(argument)
        for name in line.cells:
            linted.where[_name(line), name.partition("::")[0]] = (survey, line.number, name)
            linted.where[_name(line), name] = (survey, line.number, name)
        if "repeat_count" in line.cells:
            linted.where[f"{_name(line)}_count", "calculation"] = (survey, line.number, "repeat_count")
        _check_type(survey, line, (kind, argument), linted)
        _check_group(survey, line, kind, open_groups, linted)
        row = {} if kind in OPENING.values() else _checked_row(survey, line, kind, linted)
        linted.place(linted.survey, line.number, {**row, "type": f"{kind} {argument}".strip()})
    for line, _ in open_groups:
        linted.wrong(survey.fault("workbook_group_open", line.number, "type", **_ending(line)))
    if choices is not None:
        lint_choices(choices, used, linted)
    linted.notes.extend(_untranslated(survey, choices))
    return linted


def _name(line: Line) -> str:
    return visible(line.cells.get("name", ""))


def _read_names(survey: Table, linted: Linted) -> None:
    """Every name that logic may refer to; names that cannot be one, or are there twice, are faults."""
    first: dict[str, int] = {}
    for line in survey.lines:
        kind, argument = question_type(visible(line.cells.get("type", "")))
        name = _name(line)
        if kind in OPENING.values():
            continue
        if not name:
            linted.wrong(survey.fault("workbook_name_missing", line.number, "name"))
        elif not NAME.fullmatch(name) or name in _RESERVED:
            linted.wrong(survey.fault("workbook_name", line.number, "name", given=name))
        elif name in first:
            linted.wrong(survey.fault("workbook_name_twice", line.number, "name", given=name, other=first[name]))
        elif twin := next((one for one in first if one.lower() == name.lower()), None):
            linted.notes.append(survey.fault("workbook_name_case", line.number, "name", given=name, other=twin))
        first.setdefault(name, line.number)
        linted.names.types.setdefault(name, kind)
        if argument:
            linted.names.list_of.setdefault(name, argument)


def _check_type(survey: Table, line: Line, written: tuple[str, str], linted: Linted) -> None:
    kind, argument = written
    given = line.cells.get("type", "")
    if kind not in KNOWN_TYPES:
        code = unsupported_type(given) or ("workbook_type" if given else "workbook_type_missing")
        linted.wrong(survey.fault(code, line.number, "type", given=given, meant=closest(kind, KNOWN_TYPES)))
    elif kind in SELECTS and argument not in linted.names.lists:
        linted.wrong(_wrong_list(survey, line, argument, linted.names))
    elif kind not in SELECTS and argument:
        linted.wrong(survey.fault("workbook_type_argument", line.number, "type", given=given, extra=argument))
    elif kind in SELECTS and not LIST.fullmatch(argument):
        linted.fatal = True  # said at the list itself
    if kind in _LABELLED and not any(name.partition("::")[0] == "label" for name in line.cells):
        linted.wrong(survey.fault("workbook_label_missing", line.number, "label"))
    if kind == "calculate" and "calculation" not in line.cells:
        linted.wrong(survey.fault("workbook_calculation_missing", line.number, "calculation"))


def _wrong_list(survey: Table, line: Line, argument: str, names: Names) -> Fault:
    """A select whose list is not there: none named, `or_other`, an answer of a repeat, or simply unknown."""
    if not argument:
        return survey.fault("workbook_list_unnamed", line.number, "type")
    if argument.endswith((" or_other", " or other")):
        return survey.fault("workbook_or_other", line.number, "type")
    if "${" in argument:
        return survey.fault("workbook_choices_from_answers", line.number, "type")
    return survey.fault(
        "workbook_list_missing", line.number, "type", given=argument, meant=closest(argument, names.lists)
    )


def _check_group(survey: Table, line: Line, kind: str, open_groups: list[tuple[Line, str]], linted: Linted) -> None:
    if kind in OPENING:
        open_groups.append((line, kind))
    elif kind in OPENING.values():
        if not open_groups:
            linted.wrong(survey.fault("workbook_group_unopened", line.number, "type"))
            return
        opened, opening = open_groups.pop()
        if OPENING[opening] != kind:
            linted.wrong(
                survey.fault("workbook_group_crossed", line.number, "type", opened=opened.number, **_ending(opened))
            )


def _ending(opened: Line) -> dict[str, object]:
    """What closes a group or a repeat, in the words of the language in which it was opened."""
    kind, _ = question_type(visible(opened.cells.get("type", "")))
    return {"ending": Bilingual("结束重复" if kind == "begin_repeat" else "结束组", OPENING[kind])}


def _checked_row(survey: Table, line: Line, kind: str, linted: Linted) -> dict[str, str]:
    """The row as pyxform gets it: logic repaired or left out, styles in XLSForm's words."""
    row = {name: text for name, text in line.cells.items() if name != "type"} | {"name": _name(line)}
    for column in (*LOGIC, "readonly"):
        if column in row:
            row[column] = _logic(survey, line, column, linted)
    _check_texts(survey, line, linted)
    unit = REFERENCE.search(row.get(UNIT, ""))
    if unit and unit[1] not in linted.names.types:
        linted.wrong(survey.fault("workbook_reference", line.number, UNIT, **unknown_reference(unit[1], linted.names)))
    for column in (UNIT, ITEM):
        row[column] = visible(row.get(column, ""))
    row["appearance"] = _appearance(survey, line, linted)
    row["parameters"] = _parameters(survey, line, kind, linted)
    row["default"] = _default(survey, line, kind, linted)
    for message, condition in _MESSAGES.items():
        told = next((name for name in line.cells if name.partition("::")[0] == message), None)
        if told and not row.get(condition):
            linted.notes.append(survey.fault("workbook_message_unused", line.number, told))
    return row


def _logic(survey: Table, line: Line, column: str, linted: Linted) -> str:
    """One cell of logic, repaired and told so; wrong, it is named and left out."""
    written = line.cells[column]
    logic = put_right(column, written)
    if logic in {"", "yes"}:
        return logic
    if column == "choice_filter" and question_type(line.cells.get("type", ""))[0] not in SELECTS:
        linted.faults.append(survey.fault("workbook_filter_of_nothing", line.number, column))
        return ""
    if logic != with_columns(column, written):
        linted.notes.append(survey.fault("workbook_repaired", line.number, column, before=written, after=logic))
    wrong = wrong_logic(_name(line), column, logic, linted.names)
    if wrong:
        code, facts = wrong
        linted.faults.append(survey.fault(code, line.number, column, **facts))
        return _STAND_IN.get(column, "")
    for name in multiples_compared(logic, linted.names):
        linted.notes.append(survey.fault("workbook_multiple_compared", line.number, column, name=name))
    linted.logic.append((_name(line), column, logic))
    return logic


def _check_texts(survey: Table, line: Line, linted: Linted) -> None:
    for column, text in line.cells.items():
        if column.partition("::")[0] not in TRANSLATED:
            continue
        for reference in REFERENCE.findall(text):
            if reference not in linted.names.types:
                facts = unknown_reference(reference, linted.names)
                linted.wrong(survey.fault("workbook_reference", line.number, column, **facts))
        if opened := open_reference(text):
            linted.wrong(survey.fault("workbook_reference_open", line.number, column, given=opened))
        if _MARKUP.search(text):
            linted.notes.append(survey.fault("workbook_markup", line.number, column))


def _appearance(survey: Table, line: Line, linted: Linted) -> str:
    kept, cosmetic = appearance(line.cells.get("appearance", ""))
    if cosmetic:
        linted.notes.append(survey.fault("workbook_appearance_ignored", line.number, "appearance", given=cosmetic))
    if is_long_text(line.cells.get("type", "")) and "multiline" not in kept:
        kept = f"multiline {kept}".strip()
    return kept


def _parameters(survey: Table, line: Line, kind: str, linted: Linted) -> str:
    if "parameters" not in line.cells:
        return ""
    named = parameters(kind, line.cells["parameters"])
    if named is None:
        linted.faults.append(survey.fault("workbook_parameters", line.number, "parameters"))
        return ""
    if kind == "range" and not _is_scale(named):
        linted.faults.append(survey.fault("workbook_scale", line.number, "parameters", most=_MOST_STEPS))
        return ""
    return " ".join(f"{name}={value}" for name, value in named.items())


def _is_scale(named: dict[str, str]) -> bool:
    """Whether a scale climbs from start to end in steps that end there, and not in too many."""
    usual = {"start": "1", "end": "10", "step": "1"}
    start, end, step = (Decimal(named.get(name, one)) for name, one in usual.items())
    return step > 0 and start < end and (end - start) % step == 0 and (end - start) // step <= _MOST_STEPS


def _default(survey: Table, line: Line, kind: str, linted: Linted) -> str:
    """A fixed value as it is written, codes checked; one that is worked out is logic like any other."""
    given = line.cells.get("default", "")
    if not given:
        return ""
    codes = linted.names.lists.get(linted.names.list_of.get(_name(line), ""), {})
    if kind not in SELECTS and default_is_dynamic(repaired(given), kind):
        return _logic(survey, line, "default", linted)
    if kind in SELECTS and codes and not set(given.split()) <= codes.keys():
        known = ", ".join(list(codes)[:8])
        linted.faults.append(survey.fault("workbook_default_code", line.number, "default", given=given, known=known))
        return ""
    return given


def _untranslated(survey: Table, choices: Table | None) -> Iterator[Fault]:
    """One note a sheet and language: how many labels lack their translation, and where the first one is."""
    tables = [survey, choices] if choices else [survey]
    languages = {language for table in tables for language in table.languages}
    for table in tables:
        for language in sorted(languages):
            column = f"label::{language}"
            missing = [
                line.number
                for line in table.lines
                if column not in line.cells and any(name.partition("::")[0] == "label" for name in line.cells)
            ]
            if missing:
                facts = {"language": language, "count": len(missing)}
                yield table.fault("workbook_untranslated", missing[0], column, **facts)
