"""Faults planted in the county of docs/adding_a_scheme.md: each is named with table and key, many of them at once."""

import pytest

from api.problems import say
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import read_scheme
from tests.documents.county import WIDER

STAR = """
[[component]]
path = "public_review.residents.*"
zh = "各街道"
en = "each street"
[[component]]
path = "public_review.residents.*.men"
zh = "男"
en = "men"
"""
TWO_FOR_UNITS = """path = "w1"
kind = "unit_shares"
of = "indicator"
zh = "权重"
en = "weights"
[[left_out]]
path = "w2"
kind = "unit_shares"
of = "indicator.tasks"
"""
ORPHAN = """path = "indicator.functions.detail"
zh = "细项"
en = "detail"
weight = { township = "100" }
article = "第五条"
[[component]]
path = "indicator.functions"
"""
# what is replaced, by what, the code, the place named
PLANTED = [
    ('path = "indicator.tasks.economy"', 'path = "indicator.tasks.Economy X"', "scheme_not_path", "component[2].path"),
    (
        'path = "indicator.tasks.livelihood"',
        'path = "indicator.tasks.{b2..b1}"',
        "scheme_not_path",
        "component[3].path",
    ),
    ('path = "public_review.residents"', 'path = "public_review.{r1..s2}"', "scheme_not_path", "component[8].path"),
    (
        'path = "public_review.residents"',
        'path = "public_review.{r1..r999}{x1..x999}"',
        "scheme_not_path",
        "component[8].path",
    ),
    ('path = "public_review.residents"', 'path = "public_review.*.residents"', "scheme_not_path", "component[8].path"),
    ('id = "township"', 'id = "乡 镇"', "scheme_not_id", "class[0].id"),
    ('id = "absences"', 'id = "scores"', "scheme_reserved_id", "fact[0].id"),
    ('unique = "day"', 'unique = "date"', "scheme_unknown_reference", "fact[0].unique"),
    ('choices = { study = "学习" }\n', "", "scheme_choices", "fact[0].fields.kind.choices"),
    (
        '[fact.fields.days]\ntype = "decimal"',
        '[fact.fields.days]\ntype = "decimal"\nchoices = { a = "b" }',
        "scheme_choices",
        "fact[0].fields.days.choices",
    ),
    ("match = { excused = false }", 'match = { kind = "sport" }', "scheme_unknown_reference", "event[0].match.kind"),
    ("match = { excused = false }", 'match = { excused = "no" }', "scheme_field_type", "event[0].match"),
    ("match = { excused = false }", 'match = { colour = "no" }', "scheme_unknown_reference", "event[0].match"),
    ('to = "indicator.common"', 'to = "indicator.functions"', "scheme_unknown_reference", "event[0].to"),
    ('of = "days", match', 'of = "excused", match', "scheme_field_type", "consequence[2].when[0].total.of"),
    (
        'match = { kind = ["study"] }',
        'match = { kind = ["sport"] }',
        "scheme_unknown_reference",
        "consequence[2].when[0].total.match.kind",
    ),
    (
        'match = { kind = ["study"] }',
        'match = { days = ["1"] }',
        "scheme_field_type",
        "consequence[2].when[0].total.match",
    ),
    ('of = "excused", year', 'of = "days", year', "scheme_field_type", "consequence[2].when[1].repeated.of"),
    ('year = "year", years', 'year = "day", years', "scheme_field_type", "consequence[2].when[1].repeated.year"),
    ("years = 2", "years = 0", "scheme_not_positive", "consequence[2].when[1].repeated.years"),
    ("last = 3", "last = 0", "scheme_not_positive", "consequence[2].when[1].last"),
    ('by = "kind"', 'by = "excused"', "scheme_field_type", "consequence[3].each.by"),
    ('gives = "fraction"', 'gives = "id"', "scheme_reserved_id", "consequence[3].each.gives"),
    ('loses = { study = "1/3" }', "loses = { }", "scheme_key_missing", "consequence[3].each.loses.study"),
    ('points_min = "1"', 'points_min = "3"', "scheme_rule_points", "rule[0].points"),
    ('points_min = "1"\npoints_max = "2"\n', "", "scheme_rule_points", "rule[0].points"),
    ('points_min = "1"', 'points = "1"\npoints_min = "1"', "scheme_rule_points", "rule[0].points"),
    ('aspect = "discipline"', 'aspect = "nothing"', "scheme_unknown_reference", "rule[0].aspect"),
    ('id = "late"', 'id = "late"\nof = "public_review"', "scheme_unknown_reference", "rule[0].aspect"),
    ('id = "service"\nzh', 'id = "service"\nof = "nowhere"\nzh', "scheme_unknown_reference", "aspect[0].of"),
    (
        'name = "二等奖"\nen = "second prize"\nratio = "2"\nclasses = ["township"]',
        'name = "二等奖"\nen = "second prize"\nratio = "2"\nclasses = ["town*"]',
        "scheme_prizes_overlap",
        "prize[1].classes",
    ),
    ('classes = ["township"]', 'classes = ["city"]', "scheme_unknown_reference", "prize[0].classes"),
    ('scale = "100"', 'scale = "0"', "scheme_not_positive", "composite.scale"),
    (
        'takes = ["deductions"]\ncap = "5"',
        'takes = ["deductions", "bonuses"]\ncap = "5"',
        "scheme_minus_ledger",
        "component[9].takes",
    ),
    ('minus = true\ntakes = ["deductions"]\ncap = "5"', "minus = true", "scheme_minus_ledger", "component[9].takes"),
    ("minus = true\n", 'minus = true\nfloor = "0"\n', "scheme_minus_ledger", "component[9].takes"),
    ('floor = "0"', 'floor = "100.5"', "scheme_floor_above_start", "component[5].floor"),
    (
        'path = "annex"\nkind = "material"',
        'path = "annex"\nkind = "percent"',
        "scheme_left_out_unused",
        "left_out[1].path",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "public_review.shares"\nkind = "percent"',
        "scheme_duplicate",
        "left_out[1].path",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "w"\nkind = "unit_shares"\nof = "indicator.common"',
        "scheme_unknown_reference",
        "left_out[1].of",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "w"\nkind = "unit_shares"\nof = "nothing"',
        "scheme_unknown_reference",
        "left_out[1].of",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "public_review"\nkind = "unit_shares"\nof = "indicator"',
        "scheme_left_out_prefix",
        "left_out[0].path",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "z"\nkind = "zeroed"\nof = "nothing"',
        "scheme_unknown_reference",
        "left_out[1].of",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "z"\nkind = "zeroed"\nof = "indicator"',
        "scheme_left_out_unused",
        "left_out[1].path",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "gs"\nkind = "grade_shares"',
        "scheme_band_and_share",
        "grade[0].at_least",
    ),
    (
        'path = "annex"\nkind = "material"',
        'path = "m"\nkind = "material"\nof = "nothing"',
        "scheme_unknown_reference",
        "left_out[1].of",
    ),
    ('bars = "优秀"', "lowers = 9", "scheme_lowers_too_far", "binding[0].lowers"),
    ('bars = "优秀"', 'zeroes = "inspection"', "scheme_unknown_reference", "binding[0].zeroes"),
    ('at_least = "90"\n', 'at_least = "90"\nshare = "5"\n', "scheme_band_and_share", "grade[0].at_least"),
    ('below = "75"\narticle', 'below = "75"\nrest = true\narticle', "scheme_band_and_share", "grade[2].rest"),
    ('by = "01-10"', 'by = "01-10"\nwithin_days = 3', "scheme_calendar", "calendar[0].by"),
    ('by = "01-10"\nnext_year = true\n', "", "scheme_calendar", "calendar[0].by"),
    ('by = "01-10"', 'by = "02-30"', "scheme_not_day", "calendar[0].by"),
    ("months = [3, 6]", "months = [3, 3]", "scheme_not_month", "round[0].months"),
    ('at_most = "20"', 'at_most = "20", at_least = "30"', "scheme_limits_crossed", "consequence[1].when[0].value"),
    ('plus = "5", at_most = "20"', 'minus = "50"', "scheme_below_zero", "consequence[1].when[0].value"),
    ('base = "15", plus', 'base = "bose", plus', "scheme_unknown_reference", "consequence[1].when[0].value"),
    (
        'value = { base = "15", plus = "5", at_most = "20" }',
        "value = true",
        "scheme_value_mixed",
        "consequence[1].when[0].value",
    ),
    ('id = "outstanding_share"', 'id = "优秀 比例"', "scheme_not_id", "consequence[1].id"),
    ('groups = ["township", "bureau"]', 'groups = ["*", "bureau"]', "scheme_ranking_groups", "ranking.groups"),
    ('groups = ["township", "bureau"]', 'groups = ["township"]', "scheme_ranking_groups", "ranking.groups"),
    ('id = "example-county"', 'id = "../x"', "scheme_not_id", "id"),
    ('zh = "察访核验"', 'zh = "  "', "scheme_not_text", "component[9].zh"),
    ('zh = "察访核验"', 'zh = "察访\\n| 核验"', "scheme_not_text", "component[9].zh"),
    ('zh = "察访核验"', 'zh = "察访\\u001b[31m"', "scheme_not_text", "component[9].zh"),
    ('weight = "70"', 'weight = "７０"', "scheme_not_weight", "component[0].weight"),
    ('article = "第三条"\n\n[rounding]', 'article = ["第三条"]\n\n[rounding]', "scheme_not_text", "composite.article"),
    ('classes = ["township"]', 'classes = "township"', "scheme_wrong_shape", "prize[0].classes"),
    ('path = "indicator.functions"\n', ORPHAN, "scheme_class_without_parent", "component[4].weight"),
    ('path = "annex"\nkind = "material"\n', TWO_FOR_UNITS, "scheme_duplicate", "left_out[2].kind"),
    ("\n[[left_out]]", STAR + "\n[[left_out]]", "scheme_not_path", "component[10].path"),
    ('ratio = "1"', 'ratio = "0"', "scheme_not_positive", "prize[0].ratio"),
]


def faults(text: str) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        read_scheme(text.encode())
    return list(refused.value.faults)


def test_without_a_fault_it_loads():
    assert read_scheme(WIDER.encode()).id == "example-county"


@pytest.mark.parametrize(("old", "new", "code", "place"), PLANTED)
def test_a_planted_fault_is_named_with_table_and_key(old: str, new: str, code: str, place: str):
    assert old in WIDER
    found = faults(WIDER.replace(old, new, 1))
    assert (code, place) in {(fault.code, fault.path) for fault in found}
    for fault in found:
        for sentence in say(fault, "zh"), say(fault, "en"):
            assert fault.path in sentence
            assert "<" not in sentence
            assert sentence.isprintable()


def test_a_class_may_not_lose_every_part_of_a_component():
    text = WIDER
    for part in "economy", "livelihood":
        head, tail = text.split(f'path = "indicator.tasks.{part}"')
        text = f'{head}path = "indicator.tasks.{part}"' + tail.replace('"50"', '{ township = "50" }', 1)
    (fault,) = faults(text)
    assert (fault.code, fault.path) == ("scheme_class_without_parts", "component[1].path")
    assert fault.facts["unit_class"] == "bureau"


def test_faults_all_over_a_file_are_named_at_once():
    text, named = WIDER, dict[str, tuple[str, str]]()
    for old, new, code, place in PLANTED:
        table = place.partition("[")[0].partition(".")[0]
        # One of each kind of table, and none that hides others or drags them along: a class misspelt is a class less.
        alone = [(fault.code, fault.path) for fault in faults(WIDER.replace(old, new, 1))] == [(code, place)]
        if alone and old in text and table not in named and not table.startswith("class") and "[[" not in new:
            text, named[table] = text.replace(old, new, 1), (code, place)
    assert len(named) > 12
    assert set(named.values()) <= {(fault.code, fault.path) for fault in faults(text)}
