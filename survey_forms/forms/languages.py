"""The languages of a questionnaire as authors call them: `维吾尔文`, `label::ug`, `English (en)`."""

import re
import unicodedata

CHINESE = "中文 (zh)"
ENGLISH = "English (en)"
_NAMED = re.compile(r"\S.*\([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\)")
_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

# Code → the names by which an author may call the language; the first is how a version names it.
_NAMES: dict[str, tuple[str, ...]] = {
    "zh": ("中文", "汉语", "汉文", "简体中文", "普通话", "chinese", "simplified chinese"),
    "en": ("English", "英文", "英语"),
    "ug": ("维吾尔文", "维吾尔语", "维文", "维语", "uyghur", "uighur"),
    "bo": ("藏文", "藏语", "tibetan"),
    "mn": ("蒙古文", "蒙古语", "蒙文", "蒙语", "mongolian"),
    "kk": ("哈萨克文", "哈萨克语", "哈文", "kazakh"),
    "ky": ("柯尔克孜文", "柯尔克孜语", "kyrgyz"),
    "za": ("壮文", "壮语", "zhuang"),
    "ii": ("彝文", "彝语", "yi"),
    "ko": ("朝鲜文", "朝鲜语", "韩文", "韩语", "korean"),
    "zh-Hant": ("繁体中文", "繁體中文", "traditional chinese"),
    "ru": ("俄文", "俄语", "russian"),
    "ja": ("日文", "日语", "japanese"),
    "fr": ("法文", "法语", "french"),
    "ar": ("阿拉伯文", "阿拉伯语", "arabic"),
}
_BY_NAME = {name.lower(): f"{names[0]} ({code})" for code, names in _NAMES.items() for name in names}


def language_named(written: str) -> str | None:
    """The language as a version names it, `维吾尔文 (ug)`; None when neither name nor code is known.

    A language that the house does not know is taken with its code (`Français (fr)`, or `fr` alone).
    """
    name = " ".join(unicodedata.normalize("NFKC", written).split())
    if not name:
        return None
    if name.lower() in _BY_NAME:
        return _BY_NAME[name.lower()]
    if _NAMED.fullmatch(name):
        return name
    if _CODE.fullmatch(name):
        return f"{_NAMES.get(name, (name,))[0]} ({name})"
    return None


def code_of(language: str) -> str:
    """`维吾尔文 (ug)` → `ug`."""
    return language.rpartition("(")[2].rstrip(") ")
