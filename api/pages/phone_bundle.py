"""What the phone loads, made of `static/field` once in a process: one script, one stylesheet, the English words.

The modules are written as modules and sent as one file: compressed each alone they weigh half as much again, and
fourteen requests are fourteen chances to fail. They import each other by name alone, so putting them after each
other is all there is to it; a name that two of them give at their top is a syntax error, which a test looks for.
"""

import json
import re
import tomllib
from functools import cache
from importlib.resources import files

PLAIN = ("logic", "checklist")  # scripts that know no modules
MODULES = ("words", "store", "chain", "sync", "place", "parts", "today", "visit", "finding", "sign", "queue", "main")
STYLES = ("tokens.css", "field/app.css", "field/checklist.css")
KEPT = ("app.css", "app.js", "mark.svg")
"""What the service worker keeps; the English words are kept by those who want them (`words.js`)."""

_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_TOKEN = re.compile(
    r"""(?P<text>(["'`])(?:(?!\2)[^\\]|\\.)*\2)"""
    r"""|(?P<pattern>(?<=[(,=:?&|!{}\n]) ?/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\]|\\.)*\])+/\w*)"""
    r"""|(?P<remark>//[^\n]*|/\*[\s\S]*?\*/)|(?P<blank>\s+)|(?P<word>[\w$]+)|(?P<sign>.)"""
)
_CSS_REMARK = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_BLANK = re.compile(r"\s*([{};,])\s*|(?<=:)\s+|\s+(?=!)")
_PROPERTY = re.compile(r"(--[\w-]+):[^;}]*;")


@cache
def built() -> dict[str, str]:
    """The files by the name that the phone asks for."""
    modules = (_EXPORT.sub("", _IMPORT.sub("", read(f"field/{name}.js"))) for name in MODULES)
    script = "".join([*(read(f"field/{name}.js") for name in PLAIN), *modules])
    style = "".join(map(read, STYLES))
    words = tomllib.loads(read("field/en.toml"))
    return {
        "app.js": squeezed(script),
        "app.css": tidied(style),
        "mark.svg": read("mark.svg"),
        "en.json": json.dumps(words, ensure_ascii=False, separators=(",", ":")),
    }


def squeezed(script: str) -> str:
    """A script without comments and needless blanks. Line ends stay where a statement might end without a semicolon."""
    out: list[str] = []
    gap = ""
    for token in _TOKEN.finditer(script):
        if token.lastgroup in {"blank", "remark"}:
            gap = "\n" if "\n" in token[0] + gap else " "
            continue
        text = token[0].strip() if token.lastgroup == "pattern" else token[0]
        before = out[-1][-1] if out else "{"
        if gap == "\n" and before not in "{(,;[=?:":
            out.append("\n")
        elif gap and ((_joins(before) and _joins(text[0])) or before + text[0] in {"++", "--", "//", "/*"}):
            out.append(" ")
        out.append(text)
        gap = ""
    return "".join(out)


def tidied(style: str) -> str:
    """A stylesheet without comments, needless blanks, and properties of the design system that nothing here uses."""
    style = _CSS_BLANK.sub(lambda found: found[1] or "", _CSS_REMARK.sub("", style))
    return _PROPERTY.sub(lambda found: found[0] if f"var({found[1]}" in style else "", style)


def _joins(letter: str) -> bool:
    return letter.isalnum() or letter in "_$"


def read(name: str) -> str:
    """The text of a file below `static`."""
    return files("api.pages").joinpath("static", name).read_text(encoding="utf-8")
