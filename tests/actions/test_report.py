"""What may be told of an evaluation: no hidden figure can be worked out from the published ones."""

from dataclasses import replace
from decimal import Decimal

from api.actions import results
from api.actions.claims import claims_of
from api.actions.concealed import concealed, masked_trace
from api.actions.report import read_report
from api.actions.tally import fold
from api.http.files import results_sheet
from api.http.results import trace_of
from api.store import evaluations
from tests.desk import a_scored_desk
from tests.worker.town import GROUPS, NOW, a_town, answer, rate, score_indicators


def hidden_groups(connection, desk) -> dict[str, set[str]]:
    report = read_report(connection, desk.evaluation)
    found: dict[str, set[str]] = {unit: set() for unit in desk.units}
    for one in report.estimates:
        assert (one.value is None) == one.hidden
        if one.hidden:
            found[one.unit.code].add(one.group)
    return found


def test_a_group_hidden_alone_would_follow_from_the_composite_so_another_is_hidden_with_it(connection):
    desk = a_scored_desk(connection, few=9)
    assert set(map(frozenset, hidden_groups(connection, desk).values())) == {
        frozenset({"party_delegates", "residents"})
    }


def test_where_enough_answered_nothing_is_hidden(connection):
    desk = a_scored_desk(connection, few=24)
    assert not any(hidden_groups(connection, desk).values())


def rows(**persons: int) -> list[dict]:
    """Estimates of one unit by group."""
    return [{"unit": "harbour", "group_code": group, "n": n, "flags": []} for group, n in persons.items()]


def feeding(found: dict[int, list[dict]]) -> dict[tuple[int, str], str]:
    groups = [(survey, row["group_code"]) for survey, listed in found.items() for row in listed]
    return {(survey, group): f"public_review.{group}" for survey, group in groups}


def test_a_lone_group_of_a_survey_finds_its_partner_in_another_survey():
    found = {1: rows(residents=5), 2: rows(enterprises=300), 3: rows(deputies=40)}
    said = concealed(found, feeding(found))
    assert said.cells == {(1, "harbour", "residents"), (3, "harbour", "deputies")}
    assert said.withheld == {}


def test_a_group_that_another_survey_has_replaced_hides_nothing_of_the_composite():
    found = {1: rows(residents=5), 2: rows(residents=300, deputies=40)}
    said = concealed(found, feeding(found))
    assert said.cells == {(1, "harbour", "residents")}


def test_a_hidden_group_without_a_partner_withholds_the_composite():
    found = {1: rows(residents=25)}
    found[1][0]["flags"] = ["all_answers_equal"]
    said = concealed(found, feeding(found))
    assert said.cells == {(1, "harbour", "residents")}
    assert said.withheld == {"harbour": "gives_away"}


def test_partners_serve_within_their_part_of_the_composite_alone():
    found = {1: rows(residents=25, deputies=300)}
    found[1][0]["flags"] = ["all_answers_equal"]
    said = concealed(found, {(1, "residents"): "review.residents", (1, "deputies"): "leaders.deputies"})
    assert said.withheld == {"harbour": "gives_away"}


def test_a_unit_with_fewer_than_ten_in_every_group_is_not_measured():
    found = {1: rows(residents=9, enterprises=8), 2: rows(deputies=9)}
    assert concealed(found, feeding(found)).withheld == {"harbour": "not_measured"}


def test_nobody_is_told_the_composite_of_a_unit_that_was_not_measured(connection):
    town = a_town(connection)
    for group in GROUPS:
        answer(connection, town, *[(group, {**rate("v5"), **rate("v4", unit="library")})] * 3)
        answer(connection, town, *[(group, rate(choice, unit="library")) for choice in ("v5", "v3", "v4")] * 9)
    score_indicators(connection, town, {"harbour": "90", "library": "85"})
    fold(connection, 5000)
    results.compose(connection, town.evaluation_id, NOW)
    report = read_report(connection, evaluations.evaluation_numbered(connection, town.evaluation_id))
    assert report.composite is not None
    assert report.composite.output is not None
    assert [one.unit.code for one in report.units] == ["library"]
    assert [(one.unit.code, one.why) for one in report.withheld] == [("harbour", "not_measured")]
    for masked in (False, True):
        assert trace_of(report, "harbour", masked=masked) == []
    sheet = results_sheet(report)
    told = next(row for row in sheet.rows if row[0] == "harbour")
    assert len(told) == len(sheet.headings)
    assert "未测" in told
    assert not any(isinstance(value, int | float | Decimal) for value in told)
    assert "claim_not_measured" in {one.code for one in claims_of(connection, report, [])}


def test_a_masked_trace_tells_no_sum_between_a_hidden_component_and_its_part():
    lines = [
        {"path": "review.business.b3", "inputs": [], "formula": "", "result": "71"},
        {
            "path": "review.business",
            "inputs": [{"path": "review.business.b3", "value": "71"}],
            "formula": "71 × 20%",
            "result": "14",
        },
        {
            "path": "review",
            "inputs": [{"path": "review.business", "value": "14"}],
            "formula": "14 + 70",
            "result": "84",
        },
    ]
    told = list(masked_trace(lines, {"review.business.b3"}))
    assert [line["result"] for line in told] == [None, None, "84"]
    assert [line["formula"] for line in told] == ["", "", ""]
    assert {given["value"] for line in told for given in line["inputs"]} == {None}
    assert list(masked_trace(lines, ())) == lines


def test_two_surveys_are_said_to_be_counted_as_independent(connection):
    desk = a_scored_desk(connection, few=24)
    report = read_report(connection, desk.evaluation)
    assert "claim_surveys_independent" not in {one.code for one in claims_of(connection, report, [])}
    again = [replace(one, survey_id=one.survey_id + 1) for one in report.estimates]
    both = replace(report, estimates=(*report.estimates, *again))
    assert "claim_surveys_independent" in {one.code for one in claims_of(connection, both, [])}
