"""Plans as offices write them: numbers by the rule, one canonical text, and every fault with its place."""

from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import say
from survey_forms.refusal import Refused
from survey_forms.sampling.allocate import by_weights, equal, neyman, proportional, within_budget
from survey_forms.sampling.plan import ORDERS, SELECTIONS, PlanLine, columns_of, plan_of, plan_with
from survey_forms.sampling.plan_file import resolve
from survey_forms.sampling.plan_reading import read_plan_file
from survey_forms.sampling.rotation import shift_of
from survey_forms.sampling.shares import cost_weights, kish_weights, power_weights

SIZES = {"a": 4000, "b": 900, "c": 100}
SPREADS, COSTS, MEANS = {"a": 9, "b": 12, "c": 20}, {"a": 12, "b": 25, "c": 60}, {"a": 82, "b": 80, "c": 70}


ONE = '[[stratum]]\ncode = "a"\n'
EQUAL, NEYMAN, GROUPED = (f'allocation = "{rule}"\ntotal = 8\n' for rule in ("equal", "neyman", "grouped"))


def strata(*keys: str, **others: dict[str, Any]) -> str:
    facts = {"spread": SPREADS, "cost": COSTS, "mean": MEANS, **others}
    return "".join(
        f'[[stratum]]\ncode = "{code}"\n' + "".join(f"{k} = {facts[k][code]}\n" for k in keys) for code in SIZES
    )


def numbers(text: str) -> dict[str, int]:
    return {line.stratum: line.n for line in resolve(read_plan_file(text), SIZES).lines}


def faults_of(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        resolve(read_plan_file(text, "p"), SIZES)
    for fault in caught.value.faults:
        assert fault.path.split(":")[-1] in say(fault, "zh") or fault.code.startswith("allocation_")
        assert "<" not in say(fault, "zh") + say(fault, "en").replace("> 1,0", "")  # no blank left unfilled
    return [(fault.code, fault.path) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('allocation = "proportional"\ntotal = 600', proportional(SIZES, 600)),
        ('allocation = "proportional"\ntotal = 600\nminimum = 30\ncap = 400', proportional(SIZES, 600, 30, 400)),
        ('allocation = "equal"\ntotal = 600\n' + strata(), equal(SIZES, 600)),
        ('allocation = "neyman"\ntotal = 600\nminimum = 30\n' + strata("spread"), neyman(SIZES, SPREADS, 600, 30)),
        (
            'allocation = "cost"\ntotal = 600\n' + strata("spread", "cost"),
            by_weights(cost_weights(SIZES, SPREADS, COSTS), SIZES, 600),
        ),
        (
            'allocation = "cost"\nbudget = 9000.5\nminimum = 9\n' + strata("spread", "cost"),
            within_budget(SIZES, SPREADS, COSTS, Fraction("9000.5"), 9),
        ),
        (
            'allocation = "power"\ntotal = 600\npower = 0.25\n' + strata("spread", "mean"),
            by_weights(power_weights(SIZES, SPREADS, MEANS, Fraction("0.25")), SIZES, 600),
        ),
        ('allocation = "kish"\ntotal = 299\nimportance = 1', by_weights(kish_weights(SIZES, 1), SIZES, 299)),
        # residents 0.6 · 10 to 0.4 · 20: 6 to 8 of 140; then a to b as 40 to 9
        (
            'allocation = "grouped"\ntotal = 140\n'
            + strata("group", group={"a": '"r"', "b": '"r"', "c": '"d"'})
            + '[[group]]\ncode = "r"\nshare = 0.6\nspread = 10\n[[group]]\ncode = "d"\nshare = 0.4\nspread = 20\n',
            {"a": 49, "b": 11, "c": 80},
        ),
        (strata("n", n={"a": 7, "b": 0, "c": 100}), {"a": 7, "b": 0, "c": 100}),
    ],
)
def test_each_rule_gives_its_numbers(text: str, wanted: dict[str, int]) -> None:
    assert numbers(text) == wanted


def test_a_plan_of_tickets_has_the_text_and_hash_of_a_plain_list() -> None:
    plan = resolve(read_plan_file('reserve = 30\norder = "hilbert"\n' + strata("n", n={"a": 7, "b": 2, "c": 1})), SIZES)
    assert plan.text == "a,7\nb,2\nc,1\n"
    assert plan.sha256 == plan_of([("", "c", "1"), ("", "a", "7"), ("", "b", "2")]).sha256
    assert plan.sha256 == sha256(b"a,7\nb,2\nc,1\n").hexdigest()
    assert plan.columns == ()  # nobody walks, so the order decides nothing
    assert {line.reserve for line in plan.lines} == {30}


def test_a_richer_plan_commits_to_all_that_decides() -> None:
    text = 'selection = "systematic"\norder = "hilbert"\n' + strata("n", n={"a": 7, "b": 2, "c": 1})
    text += '[[stratum]]\ncode = "d"\nn = 3\nselection = "pareto"\nreserve = 9\n'
    plan = resolve(read_plan_file(text), SIZES | {"d": 10}, "f" * 64)
    zeros = "0" * 64
    assert plan.columns == read_plan_file(text).columns == ("latitude", "longitude", "size")
    assert plan.text == (
        f"mingcha-plan/2\nfacts,latitude+longitude+size,{'f' * 64}\npermanent,-\n"
        f"a,7,systematic,hilbert,{zeros}\nb,2,systematic,hilbert,{zeros}\nc,1,systematic,hilbert,{zeros}\n"
        f"d,3,pareto,hilbert,{zeros}\n"
    )


def test_a_later_wave_hides_its_permanent_text_and_shows_where_it_begins() -> None:
    text = strata("n", n={"a": 40, "b": 9, "c": 1})
    turn = '[rotation]\npermanent = "the seed of spring"\nwave = 2\noverlap = 0.5\n'
    plan = resolve(read_plan_file(turn + text), SIZES)
    assert plan.permanent == "the seed of spring"
    assert "spring" not in plan.text
    assert f"permanent,{sha256(b'the seed of spring').hexdigest()}\n" in plan.text
    assert f"a,40,tickets,none,{shift_of(2, Fraction(1, 2), 40, 4000):064x}\n" in plan.text
    assert resolve(read_plan_file("[rotation]\nwave = 1\noverlap = 0.5\n" + text), SIZES).text == "a,40\nb,9\nc,1\n"


any_line = st.builds(
    PlanLine,
    stratum=st.sampled_from("abcdef"),
    n=st.integers(0, 99),
    place=st.just(""),
    selection=st.sampled_from(SELECTIONS),
    order=st.sampled_from(ORDERS),
    shift=st.integers(0, 2**256 - 1),
)
any_lines = st.lists(any_line, min_size=1, unique_by=lambda line: line.stratum).map(tuple)


@given(any_lines, any_lines, st.sampled_from(["", "e" * 64]), st.sampled_from([None, "", "p"]))
def test_plans_that_draw_otherwise_have_other_hashes(
    one: tuple[PlanLine, ...], other: tuple[PlanLine, ...], facts: str, permanent: str | None
) -> None:
    first, second = plan_with(one, facts, permanent), plan_with(other, facts, permanent)
    assert plan_with(tuple(reversed(one)), facts, permanent).sha256 == first.sha256
    plain = permanent is None and all(line.selection == "tickets" for line in (*one, *other))

    def deciding(lines: tuple[PlanLine, ...]) -> set[tuple[object, ...]]:
        return {(x.stratum, x.n) if plain else (x.stratum, x.n, x.selection, x.order, x.shift) for x in lines}

    assert (first.sha256 == second.sha256) == (deciding(one) == deciding(other))
    assert first.columns == columns_of(one) == tuple(sorted(set(first.columns)))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", [("plan_key_missing", "p:allocation")]),
        ('allocation = "best"\ntotal = 3', "plan_not_choice p:allocation"),
        ('allocation = "equal"', [("plan_key_missing", "p:total")]),
        ('allocation = "equal"\ntotal = -1', [("plan_not_whole", "p:total")]),
        ('allocation = "equal"\ntotal = 1.0', [("plan_not_whole", "p:total")]),
        ('allocation = "equal"\ntotal = true', [("plan_not_whole", "p:total")]),
        ('allocation = "equal"\ntotal = 1000000000', [("plan_not_whole", "p:total")]),
        ('allocation = "equal"\ntotal = ' + "9" * 4000, [("plan_not_whole", "p:total")]),
        ('allocation = "equal"\ntotal = ' + "9" * 5000, [("plan_unreadable", "p")]),
        ('allocation = "equal"\ntotal = 5001', [("allocation_impossible", "p:total")]),
        (EQUAL + "minimum = 3", [("allocation_impossible", "p:total")]),
        (EQUAL + "budget = 3", [("plan_budget_without_costs", "p:budget")]),
        (EQUAL + "Total = 3", [("plan_key_unknown", "p:Total")]),
        (EQUAL + 'selection = "magic"', [("plan_not_choice", "p:selection")]),
        (EQUAL + 'order = ["hilbert"]', [("plan_not_choice", "p:order")]),
        (EQUAL + "reserve = -2", [("plan_not_whole", "p:reserve")]),
        (EQUAL + "units_per_respondent = 0", [("plan_not_whole", "p:units_per_respondent")]),
        (
            EQUAL + strata("n", n=dict.fromkeys("abc", 1)),
            "plan_n_with_allocation p:stratum[1].n",
        ),
        (NEYMAN, [("plan_key_missing", "p:stratum")]),
        (NEYMAN + strata(), "plan_key_missing p:stratum[1].spread"),
        (
            NEYMAN + ONE + "spread = nan",
            [("plan_not_number", "p:stratum[1].spread")],
        ),
        (
            NEYMAN + ONE + "spread = inf",
            [("plan_not_number", "p:stratum[1].spread")],
        ),
        (
            NEYMAN + ONE + "spread = -1",
            [("plan_not_number", "p:stratum[1].spread")],
        ),
        (
            NEYMAN + ONE + "spread = 1e999999999",
            "plan_not_number p:stratum[1].spread",
        ),
        (
            NEYMAN + ONE + "spread = 1e-999999999",
            "plan_not_number p:stratum[1].spread",
        ),
        (
            NEYMAN + ONE + "spread = 0." + "1" * 90,
            "plan_not_number p:stratum[1].spread",
        ),
        (
            NEYMAN + ONE + 'spread = "9"',
            "plan_not_number p:stratum[1].spread",
        ),
        ('allocation = "cost"\n' + strata("spread", "cost"), [("plan_total_or_budget", "p:total")]),
        (
            'allocation = "cost"\ntotal = 9\nbudget = 9\n' + strata("spread", "cost"),
            [("plan_total_or_budget", "p:total")],
        ),
        ('allocation = "cost"\nbudget = 9\n' + strata("spread", "cost"), [("allocation_budget_short", "p:budget")]),
        (
            'allocation = "cost"\ntotal = 9\n[[stratum]]\ncode = "a"\nspread = 1\ncost = 0',
            "plan_not_number p:stratum[1].cost",
        ),
        ('allocation = "power"\ntotal = 9\n' + strata("spread", "mean"), [("plan_key_missing", "p:power")]),
        (
            'allocation = "power"\npower = 1.01\ntotal = 9\n' + strata("spread", "mean"),
            [("plan_not_number", "p:power")],
        ),
        ('allocation = "kish"\ntotal = 9', [("plan_key_missing", "p:importance")]),
        (
            GROUPED + ONE + 'group = "x"',
            "plan_group_unknown p:stratum[1].group",
        ),
        (
            GROUPED + ONE + 'group = "x"\n[[group]]\ncode = "x"',
            "plan_key_missing p:group[1].share",
        ),
        ("total = 9\n" + strata("n", n=dict.fromkeys("abc", 1)), [("plan_needs_allocation", "p:total")]),
        ('[[stratum]]\ncode = "a"', [("plan_key_missing", "p:stratum[1].n")]),
        ("[[stratum]]\nn = 1", [("plan_key_missing", "p:stratum[1].code")]),
        ("[[stratum]]\ncode = 7\nn = 1", [("plan_not_text", "p:stratum[1].code")]),
        ('[[stratum]]\ncode = "a,b"\nn = 1', [("draw_character_forbidden", "p:stratum[1].code")]),
        ('[[stratum]]\ncode = " "\nn = 1', [("draw_field_empty", "p:stratum[1].code")]),
        ('[[stratum]]\ncode = "z"\nn = 1', [("draw_stratum_unknown", "p:stratum[1]")]),
        ('[[stratum]]\ncode = "c"\nn = 101', [("draw_size_too_large", "p:stratum[1]")]),
        ('[[stratum]]\ncode = "a"\nn = 1\n' + ONE + "n = 1", [("draw_stratum_twice", "p:stratum[2]")]),
        ("stratum = 3", "plan_not_table p:stratum"),
        ("stratum = [3]", "plan_not_table p:stratum[1]"),
        ("group = [3]\n" + ONE + "n = 1", [("plan_not_table", "p:group[1]")]),
        ("rotation = 3\n" + ONE + "n = 1", [("plan_not_table", "p:rotation")]),
        (
            'rotation = {wave = 2, overlap = 2, permanent = "x"}\n' + ONE + "n = 1",
            "plan_not_number p:rotation.overlap",
        ),
        (
            "rotation = {wave = 2, overlap = 0}\n" + ONE + "n = 1",
            [("plan_key_missing", "p:rotation.permanent")],
        ),
        ("rotation = {}\n" + ONE + "n = 1", "plan_key_missing p:rotation.wave"),
        (
            'selection = "systematic"\nrotation = {wave = 2, overlap = 0, permanent = "x"}\n' + ONE + "n = 1",
            [("plan_rotation_walk", "p:rotation")],
        ),
        ('allocation = "equal', [("plan_unreadable", "p")]),
        ("a = " + "[" * 10_000, [("plan_unreadable", "p")]),
        ("#" + " " * 1_000_000, [("plan_unreadable", "p")]),
    ],
)
def test_every_fault_is_told_with_its_place(text: str, faults: list[tuple[str, str]] | str) -> None:
    found = faults_of(text)
    if isinstance(faults, str):
        assert " ".join(found[0]) == faults or tuple(faults.split()) in found
    else:
        assert found == faults


toml_value = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.booleans().map(lambda one: str(one).lower()),
    st.sampled_from(['"neyman"', '"a"', '"systematic"', '"hilbert"', "[]", "{}", "1979-05-27", '"\\u0000"', "[[1]]"]),
)
keys = st.sampled_from(
    ["allocation", "total", "budget", "minimum", "cap", "power", "importance", "selection", "order", "reserve"]
)
own_keys = st.sampled_from(["code", "n", "spread", "cost", "mean", "group", "selection", "order"])


@given(st.dictionaries(keys, toml_value, max_size=6), st.lists(st.dictionaries(own_keys, toml_value), max_size=3))
def test_whatever_a_plan_says_it_is_resolved_or_refused_with_a_sentence(
    top: dict[str, str], tables: list[dict[str, str]]
) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in top.items())
    text += "".join("[[stratum]]\n" + "".join(f"{key} = {value}\n" for key, value in one.items()) for one in tables)
    try:
        plan = resolve(read_plan_file(text), SIZES)
    except Refused as refused:
        for fault in refused.faults:
            assert fault.path.startswith("plan.toml")
            assert "<" not in say(fault, "zh") + say(fault, "en")
    else:
        assert all(0 <= line.n <= SIZES[line.stratum] for line in plan.lines)
