"""`mingcha forms check`: what a questionnaire's workbook says, or everything that is wrong with it."""

from collections.abc import Iterator
from pathlib import Path

import click

from api.problems import LANGUAGES, say
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form, Page, wording
from survey_forms.forms.workbook import convert_workbook


@click.group()
def forms() -> None:
    """问卷 Questionnaires, as their authors write them."""


@forms.command()
@click.argument("book", metavar="BOOK.xlsx", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(book: Path) -> None:
    """检查问卷工作簿 Check a workbook: print its version, pages and questions, or all faults with their cells."""
    converted = convert_workbook(book.read_bytes())
    for note in converted.notes:
        for language in LANGUAGES:
            click.echo(say(note, language), err=True)
    for line in described(compile_form(converted.xform)):
        click.echo(line)


def described(form: Form) -> Iterator[str]:
    """The form in lines for its author, in the form's own default language."""
    yield f"{wording(form.title, form.default_language)}  ({form.id})"
    yield f"版本 version    {form.version}"
    yield f"语言 languages  {', '.join(form.languages)}"
    for number, page in enumerate(form.pages, 1):
        yield ""
        title = wording(page.title, form.default_language)
        yield f"第 {number} 页 page {number}  {page.kind}  {page.name}  {title}".rstrip()
        yield from _questions(page, form.default_language)


def _questions(page: Page, language: str) -> Iterator[str]:
    for question in page.questions:
        required = "必答 required" if question.required else ""
        unit = question.unit or (f"${{{question.unit_from}}}" if question.unit_from else "")
        rates = f"评价 rates {unit}/{question.item}" if unit else ""
        label = wording(question.label, language)
        choices = f"[{len(question.choices)}]" if question.choices and page.kind == "list" else ""
        words = (question.name, question.type + choices, label, required, rates)
        yield "  " + "  ".join(word for word in words if word)
    if page.kind == "grid":
        scale = (
            f"{wording(choice.label, language)} {'—' if choice.points is None else choice.points}"
            for choice in page.questions[0].choices
        )
        yield f"  选项 choices: {' / '.join(scale)}"
