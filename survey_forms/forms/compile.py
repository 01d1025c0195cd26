"""XForm XML → `Form`: the structure that pages are drawn from and answers are checked against."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from survey_forms.forms.binds import DEVICE, Bound, Logic, bind_nodes
from survey_forms.forms.fields import parse
from survey_forms.forms.model import Form, Page, Question, Step
from survey_forms.forms.pages import Layout, lay_out
from survey_forms.forms.places import question_fault
from survey_forms.forms.rated import wrong_ratings
from survey_forms.forms.scalars import Condition, State, Tree, to_string
from survey_forms.forms.xform import JR, MC, Source, read_xform
from survey_forms.refusal import Fault, Refused

_OF_AN_ANSWER = {
    "required": "required",
    "constraint": "constraint",
    f"{MC}unit": "bind::mc:unit",
    f"{MC}item": "bind::mc:item",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,98}")


def compile_form(xform_xml: bytes) -> Form:
    """Compile a frozen questionnaire.

    Args:
        xform_xml: The XForm as pyxform wrote it; its SHA-256 becomes the form's version.

    Raises:
        Refused: With every fault found: what is no XForm, and what this product cannot ask or evaluate.
    """
    source = read_xform(xform_xml)
    faults = list(source.faults)
    logic = bind_nodes(source, faults)
    layout = lay_out(source, logic, faults)
    pages = tuple(layout.pages)
    faults.extend(_same_names(source, logic, layout))
    faults.extend(_asked_of_nobody(pages, logic))
    faults.extend(wrong_ratings(pages))
    if not any(page.questions for page in pages) and not faults:
        faults.append(question_fault("form_empty", source.id))
    steps = tuple(_steps(layout, logic))
    faults.extend(_wrong_defaults(steps))
    if faults:
        raise Refused.of(faults)
    inside = {node.slot for node in logic.nodes.values() if node.repeat and node.path not in source.repeats}
    return Form(
        id=source.id,
        version=hashlib.sha256(xform_xml).hexdigest(),
        title=source.title,
        languages=source.wordings.languages,
        default_language=source.wordings.languages[0],
        pages=pages,
        steps=steps,
        repeats=layout.repeats,
        slots=len(logic.nodes) + len(layout.headings),
        owners={one.name: one.repeat or "" for one in steps if one.question or one.calculate or one.entries},
        outputs={name: (one.run, not one.slots.isdisjoint(inside)) for name, one in logic.outputs.items()},
        quoted={name: one.tree for name, one in logic.outputs.items()},
        notes=tuple(_left_out(source)),
    )


def _steps(layout: Layout, logic: Logic) -> Iterator[Step]:
    asked = {question.name: (page.name, question) for page in layout.pages for question in page.questions}
    silent = set(layout.source.groups) - set(layout.source.repeats)
    for node in logic.order:
        if node.path not in silent:
            yield _step(node, asked.get(node.name), logic, layout.source)
        elif node.relevant is not None:
            yield _step(node, None, logic, layout.source)
    groups = {node.name: node for node in logic.nodes.values() if node.path in silent}  # pages refuse two headings
    for number, (name, below) in enumerate(layout.headings.items()):
        around = _step(groups[name], asked.get(name), logic, layout.source)
        some = _some(tuple(below), in_entry=around.repeat is not None)
        slot, trees = len(logic.nodes) + number, _heading(below)
        yield replace(around, slot=slot, relevant=some, within=None, within_entries=False, trees=trees)


def _heading(below: list[int]) -> dict[str, Tree]:
    return {"relevant": ("any asked", *below)}


def _some(slots: tuple[int, ...], *, in_entry: bool) -> Condition:
    """Whether any question below a heading is asked."""
    if in_entry:
        return lambda state: any(state.lasting(slot)[state.at] for slot in slots)
    return lambda state: any(state.relevant[slot] for slot in slots)


def _step(node: Bound, asked: tuple[str, Question] | None, logic: Logic, source: Source) -> Step:
    page, question = asked or ("", None)
    within = None if node.within is None else logic.by_slot[node.within]
    entries = node.path in source.repeats
    inside = node.repeat is not None and not entries
    around_entries = inside and within is not None and within.path == node.repeat
    calculate, first = node.calculate, node.first
    if calculate is None and (question is None or question.type == "note") and not entries:
        calculate, first = first, None
    parts = {one: getattr(node, one) for one in ("relevant", "required", "constraint", "count")}
    parts |= {"calculate": calculate, "first": first}
    return Step(
        name=node.name,
        slot=node.slot,
        within=None if within is None or around_entries else within.slot,
        page=page,
        question=question,
        relevant=_condition(node, "relevant"),
        calculate=calculate.run if calculate else None,
        required=_condition(node, "required") if question and question.required else None,
        constraint=_condition(node, "constraint"),
        anchor=logic.nodes[node.repeat].slot if node.repeat else node.slot,
        repeat=(node.repeat or "").rpartition("/")[2] if inside else None,
        within_entries=inside and within is not None and not around_entries and within.repeat == node.repeat,
        entries=entries,
        count=node.count.run if node.count else None,
        counted_by=_counted_by(node, logic) if entries else "",
        first=first.run if first else None,
        offered=node.offered.now,
        kept=node.kept,
        trees={part: one.tree for part, one in parts.items() if one is not None},
        offered_when=node.offered.when,
    )


def _counted_by(node: Bound, logic: Logic) -> str:
    """The question that says how many entries a repeat has, if it is one."""
    if node.count is None:
        return ""
    slots = set(node.count.slots)
    while slots:
        found = [logic.by_slot[slot] for slot in slots]
        if len(found) != 1:
            return ""
        if found[0].calculate is None:
            return found[0].name
        slots = set(found[0].calculate.slots)
    return ""


def _wrong_defaults(steps: tuple[Step, ...]) -> Iterator[Fault]:
    """Defaults that could not be an answer, or that answer for a unit before anyone has."""
    state = State(0, date(2000, 1, 1))
    for step in steps:
        question = step.question
        if question is None or step.first is None:
            continue
        if question.item is not None:
            yield question_fault("form_default_rating", step.name, "default")
            continue
        value, code, _ = parse(question, to_string(step.first(state)), question.choices)
        if code or value is None:
            yield question_fault("form_default_wrong", step.name, "default")


def _left_out(source: Source) -> Iterator[Fault]:
    """What the author asked to record about the device or the hour: an answer carries neither."""
    for path in source.leaves:
        bind = source.binds.get(path)
        if bind is not None and bind.get(f"{JR}preload") in DEVICE:
            yield question_fault("form_device_left_out", path.rpartition("/")[2])
    if any(path.endswith("/meta/audit") for path in source.binds):
        yield question_fault("form_device_left_out", "audit")


def _condition(node: Bound, part: str) -> Condition | None:
    compiled = getattr(node, part)
    return None if compiled is None else compiled.run


def _same_names(source: Source, logic: Logic, layout: Layout) -> Iterator[Fault]:
    """A submission is flat, so a name must be the only one in the whole form, and one that a browser can send."""
    names = [node.name for node in logic.nodes.values() if node.path in source.leaves or node.path in source.repeats]
    for name, times in Counter([*names, *layout.headings]).items():
        if times > 1:
            yield question_fault("form_same_name", name, "name")
        if not _NAME.fullmatch(name):
            yield question_fault("form_name", name, "name")
    for name, times in Counter(page.name for page in layout.pages).items():
        if times > 1:
            yield question_fault("form_same_name", name, "name")


def _asked_of_nobody(pages: tuple[Page, ...], logic: Logic) -> Iterator[Fault]:
    """A note, a group or a calculate has no answer that could be demanded, checked or rated."""
    answered = {question.name for page in pages for question in page.questions if question.type != "note"}
    for node in logic.nodes.values():
        if node.name not in answered:
            for attribute, aspect in _OF_AN_ANSWER.items():
                if node.bind.get(attribute, "false()").strip() != "false()":
                    yield question_fault("form_no_answer", node.name, aspect)
