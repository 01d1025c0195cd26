"""Checklists on the phone: the same form, worked out by `logic.js` and by the server, and asked by `checklist.js`."""

import gzip
import math
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.pages.phone_bundle import made, read
from survey_forms.forms.expressions import compile_expression
from survey_forms.forms.operations import Node, Unreadable
from survey_forms.forms.portable import FUNCTIONS, OPERATORS, expression_for_phones, missing_from_phones
from survey_forms.forms.portable_patterns import pattern_for_browsers
from survey_forms.forms.regular import UnfitPattern, compile_pattern
from survey_forms.forms.scalars import State
from survey_forms.forms.workbook import convert_workbook
from tests.checklists import FIELD, MADE, by_phone, by_server, compiled, hall, random_answers
from tests.javarosa.books import as_xlsx
from tests.javarosa.submissions import TODAY

pytestmark = pytest.mark.browser

SUBMISSIONS = 300
MOST_BYTES = 6 * 1024


@pytest.fixture(scope="module")
def logic(browser):
    """A page that has the phone's logic and nothing else."""
    page = browser.new_page()
    page.add_script_tag(content=read("app.js").decode()[: made().checklists])  # as it is sent
    yield page
    page.close()


@pytest.mark.parametrize("make", [*MADE, hall], ids=lambda make: make.__name__)
def test_the_phone_finds_what_the_server_finds(logic, make):
    book = make()
    xform = convert_workbook(book if isinstance(book, bytes) else as_xlsx(book)).xform
    form = compiled(book)
    many = random_answers(form, xform, f"phone/{make.__name__}", SUBMISSIONS)
    expected = [by_server(form, answers) for answers in many]
    differing = [
        (answers, ours, theirs)
        for answers, ours, theirs in zip(many, expected, by_phone(logic, form, many), strict=True)
        if ours != theirs
    ]
    assert differing[:1] == []
    # the comparison has something to compare: some are asked less than all, some are right and some are wrong
    assert any(not all(one["shown"].values()) for one in expected) or make.__name__ in {"functions", "patterns"}
    assert 0 < sum(bool(one["faults"]) for one in expected) < SUBMISSIONS


# Random expressions, of kinds that the compiler takes, over random values; many for each visit to the browser.

_LEAVES = {
    "n": st.sampled_from(
        ["${n}", "${m}", "0", "1", "2.5", "0.1", "10", "100", "0.005", "123456789", "-(3)", "(1 div 3)"]
    ),
    "s": st.sampled_from(["${s}", "${t}", "''", "'a'", "'12'", "'a b'", "' 7 '", "'好'", "'𠮷'", "'a  b'", "'-0.50'"]),
    "d": st.sampled_from(["${d}", "${e}", "today()", "date('2024-02-29')"]),
    "b": st.sampled_from(["true()", "false()", "${s} = ''", "${n} != ''", "${d} != ''"]),
}
_GROWN = {
    "n": (
        *("$n + $n", "$n - $n", "$n * $n", "($n) div ($n)", "($n) mod ($n)", "-($n)", "$d - $d", "$d + $n"),
        *(
            "round($n)",
            "round($n, 2)",
            "round($n, -1)",
            "round($n, $n)",
            "int($n)",
            "abs($n)",
            "number($s)",
            "number($d)",
        ),
        *("number($b)", "coalesce($n, $n)", "if($b, $n, $n)", "string-length($s)", "count-selected($s)", "min($n, $n)"),
        *("max($n, $n, $n)", "min(${n})", "max(${m})", "sum(${n})", "count(${s})", "count-non-empty(${t})"),
    ),
    "s": (
        *("concat($s, $s)", "concat($n, $d)", "join($s, $n, $s)", "selected-at($s, $n)", "normalize-space($s)"),
        *("coalesce($s, $s)", "if($b, $s, $s)", "string($n)", "string($d)", "concat(${t})", "if($b, $n, $s)"),
    ),
    "d": ("date($d + $n)", "date($s)", "date($n)", "coalesce($d, $d)", "if($b, $d, $d)"),
    "b": (
        *("$n = $n", "$n != $n", "$n < $n", "$n <= $n", "$n > $n", "$n >= $n", "$s = $s", "$s != $n", "$d = $d"),
        *("$d < $d", "$d >= $n", "($b and $b)", "($b or $b)", "not($b)", "$b = $b", "selected($s, $s)"),
        *("contains($s, $s)", "starts-with($s, $s)", "ends-with($n, $s)", "is-selected($s, $s)"),
        *("checklist($n, $n, $b, $b)", "regex($s, '^[a-z ]*$')", r"regex($s, '^-?\d+(?:\.\d{1,3})?$')"),
    ),
}
_SLOTS = {
    "n": ("number", 0),
    "m": ("number", 1),
    "s": ("string", 2),
    "t": ("string", 3),
    "d": ("date", 4),
    "e": ("date", 5),
}
_NODES = {f"/data/{name}": Node(slot, kind) for name, (kind, slot) in _SLOTS.items()}


@st.composite
def an_expression(draw, kind, deep):
    if deep == 0 or draw(st.integers(0, 5)) == 0:
        return draw(_LEAVES[kind])
    pattern, said = draw(st.sampled_from(_GROWN[kind])), ""
    while "$" in pattern:
        before, _, pattern = pattern.partition("$")
        said += before
        if pattern[:1] in _LEAVES:
            said, pattern = said + draw(an_expression(pattern[0], deep - 1)), pattern[1:]
        else:
            said += "$"
    return said + pattern


_NUMBERS = st.one_of(
    st.just(""), st.integers(-50, 2_000).map(float), st.floats(-1e6, 1e6).map(lambda one: round(one, 6) + 0.0)
)
_TEXTS = st.one_of(
    st.sampled_from(["", "a", "b a", "12", "3.50", "好 b", " a", "𠮷a"]), st.text("ab 1.-,好𠮷\t", max_size=8)
)
_DAYS = st.one_of(st.just(""), st.dates(date(1900, 1, 1), date(2100, 12, 31)))
_VALUES = st.tuples(_NUMBERS, _NUMBERS, _TEXTS, _TEXTS, _DAYS, _DAYS)
_CASES = st.lists(
    st.tuples(st.sampled_from("nsdb").flatmap(lambda kind: an_expression(kind, 3)), _VALUES), min_size=40, max_size=40
)

_RUN = """(cases) => cases.map(([tree, sent, asked]) => {
  const [today, ...values] = sent.map((one) => (one.day === undefined ? one.is : one));
  const worth = McLogic.run(tree, { values, asked, today });
  return typeof worth === "object" ? ["day", worth.day] : [typeof worth, worth];
})"""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_CASES)
def test_any_expression_is_worth_the_same_on_both_sides(logic, cases):
    sent, expected = [], []
    for written, values in cases:
        try:
            whole = compile_expression(written.replace("${", "/data/").replace("}", ""), _NODES, "/data/n")
        except Unreadable:  # a use that authors are refused
            continue
        if missing_from_phones(whole.tree):
            continue
        state = State(len(_SLOTS), TODAY)
        state.values[:], state.relevant[:] = list(values), [value != "" for value in values]
        expected.append((written, values, _told(whole.run(state))))
        sent.append([expression_for_phones(whole.tree), [*map(_as_sent, (TODAY, *values))], state.relevant])
    for (written, values, ours), theirs in zip(expected, logic.evaluate(_RUN, sent), strict=True):
        assert _spelled(theirs) == _spelled(ours), (written, values)


def _as_sent(value):
    return {"day": (value - date(1970, 1, 1)).days} if isinstance(value, date) else {"is": value}


def _told(value):
    if isinstance(value, date):
        return ["day", (value - date(1970, 1, 1)).days]
    return [{bool: "boolean", float: "number", str: "string"}[type(value)], value]


def _spelled(told):
    kind, value = told
    return (kind, "NaN" if kind == "number" and math.isnan(value) else float(value) if kind == "number" else value)


_PIECES = st.sampled_from(
    [
        "a",
        "b",
        ".",
        "[ab]",
        "[^a]",
        r"[\da-c]",
        r"\d",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        r"\.",
        "中",
        r"\u4e2d",
        r"\-",
        "]",
        "}",
    ]
)
_TIMES = st.sampled_from(["", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"])


def _repeated(inner):
    return st.one_of(
        st.tuples(inner, _TIMES).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(inner, _TIMES).map("".join),
        st.tuples(inner, inner).map("|".join).map("({})".format),
        st.tuples(inner, inner).map("".join),
    )


_FITS = "(cases) => cases.map(([pattern, text]) => McLogic.run(['regex', text, pattern], {}))"
_TEXT_OF_PATTERNS = st.text("ab1 .中\n\r\u2028-]}\u00a0é", max_size=8)
_PATTERN_CASES = st.lists(
    st.tuples(st.recursive(_PIECES, _repeated, max_leaves=6), _TEXT_OF_PATTERNS), min_size=40, max_size=40
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(_PATTERN_CASES)
def test_a_pattern_fits_the_same_texts_on_both_sides(logic, cases):
    written = [(f"^(?:{pattern})$", text) for pattern, text in cases]
    carried = [(one, said, text) for one, text in written if (said := _for_browsers(one)) is not None]
    fits = logic.evaluate(_FITS, [[said, text] for _, said, text in carried])
    assert [(one, text, compile_pattern(one)(text)) for one, _, text in carried] == [
        (one, text, fit) for (one, _, text), fit in zip(carried, fits, strict=True)
    ]


def _for_browsers(written):
    try:
        compile_pattern(written)
    except UnfitPattern:
        return None
    return pattern_for_browsers(written)


def test_the_phone_has_what_the_server_believes_it_has(logic):
    inner = {"any asked", "is"}
    assert set(logic.evaluate("McLogic.names")) == OPERATORS | FUNCTIONS | inner


def test_both_scripts_together_are_light_and_of_an_age_that_old_phones_read():
    scripts = [(FIELD / name).read_text(encoding="utf-8") for name in ("logic.js", "checklist.js")]
    assert len(gzip.compress("".join(scripts).encode(), 9)) <= MOST_BYTES
    for script in scripts:
        for younger in (
            "?.",
            "??",
            "catch {",
            "...{",
            "flatMap",
            "fromEntries",
            "matchAll",
            "replaceAll",
            "(?<",
            "BigInt",
        ):
            assert younger not in script
        assert "innerHTML" not in script
