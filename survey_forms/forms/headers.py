"""The words of a workbook: its sheets and columns in Chinese or in XLSForm's own English."""

import re
import unicodedata
from typing import Literal

from survey_forms.forms.languages import language_named

SHEETS = {
    "survey": "survey",
    "问卷": "survey",
    "题目": "survey",
    "choices": "choices",
    "选项": "choices",
    "settings": "settings",
    "设置": "settings",
}
UNSUPPORTED_SHEETS = {"external_choices", "entities", "osm"}

UNIT, ITEM = "bind::mc:unit", "bind::mc:item"

_SURVEY = {
    "type": ("类型", "题型", "题目类型"),
    "name": ("变量名", "题号", "变量"),
    "label": ("题目", "题干", "问题", "题目内容", "caption"),
    "hint": ("提示", "填写说明"),
    "required": ("必答", "必填", "是否必答", "是否必填"),
    "required_message": ("必答提示", "必填提示", "requiredmsg"),
    "relevant": ("显示条件", "显示逻辑", "relevance"),
    "constraint": ("校验", "校验条件", "校验规则"),
    "constraint_message": ("校验提示", "错误提示", "constraining_message"),
    "calculation": ("计算", "计算公式", "calculate"),
    "choice_filter": ("选项筛选", "筛选", "筛选条件"),
    "default": ("默认值", "默认"),
    "appearance": ("外观", "样式"),
    "parameters": ("参数",),
    "repeat_count": ("重复次数", "count"),
    "readonly": ("只读", "read_only"),
    UNIT: ("评价单位",),
    ITEM: ("评价项目",),
}
_CHOICES = {
    "list_name": ("列表", "选项组", "列表名", "选项列表"),
    "name": ("编码", "变量名", "选项编码", "代码", "value"),
    "label": ("选项", "题目", "选项文字", "caption"),
    "points": ("分值", "分数", "得分"),
    "parent": ("上级",),
}
_SETTINGS = {
    "form_id": ("问卷编号", "id_string"),
    "form_title": ("问卷标题", "标题", "title"),
    "default_language": ("默认语言",),
    "version": ("版本",),
}
COLUMNS = {"survey": _SURVEY, "choices": _CHOICES, "settings": _SETTINGS}
TRANSLATED = {"label", "hint", "required_message", "constraint_message", "form_title"}
LOGIC = ("relevant", "constraint", "calculation", "required", "choice_filter", "repeat_count")

_REMARKS = {"备注", "注释", "说明", "序号", "remark", "remarks", "comment", "comments", "note", "notes", "#"}
# XLSForm's columns that ask for something which is not done here; a filled one is refused, an empty one is not missed.
_UNSUPPORTED = {
    "survey": {
        *("guidance_hint", "trigger", "save_to", "autoplay", "compact_tag", "disabled", "media", "image", "big-image"),
        *("audio", "video", "bind", "body", "control", "instance", "intent", "rows", "query", "no_app_error_string"),
    },
    "choices": {"media", "image", "big-image", "audio", "video"},
    "settings": {"public_key", "attribute", "allow_choice_duplicates", "sms_keyword", "prefix", "entity", "clean_text"},
}
# What tells an ODK client how to look or where to send; here the pages and the address are the product's own.
_IGNORED = {"settings": {"style", "instance_name", "submission_url", "auto_send", "auto_delete", "omit_instanceid"}}

Sort = Literal["column", "filter", "remark", "ignored", "unsupported", "language", "unknown"]
_FILTER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_COLONS = re.compile(r"(.+?)\s*::?\s*(.+)", re.DOTALL)
_BRACKETS = re.compile(r"([^()]+)\((.+)\)", re.DOTALL)


def plain(words: str) -> str:
    """A header, title or type as it is compared: NFKC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", words).lower().split())


def understood(sheet: str, header: str, default_language: str) -> tuple[Sort, str]:
    """What a header means: its sort, and for a column its XLSForm name (`label::English (en)`).

    A `filter` is an author's own column of the choices sheet, which a choice filter may compare with.
    """
    written = unicodedata.normalize("NFKC", header).strip().rstrip("*").strip()
    whole = _column(sheet, written)
    if whole is not None:
        return "column", f"{whole}::{default_language}" if whole in TRANSLATED else whole
    if plain(written) in _REMARKS:
        return "remark", ""
    parts = _COLONS.fullmatch(written) or _BRACKETS.fullmatch(written)
    name = _column(sheet, parts[1]) if parts else None
    if parts and name in TRANSLATED:
        language = language_named(parts[2])
        return ("language", name) if language is None else ("column", f"{name}::{language}")
    return _no_column(sheet, _key(parts[1] if parts else written), written)


def _no_column(sheet: str, feature: str, written: str) -> tuple[Sort, str]:
    if feature in _UNSUPPORTED[sheet]:
        return "unsupported", feature
    if feature in _IGNORED.get(sheet, ()):
        return "ignored", feature
    return ("filter" if sheet == "choices" and _FILTER.fullmatch(written) else "unknown"), written


def _column(sheet: str, words: str) -> str | None:
    key = _key(words)
    return next((name for name, aliases in COLUMNS[sheet].items() if key == name or key in aliases), None)


def _key(words: str) -> str:
    return plain(words).replace(" ", "_")
