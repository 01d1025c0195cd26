"""What the phone loads, made of `static/field` once in a process: one script, one stylesheet, the English words.

The modules are written as modules and sent as one file: compressed each alone they weigh half as much again, and
fourteen requests are fourteen chances to fail. They import each other by name alone, so putting them after each other is all
there is to it; a name that two of them give at their top would be a syntax error, which a test looks for.
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
_REMARK = re.compile(r"^[ \t]*//.*\n|[ \t]+// [^\n\"`]*$", re.MULTILINE)
_CSS_REMARK = re.compile(r"/\*.*?\*/", re.DOTALL)
_INDENT = re.compile(r"^\s+", re.MULTILINE)


@cache
def built() -> dict[str, str]:
    """The files by the name that the phone asks for."""
    modules = (_EXPORT.sub("", _IMPORT.sub("", read(f"field/{name}.js"))) for name in MODULES)
    script = "".join([*(read(f"field/{name}.js") for name in PLAIN), *modules])
    style = "".join(map(read, STYLES))
    words = tomllib.loads(read("field/en.toml"))
    return {
        "app.js": without_comments(script),
        "app.css": _INDENT.sub("", _CSS_REMARK.sub("", style)),
        "mark.svg": read("mark.svg"),
        "en.json": json.dumps(words, ensure_ascii=False, separators=(",", ":")),
    }


def without_comments(script: str) -> str:
    """A script without what only people read. No text of ours goes over lines or holds `// `."""
    return _INDENT.sub("", _REMARK.sub("", script))


def read(name: str) -> str:
    """The text of a file below `static`."""
    return files("api.pages").joinpath("static", name).read_text(encoding="utf-8")
