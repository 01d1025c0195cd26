"""Our reading of a submission against JavaRosa's: equal, or different by a policy that has a name.

The policies are explained in docs/forms.md, "Differences from JavaRosa"; each is as narrow as it can be said.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from xml.etree import ElementTree as ET

from survey_forms.forms.answers import read_answers, relevant_pages, shown
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form, Raw
from survey_forms.refusal import Refused
from tests.javarosa.fields import Paper, read_paper
from tests.javarosa.oracle import Seen, Told, short
from tests.javarosa.submissions import TODAY

CLEARED, MOMENT, SPELLING = "cleared_choice", "day_as_moment", "number_spelling"
HALF, LARGEST = "half_character", "largest_below_nought"

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00\.000\+0[89]:00")  # Shanghai had summer time until 1991
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:[Ee][-+]?\d+)?")
_VERDICTS = {"answer_required": "required", "answer_constraint": "constraint"}
_XF = "{http://www.w3.org/2002/xforms}"


@dataclass(slots=True)
class Comparison:
    """What came of one submission: differences without an explanation, and how often each policy explained one."""

    differences: list[str] = field(default_factory=list)
    policies: Counter[str] = field(default_factory=Counter)
    values: int = 0
    verdicts: int = 0
    labels: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """One form as both engines have it; `lenient` demands nothing, so that refused answers still have values."""

    form: Form
    lenient: Form
    paper: Paper

    @classmethod
    def of(cls, xform: bytes) -> "Subject":
        return cls(compile_form(xform), compile_form(_without_demands(xform)), read_paper(xform))

    def compare(self, raw: Raw, told: Told, *, look: bool = True) -> Comparison:
        """Everything that JavaRosa told; `look` also at what is shown, which takes as long as all the rest."""
        found = Comparison()
        kept = self._as_javarosa_left_it(raw, told, found)
        faults = self._faults(kept)
        asked = {
            stop.key(question.name)
            for stop in relevant_pages(self.form, kept, TODAY)
            for question in stop.page.questions
        }
        values = dict(_flat(read_answers(self.lenient, kept, TODAY).values))
        if not faults and dict(_flat(read_answers(self.form, kept, TODAY).values)) != values:
            found.differences.append("values change when nothing is demanded")
        questions = {one.name for one in self.paper.fields}
        for key, seen in told.nodes.items():
            name = key.rpartition(".")[2]
            if name in questions:
                self._compare_question(key, seen, (key in asked, faults.pop(key, "ok")), found)
            if name in questions or name in self.paper.calculates:
                found.values += 1
                self._compare_value(key, seen.value if seen.relevant else "", values.pop(key, ""), found)
        if look:
            self._compare_shown(kept, told, found)
        found.differences += [f"{key}: we also say {code}" for key, code in faults.items()]
        found.differences += [f"{key}: we also have {value!r}" for key, value in values.items() if value]
        return found

    def _as_javarosa_left_it(self, raw: Raw, told: Told, found: Comparison) -> Raw:
        """JavaRosa clears an answer that its list does not offer; we report it. Go on with what JavaRosa kept."""
        cleared = {key for key, seen in told.nodes.items() if seen.cleared}
        kept = dict(raw)
        while wrong := {key for key, code in self._faults(kept).items() if code == "answer_not_a_choice"}:
            if wrong - cleared:
                found.differences.append(f"not a choice for us alone: {sorted(wrong - cleared)}")
            for key in wrong:
                found.policies[CLEARED] += 1
                left = told.nodes[key].value if key in cleared else ""
                kept[key] = left.split() if isinstance(kept[key], list) else left
            cleared -= wrong
        for key in cleared:
            if told.nodes[key].relevant:
                found.differences.append(f"{key}: JavaRosa cleared {raw.get(key)!r}, we did not mind")
        return kept

    def _faults(self, raw: Raw) -> dict[str, str]:
        try:
            read_answers(self.form, raw, TODAY)
        except Refused as refused:
            return {
                fault.path: _VERDICTS.get(fault.code.removesuffix("_as_told"), fault.code) for fault in refused.faults
            }
        return {}

    def _compare_question(self, key: str, seen: Seen, ours: tuple[bool, str], found: Comparison) -> None:
        found.verdicts += 1
        asked, verdict = ours
        if seen.relevant != asked:
            found.differences.append(f"{key}: JavaRosa says {'' if seen.relevant else 'ir'}relevant, we do not")
        if seen.verdict != verdict:
            found.differences.append(f"{key}: {seen.value!r} is {seen.verdict} for JavaRosa, {verdict} for us")

    def _compare_shown(self, kept: Raw, told: Told, found: Comparison) -> None:
        """What a reader sees: the lists offered, and the labels that other answers change."""
        varying = {key for key, _ in told.labels}
        for stop in relevant_pages(self.form, kept, TODAY):
            keys = {stop.key(question.name) for question in stop.page.questions}
            if not keys & (varying | told.lists.keys()):
                continue
            pages = {language: shown(self.form, stop, kept, TODAY, language) for language in self.form.languages}
            for question in pages[self.form.languages[0]].questions:
                offered = short(" ".join(choice.name for choice in question.choices))
                if told.lists.get(question.key, offered) != offered:
                    found.differences.append(f"{question.key}: another list is offered, ours {offered}")
            for (key, language), theirs in told.labels.items():
                if key in keys:
                    page = pages[language.rpartition("(")[2].rstrip(")")]
                    ours = next(question.label for question in page.questions if question.key == key)
                    found.labels += 1
                    if ours != theirs:
                        found.differences.append(f"{key}: {theirs!r} is the label for JavaRosa, {ours!r} for us")

    def _compare_value(self, key: str, theirs: str, ours: str, found: Comparison) -> None:
        if theirs == ours:
            return
        moment = _MOMENT.fullmatch(theirs)
        if moment and moment[1] == ours:
            found.policies[MOMENT] += 1
        elif _NUMBER.fullmatch(theirs) and _NUMBER.fullmatch(ours) and float(theirs) == float(ours):
            found.policies[SPELLING] += 1
        elif "\ufffd" in ours and theirs == ours.replace("\ufffd", "?"):
            found.policies[HALF] += 1
        elif (
            theirs == "0" and ours.startswith("-") and self.paper.calculates[key.rpartition(".")[2]].startswith("max(")
        ):
            found.policies[LARGEST] += 1
        else:
            found.differences.append(f"{key}: {theirs!r} for JavaRosa, {ours!r} for us")


def at_the_day(xform: bytes) -> bytes:
    """The form as JavaRosa is given it: its clock cannot be set, so that today() is written out."""
    return xform.replace(b"today()", f"date('{TODAY.isoformat()}')".encode())


def _without_demands(xform: bytes) -> bytes:
    root = ET.fromstring(xform)  # noqa: S314 - made by this test
    for bind in root.iter(f"{_XF}bind"):
        for demand in ("required", "constraint"):
            bind.attrib.pop(demand, None)
    return ET.tostring(root, "utf-8")


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, tuple) and value and isinstance(value[0], Mapping):
            for entry, inner in enumerate(value, start=1):
                for key, text in _flat(inner):
                    yield f"{name}.{entry}.{key}", text
        elif value != ():
            yield name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)
