"""`mingcha forms`: check a questionnaire's workbook, compare two versions, begin from the template."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from api.odk_validate import second_opinion
from api.problems import LANGUAGES, say
from survey_forms.forms.compile import compile_form
from survey_forms.forms.difference import difference
from survey_forms.forms.model import Form, Page, wording
from survey_forms.forms.template import template_workbook
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Fault, Refused

BAD_NEWS, BAD_INPUT = 1, 2
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def forms() -> None:
    """问卷 Questionnaires, as their authors write them."""


@forms.command()
@click.argument("book", metavar="BOOK.xlsx", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="给程序读的 JSON。JSON for programs.")
def check(book: Path, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over this way
    """检查问卷工作簿 Check a workbook: print its version, pages and questions, or all faults with their cells.

    Exit status: 0 a questionnaire; 1 a questionnaire, but ODK Validate has a complaint; 2 faults.
    """
    try:
        converted = convert_workbook(book.read_bytes())
    except Refused as refused:
        if not as_json:
            raise
        click.echo(_json({"faults": [told(fault) for fault in refused.faults]}))
        sys.exit(BAD_INPUT)
    form, complaint = compile_form(converted.xform), second_opinion(converted.xform)
    notes = [*converted.notes, *([complaint] if complaint else [])]
    if as_json:
        click.echo(_json({**_summary(form), "faults": [], "notes": [told(note) for note in notes]}))
    else:
        _say(notes)
        for line in described(form):
            click.echo(line)
    if complaint:
        sys.exit(BAD_NEWS)


@forms.command()
@click.argument("old", metavar="OLD.xlsx", type=_FILE)
@click.argument("new", metavar="NEW.xlsx", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="给程序读的 JSON。JSON for programs.")
def diff(old: Path, new: Path, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over this way
    """比较两份问卷 Compare two workbooks (or XForm files); ‼ marks what makes results incomparable.

    Exit status: 0 results stay comparable; 1 they do not; 2 one of the files is no questionnaire.
    """
    changes = difference(_xform(old), _xform(new))
    if as_json:
        click.echo(_json([{**told(change.told), "breaks": change.breaks} for change in changes]))
    for change in changes if not as_json else ():
        for language in LANGUAGES:
            click.echo(f"{'‼' if change.breaks else ' '} {say(change.told, language)}")
    if not changes and not as_json:
        click.echo("两份问卷没有区别。 The two questionnaires are the same.")
    if any(change.breaks for change in changes):
        sys.exit(BAD_NEWS)


@forms.command()
def template() -> None:
    """问卷模板 Write the template workbook: mingcha forms template > 问卷模板.xlsx"""  # noqa: D415 - a command line
    if sys.stdout.isatty():
        raise click.UsageError(
            "这是一个 Excel 文件，请写入文件 An Excel file, so: mingcha forms template > 问卷模板.xlsx"
        )
    sys.stdout.buffer.write(template_workbook())


def told(fault: Fault) -> dict[str, Any]:
    """A fault or note for programs: where, what, and the two sentences."""
    place = {name: fault.facts[name] for name in ("sheet", "row", "column") if name in fault.facts}
    return {"code": fault.code, "path": fault.path, **place, **{one: say(fault, one) for one in LANGUAGES}}


def _say(faults: Iterable[Fault]) -> None:
    for fault in faults:
        for language in LANGUAGES:
            click.echo(say(fault, language), err=True)


def _json(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2)


def _xform(file: Path) -> bytes:
    """The XForm of a workbook, or a file that is one already."""
    data = file.read_bytes()
    return data if data.lstrip().startswith(b"<") else convert_workbook(data).xform


def _summary(form: Form) -> dict[str, Any]:
    pages = [
        {"name": page.name, "kind": page.kind, "questions": [question.name for question in page.questions]}
        for page in form.pages
    ]
    title = dict(form.title)
    return {"id": form.id, "version": form.version, "title": title, "languages": form.languages, "pages": pages}


def described(form: Form) -> Iterator[str]:
    """The form in lines for its author, in the form's own default language."""
    yield f"{wording(form.title, form.default_language)}  ({form.id})"
    yield f"版本 version    {form.version}"
    yield f"语言 languages  {', '.join(form.languages)}"
    for number, page in enumerate(form.pages, 1):
        yield ""
        title = wording(page.title, form.default_language)
        repeat = f"重复 repeat {page.repeat}" if page.repeat else ""
        words = (f"第 {number} 页 page {number}", page.kind, page.name, repeat, title)
        yield "  ".join(word for word in words if word)
        yield from _questions(page, form.default_language)


def _questions(page: Page, language: str) -> Iterator[str]:
    for question in page.questions:
        required = "必答 required" if question.required else ""
        unit = question.unit or (f"${{{question.unit_from}}}" if question.unit_from else "")
        rates = f"评价 rates {unit}/{question.item}" if unit else ""
        label = wording(question.label, language)
        choices = f"[{len(question.choices)}]" if question.choices and page.kind == "list" else ""
        scale = f"[{question.start}–{question.end}]" if question.start is not None else ""
        words = (question.name, question.type + choices + scale, label, required, rates)
        yield "  " + "  ".join(word for word in words if word)
    if page.kind == "grid" and page.questions:
        scale = " / ".join(
            f"{wording(choice.label, language)} {'—' if choice.points is None else choice.points}"
            for choice in page.questions[0].choices
        )
        yield f"  选项 choices: {scale}"
