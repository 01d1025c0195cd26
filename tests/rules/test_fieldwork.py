"""How a case moves and which comes next: the rules alone, as laws wherever they are laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.estimation.outcomes import CODES, class_of, final_of
from survey_forms.fieldwork.consequences import CONSEQUENCES, DESK_KEYS, KEYS, consequence_of
from survey_forms.fieldwork.order import PARTS, Waiting, may_be_tried, may_call, next_case, part_of
from survey_forms.fieldwork.plan import LIMITS, MODES, Plan, check_plan, modes_in_order
from survey_forms.fieldwork.stage import Attempt, standing
from survey_forms.refusal import Refused

NOON = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)  # a Monday, 12:00 in China
PLAN = Plan(script_zh="您好")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def attempts(*outcomes: str, mode: str = "phone", every: timedelta = DAY) -> list[Attempt]:
    begins = [NOON + place * every for place in range(len(outcomes))]
    return [Attempt(mode, one, at, at + timedelta(minutes=2)) for one, at in zip(outcomes, begins, strict=True)]


plans = st.builds(
    Plan,
    modes=st.sampled_from([("web", "phone", "visit"), ("phone", "visit"), ("phone",), ("visit",)]),
    spacing_minutes=st.integers(0, 1000),
    cooling_days=st.integers(0, 30),
    most_calls=st.integers(1, 6),
    most_visits=st.integers(1, 4),
)
histories = st.lists(st.sampled_from(sorted({*CONSEQUENCES, "1.1", "2.31", "4.70", "4.80"})), min_size=1, max_size=12)


# --- How a case moves -------------------------------------------------------------------------------------------


@given(plans, histories)
def test_a_case_never_goes_back_and_comes_to_an_end(plan, outcomes):
    stage, made = plan.modes[0] if plan.modes[0] != "web" else "phone", []
    order = [*MODES, "done"]
    for place, outcome in enumerate(outcomes):
        made.append(Attempt(stage, outcome, NOON + place * DAY, NOON + place * DAY))
        found = standing(stage, made, plan)
        assert order.index(found.stage) >= order.index(stage)
        assert found.stage == "done" or found.stage in plan.modes
        assert found.outcome == final_of([one.outcome for one in made])
        assert (found.not_before is None) == (found.stage == "done")
        stage = found.stage
        if stage == "done":
            break
    calls, visits = (sum(one.mode == mode for one in made) for mode in ("phone", "visit"))
    assert calls <= plan.most_calls
    assert visits <= plan.most_visits


@given(plans, histories)
def test_there_is_never_a_third_refusal(plan, outcomes):
    stage, made = "phone", []
    for outcome in outcomes:
        made.append(Attempt(stage, outcome, NOON, NOON))
        stage = standing(stage, made, plan).stage
        if stage == "done":
            break
    assert sum(class_of(one.outcome) == "R" for one in made) <= 2


def test_a_first_refusal_cools_down_and_the_second_is_final():
    first = standing("phone", attempts("2.112"), PLAN)
    assert first.stage == "phone"
    assert first.not_before == NOON + timedelta(minutes=2, days=PLAN.cooling_days)
    second = standing("phone", attempts("2.111", "3.13", "2.112"), PLAN)
    assert (second.stage, second.refusals, second.outcome) == ("done", 2, "2.112")


def test_after_the_last_call_the_visits_have_their_turn_and_after_the_last_visit_nobody():
    plan = replace(PLAN, most_calls=2, most_visits=1)
    calls = attempts("3.13", "3.13")
    assert standing("phone", calls, plan).stage == "visit"
    assert standing("phone", calls, replace(plan, modes=("web", "phone"))).stage == "done"
    assert standing("visit", [*calls, *attempts("2.24", mode="visit")], plan).stage == "done"


@pytest.mark.parametrize("dead", ["4.30", "4.31", "4.32", "4.41", "4.51", "3.15"])
def test_a_number_that_leads_nowhere_leaves_the_telephone_at_once(dead):
    assert standing("phone", attempts(dead), PLAN).stage == "visit"
    assert standing("phone", attempts(dead), replace(PLAN, modes=("phone",))).stage == "done"


@pytest.mark.parametrize(("outcome", "minutes"), [("3.12", 30), ("3.13", 180), ("2.25", 3 * 24 * 60), ("2.30", 180)])
def test_a_case_rests_as_long_as_its_outcome_says(outcome, minutes):
    assert standing("phone", attempts(outcome), PLAN).not_before == NOON + timedelta(minutes=2 + minutes)


def test_the_outcome_is_the_strongest_and_never_just_the_last():
    assert standing("phone", attempts("2.112", "3.13"), PLAN).outcome == "2.112"


def test_every_key_gives_an_outcome_of_its_mode_and_none_is_the_desks_own():
    for mode, keys in KEYS.items():
        assert len(set(keys.values())) == len(keys)
        for key, code in keys.items():
            assert mode in CODES[code].modes, (mode, code)
            assert len(key) == 1
            assert key not in DESK_KEYS


def test_every_consequence_is_of_a_code_that_exists_and_refusals_are_refusals():
    for code in CODES:
        assert (consequence_of(code).kind == "refusal") == (class_of(code) == "R" and code != "2.113"), code
    assert set(CONSEQUENCES) <= set(CODES)
    assert consequence_of("1.1").kind == "final"


# --- Which comes next -------------------------------------------------------------------------------------------

moments = st.integers(-3 * 24, 3 * 24).map(lambda hours: NOON + hours * HOUR)


@st.composite
def waiting(draw: st.DrawFn) -> list[Waiting]:
    cases = []
    for case_id in range(draw(st.integers(0, 8))):
        live = draw(st.none() | st.integers(1, 5).map(lambda hours: NOON + hours * HOUR))
        cases.append(
            Waiting(
                case_id,
                ticket=draw(st.sampled_from("abcdef")),
                priority=draw(st.integers(0, 2)),
                not_before=draw(st.none() | moments),
                live_until=live,
                booked=live is not None or draw(st.booleans()),
                parts=draw(st.dictionaries(st.sampled_from(PARTS), st.integers(1, 3))),
            )
        )
    return cases


@given(waiting(), st.randoms())
def test_the_next_case_hangs_on_no_order_of_asking(cases, chance):
    mixed = list(cases)
    chance.shuffle(mixed)
    assert next_case(cases, NOON, PLAN) == next_case(mixed, NOON, PLAN)


@given(waiting(), moments)
def test_nobody_is_tried_out_of_hours_or_while_resting_unless_they_said_so_themselves(cases, now):
    found = next_case(cases, now, PLAN)
    if found is None:
        assert not any(may_be_tried(one, now, PLAN) for one in cases)
    elif found.live_until is None:
        assert may_call(now, PLAN)
        assert not found.booked
        assert found.not_before is None or found.not_before <= now


@given(waiting())
def test_an_appointment_that_runs_comes_before_everything_and_the_one_that_ends_first_before_the_others(cases):
    live = [one.live_until for one in cases if one.live_until]
    found = next_case(cases, NOON, PLAN)
    if live:
        assert found is not None
        assert found.live_until == min(live)


def test_then_the_quota_cells_priority_then_another_time_of_day_then_the_ticket():
    part = part_of(NOON)
    plain = Waiting(1, "c")
    tried_now, tried_then = Waiting(2, "a", parts={part: 1}), Waiting(3, "b", parts={"evening": 2, "weekend": 1})
    urgent = Waiting(4, "z", priority=5, parts={part: 3})
    assert next_case([plain, tried_now, tried_then, urgent], NOON, PLAN) == urgent
    assert next_case([plain, tried_now, tried_then], NOON, PLAN) == tried_then
    assert next_case([plain, tried_now], NOON, PLAN) == plain


@pytest.mark.parametrize(
    ("hours", "part"),
    [(-1, "morning"), (0, "afternoon"), (5.9, "afternoon"), (6, "evening"), (5 * 24, "weekend"), (-24, "weekend")],
)
def test_the_parts_are_those_of_the_clock_in_china(hours, part):
    assert part_of(NOON + hours * HOUR) == part


def test_calling_hours_begin_with_their_first_minute_and_end_before_their_last():
    midnight = NOON - 12 * HOUR
    told = [may_call(midnight + timedelta(minutes=minute), PLAN) for minute in (539, 540, 1259, 1260)]
    assert told == [False, True, True, False]


# --- The plan ---------------------------------------------------------------------------------------------------


def test_a_plan_tells_every_fault_at_once_and_where():
    plan = Plan(modes=("visit", "web"), most_calls=0, calls_from=900, calls_until=900, script_zh=" ")
    with pytest.raises(Refused) as refused:
        check_plan(plan)
    assert {(fault.code, fault.path) for fault in refused.value.faults} == {
        ("fieldwork_modes_wrong", "modes"),
        ("fieldwork_number_wrong", "most_calls"),
        ("fieldwork_hours_wrong", "calls_until"),
        ("fieldwork_script_missing", "script_zh"),
    }


@given(st.fixed_dictionaries({name: st.integers(least - 1, most + 1) for name, (least, most) in LIMITS.items()}))
def test_a_plan_that_passes_keeps_to_its_limits(numbers):
    plan = Plan(script_zh="您好", **numbers)
    try:
        check_plan(plan)
    except Refused:
        inside = all(least <= numbers[name] <= most for name, (least, most) in LIMITS.items())
        assert not inside or numbers["calls_until"] <= numbers["calls_from"]
    else:
        assert all(least <= numbers[name] <= most for name, (least, most) in LIMITS.items())


def test_modes_keep_their_order_whatever_the_order_of_ticking():
    assert modes_in_order(["visit", "phone", "visit", "fax"]) == ("phone", "visit")
