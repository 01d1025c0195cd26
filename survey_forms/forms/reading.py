"""One pass over a submission: relevance, values and calculates in dependency order, then what is missing or wrong.

The server's own evaluation is the truth: relevance and calculates are worked out here from the answers
alone, whatever a browser has shown. Faults never repeat an answer; they name the question and its page.
"""

import math
import re
from datetime import date

from survey_forms.forms.fields import parse, scalar
from survey_forms.forms.itext import QUOTED
from survey_forms.forms.model import Form, Question, Raw, Step, Text, Value, wording
from survey_forms.forms.places import Bilingual
from survey_forms.forms.scalars import Scalar, State, Words, as_kept, to_number, to_string
from survey_forms.refusal import Fault

LONGEST_WORKED_OUT = 2_000
"""Letters kept of what a form works out, so that a form cannot grow a text without end."""
MOST_UNKNOWN = 20
_LONGEST_COUNT = 4
_NAME_SHOWN = 60
_OUTSIDE = -1

Place = tuple[int, int, int]
"""Where a question stands: its slot or its repeat's, the entry (from 0; -1 outside repeats), its slot."""

_KEY = re.compile(r"([A-Za-z_][\w-]*)\.([1-9][0-9]{0,3})\.(.+)", re.ASCII | re.DOTALL)


class Reading:
    """The state, the values kept, the faults and the dropped answers of one submission.

    `values` has those outside repeats, `entries` for each repeat one mapping an entry.
    """

    __slots__ = ("differing", "dropped", "entries", "faults", "form", "language", "raw", "state", "values")

    def __init__(self, form: Form, raw: Raw, today: date, language: str = "", seed: int = 0) -> None:
        self.form = form
        self.raw = raw
        self.language = language or form.default_language
        self.state = State(form.slots, today, self.said, seed)
        self.state.at = _OUTSIDE
        self.values: dict[str, Value] = {}
        self.entries: dict[str, list[dict[str, Value]]] = {}
        self.faults: dict[Place, Fault] = {}
        self.dropped: dict[Place, str] = {}
        self.differing: list[str] = []
        asked = _entries_sent(form, raw) if form.repeats else {}
        for step in form.steps:
            if step.repeat is None:
                self._settle(step, asked)
            else:
                self._settle_entries(step, step.repeat)
        for step in form.steps:
            if step.question is not None and (step.required is not None or step.constraint is not None):
                self._check(step)

    def said(self, state: State, words: Words) -> str:
        """A wording in the reader's language with answers in the place of what it quotes."""
        text = wording(words, self.language, self.form.default_language)
        return self.filled(state, text) if "${" in text else text

    def filled(self, state: State, text: str) -> str:
        """Words with answers in the place of what they quote; empty where an entry is quoted outside of it."""

        def answer(found: re.Match[str]) -> str:
            output = self.form.outputs.get(found[1])
            if output is None:
                return found[0]
            run, of_entry = output
            return "" if of_entry and state.at < 0 else to_string(run(state))

        return QUOTED.sub(answer, text)

    def in_order(self) -> tuple[Fault, ...]:
        """The faults as the form's questions stand, entry by entry."""
        return tuple(self.faults[place] for place in sorted(self.faults))

    def left_out(self) -> tuple[str, ...]:
        """The keys of answers that are not relevant, as the form's questions stand."""
        told = (self.dropped[place] for place in sorted(self.dropped))
        return (*told, *_beyond(self.form, self.raw, self.entries))

    def _settle(self, step: Step, asked: dict[str, int]) -> None:
        """Relevance first, then the value; the order of steps has put whatever they read before them."""
        state = self.state
        inside = step.within is None or state.relevant[step.within]
        relevant = inside and (step.relevant is None or step.relevant(state))
        state.relevant[step.slot] = relevant
        if step.entries:
            self._count(step, asked, relevant=relevant)
        else:
            state.values[step.slot] = self._value(step, step.name, self.values, relevant=relevant)

    def _settle_entries(self, step: Step, repeat: str) -> None:
        """As `_settle`, once for each entry."""
        state, kept = self.state, self.entries[repeat]
        values: list[Scalar] = [""] * len(kept)
        lasting = [False] * len(kept)
        state.values[step.slot], state.relevant[step.slot] = values, lasting  # type: ignore[call-overload]  # columns
        around = state.relevant[step.within] if step.within is not None else True
        for entry, into in enumerate(kept):
            state.at = entry
            inside = around[entry] if step.within_entries else around  # type: ignore[index]  # a column
            lasting[entry] = relevant = bool(inside and (step.relevant is None or step.relevant(state)))
            values[entry] = self._value(step, f"{repeat}.{entry + 1}.{step.name}", into, relevant=relevant)
        state.at = _OUTSIDE

    def _value(self, step: Step, key: str, into: dict[str, Value], *, relevant: bool) -> Scalar:
        """What a node is worth: worked out, or answered, or its default."""
        if step.calculate is not None:
            return self._worked_out(step, key, into) if relevant else ""
        if step.question is None or step.question.type == "note":
            return ""
        given: object = self.raw.get(key)
        if given is None and step.first is not None and relevant:
            given = to_string(step.first(self.state))
        return self._answered(step, step.question, key, into, given=given, relevant=relevant) if given else ""

    def _worked_out(self, step: Step, key: str, into: dict[str, Value]) -> Scalar:
        worth = as_kept(step.calculate(self.state)) if step.calculate else ""
        text = to_string(worth)[:LONGEST_WORKED_OUT]
        if self.raw.get(key, text) != text:
            self.differing.append(key)
        if worth == "":
            return ""
        if step.kept:
            into[step.name] = text
        return text if isinstance(worth, str) else worth

    def _answered(  # noqa: PLR0913 - one answer and where it goes
        self, step: Step, question: Question, key: str, into: dict[str, Value], *, given: object, relevant: bool
    ) -> Scalar:
        choices = question.choices if step.offered is None or not relevant else step.offered(self.state)
        value, code, facts = parse(question, given, choices)
        place = (step.anchor, self.state.at, step.slot)
        if not relevant:
            if value is not None or code:
                self.dropped[place] = key
        elif code:
            self.faults[place] = Fault(code, key, {**facts, **self._stop(step)})
        elif value is not None:
            into[step.name] = value
            return scalar(value)
        return ""

    def _count(self, step: Step, asked: dict[str, int], *, relevant: bool) -> None:
        """How many entries a repeat has: as the form works out, or as the respondent says."""
        most = self.form.repeats[step.name].most
        if step.count is None:
            entries: float = asked.get(step.name, 0)
        else:
            entries = to_number(step.count(self.state))
            entries = 0 if math.isnan(entries) else math.trunc(max(0, min(entries, most + 1)))
        given = self.raw.get(step.name)
        if relevant and step.count is None and given and not _is_count(given):
            place = {"page": self._page_of(step.name), "entry": None}
            self.faults[step.slot, _OUTSIDE, step.slot] = Fault("answer_unreadable", step.name, place)
        if relevant and entries > most:
            key = step.counted_by or step.name
            self.faults[step.slot, _OUTSIDE, step.slot] = Fault(
                "answer_too_many_entries", key, {"limit": most, "page": self._page_of(key), "entry": None}
            )
        number = int(min(entries, most)) if relevant else 0
        self.entries[step.name] = [{} for _ in range(number)]
        self.state.values[step.slot] = float(number)

    def _page_of(self, name: str) -> str:
        return next((one.page for one in self.form.steps if one.name == name and one.page), name)

    def _check(self, step: Step) -> None:
        """Required and constraint, once every value is known; a constraint is not asked of an empty answer."""
        state = self.state
        if step.repeat is None:
            if state.relevant[step.slot]:
                self._check_one(step, step.name, self.values)
            return
        for entry, into in enumerate(self.entries[step.repeat]):
            if state.lasting(step.slot)[entry]:
                state.at = entry
                self._check_one(step, f"{step.repeat}.{entry + 1}.{step.name}", into)
        state.at = _OUTSIDE

    def _check_one(self, step: Step, key: str, into: dict[str, Value]) -> None:
        question, place = step.question, (step.anchor, self.state.at, step.slot)
        if question is None or place in self.faults:
            return
        if step.name not in into:
            if step.required is not None and step.required(self.state):
                told = ("answer_required", "answer_required_as_told")
                self.faults[place] = self._told(told, key, step, question.required_message)
        elif step.constraint is not None and not step.constraint(self.state):
            told = ("answer_constraint", "answer_constraint_as_told")
            self.faults[place] = self._told(told, key, step, question.constraint_message)

    def _told(self, codes: tuple[str, str], key: str, step: Step, message: Text) -> Fault:
        """The author's own words if there are any, in all their languages, else ours."""
        ours, authors = codes
        if not message:
            return Fault(ours, key, self._stop(step))
        words = {language: self.filled(self.state, text) for language, text in message.items()}
        both = Bilingual(wording(words, "zh"), wording(words, "en"))
        return Fault(authors, key, {"message": both, "words": words, **self._stop(step)})

    def _stop(self, step: Step) -> dict[str, object]:
        return {"page": step.page, "entry": None if self.state.at < 0 else self.state.at + 1}


def _entries_sent(form: Form, raw: Raw) -> dict[str, int]:
    """How many entries the respondent has said, or has answers in."""
    said: dict[str, int] = {}
    for key in raw:
        found = _KEY.fullmatch(key)
        if found and found[1] in form.repeats and raw[key]:
            said[found[1]] = max(said.get(found[1], 0), int(found[2]))
    for name in form.repeats:
        given = raw.get(name)
        if isinstance(given, str) and _is_count(given):
            said[name] = int(given)
    return said


def _beyond(form: Form, raw: Raw, entries: dict[str, list[dict[str, Value]]]) -> list[str]:
    """The keys of answers in entries that there are not, or no more."""
    if not form.repeats:
        return []
    found = ((key, _KEY.fullmatch(key)) for key, given in raw.items() if given)
    return [key for key, match in found if match and int(match[2]) > len(entries.get(match[1], ()))]


def unknown_keys(form: Form, raw: Raw) -> list[Fault]:
    """A fault for each key that names nothing in the form."""
    strangers = [key for key in raw if form.owners.get(key) != "" and not _in_entry(form, key)][:MOST_UNKNOWN]
    nowhere = {"page": "", "entry": None}
    return [
        Fault("answer_unknown_question", key[:_NAME_SHOWN].encode("utf-8", "replace").decode(), nowhere)
        for key in strangers
    ]


def _is_count(given: object) -> bool:
    return isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) <= _LONGEST_COUNT


def _in_entry(form: Form, key: str) -> bool:
    found = _KEY.fullmatch(key) if form.repeats else None
    return found is not None and form.owners.get(found[3]) == found[1]
