"""What caps cut off is named, and together with what counts it is everything that was entered."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Aspect, Rule
from survey_forms.scoring.ledger import Caps, Entry, caps_of_ledger, cuts, deducted

points = st.decimals(min_value="0.01", max_value="50", places=2)
cap = st.none() | points


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[list[Entry], Caps]:
    aspects = {one: Aspect(one, one, one, cap=draw(cap), article="甲") for one in ("a", "b")}
    rules = {
        f"{aspect}{n}": Rule(f"{aspect}{n}", "-", "-", aspect=aspect, cap=draw(cap), article="乙")
        for aspect in aspects
        for n in (1, 2)
    }
    chosen = draw(st.lists(st.tuples(st.sampled_from(sorted(rules)), points), max_size=12))
    entries = [Entry(f"L{n}", "x", amount, rules[rule].aspect, rule) for n, (rule, amount) in enumerate(chosen)]
    return entries, Caps(draw(cap), aspects, rules)


@given(ledgers())
def test_what_counts_and_what_was_cut_off_make_what_was_entered(ledger):
    entries, caps = ledger
    entered = sum((one.points for one in entries), Decimal(0))
    found = cuts(entries, caps)
    assert deducted(entries, caps) + sum((one.points for one in found), Decimal(0)) == entered
    assert all(one.points > 0 for one in found)


@given(ledgers())
def test_the_total_is_cut_last_and_every_cut_names_its_limit(ledger):
    entries, caps = ledger
    for at, one in enumerate(found := cuts(entries, caps, "丙")):
        limit = {"rule": caps.rules.get(one.id), "aspect": caps.aspects.get(one.id)}.get(one.kind)
        assert one.cap == (limit.cap if limit else caps.total)
        assert one.article == {"rule": "乙", "aspect": "甲", "total": "丙"}[one.kind]
        assert one.kind != "total" or at == len(found) - 1


def test_rule_aspect_and_total_cut_in_turn():
    rules = {"r": Rule("r", "-", "-", aspect="a", cap=Decimal(2)), "s": Rule("s", "-", "-", aspect="a")}
    caps = Caps(Decimal(3), {"a": Aspect("a", "-", "-", cap=Decimal("3.5"))}, rules)
    entries = [Entry("1", "x", Decimal("2.4"), "a", "r"), Entry("2", "x", Decimal(2), "a", "s")]
    assert [(one.kind, one.id, one.came, one.points) for one in cuts(entries, caps)] == [
        ("rule", "r", Decimal("2.4"), Decimal("0.4")),
        ("aspect", "a", Decimal("4.0"), Decimal("0.5")),
        ("total", "", Decimal("3.5"), Decimal("0.5")),
    ]
    assert deducted(entries, caps) == 3


def test_a_schemes_limits_are_found_by_component():
    assert caps_of_ledger(load_scheme("bailian"), "inspection").total == 3
    assert caps_of_ledger(load_scheme("hami-transport"), "efficiency") == Caps()
