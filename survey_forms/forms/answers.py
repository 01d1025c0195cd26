"""What a respondent sent → checked answers, and what those answers say about units.

The server's own evaluation is the truth: relevance and calculates are worked out here from the answers
alone, whatever a browser has shown. Faults never repeat an answer; they name the question and its page.
"""

from dataclasses import replace
from datetime import date

from survey_forms.forms.fields import parse, scalar
from survey_forms.forms.model import (
    Answers,
    Form,
    Rating,
    Raw,
    ShownChoice,
    ShownPage,
    ShownQuestion,
    Step,
    Stop,
    Text,
    Value,
    wording,
)
from survey_forms.forms.places import Bilingual
from survey_forms.forms.scalars import State, to_string
from survey_forms.refusal import Fault, Refused

MOST_UNKNOWN = 20
_NAME_SHOWN = 60


class _Reading:
    """One pass over a submission: the state, the values kept, the faults and the dropped answers by slot."""

    __slots__ = ("dropped", "faults", "state", "values")

    def __init__(self, form: Form, raw: Raw, today: date) -> None:
        self.state = State(len(form.steps), today)
        self.values: dict[str, Value] = {}
        self.faults: dict[int, Fault] = {}
        self.dropped: dict[int, str] = {}
        for step in form.steps:
            self._settle(step, raw)
        for step in form.steps:
            if step.question is not None and self.state.relevant[step.slot]:
                self._check(step)

    def _settle(self, step: Step, raw: Raw) -> None:
        """Relevance first, then the value; the order of steps has put whatever they read before them."""
        state, question = self.state, step.question
        inside = step.within is None or state.relevant[step.within]
        relevant = inside and (step.relevant is None or step.relevant(state))
        state.relevant[step.slot] = relevant
        if step.calculate is not None:
            if relevant:
                state.values[step.slot] = worth = step.calculate(state)
                if worth != "":
                    self.values[step.name] = to_string(worth)
        elif question is not None and question.type != "note":
            given = raw.get(step.name)
            if not given:
                return
            value, code, facts = parse(question, given)
            if not relevant:
                if value is not None or code:
                    self.dropped[step.slot] = step.name
            elif code:
                self.faults[step.slot] = _fault(code, step, facts)
            elif value is not None:
                self.values[step.name] = value
                state.values[step.slot] = scalar(value)

    def _check(self, step: Step) -> None:
        """Required and constraint, once every value is known; a constraint is not asked of an empty answer."""
        question = step.question
        if question is None or step.slot in self.faults:
            return
        if step.name not in self.values:
            if step.required is not None and step.required(self.state):
                self.faults[step.slot] = _told(
                    "answer_required", "answer_required_as_told", step, question.required_message
                )
        elif step.constraint is not None and not step.constraint(self.state):
            self.faults[step.slot] = _told(
                "answer_constraint", "answer_constraint_as_told", step, question.constraint_message
            )

    def in_order(self) -> tuple[Fault, ...]:
        return tuple(self.faults[slot] for slot in sorted(self.faults))


def read_answers(form: Form, raw: Raw, today: date) -> Answers:
    """Check a whole submission.

    Args:
        form: The compiled questionnaire.
        raw: Question name → what was sent. Calculates may be sent and are not believed.
        today: The day that `today()` means, so that a second check gives the same result.

    Raises:
        Refused: With every fault, in the form's order; each one's path is a question's name.
    """
    reading = _Reading(form, raw, today)
    faults = (*_unknown(form, raw), *reading.in_order())
    if faults:
        raise Refused.of(faults)
    return Answers(reading.values, tuple(reading.dropped[slot] for slot in sorted(reading.dropped)))


def page_faults(form: Form, stop: Stop, raw: Raw, today: date) -> tuple[Fault, ...]:
    """The faults of one stop's questions, under all answers so far; later pages may still be empty."""
    return tuple(fault for fault in _Reading(form, raw, today).in_order() if fault.facts["page"] == stop.page.name)


def relevant_pages(form: Form, raw: Raw, today: date) -> tuple[Stop, ...]:
    """The stops on the way under the answers so far, each page with only the questions that are to be asked."""
    relevant = _Reading(form, raw, today).state.relevant
    asked = {step.name for step in form.steps if relevant[step.slot]}
    pages = (
        page
        if all(question.name in asked for question in page.questions)
        else replace(page, questions=tuple(one for one in page.questions if one.name in asked))
        for page in form.pages
    )
    return tuple(Stop(page) for page in pages if page.questions)


def shown(form: Form, stop: Stop, raw: Raw, today: date, language: str) -> ShownPage:
    """A stop as a reader of one language sees it now: `${}` filled in, choices filtered, notes worked out."""
    _ = today

    def words(text: Text) -> str:
        return wording(text, language, form.default_language)

    def given(key: str) -> str | tuple[str, ...]:
        sent = raw.get(key, "")
        return tuple(sent) if isinstance(sent, list) else sent

    questions = (
        ShownQuestion(
            question,
            stop.key(question.name),
            words(question.label),
            words(question.hint),
            question.required,
            tuple(ShownChoice(one.name, words(one.label), one.points) for one in question.choices),
            given(stop.key(question.name)),
        )
        for question in stop.page.questions
    )
    return ShownPage(stop, words(stop.page.title), tuple(questions))


def ratings(form: Form, answers: Answers) -> tuple[Rating, ...]:
    """The points that the answers give to units; 不了解 and what was not answered give none."""
    found: list[Rating] = []
    for page in form.pages:
        for question in page.questions:
            value = answers.values.get(question.name) if question.item else None
            if question.item is None or value is None:
                continue
            unit = answers.values.get(question.unit_from) if question.unit_from else question.unit
            points = next((choice.points for choice in question.choices if choice.name == value), None)
            if isinstance(unit, str) and points is not None:
                found.append(Rating(unit, question.item, points))
    return tuple(found)


def _unknown(form: Form, raw: Raw) -> list[Fault]:
    known = {step.name for step in form.steps if step.question or step.calculate}
    strangers = [name for name in raw if name not in known][:MOST_UNKNOWN]
    return [
        Fault("answer_unknown_question", name[:_NAME_SHOWN].encode("utf-8", "replace").decode(), {"page": ""})
        for name in strangers
    ]


def _fault(code: str, step: Step, facts: dict[str, object]) -> Fault:
    return Fault(code, step.name, {**facts, "page": step.page})


def _told(ours: str, authors: str, step: Step, message: Text) -> Fault:
    """The author's own words if there are any, else ours."""
    if not message:
        return _fault(ours, step, {})
    words = Bilingual(wording(message, "zh"), wording(message, "en"))
    return _fault(authors, step, {"message": words})
