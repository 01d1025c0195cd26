"""A checklist that a phone handed in, in words: what was asked and answered, and what the form says against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.problems import LANGUAGES
from api.store.entry_trail import ChecklistAnswers
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Question, Text
from survey_forms.forms.reading import Reading


@dataclass(frozen=True, slots=True)
class ChecklistShown:
    """Questions and answers in the form's order, what was not asked left out; `faults` as (question, sentence)."""

    title: Text
    lines: Sequence[tuple[Text, Sequence[Text]]]
    complete: bool
    faults: Sequence[tuple[Text, Text]] = ()


def checklist_shown(filled: ChecklistAnswers, day: date) -> ChecklistShown:
    """The checklist as it was read on its day: `${}` filled in, a choice by its label, anything else as typed."""
    form = compile_form(bytes(filled.xform))
    readings = {one: Reading(form, filled.answers, day, one) for one in LANGUAGES}
    state = next(iter(readings.values())).state

    def said(text: Text) -> Text:
        return {one: reading.said(reading.state, text) for one, reading in readings.items()} if text else text

    asked = [question for page in form.pages for question in page.questions]
    labels = {question.name: said(question.label) for question in asked}
    shown = [one for one in asked if state.relevant[form.steps_by_name[one.name].slot]]
    lines = [
        (labels[one.name], answers) for one in shown if (answers := _answers(one, filled.answers.get(one.name, "")))
    ]
    faults = [(labels.get(fault["path"], {"zh": fault["path"]}), fault) for fault in filled.faults]
    return ChecklistShown(form.title, lines, filled.complete, faults)


def _answers(question: Question, given: str) -> list[Text]:
    known: Mapping[str, Text] = {choice.name: choice.label for choice in question.choices}
    listed = given.split() if known else [given] if given.strip() else []
    return [known.get(one, {"zh": one}) for one in listed]
