"""Expressions, against the answers that JavaRosa (ODK Validate's jar, in the pyxform wheel) gave to the same words."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.forms.expressions import compile_condition, compile_expression, compile_value
from survey_forms.forms.operations import Node, Unreadable
from survey_forms.forms.scalars import Scalar, State, to_string

VALUES: dict[str, tuple[str, Scalar]] = {
    "num": ("number", 25.0),
    "none": ("number", ""),
    "dec": ("number", 2.5),
    "txt": ("string", "abc"),
    "blank": ("string", ""),
    "digits": ("string", "12"),
    "one": ("string", "a"),
    "many": ("string", "a b"),
    "day": ("date", date(2025, 3, 4)),
    "noday": ("date", ""),
    "hidden": ("number", ""),
}
NODES = {f"/data/g/{name}": Node(slot, kind) for slot, (name, (kind, _)) in enumerate(VALUES.items())}

ANSWERED_BY_JAVAROSA: dict[str, Scalar] = {
    "/data/g/num = 25": True,
    "/data/g/num = '25'": True,
    "/data/g/num = '025'": True,
    "/data/g/dec = '2.50'": True,
    "/data/g/none = ''": True,
    "/data/g/num = ''": False,
    "/data/g/none = 0": False,
    "/data/g/none < 1": False,
    "/data/g/none > -1": False,
    "/data/g/none + 1": math.nan,
    "/data/g/blank != ''": False,
    "/data/g/none != 5": True,
    "/data/g/txt = 'abc'": True,
    "/data/g/txt < 5": False,
    "/data/g/digits = 12": True,
    "/data/g/digits = '12.0'": False,
    "/data/g/digits + 1": 13.0,
    "/data/g/digits < 20": True,
    "/data/g/day = date('2025-03-04')": True,
    "/data/g/day < date('2025-03-05')": True,
    "/data/g/day - date('2025-03-01')": 3.0,
    "date('2025-03-04') - 1": 20150.0,
    "/data/g/noday = ''": True,
    "/data/g/noday < date('2025-03-05')": False,
    "0.1 + 0.2 = 0.3": True,
    "0.3 - 0.1 >= 0.2": False,
    "1 < 1.0000000000001": True,
    "2 = 2.0000000000001": True,
    "7 mod 3": 1.0,
    "-7 mod 3": -1.0,
    "7 mod -3": 1.0,
    "3 div 2": 1.5,
    "1 div 0": math.inf,
    "-1 div 0": -math.inf,
    "0 div 0": math.nan,
    "1 + 2 * 3": 7.0,
    "(1 + 2) * 3": 9.0,
    "10 - 2 - 3": 5.0,
    "-3 + 5": 2.0,
    "- - 3": 3.0,
    "2 * -3": -6.0,
    ".5 + 1": 1.5,
    "5. + 1": 6.0,
    "round(2.5)": 3.0,
    "round(-2.5)": -2.0,
    "round(2.45, 1)": 2.5,
    "int(-2.7)": -2.0,
    "int('x')": math.nan,
    "number('')": math.nan,
    "number(' 12 ')": 12.0,
    "number('1e3')": math.nan,
    "number('+5')": math.nan,
    "number('.5')": 0.5,
    "number(true())": 1.0,
    "number(/data/g/day)": 20151.0,
    "string(3.0)": "3",
    "string(2.50)": "2.5",
    "string(1000000)": "1000000",
    "string(/data/g/day)": "2025-03-04",
    "string(/data/g/none)": "",
    "string(1 div 0)": "Infinity",
    "string(0 div 0)": "NaN",
    "concat('a', 1, 2.5, /data/g/txt, /data/g/none)": "a12.5abc",
    "string-length('中文')": 2.0,
    "string-length('😀')": 2.0,
    "string-length(/data/g/num)": 2.0,
    "selected(/data/g/many, 'a')": True,
    "selected(/data/g/many, 'c')": False,
    "selected(/data/g/many, ' a ')": True,
    "selected(/data/g/blank, 'a')": False,
    "selected('', '')": True,
    "selected('a b', '')": False,
    "selected('a b', /data/g/one)": True,
    "count-selected(/data/g/many)": 2.0,
    "count-selected(/data/g/blank)": 0.0,
    "if(/data/g/num > 20, 'y', 'n')": "y",
    "coalesce(/data/g/blank, 'x')": "x",
    "coalesce(/data/g/txt, 'x')": "abc",
    "coalesce(/data/g/none, 7)": 7.0,
    "regex('abc', '^[a-c]+$')": True,
    "regex(/data/g/blank, '^$')": True,
    "regex(/data/g/num, '^[0-9]{2}$')": True,
    "contains('abcd', 'bc')": True,
    "starts-with('abcd', 'b')": False,
    "normalize-space('  a  b ')": "a b",
    "not(/data/g/num = 25)": False,
    "1 = 1 and 2 = 2 or 3 = 4": True,
    "1 = 2 or 1 = 1 and 1 = 2": False,
    "(3 > 2) = true()": True,
    "'1' = 1": True,
    "'a' = 1": False,
    "'' = 0": False,
    "sum(/data/g/num)": 25.0,
    "sum(/data/g/none)": 0.0,
    "count(/data/g/num)": 1.0,
    "count(/data/g/hidden)": 0.0,
    "min(3, 1, 2)": 1.0,
    "min(/data/g/none, 2)": 2.0,
    "max(/data/g/num, /data/g/dec)": 25.0,
    "today() > date('2020-01-01')": True,
    "../num + 1": 26.0,
    ". = ''": True,
}

REFUSED = {
    "not(/data/g/txt)": "expression_not_condition",
    "if(/data/g/txt, 1, 2)": "expression_not_condition",
    "/data/g/txt and 1 = 1": "expression_not_condition",
    "concat(1 = 1, 'a')": "expression_condition_as_value",
    "(1 = 1) + 1": "expression_condition_as_value",
    "true() = 'true'": "expression_condition_as_value",
    "/data/g/day = '2025-03-04'": "expression_date_as_text",
    "today() > '2020-01-01'": "expression_date_as_text",
    "date('2025-02-30')": "expression_date_wrong",
    "date(/data/g/txt)": "expression_literal_needed",
    "/data/g/txt < 'b'": "expression_order_of_words",
    "regex('xabcx', 'abc')": "expression_regex_ends",
    "regex(/data/g/txt, '^(a+)+$')": "expression_regex_slow",
    f"regex(/data/g/txt, '^{'a' * 300}$')": "expression_too_long",
    "regex(/data/g/txt, '^[$')": "expression_regex_wrong",
    "regex(/data/g/txt, /data/g/one)": "expression_literal_needed",
    "floor(2.5)": "expression_function_unknown",
    "jr:choice-name(/data/g/one, 'x')": "expression_function_unknown",
    "instance('x')": "expression_function_unknown",
    "3 div-1": "expression_unreadable",
    "selected('a')": "expression_arity",
    "coalesce('a', 'b', 'c')": "expression_arity",
    "selected(/data/g/day, 'a')": "expression_argument",
    "count(3)": "expression_node_needed",
    "/data/g/nobody = 1": "expression_name_unknown",
    "num = 1": "expression_bare_name",
    "1 == 1": "expression_operator",
    "1 = 1 && 2 = 2": "expression_operator",
    "1 =": "expression_unreadable",
    "": "expression_unreadable",
    "(1 = 1": "expression_unreadable",
    "concat('a',)": "expression_unreadable",
    "1 1": "expression_unreadable",
    "/data/g/*": "expression_symbol",
    "'open": "expression_symbol",
    "１ = 1": "expression_symbol",
    "(" * 100 + "1" + ")" * 100: "expression_too_long",
    "1" + " + 1" * 500: "expression_too_long",
}


def a_state() -> State:
    state = State(len(VALUES), date(2026, 11, 21))
    for slot, (name, (_, value)) in enumerate(VALUES.items()):
        state.values[slot] = value
        state.relevant[slot] = name != "hidden"
    return state


def worth(source: str) -> Scalar:
    return compile_expression(source, NODES, "/data/g/blank").run(a_state())


@pytest.mark.parametrize("source", ANSWERED_BY_JAVAROSA)
def test_an_expression_is_worth_what_javarosa_says(source):
    expected, got = ANSWERED_BY_JAVAROSA[source], worth(source)
    if isinstance(expected, float) and math.isnan(expected):
        assert isinstance(got, float)
        assert math.isnan(got)
    else:
        assert (type(got), got) == (type(expected), expected)


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_wrong_or_ambiguous_is_refused_by_name(source):
    with pytest.raises(Unreadable) as caught:
        compile_expression(source, NODES, "/data/g/blank")
    assert caught.value.code == REFUSED[source]


def test_a_condition_is_wanted_where_the_form_decides_and_never_kept_as_a_value():
    with pytest.raises(Unreadable) as no_condition:
        compile_condition("/data/g/num + 1", NODES, "/data/g/num")
    with pytest.raises(Unreadable) as no_value:
        compile_value("/data/g/num > 1", NODES, "/data/g/num")
    assert (no_condition.value.code, no_value.value.code) == (
        "expression_not_condition",
        "expression_condition_as_value",
    )


def test_an_expression_tells_which_questions_it_reads():
    compiled = compile_expression("if(/data/g/num > 1, /data/g/txt, today())", NODES, "/data/g/num")
    assert compiled.slots == {NODES["/data/g/num"].slot, NODES["/data/g/txt"].slot}


def test_text_of_a_number_never_has_an_exponent_in_everyday_sizes():
    assert [to_string(0.00001), to_string(12345678.5), to_string(1e11)] == ["0.00001", "12345678.5", "100000000000"]


@given(st.text(alphabet="()+-*=<>!,.'\" /0123456789abdegintxy_${}&|＝（", max_size=60))
def test_any_words_compile_or_are_refused_and_what_compiles_runs(source):
    try:
        compiled = compile_expression(source, NODES, "/data/g/num")
    except Unreadable:
        return
    assert isinstance(compiled.run(a_state()), float | str | bool | date)
