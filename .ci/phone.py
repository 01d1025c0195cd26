# ruff: noqa: INP001 - run by its path; no package
"""Make what the phone loads (`make phone`): `static/field` → `static/phone`, each file plain and as Brotli.

For developers alone: it wants node and npm. The modules are written as modules and sent as one file: compressed each
alone they weigh half as much again, and fourteen requests are fourteen chances to fail. They import each other by name
alone, so putting them after each other is all there is to it; a name that two of them give at their top is a syntax
error, of which terser says nothing: node is asked. Whatever is made here is made again from the same sources to the
same byte.
"""

import json
import re
import subprocess
import tomllib
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment

from api.pages.phone_bundle import KEPT, NO_VERSION, SCOPE

TERSER = "terser@5.51.2"
SMALL = ("--compress", "passes=3,ecma=2017", "--mangle", "--toplevel", "--ecma", "2017")
PLAIN = ("logic", "checklist")  # scripts that know no modules, tried alone by tests/pages/test_checklist*.py
MODULES = ("words", "store", "chain", "sync", "place", "parts", "today", "visit", "finding", "sign", "queue", "main")
STYLES = ("tokens.css", "field/app.css", "field/checklist.css")
BROTLI = """
const { brotliCompressSync, constants: c } = require('zlib');
const bytes = require('fs').readFileSync(0);
const params = { [c.BROTLI_PARAM_QUALITY]: 11, [c.BROTLI_PARAM_LGWIN]: 22, [c.BROTLI_PARAM_SIZE_HINT]: bytes.length };
process.stdout.write(brotliCompressSync(bytes, { params }));
"""

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "api/pages/static"
SHELL = ROOT / "api/pages/templates/inspector/phone.html"
INTO = STATIC / "phone"

_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_CSS_REMARK = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_BLANK = re.compile(r"\s*([{};,])\s*|(?<=:)\s+|\s+(?=!)")
_PROPERTY = re.compile(r"(--[\w-]+):[^;}]*;")


def main() -> None:
    """Write every file, and beside them what they were made of."""
    checklists = terser("".join(read(f"field/{name}.js") for name in PLAIN))
    modules = terser("".join(_EXPORT.sub("", _IMPORT.sub("", read(f"field/{name}.js"))) for name in MODULES))
    words = tomllib.loads(read("field/en.toml"))
    texts = {
        "app.js": checklists + modules,
        "app.css": tidied("".join(map(read, STYLES))),
        "mark.svg": read("mark.svg").strip(),
        "en.json": json.dumps(words, ensure_ascii=False, separators=(",", ":")),
        "index.html": shell(),
        "sw.js": worker(),
    }
    version = sha256("\0".join(texts[name] for name in sorted(texts)).encode()).hexdigest()[:12]
    INTO.mkdir(exist_ok=True)
    for old in INTO.iterdir():
        old.unlink()
    for name, nameless in texts.items():
        text = nameless.replace(NO_VERSION, version)
        (INTO / name).write_bytes(text.encode())
        (INTO / f"{name}.br").write_bytes(piped(["node", "-e", BROTLI], text))
    facts = {
        "version": version,
        "checklists": len(checklists),
        "sources": {str(path.relative_to(ROOT)): digest(path) for path in sources()},
        "files": {path.name: digest(path) for path in sorted(INTO.iterdir())},
    }
    (INTO / "made.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def sources() -> list[Path]:
    """Whatever the files are made of, this recipe included."""
    return sorted([*(STATIC / "field").iterdir(), STATIC / "tokens.css", STATIC / "mark.svg", SHELL, Path(__file__)])


def shell() -> str:
    """The page, from its template."""
    template = Environment(autoescape=True).from_string(SHELL.read_text(encoding="utf-8"))
    return "".join(map(str.strip, template.render(base=f"{SCOPE}{NO_VERSION}").splitlines()))


def worker() -> str:
    """The service worker, told the version and the files that it keeps."""
    names = [f"{SCOPE}{NO_VERSION}/{name}" for name in KEPT]
    facts = f"const VERSION={json.dumps(NO_VERSION)};const FILES={json.dumps(names)};"
    return terser(facts + read("field/sw.js"))


def terser(script: str) -> str:
    """A script with short names and without what nobody needs; one that node cannot read ends everything."""
    piped(["node", "--input-type=module", "--check", "-"], script)
    return piped(["npx", "--yes", TERSER, *SMALL], script).decode().strip()


def tidied(style: str) -> str:
    """A stylesheet without comments, needless blanks, and properties of the design system that nothing here uses."""
    style = _CSS_BLANK.sub(lambda found: found[1] or "", _CSS_REMARK.sub("", style))
    return _PROPERTY.sub(lambda found: found[0] if f"var({found[1]}" in style else "", style)


def piped(command: list[str], text: str) -> bytes:
    """What a tool makes of a text."""
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True, timeout=120)  # noqa: S603 - ours
    return done.stdout


def digest(path: Path) -> str:
    """The SHA-256 of a file in hex."""
    return sha256(path.read_bytes()).hexdigest()


def read(name: str) -> str:
    """The text of a file below `static`."""
    return (STATIC / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
