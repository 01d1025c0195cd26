"""What the office's forms about fieldwork hold, read into facts; what cannot be read is refused by the field's name."""

import re
from collections.abc import Mapping
from datetime import date

from survey_forms.refusal import Refused

YEARS = range(2000, 2101)


def read_day(form: Mapping[str, str], field: str) -> date:
    """The day in a field.

    Raises:
        Refused: `field_day`.
    """
    return _day(form.get(field, "").strip(), field)


def read_days(form: Mapping[str, str], field: str) -> frozenset[date]:
    """The days in a field, apart by blanks or commas; none where it is empty.

    Raises:
        Refused: `field_day`.
    """
    return frozenset(_day(word, field) for word in re.split(r"[\s,，、;；]+", form.get(field, "")) if word)


def read_whole(form: Mapping[str, str], field: str, usual: int | None = None) -> int:
    """The whole number in a field, `usual` where it is empty.

    Raises:
        Refused: `field_whole`.
    """
    text = form.get(field, "").strip()
    if not text and usual is not None:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Refused("field_whole", field, value=text[:20])
    return int(text)


def read_line(form: Mapping[str, str], field: str, most: int = 300) -> str:
    """One line of words; line ends and other invisible characters become blanks."""
    text = "".join(letter if letter.isprintable() else " " for letter in form.get(field, "")[: most + 50])
    words = " ".join(text.split())
    if len(words) > most:
        raise Refused("text_too_long", field, most=most)
    return words


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refused("field_day", field, value=text[:20]) from error
    if day.year not in YEARS:
        raise Refused("field_day", field, value=text[:20])
    return day
