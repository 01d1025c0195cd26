"""The cells of a workbook that hold logic: repaired, and checked for what the compiled form could not say as well."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from survey_forms.forms.expressions import compile_condition, compile_value
from survey_forms.forms.operations import Node, Unreadable
from survey_forms.forms.places import Bilingual, closest
from survey_forms.forms.repairs import LITERAL, REFERENCE, miswritten, repaired, yes_or_expression
from survey_forms.forms.scalars import Kind

Wrong = tuple[str, dict[str, object]]
"""A refusal's code and facts."""

_KINDS: dict[str, Kind] = {"integer": "number", "decimal": "number", "range": "number", "date": "date"}
_TEXT = r"(\"[^\"]*\"|'[^']*')"
_QUESTION = r"\$\{\s*(\w+)\s*\}"
_COMPARED = re.compile(rf"{_QUESTION}\s*(!?=)\s*{_TEXT}")
_REVERSED = re.compile(rf"{_TEXT}\s*(!?=)\s*{_QUESTION}")
_SELECTED = re.compile(rf"selected\s*\(\s*{_QUESTION}\s*,\s*{_TEXT}\s*\)")
_WORD = re.compile(r"(?<![\w$/{.'-])[^\W\d][\w.-]*(?!\w|\s*\(|-)")
_OPERATORS = {"and", "or", "div", "mod", "x"}
_NEVER_SELF = {"relevant", "calculation", "choice_filter", "required"}


@dataclass(slots=True)
class Names:
    """What logic may name: questions and groups with their types, lists with their codes and labels."""

    types: dict[str, str] = field(default_factory=dict)
    list_of: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    filters_used: set[str] = field(default_factory=set)
    parents: set[tuple[str, str, str]] = field(default_factory=set)
    """(list, column, question): the column of the list is compared with the question's answer."""
    words: set[tuple[str, str]] = field(default_factory=set)
    """(list, column): the column is compared with a word as well (`area = 'any'`), so it holds more than codes."""


def put_right(column: str, written: str) -> str:
    """The cell with its signs repaired; a yes or no as `yes` or nothing."""
    if column in {"required", "readonly"}:
        return yes_or_expression(written)
    return repaired(with_columns(column, written))


def with_columns(column: str, written: str) -> str:
    """The cell with the Chinese name of the column that cascades use turned into its own."""
    return written.replace("上级", "parent") if column == "choice_filter" else written


def wrong_logic(name: str, column: str, logic: str, names: Names) -> Wrong | None:
    """What is wrong with one expression that the compiled form would not find, or not say as plainly."""
    for reference in REFERENCE.findall(logic):
        if reference not in names.types:
            return "workbook_reference", unknown_reference(reference, names)
        if reference == name and column in _NEVER_SELF:
            return "workbook_self", {"name": name}
    if open_reference(logic):
        return "workbook_reference_open", {"given": open_reference(logic)}
    return miswritten(logic) or _wrong_code(logic, names) or _wrong_filter(name, column, logic, names)


def unknown_reference(reference: str, names: Names) -> dict[str, object]:
    """The facts of a `${…}` that names nothing: the name that is there in other letters, or the closest one."""
    same = [name for name in names.types if name.lower() == reference.lower()]
    return {"given": reference, "meant": closest(same[0] if same else reference, names.types)}


def open_reference(words: str) -> str:
    """What follows a `${` that is never closed; empty when every one is."""
    _, opened, rest = REFERENCE.sub("", words).partition("${")
    return f"{opened}{rest[:20]}"


def multiples_compared(logic: str, names: Names) -> Iterator[str]:
    """Multiple-choice questions that `=` compares: true only where that one choice was taken and no other."""
    for name, _, text in _COMPARED.findall(logic):
        if names.types.get(name) == "select_multiple" and text[1:-1]:
            yield name


def _wrong_code(logic: str, names: Names) -> Wrong | None:
    """A choice question compared with what is no code of its list, mostly the label."""
    pairs = [(name, text) for name, _, text in _COMPARED.findall(logic)]
    pairs += [(name, text) for text, _, name in _REVERSED.findall(logic)]
    for name, text in (*pairs, *_SELECTED.findall(logic)):
        codes = names.lists.get(names.list_of.get(name, ""), {})
        code = text[1:-1]
        if codes and code and code not in codes:
            by_label = next((one for one, label in codes.items() if label == code), None)
            meant = closest(by_label or code, codes)
            known = ", ".join(list(codes)[:8])
            return "workbook_code_unknown", {"name": name, "given": code, "meant": meant, "known": known}
    return None


def _wrong_filter(name: str, column: str, logic: str, names: Names) -> Wrong | None:
    if column != "choice_filter":
        return None
    outside = REFERENCE.sub(" ${x} ", LITERAL.sub("''", logic))
    own = names.list_of.get(name, "")
    for word in _WORD.findall(outside):
        if word not in names.filters | {"name", "label", "points"} | _OPERATORS:
            meant = closest(word, names.filters)
            known = ", ".join(sorted(names.filters)) or "—"
            return "workbook_filter_column", {"given": word, "meant": meant, "known": known}
        names.filters_used.add(word)
    for left, right in re.findall(rf"([A-Za-z_]\w*)\s*=\s*{_QUESTION}", logic):
        names.parents.add((own, left, right))
    for right, left in re.findall(rf"{_QUESTION}\s*=\s*([A-Za-z_]\w*)", logic):
        names.parents.add((own, left, right))
    names.words |= {(own, left) for left in re.findall(r"([A-Za-z_]\w*)\s*=\s*['\"]", logic)}
    return None


def flat_fault(name: str, column: str, logic: str, names: Names) -> Wrong | None:
    """An expression compiled as if every question stood at the top: for forms too wrong to be compiled whole."""
    if column in {"choice_filter", "repeat_count", "default"}:
        return None
    nodes = {
        f"/data/{one}": Node(slot, _KINDS.get(kind, "string")) for slot, (one, kind) in enumerate(names.types.items())
    }
    compiler = compile_value if column == "calculation" else compile_condition
    try:
        compiler(REFERENCE.sub(r" /data/\1 ", logic), nodes, f"/data/{name}")
    except Unreadable as unreadable:
        return unreadable.code, as_written(unreadable.facts)
    return None


def as_written(facts: Mapping[str, object]) -> dict[str, object]:
    """Facts with `${name}` in place of the paths that the converter made of it."""
    return {key: _as_written(fact) for key, fact in facts.items()}


def _as_written(fact: object) -> object:
    if isinstance(fact, Bilingual):
        return Bilingual(str(_as_written(fact.zh)), str(_as_written(fact.en)))
    return (
        re.sub(r"(?:/data|(?:current\(\)/)?\.\.)(?:/\.\.)*(?:/\w+)*/(\w+)", r"${\1}", fact)
        if isinstance(fact, str)
        else fact
    )
