"""The choices sheet, read before the questions that offer its lists and handed on after them."""

import re
from collections.abc import Mapping

from survey_forms.forms.lint_logic import Names
from survey_forms.forms.linted import Linted
from survey_forms.forms.places import closest
from survey_forms.forms.repairs import REFERENCE, visible
from survey_forms.forms.tables import Line, Table

LIST = re.compile(r"[^\W\d_][\w-]{0,62}")
_CHOICE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_OWN = {"list_name", "name", "label", "points"}


def read_lists(choices: Table | None, names: Names) -> None:
    """Every list's codes with their labels, and the columns that a filter may compare with."""
    if choices is None:
        return
    names.filters = {name for name in choices.letters if name.partition("::")[0] not in _OWN}
    for line in choices.lines:
        codes = names.lists.setdefault(visible(line.cells.get("list_name", "")), {})
        codes.setdefault(visible(line.cells.get("name", "")), label_of(line.cells))


def label_of(cells: Mapping[str, str]) -> str:
    """The first wording of a row in any language."""
    return next((text for name, text in cells.items() if name.partition("::")[0] == "label"), "")


def lint_choices(choices: Table, used: set[str], linted: Linted) -> None:
    """Check each option and hand it on with the columns that some filter compares with."""
    seen: dict[tuple[str, str], int] = {}
    labels: dict[tuple[str, str], int] = {}
    names = linted.names
    for line in choices.lines:
        group, code = visible(line.cells.get("list_name", "")), visible(line.cells.get("name", ""))
        _check_names(choices, line, (group, code), seen, linted)
        _check_label(choices, line, group, labels, linted)
        _check_parents(choices, line, group, names, linted)
        row = {
            name: text
            for name, text in line.cells.items()
            if name.partition("::")[0] in _OWN or name in names.filters_used
        }
        linted.place(linted.choices, line.number, {**row, "list_name": group, "name": code})
        linted.where[f"{group}/{code}", "points"] = (choices, line.number, "points")
        linted.where.setdefault((group, "list_name"), (choices, line.number, "list_name"))
    for group in names.lists.keys() - used:
        _, number, _ = linted.where.get((group, "list_name"), (choices, 1, "list_name"))
        linted.notes.append(choices.fault("workbook_list_unused", number, "list_name", given=group))


def _check_names(
    choices: Table, line: Line, named: tuple[str, str], seen: dict[tuple[str, str], int], linted: Linted
) -> None:
    group, code = named
    if not LIST.fullmatch(group):
        linted.wrong(choices.fault("workbook_list_name", line.number, "list_name", given=group))
    if not _CHOICE.fullmatch(code):
        linted.wrong(choices.fault("workbook_choice", line.number, "name", given=code))
    elif named in seen:
        linted.wrong(choices.fault("workbook_choice_twice", line.number, "name", given=code, other=seen[named]))
    seen.setdefault(named, line.number)


def _check_label(choices: Table, line: Line, group: str, labels: dict[tuple[str, str], int], linted: Linted) -> None:
    label = label_of(line.cells)
    if not label:
        linted.wrong(choices.fault("workbook_label_missing", line.number, "label"))
        return
    # Two districts of one name in two cities are no slip: what a filter tells apart is part of the wording
    apart = " ".join(text for name, text in sorted(line.cells.items()) if name.partition("::")[0] not in _OWN)
    if labels.setdefault((group, f"{label} {apart}"), line.number) != line.number:
        linted.notes.append(choices.fault("workbook_label_twice", line.number, "label", given=label))
    if REFERENCE.search(label):
        linted.wrong(choices.fault("workbook_reference_in_choice", line.number, "label"))


def _check_parents(choices: Table, line: Line, group: str, names: Names, linted: Linted) -> None:
    """A cascade's column holds codes of the list that the question above offers."""
    for own, column, question in sorted(names.parents):
        codes = names.lists.get(names.list_of.get(question, ""), {})
        given = line.cells.get(column, "")
        if own != group or not given or not codes or given in codes or column in _OWN or (own, column) in names.words:
            continue
        by_label = next((code for code, label in codes.items() if label == given), given)
        linted.faults.append(
            choices.fault(
                "workbook_parent", line.number, column, given=given, name=question, meant=closest(by_label, codes)
            )
        )
