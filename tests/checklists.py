"""Forms made to be worked out twice, by the server and by the phone's `logic.js`, and what each makes of answers."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Page

from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form
from survey_forms.forms.portable import not_portable, portable
from survey_forms.forms.reading import Reading
from survey_forms.forms.scalars import to_string
from survey_forms.forms.workbook import convert_workbook
from tests.javarosa import books
from tests.javarosa.books import YES_NO, Book, a_book, a_list, a_row, as_xlsx
from tests.javarosa.expressions import EXPRESSIONS
from tests.javarosa.fields import read_paper
from tests.javarosa.grammar import expressions
from tests.javarosa.submissions import TODAY, submissions

FIELD = Path(__file__).parents[1] / "api/pages/static/field"
DOCUMENTS = Path(__file__).parents[1] / "survey_forms/documents"

Verdict = Mapping[str, Any]

_BLANKS = (" ", "\u3000", "\t", "\x1c", "\ufeff", "\n")
_ODD = (
    "e\u0301tat",
    "a\r\nb\rc",
    "\x00",
    "好" * 2001,
    "\U00020bb7" * 2000,
    "1" * 65,
    "2026年6月3日",
    "+7",
    ".5",
    "2147483648",
)
_WIDE = str.maketrans("0123456789.-", "０１２３４５６７８９．－")


def compiled(book: Book | bytes) -> Form:
    return compile_form(convert_workbook(book if isinstance(book, bytes) else as_xlsx(book)).xform)


def carried(book: Book) -> Book:
    """The book without the rows that a phone cannot do, taken out until nothing is left of them."""
    while faults := not_portable(compiled(book)):
        gone = {fault.path for fault in faults}
        book = {**book, "survey": [row for row in book["survey"] if row["name"] not in gone]}
    return book


def site() -> Book:
    """The inspection that JavaRosa was asked about, without the two scales and the rank."""
    gone = {"trust", "share", "order", "top"}
    book = books.inspection()
    return {**book, "survey": [row for row in book["survey"] if row["name"] not in gone]}


def functions() -> Book:
    """Every function that a phone has, with what is usual and what is odd."""
    return carried(books.over_inputs("functions", [*EXPRESSIONS, *_MORE]))


def nested() -> Book:
    """Expressions nested as no author would."""
    return carried(books.over_inputs("nested", expressions("a phone", 200)))


def filters() -> Book:
    """Choices that depend on a code, on a number, on two answers, and on a text somewhere else."""
    survey = [
        a_row("select_one kind", "kind", required="yes"),
        a_row("integer", "floor"),
        a_row("select_one window", "window", choice_filter="of = ${kind}", required="yes"),
        a_row("select_multiple room", "rooms", choice_filter="tier = ${floor} and of = ${kind}"),
        a_row("select_one room", "room", choice_filter="tier < ${floor} or of != ${kind}"),
        a_row("select_one room", "own", choice_filter="name = selected-at(${rooms}, 0) or tier + 1 = ${floor}"),
        a_row("calculate", "chosen", calculation="concat(${window}, count-selected(${rooms}), ${own})"),
        a_row("text", "why", relevant="${room} != '' and selected(${rooms}, ${room})", required="${floor} > 1"),
    ]
    window = [{**row, "of": of} for row, of in zip(a_list("window", "w1", "w2", "w3"), "aab", strict=True)]
    room = [
        {**row, "of": of, "tier": tier}
        for row, of, tier in zip(a_list("room", *"rstuv"), "aabbc", (1, 2, 1, "x", "2.0"), strict=True)
    ]
    return a_book("filters", survey, [*window, *room, *a_list("kind", "a", "b", "c")])


PATTERNS = (
    "^1[3-9][0-9]{9}$",
    "^0[0-9]{2,3}-[0-9]{7,8}$",
    r"^\d{6}$",
    "^[a-z]+$",
    r"^[A-Z]{2}\s?\w*$",
    r"^\S+$",
    "^.{1,3}$",
    r"^(?:yes|no|\-)$",
    r"^[^\d\s]+$",
    "^[一-龥]{2,}$",
    "^a$|^b$",
    r"^\u597d.*$",
    "^x{0,3}(ab)?$",
    r"^[\w.\-]+$",
    r"^[A-Z \"\&<>\x27x]+$",
    r"^[\]\^]?$",
    r"^\W\D*?$",
)


def patterns() -> Book:
    """Texts under every pattern that RE2 and browsers read alike, and lengths in letters beyond 65,536."""
    survey = [a_row("text", f"t{number}", constraint=f"regex(., '{one}')") for number, one in enumerate(PATTERNS)]
    survey += [
        a_row("text", "long", constraint="string-length(.) <= 3", required="${t0} = '' or regex(${t0}, '^[0-9]+$')"),
        a_row("calculate", "fits", calculation="if(regex(${long}, '^[^0-9]*$') and not(${t1} = ''), ${t1}, 'no')"),
    ]
    return a_book("patterns", survey, YES_NO)


def scored() -> Book:
    """Headings, notes that quote, defaults, requirements that depend, points that are taken off."""
    survey = [
        a_row("begin_group", "first", appearance="field-list"),
        a_row("note", "hello", "你好 ${name}"),
        a_row("text", "name", default="张三"),
        a_row("integer", "seats", default="5"),
        a_row("date", "day", default="today()"),
        a_row("begin_group", "inner", "小标题", relevant="true()"),
        a_row("select_multiple faults", "found", default="late dirty"),
        a_row("end_group", ""),
        a_row("end_group", ""),
        a_row("begin_group", "second", appearance="field-list", relevant="count-selected(${found}) > 0"),
        a_row("begin_group", "deep", "更小的标题", relevant="${seats} > 3"),
        a_row("decimal", "off", required="selected(${found}, 'late')", constraint=". >= 0.5 and . <= ${seats} div 2"),
        a_row("text", "story", constraint=". != ${name}", required="${day} <= today() and ${seats} > 4"),
        a_row("end_group", ""),
        a_row("end_group", ""),
        a_row("calculate", "left", calculation="round(100 - coalesce(${off}, 0) * count-selected(${found}), 1)"),
        a_row("calculate", "late", calculation="if(selected(${found}, 'late'), concat(${day}, ' 迟'), '')"),
        a_row("note", "end", "得 ${left} 分 ${late} ${nothing}"),
        a_row("calculate", "nothing", calculation="if(${seats} mod 2 = 1, '', ${seats} div 0)"),
    ]
    return a_book("scored", survey, [*YES_NO, *a_list("faults", "late", "dirty", "rude")])


def hall() -> bytes:
    """The shipped checklist of service halls."""
    return (DOCUMENTS / "xiamen-wf-2015/forms/hall_inspection.xlsx").read_bytes()


MADE = (site, functions, nested, filters, patterns, scored)

_MORE = (
    "if(0.1 + 0.2 = 0.3, 'y', 'n')",
    "number('1,5')",
    "if(selected(${m}, concat(' ', ${o}, ' ')), 'y', 'n')",
    "if(checklist(1, -1, ${i} > 3, ${j} > 3), 'y', 'n')",
    "if(checklist(2, 1, ${i} > 3), 'y', 'n')",
    "if(checklist(1, 2, ${i} > 3, ${j} > 3, ${x} > 3), 'y', 'n')",
    "if(checklist(-1, 1, ${i} > 3, ${k} > 3), 'y', 'n')",
    "count-non-empty(${k}) + count(${u}) + sum(${k})",
    "concat(${u})",
    "join(',', ${u})",
    "min(${k})",
    "max(${k}, ${i}, ${x})",
    "round(${x} * 1.005, 2)",
    "round(${x} div 7, 3)",
    "round(-${x} div 8, 2)",
    "round(${i} * 1000003, -3)",
    "${x} div 1000000000",
    "${i} * 1000000000 * 1000000000",
    "string(${x} * 0.00001)",
    "number(if(${i} > 2, ${s}, ''))",
    "date(${i} * 100000)",
    "date(${x})",
    "if(is-selected(${m}, ${o}), selected-at(${m}, ${k}), '-')",
)


def random_answers(form: Form, xform: bytes, seed: str, number: int) -> list[dict[str, str]]:
    """Filled forms as a phone keeps them: sensible, careless, and spelled as odd keyboards do."""
    found = []
    for index, raw in enumerate(submissions(read_paper(xform), seed, number)):
        random = Random(f"{seed}:{index}")
        answers = {key: " ".join(given) if isinstance(given, list) else given for key, given in raw.items()}
        for key, given in answers.items():
            if random.random() < 0.05:
                answers[key] = random.choice(_BLANKS) + given.translate(_WIDE) + random.choice(_BLANKS)
            elif given and random.random() < 0.02:
                answers[key] = random.choice(_ODD)
        found.append({key: given for key, given in answers.items() if form.owners.get(key) == ""})
    return found


def by_server(form: Form, answers: Mapping[str, str], today: date = TODAY) -> Verdict:
    """What the server makes of the answers, in the words of `logic.js`."""
    reading = Reading(form, answers, today)
    state, steps = reading.state, [step for step in form.steps if step.question]
    asked = {step.name: state.relevant[step.slot] for step in steps}
    codes = {name: fault.code for name, fault in ((one.path, one) for one in reading.faults.values())}
    return {
        "shown": asked,
        "values": {step.name: _text(state.values[step.slot]) for step in form.steps if not step.entries},
        "faults": {name: _short(code) for name, code in codes.items()},
        "offered": {
            step.name: [one.name for one in (step.offered(state) if step.offered else step.question.choices)]
            for step in steps
            if step.question and step.question.choices and asked[step.name]
        },
        "kept": sorted(reading.values),
        "words": {step.name: reading.said(state, step.question.label) for step in steps if step.question},
    }


def _text(value: Any) -> str:
    return to_string(value)


def _short(code: str) -> str:
    return code.removeprefix("answer_").removesuffix("_as_told")


_VERDICTS = """([form, many, today]) => many.map((answers) => {
  const state = McLogic.read(form, answers, today);
  const typed = form.steps.filter((step) => step.type);
  return {
    shown: state.shown,
    values: Object.fromEntries(form.steps.map((step) => [step.name, McLogic.text(state.values[step.slot])])),
    faults: state.faults,
    offered: state.offered,
    kept: Object.keys(state.kept).sort(),
    words: Object.fromEntries(typed.map((step) => [step.name, McLogic.said(form, state, step.label, form.language)])),
  };
})"""


def by_phone(page: Page, form: Form, many: Sequence[Mapping[str, str]], today: date = TODAY) -> list[Verdict]:
    """What the phone makes of each filled form, from the JSON that it is sent."""
    return page.evaluate(_VERDICTS, [json.loads(json.dumps(portable(form))), list(many), today.isoformat()])
