"""Simulated respondents: seeded, so that the demonstration's figures are the same everywhere, and marked `simulated`.

They answer whatever form they are given, page by page, by the form's own rules; nothing here knows a form by name.
"""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from survey_forms.forms.answers import page_faults, read_answers, relevant_pages
from survey_forms.forms.model import Form, Question

TRIES = 20
ANSWERS_OPTIONAL = 0.35
SUGGESTIONS = (
    "办事效率有提高。",
    "希望窗口多开几个。",
    "网上办理还可以更方便。",
    "服务态度好。",
    "咨询电话有时打不通。",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated respondent: the stratum, and how kind a judge."""

    stratum: str
    leniency: float


def standing(units: tuple[str, ...], chance: Random) -> dict[str, float]:
    """How well each unit does in this world, on a scale where 0 is the middling one."""
    return {unit: chance.gauss(0.0, 0.45) for unit in units}


def answer(form: Form, person: Person, of: dict[str, float], today: date, chance: Random) -> dict[str, Any]:
    """One person's checked answers, as they are stored.

    Raises:
        Refused: if the form asks for something that no try of ours satisfies.
    """
    return read_answers(form, fill_in(form, person, of, today, chance), today).as_json()


def fill_in(
    form: Form, person: Person, of: dict[str, float], today: date, chance: Random
) -> dict[str, str | list[str]]:
    """One person's answers as a browser sends them."""
    raw: dict[str, str | list[str]] = {}
    done: set[str] = set()
    while True:
        stop = next((stop for stop in relevant_pages(form, raw, today) if stop.page.name not in done), None)
        if stop is None:
            return raw
        for _ in range(TRIES):
            raw.update({question.name: _reply(question, person, of, chance) for question in stop.page.questions})
            if not page_faults(form, stop, raw, today):
                break
        done.add(stop.page.name)


def _reply(question: Question, person: Person, of: dict[str, float], chance: Random) -> str | list[str]:
    names = [choice.name for choice in question.choices]
    if person.stratum in names:
        return person.stratum
    if question.item:
        return _rating(question, person.leniency + of.get(question.unit or "", 0.0), chance)
    several = question.type == "select_multiple"
    if question.type == "note" or (not question.required and chance.random() > ANSWERS_OPTIONAL):
        return [] if several else ""
    if several:
        return chance.sample(names, k=min(len(names), chance.randint(1, 2)))
    if names:
        return chance.choice(names)
    plain = {"text": chance.choice(SUGGESTIONS), "date": today_like(chance)}
    return plain.get(question.type, str(chance.randint(1, 60)))


def today_like(chance: Random) -> str:
    """Some day of the demonstration's year."""
    return date(2015, chance.randint(1, 11), chance.randint(1, 28)).isoformat()


def _rating(question: Question, level: float, chance: Random) -> str:
    """A step of the scale near the level, or 不了解 now and then."""
    scale = sorted((choice for choice in question.choices if choice.points is not None), key=lambda c: c.points or 0)
    aside = [choice.name for choice in question.choices if choice.points is None]
    if aside and chance.random() < 0.08:
        return chance.choice(aside)
    top = len(scale) - 1
    step = round(top * 0.82 + level + chance.gauss(0.0, 0.75))
    return scale[max(0, min(top, step))].name
