"""What a respondent sent → checked answers, the way through the form, and what those answers say about units."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from survey_forms.forms.model import (
    Answers,
    Entries,
    Form,
    Page,
    Rating,
    Raw,
    ShownChoice,
    ShownPage,
    ShownQuestion,
    Step,
    Stop,
    Value,
    wording,
)
from survey_forms.forms.reading import Reading, unknown_keys
from survey_forms.forms.scalars import to_string
from survey_forms.refusal import Fault, Refused


def read_answers(form: Form, raw: Raw, today: date) -> Answers:
    """Check a whole submission.

    Args:
        form: The compiled questionnaire.
        raw: Key → what was sent. Calculates may be sent and are not believed.
        today: The day that `today()` means, so that a second check gives the same result.

    Raises:
        Refused: With every fault, in the form's order; each one's path is a key of `raw`.
    """
    reading = Reading(form, raw, today)
    faults = (*unknown_keys(form, raw), *reading.in_order())
    if faults:
        raise Refused.of(faults)
    values: dict[str, Value | Entries] = {**reading.values}
    values |= {name: tuple(entries) for name, entries in reading.entries.items() if entries}
    return Answers(values, reading.left_out(), tuple(reading.differing))


def relevant_pages(form: Form, raw: Raw, today: date) -> tuple[Stop, ...]:
    """The stops on the way under the answers so far, each page with only the questions that are to be asked."""
    return tuple(_way(form, Reading(form, raw, today)))


def _way(form: Form, reading: Reading) -> Iterator[Stop]:
    done: set[str] = set()
    for page in form.pages:
        if page.repeat is None:
            yield from _stop(reading, page, None)
        elif page.repeat not in done:  # all pages of one entry before those of the next, then the list of entries
            done.add(page.repeat)
            for entry in range(1, len(reading.entries[page.repeat]) + 1):
                for one in form.repeats[page.repeat].pages:
                    yield from _stop(reading, one, entry)
            gate = next((one for one in form.pages if one.kind == "repeat" and one.repeat == page.repeat), None)
            if gate is not None and reading.state.relevant[form.steps_by_name[page.repeat].slot]:
                yield Stop(gate)


def _stop(reading: Reading, page: Page, entry: int | None) -> Iterator[Stop]:
    steps, state = reading.form.steps_by_name, reading.state

    def is_asked(name: str) -> bool:
        slot = steps[name].slot
        return state.relevant[slot] if entry is None else state.lasting(slot)[entry - 1]

    questions = tuple(question for question in page.questions if is_asked(question.name))
    if questions:
        yield Stop(page if len(questions) == len(page.questions) else replace(page, questions=questions), entry)


def page_faults(form: Form, stop: Stop, raw: Raw, today: date) -> tuple[Fault, ...]:
    """The faults of one stop's questions, under all answers so far; later pages may still be empty."""
    here = {"page": stop.page.name, "entry": stop.entry}
    return tuple(
        fault
        for fault in Reading(form, raw, today).in_order()
        if fault.facts["page"] == here["page"] and fault.facts["entry"] == here["entry"]
    )


def shown(  # noqa: PLR0913 - what is shown depends on all six
    form: Form, stop: Stop, raw: Raw, today: date, language: str, *, seed: int = 0
) -> ShownPage:
    """A stop as a reader of one language sees it now: `${}` filled in, choices filtered, notes worked out.

    `seed` orders the choices that the author shuffles without a seed; one respondent has one.
    """
    reading = Reading(form, raw, today, language, seed)
    state, steps = reading.state, form.steps_by_name
    entries = 0 if stop.page.repeat is None else len(reading.entries.get(stop.page.repeat, ()))
    state.at = -1 if stop.entry is None or stop.entry > entries else stop.entry - 1
    title = reading.filled(state, wording(stop.page.title, language, form.default_language))
    if stop.entry is not None and state.at < 0:  # an entry that there is no more
        return ShownPage(stop, title, (), entries)
    questions = tuple(_question(reading, steps[one.name], stop) for one in stop.page.questions)
    return ShownPage(stop, title, questions, entries)


def _question(reading: Reading, step: Step, stop: Stop) -> ShownQuestion:
    question, state = step.question, reading.state
    if question is None:
        raise LookupError(step.name)
    key = stop.key(step.name)
    choices = question.choices if step.offered is None else step.offered(state)
    worth = state.values[step.slot] if stop.entry is None else state.column(step.slot)[state.at]
    return ShownQuestion(
        question,
        key,
        reading.said(state, question.label),
        reading.said(state, question.hint),
        required=step.required is not None and step.required(state),
        choices=tuple(ShownChoice(one.name, reading.said(state, one.label), one.points) for one in choices),
        given=_given(reading, step, key),
        value=to_string(worth) if question.type == "note" else "",
    )


def _given(reading: Reading, step: Step, key: str) -> str | tuple[str, ...]:
    """What the field holds: what was sent, else the author's default."""
    sent = reading.raw.get(key)
    if sent is None:
        sent = "" if step.first is None else to_string(step.first(reading.state))
    if step.question is not None and step.question.type in {"select_multiple", "rank"}:
        several = [sent] if isinstance(sent, str) else sent
        return tuple(word for one in several for word in one.split())
    return tuple(sent) if isinstance(sent, list) else sent


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
