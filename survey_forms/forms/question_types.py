"""The types, appearances and parameters of a questionnaire in Chinese and in XLSForm's English."""

import re
import unicodedata

from survey_forms.forms.headers import plain

SELECTS = {"select_one", "select_multiple", "rank"}
OPENING = {"begin_group": "end_group", "begin_repeat": "end_repeat"}
STRUCTURE = {*OPENING, *OPENING.values()}
KNOWN_TYPES = SELECTS | STRUCTURE | {"range", "integer", "decimal", "date", "text", "note", "image", "calculate"}

TYPES = {
    "单选": "select_one",
    "单选题": "select_one",
    "select one from": "select_one",
    "select1": "select_one",
    "多选": "select_multiple",
    "多选题": "select_multiple",
    "select all that apply from": "select_multiple",
    "select all that apply": "select_multiple",
    "select many": "select_multiple",
    "排序": "rank",
    "排序题": "rank",
    "量表": "range",
    "量表题": "range",
    "scale": "range",
    "整数": "integer",
    "int": "integer",
    "小数": "decimal",
    "日期": "date",
    "文本": "text",
    "短文本": "text",
    "填空": "text",
    "string": "text",
    "长文本": "text",
    "说明": "note",
    "图片": "image",
    "照片": "image",
    "photo": "image",
    "计算": "calculate",
    **dict.fromkeys(("分组开始", "开始组", "开始分组", "组开始"), "begin_group"),
    **dict.fromkeys(("分组结束", "结束组", "结束分组", "组结束"), "end_group"),
    **dict.fromkeys(("重复开始", "开始重复", "重复组开始", "开始重复组"), "begin_repeat"),
    **dict.fromkeys(("重复结束", "结束重复", "重复组结束", "结束重复组"), "end_repeat"),
}
LONG_TEXT = "长文本"
_SPELLINGS = {
    **{spelled.replace("_", " "): kind for spelled, kind in TYPES.items()},
    **{kind.replace("_", " "): kind for kind in KNOWN_TYPES},
}
_LONGEST_FIRST = sorted(_SPELLINGS, key=len, reverse=True)

# XLSForm's types that are not asked here → which advice the refusal gives (`workbook_type_*`).
_METADATA = {
    *("start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username", "email", "audit"),
    *("imei", "start-geopoint", "background-audio", "background-geopoint", "xml-external", "csv-external", "hidden"),
}
_FROM_FILE = {
    "select_one_from_file",
    "select_multiple_from_file",
    "rank_from_file",
    "select_one_external",
    "select_multiple_external",
}
_ELSEWHERE = {
    *("time", "datetime", "geopoint", "geotrace", "geoshape", "audio", "video", "file", "barcode", "acknowledge"),
    *("trigger", "osm", "begin_loop", "end_loop", "add_media_prompt", "时间", "位置", "定位", "录音", "视频", "文件"),
}

APPEARANCES = {
    "同页": "field-list",
    "一页": "field-list",
    "评价表": "table-list",
    "表格": "table-list",
    "多行": "multiline",
}
# How an ODK client lays out choices and keyboards. The pages lay them out themselves: nothing is asked differently.
_COSMETIC = re.compile(
    r"minimal|quick|quickcompact|compact(?:-[0-9]+)?|horizontal(?:-compact)?|columns(?:-[0-9]+|-pack)?|likert|w[0-9]{1,2}"
    r"|numbers|thousands-sep|no-calendar|autocomplete|search|no-buttons|vertical|no-ticks|new|new-front|下拉|横排|竖排"
)
_SCALE = re.compile(r"(?:从)?(-?[0-9]+)(?:-|~|至|到|—|–|\.\.)(-?[0-9]+)(?:[,;\s]*(?:步长|间隔|step)[=:\s]*([0-9]+))?")
_PARAMETERS = {
    **dict.fromkeys(("起", "起点", "开始", "最小", "start"), "start"),
    **dict.fromkeys(("止", "终点", "结束", "最大", "end"), "end"),
    **dict.fromkeys(("步长", "间隔", "step"), "step"),
    **dict.fromkeys(("行数", "rows"), "rows"),
    **dict.fromkeys(("随机", "随机排列", "randomize"), "randomize"),
}
_TAKES = {
    **{kind: {"randomize", "seed"} for kind in SELECTS},
    "text": {"rows"},
    "range": {"start", "end", "step"},
    "image": {"max-pixels"},
}
_PARAMETER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?|true|false|\$\{\w+\}")
_SAID = {"是": "true", "否": "false", "yes": "true", "no": "false"}


def question_type(written: str) -> tuple[str, str]:
    """`单选 满意度` or `单选（满意度）` → (`select_one`, `满意度`); the words as they are when it is not known."""
    words = plain(written).replace("-", " ").replace("_", " ")
    original = " ".join(unicodedata.normalize("NFKC", written).split())
    for spelled in _LONGEST_FIRST:
        if words == spelled:
            return _SPELLINGS[spelled], ""
        if words.startswith(spelled) and unsupported_type(written) is None:
            rest = original[len(spelled) :]
            if rest[0] in " (:[" or not spelled.isascii():
                return _SPELLINGS[spelled], rest.strip(" ():[]")
    return plain(written), ""


def unsupported_type(written: str) -> str | None:
    """The code of the refusal for a type that XLSForm has and we have not; None for any other word."""
    word = plain(written).partition(" ")[0].replace("-", "_")
    if word in {one.replace("-", "_") for one in _METADATA}:
        return "workbook_type_metadata"
    if word in _FROM_FILE:
        return "workbook_type_from_file"
    return "workbook_type_elsewhere" if plain(written).replace(" ", "_") in _ELSEWHERE else None


def is_long_text(written: str) -> bool:
    """Whether the type asks for a box of several lines."""
    return plain(written) == LONG_TEXT


def appearance(written: str) -> tuple[str, str]:
    """The appearance in XLSForm's words, and those of its words that only dress it up."""
    words = [APPEARANCES.get(word, word) for word in plain(written).split()]
    cosmetic = [word for word in words if _COSMETIC.fullmatch(word)]
    return " ".join(word for word in words if word not in cosmetic), " ".join(cosmetic)


def parameters(kind: str, written: str) -> dict[str, str] | None:
    """`1-10` or `起=1 止=10 步长=1` → start, end and step; None when it cannot be understood for this type."""
    words = plain(written)
    scale = _SCALE.fullmatch(words) if kind == "range" else None
    if scale:
        return {"start": scale[1], "end": scale[2], "step": scale[3] or "1"}
    pairs = [part.partition("=") for part in re.sub(r"\s*=\s*", "=", words).replace(",", " ").replace(";", " ").split()]
    named = {_PARAMETERS.get(name, name): _SAID.get(value, value) for name, _, value in pairs}
    right = named.keys() <= _TAKES.get(kind, set()) and all(map(_PARAMETER.fullmatch, named.values()))
    return named if right else None
