"""docs/adding_a_scheme.md cannot lie: its example loads, scores and explains itself, its tables are the vocabulary."""

import re
from dataclasses import fields
from typing import get_args

import pytest

from survey_forms.refusal import Refused
from survey_forms.scheme.components import LeftOutKind
from survey_forms.scheme.explain import explain
from survey_forms.scheme.load import read_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.compute import score_by
from tests.documents.county import INPUT, OUTPUT, PAGE, SCHEME

PLAIN_KEYS = {"id", "zh", "en", "where", None}  # of the file itself; every other key is a table


def test_the_example_gives_the_figures_that_the_page_prints():
    found = score_by(read_scheme(SCHEME.encode()), INPUT)
    del found["scheme_digest"]  # changes with every letter of the example
    assert found == OUTPUT


def test_the_example_explains_itself_in_both_languages():
    scheme = read_scheme(SCHEME.encode())
    tables = [*scheme.components, *scheme.left_out, *scheme.aspects, *scheme.bindings, *scheme.consequences]
    named = [*scheme.grades, *scheme.prizes]
    chinese, english = explain(scheme, None, "zh"), explain(scheme, None, "en")
    assert all(entry.zh in chinese and entry.en in english for entry in tables)
    assert all(entry.name in chinese and entry.en in english for entry in named)


def test_the_example_is_checked_like_any_other():
    with pytest.raises(Refused) as refused:
        read_scheme(SCHEME.replace('weight = "70"', 'weight = "71"').replace('article = "第八条"\n', "", 1).encode())
    assert {fault.path for fault in refused.value.faults} == {
        "composite.weight[township]",
        "composite.weight[bureau]",
        "component[9].cap",
    }


def test_the_page_names_every_table_and_no_other():
    known = {entry.metadata.get("toml", entry.name) for entry in fields(Scheme)} - PLAIN_KEYS
    (tables,) = re.findall(r"## The tables\n(.*?)\n### ", PAGE, re.DOTALL)
    named = {name.split(".")[0] for name in re.findall(r"\[\[?([a-z_.]+)\]\]?", tables)}
    assert named == known


def test_the_page_names_every_kind_of_left_out_value():
    (kinds,) = re.findall(r"### What is left out\n(.*?)\n## ", PAGE, re.DOTALL)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", kinds, re.MULTILINE)) == set(get_args(LeftOutKind))
