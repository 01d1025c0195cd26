"""Double random: who may go where, how often, and that the record alone repeats it."""

import copy
import json
from collections import Counter
from contextlib import suppress
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from survey_forms.inspection.datum import Position
from survey_forms.inspection.double_random import (
    Draw,
    Plan,
    Rate,
    Sent,
    Unsent,
    draw,
    stand_in,
)
from survey_forms.inspection.double_random_plan import hashes_of, out_of_reach, read_plan
from survey_forms.inspection.double_random_record import (
    REPLACED,
    WITHDRAWN,
    Change,
    Drawn,
    first_difference,
    published,
    record_hash,
    record_of,
    seed_for,
    standing_after,
)
from survey_forms.inspection.nearness import is_within, metres
from survey_forms.refusal import Refused

SECRET = b"s" * 32
DRAWN = Drawn(
    SECRET,
    "排列三第 2026301 期 1 2 3",
    {"committed_at": "2026-11-01T10:00", "committed_by": "王核", "drawn_at": "2026-11-02T21:00", "drawn_by": "李定"},
)
SHARES = {"A": "0.1", "B": "0.25", "C": "0.5", "D": "1"}
DAYS = ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]


def a_site(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "id": str(number), "unit": f"u{number % 4}", "name": f"大厅 {number}", "lat": f"{24.4 + number % 7 / 50:.6f}",
        "lon": f"{118.0 + number % 5 / 50:.6f}", "datum": "WGS-84", "risk": "ABCD"[number % 4],
        "group": "ABCD"[number % 4], "visits": 0, "because": "",
    } | facts  # fmt: skip


def an_inspector(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "id": f"i{number}", "name": f"检查员 {number}", "organisation": "", "skills": [] if number % 3 else ["消防"],
        "lat": f"{24.4 + number % 4 / 20:.2f}", "lon": "118.05", "datum": "WGS-84", "most_km": 25, "recused": [],
    } | facts  # fmt: skip


def a_plan(sites: int = 24, inspectors: int = 8, **facts: Any) -> dict[str, Any]:
    return {
        "format": "mingcha-inspection-plan/1", "evaluation": "city-2026", "title": "窗口作风抽查",
        "item": {"code": "W1", "zh": "窗口作风", "en": "Window conduct", "key": False, "skill": ""},
        "announced": False, "crew": 2, "a_day": 3, "apart_km": 30, "days": DAYS,
        "rates": {group: {"share": share, "least": 1, "times": 2} for group, share in SHARES.items()},
        "randomness": {"source": "排列三", "known_from": "2026-11-02T20:30:00+08:00", "form": "######"},
        "sites": [a_site(number) for number in range(sites)],
        "inspectors": [an_inspector(number) for number in range(inspectors)],
    } | facts  # fmt: skip


def drawn_by(document: dict[str, Any], seed: str = "seed") -> tuple[Plan, Draw]:
    plan = read_plan(document)
    return plan, draw(plan, seed)


def codes(act, *facts: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        act(*facts)
    return [fault.code for fault in refused.value.faults]


ELSEWHERE = st.dictionaries(st.sampled_from(DAYS), st.integers(1, 4))


@st.composite
def plans(draw_from) -> dict[str, Any]:
    """Plans in which rules bite: recusals, short distances, few skills, few days."""
    inspectors = [
        an_inspector(
            number,
            most_km=draw_from(st.sampled_from([3, 8, 25, None])),
            skills=draw_from(st.sampled_from([[], ["消防"]])),
            recused=draw_from(st.lists(st.sampled_from(["u0", "u1", "u2", "u3"]), unique=True)),
            **draw_from(st.just({}) | st.fixed_dictionaries({"elsewhere": ELSEWHERE})),
        )
        for number in range(draw_from(st.integers(2, 7)))
    ]
    sites = [a_site(number, visits=draw_from(st.integers(0, 3))) for number in range(draw_from(st.integers(1, 16)))]
    return a_plan(
        sites=0,
        inspectors=0,
        days=DAYS[: draw_from(st.integers(1, 4))],
        a_day=draw_from(st.integers(1, 3)),
        apart_km=draw_from(st.sampled_from([0, 5, 30])),
        crew=2,
        item={"code": "W1", "zh": "x", "en": "x", "key": False, "skill": draw_from(st.sampled_from(["", "消防"]))},
    ) | {"sites": sites, "inspectors": inspectors}


@settings(max_examples=150, deadline=None)
@given(plans(), st.integers(0, 10**6))
def test_no_rule_is_ever_relaxed(document, number):
    plan, drawn = drawn_by(document, str(number))
    places, hands = {one.id: one for one in plan.places}, {one.id: one for one in plan.hands}
    busy: dict[tuple[str, str], list[str]] = {}
    for one in drawn.sent:
        place = places[one.place]
        assert one.day in plan.days
        assert len(set(one.crew)) == plan.rules.crew
        assert place.visits < 2
        for name in one.crew:
            hand = hands[name]
            assert place.unit not in hand.recused
            assert hand.most_m is None or metres(hand.base, place.position) <= hand.most_m
            busy.setdefault((name, one.day), []).append(one.place)
        assert not plan.rules.skill or plan.rules.skill in hands[one.crew[0]].skills
    for (name, day), sites in busy.items():
        assert len(sites) + hands[name].elsewhere.get(day, 0) <= plan.rules.a_day
        assert all(metres(places[a].position, places[b].position) <= plan.rules.apart_m for a in sites for b in sites)
    of_groups = {site for one in drawn.groups for site in one.drawn}
    assert of_groups == {one.place for one in drawn.sent} | {site for site, _ in drawn.unsent}
    assert drawn == draw(plan, str(number))


@settings(max_examples=100, deadline=None)
@given(plans(), st.lists(ELSEWHERE, min_size=7, max_size=7), st.integers(0, 10**6))
def test_a_second_draw_leaves_everybody_within_their_day(document, before, number):
    """What one draw sent somebody to is elsewhere for the next: both together stay within `a_day`, replaced or not."""
    for one, already in zip(document["inspectors"], before, strict=False):
        one["elsewhere"] = already
    plan, first = drawn_by(document, str(number))
    totals = Counter({(hand.id, day): count for hand in plan.hands for day, count in hand.elsewhere.items()})
    allowed = {key: max(count, plan.rules.a_day) for key, count in totals.items()}
    totals.update((name, one.day) for one in first.sent for name in one.crew)
    for one in document["inspectors"]:
        one["elsewhere"] = {day: totals[one["id"], day] for day in DAYS if totals[one["id"], day]}
    again, second = drawn_by(document, f"{number} again")
    sent = {one.place: one for one in second.sent}
    for place, one in list(sent.items()):
        with suppress(Refused):
            sent[place] = stand_in(again, f"{number} again", sent.values(), place, one.crew[0], frozenset())
    totals.update((name, one.day) for one in sent.values() for name in one.crew)
    assert all(count <= allowed.get(key, plan.rules.a_day) for key, count in totals.items())


@settings(max_examples=50, deadline=None)
@given(plans(), st.integers(0, 10**6))
def test_a_plan_that_says_nothing_of_other_work_is_drawn_as_ever(document, number):
    for one in document["inspectors"]:
        one.pop("elsewhere", None)
    _, bare = drawn_by(document, str(number))
    told = copy.deepcopy(document)
    for one in told["inspectors"]:
        one["elsewhere"] = {}
    assert drawn_by(told, str(number))[1] == bare


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"tomorrow": 1}, "inspection_plan_day"),
        ({"2026-11-23": "1"}, "inspection_plan_number"),
        ({"2026-11-23": -1}, "inspection_plan_number"),
        ([1], "not_an_object"),
    ],
)
def test_other_work_is_counted_by_days_in_whole_numbers(given, code):
    document = a_plan()
    document["inspectors"][0]["elsewhere"] = given
    assert codes(read_plan, document) == [code]


@settings(max_examples=100, deadline=None)
@given(plans(), st.integers(0, 10**6))
def test_every_record_repeats_from_itself_alone(document, number):
    record = record_of(document, Drawn(SECRET, f"{number:06}", DRAWN.about))
    assert first_difference(published(record, [])) is None


def test_everybody_of_a_risk_class_has_the_chance_that_the_share_gives():
    plan = read_plan(a_plan(sites=40))
    times: Counter[str] = Counter()
    seeds = 3000
    for number in range(seeds):
        times.update(site for one in draw_groups(plan, str(number)) for site in one)
    for group, share in SHARES.items():
        members = [place.id for place in plan.places if place.group == group]
        count = plan.rates[group].count(len(members), len(members))
        assert count == max(1, -(-Fraction(share) * len(members) // 1))
        seen, expected = [times[one] for one in members], seeds * count / len(members)
        assert sum(seen) == seeds * count
        if count == len(members):
            assert set(seen) == {seeds}
            continue
        # Without replacement Pearson's sum is (N - n) / (N - 1) times a chi-square of N - 1 degrees.
        factor = (len(members) - 1) / (len(members) - count)
        assert chi2.sf(factor * sum((one - expected) ** 2 / expected for one in seen), len(members) - 1) > 1e-4


def draw_groups(plan: Plan, seed: str) -> list[tuple[str, ...]]:
    """The drawn sites alone: crews are not needed to count chances."""
    bare = Plan(plan.days, plan.rules, plan.rates, plan.places, ())
    return [one.drawn for one in draw(bare, seed).groups]


def test_days_and_crews_spread_over_many_seeds():
    plan = read_plan(a_plan(sites=4, inspectors=6))
    days: Counter[str] = Counter()
    crews: Counter[str] = Counter()
    for number in range(1200):
        for one in draw(plan, str(number)).sent:
            days[one.day] += 1
            crews.update(one.crew)
    assert chisquare([days[day] for day in plan.days]).pvalue > 1e-4
    assert min(crews.values()) > 0.7 * max(crews.values())


@pytest.mark.parametrize(
    ("share", "least", "size", "left", "count"),
    [("0.05", 0, 21, 21, 2), ("0.05", 0, 20, 20, 1), ("0.01", 3, 50, 50, 3), ("0.5", 0, 10, 2, 2), ("0", 0, 9, 9, 0)],
)
def test_a_share_is_rounded_up_and_at_least_n_and_at_most_what_is_left(share, least, size, left, count):
    assert Rate(Fraction(share), least, None).count(size, left) == count


def test_a_site_visited_often_enough_this_year_is_left_out_and_named():
    document = a_plan(sites=4)
    document["sites"][3]["visits"] = 2
    _, drawn = drawn_by(document)
    assert [one.left_out for one in drawn.groups if one.group == "D"] == [("3",)]
    assert "3" not in {one.place for one in drawn.sent}


def test_complaints_raise_a_rate_only_where_the_plan_says_so_with_its_reason():
    document = a_plan(sites=20)
    for number in (0, 4, 8):
        document["sites"][number] |= {"group": "raised", "because": "12345 热线三起投诉"}
    assert "inspection_plan_no_rate" in codes(read_plan, document)
    document["rates"]["raised"] = {"share": "1", "least": 0, "times": None}
    _, drawn = drawn_by(document)
    assert {"0", "4", "8"} <= {one.place for one in drawn.sent}
    document["sites"][0]["because"] = ""
    assert codes(read_plan, document) == ["inspection_plan_because"]


@pytest.mark.parametrize(
    ("own", "raised", "code"),
    [
        ({}, {"share": "0"}, "inspection_plan_raised_low"),
        ({}, {"share": "0.49"}, "inspection_plan_raised_low"),
        ({"least": 3}, {"share": "0.59"}, "inspection_plan_raised_low"),  # 3 of 5 are drawn at least
        ({}, {"times": 1}, "inspection_plan_raised_times"),
        ({"times": None}, {"times": 300}, "inspection_plan_raised_times"),
        ({}, {"share": "0.5"}, None),
        ({"least": 3}, {"share": "0.6", "times": 2}, None),
        ({"least": 99}, {"share": "1"}, None),
    ],
)
def test_raising_never_makes_a_site_less_likely_than_its_own_class(own, raised, code):
    document = a_plan(sites=20)
    document["sites"][2] |= {"group": "raised", "because": "群众来信"}  # of class C, share 0.5, five sites
    document["rates"]["C"] |= {"least": 0} | own
    document["rates"]["raised"] = {"share": "1", "least": 0, "times": None} | raised
    if code:
        assert codes(read_plan, document) == [code]
    else:
        assert read_plan(document).rates["raised"].share >= Fraction(1, 2)


def test_a_site_is_drawn_in_its_own_class_or_raised():
    document = a_plan()
    document["sites"][3]["group"] = "A"
    assert codes(read_plan, document) == ["inspection_plan_group"]


def test_sites_that_nobody_could_go_to_are_named_before_the_draw():
    document = a_plan()
    assert out_of_reach(read_plan(document)) == {}
    for one in document["inspectors"][1:]:
        one["recused"] = ["u1"]
    document["sites"][0] |= {"lat": "30.000000"}
    named = out_of_reach(read_plan(document))
    assert named == {Unsent.RECUSAL: [str(n) for n in range(1, 24, 4)], Unsent.DISTANCE: ["0"]}
    _, drawn = drawn_by(document)
    assert all(site in named[why] for site, why in drawn.unsent if why in named)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"recused": ["u0", "u1", "u2", "u3"]}, Unsent.RECUSAL),
        ({"most_km": 1, "lat": "30.00"}, Unsent.DISTANCE),
        ({"skills": []}, Unsent.SKILL),
    ],
)
def test_a_site_without_a_crew_is_named_with_the_reason(change, why):
    document = a_plan(sites=8)
    document["item"]["skill"] = "消防"
    document["inspectors"] = [one | change for one in document["inspectors"]]
    _, drawn = drawn_by(document)
    assert not drawn.sent
    assert {reason for _, reason in drawn.unsent} == {why}


def test_too_few_days_leave_sites_unsent_as_busy():
    document = a_plan(sites=24, inspectors=2, days=DAYS[:1], a_day=2)
    document["inspectors"] = [one | {"most_km": None} for one in document["inspectors"]]
    _, drawn = drawn_by(document)
    assert len(drawn.sent) == 2
    assert {reason for _, reason in drawn.unsent} == {Unsent.BUSY}


def test_work_is_spread_evenly_where_nothing_binds():
    document = a_plan(sites=40, inspectors=8)
    document["inspectors"] = [one | {"most_km": None} for one in document["inspectors"]]
    _, drawn = drawn_by(document)
    loads = Counter(name for one in drawn.sent for name in one.crew)
    assert max(loads.values()) - min(loads.values()) <= 1


ANYWHERE = st.builds(Position, st.floats(-89, 89), st.floats(-180, 180))


@settings(max_examples=300, deadline=None)
@given(ANYWHERE, ANYWHERE | st.none(), st.floats(-0.5, 0.5), st.floats(-0.02, 0.02))
def test_the_quick_look_at_a_distance_never_differs_from_the_geodesic(one, other, near, about):
    other = other or Position(max(-90.0, min(90.0, one.lat + near)), one.lon)
    exact = metres(one, other)
    for most in (0, 1000, exact, exact - 1, exact + 1, round(exact * (1 + about))):
        assert is_within(one, other, most) == (exact <= most)


def test_the_next_in_line_stands_in_and_nobody_may_choose():
    plan, drawn = drawn_by(a_plan())
    one = drawn.sent[0]
    after = stand_in(plan, "seed", drawn.sent, one.place, one.crew[1], frozenset())
    assert after.crew[0] == one.crew[0]
    assert after.crew[1] not in one.crew
    again = stand_in(plan, "seed", drawn.sent, one.place, one.crew[1], frozenset({after.crew[1]}))
    assert again.crew[1] not in {*one.crew, after.crew[1]}
    everybody = frozenset(hand.id for hand in plan.hands)
    assert codes(stand_in, plan, "seed", drawn.sent, one.place, one.crew[1], everybody) == ["stand_in_nobody"]
    assert codes(stand_in, plan, "seed", drawn.sent, one.place, "nobody", frozenset()) == ["stand_in_not_there"]


def test_whoever_stands_in_brings_the_skill_that_left():
    document = a_plan(sites=8, inspectors=9, a_day=10, apart_km=5000)
    document["item"]["skill"] = "消防"
    document["inspectors"] = [
        one | {"skills": ["消防"] if number in {0, 5} else [], "most_km": None}
        for number, one in enumerate(document["inspectors"])
    ]
    plan, drawn = drawn_by(document)
    alone = [one for one in drawn.sent if not {"i0", "i5"} <= set(one.crew)]
    assert alone
    for one in alone:
        other = {"i0": "i5", "i5": "i0"}[one.crew[0]]
        barred = frozenset(hand.id for hand in plan.hands) - {other, "i1"}
        assert stand_in(plan, "seed", drawn.sent, one.place, one.crew[0], barred).crew[0] == other


def a_record(*, changes: bool = False) -> dict[str, Any]:
    document = a_plan()
    record = record_of(document, DRAWN)
    if not changes:
        return published(record, [])
    plan, seed = read_plan(document), record["seed"]
    drawn = draw(plan, seed)
    first, second = drawn.sent[0], drawn.sent[1]
    joins = stand_in(plan, seed, drawn.sent, first.place, first.crew[0], frozenset({"i1"})).crew[0]
    made = [
        Change(REPLACED, first.place, "2026-11-22T09:00", "王核", "生病", first.crew[0], joins, ("i1",)),
        Change(WITHDRAWN, second.place, "2026-11-22T10:00", "王核", "台风停工"),
    ]
    return published(record, made)


def test_the_record_repeats_with_its_changes():
    record = a_record(changes=True)
    assert first_difference(record) is None
    plan = read_plan(record["plan"])
    sent = [Sent(one["site"], one["day"], tuple(one["crew"])) for one in record["assignments"]]
    changes = [Change(**(one | {"barred": tuple(one["barred"])})) for one in record["changes"]]
    standing = standing_after(plan, record["seed"], sent, changes)
    assert record["changes"][1]["site"] not in standing
    assert record["changes"][0]["joins"] in standing[record["changes"][0]["site"]].crew


def moved(record: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    changed = copy.deepcopy(record)
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = to
    return changed


@pytest.mark.parametrize(
    ("path", "to", "place"),
    [
        (("plan", "sites", 5, "visits"), 1, "plan_sha256"),
        (("plan", "inspectors", 2, "recused"), ["u1"], "plan_sha256"),
        (("secret",), "00" * 32, "commitment"),
        (("randomness",), "另一期 4 5 6", "seed"),
        (("assignments", 2, "day"), "2026-11-30", "assignments[2].day"),
        (("assignments", 2, "crew", 1), "i7x", "assignments[2].crew[1]"),
        (("groups", "D", "drawn", 0), "23x", "groups.D.drawn[0]"),
        (("drawn_by",), "别人", "record_sha256"),
        (("changes", 0, "joins"), "i1", "changes[0].joins"),
        (("changes", 0, "leaves"), "nobody", "changes[0].joins"),
    ],
)
def test_whatever_is_changed_in_a_record_is_named(path, to, place):
    found = first_difference(moved(a_record(changes=True), *path, to=to))
    assert found is not None
    assert found.place == place


def test_what_is_no_record_is_refused_by_place():
    record = a_record()
    assert codes(first_difference, []) == ["inspection_record_format"]
    assert codes(first_difference, moved(record, "format", to="x")) == ["inspection_record_format"]
    assert codes(first_difference, moved(record, "seed", to=None))[0] == "missing_value"
    assert codes(first_difference, moved(record, "secret", to="zz")) == ["inspection_record_uncanonical"]
    assert codes(first_difference, moved(record, "plan", "crew", to=1)) == ["inspection_plan_number"]
    assert codes(first_difference, moved(record, "plan", "sites", 0, "lat", to="91.000000")) == [
        "inspection_plan_degrees"
    ]
    assert codes(first_difference, moved(record, "plan", "sites", 0, "visits", to=0.5)) == [
        "inspection_record_uncanonical"
    ]


def test_without_the_secret_the_public_numbers_say_nothing_of_the_sites():
    document = a_plan(sites=60)
    seeds = {seed_for(document, DRAWN.randomness, bytes([number]) * 32) for number in range(20)}
    assert len(seeds) == 20
    plan = read_plan(document)
    assert len({draw(plan, seed).sent for seed in seeds}) == 20


def test_the_seed_is_the_samples_rule_with_the_secret_behind_the_randomness():
    document = a_plan()
    hashes = hashes_of(document)
    text = f"mingcha-draw/1\n{hashes.directories}\n{hashes.plan}\n{DRAWN.randomness}|{SECRET.hex()}\n"
    assert seed_for(document, DRAWN.randomness, SECRET) == sha256(text.encode()).hexdigest()
    record = record_of(document, DRAWN)
    assert record_hash(published(record, [])) == record_hash(record)


def test_every_fault_of_a_plan_is_named_at_once():
    document = a_plan(sites=2, inspectors=2, days=[*DAYS, DAYS[0], "23 November"])
    document["sites"][1]["id"] = "0"
    assert codes(read_plan, document) == ["inspection_plan_day", "inspection_plan_twice", "inspection_plan_twice"]
    assert codes(read_plan, a_plan(sites=0, inspectors=1, days=[])) == [
        "inspection_plan_no_days", "inspection_plan_no_sites", "inspection_plan_few_inspectors",
    ]  # fmt: skip


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a JSON document, its own first."""
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in children:
        found += places_in(one, (*path, key))
    return found


JUNK = st.sampled_from([None, True, -1, 10**20, 0.5, "", "x", "0" * 64, [], {}, ["x"], {"x": 1}, "\ud800", "1", [[]]])
WHOLE = a_record(changes=True)
PLACES = places_in(WHOLE)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), JUNK)
def test_whatever_stands_anywhere_in_a_record_is_answered_in_words(path, junk):
    changed = moved(WHOLE, *path, to=junk)
    try:
        found = first_difference(changed)
    except Refused:
        return
    assert (found is None) == (json.dumps(changed) == json.dumps(WHOLE))
