"""Patterns match whole texts as Java's and Python's engines do, in time that a hostile form cannot stretch."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.forms.regular import UnfitPattern, compile_pattern

PLAIN = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\W", r"\s", r"\.", "中", r"\u4e2d"])


def repeated(inner):
    times = st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "{0}"])
    return st.one_of(
        st.tuples(inner, times).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(inner, inner).map("|".join).map("({})".format),
        st.tuples(inner, inner).map("".join),
    )


@given(st.recursive(PLAIN, repeated, max_leaves=8), st.text("ab1 .中c\n", max_size=8))
def test_a_pattern_matches_the_texts_that_pythons_own_engine_matches(pattern, text):
    assert compile_pattern(f"^{pattern}$" if "|" not in pattern else f"^({pattern})$")(text) == bool(
        re.fullmatch(pattern, text, re.ASCII)
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[\u4e00-\u9fa5]{2,4}$", "张三"),
        ("^1[3-9][0-9]{9}$", "13800138000"),
        (r"^[1-9]\d{16}[\dXx]$", "11010519491231002X"),
        ("^a$|^b{2,}$", "bbb"),
        (r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", "a.b@example.com"),
        ("^$", ""),
        (r"^[^\]\\-]+$", "abc"),
        (r"^\x41[+\-]$", "A-"),
    ],
)
def test_patterns_of_everyday_match_what_they_are_for(pattern, text):
    fits = compile_pattern(pattern)
    assert fits(text)
    assert fits(text)
    assert not fits(text + "]")


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("abc", "ends"),
        ("^abc", "ends"),
        ("^a|b$", "ends"),
        ("^a$|b", "ends"),
        ("", "ends"),
        ("^(a$", "wrong"),
        ("^a(?=b)b$", "feature"),
        ("^(?<n>a)$", "feature"),
        (r"^(a)\1$", "feature"),
        (r"^\p{L}+$", "feature"),
        ("^[a-z&&[^b]]+$", "feature"),
        ("^[a[b]]$", "feature"),
        ("^a++$", "wrong"),
        ("^(?i)a$", "feature"),
        (r"^a\Z$", "feature"),
        ("^a**$", "wrong"),
        ("^(a$|", "ends"),
        ("^(a", "ends"),
        ("^a)$", "wrong"),
        ("^[a$", "wrong"),
        ("^[]$", "wrong"),
        ("^[b-a]$", "wrong"),
        ("^a{2,1}$", "long"),
        ("^a{x}$", "wrong"),
        ("^a{9999}$", "long"),
        ("^((a{30}){30}){30}$", "long"),
        (f"^{'(' * 140}a{')' * 140}$x", "ends"),
        (f"^{'a' * 400}$", "long"),
        ("^\\", "ends"),
        (r"^\u4e$", "feature"),
    ],
)
def test_what_is_not_here_or_is_wrong_is_refused_by_its_kind(pattern, kind):
    with pytest.raises(UnfitPattern) as caught:
        compile_pattern(pattern)
    assert caught.value.code == f"expression_regex_{kind}"


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^.*.*.*.*.*.*x$", "^(.*)*$", "^(a?){30}a{30}$", "^([a-z]*)*$"]
)
def test_no_pattern_makes_a_long_text_slow(pattern):
    fits = compile_pattern(pattern)
    hostile = ["a" * 2_000 + "!", "".join(chr(0x4E00 + n) for n in range(2_000)), "ab" * 1_000]
    start = time.process_time()
    for text in hostile:
        fits(text)
    assert time.process_time() - start < 1.0


@given(st.text("^$()[]{}|*+?\\.ab-&1,中", max_size=20))
def test_any_words_are_a_pattern_or_are_refused(written):
    try:
        fits = compile_pattern(f"^{written}$")
    except UnfitPattern:
        return
    fits("ab1中" * 5)
