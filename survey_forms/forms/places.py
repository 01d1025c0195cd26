"""Where a fault is, in words: a question of a form, or a cell of the author's workbook."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from survey_forms.refusal import Fault


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A fact that is worded differently in the two sentences of a refusal: `{where.zh}`, `{where.en}`."""

    zh: str
    en: str


def question_fault(code: str, name: str, aspect: str = "type", /, **facts: object) -> Fault:
    """A fault of a compiled or compiling form. `aspect` is the XLSForm column that it is about."""
    where = Bilingual(f"题目 {name}", f"Question {name}")
    return Fault(code, name, {**facts, "where": where, "question": name, "aspect": aspect})


def cell_fault(code: str, sheet: str, row: int, column: str, header: str, /, **facts: object) -> Fault:
    """A fault in one cell. `row` counts from 1 as Excel shows it, `column` is its letter."""
    where = Bilingual(
        f"工作表“{sheet}”第 {row} 行“{header}”({column} 列)",
        f"Sheet “{sheet}”, row {row}, column “{header}” ({column})",
    )
    place = {"where": where, "sheet": sheet, "row": row, "column": column, "header": header}
    return Fault(code, f"{sheet}!{column}{row}", {**facts, **place})


def closest(word: str, known: Iterable[str]) -> Bilingual:
    """A question back to the author when a known word looks like what was written; else empty."""
    meant = get_close_matches(word, list(known), n=1)
    return Bilingual(f"是不是“{meant[0]}”？", f"Did you mean “{meant[0]}”?") if meant else Bilingual("", "")
