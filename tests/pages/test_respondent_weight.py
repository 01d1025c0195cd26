"""What a respondent's page weighs, and that it is all there is: one request, no foreign host, script of 2009."""

import gzip
import re
import sys
from pathlib import Path

import pytest

from api.pages.respondent_shown import MOST_BUTTONS
from tests.builders import a_grid_book, a_survey, some_codes, the_book
from tests.rules.books import a_book, a_row

AIM, LIMIT = 10_000, 14_000
STATIC = Path("api/pages/static")
ES2015 = {
    "let or const": r"\b(let|const)\s",
    "arrow": r"=>",
    "template": r"`",
    "class": r"\bclass\s+\w+",
    "for of": r"\bof\s+\w+\)",
    "spread": r"\.\.\.",
    "async": r"\b(async|await)\b",
    "optional": r"\?\.(?!\d)|\?\?",
    "default parameter": r"function\s*\w*\([^)]*=",
    "shorthand or computed": r"\{\s*\[",
    "trailing comma in a call": r",\s*\)",
    "exponent": r"\*\*",
    "modules": r"\b(import|export)\s",
}


def walk(app, engine, pepper, book, name):
    """Every page of a form, answered with the first choice; yields (name, response)."""
    with engine.begin() as connection:
        survey = a_survey(connection, book, code=name, simulated=True)
        (code,) = some_codes(connection, survey, 1, pepper)
    client = app.test_client()
    client.set_cookie("mc_lang", "zh")
    headers = {"Accept-Encoding": "gzip"}

    def ask(**data):
        return client.post("/survey", data=data, headers=headers)

    yield f"{name}: entry", client.get("/", headers=headers)
    yield f"{name}: refused", client.post("/survey", data={"do": "enter", "code": "x"}, headers=headers)
    yield f"{name}: notice", ask(do="enter", code=code)
    page = ask(do="begin")
    while 'name="at"' in (shown := text_of(page)):
        sheet = dict(re.findall(r'type="hidden" name="(at|upto)" value="([^"]*)"', shown))
        yield f"{name}: page {sheet['at']}", page
        yield f"{name}: page {sheet['at']} with errors", ask(do="next", **sheet)
        page = ask(do="next", **sheet, **answers(shown))
    yield f"{name}: summary", page
    receipt = re.search(r'name="receipt" value="(\w+)"', text_of(page))[1]
    yield f"{name}: receipt", ask(do="send", receipt=receipt)


def answers(page: str) -> dict[str, str]:
    first = dict(reversed(re.findall(r'type="(?:radio|checkbox)" name="(\w+)" value="(\w+)"', page)))
    numbers = dict.fromkeys(re.findall(r'id="(\w+)" name="\1" value="[^"]*" inputmode', page), "5")
    lists = dict.fromkeys(re.findall(r'<select class="box" id="(\w+)"', page), "c1")
    return {**first, **numbers, **lists}


def text_of(response) -> str:
    body = response.data
    return (gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body).decode()


def test_every_page_fits_the_budget_and_asks_for_nothing_more(app, engine, settings, capsys):
    pages = []
    for name in ("residents", "deputies", "service_recipients"):
        pages += walk(app, engine, settings.pepper, the_book(name), name)
    for units in (60, 90):
        pages += walk(app, engine, settings.pepper, a_grid_book(units, units), f"{units} units")
    weights = {name: len(response.data) for name, response in pages}
    with capsys.disabled():
        lines = (f"  {weight:6}  {name}\n" for name, weight in weights.items())
        sys.stdout.write("\nbytes on the wire, gzip:\n" + "".join(lines))
    over = {name: weight for name, weight in weights.items() if weight > LIMIT}
    assert over == {}
    assert {name: weight for name, weight in weights.items() if weight > AIM} == {}
    for name, response in pages:
        assert response.headers["Content-Encoding"] == "gzip", name
        assert "Accept-Encoding" in response.headers["Vary"], name
        page = text_of(response)
        assert re.findall(r"https?://", page) == [], name
        assert re.findall(r'<(?:img|iframe|object|embed|video|audio)\b|<script src|rel="stylesheet"|url\(', page) == []
        assert re.findall(r'<link rel="(?!icon")|\sstyle="|\son\w+="', page) == [], name


def test_a_phone_that_takes_no_gzip_gets_plain_pages(app):
    page = app.test_client().get("/", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in page.headers
    assert page.text.startswith("<!doctype html>")


def test_static_files_are_compressed_and_still_answer_not_modified(app):
    client = app.test_client()
    with client.get("/static/tokens.css", headers={"Accept-Encoding": "gzip"}) as first:
        assert first.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(first.data) == (STATIC / "tokens.css").read_bytes()
    headers = {"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]}
    with client.get("/static/tokens.css", headers=headers) as again:
        assert (again.status_code, again.data) == (304, b"")


def test_staff_pages_are_never_compressed(app):
    """A form token beside words of others could be guessed from a compressed length (BREACH)."""
    page = app.test_client().get("/login", headers={"Accept-Encoding": "gzip"})
    assert len(page.data) > 1024
    assert "Content-Encoding" not in page.headers


def test_a_long_list_of_choices_is_a_drop_down_list(app, engine, settings):
    choices = [("units", f"c{at}", f"市第{at}号局", None) for at in range(MOST_BUTTONS + 1)]
    book = a_book(a_row("select_one units", "unit", required="yes"), choices=choices)
    pages = dict(walk(app, engine, settings.pepper, book, "list"))
    assert "<select" in text_of(pages["list: page 1"])
    assert "市第1号局" in text_of(pages["list: summary"])


def test_the_script_is_es5_and_small():
    script = (STATIC / "respondent.js").read_text(encoding="utf-8")
    assert len(script.encode()) <= 2000
    bare = re.sub(r"/\*.*?\*/|'(?:\\.|[^'\\])*'", "''", script, flags=re.DOTALL)
    assert {name for name, pattern in ES2015.items() if re.search(pattern, bare)} == set()


@pytest.mark.parametrize(
    "newer",
    ["let a", "() => 1", "`a`", "f(...a)", "a?.b", "a ?? b", "async function f(){}", "function f(a=1){}", "f(a, )"],
)
def test_the_check_for_es5_can_fail(newer):
    assert any(re.search(pattern, newer) for pattern in ES2015.values())
