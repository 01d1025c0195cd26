"""Builders of workbooks and forms for tests: each test names only the cells that matter."""

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from pyxform.xls2xform import convert

from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Fault, Refused

TODAY = date(2015, 6, 30)
BOOKS = Path(__file__).parents[2] / "survey_forms/documents/xiamen-wf-2015/forms"
SETTINGS = {"form_id": "a-form", "form_title": "一份问卷"}
YES_NO = (("yes_no", "yes", "是", None), ("yes_no", "no", "否", None))
SCALE = (("scale", "good", "好", 100), ("scale", "bad", "差", 0), ("scale", "dk", "不了解", None))

Row = Mapping[str, object]


def a_row(kind: str, name: str = "", **cells: object) -> Row:
    """A row of the survey sheet; keyword `mc_unit` stands for the column `bind::mc:unit`."""
    label = {} if kind.startswith(("end", "calculate")) else {"label": f"题目 {name}"}
    spelled = {key.replace("mc_", "bind::mc:"): value for key, value in cells.items()}
    return {"type": kind, "name": name, **label, **spelled}


def a_book(
    *rows: Row,
    choices: Sequence[Sequence[object]] = (*YES_NO, *SCALE),
    settings: Row = SETTINGS,
    sheets: tuple[str, str, str] = ("survey", "choices", "settings"),
    columns: tuple[str, ...] = (),
) -> bytes:
    """An .xlsx whose survey sheet has the columns that the rows name, in the order of first use.

    `columns` are further columns of the choices sheet, behind `points`.
    """
    book = Workbook()
    headers = list(dict.fromkeys(["type", "name", "label", *(key for row in rows for key in row)]))
    survey = book.active
    survey.title = sheets[0]
    survey.append(headers)
    for row in rows:
        survey.append([row.get(header) for header in headers])
    listed = book.create_sheet(sheets[1])
    listed.append(["list_name", "name", "label", "points", *columns])
    for choice in choices:
        listed.append(list(choice))
    setting = book.create_sheet(sheets[2])
    setting.append(list(settings))
    setting.append(list(settings.values()))
    return saved(book)


def from_elsewhere(*rows: Row, choices: Sequence[Row] = ()) -> bytes:
    """The XForm that pyxform makes of rows that our own linter has not seen, as other products do."""
    listed = [{"list_name": name, "name": code, "label": label} for name, code, label, _ in YES_NO]
    sheets = {"survey": rows, "choices": [*listed, *choices], "settings": [{"form_id": "f", "form_title": "t"}]}
    heads = {f"{sheet}_header": [dict.fromkeys(key for row in lines for key in row)] for sheet, lines in sheets.items()}
    return convert({**sheets, **heads}, form_name="data").xform.encode()


def saved(book: Workbook) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def a_form(*rows: Row, **parts: object) -> Form:
    return compile_form(convert_workbook(a_book(*rows, **parts)).xform)


def the_form(name: str) -> Form:
    """One of the three questionnaires of the demonstration evaluation."""
    return compile_form(convert_workbook((BOOKS / f"{name}.xlsx").read_bytes()).xform)


def faults_of(data: bytes) -> dict[str, str]:
    """Cell → code of every fault in a workbook; empty when it is right."""
    try:
        convert_workbook(data)
    except Refused as refused:
        return {fault.path: fault.code for fault in refused.faults}
    return {}


def codes(faults: Sequence[Fault]) -> dict[str, str]:
    return {fault.path: fault.code for fault in faults}
