"""A survey's weights from its outcomes: by hand, step by step; and the estimates that are read with them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from api.actions.margins import set_margins
from api.actions.responses import accept
from api.actions.results import compose
from api.actions.tally import fold, recount
from api.actions.weighting import weigh_survey
from api.actions.weights_in_use import weights_in_use
from api.store import weightings
from api.store.results import estimates_of, latest_composite
from api.store.roles import WEB, WORKER, grant_roles
from survey_forms.estimation.calibrate import residuals
from survey_forms.estimation.spec.run import answer as answer_spec
from survey_forms.estimation.weighting import Rules
from survey_forms.refusal import Refused
from tests.desk import NOW, a_desk
from tests.weighing import answer_case, draw_cases, try_case
from tests.worker import town as towns

RULES = Rules()
WOMEN, MEN = "sex=f", "sex=m"
CAME_TO = {WOMEN: ["1.1"] * 20 + ["2.11"] * 5 + ["3.13"] * 5, MEN: ["1.1"] * 24 + ["2.24"] * 3 + ["4.10"] * 3}
MARGINS = b"group,trait,level,total\nresidents,sex,f,11000\nresidents,sex,m,9000\n"


@pytest.fixture
def desk(connection):
    """Sixty residents were drawn and came to what `CAME_TO` says; delegates have codes without names."""
    desk = a_desk(connection)
    cases = draw_cases(connection, desk.survey_id, [("residents", WOMEN, 30), ("residents", MEN, 30)])
    for case, (wcell, outcome) in zip(
        cases, [(cell, one) for cell, outcomes in CAME_TO.items() for one in outcomes], strict=True
    ):
        try_case(connection, case, "3.12", NOW)
        if outcome == "1.1":
            answer_case(connection, desk.survey_id, case, "residents", wcell)
        else:
            try_case(connection, case, outcome, NOW)
            try_case(connection, case, "3.12", NOW)  # the last attempt is never the outcome
    return desk


def weigh(connection, desk, rules: Rules = RULES) -> int:
    return weigh_survey(connection, desk.survey_id, rules, desk.staff["office"], NOW)


def test_every_step_is_what_a_person_computes_by_hand(connection, desk):
    set_margins(connection, desk.survey_id, MARGINS, desk.staff["office"], NOW)
    key = weigh(connection, desk)
    delegates, women, men = weightings.weights_of(connection, key)
    assert women.outcomes == {"I": 20, "R": 5, "UH": 5}
    steps = [women.base, women.eligibility, women.nonresponse, women.raked, women.final]
    # 20000/60; × 30/25 known; × 25/20 answered; raked: 20 × 550 = 11000
    assert steps == pytest.approx([1000 / 3, 400, 500, 550, 550], rel=1e-12)
    assert men.outcomes == {"I": 24, "NC": 3, "NE": 3}
    # all known; × 27/24; raked: 24 × 375 = 9000
    steps = [men.base, men.eligibility, men.nonresponse, men.raked, men.final]
    assert steps == pytest.approx([1000 / 3, 1000 / 3, 375, 375, 375], rel=1e-12)
    assert (delegates.wcell, delegates.outcomes) == ("party_delegates", {"I": 9, "UH": 1})
    assert [delegates.base, delegates.final] == pytest.approx([32, 320 / 9], rel=1e-12)


def test_the_report_tells_what_the_weights_cost(connection, desk):
    set_margins(connection, desk.survey_id, MARGINS, desk.staff["office"], NOW)
    weigh(connection, desk)
    newest = weightings.latest_weighting(connection, desk.survey_id)
    about = newest.report["groups"]["residents"]
    squares = 20 * 550**2 + 24 * 375**2
    assert about["spread"]["deff_w"] == pytest.approx(44 * squares / 20000**2, rel=1e-12)
    assert about["spread"]["n_eff"] == pytest.approx(20000**2 / squares, rel=1e-12)
    assert (about["spread"]["least"], about["spread"]["most"]) == pytest.approx((375, 550), rel=1e-12)
    assert about["raked_to"] == ["sex"]
    assert (about["merged"], about["trimmed"], newest.report["trimmed"]) == ([], 0, [])
    assert newest.report["sources"] == {"residents": "cases", "party_delegates": "codes"}


def test_equal_inputs_make_no_second_weighting_and_another_outcome_does(connection, desk):
    first = weigh(connection, desk)
    assert weigh(connection, desk) == first
    case = draw_cases(connection, desk.survey_id, [("residents", MEN, 1)])[0]
    try_case(connection, case, "2.11", NOW)
    second = weigh(connection, desk)
    assert second != first
    assert weigh(connection, desk, replace(RULES, fewest=30)) not in {first, second}


def test_a_cell_with_too_few_answers_joins_another(connection, desk):
    key = weigh(connection, desk, replace(RULES, fewest=21))
    _, women, men = weightings.weights_of(connection, key)
    assert (women.merged_into, men.merged_into) == (None, WOMEN)
    # 60/55 known; the 5 refused and 3 not reached are carried by 44: (55 − 3)/44
    assert women.final == men.final == pytest.approx(1000 / 3 * 60 / 55 * 52 / 44, rel=1e-12)


def test_people_who_were_drawn_and_got_codes_without_names_count_by_these(connection, desk):
    draw_cases(connection, desk.survey_id, [("party_delegates", None, 12)])
    weigh(connection, desk)
    newest = weightings.latest_weighting(connection, desk.survey_id)
    delegates = weightings.weights_of(connection, newest.id)[0]
    assert (delegates.stratum, delegates.outcomes) == ("party_delegates", {"I": 9, "UH": 1})
    assert newest.report["sources"]["party_delegates"] == "codes"


def test_a_group_in_which_nobody_answered_is_named(connection):
    desk = a_desk(connection)
    for case in draw_cases(connection, desk.survey_id, [("residents", None, 4)]):
        try_case(connection, case, "3.12", NOW)
    with pytest.raises(Refused) as refused:
        weigh(connection, desk)
    (fault,) = refused.value.faults
    assert (fault.code, fault.facts["group"], fault.facts["cases"]) == ("weights_group_silent", "residents", 4)


def test_a_margin_that_nobody_of_whom_answered_is_named(connection, desk):
    draw_cases(connection, desk.survey_id, [("residents", "sex=x", 5)])
    sheet = MARGINS.replace(b"m,9000", b"m,8000") + b"residents,sex,x,1000\n"
    set_margins(connection, desk.survey_id, sheet, desk.staff["office"], NOW)
    with pytest.raises(Refused) as refused:
        weigh(connection, desk)
    (fault,) = refused.value.faults
    assert (fault.code, fault.facts["level"]) == ("margin_cell_empty", "x")


def test_released_reserves_are_one_more_ticket_of_the_same_draw(connection, desk):
    draw_cases(connection, desk.survey_id, [("residents", WOMEN, 20)])
    key = weigh(connection, desk)
    _, women, _ = weightings.weights_of(connection, key)
    assert women.base == pytest.approx(20000 / 80)


# ---- the estimates

GROUP = "urban_residents"
STRATUM = f"{GROUP}_1"
CHOICES = ("v5", "v4", "v3", "v2", "v1")
TOTALS = {WOMEN: 50_000, MEN: 40_000}


@pytest.fixture
def town(connection):
    """A hundred townspeople were drawn; 25 women and 40 men answered, each of their own mind about both units."""
    town = towns.a_town(connection)
    cases = draw_cases(connection, town.survey_id, [(STRATUM, WOMEN, 50), (STRATUM, MEN, 50)])
    answered = [*cases[:25], *cases[50:90]]
    for number, case in enumerate(answered):
        wcell = WOMEN if number < 25 else MEN
        answer_case(connection, town.survey_id, case, STRATUM, wcell)
        given = {
            f"q_{unit}_{item}": CHOICES[(number * (2 + place) + number // 7 + (item == "honesty")) % 5]
            for place, unit in enumerate(towns.UNITS)
            for item in ("service", "honesty")
        }
        one = replace(towns.a_submission(town, GROUP, given), wcell=wcell)
        towns.issue(connection, [one])
        accept(connection, [one])
    for group in towns.GROUPS:
        if group != GROUP:
            towns.answer(connection, town, *((group, towns.rate_all(choice)) for choice in CHOICES * 3))
    return town


def composed(connection, town):
    fold(connection, 5000)
    compose(connection, town.evaluation_id, NOW)
    found = {row["unit"]: row for row in estimates_of(connection, town.survey_id) if row["group_code"] == GROUP}
    return [found[unit] for unit in towns.UNITS]


def raw_rows(connection) -> tuple[list[str], np.ndarray]:
    """Every townsperson's weighting cell and mean of each unit's two items, from the stored answers themselves."""
    rows = connection.exec_driver_sql(
        "SELECT wcell, answers FROM ballot.response WHERE stratum = %s ORDER BY id", (STRATUM,)
    ).all()
    scale = towns.SCALE
    scores = [
        [(scale[answers[f"q_{unit}_service"]] + scale[answers[f"q_{unit}_honesty"]]) / 2 for unit in towns.UNITS]
        for _, answers in rows
    ]
    return [wcell for wcell, _ in rows], np.array(scores, dtype=float)


def test_weighted_estimates_are_those_of_mingcha_estimate_on_the_raw_rows(connection, town):
    weigh_survey(connection, town.survey_id, RULES, None, NOW)
    found = composed(connection, town)
    weights = weights_in_use(connection, town.survey_id).weights
    cells, scores = raw_rows(connection)
    assert Counter(cells) == {WOMEN: 25, MEN: 40}
    lines = [
        f"{STRATUM},{weights[STRATUM, wcell]!r},90000,{harbour!r},{library!r}\n"
        for wcell, (harbour, library) in zip(cells, scores.tolist(), strict=True)
    ]
    data = "".join(["stratum,w,population,harbour,library\n", *lines]).encode()
    entry = {
        "id": "town",
        "dataset": "rows.csv",
        "design": {"ids": None, "strata": "stratum", "weights": "w", "fpc": "population"},
        "statistic": "mean",
        "args": {"variables": ["harbour", "library"]},
    }
    told, faults = answer_spec(entry, lambda _: data)
    assert faults == []
    assert [row["value"] for row in found] == pytest.approx(told["estimate"], rel=1e-9)
    assert [row["se"] for row in found] == pytest.approx(told["se"], rel=1e-9)
    kept = weightings.covariances_of(connection, town.survey_id)[GROUP]
    np.testing.assert_allclose(kept.matrix, np.array(told["vcov"]), rtol=1e-9)


def test_a_raked_groups_error_is_that_of_the_residuals_of_its_persons(connection, town):
    lines = "".join(f"{GROUP},sex,{cell[4:]},{total}\n" for cell, total in TOTALS.items())
    set_margins(connection, town.survey_id, f"group,trait,level,total\n{lines}".encode(), town.staff_ids["office"], NOW)
    weigh_survey(connection, town.survey_id, RULES, None, NOW)
    found = composed(connection, town)
    cells, scores = raw_rows(connection)
    share = {WOMEN: TOTALS[WOMEN] / 25, MEN: TOTALS[MEN] / 40}
    after = np.array([share[cell] for cell in cells])
    mean = after @ scores / after.sum()
    assert [row["value"] for row in found] == pytest.approx(mean, rel=1e-9)
    before = np.array([{WOMEN: 900 * 2, MEN: 900 * 1.25}[cell] for cell in cells])  # 90000/100 × cases/answers
    traits = np.array([[1.0, cell == MEN] for cell in cells])
    left = residuals(after[:, None] * (scores - mean) / after.sum(), before, after, traits)
    centred = left - left.mean(axis=0)
    n = len(cells)
    vcov = (1 - n / 90_000) * n / (n - 1) * centred.T @ centred
    assert [row["se"] for row in found] == pytest.approx(np.sqrt(np.diag(vcov)), rel=1e-9)
    kept = weightings.covariances_of(connection, town.survey_id)[GROUP]
    np.testing.assert_allclose(kept.matrix, vcov, rtol=1e-9)


def test_without_a_weighting_everybody_counts_alike_and_a_weighting_that_lacks_answers_is_not_used(connection, town):
    plain = composed(connection, town)
    _, scores = raw_rows(connection)
    assert [row["value"] for row in plain] == pytest.approx(scores.mean(axis=0), rel=1e-12)
    weigh_survey(connection, town.survey_id, RULES, None, NOW)
    weighted = composed(connection, town)
    assert [row["value"] for row in weighted] != pytest.approx([row["value"] for row in plain], rel=1e-6)
    stranger = replace(towns.a_submission(town, GROUP, towns.rate_all("v5")), wcell="sex=x")
    towns.issue(connection, [stranger])
    accept(connection, [stranger])
    composed(connection, town)
    assert weights_in_use(connection, town.survey_id).outdated


def test_a_recount_and_a_second_composing_find_the_same_bits(connection, town):
    weigh_survey(connection, town.survey_id, RULES, None, NOW)
    towns.score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    composed(connection, town)
    first = latest_composite(connection, town.evaluation_id)
    matrices = weightings.covariances_of(connection, town.survey_id)
    assert recount(connection, town.survey_id) == []
    weightings.forget_covariances(connection, town.survey_id)
    composed(connection, town)
    again = latest_composite(connection, town.evaluation_id)
    assert (again.inputs_digest, again.errors) == (first.inputs_digest, first.errors)
    for group, one in weightings.covariances_of(connection, town.survey_id).items():
        assert (one.matrix == matrices[group].matrix).all()
    assert first.errors["harbour"]["place"] == [1, 1, 1]


def test_the_web_weighs_and_the_worker_composes_each_within_its_role(connection, town):
    grant_roles(connection)
    connection.exec_driver_sql(f"SET LOCAL ROLE {WEB}")
    weigh_survey(connection, town.survey_id, RULES, town.staff_ids["office"], NOW)
    connection.exec_driver_sql(f"SET LOCAL ROLE {WORKER}")
    found = composed(connection, town)
    assert all(row["se"] for row in found)
    assert set(weightings.covariances_of(connection, town.survey_id)) == set(towns.GROUPS)
