"""A tenth scheme needs a file only: it loads, checks, scores, and explains itself.

The document is made up to use together what no one of the nine does: a scale of its own, half-even rounding to one
decimal, caps of rule, aspect and total, fixed shares of grades, nested groups, prizes for all, events against a start.
"""

from typing import Any

import pytest

from survey_forms.refusal import Refused
from survey_forms.scheme.explain import explain
from survey_forms.scheme.load import read_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.compute import score_by

TENTH = """\
id = "tenth-2026"
zh = "第十个方案"
en = "the tenth scheme"

[document]
file = "made-up.txt"
part = "全文"

[composite]
formula = "得分 = 实绩 × 70% + 满意度 × 其余 − 核验扣分"
scale = "500"
article = "第一条"

[rounding]
places = 1
mode = "half_even"
article = "第二条"

[[class]]
id = "bureau_large"
zh = "大局"
en = "large bureau"

[[class]]
id = "bureau_small"
zh = "小局"
en = "small bureau"

[[component]]
path = "results"
zh = "实绩"
en = "results"
weight = "70"
article = "第三条"

[[component]]
path = "results.plan"
zh = "计划"
en = "plan"
weight = { bureau_large = "60", bureau_small = "100" }
article = "第三条"

[[component]]
path = "results.discipline"
zh = "纪律"
en = "discipline"
weight = { bureau_large = "40" }
start = "500"
floor = "400"
article = "第三条"

[[component]]
path = "satisfaction"
zh = "满意度"
en = "satisfaction"
weight = "rest"
takes = ["bonuses"]

[[component]]
path = "inspection"
zh = "核验"
en = "inspection"
minus = true
takes = ["deductions"]
cap = "30"
article = "第四条"

[[aspect]]
id = "service"
zh = "服务"
en = "service"
cap = "20"
article = "第四条"

[[aspect]]
id = "order"
zh = "秩序"
en = "order"

[[rule]]
id = "late"
zh = "迟到"
en = "late"
aspect = "order"
points_min = "1"
points_max = "9"
cap = "15"
article = "第四条"

[[rule]]
id = "rude"
zh = "生硬"
en = "rude"
aspect = "service"
points = "6"
article = "第四条"

[[fact]]
id = "meetings"
zh = "会议"
en = "meetings"
[fact.fields.missed]
type = "yes_no"

[[event]]
id = "missed_meeting"
zh = "缺席会议,每次"
en = "each meeting missed"
facts = "meetings"
match = { missed = true }
to = "results.discipline"
points = "30"
article = "第五条"

[[grade]]
name = "甲"
en = "first"
share = "20"
article = "第六条"

[[grade]]
name = "乙"
en = "second"
rest = true

[[grade]]
name = "丙"
en = "third"
share = "20"
article = "第六条"

[[binding]]
id = "fraud"
zh = "造假"
en = "fraud"
article = "第七条"
zeroes = "satisfaction"
bars = "甲"

[ranking]
zh = "各局一组"
en = "all bureaus together"
groups = ["bureau_*"]

[[prize]]
name = "金奖"
en = "gold"
ratio = "1"
article = "第八条"

[[prize]]
name = "银奖"
en = "silver"
ratio = "4"
article = "第八条"

[[consequence]]
id = "bonus_months"
zh = "奖金月数"
en = "months of bonus"
value = { base = "1", plus = "0.5", at_least = "1" }
article = "第九条"
[[consequence.when]]
grade = ["丙"]
binding = ["fraud"]
value = "0"
[[consequence.when]]
last = 1
article = "第十条"
value = { base = "1", minus = "2", at_least = "0.25" }
"""


@pytest.fixture(scope="module")
def scheme() -> Scheme:
    return read_scheme(TENTH.encode())


def a_bureau(name: str, plan: str = "400", satisfaction: str = "400", **more: Any) -> dict[str, Any]:
    scores = {"results": {"plan": plan}, "satisfaction": satisfaction}
    return {"id": name, "class": "bureau_large", "scores": scores, **more}


def scored(scheme: Scheme, *units: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {unit["id"]: unit for unit in score_by(scheme, {"scheme": scheme.id, "units": list(units)})["units"]}


def test_the_rest_of_the_weights_and_a_class_of_its_own(scheme: Scheme):
    small = a_bureau("s") | {"class": "bureau_small"}
    units = scored(scheme, a_bureau("l"), small)
    assert units["l"]["parts"] == {"results": "308", "satisfaction": "120", "inspection": "0"}
    assert units["s"]["parts"] == {"results": "280", "satisfaction": "120", "inspection": "0"}
    assert (units["l"]["rank_in_class"], units["s"]["rank_in_class"]) == (1, 2)


def test_rounding_is_the_schemes_own(scheme: Scheme):
    units = scored(scheme, a_bureau("a", satisfaction="400.5"), a_bureau("b", satisfaction="400.1666"))
    assert units["a"]["composite"] == "428.2"  # 428.15, half even
    assert units["b"]["composite"] == "428.0"


def test_caps_of_rule_aspect_and_total_apply_in_turn(scheme: Scheme):
    lines = [("late", "9"), ("late", "9"), ("rude", "6"), ("rude", "6"), ("rude", "6"), ("rude", "6")]
    entries = [{"id": f"d{n}", "rule": rule, "points": points} for n, (rule, points) in enumerate(lines)]
    unit = scored(scheme, a_bureau("a", deductions=entries))["a"]
    assert unit["parts"]["inspection"] == "-30"  # 15 under the rule's cap + 20 under the aspect's = 35, at most 30
    assert unit["cut_by_cap"] == "12"


def test_an_entry_may_not_put_a_rule_under_another_aspect(scheme: Scheme):
    entry = {"id": "d", "rule": "late", "aspect": "service", "points": "1"}
    with pytest.raises(Refused) as refused:
        scored(scheme, a_bureau("a", deductions=[entry]))
    assert refused.value.faults[0].path == "units[0].deductions[0].aspect"


def test_events_take_from_the_start_down_to_the_floor(scheme: Scheme):
    two, nine = ([{"missed": True}] * times + [{"missed": False}] for times in (2, 9))
    units = scored(scheme, a_bureau("two", meetings=two), a_bureau("nine", meetings=nine))
    assert units["two"]["parts"]["results"] == "291.2"  # 400 × 42 % + 440 × 28 %
    assert units["nine"]["parts"]["results"] == "280"  # the floor of 400 holds


def test_grades_by_fixed_shares_and_a_barred_best(scheme: Scheme):
    bureaus = [a_bureau(f"b{place}", plan=str(400 - place)) for place in range(5)]
    units = scored(scheme, *bureaus)
    assert [units[f"b{place}"]["grade"] for place in range(5)] == ["甲", "乙", "乙", "乙", "丙"]
    assert [units[f"b{place}"]["prize"] for place in range(5)] == ["金奖", "银奖", "银奖", "银奖", "银奖"]
    assert [units[f"b{place}"]["consequences"]["bonus_months"] for place in (0, 4)] == ["1.5", "0.25"]


def test_a_condition_zeroes_the_component_that_the_file_names(scheme: Scheme):
    unit = scored(scheme, a_bureau("a", plan="500", binding=["fraud"]))["a"]
    assert unit["parts"]["satisfaction"] == "0"
    assert unit["grade"] == "乙"  # first of one would be 乙 by largest remainder, and 甲 is barred


def test_bonuses_go_where_the_file_lets_them(scheme: Scheme):
    bonus = [{"id": "b", "to": "satisfaction", "points": "10"}]
    assert scored(scheme, a_bureau("a", bonuses=bonus))["a"]["parts"]["satisfaction"] == "123"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tenth_scheme_explains_itself(scheme: Scheme, language: str):
    text = explain(scheme, language=language)
    for number in "70%", "60%", "100%", "40%", "500", "30", "20%", "1 : 4", "0.25", "第九条", "第十条":
        assert number in text
