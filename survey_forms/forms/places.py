"""Where a fault is, in words: a question of a form, or a cell of the author's workbook."""

from survey_forms.refusal import Fault


def question_fault(code: str, name: str, aspect: str = "type", **facts: object) -> Fault:
    """A fault of a compiled or compiling form. `aspect` is the XLSForm column that it is about."""
    where = {"where_zh": f"题目 {name}", "where_en": f"Question {name}"}
    return Fault(code, name, {**where, "question": name, "aspect": aspect, **facts})


def cell_fault(code: str, sheet: str, row: int, column: str, header: str, **facts: object) -> Fault:
    """A fault in one cell. `row` counts from 1 as Excel shows it, `column` is its letter."""
    where = {
        "where_zh": f"工作表“{sheet}”第 {row} 行“{header}”({column} 列)",
        "where_en": f"Sheet “{sheet}”, row {row}, column “{header}” ({column})",
        "sheet": sheet,
        "row": row,
        "column": column,
    }
    return Fault(code, f"{sheet}!{column}{row}", {**facts, **where})
