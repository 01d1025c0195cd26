"""Whole draws by every method: repeated from their record by hand, and fair over seeds."""

import json
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from survey_forms.sampling.drawing import draw_plan, standing, tickets_of
from survey_forms.sampling.frame import COLUMNS, frame_of
from survey_forms.sampling.plan import plan_of
from survey_forms.sampling.record import record_of
from survey_forms.sampling.spatial import hilbert
from tests.rules.members import MEMBERS, METHODS, hashed, planned


def walked(order: str, members: list[dict[str, str]], n: int) -> list[dict[str, str]]:
    """The order as docs/draw.md has it, but for the curve, which has tests of its own."""
    north = [round(float(one["latitude"]) * 1e6) for one in members]
    east = [round(float(one["longitude"]) * 1e6) for one in members]
    places = list(range(len(members)))
    if order == "administrative":
        places.sort(key=lambda at: members[at]["sort"].encode())
    elif order == "hilbert":
        places = hilbert(north, east).tolist()
    elif order == "serpentine":
        bands = int(n**0.5)
        band = [(one - min(north)) * bands // (max(north) - min(north) + 1) for one in north]
        places.sort(key=lambda at: (band[at], -east[at] if band[at] % 2 else east[at]))
    return [members[at] for at in places]


def sizes_to_chances(members: list[dict[str, str]], n: int) -> list[Fraction]:
    """Sizes here are never so unequal that somebody is certain."""
    sizes = [int(one["size"]) for one in members]
    assert n * max(sizes) < sum(sizes)
    return [Fraction(n * size, sum(sizes)) for size in sizes]


def by_hand(record: dict[str, Any], stratum: str) -> list[str]:
    """The sample of a stratum from what the record publishes, with nothing of the product but Hilbert's order."""
    told = record["strata"][stratum]
    members = [one for one in MEMBERS if one["stratum"] == stratum]
    n, size, seed = told["n"], len(members), record["seed"]
    start = Fraction(int(hashed(f"{seed}|start|{stratum}")[:16], 16), 2**64)
    walk = walked(told["order"], members, n)
    match told["selection"]:
        case "systematic":
            return [walk[int((start + at) * size / n)]["unit_id"] for at in range(n)]
        case "systematic_pps":
            edges = [-start]
            for chance in sizes_to_chances(walk, n):
                edges.append(edges[-1] + chance)
            return [
                one["unit_id"]
                for one, low, high in zip(walk, edges, edges[1:], strict=False)
                if any(low <= whole < high for whole in range(n))
            ]
        case way:
            key = record["permanent"] or seed
            number = {one["unit_id"]: int(hashed(f"{key}|{stratum}|{one['unit_id']}"), 16) for one in members}
            number = {unit: (one - int(told["shift"], 16)) % 2**256 for unit, one in number.items()}
            if way == "tickets":
                return sorted(number, key=number.__getitem__)[:n]
            u = {unit: Fraction(one, 2**256) for unit, one in number.items()}
            p = dict(zip(u, sizes_to_chances(members, n), strict=True))
            return sorted(u, key=lambda unit: (u[unit] / (1 - u[unit])) / (p[unit] / (1 - p[unit])))[:n]


@pytest.mark.parametrize(("selection", "order"), METHODS)
@pytest.mark.parametrize(("shift", "permanent"), [(0, None), (3 << 254, "a secret")])
def test_anybody_can_draw_again_from_the_record(selection: str, order: str, shift: int, permanent: str | None) -> None:
    frame, plan = planned(selection, order, shift=shift, permanent=permanent)
    drawing = draw_plan(frame, plan, "the lottery")
    record = json.loads(json.dumps(record_of(plan, drawing)))
    assert record["seed"] == hashed(f"mingcha-draw/1\n{frame.sha256}\n{hashed(plan.text)}\nthe lottery\n")
    assert ("permanent_must_be" in record) == (permanent is not None)
    if plan.columns:
        rows = "".join(
            ",".join([one["stratum"], one["unit_id"], *(canonical(one, column) for column in plan.columns)]) + "\n"
            for one in MEMBERS
        )
        assert hashed(rows) == record["facts_sha256"]
        assert f"facts,{'+'.join(plan.columns)},{record['facts_sha256']}\n" in record["plan"]
    for stratum, told in record["strata"].items():
        assert told["sample"] == by_hand(record, stratum)
        assert len(set(told["sample"] + told["reserve"])) == 9 + 4
        chances = [told["inclusion"]] * 13 if isinstance(told["inclusion"], str) else told["inclusion"]
        drawn = next(one for one in drawing.strata if one.stratum == stratum)
        assert [drawn.inclusion(place) for place in range(13)] == [Fraction(one) for one in chances]
        key = permanent or record["seed"]
        assert dict(tickets_of(drawing, drawn)) == {
            unit: hashed(f"{key}|{stratum}|{unit}") for unit in told["sample"] + told["reserve"]
        }


def canonical(one: dict[str, str], column: str) -> str:
    return str(round(float(one[column]) * 1e6)) if COLUMNS[column] else one[column]


@pytest.mark.parametrize(("selection", "order"), METHODS)
def test_every_unit_can_ask_and_is_told_the_truth(selection: str, order: str) -> None:
    frame, plan = planned(selection, order)
    drawing = draw_plan(frame, plan, "r")
    for drawn in drawing.strata:
        found = [standing(frame, plan, drawing, unit) for unit in frame.members[drawn.stratum]]
        assert sorted(one.place for one in found) == list(range(1, drawn.size + 1))
        assert {one.unit_id for one in found if one.drawn} == set(drawn.sample)
        assert {one.unit_id for one in found if one.role == "reserve"} == set(drawn.reserve)
        if selection in {"tickets", "pareto"}:
            line = [one.unit_id for one in sorted(found, key=lambda one: one.place)]
            assert line[:13] == [*drawn.sample, *drawn.reserve]
            within = {one.unit_id for one in found if number_of(one.value) <= number_of(one.threshold)}
            assert within == set(drawn.sample)
        else:
            assert {one.place - 1 for one in found if one.drawn} == set(drawn.systematic)


def number_of(value: str | None) -> Fraction:
    assert value is not None
    return Fraction(value) if "/" in value else Fraction(int(value, 16))


# --- fair over seeds --------------------------------------------------------------------------------------------


def test_over_ten_thousand_seeds_every_unit_is_drawn_as_often_as_n_of_n_h_says() -> None:
    sizes, seeds = {"a": (6, 1), "b": (9, 3), "c": (4, 4)}, 10_000
    frame = frame_of(
        ("", stratum, f"{stratum}{place}") for stratum, (size, _) in sizes.items() for place in range(size)
    )
    plan = plan_of(("", stratum, str(n)) for stratum, (_, n) in sizes.items())
    times: Counter[str] = Counter()
    firsts: Counter[str] = Counter()
    for seed in range(seeds):
        for drawn in draw_plan(frame, plan, f"value {seed}").strata:
            times.update(drawn.sample)
            firsts.update(drawn.reserve[:1])
    for stratum, (size, n) in sizes.items():
        units, share = frame.members[stratum], n / size
        if share == 1:
            assert all(times[unit] == seeds for unit in units)
            continue
        # fixed n: variance with the correction (N-1)/N of sampling without replacement
        statistic = sum((times[one] - seeds * share) ** 2 / (seeds * share * (1 - share)) for one in units)
        assert statistic * (size - 1) / size < chi2.ppf(0.999, size - 1)
        first = sum((firsts[one] - seeds / size) ** 2 / (seeds / size) for one in units)
        assert first < chi2.ppf(0.999, size - 1)


def test_two_values_draw_two_samples() -> None:
    for selection, order in METHODS:
        frame, plan = planned(selection, order)
        one, other = (draw_plan(frame, plan, value) for value in ("03 09", "03 10"))
        assert one == draw_plan(frame, plan, "03 09")
        assert [drawn.sample for drawn in one.strata] != [drawn.sample for drawn in other.strata]


@given(st.integers(1, 40), st.text(max_size=4))
def test_a_walk_takes_one_unit_of_every_interval(n: int, value: str) -> None:
    frame, plan = planned("systematic", "hilbert", n)
    for drawn in draw_plan(frame, plan, f"r{value!r}").strata:
        intervals = [[Fraction(drawn.size * at, n), Fraction(drawn.size * (at + 1), n)] for at in range(n)]
        assert all(low - 1 < place < high for place, (low, high) in zip(drawn.systematic, intervals, strict=True))
        assert len(set(drawn.systematic)) == n
