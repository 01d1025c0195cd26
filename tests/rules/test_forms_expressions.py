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
    "1 div -(0)": -math.inf,
    "-1 div -(0)": math.inf,
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
    "/data/g/day = '2025-03-04'": True,
    "/data/g/day != '2025-03-05'": True,
    "date('2025-3-4') = /data/g/day": True,
    "date('') = ''": True,
    "date(0 div 0) = ''": False,
    "concat(date(0 div 0), 'x')": "NaNx",
    "coalesce(date(0 div 0), date('2025-03-05')) = date('2025-03-05')": True,
    "format-date(date(0 div 0), '%Y')": "",
    "date(20151.7) = /data/g/day": True,
    "date(date('2025-03-04') + 1) = date('2025-03-05')": True,
    "format-date(/data/g/day, '%Y-%m-%d')": "2025-03-04",
    "format-date(/data/g/day, '%y %n %e %H:%M:%S %h %3 %%')": "25 3 4 00:00:00 0 000 %",
    "format-date('2025-03-04', '%Y年%n月%e日')": "2025年3月4日",
    "format-date('', '%Y')": "",
    "format-date(20151, '%Y-%m-%d')": "2025-03-04",
    "format-date-time(/data/g/day, '%Y-%m-%d %H:%M:%S')": "2025-03-04 00:00:00",
    "boolean-from-string('TRUE')": True,
    "boolean-from-string('1')": True,
    "boolean-from-string(1)": True,
    "boolean-from-string('yes')": False,
    "substr('abcdef', 1)": "bcdef",
    "substr('abcdef', 1, 3)": "bc",
    "substr('abcdef', -2)": "ef",
    "substr('abcdef', 0, -2)": "abcd",
    "substr('abcdef', 'x', 3)": "abc",
    "substr('中文字', 1, 2)": "文",
    "substr(/data/g/day, 0, 4)": "2025",
    "substring-before('a-b-c', '-')": "a",
    "substring-before('abc', 'x')": "",
    "substring-before('abc', '')": "",
    "substring-after('a-b-c', '-')": "b-c",
    "substring-after('abc', '')": "abc",
    "substring-after('abc', 'x')": "",
    "translate('abcabc', 'ab', 'x')": "xcxc",
    "ends-with('abc', 'c')": True,
    "ends-with('abc', '')": True,
    "string-length()": 0.0,
    "normalize-space()": "",
    "normalize-space('a　b ')": "a　b",
    "selected-at('a b c', 1)": "b",
    "selected-at('a b c', 3)": "",
    "selected-at('a b c', -1)": "",
    "selected-at('', 0)": "",
    "selected-at('a b', 'x')": "a",
    "selected-at('a b', 0.7)": "a",
    "is-selected('a b', 'a')": True,
    "checklist(1, 2, true(), false(), true())": True,
    "checklist(-1, 1, true(), true())": False,
    "weighted-checklist(1, 5, true(), 2, false(), 9)": True,
    "weighted-checklist(-1, 5, true(), 2, true(), 9)": False,
    "pow(2, 10)": 1024.0,
    "pow(2, -1)": 0.5,
    "pow(0, 0)": 1.0,
    "pow(-8, 1 div 3)": math.nan,
    "pow('2', '3')": 8.0,
    "pow(1, 'x')": math.nan,
    "pow(-1, 1 div 0)": math.nan,
    "pow('x', 0)": 1.0,
    "abs(-2.5)": 2.5,
    "abs('')": math.nan,
    "sqrt(2)": 1.4142135623730951,
    "sqrt(-1)": math.nan,
    "log(0)": -math.inf,
    "log(10)": 2.302585092994046,
    "log(-1)": math.nan,
    "log10(1000)": 3.0,
    "exp(1000)": math.inf,
    "exp10(2)": 100.0,
    "pi()": math.pi,
    "sin(1)": 0.8414709848078965,
    "cos(1)": 0.5403023058681398,
    "tan(1)": 1.5574077246549023,
    "asin(2)": math.nan,
    "asin(0.5)": 0.5235987755982989,
    "acos(0.5)": 1.0471975511965979,
    "atan2(1, -1)": 2.356194490192345,
    "int(2.9)": 2.0,
    "int('')": math.nan,
    "number('1,5')": 1.5,
    "number('1-2')": math.nan,
    "number('.')": math.nan,
    "number('5.')": 5.0,
    "string(0.1 + 0.2)": "0.30000000000000004",
    "string(1 div 3)": "0.3333333333333333",
    "string(10000000 div 3)": "3333333.3333333335",
    "string(0.1 * 3 * 10)": "3",
    "string(1 - 0.9 - 0.1)": "0",
    "string(3 - 0.0000000000001)": "2.9999999999999",
    "string(1 div 10000000000000000000)": "0",
    "string(0.000012345678901234567)": "0.000012345678901234568",
    "string(-0.0000001)": "-0.0000001",
    "string(1000000000000000 + 1)": "1000000000000001",
    "round(-2.51)": -3.0,
    "round(2.345, 2)": 2.35,
    "round(1.005, 2)": 1.01,
    "round(-1.005, 2)": -1.0,
    "round(1234, -2)": 1200.0,
    "round(1250, -2)": 1300.0,
    "round(-1250, -2)": -1200.0,
    "round(-1251, -2)": -1200.0,
    "round(1.5, 31)": math.nan,
    "round('')": math.nan,
    "min('', 3)": 3.0,
    "min('')": math.nan,
    "min(5, '3')": 3.0,
    "max('a')": math.nan,
    "join(',', 'a', 1, '')": "a,1,",
    "join(',', /data/g/none)": "",
    "coalesce('', 'b')": "b",
    "coalesce(0 div 0, 'b')": "b",
    "count-non-empty(/data/g/none)": 0.0,
    "count-non-empty(/data/g/num)": 1.0,
    "current()/../num + 1": 26.0,
    "current() = ''": True,
    "./../num": 25.0,
    "../../g/num": 25.0,
    "regex('a1', '^\\w\\d$')": True,
    "regex('é', '^\\w$')": False,
    "'2' * '3'": 6.0,
    "-5 mod 3": -2.0,
    "3 * 4 - -2": 14.0,
    "if('a' = 'and', 1, 2)": 2.0,
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
    "/data/g/day = '2025-3-4'": "expression_date_as_text",
    "today() > '2020-01-01'": "expression_date_as_text",
    "date('2025-02-30')": "expression_date_wrong",
    "format-date(/data/g/day, /data/g/txt)": "expression_literal_needed",
    "format-date(/data/g/day, '%B')": "expression_date_format",
    "format-date(/data/g/day, '%')": "expression_date_format",
    "/data/g/txt < 'b'": "expression_order_of_words",
    "regex('xabcx', 'abc')": "expression_regex_ends",
    "regex(/data/g/txt, '^(a)\\1$')": "expression_regex_feature",
    f"regex(/data/g/txt, '^{'a' * 300}$')": "expression_regex_long",
    "regex(/data/g/txt, '^[$')": "expression_regex_wrong",
    "regex(/data/g/txt, /data/g/one)": "expression_literal_needed",
    "floor(2.5)": "expression_function_unknown",
    "jr:choice-name(/data/g/one, 'x')": "expression_choice_name",
    "instance('x')": "expression_list_unknown",
    "instance(/data/g/txt)": "expression_list_unknown",
    "/data/g/num[1]": "expression_predicate",
    "now()": "expression_function_refused",
    "random()": "expression_function_refused",
    "uuid()": "expression_function_refused",
    "digest('a', 'MD5')": "expression_function_refused",
    "base64-decode('YQ==')": "expression_function_refused",
    "pulldata('f', 'a', 'b', 'c')": "expression_function_refused",
    "property('deviceid')": "expression_function_refused",
    "distance(/data/g/txt)": "expression_function_refused",
    "date-time('2025-03-04')": "expression_function_refused",
    "decimal-date-time(today())": "expression_function_refused",
    "boolean(/data/g/txt)": "expression_not_condition",
    "checklist(1, 2, /data/g/num)": "expression_not_condition",
    "weighted-checklist(1, 2, true())": "expression_arity",
    "position(..)": "expression_name_unknown",
    "position(/data/g/num)": "expression_position",
    "indexed-repeat(/data/g/num, /data/g/txt, 1)": "expression_node_needed",
    "sum('3')": "expression_node_needed",
    "//num": "expression_symbol",
    "@id": "expression_symbol",
    "/data/g/num | /data/g/txt": "expression_symbol",
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


@given(st.text(alphabet="()+-*=<>!,.'\" /0123456789abdegintxy_${}&|＝（[]", max_size=60))
def test_any_words_compile_or_are_refused_and_what_compiles_runs(source):
    try:
        compiled = compile_expression(source, NODES, "/data/g/num")
    except Unreadable:
        return
    assert isinstance(compiled.run(a_state()), float | str | bool | date)
