"""Pictures handed in as answers: each that the answers name must have come, and no other is kept."""

from collections.abc import Iterator, Mapping

from survey_forms.forms.model import Answers, Form
from survey_forms.refusal import Fault, Refused

Pictures = tuple[tuple[str, bytes], ...]
"""Name, as the answers say it, and content."""


def pictures_of(form: Form, answers: Answers, came: Mapping[str, bytes]) -> Pictures:
    """The pictures that checked answers name.

    Args:
        form: what was asked.
        answers: what was answered.
        came: by name, what the pages took in and made anew (`api/pages/respondent_pictures.py`).

    Raises:
        Refused: `answer_picture_missing` for every picture that did not come; the API takes none.
    """
    named = dict(_named(form, answers))
    missing = [key for key, name in named.items() if name not in came]
    if missing:
        raise Refused.of(Fault("answer_picture_missing", key) for key in missing)
    return tuple((name, came[name]) for name in named.values())


def _named(form: Form, answers: Answers) -> Iterator[tuple[str, str]]:
    """Key and picture of every answer that is one."""
    for page in form.pages:
        for question in page.questions:
            if question.type != "image":
                continue
            if page.repeat is None:
                entries: object = ({question.name: answers.values.get(question.name)},)
            else:
                entries = answers.values.get(page.repeat, ())
            for number, entry in enumerate(entries if isinstance(entries, tuple) else (), start=1):
                name = entry.get(question.name) if isinstance(entry, Mapping) else None
                if isinstance(name, str):
                    key = question.name if page.repeat is None else f"{page.repeat}.{number}.{question.name}"
                    yield key, name
