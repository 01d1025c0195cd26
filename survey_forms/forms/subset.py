"""A questionnaire with some of its units left out: what a code asks that rates only its block of them."""

from collections.abc import Collection
from dataclasses import replace

from survey_forms.forms.model import Form, Page, Step


def of_units(form: Form, units: Collection[str]) -> Form:
    """The form without the ratings of all other units: they are not asked, not required, and not known.

    Pages left without a question are left out. Whatever else reads a rating finds it unanswered.
    """
    pages = tuple(_page(page, units) for page in form.pages)
    gone = {one.name for page in form.pages for one in page.questions if one.unit is not None and one.unit not in units}
    return replace(
        form,
        pages=tuple(page for page in pages if page.kind == "repeat" or page.questions),
        steps=tuple(_step(step, units) for step in form.steps),
        repeats={
            name: replace(repeat, pages=tuple(_page(page, units) for page in repeat.pages))
            for name, repeat in form.repeats.items()
        },
        owners={name: repeat for name, repeat in form.owners.items() if name not in gone},
    )


def _page(page: Page, units: Collection[str]) -> Page:
    kept = tuple(question for question in page.questions if question.unit is None or question.unit in units)
    asked = any(question.type != "note" for question in kept)
    return replace(page, questions=kept if asked or kept == page.questions else ())


def _step(step: Step, units: Collection[str]) -> Step:
    if step.question is None or step.question.unit is None or step.question.unit in units:
        return step
    return replace(step, page="", question=None, required=None, constraint=None)
