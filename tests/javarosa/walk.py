"""A respondent who answers by chance: page after page to the end, as `api/pages` would lead them."""

import json
from datetime import timedelta
from random import Random

from survey_forms.forms.answers import page_faults, read_answers, relevant_pages, shown
from survey_forms.forms.model import Form, Raw, ShownQuestion, Stop
from survey_forms.forms.size import largest_answer
from survey_forms.refusal import Refused
from tests.javarosa.submissions import TODAY

TRIES = 4
MOST_STOPS = 400
_WORDS = ("", "好", "Li Wei", "a@example.org", "0592123456", "x y", "<b>&", "٣", "12")


def walked(form: Form, random: Random) -> int:
    """Answer every page; how many stops it took. Any exception but a refusal of answers is a fault of ours."""
    raw: dict[str, str | list[str]] = {}
    seen: set[tuple[str, int | None]] = set()
    for number in range(MOST_STOPS):
        stop = next((one for one in relevant_pages(form, raw, TODAY) if (one.page.name, one.entry) not in seen), None)
        if stop is None:
            _finished(form, raw)
            return number
        entries = raw.get(stop.page.repeat or "")
        for _ in range(TRIES):
            _answered(form, stop, raw, random)
            if not page_faults(form, stop, raw, TODAY):
                break
        if stop.page.kind != "repeat" or raw[stop.page.repeat] == entries:  # one more entry is asked first
            seen.add((stop.page.name, stop.entry))
    raise AssertionError(f"more than {MOST_STOPS} stops")


def _answered(form: Form, stop: Stop, raw: dict[str, str | list[str]], random: Random) -> None:
    for language in form.languages:
        page = shown(form, stop, raw, TODAY, language)
        assert all("${" not in question.label + question.hint for question in page.questions)
    if stop.page.kind == "repeat":
        raw[stop.page.repeat] = str(min(page.entries + (random.random() < 0.4), 4))
    for question in page.questions:
        raw[question.key] = _reply(question, random)


def _reply(question: ShownQuestion, random: Random) -> str | list[str]:
    kind, names = question.question.type, [choice.name for choice in question.choices]
    if kind in {"note", "image"} or random.random() < (0.05 if question.required else 0.25):
        return ""
    if kind in {"select_multiple", "rank"}:
        return random.sample(names, len(names) if kind == "rank" else random.randint(0, len(names)))
    if kind == "scale":
        start, end, step = question.question.start, question.question.end, question.question.step
        return str(start + step * random.randint(0, int((end - start) / step)))
    if kind == "date":
        return (TODAY - timedelta(random.randint(-3, 300))).isoformat()
    drawn: tuple[object, ...] = (0, 1, 2, 3, 7, 20, 40, 99) if kind in {"integer", "decimal"} else _WORDS
    return str(random.choice(names or ("",))) if kind == "select_one" else str(random.choice(drawn))


def _finished(form: Form, raw: Raw) -> None:
    try:
        answers = read_answers(form, raw, TODAY)
    except Refused as refused:
        strange = [fault.code for fault in refused.faults if not fault.code.startswith("answer_")]
        if strange:
            raise AssertionError(strange) from refused
    else:
        sent = json.dumps(answers.as_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert len(sent.encode()) <= largest_answer(form)
