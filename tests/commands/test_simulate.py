"""`mingcha simulate coverage`: what it says, and that it says so with its exit status."""

import json

import pytest
from click.testing import CliRunner

from api.commands import simulate
from survey_forms.estimation.simulation.checks import Check, Control, Verdict
from survey_forms.estimation.simulation.run import Findings


def verdict(estimator: str, value: float) -> Verdict:
    return Verdict("plain", estimator, Check.COVERAGE, 300, 54, value, value, 0.9, 0.98)


def findings(*, covered: float, wrong: float) -> Findings:
    control = Control("plain", "unweighted", (verdict("unweighted", wrong),))
    return Findings((verdict("all", covered),), (control,))


@pytest.mark.parametrize(
    ("covered", "wrong", "status", "told"),
    [
        (0.95, 0.6, 0, "未通过 0；错误方法 1 种，漏过 0"),
        (0.8, 0.6, 1, "未通过 1；错误方法 1 种，漏过 0"),
        (0.95, 0.95, 1, "未通过 0；错误方法 1 种，漏过 1"),
    ],
)
def test_a_failed_check_or_an_uncaught_mistake_is_bad_news(monkeypatch, covered, wrong, status, told):
    asked = []
    monkeypatch.setattr(
        simulate, "simulate", lambda *how: asked.append(how[:3]) or findings(covered=covered, wrong=wrong)
    )
    line = ["coverage", "--draws", "300", "--seed", "7", "--scenario", "plain"]
    plain = CliRunner().invoke(simulate.simulate_group, line)
    assert plain.exit_code == status
    assert told in plain.stdout
    data = CliRunner().invoke(simulate.simulate_group, [*line, "--json"])
    assert data.exit_code == status
    assert json.loads(data.stdout)["passed"] is (status == 0)
    assert asked == [(["plain"], 7, 300)] * 2


def test_every_check_and_estimator_has_its_words():
    assert set(simulate.CHECK_WORDS) == set(Check)
    assert set(simulate.SCENARIO_WORDS) == set(simulate.SCENARIOS)
    told = "\n".join(simulate._table(findings(covered=0.8, wrong=0.95)))
    assert "不通过 FAIL" in told
    assert "漏过 / NOT CAUGHT" in told


def test_too_few_draws_to_tell_anything_are_refused():
    refused = CliRunner().invoke(simulate.simulate_group, ["coverage", "--draws", "20"])
    assert refused.exit_code == 2
