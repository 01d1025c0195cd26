"""XForm XML → `Form`: the structure that pages are drawn from and answers are checked against."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from survey_forms.forms.binds import Bound, Logic, bind_nodes
from survey_forms.forms.model import Form, Page, Question, Step
from survey_forms.forms.pages import lay_out
from survey_forms.forms.places import question_fault
from survey_forms.forms.scalars import Condition
from survey_forms.forms.xform import MC, read_xform
from survey_forms.refusal import Fault, Refused

_OF_AN_ANSWER = {
    "required": "required",
    "constraint": "constraint",
    f"{MC}unit": "bind::mc:unit",
    f"{MC}item": "bind::mc:item",
}
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


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
    pages = lay_out(source, logic, faults)
    faults.extend(_same_names(logic))
    faults.extend(_asked_of_nobody(pages, logic))
    faults.extend(_wrong_ratings(pages))
    if not pages and not faults:
        faults.append(question_fault("form_empty", source.id))
    if faults:
        raise Refused.of(faults)
    return Form(
        id=source.id,
        version=hashlib.sha256(xform_xml).hexdigest(),
        title=source.title,
        languages=source.languages,
        default_language=source.languages[0],
        pages=pages,
        steps=tuple(_steps(pages, logic)),
    )


def _steps(pages: tuple[Page, ...], logic: Logic) -> Iterator[Step]:
    asked = {question.name: (page, question) for page in pages for question in page.questions}
    for node in logic.order:
        page, question = asked.get(node.name, (None, None))
        yield Step(
            name=node.name,
            slot=node.slot,
            within=node.within,
            page=page.name if page else "",
            question=question,
            relevant=_condition(node, "relevant"),
            calculate=node.calculate.run if node.calculate else None,
            required=_condition(node, "required") if question and question.required else None,
            constraint=_condition(node, "constraint"),
        )


def _condition(node: Bound, part: str) -> Condition | None:
    compiled = getattr(node, part)
    return None if compiled is None else compiled.run


def _same_names(logic: Logic) -> Iterator[Fault]:
    """A submission is flat, so a name must be the only one in the whole form."""
    for name, times in Counter(node.name for node in logic.nodes.values()).items():
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


def _wrong_ratings(pages: tuple[Page, ...]) -> Iterator[Fault]:
    questions = {question.name: question for page in pages for question in page.questions}
    seen: dict[tuple[str, str], str] = {}
    by_answer = {question.item for question in questions.values() if question.unit_from}
    for question in questions.values():
        unit = question.unit or question.unit_from
        if not unit and not question.item:
            continue
        yield from _wrong_rating(question, questions)
        twin = seen.setdefault((unit or "", question.item or ""), question.name)
        if twin != question.name:
            yield question_fault("form_rated_twice", question.name, "bind::mc:unit", other=twin)
        if question.unit and question.item in by_answer:
            yield question_fault("form_item_by_answer", question.name, "bind::mc:item", item=question.item)


def _wrong_rating(question: Question, questions: dict[str, Question]) -> Iterator[Fault]:
    for column, name in (("bind::mc:unit", question.unit or question.unit_from), ("bind::mc:item", question.item)):
        if not name or not _ID.fullmatch(name):
            yield question_fault("form_rating_id", question.name, column, given=name or "")
    if question.type != "select_one" or all(choice.points is None for choice in question.choices):
        yield question_fault("form_rating_points", question.name)
    if question.unit_from and (
        question.unit_from not in questions or questions[question.unit_from].type != "select_one"
    ):
        yield question_fault("form_rating_from", question.name, "bind::mc:unit", other=question.unit_from)
