"""Input that means harm, or went through the wrong program: told briefly, printably, quickly."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from api.problems import say
from survey_forms.refusal import Fault, Refused
from survey_forms.scoring.compute import score
from survey_forms.scoring.exchange import parse_document
from survey_forms.scoring.intake import MOST_FAULTS
from survey_forms.scoring.ledger import Entry, standing
from tests.documents.examples import NAMES, an_input, changed

UNPRINTABLE = ["\x00", "\x1b[31m", "\ud800", "\u200b", "x" * 5000]


def faults(document: Any) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        score(document)
    return list(refused.value.faults)


@pytest.mark.parametrize("text", UNPRINTABLE)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bailian", "scheme"),
        ("bailian", "units/0/id"),
        ("bailian", "units/0/deductions/0/aspect"),
        ("xiamen-wf-2015", "units/0/deductions/2/reverses"),
        ("xiamen-wf-2015", "units/0/deductions/0/id"),
        ("xiamen-wf-2015", "units/5/binding/0"),
        ("fangshan-2017", "units/5/id"),
        ("fangshan-2017", "units/0/class"),
        ("yanghe", "supplied/grades/0/0"),
        ("jinfeng", "supplied/binding_indicators/work_safety"),
    ],
)
def test_no_sentence_repeats_what_a_terminal_or_a_page_cannot_show(name: str, path: str, text: str):
    for fault in faults(changed(an_input(name), path, text)):
        for sentence in say(fault, "zh"), say(fault, "en"):
            assert sentence.isprintable()
            assert len(sentence) < 1000


@pytest.mark.parametrize("text", UNPRINTABLE)
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("fangshan-2017", "supplied/weights.{}"),
        ("jinfeng", "supplied/indicator_weights/{}"),
        ("jinfeng", "supplied/binding_indicators/{}"),
        ("suqian", "supplied/bands/{}"),
        ("suqian", "units/0/scores/year_end/{}"),
        ("hami-transport", "units/0/leave/0/{}"),
    ],
)
def test_no_path_repeats_a_key_that_cannot_be_shown(name: str, path: str, text: str):
    for fault in faults(changed(an_input(name), path.format(text), "x")):
        assert fault.path.isprintable()
        assert len(fault.path) < 200


def test_a_weight_that_is_null_is_missing_also_where_the_table_names_the_ids():
    document = changed(an_input("jinfeng"), "supplied/indicator_weights/i2", None)
    assert ("missing_value", "supplied.indicator_weights.i2") in {(one.code, one.path) for one in faults(document)}


@pytest.mark.parametrize("table", [None, {}, "all"])
def test_where_the_table_that_names_the_scores_is_missing_that_alone_is_said(table: Any):
    document = an_input("jinfeng")
    document["supplied"] |= {"indicator_weights": table, "binding_indicators": {}}
    assert {one.path for one in faults(document)} == {"supplied.indicator_weights"} | {
        f"supplied.binding_indicators.{one}" for one in ("family_planning", "work_safety", "public_order")
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_document_without_units_is_told_so(name: str):
    document = changed(an_input(name), "units", [])
    assert ("no_units", "units") in {(one.code, one.path) for one in faults(document)}


def test_a_key_that_stands_twice_among_very_many_is_found_at_once():
    pairs = ",".join(f'"k{place}": 1' for place in range(50_000))
    before = time.process_time()
    with pytest.raises(Refused) as refused:
        parse_document(f'{{{pairs}, "k7": 2}}'.encode())
    assert [fault.path for fault in refused.value.faults] == ["k7"]
    assert time.process_time() - before < 2  # comparing every key with every other takes half a minute


def test_a_flood_of_doubled_keys_is_counted_not_listed():
    with pytest.raises(Refused) as refused:
        parse_document(b"[" + b",".join([b'{"a": 1, "a": 2}'] * 300) + b"]")
    assert len(refused.value.faults) == MOST_FAULTS + 1
    assert refused.value.faults[-1].facts["count"] == 200


def test_a_reversal_reaches_no_event_of_the_same_name():
    event = Entry("absences[0]", "efficiency", Decimal("0.5"), label="unexcused_absence")
    line = Entry("absences[0]", "efficiency", Decimal(2))
    assert standing([line, Entry("r", reverses="absences[0]"), event]) == (event,)


@pytest.mark.parametrize("depth", [100, 500, 900, 950, 990, 1000, 2000, 100_000])
@pytest.mark.parametrize(
    "where", ["{}", '{{"scheme": {}}}', '{{"scheme": "bailian", "units": {}}}', '{{"a": 1, "a": {}}}']
)
def test_no_depth_of_nesting_is_an_accident(depth: int, where: str):
    for inner in "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth:
        with pytest.raises(Refused) as refused:
            score(parse_document(where.format(inner).encode()))
        assert all(say(fault).isprintable() for fault in refused.value.faults)


def test_the_last_of_very_many_units_is_named():
    document = an_input("hami-transport")
    document["units"] = [{"id": f"k{place}", "scores": {"results": "90"}} for place in range(10_000)]
    document["units"][-1]["scores"]["results"] = "100.01"
    (fault,) = faults(json.loads(json.dumps(document)))
    assert fault.path == "units[9999].scores.results"
