"""Questions that rate units: what would make their points useless is refused before anyone answers."""

import re
from collections.abc import Iterator

from survey_forms.forms.model import Page, Question
from survey_forms.forms.places import question_fault
from survey_forms.refusal import Fault

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


def wrong_ratings(pages: tuple[Page, ...]) -> Iterator[Fault]:
    """Ratings that could not be counted: no scale, no unit, one unit rated twice by one person."""
    questions = {question.name: question for page in pages for question in page.questions}
    repeated = {question.name for page in pages if page.repeat is not None for question in page.questions}
    seen: dict[tuple[str, str], str] = {}
    by_answer = {question.item for question in questions.values() if question.unit_from}
    for question in questions.values():
        unit = question.unit or question.unit_from
        if not unit and not question.item:
            continue
        yield from _wrong_rating(question, questions)
        if question.name in repeated or question.unit_from in repeated:
            yield question_fault("form_rating_in_repeat", question.name, "bind::mc:unit")
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
