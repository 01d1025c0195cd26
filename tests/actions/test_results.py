"""Composites from what is stored: by hand on a small scheme, through the command line, and with something missing."""

import json
import math
import subprocess
import sys
from decimal import Decimal

import pytest
from sqlalchemy import text

from api.actions.results import compose
from api.actions.tally import fold
from api.store.results import estimates_of, latest_composite
from tests.worker.town import GROUPS, NOW, a_town, answer, enter, rate_all, score_indicators

TEN = ("v5", "v5", "v5", "v4", "v4", "v4", "v3", "v3", "v2", "v1")
POINTS = (100, 100, 100, 80, 80, 80, 60, 60, 30, 0)
MEAN = Decimal(sum(POINTS)) / 10  # 69


@pytest.fixture
def town(connection):
    return a_town(connection)


def compose_now(connection, town):
    fold(connection, 5000)
    compose(connection, town.evaluation_id, NOW)
    found = latest_composite(connection, town.evaluation_id)
    assert found is not None
    return found


def everybody_answers(connection, town) -> None:
    for group in GROUPS:
        answer(connection, town, *((group, rate_all(choice)) for choice in TEN))


def test_a_composite_is_what_a_person_computes_by_hand(connection, town):
    everybody_answers(connection, town)
    score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    enter(connection, town, "harbour", "2", aspect="conduct")
    gone = enter(connection, town, "harbour", "0.5")
    enter(connection, town, "harbour", "0.5", reverses=gone)
    enter(connection, town, "library", "7", aspect="no such aspect")
    found = compose_now(connection, town)
    assert found.problems == []
    harbour, library = found.output["units"]
    # 91.5 × 80 % + 69 × 20 % − 2, and 80 × 80 % + 69 × 20 % − min(7, 3)
    assert (harbour["id"], harbour["composite"], harbour["rank"]) == ("harbour", "85.00", 1)
    assert (library["id"], library["composite"], library["grade"]) == ("library", "74.80", "差")
    assert library["cut_by_cap"] == "4"
    assert harbour["trace"]
    assert found.ledger_seq == gone + 2
    assert found.input["units"][0]["deductions"] == [
        {"id": f"L{gone - 1}", "to": "inspection", "points": "2", "aspect": "conduct"},
        {"id": f"L{gone}", "to": "inspection", "points": "0.5"},
        {"id": f"L{gone + 1}", "reverses": f"L{gone}"},
    ]
    assert found.input["units"][1]["deductions"] == [{"id": f"L{gone + 2}", "to": "inspection", "points": "7"}]


def test_the_error_of_a_composite_is_what_a_person_computes_by_hand(connection, town):
    everybody_answers(connection, town)
    score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    error = compose_now(connection, town).errors["harbour"]
    variance = sum((point - float(MEAN)) ** 2 for point in POINTS) / 9
    shares = {"deputies": 0.4, "enterprises": 0.2, "urban_residents": 0.3, "rural_residents": 0.1}
    by_group = {group: variance / 10 * (1 - 10 / GROUPS[group]) for group in GROUPS}
    se = math.sqrt(sum((0.2 * shares[group]) ** 2 * by_group[group] for group in GROUPS))
    assert error["se"] == pytest.approx(se, rel=1e-12)
    assert {path.rpartition(".")[2]: Decimal(one) for path, one in error["coefficients"].items()} == {
        "deputies": Decimal("0.08"),
        "enterprises": Decimal("0.04"),
        "urban_residents": Decimal("0.06"),
        "rural_residents": Decimal("0.02"),
    }
    assert error["low"] < 87 < error["high"]
    assert error["high"] - error["low"] == pytest.approx(2 * 2.06 * se, rel=0.1)  # t with some 24 degrees of freedom
    names, probabilities = zip(*error["grades"], strict=True)
    assert names == ("优", "良好", "一般", "差")
    assert sum(probabilities) == pytest.approx(1)
    z = (85 - 87) / se
    assert probabilities[2] + probabilities[3] == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)))


def test_estimates_are_kept_by_group_and_unit(connection, town):
    everybody_answers(connection, town)
    compose_now(connection, town)
    rows = estimates_of(connection, town.survey_id)
    assert {(row["unit"], row["group_code"]) for row in rows} == {(u, g) for u in town.unit_ids for g in GROUPS}
    assert {(row["value"], row["n"]) for row in rows} == {(69.0, 10)}


def test_what_is_missing_is_named_and_nothing_is_made_up(connection, town):
    answer(connection, town, *(("deputies", rate_all(choice)) for choice in TEN))
    score_indicators(connection, town, {"harbour": "91.5"})
    found = compose_now(connection, town)
    assert found.output is None
    assert found.errors == {}
    missing = {(one["path"], one["facts"]["unit"]) for one in found.problems}
    assert ("units[1].scores.indicator", "library") in missing
    assert ("units[0].scores.public_review.enterprises", "harbour") in missing
    assert ("units[0].scores.public_review.deputies", "harbour") not in missing


def test_the_same_inputs_are_the_same_composite_and_an_entry_makes_a_new_one(connection, town):
    everybody_answers(connection, town)
    score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    first, again = compose_now(connection, town), compose_now(connection, town)
    assert (again.id, again.inputs_digest) == (first.id, first.inputs_digest)
    enter(connection, town, "library", "1")
    assert compose_now(connection, town).id != first.id
    enter(connection, town, "library", "1")
    for points in range(40):
        enter(connection, town, "library", f"0.{points + 1}")
        compose_now(connection, town)
    assert connection.execute(text("SELECT count(*) FROM result.composite")).scalar() == 20


def test_another_text_of_the_scheme_computes_nothing(connection, town):
    everybody_answers(connection, town)
    score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    other = "ab" * 32
    connection.execute(
        text("INSERT INTO office.scheme_version (digest, scheme, source) VALUES (:d, 'bailian', '')"), {"d": other}
    )
    connection.execute(text("UPDATE office.evaluation SET scheme_digest = :d"), {"d": other})
    found = compose_now(connection, town)
    assert found.output is None
    assert [one["code"] for one in found.problems] == ["scheme_text_changed"]


def test_the_command_line_recomputes_the_stored_output_exactly(connection, town, tmp_path):
    everybody_answers(connection, town)
    score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    enter(connection, town, "harbour", "2", aspect="conduct")
    found = compose_now(connection, town)
    document = tmp_path / "input.json"
    document.write_text(json.dumps(found.input), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "api.cli", "score", "--trace", str(document)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(told.stdout) == found.output
