"""A scheme file's faults are named, all at once, each with table, key and line."""

import pytest

from api.problems import say
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import DOCUMENTS, load_catalogue, load_scheme, read_catalogue, read_scheme

SOUND = """\
id = "tenth"
zh = "第十个方案"
en = "a tenth scheme"

[document]
file = "none.txt"
part = "全文"

[composite]
formula = "得分 = 甲 × 60% + 乙 × 40% − 扣分"
scale = "100"
article = "一"

[rounding]
places = 1
mode = "half_even"
article = "一"

[[class]]
id = "town"
zh = "镇"
en = "town"

[[component]]
path = "a"
zh = "甲"
en = "A"
weight = "60"
article = "二"

[[component]]
path = "b"
zh = "乙"
en = "B"
weight = "40"
article = "二"

[[component]]
path = "b.{x1..x2}"
zh = "乙{n}"
en = "B{n}"

[[component]]
path = "inspection"
zh = "核验"
en = "inspection"
minus = true
takes = ["deductions"]
cap = "5"
article = "三"

[[left_out]]
path = "b.shares"
kind = "shares"
of = "b"
zh = "乙的权重"
en = "weights of B"

[[grade]]
name = "好"
en = "good"
at_least = "80"
article = "四"

[[grade]]
name = "中"
en = "fair"
at_least = "60"
below = "80"
article = "四"

[[grade]]
name = "差"
en = "poor"
below = "60"
article = "四"

[[binding]]
id = "fraud"
zh = "造假"
en = "fraud"
bars = "好"
article = "五"

[[consequence]]
id = "honours"
zh = "评优"
en = "honours"
value = true
[[consequence.when]]
grade = ["差"]
value = false
"""

RESTS = (
    '"rest"\n[[component]]\npath = "b"\nzh = "乙"\nen = "B"\nweight = "rest"',
    "scheme_rest_twice",
    "component[1].weight",
)
EXTRA = '[[component]]\npath = "b.x3"\nzh = "丙"\nen = "C"\nweight = "1"\narticle = "二"\n'
# what is replaced, by what, the code, the place named
PLANTED = [
    ('weight = "60"', 'weight = "61"', "scheme_weights_not_100", "composite.weight[town]"),
    ('weight = "60"', "weight = 60", "scheme_not_weight", "component[0].weight"),
    ('weight = "60"', 'weight = "6O"', "scheme_not_weight", "component[0].weight"),
    ('weight = "60"', 'weight = { village = "60" }', "scheme_unknown_reference", "component[0].weight"),
    ('weight = "60"\n', "", "scheme_weight_missing", "component[0].weight"),
    ('article = "二"\n', "", "scheme_number_without_article", "component[0].weight"),
    ('article = "二"', 'article = " "', "scheme_number_without_article", "component[0].weight"),
    ('scale = "100"\narticle = "一"', 'scale = "100"', "scheme_number_without_article", "composite.scale"),
    ('scale = "100"', 'scale = "79"', "scheme_outside_scale", "grade[0].at_least"),
    ('scale = "100"', "scale = 100.0", "scheme_unquoted_number", "composite.scale"),
    ('scale = "100"', 'scale = "-100"', "scheme_not_decimal", "composite.scale"),
    ("places = 1", 'places = "1"', "scheme_not_whole", "rounding.places"),
    ("places = 1", "places = 13", "scheme_places", "rounding.places"),
    ('mode = "half_even"', 'mode = "up"', "scheme_not_choice", "rounding.mode"),
    ('[rounding]\nplaces = 1\nmode = "half_even"\narticle = "一"\n', "", "scheme_key_missing", "rounding"),
    ('path = "a"', 'path = "b"', "scheme_duplicate", "component[1].path"),
    ('path = "b.{x1..x2}"', 'path = "c.{x1..x2}"', "scheme_parent_missing", "component[2].path"),
    ('en = "B{n}"', 'en = "B{n}"\nweight = "50"\narticle = "二"', "scheme_weight_twice", "component[2].weight"),
    ('path = "b.{x1..x2}"', 'path = "b.*"\nstart = "9"\narticle = "二"', "scheme_free_weight", "component[2].path"),
    ('path = "a"', 'path = "a"\nstart = "101"', "scheme_outside_scale", "component[0].start"),
    ('path = "a"', 'path = "a"\ncap = "1"', "scheme_cap_without_ledger", "component[0].cap"),
    ('path = "b"\n', 'path = "b"\nstart = "100"\n', "scheme_start_not_leaf", "component[1].start"),
    ('of = "b"', 'of = "b"\nover = ["x1"]', "scheme_weight_missing", "component[2].weight"),
    ("[[left_out]]", EXTRA + "[[left_out]]", "scheme_weight_twice", "component[4].weight"),
    ('kind = "shares"\nof = "b"', 'kind = "share"\nof = "b.x1"', "scheme_weights_mixed", "component[1].weight[town]"),
    ('"60"\narticle = "二"\n\n[[component]]\npath = "b"\nzh = "乙"\nen = "B"\nweight = "40"', *RESTS),
    ("minus = true", 'minus = true\nweight = "5"', "scheme_minus_misplaced", "component[3].minus"),
    ("minus = true", 'minus = "yes"', "scheme_not_flag", "component[3].minus"),
    ('takes = ["deductions"]', 'takes = ["money"]', "scheme_not_choice", "component[3].takes[0]"),
    ('zh = "甲"', "zh = 3", "scheme_not_text", "component[0].zh"),
    ('zh = "甲"', 'colour = "red"\nzh = "甲"', "scheme_unknown_key", "component[0].colour"),
    ('zh = "甲"\n', "", "scheme_key_missing", "component[0].zh"),
    ('zh = "甲"', 'zh = "甲"\nreading = "读作"', "scheme_reading_without_words", "component[0].reading"),
    ('path = "b.shares"\n', "", "scheme_key_missing", "left_out[0].path"),
    ('path = "b.shares"', 'path = "乙 权重"', "scheme_left_out_path", "left_out[0].path"),
    ('of = "b"', 'of = "c"', "scheme_unknown_reference", "left_out[0].of"),
    ('kind = "shares"', 'kind = "guess"', "scheme_not_choice", "left_out[0].kind"),
    ('kind = "shares"\nof = "b"', 'kind = "grades"', "scheme_grades_twice", "left_out[0].kind"),
    ('below = "80"', 'below = "81"', "scheme_bands_gap", "grade[1].below"),
    ('at_least = "80"', 'at_least = "79"', "scheme_bands_gap", "grade[1].below"),
    ('at_least = "60"\n', "", "scheme_bands_gap", "grade[2].below"),
    ('at_least = "60"', 'at_least = "80"', "scheme_band_empty", "grade[1].at_least"),
    ('at_least = "80"', 'at_least = "80"\nbelow = "100"', "scheme_band_open", "grade[0].below"),
    ('below = "60"', 'below = "60"\nat_least = "0"', "scheme_band_open", "grade[2].at_least"),
    ('at_least = "80"', 'share = "30"', "scheme_one_rest", "grade[0].rest"),
    ('at_least = "80"', 'share = "30"', "scheme_band_and_share", "grade[1].at_least"),
    ('name = "中"', 'name = "好"', "scheme_duplicate", "grade[1].name"),
    ('bars = "好"', 'bars = "极好"', "scheme_unknown_reference", "binding[0].bars"),
    ('bars = "好"', 'bars = "差"', "scheme_unknown_reference", "binding[0].bars"),
    ('bars = "好"', 'zeroes = "c"', "scheme_unknown_reference", "binding[0].zeroes"),
    ('grade = ["差"]', 'grade = ["坏"]', "scheme_unknown_reference", "consequence[0].when[0].grade"),
    ('grade = ["差"]', 'binding = ["theft"]', "scheme_unknown_reference", "consequence[0].when[0].binding"),
    ('grade = ["差"]', "last = 3", "scheme_number_without_article", "consequence[0].when[0].last"),
    ('grade = ["差"]\n', "", "scheme_when_empty", "consequence[0].when[0]"),
    ("value = true\n", "", "scheme_consequence_value", "consequence[0].value"),
    ("value = true", "value = 1", "scheme_not_value", "consequence[0].value"),
    ("value = true", 'value = "base"', "scheme_unknown_reference", "consequence[0].value"),
    ("value = true", 'value = "15"', "scheme_number_without_article", "consequence[0].value"),
    ("[[class]]", '[[class]]\nid = "city"\n[[class]]', "scheme_key_missing", "class[0].zh"),
    ("[document]", "[[document]]", "scheme_not_table", "document"),
    ('id = "tenth"', 'id = "第十"', "scheme_not_id", "id"),
    ("[composite]", "[kompositum]", "scheme_unknown_key", "kompositum"),
]  # fmt: skip


def faults(text: str) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        read_scheme(text.encode())
    return list(refused.value.faults)


def test_the_sound_file_has_no_fault():
    assert read_scheme(SOUND.encode()).by_path["b.x2"].zh == "乙2"


@pytest.mark.parametrize(("old", "new", "code", "place"), PLANTED)
def test_a_planted_fault_is_named_with_its_place_and_line(old: str, new: str, code: str, place: str):
    assert old in SOUND
    found = faults(SOUND.replace(old, new, 1))
    assert (code, place) in {(fault.code, fault.path) for fault in found}
    for fault in found:
        for language in "zh", "en":
            assert "<" not in say(fault, language)
            assert fault.path in say(fault, language)


def test_several_planted_faults_are_named_at_once_and_in_the_files_order():
    text = SOUND.replace('weight = "60"', 'weight = "61"', 1).replace('below = "80"', 'below = "81"', 1)
    text = text.replace('bars = "好"', 'bars = "极好"', 1).replace('article = "三"\n', "", 1)
    found = [(fault.path, fault.facts["line"]) for fault in faults(text)]
    lines = text.splitlines()
    assert [path for path, _ in found] == [
        "composite.weight[town]",
        "component[3].cap",
        "grade[1].below",
        "binding[0].bars",
    ]
    assert [lines[line - 1] for _, line in found if isinstance(line, int)] == [
        "[composite]", "[[component]]", "[[grade]]", "[[binding]]",
    ]  # fmt: skip


def test_one_slip_in_a_table_does_not_drag_others_along():
    assert [fault.path for fault in faults(SOUND.replace('weight = "60"', 'weight = "x"', 1))] == [
        "component[0].weight"
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [('id = "x"\nzh = \n', 2, 6), ("id = 'x'\nid = 'y'\n", 2, 9), ("[a\n", 1, 3), ('x = "', 1, 1)],
)
def test_a_slip_of_toml_names_line_and_column(text: str, line: int, column: int):
    (fault,) = faults(text)
    assert fault.code == "scheme_not_toml"
    assert (fault.facts["line"], fault.facts["column"]) == (line, column)


def test_a_file_that_is_not_utf8_says_so():
    with pytest.raises(Refused) as refused:
        read_scheme('zh = "中"'.encode("gbk"))
    assert refused.value.code == "scheme_not_utf8"


@pytest.mark.parametrize("scheme_id", ["xiamen-wf-2015", "bailian", "suqian", "jinfeng", "fangshan-2017"])
def test_every_article_of_a_shipped_document_carries_its_numbers(scheme_id: str):
    text = (DOCUMENTS / scheme_id / "scheme.toml").read_text(encoding="utf-8")
    stripped = "\n".join(line for line in text.splitlines() if not line.startswith("article"))
    found = faults(stripped)
    assert len(found) > 5
    assert {fault.code for fault in found} <= {"scheme_number_without_article", "scheme_key_missing"}


def test_a_scheme_that_is_not_there_is_named():
    for name in "atlantis", "../bailian", "", ".":
        with pytest.raises(Refused) as refused:
            load_scheme(name)
        assert refused.value.code == "unknown_scheme"


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ('points = "5"', "points = 5", "scheme_unquoted_number", "rule[0].points"),
        ('points = "5"\n', "", "scheme_rule_points", "rule[0].points"),
        ('points_min = "2"', 'points_min = "20"', "scheme_rule_points", "rule[1].points"),
        ('aspect = "conduct"', 'aspect = "weather"', "scheme_unknown_reference", "rule[3].aspect"),
        ('id = "no_duty_roster"', 'id = "unattended_window"', "scheme_duplicate", "rule[2].id"),
        ('article = "演示目录1"\n', "", "scheme_number_without_article", "rule[0].points"),
        ('article = "办公室自定"\n', "", "scheme_number_without_article", "terms.objection_days"),
        ("objection_days = 5", "objection_days = 0", "scheme_term", "terms.objection_days"),
        ("objection_days = 5", "objection_days = 367", "scheme_term", "terms.objection_days"),
        ("objection_days = 5", 'objection_days = "5"', "scheme_not_whole", "terms.objection_days"),
        ("reminder_days = 3", "reminder_days = 21", "scheme_term_reminder", "terms.reminder_days"),
        ("decision_days = 10", "decision_days = 4", "scheme_term_decision", "terms.decision_days"),
    ],
)
def test_a_catalogues_faults_are_named(old: str, new: str, code: str, place: str):
    text = (DOCUMENTS / "xiamen-wf-2015" / "catalogue.toml").read_text(encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_catalogue(text.replace(old, new, 1).encode())
    assert (code, place) in {(fault.code, fault.path) for fault in refused.value.faults}
    assert load_catalogue("xiamen-wf-2015") is not None


@pytest.mark.parametrize(
    ("scheme_id", "old", "new", "code", "place"),
    [
        (
            "hami-transport",
            'of = "efficiency"\naspect',
            'of = "results"\naspect',
            "scheme_unknown_reference",
            "rule[0].of",
        ),
        ("bailian", 'points = "1"', 'points = "1"\ncap = "2"', "scheme_cap_not_the_schemes", "rule[1].cap"),
    ],
)
def test_a_catalogue_says_nothing_otherwise_than_its_scheme(scheme_id: str, old: str, new: str, code: str, place: str):
    text = (DOCUMENTS / scheme_id / "catalogue.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(Refused) as refused:
        read_catalogue(text.replace(old, new, 1).encode(), scheme=load_scheme(scheme_id))
    assert (code, place) in {(fault.code, fault.path) for fault in refused.value.faults}
