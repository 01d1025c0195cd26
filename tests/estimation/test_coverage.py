"""The simulation: its shortcuts count as the product counts, its checks can fail, and 300 draws of it pass them.

The last one takes about 45 s of processor: one thread, as BLAS threads only wait for each other on small matrices.
"""

import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from survey_forms.estimation.cells import count_answers
from survey_forms.estimation.columns import count_columns
from survey_forms.estimation.pairs import pair_counts
from survey_forms.estimation.simulation import checks, drawing
from survey_forms.estimation.simulation.checks import Check, Series
from survey_forms.estimation.simulation.population import UNITS, Population, make_population
from survey_forms.sampling.drawing import draw_plan
from survey_forms.sampling.frame import frame_of
from survey_forms.sampling.plan import PlanLine, plan_with


@pytest.fixture(scope="module")
def population() -> Population:
    return make_population(3)


@pytest.fixture(scope="module")
def answers(population: Population) -> drawing.Answered:
    return drawing.answered(population, drawing.drawn(population, drawing.plan_for(population), "a lottery"))


def ratings_of(answers: drawing.Answered):
    for wcell, scores in zip(answers.wcell, answers.scores, strict=True):
        yield drawing.CELLS[wcell], {drawing.UNIT_NAMES[unit]: int(scores[unit]) for unit in np.flatnonzero(scores)}


def test_cells_are_those_that_are_counted_answer_by_answer(answers):
    one_by_one = (
        ((drawing.SURVEY, *cell, unit, drawing.ITEM), score)
        for cell, scores in ratings_of(answers)
        for unit, score in scores.items()
    )
    assert sorted(drawing.cells_of(answers), key=lambda cell: cell.key) == count_answers(one_by_one)


def test_pairs_are_those_that_are_counted_person_by_person(answers):
    units = np.arange(0, UNITS, 7)
    counted = pair_counts(ratings_of(answers), [drawing.UNIT_NAMES[unit] for unit in units])
    ours = drawing.pairs_of(answers, units)
    assert ours.keys() == counted.keys()
    for cell, pairs in counted.items():
        assert ours[cell].persons == pairs.persons
        for table in ("n", "s", "q"):
            assert (getattr(ours[cell], table) == getattr(pairs, table)).all()


def test_columns_in_pieces_give_the_cells_of_the_rows():
    chance = np.random.default_rng(5)
    place, scores = chance.integers(0, 12, 5000), chance.integers(0, 11, (3, 5000)).astype(np.int8)
    whole = count_columns([(place, list(scores))], 4, 3, 3, 10)
    pieces = [(place[at : at + 700], list(scores[:, at : at + 700])) for at in range(0, 5000, 700)]
    parts = count_columns(reversed(pieces), 4, 3, 3, 10)
    for table in ("n", "s1", "s2"):
        assert (getattr(whole, table) == getattr(parts, table)).all()
    here = scores[1][place == 2 * 3 + 1].astype(int)  # cell 2, unit 1, item 1
    assert (whole.n[2, 4], whole.s1[2, 4], whole.s2[2, 4]) == ((here > 0).sum(), here.sum(), (here**2).sum())
    for wrong in ((place + 1, list(scores)), (place, list(scores + np.int8(1))), (place - 1, list(scores))):
        with pytest.raises(ValueError, match="outside"):
            count_columns([wrong], 4, 3, 3, 10)


def test_the_truth_is_the_mean_of_everybody_who_knows_a_unit(population):
    truth, by_group = population.true_means()
    given = population.scores(np.arange(len(population.group)))
    unit = 11
    assert truth[unit] == pytest.approx(given[given[:, unit] > 0, unit].mean())
    of_group = given[population.group == 2, unit]
    assert by_group[2, unit] == pytest.approx(of_group[of_group > 0].mean())


def series(*, bias: float = 0.0, width: float = 1.96, claimed: float = 1.0) -> Series:
    chance = np.random.default_rng(8)
    value = chance.normal(bias, 1.0, (2000, 80))
    shape = np.full((2000, 80), claimed)
    return Series(np.zeros(80), np.full(80, 200.0), value, shape, value - width, value + width)


def failed(one: Series) -> set[Check]:
    return {verdict.check for verdict in checks.verdicts_of("s", "e", one) if not verdict.passed}


def test_a_right_method_passes_and_each_fault_is_seen_by_its_check():
    assert failed(series()) == set()
    assert Check.BIAS in failed(series(bias=0.2))
    assert failed(series(claimed=0.9)) == failed(series(claimed=1.1)) == {Check.VARIANCE}
    assert failed(series(width=1.7)) == failed(series(width=2.3)) == {Check.COVERAGE, Check.COVERAGE_MEAN}


def test_the_bands_at_two_thousand_draws_are_those_of_the_plan():
    assert checks.shares_between(0.95, 2000) == pytest.approx((0.9333, 0.9667), abs=0.0001)
    assert checks.shares_between(0.95, 1999) == pytest.approx((0.9333, 0.9667), abs=0.001)  # the binomial's own
    assert checks.ratios_between(2000) == pytest.approx((0.892, 1.108), abs=0.001)
    least, most = checks.ratios_between(300)
    assert least < 0.8
    assert most > 1.3


def test_a_draw_that_favours_somebody_is_seen():
    fair = np.random.default_rng(1).multivariate_hypergeometric(np.ones(500, dtype=int), 50, size=400).sum(axis=0)
    bent = fair.copy()
    bent[:10] += 25
    bent[10:260] -= 1
    assert checks.inclusion_verdict("s", {"h": (fair, 50, 400)}).passed
    assert not checks.inclusion_verdict("s", {"h": (bent, 50, 400)}).passed
    copied = np.full(500, 40)  # evener than chance: the same people are spared again and again
    assert not checks.inclusion_verdict("s", {"h": (copied, 50, 400)}).passed


def test_ten_thousand_seeds_draw_and_reserve_everybody_equally_often():
    sizes = {"deputies": (24, 7), "enterprises": (15, 3), "supervisors": (6, 6)}
    frame = frame_of(("", stratum, f"{stratum}-{k}") for stratum, (size, _) in sizes.items() for k in range(size))
    plan = plan_with(tuple(PlanLine(stratum, n, "", reserve=2) for stratum, (_, n) in sizes.items()))
    seeds, drawn, reserved, samples = 10_000, Counter(), Counter(), set()
    for seed in range(seeds):
        record = draw_plan(frame, plan, f"lottery {seed}")
        samples.add(record.strata[0].sample)
        for stratum in record.strata:
            drawn.update(stratum.sample)
            reserved.update(stratum.reserve[:1])
    for stratum, (size, n) in sizes.items():
        counts = np.array([drawn[unit] for unit in frame.members[stratum]])
        first = np.array([reserved[unit] for unit in frame.members[stratum]])
        if n == size:
            assert (counts == seeds).all()
            assert not first.any()
        else:
            assert checks.inclusion_verdict("s", {"sample": (counts, n, seeds)}).passed
            assert checks.inclusion_verdict("s", {"reserve": (first, 1, seeds)}).passed
    assert len(samples) > 0.99 * seeds  # 24·23·…·18 orders: two seeds give two samples


@pytest.mark.skipif(not os.environ.get("MINGCHA_ALL_TESTS"), reason="about a minute of processor; `make test` runs it")
def test_three_hundred_draws_pass_and_every_wrong_method_is_caught():
    command = [sys.executable, "-m", "api.cli", "simulate", "coverage", "--draws", "300", "--json"]
    one_thread = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=one_thread, check=False)
    found = json.loads(run.stdout)
    assert [check for check in found["checks"] if not check["passed"]] == []
    assert {control["estimator"]: control["caught"] for control in found["controls"]} == dict.fromkeys(
        (
            "unweighted",
            "ratings as PSUs",
            "half without FPC",
            "no adjustment",
            "raked together",
            "people as PSUs",
        ),
        True,
    )
    assert run.returncode == 0
    assert {check["scenario"] for check in found["checks"]} == {"plain", "nonresponse", "clusters"}
