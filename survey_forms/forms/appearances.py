"""Which of XLSForm's appearances may be passed over because they change nothing of what is asked.

The pages of this product have one look, made for phones; an author's wish for another is harmless. Words that change
the question itself (only the year of a date, a drawing in place of a photo) are not here, and refused by name.
"""

import re

from survey_forms.forms.model import QuestionType

_LAYOUT = re.compile(
    r"w[1-9][0-9]?|columns(?:-pack|-[0-9]{1,2})?|compact(?:-[0-9]{1,2})?|quick|quickcompact|horizontal(?:-compact)?"
)
_LISTS = {"minimal", "likert", "list", "list-nolabel", "label", "autocomplete", "search", "no-buttons", "vertical"}
_OF_TYPE: dict[QuestionType, set[str]] = {
    "select_one": _LISTS,
    "select_multiple": _LISTS,
    "rank": {"minimal"},
    "scale": {"vertical", "no-ticks", "no-labels", "picker", "rating", "distress"},
    "integer": {"numbers", "thousands-sep", "counter"},
    "decimal": {"numbers", "thousands-sep"},
    "text": {"multiline", "numbers"},
    "date": {"no-calendar"},
    "note": set(),
    "image": {"new", "new-front"},
}
GROUPS = {"field-list", "table-list", "compact"}


def unknown_appearances(kind: QuestionType, written: str) -> list[str]:
    """The words that this product does not know to be harmless, in order."""
    return sorted(word for word in set(written.split()) - _OF_TYPE[kind] if not _LAYOUT.fullmatch(word))


def unknown_of_group(written: str) -> list[str]:
    """As `unknown_appearances`, for a group or a repeat."""
    return sorted(word for word in set(written.split()) - GROUPS if not _LAYOUT.fullmatch(word))
