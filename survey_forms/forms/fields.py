"""One field as a browser sends it → one value of the question's type, or the code of what is wrong with it."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from survey_forms.forms.model import Choice, Question, Value
from survey_forms.forms.scalars import Scalar

LONGEST_TEXT = 2_000
LONGEST_NAME = 100
"""Letters of the name of an image's file."""
_LONGEST_TYPED = 64
_FIRST_YEAR, _LAST_YEAR = 1900, 2100

_WHOLE = re.compile(r"[+-]?[0-9]{1,10}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_LARGEST_WHOLE = 2**31  # an ODK integer has 32 bits
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

Parsed = tuple[Value | None, str, dict[str, object]]
"""The value (None: not answered), else the code and facts of the fault."""

_EMPTY: Parsed = (None, "", {})


def parse(question: Question, given: object, offered: Sequence[Choice]) -> Parsed:
    """Read one field, of a select under the choices offered now; never raises, whatever was sent."""
    words = _words(given)
    if words is None:
        return None, "answer_unreadable", {}
    if not words:
        return _EMPTY
    if question.type == "select_multiple":
        return _choices(offered, words)
    if question.type == "rank":
        return _ranked(offered, words)
    return _single(question, words[0], offered) if len(words) == 1 else (None, "answer_one_only", {})


def _words(given: object) -> list[str] | None:
    """What was sent, without the blanks around it; None where it is no text."""
    if isinstance(given, str):  # nearly always
        return [word] if (word := given.strip()) else []
    several = given if isinstance(given, list | tuple) else [given]
    texts = [one for one in several if isinstance(one, str)]
    return [word for one in texts if (word := one.strip())] if len(texts) == len(several) else None


def scalar(value: Value) -> Scalar:
    """The value as expressions see it: numbers as doubles, several choices with spaces between them."""
    if isinstance(value, tuple):
        return " ".join(value)
    return float(value) if isinstance(value, int | Decimal) else value


def _choices(offered: Sequence[Choice], words: list[str]) -> Parsed:
    chosen = {code for one in words for code in one.split()}
    listed = tuple(dict.fromkeys(choice.name for choice in offered if choice.name in chosen))
    return (listed, "", {}) if len(listed) == len(chosen) else (None, "answer_not_a_choice", {})


def _ranked(offered: Sequence[Choice], words: list[str]) -> Parsed:
    """Every choice once, the first the highest."""
    order = tuple(code for one in words for code in one.split())
    names = {choice.name for choice in offered}
    if not names.issuperset(order):
        return None, "answer_not_a_choice", {}
    if len(order) != len(names) or len(set(order)) != len(order):
        return None, "answer_rank_incomplete", {"total": len(names)}
    return order, "", {}


def _single(question: Question, text: str, offered: Sequence[Choice]) -> Parsed:
    if question.type == "select_one":
        for choice in offered:
            if choice.name == text:
                return text, "", {}
        return None, "answer_not_a_choice", {}
    if question.type == "text":
        return _text(text)
    if question.type == "image":
        fits = len(text) <= LONGEST_NAME and _FILE.fullmatch(text)
        return (text, "", {}) if fits else (None, "answer_unreadable", {})
    # Chinese keyboards send full-width digits; nothing as long as a sentence is a number or a day
    typed = unicodedata.normalize("NFKC", text) if len(text) <= _LONGEST_TYPED else ""
    return _on_scale(question, typed) if question.type == "scale" else _TYPED[question.type](typed)


def _on_scale(question: Question, text: str) -> Parsed:
    """A number on one of the steps; whole where the scale has whole steps only."""
    start, end, step = question.start, question.end, question.step
    if start is None or end is None or step is None:
        return None, "answer_not_number", {}
    number = Decimal(text) if _DECIMAL.fullmatch(text) else None
    if number is None or not min(start, end) <= number <= max(start, end) or (number - start) % step:
        return None, "answer_not_on_scale", {"start": _plain(start), "end": _plain(end), "step": _plain(abs(step))}
    whole = start == start.to_integral_value() and step == step.to_integral_value()
    return (int(number) if whole else number), "", {}


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def _text(text: str) -> Parsed:
    if len(text) > 2 * LONGEST_TEXT:
        return None, "answer_too_long", {"limit": LONGEST_TEXT}
    if _UNREADABLE.search(text):
        return None, "answer_unreadable", {}
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return (text, "", {}) if len(text) <= LONGEST_TEXT else (None, "answer_too_long", {"limit": LONGEST_TEXT})


def _integer(text: str) -> Parsed:
    if _WHOLE.fullmatch(text) and -_LARGEST_WHOLE <= int(text) < _LARGEST_WHOLE:
        return int(text), "", {}
    return None, "answer_not_whole_number", {}


def _decimal(text: str) -> Parsed:
    return (Decimal(text), "", {}) if _DECIMAL.fullmatch(text) else (None, "answer_not_number", {})


def _day(text: str) -> Parsed:
    match = _DAY.fullmatch(text)
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        return None, "answer_not_a_day", {}
    return day, "", {}


_TYPED = {"integer": _integer, "decimal": _decimal, "date": _day}
