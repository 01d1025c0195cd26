"""The words of a workbook: sheets, columns and types in Chinese or in XLSForm's own English."""

import re
import unicodedata

SHEETS = {
    "survey": "survey",
    "问卷": "survey",
    "choices": "choices",
    "选项": "choices",
    "settings": "settings",
    "设置": "settings",
}

_SURVEY = {
    "type": ("类型", "题型"),
    "name": ("变量名", "题号"),
    "label": ("题目", "题干"),
    "hint": ("提示", "填写说明"),
    "required": ("必答", "必填"),
    "required_message": ("必答提示", "必填提示"),
    "relevant": ("显示条件",),
    "constraint": ("校验", "校验条件"),
    "constraint_message": ("校验提示",),
    "calculation": ("计算", "计算公式"),
    "appearance": ("样式", "外观"),
    "parameters": ("参数",),
    "bind::mc:unit": ("评价单位",),
    "bind::mc:item": ("评价项目",),
}
_CHOICES = {
    "list_name": ("列表", "选项组", "list name"),
    "name": ("编码", "变量名", "value"),
    "label": ("选项", "题目"),
    "points": ("分值",),
}
_SETTINGS = {
    "form_id": ("问卷编号", "id_string"),
    "form_title": ("问卷标题", "标题", "title"),
    "default_language": ("默认语言",),
    "version": ("版本",),
}
COLUMNS = {"survey": _SURVEY, "choices": _CHOICES, "settings": _SETTINGS}
TRANSLATED = {"label", "hint", "required_message", "constraint_message", "form_title"}
LOGIC = ("relevant", "constraint", "calculation", "required")
REMARKS = {"备注", "remark", "remarks", "comment", "comments"}

TYPES = {
    "单选": "select_one",
    "select one": "select_one",
    "多选": "select_multiple",
    "select multiple": "select_multiple",
    "整数": "integer",
    "int": "integer",
    "小数": "decimal",
    "文本": "text",
    "string": "text",
    "日期": "date",
    "说明": "note",
    "计算": "calculate",
    "分组开始": "begin_group",
    "begin group": "begin_group",
    "分组结束": "end_group",
    "end group": "end_group",
}
KNOWN_TYPES = set(TYPES.values())
SELECTS = {"select_one", "select_multiple"}
APPEARANCES = {"同页": "field-list", "评价表": "table-list", "多行": "multiline"}

CHINESE = "中文 (zh)"
LANGUAGES = {"中文": CHINESE, "英文": "English (en)", "english": "English (en)"}
_LANGUAGE = re.compile(r"\S.*\([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\)")

_YES, _NO = {"是", "yes", "true", "true()", "1"}, {"否", "no", "false", "false()", "0"}
_QUOTES = str.maketrans("“”＂‘’＇", "\"\"\"'''")
_SIGNS = str.maketrans({"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": " div "})
_LITERAL = re.compile(r"(\"[^\"]*\"|'[^']*')")


def plain(words: str) -> str:
    """A header, title or type as it is compared: NFKC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", words).lower().split())


def column(sheet: str, header: str, default_language: str) -> str | None:
    """The XLSForm column that a header means (`label::English (en)`); None when there is none."""
    base, _, language = unicodedata.normalize("NFKC", header).partition("::")
    if plain(header) in COLUMNS[sheet]:  # bind::mc:unit has colons of its own
        base, language = header, ""
    for name, aliases in COLUMNS[sheet].items():
        if plain(base) != name and plain(base) not in aliases:
            continue
        if name not in TRANSLATED:
            return None if language else name
        spoken = LANGUAGES.get(plain(language), language.strip()) or default_language
        if not _LANGUAGE.fullmatch(spoken):
            return None
        return f"{name}::{spoken}"
    return None


def question_type(written: str) -> tuple[str, str]:
    """`单选 满意度` → (`select_one`, `满意度`); the words as they are when the type is not known."""
    words = plain(written)
    for spelled in sorted((*TYPES, *KNOWN_TYPES), key=len, reverse=True):
        if words == spelled or words.startswith(f"{spelled} "):
            rest = unicodedata.normalize("NFKC", " ".join(written.split()))[len(spelled) :].strip()
            return TYPES.get(spelled, spelled), rest
    return words, ""


def repaired(logic: str) -> str:
    """What a Chinese keyboard made of an expression, put right outside quotation marks: ＝ （ ） ≥ “ ”."""
    parts = _LITERAL.split(logic.translate(_QUOTES))
    return "".join(
        part if index % 2 else unicodedata.normalize("NFKC", part).translate(_SIGNS) for index, part in enumerate(parts)
    )


def yes_or_expression(written: str) -> str:
    """A required cell: `yes`, nothing, or the expression that it holds."""
    word = plain(written)
    return "yes" if word in _YES else "" if word in _NO else repaired(written)
