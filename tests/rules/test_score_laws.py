"""Laws that hold for any input: weights, caps, reversals, monotonicity, one rounding."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.numbers import published
from survey_forms.scheme.components import Component, Weight
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Aspect, Rule
from survey_forms.scoring.compute import score
from survey_forms.scoring.ledger import Caps, Entry, deducted, standing, sum_in_words
from tests.documents.examples import an_input

law = settings(deadline=None)  # a law is no benchmark: the machine may be busy
score_100 = st.decimals(0, 100, places=2).map(str)
small_points = st.decimals(0, 5, places=1)
entries = st.lists(
    st.builds(
        Entry,
        id=st.uuids().map(str),
        to=st.just("inspection"),
        points=small_points,
        aspect=st.sampled_from(["duties", "conduct"]),
        rule=st.sampled_from(["late", "rude"]),
    ),
    max_size=8,
)
BAILIAN = ("deputies", "enterprises", "urban_residents", "rural_residents")


def a_village(indicator: str = "90", review: str = "90", **more: Any) -> dict[str, Any]:
    """A unit of Bailian whose four groups all gave the same score."""
    return {"id": "v", "scores": {"indicator": indicator, "public_review": dict.fromkeys(BAILIAN, review)}, **more}


def scored(*units: dict[str, Any], shares: tuple[str, ...] = ("25", "25", "25", "25")) -> list[dict[str, Any]]:
    """Bailian's figures for these units."""
    supplied = {"public_review.shares": dict(zip(BAILIAN, shares, strict=True))}
    return score({"scheme": "bailian", "supplied": supplied, "units": list(units)})["units"]


def a_deduction(place: int, points: Decimal | str, aspect: str = "duties") -> dict[str, str]:
    return {"id": f"d{place}", "aspect": aspect, "points": str(points)}


@law
@given(score_100, score_100)
def test_the_composite_is_the_weighted_sum_rounded_once(indicator: str, review: str):
    (unit,) = scored(a_village(indicator, review))
    exact = Decimal(indicator) * Decimal("0.8") + Decimal(review) * Decimal("0.2")
    assert sum(Decimal(part) for part in unit["parts"].values()) == exact
    assert unit["composite"] == f"{published(exact, 2):f}"


@law
@given(score_100)
def test_equal_group_scores_pass_through_whatever_the_shares(review: str):
    figures = {
        scored(a_village(review=review), shares=shares)[0]["parts"]["public_review"]
        for shares in [("25", "25", "25", "25"), ("100", "0", "0", "0"), ("33.3", "33.3", "33.3", "0.1")]
    }
    assert len(figures) == 1


@law
@given(score_100, score_100, st.decimals(0, 5, places=2))
def test_a_better_score_never_lowers_the_composite(indicator: str, review: str, more: Decimal):
    better = str(min(Decimal(100), Decimal(indicator) + more))
    one, other = scored(a_village(indicator, review), a_village(better, review) | {"id": "w"})
    assert Decimal(other["composite"]) >= Decimal(one["composite"])
    assert other["rank"] <= one["rank"]


@law
@given(st.lists(small_points, max_size=8))
def test_the_cap_holds_and_what_it_cut_is_shown(listed: list[Decimal]):
    (unit,) = scored(a_village(deductions=[a_deduction(place, one) for place, one in enumerate(listed)]))
    taken = -Decimal(unit["parts"]["inspection"])
    assert taken == min(sum(listed), Decimal(3))
    assert taken + Decimal(unit["cut_by_cap"]) == sum(listed)


@law
@given(st.lists(small_points, min_size=1, max_size=6), st.data())
def test_a_reversed_entry_counts_as_if_it_had_never_been(listed: list[Decimal], data: st.DataObject):
    lines = [a_deduction(place, one) for place, one in enumerate(listed)]
    gone = data.draw(st.sets(st.sampled_from(range(len(listed)))))
    reversals = [{"id": f"r{place}", "reverses": f"d{place}"} for place in gone]
    shuffled = data.draw(st.permutations(lines + reversals))
    kept = [line for place, line in enumerate(lines) if place not in gone]
    assert scored(a_village(deductions=shuffled)) == scored(a_village(deductions=kept))


@law
@given(st.lists(score_100, min_size=1, max_size=12), st.randoms())
def test_the_order_of_units_is_irrelevant(indicators: list[str], random: Any):
    units = [a_village(one) | {"id": f"v{place}"} for place, one in enumerate(indicators)]
    shuffled = units[:]
    random.shuffle(shuffled)
    assert {unit["id"]: unit for unit in scored(*units)} == {unit["id"]: unit for unit in scored(*shuffled)}


@law
@given(entries, st.permutations(["late", "rude"]), small_points, small_points, small_points)
def test_caps_of_rule_aspect_and_total_each_bound_the_sum(
    listed: list[Entry], order: list[str], rule_cap: Decimal, aspect_cap: Decimal, total: Decimal
):
    caps = Caps(
        total,
        {"duties": Aspect("duties", "职责", "duties", cap=aspect_cap)},
        {order[0]: Rule(order[0], "规则", "rule", cap=rule_cap)},
    )
    taken = deducted(listed, caps)
    assert Decimal(0) <= taken <= min(total, sum((entry.points for entry in listed), Decimal(0)))
    assert deducted([one for one in listed if one.aspect == "duties"], caps) <= aspect_cap
    assert deducted(reversed(listed), caps) == taken
    assert taken <= deducted(listed, Caps()) == sum((entry.points for entry in listed), Decimal(0))
    worked = eval(sum_in_words(listed, caps), {"__builtins__": {"min": min}})  # noqa: S307  # arithmetic we just wrote
    assert abs(Decimal(str(worked)) - taken) < Decimal("1e-9")


@law
@given(entries)
def test_standing_entries_are_neither_reversed_nor_reversing(listed: list[Entry]):
    reversals = [Entry(f"r{one.id}", reverses=one.id) for one in listed[::2]]
    assert standing([*listed, *reversals]) == tuple(listed[1::2])


@law
@given(st.integers(0, 300))
def test_office_efficiency_never_sinks_below_zero(absent: int):
    absences = [{"kind": "study", "excused": False}] * absent
    unit = {"id": "k", "scores": {"results": "0"}, "absences": absences}
    (found,) = score({"scheme": "hami-transport", "supplied": {}, "units": [unit]})["units"]
    assert Decimal(found["composite"]) == max(Decimal(0), 100 - Decimal("0.5") * absent) * Decimal("0.4")


@law
@given(st.sets(st.sampled_from([one.id for one in load_scheme("xiamen-wf-2015").bindings])))
def test_any_binding_condition_bars_the_best_grade_and_leaves_the_score(violated: set[str]):
    document = an_input("xiamen-wf-2015")
    before = {unit["id"]: unit for unit in score(document)["units"]}
    for unit in document["units"]:
        unit["binding"] = sorted(violated)
    for unit in score(document)["units"]:
        best = before[unit["id"]]["composite"] >= "900"
        assert unit["composite"] == before[unit["id"]]["composite"]
        if violated and best and unit["grade"] == "优秀":
            raise AssertionError(unit)
        assert unit["grade"] != "优秀" or not violated


@law
@given(st.lists(score_100, min_size=1, max_size=20))
def test_prizes_go_by_rank_in_their_ratio_and_ties_share_the_better(listed: list[str]):
    units = [
        {"id": f"t{place}", "class": "town", "scores": {"quarters": {f"q{q}": {"i1": one} for q in range(1, 5)}}}
        for place, one in enumerate(listed)
    ]
    supplied = {"quarter_shares": dict.fromkeys(("q1", "q2", "q3", "q4"), "25"), "indicator_weights": {"i1": "100"}}
    found = score({"scheme": "jinfeng", "supplied": supplied, "units": units})["units"]
    order = ["一等奖", "二等奖", "三等奖"]
    by_rank = sorted(found, key=lambda unit: unit["rank_in_class"])
    assert [order.index(unit["prize"]) for unit in by_rank] == sorted(order.index(unit["prize"]) for unit in found)
    for unit in found:
        same = [other for other in found if other["composite"] == unit["composite"]]
        assert {other["prize"] for other in same} == {unit["prize"]}


def test_a_weight_by_class_is_none_for_a_class_it_does_not_name():
    weight = Weight(by_class={"town": Decimal(80)})
    assert weight.of("town") == 80
    assert weight.of("department") is None
    assert Component("a.b.c", "丙", "c").parent == "a.b"
