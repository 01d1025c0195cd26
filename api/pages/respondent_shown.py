"""A screen of a form under the answers so far, in the reader's words, worked out before any template sees it."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from api.pages.respondent_screens import Field, Option, Screen
from api.pages.respondent_sent import date_parts, marks_of, matching
from api.pages.respondent_way import Turn, Way, address
from api.problems import say
from survey_forms.forms.answers import shown
from survey_forms.forms.model import Question, ShownPage, ShownQuestion, Stop, wording
from survey_forms.refusal import Fault

MOST_BUTTONS = 15  # a longer list of choices is a drop-down list,
MOST_LISTED = 200  # and one that is longer still is searched
MOST_FOUND = 20
MOST_STEPS = 21  # of a scale; a finer one is a number
ENTRY_ANSWERS, ENTRY_ANSWER = 3, 20  # answers, and letters of each, by which an entry of a repeat is told from others
AS_TOLD = frozenset({"answer_required_as_told", "answer_constraint_as_told"})
SAYS_OPTIONAL = re.compile("可不|选填|选答|optional", re.IGNORECASE)  # the author has said it already


@dataclass(frozen=True, slots=True)
class Reader:
    """In what words a screen is drawn: the language of the questions, and that of the page's own words."""

    questions: str
    page: str


def screen(
    way: Way, turn: Turn, reader: Reader, faults: Collection[Fault] = (), wishes: Mapping[str, str] | None = None
) -> Screen:
    """One screen as it is shown, with the faults to be told on it and what was looked for in its lists."""
    whole = _shown(way, turn.stop, reader)
    wrong = {fault.path or "": said(fault, reader) for fault in faults}
    told = {fault.path for fault in faults if fault.code in AS_TOLD}
    drawn = {
        one.question.name: replace(
            _field(one, whole, (wishes or {}).get(one.key, "")), error=wrong.get(one.key, ""), told=one.key in told
        )
        for one in whole.questions
    }
    here = (drawn[question.name] for question in turn.questions)
    basic = Screen(
        at=turn.at,
        upto=turn.upto,
        place=way.number(turn),
        total=len(way.turns),
        title=whole.title,
        kind=turn.stop.page.kind,
        fields=tuple(here),
        rated=sum(field.is_answered for field in drawn.values()),
        asked=sum(field.is_asked for field in drawn.values()),
        entries=whole.entries,
    )
    repeat = turn.stop.page.repeat
    return _in_repeat(basic, way, turn, reader, wrong.get(repeat, "")) if repeat else basic


def _in_repeat(basic: Screen, way: Way, turn: Turn, reader: Reader, error: str) -> Screen:
    """A screen of a repeat: which entry it is; or the list of them, with what is wrong about their number."""
    repeat = way.plan.form.repeats[turn.stop.page.repeat or ""]
    lists = turn.stop.page.kind == "repeat"
    words = wording(repeat.label, reader.questions, way.plan.form.default_language)
    return replace(
        basic,
        entry=turn.stop.entry or 0,
        repeat=words,
        may_drop=not repeat.fixed_count,
        may_add=not repeat.fixed_count and basic.entries < repeat.most,
        listed=tuple(_entries(way, repeat.name, basic.entries, reader)) if lists else (),
        fields=(Field(repeat.name, "entries", words, error=error),) if lists else basic.fields,
    )


def _entries(way: Way, repeat: str, entries: int, reader: Reader) -> Iterator[tuple[str, str]]:
    """Each entry in a few words, and the address of its first screen."""
    for entry in range(1, entries + 1):
        turns = [turn for turn in way.turns if turn.stop.page.repeat == repeat and turn.stop.entry == entry]
        answers: list[str] = []
        for stop in dict.fromkeys(turn.stop.page.name for turn in turns):
            whole = _shown(way, next(turn.stop for turn in turns if turn.stop.page.name == stop), reader)
            answers += [answer for one in whole.questions if (answer := _field(one, whole).answer)]
        told = "，".join(" ".join(answer.split())[:ENTRY_ANSWER] for answer in answers[:ENTRY_ANSWERS])
        yield told, turns[0].at if turns else way.turns[0].at


def summary(way: Way, reader: Reader) -> list[tuple[Screen, list[tuple[Field, str]]]]:
    """Every page on the way as one section: the screen, and each field with the address where it can be changed."""
    found = []
    for at, turn in enumerate(way.turns):
        if turn.stop.page.kind == "repeat" or (at and way.turns[at - 1].stop == turn.stop):
            continue
        whole = replace(turn, questions=turn.stop.page.questions)
        rows = {one.name: place for place, one in enumerate(way.plan.rows(turn.stop.page), start=1)}
        drawn = screen(way, whole, reader)
        names = {turn.stop.key(name): place for name, place in rows.items()}
        fields = [
            (field, address(turn.number, turn.stop.entry, names[field.name]))
            for field in drawn.fields
            if field.is_asked
        ]
        found.append((drawn, fields))
    return found


def said(fault: Fault, reader: Reader) -> str:
    """A fault as this reader is told: the author's own words in the questions' language where there are any."""
    words = fault.facts.get("words")
    if fault.code in AS_TOLD and isinstance(words, Mapping) and reader.questions in words:
        return str(words[reader.questions])
    return say(fault, reader.page)


def _shown(way: Way, stop: Stop, reader: Reader) -> ShownPage:
    return shown(way.plan.form, stop, way.raw, way.today, reader.questions, seed=way.plan.layout.seed)


def _field(one: ShownQuestion, whole: ShownPage, wish: str = "") -> Field:
    question = one.question
    text = one.given if isinstance(one.given, str) else ""
    options, found = _options(one, wish)
    kind = _kind(question, whole, options if found < 0 else None, one)
    return Field(
        name=one.key,
        kind=kind,
        label=one.label,
        hint=one.hint,
        optional=not (one.required or question.type == "note" or SAYS_OPTIONAL.search(one.label)),
        rows=question.rows,
        longest=question.longest,
        text=text,
        value=one.value,
        options=options,
        parts=date_parts(text) if kind == "date" else (),
        ends=_ends(one) if kind == "scale" else ("", ""),
        wish=wish,
        found=found,
        several=question.type == "select_multiple",
    )


def _kind(question: Question, whole: ShownPage, options: tuple[Option, ...] | None, one: ShownQuestion) -> str:
    """The template that draws the question."""
    if whole.stop.page.kind == "grid" and question.type == "select_one":
        return "row"
    if len(one.choices) > MOST_LISTED and question.type in {"select_one", "select_multiple"}:
        return "search"
    if question.type == "select_one" and len(one.choices) > MOST_BUTTONS:
        return "list"
    if question.type == "scale" and not options:
        return "decimal"
    if question.type == "text" and question.rows > 1:
        return "words"
    return question.type


def _options(one: ShownQuestion, wish: str) -> tuple[tuple[Option, ...], int]:
    """What there is to choose, and of a searched list how many matched (-1 before anything was looked for)."""
    question = one.question
    chosen = set(one.given) if isinstance(one.given, tuple) else {one.given}
    if question.type == "scale":
        return tuple(Option(step, step, step in chosen) for step in steps(question)), -1
    if question.type == "rank":
        given = one.given if isinstance(one.given, tuple) else tuple(one.given.split())
        marks = marks_of({choice.name for choice in one.choices}, given)
        return tuple(Option(c.name, c.label, False, mark=marks.get(c.name, "")) for c in one.choices), -1
    rated = question.item is not None
    choices, found = one.choices, -1
    if len(choices) > MOST_LISTED:
        matches = matching([(choice.name, choice.label) for choice in choices], wish) if wish else []
        found = len(matches) if wish else -1
        kept = set(matches[:MOST_FOUND]) | chosen
        choices = tuple(choice for choice in choices if choice.name in kept)
    return tuple(
        Option(choice.name, choice.label, choice.name in chosen, apart=rated and choice.points is None)
        for choice in choices
    ), found


def steps(question: Question) -> tuple[str, ...]:
    """The numbers of a scale, as they are sent; none when it is too fine for buttons."""
    start, end, step = question.start, question.end, question.step
    if start is None or end is None or not step:
        return ()
    step = abs(step) if end > start else -abs(step)
    number = int((end - start) / step)
    return tuple(_number(start + at * step) for at in range(number + 1)) if 0 < number < MOST_STEPS else ()


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _ends(one: ShownQuestion) -> tuple[str, str]:
    """What the two ends of a scale mean, where the author has named them."""
    named = {choice.name: choice.label for choice in one.choices}
    numbers = steps(one.question)
    return (named.get(numbers[0], ""), named.get(numbers[-1], "")) if numbers else ("", "")
