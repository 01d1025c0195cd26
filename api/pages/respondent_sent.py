"""What a browser sends for one screen → all answers so far; and a repeat's entries added and taken away.

A date comes in three fields and a rank in one for each choice, so that no calendar and no dragging is needed; what is
incomplete is kept as it was sent, to be shown again and put right.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from survey_forms.forms.model import Choice, Form, Question, Raw, Repeat, Stop, wording
from survey_forms.forms.places import Bilingual
from survey_forms.refusal import Fault

Sent = Mapping[str, list[str]]
Answers = dict[str, str | list[str]]

DATE_PARTS = ("y", "m", "d")
NO_PICTURE = "-"

_MARK = re.compile(r"([0-9]{0,3}):(.*)", re.DOTALL)


def merged(raw: Raw, stop: Stop, questions: Iterable[Question], sent: Sent) -> Answers:
    """All answers after a screen was sent: its questions are replaced, unticked ones too; nothing else is touched."""
    answers = dict(raw)
    for question in questions:
        if question.type != "note":
            key = stop.key(question.name)
            value = _READERS.get(question.type, _plain)(key, question, sent)
            if value is not None:
                answers[key] = value
    return answers


def known(form: Form, raw: Raw) -> Answers:
    """The answers that this form can have asked for: a code's block of units may have changed under a draft."""
    found: Answers = {}
    for key, value in raw.items():
        repeat, _, rest = key.partition(".")
        name = rest.partition(".")[2]
        if key in form.repeats or (form.owners.get(name) == repeat if rest else form.owners.get(key) == ""):
            found[key] = value
    return found


def marks_of(names: Collection[str], given: Sequence[str]) -> dict[str, str]:
    """Choice → the position that it was given, in digits; from an order, or from positions that are not one yet."""
    if all(one in names for one in given):
        return {name: str(at) for at, name in enumerate(given, start=1)}
    found = (_MARK.fullmatch(one) for one in given)
    return {match[2]: match[1] for match in found if match and match[2] in names}


def rank_fault(question: Question, key: str, given: Sequence[str]) -> Fault | None:
    """What is wrong with a rank that is no order yet: a position given twice, or a choice without one."""
    marks = marks_of({choice.name for choice in question.choices}, given)
    holders: dict[str, list[Choice]] = {}
    for choice in question.choices:
        mark = marks.get(choice.name, "")
        holders.setdefault(mark if mark and 1 <= int(mark) <= len(question.choices) else "", []).append(choice)
    twice = next((mark for mark, holding in sorted(holders.items()) if mark and len(holding) > 1), None)
    if twice is not None:
        return Fault("answer_rank_twice", key, {"place": int(twice), "choices": _listed(holders[twice])})
    return Fault("answer_rank_missing", key, {"choices": _listed(holders[""])}) if holders.get("") else None


def _listed(choices: Iterable[Choice]) -> Bilingual:
    labels = [choice.label for choice in choices]
    return Bilingual(
        "、".join(f"“{wording(label, 'zh')}”" for label in labels),
        " and ".join(f"“{wording(label, 'en')}”" for label in labels),
    )


def date_parts(given: str) -> tuple[str, str, str]:
    """Year, month and day as they were written, of whatever the three fields were kept as."""
    parts = re.split(r"[-/.年月日]", given.strip())
    if len(parts) == 1 and re.fullmatch(r"[0-9]{8}", given):
        parts = [given[:4], given[4:6], given[6:]]
    year, month, day = (*parts[:3], "", "", "")[:3]
    return year, month, day


def with_entry(raw: Raw, repeat: Repeat, entries: int) -> Answers:
    """One more entry at the end, unless there are as many as there may be."""
    return {**raw, repeat.name: str(min(entries + 1, repeat.most))}


def without_entry(raw: Raw, repeat: Repeat, entries: int, entry: int) -> Answers:
    """An entry taken away; those after it move up. An entry that is not there takes nothing away."""
    if not 1 <= entry <= entries:
        return dict(raw)
    answers: Answers = {}
    for key, value in raw.items():
        name, _, rest = key.partition(".")
        number, _, question = rest.partition(".")
        if name != repeat.name or not number.isdecimal():
            answers[key] = value
        elif int(number) != entry:
            answers[f"{name}.{int(number) - (int(number) > entry)}.{question}"] = value
    answers[repeat.name] = str(entries - 1)
    return answers


def matching(question_words: Iterable[tuple[str, str]], wish: str) -> list[str]:
    """The names of the choices whose words contain what was looked for; width and case make no difference."""
    sought = _folded(wish)
    return [name for name, words in question_words if sought in _folded(words)]


def _plain(key: str, question: Question, sent: Sent) -> str | list[str] | None:
    values = [value for value in sent.get(key, []) if value.strip()]
    if question.type == "select_multiple":
        return values
    if not values and (wish := "".join(sent.get(f"{key}:find", [])).strip()):
        values = _named(question, wish)
    return values[0] if len(values) == 1 else values or ""


def _named(question: Question, wish: str) -> list[str]:
    """The one choice whose words are exactly what was written into the search field."""
    words = [
        choice.name
        for choice in question.choices
        if _folded(wish) in {_folded(wording(choice.label, language)) for language in choice.label}
    ]
    return words if len(words) == 1 else []


def _date(key: str, question: Question, sent: Sent) -> str | list[str] | None:
    parts = ["".join(sent.get(f"{key}:{part}", [])).strip() for part in DATE_PARTS]
    if key in sent or not any(f"{key}:{part}" in sent for part in DATE_PARTS):
        return _plain(key, question, sent)
    year, month, day = (unicodedata.normalize("NFKC", part)[:40] for part in parts)
    if not (month or day):  # a whole date written into the first field
        year, month, day = date_parts(year)
    return f"{year}-{month}-{day}" if year or month or day else ""


def _rank(key: str, question: Question, sent: Sent) -> str | list[str] | None:
    fields = {choice.name: f"{key}:{choice.name}" for choice in question.choices}
    if key in sent:
        return [value for value in sent[key] if value.strip()]
    marks = {
        name: "".join(character for character in value[:9] if character.isdecimal() and character.isascii())[:3]
        for name, field in fields.items()
        for value in sent.get(field, [])[:1]
    }
    given = {name: mark for name, mark in marks.items() if mark}
    if marks and sorted(given.values(), key=int) == [str(at) for at in range(1, len(marks) + 1)]:
        return sorted(given, key=lambda name: int(given[name]))
    return [f"{mark}:{name}" for name, mark in given.items()]


def _image(key: str, _: Question, sent: Sent) -> str | None:
    """A picture comes as a file; only its removal comes here."""
    return "" if sent.get(key) == [NO_PICTURE] else None


_READERS = {"date": _date, "rank": _rank, "image": _image}


def _folded(words: str) -> str:
    return "".join(unicodedata.normalize("NFKC", words).casefold().split())
