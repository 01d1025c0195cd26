"""What the office's pages about questionnaires show, worked out before any template sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from api.pages.render import language, t
from api.problems import say
from api.store.forms import Kept, Use
from survey_forms.forms.model import Form, Page, Question, Text, wording
from survey_forms.forms.places import Bilingual
from survey_forms.refusal import Fault

TYPES = {
    "select_one": ("单选", "single choice"),
    "select_multiple": ("多选", "multiple choice"),
    "scale": ("量表", "scale"),
    "rank": ("排序", "rank"),
    "integer": ("整数", "whole number"),
    "decimal": ("小数", "number"),
    "date": ("日期", "date"),
    "text": ("文本", "text"),
    "note": ("说明", "note"),
    "image": ("图片", "image"),
}


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault or note: its cell, if it has one (the column with its header), and the sentence without the place."""

    sheet: str
    row: str
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version in the list, and who answers it."""

    kept: Kept
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the outline of a form."""

    name: str
    type: str
    label: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A page in the outline of a form."""

    number: int
    title: str
    kind: str
    questions: tuple[Asked, ...]


def fault_rows(faults: Iterable[Fault]) -> list[FaultRow]:
    """Faults as rows of a table: sheet, row, column, and what is wrong and what to write."""
    return [_row(fault) for fault in faults]


def _row(fault: Fault) -> FaultRow:
    words, where = say(fault, language()), fault.facts.get("where")
    if not isinstance(where, Bilingual) or "sheet" not in fault.facts:
        return FaultRow("", "", "", words)
    rest = words.removeprefix(t(f"{where.zh}：", f"{where.en}: "))
    sheet, row, column, header = (str(fault.facts.get(name, "")) for name in ("sheet", "row", "column", "header"))
    return FaultRow(sheet, row, f"{column} {header}".strip(), rest[:1].upper() + rest[1:])


def grouped(kept: Sequence[Kept], uses: Sequence[Use]) -> list[tuple[str, list[Version]]]:
    """The versions of each questionnaire, the newest first."""
    return [
        (name, [Version(one, tuple(use for use in uses if use.version == one.version)) for one in versions])
        for name, versions in groupby(kept, key=lambda one: one.name)
    ]


def title_of(form: Form, name: str) -> str:
    """What a questionnaire is called, in the reader's language where the author wrote it; else its id."""
    return form.title.get(language()) or form.title.get(form.default_language) or name


def outline(form: Form) -> list[Part]:
    """The form page by page, in the reader's language where the author wrote it."""
    return [_part(form, number, page) for number, page in enumerate(form.pages, 1)]


def _part(form: Form, number: int, page: Page) -> Part:
    kind = {"grid": t("评价表", "grid"), "repeat": t("重复部分的清单", "list of entries")}.get(page.kind, "")
    repeat = t(f"重复 {page.repeat}", f"repeat {page.repeat}") if page.repeat else ""
    questions = tuple(_asked(form, question) for question in page.questions)
    return Part(number, _words(form, page.title), " · ".join(filter(None, (kind, repeat))), questions)


def _asked(form: Form, question: Question) -> Asked:
    unit = question.unit or (f"${{{question.unit_from}}}" if question.unit_from else "")
    number = len(question.choices)
    facts = (
        t("必答", "required") if question.required else "",
        t(f"{number} 个选项", f"{number} choices") if number else "",
        t("选项随回答变化", "choices depend on answers") if question.filtered else "",
        f"{question.start}–{question.end}" if question.start is not None else "",
        t(f"评价 {unit}/{question.item}", f"rates {unit}/{question.item}") if unit else "",
    )
    return Asked(
        question.name, t(*TYPES[question.type]), _words(form, question.label), tuple(one for one in facts if one)
    )


def _words(form: Form, text: Text) -> str:
    return wording(text, language(), form.default_language)
