"""How large the answers of a form can be, so that sealed boxes are all of one size."""

from survey_forms.forms.fields import LONGEST_TEXT
from survey_forms.forms.model import Form

_MOST_BYTES = 4  # of one character in UTF-8
_AROUND = 8  # quotation marks, colon, comma


def largest_answer(form: Form) -> int:
    """Bytes of the longest canonical JSON (UTF-8, no spaces) of answers that this form can have."""
    longest = 2
    for step in form.steps:
        question = step.question
        words = LONGEST_TEXT
        if question is not None and question.choices:
            words = sum(len(choice.name) + _AROUND for choice in question.choices)
        longest += _AROUND + len(step.name) + _MOST_BYTES * words
    return longest
