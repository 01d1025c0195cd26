"""A compiled form as JSON for the inspector's phone, which asks and checks it without a network.

The phone gets no expression as text. It gets the trees that were made together with the closures that the server
runs (`operations.Compiled`), and `logic.js` evaluates them by the same rules. Whatever it does not have is refused
by its name when the form is chosen as a checklist, never skipped; and the server checks every answer again.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import date

from survey_forms.forms.model import Form, Json, Question, Step, Text
from survey_forms.forms.places import Bilingual, question_fault
from survey_forms.forms.portable_patterns import pattern_for_browsers
from survey_forms.forms.scalars import Tree
from survey_forms.refusal import Fault, Refused

OPERATORS = frozenset({"and", "or", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "negated"})
FUNCTIONS = frozenset(
    {"not", "if", "coalesce", "checklist", "number", "string", "int", "round", "abs", "today", "date"}
    | {"selected", "is-selected", "selected-at", "count-selected", "regex", "contains", "starts-with", "ends-with"}
    | {"string-length", "concat", "join", "normalize-space", "min", "max", "sum", "count", "count-non-empty"}
)
"""What `logic.js` evaluates; tests/pages/test_checklist.py holds the two lists against each other."""

TYPES = frozenset({"select_one", "select_multiple", "integer", "decimal", "date", "text", "note"})
_OURS = OPERATORS | FUNCTIONS | {"node", "any asked", "is"}
_NAMED = {
    "of this entry": Bilingual("重复部分里的题", "questions in a repeat"),
    "of all entries": Bilingual("重复部分里的题", "questions in a repeat"),
    "entries": Bilingual("重复部分", "a repeat"),
    "randomize": Bilingual("随机排列选项", "choices in random order"),
    "instance": Bilingual("在选项表里查找 instance()", "a look-up in a list, instance()"),
}
_PARTS = ("relevant", "calculate", "required", "constraint", "first")
_ASPECTS = {"calculate": "calculation", "first": "default"}


def not_portable(form: Form) -> list[Fault]:
    """What in the form a phone cannot ask or work out, question by question; empty: it can be a checklist."""
    return list(_faults(form))


def portable(form: Form) -> dict[str, Json]:
    """The form as `checklist.js` reads it.

    `pages` lists the questions by name; `steps` has every node in the order of evaluation, an expression as a constant
    or `[name, ...]`, and `[slot]` for the value of a node; a choice is `[name, label]`, or `[name, label, when]`.

    Raises:
        Refused: `form_not_portable` for each thing that a phone cannot do.
    """
    faults = not_portable(form)
    if faults:
        raise Refused.of(faults)
    return {
        "version": form.version,
        "title": dict(form.title),
        "language": form.default_language,
        "slots": form.slots,
        "pages": [
            {"title": dict(page.title), "questions": [question.name for question in page.questions]}
            for page in form.pages
        ],
        "steps": [_step(step) for step in form.steps],
        "quoted": {name: expression_for_phones(tree) for name, tree in form.quoted.items()},
    }


def _step(step: Step) -> dict[str, Json]:
    said: dict[str, Json] = {"name": step.name, "slot": step.slot}
    if step.within is not None:
        said["within"] = step.within
    said |= {part: expression_for_phones(tree) for part, tree in _trees(step)}
    return said | _question(step, step.question) if step.question else said


def _question(step: Step, question: Question) -> dict[str, Json]:
    words: Mapping[str, Text] = {"label": question.label, "hint": question.hint}
    told: Mapping[str, Text] = {"required": question.required_message, "constraint": question.constraint_message}
    said: dict[str, Json] = {"type": question.type, **_written(words)}
    if any(told.values()):
        said["told"] = _written(told)
    if question.choices:
        when = step.offered_when() if step.offered_when else ()
        choices: list[list[Json]] = [[choice.name, dict(choice.label)] for choice in question.choices]
        for choice, tree in zip(choices, when, strict=False):
            choice.append(expression_for_phones(tree))
        said["choices"] = choices
    if question.rows > 1:
        said["rows"] = question.rows
    return said


def _written(texts: Mapping[str, Text]) -> dict[str, Json]:
    return {name: dict(text) for name, text in texts.items() if text}


def _trees(step: Step) -> Iterator[tuple[str, Tree]]:
    """The expressions that the server evaluates for this node."""
    return ((part, step.trees[part]) for part in _PARTS if getattr(step, part) is not None)


def expression_for_phones(tree: Tree) -> Json:
    """An expression as JSON: a constant, `[slot]`, or `[name, ...]`."""
    if isinstance(tree, date):
        return ["date", tree.isoformat()]
    if isinstance(tree, float):
        return int(tree) if tree.is_integer() else tree  # type: ignore[return-value]  # a number is one in JSON
    if not isinstance(tree, tuple):
        return tree
    name, *given = tree
    if name == "node":
        return list(map(expression_for_phones, given))
    if name == "regex":
        return ["regex", expression_for_phones(given[0]), pattern_for_browsers(str(given[1])) or ""]
    return [str(name), *map(expression_for_phones, given)]


def _faults(form: Form) -> Iterator[Fault]:
    for repeat in form.repeats:
        yield _fault(repeat, "type", _NAMED["entries"])
    for step in form.steps:
        kind = step.question.type if step.question else "note"
        if kind not in TYPES:
            yield _fault(step.name, "type", kind)
        trees = dict(_trees(step))
        if step.offered_when:
            trees["choice_filter"] = ("and", *step.offered_when())
        for part, tree in trees.items() if step.repeat is None and not step.entries else ():
            for missing in missing_from_phones(tree):
                yield _fault(step.name, _ASPECTS.get(part, part), _NAMED.get(missing, missing))
    for name, tree in form.quoted.items():
        for missing in missing_from_phones(tree):
            yield _fault(name, "label", _NAMED.get(missing, missing))


def _fault(name: str, aspect: str, what: object) -> Fault:
    both = what if isinstance(what, Bilingual) else Bilingual(str(what), str(what))
    return question_fault("form_not_portable", name, aspect, what=both)


def missing_from_phones(tree: Tree) -> list[str]:
    """What in an expression a phone does not have, by name."""
    return sorted(set(map(_missing, _nodes(tree))) - {""})


def _nodes(tree: Tree) -> Iterator[Tree]:
    yield tree
    for one in tree[1:] if isinstance(tree, tuple) else ():
        yield from _nodes(one)


def _missing(tree: Tree) -> str:
    """The name of what the phone does not have in the outermost operation; empty when it has it."""
    if isinstance(tree, float) and not math.isfinite(tree):
        return str(tree)
    if not isinstance(tree, tuple):
        return ""
    name = str(tree[0])
    if name == "regex" and pattern_for_browsers(str(tree[2])) is None:
        return f"regex(…, '{tree[2]}')"
    return "" if name in _OURS else name
