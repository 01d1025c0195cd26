"""The languages of the respondent's pages.

A form's questions come in any language that its workbook has. The page's own words exist in Chinese and English,
and in those of `api/languages/`; in every other language's company they are Chinese, and each part says by `lang`
which it is, so that a screen reader pronounces both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, request
from markupsafe import Markup

from api.catalogue import catalogues
from api.problems import LANGUAGES

COOKIE = "mc_lang"

OWN_NAMES = {
    "zh": "中文",
    "zh-Hant": "繁體中文",
    "en": "English",
    "ug": "ئۇيغۇرچە",
    "bo": "བོད་ཡིག",
    "mn": "Монгол",
    "mvf": "ᠮᠣᠩᠭᠣᠯ",
    "kk": "قازاقشا",
    "ky": "قىرعىزچا",
    "ko": "조선말",
    "ii": "ꆈꌠꉙ",
    "za": "Vahcuengh",
    "ar": "العربية",
    "fa": "فارسی",
    "ur": "اردو",
    "he": "עברית",
    "ja": "日本語",
    "ru": "Русский",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "pt": "Português",
    "vi": "Tiếng Việt",
    "th": "ไทย",
}
"""What its own readers call a language. In China Kazakh and Kirghiz are written in Arabic letters."""

_FROM_RIGHT = frozenset({"ar", "ckb", "dv", "fa", "he", "kk", "ky", "ps", "sd", "ug", "ur", "yi"})
_TAGS = {"zh": "zh-CN", "kk": "kk-Arab", "ky": "ky-Arab"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A language to choose: the form's code for it, its own name, and the tag that HTML knows it by."""

    code: str
    name: str
    tag: str
    chosen: bool


def own_name(code: str) -> str:
    """What its readers call the language; the code itself where we do not know."""
    return OWN_NAMES.get(code) or OWN_NAMES.get(_plain(code), code)


def tag(code: str) -> str:
    """The language tag (BCP 47) for `lang`."""
    return _TAGS.get(code, code)


def direction(code: str) -> str:
    """`rtl` for a language written from right to left, else `ltr`."""
    letters = tag(code).split("-")[1:]
    if any(part.lower() in {"latn", "cyrl"} for part in letters):
        return "ltr"
    return "rtl" if _plain(code) in _FROM_RIGHT else "ltr"


def page_language(reading: str) -> str:
    """The language of the page's own words beside questions in that language."""
    plain = _plain(reading)
    return plain if plain in LANGUAGES or plain in catalogues() else "zh"


def reading_language(form_languages: Sequence[str]) -> str:
    """Settle the language of this request: the address's wish, the reader's earlier one, the browser's, the form's own.

    From here on `render.language()` is that of the page's own words.

    Args:
        form_languages: those of the form, its default first; at least one.
    """
    wishes = (request.args.get("lang"), request.cookies.get(COOKIE))
    wish = next((wish for wish in wishes if wish in form_languages), None)
    g.reading = wish or request.accept_languages.best_match(form_languages, default=form_languages[0])
    g.offered = tuple(form_languages)
    g.language = page_language(g.reading)
    return str(g.reading)


def reading() -> str:
    """The language of this request's questions."""
    return str(g.get("reading") or g.get("language") or "zh")


def offers() -> list[Offer]:
    """The languages of this request's form, for the switch; none where there is no choice."""
    offered = g.get("offered", ())
    found = [Offer(code, own_name(code), tag(code), code == reading()) for code in offered]
    return found if len(found) > 1 else []


def spoken(code: str) -> Markup:
    """The attributes of a part of the page in that language; none where the page speaks it itself."""
    if _plain(code) == g.get("language", "zh"):
        return Markup()
    return Markup(' lang="{}" dir="{}"').format(tag(code), direction(code))


def _plain(code: str) -> str:
    return code.replace("_", "-").partition("-")[0].lower()
