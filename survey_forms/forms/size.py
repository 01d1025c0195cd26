"""How large the answers of a form can be, so that sealed boxes are all of one size."""

from survey_forms.forms.fields import LONGEST_NAME
from survey_forms.forms.model import Form, Question, Step
from survey_forms.forms.reading import LONGEST_WORKED_OUT

_MOST_BYTES = 4  # of one character in UTF-8; what JSON escapes has one byte and becomes two
_AROUND = 4  # quotation marks, and a comma or a colon
_NUMBER = 32
_DAY = 10


def largest_answer(form: Form) -> int:
    """Bytes of the longest canonical JSON (UTF-8, no spaces) of answers that this form can have."""
    outside = sum(_bytes(step) for step in form.steps if step.repeat is None)
    inside = 0
    for repeat in form.repeats.values():
        entry = 3 + sum(_bytes(step) for step in form.steps if step.repeat == repeat.name)
        inside += _AROUND + len(repeat.name) + 3 + repeat.most * entry
    return 2 + outside + inside


def _bytes(step: Step) -> int:
    """Of one name and its value; none for what is never an answer."""
    if step.calculate is not None:
        return len(step.name) + 2 * _AROUND + _MOST_BYTES * LONGEST_WORKED_OUT if step.kept else 0
    if step.question is None or step.question.type == "note":
        return 0
    return len(step.name) + 2 * _AROUND + _value(step.question)


def _value(question: Question) -> int:
    codes = [len(choice.name.encode()) for choice in question.choices]
    if question.type == "select_one":
        return max(codes, default=0)
    if question.type in {"select_multiple", "rank"}:
        return sum(code + _AROUND for code in codes)
    if question.type in {"integer", "decimal", "scale"}:
        return _NUMBER
    if question.type == "date":
        return _DAY
    return LONGEST_NAME if question.type == "image" else _MOST_BYTES * question.longest
