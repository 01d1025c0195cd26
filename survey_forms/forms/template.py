"""The workbook that an author starts from: drop-down lists, notes at every column, an example of every type.

Its words are `template.toml`; it is a valid questionnaire as it stands.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

_ROWS = 500
"""Rows below the header that have drop-down lists."""
_MADE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # in the file's properties: the same bytes every day
_LOGIC = {"显示条件", "校验", "计算", "选项筛选"}
_INK, _AMBER, _SLATE = "#0b5f6b", "#c8801f", "#5b6770"


@dataclass(frozen=True, slots=True)
class _Book:
    """The workbook that is being written, and its three styles."""

    book: Any
    head: Any
    cell: Any
    logic: Any

    def sheet(self, title: str, columns: Mapping[str, tuple[int, str]], colour: str) -> Any:
        """An empty sheet with its header, a note at each column, and panes frozen below and beside it."""
        sheet = self.book.add_worksheet(title)
        sheet.set_tab_color(colour)
        sheet.freeze_panes(1, 2)
        sheet.set_row(0, 24)
        for place, (header, (width, note)) in enumerate(columns.items()):
            sheet.set_column(place, place, width, self.logic if header in _LOGIC else self.cell)
            sheet.write_string(0, place, header, self.head)
            sheet.write_comment(0, place, note, {"author": "明察", "x_scale": 2, "y_scale": 1.2})
        return sheet


def template_workbook() -> bytes:
    """The template as an .xlsx file, always the same bytes."""
    words = tomllib.loads(files("survey_forms.forms").joinpath("template.toml").read_text(encoding="utf-8"))
    file = BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": "问卷模板", "author": "明察 Mingcha", "created": _MADE})
    text = {"text_wrap": True, "valign": "top", "num_format": "@"}  # as text, so that 1-2 stays 1-2
    made = _Book(
        book,
        book.add_format({"bold": True, "bg_color": _INK, "font_color": "#ffffff", "valign": "vcenter", "border": 1}),
        book.add_format(text),
        book.add_format({**text, "font_name": "Consolas", "font_color": "#07424b"}),
    )
    columns = words["columns"]
    survey = made.sheet("问卷", columns["survey"], _INK)
    _write(survey, ([row.get(header, "") for header in columns["survey"]] for row in words["question"]))
    _offer(survey, columns["survey"], {"类型": words["types"], "必答": ["是", "否"], "外观": ["同页", "评价表"]})
    choices = made.sheet("选项", columns["choices"], _AMBER)
    _write(choices, words["choices"])
    _offer(choices, columns["choices"], {"列表": list(dict.fromkeys(row[0] for row in words["choices"]))})
    settings = made.sheet("设置", columns["settings"], _SLATE)
    _write(settings, [words["settings"]])
    _offer(settings, columns["settings"], {"默认语言": words["languages"]})
    _write(made.sheet("说明", {"主题": (16, "看什么"), "说明": (100, "怎么写")}, _SLATE), words["help"])
    book.close()
    return file.getvalue()


def _write(sheet: Any, rows: Iterable[Iterable[str | int]]) -> None:
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(number, place, value)
            elif value:
                sheet.write_string(number, place, value)


def _offer(sheet: Any, columns: Mapping[str, object], lists: Mapping[str, list[str]]) -> None:
    """Drop-down lists. Other words stay possible: a list of one's own (单选 我的列表), or a condition in 必答."""
    places = {header: place for place, header in enumerate(columns)}
    for header, words in lists.items():
        rule = {
            "validate": "list",
            "source": words,
            "error_type": "information",
            "error_title": header,
            "error_message": "下拉列表里没有这个写法，请确认无误。",
        }
        sheet.data_validation(1, places[header], _ROWS, places[header], rule)
