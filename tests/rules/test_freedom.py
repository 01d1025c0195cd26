"""Satterthwaite's degrees of freedom: what cells give, persons give; and what neighbours take away."""

import numpy as np
import pytest

from survey_forms.estimation.freedom import satterthwaite
from survey_forms.estimation.linear import ratio
from survey_forms.estimation.linearised import Counts, Design, domain_means
from survey_forms.estimation.stages import Columns, build

N = np.array([400, 90, 30])
RESPONDED = np.array([60, 25, 12])


def survey_of(seed: int):
    chance = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(3), RESPONDED)
    scores = chance.integers(1, 11, (len(stratum), 4)) * (chance.random((len(stratum), 4)) < 0.6)
    return stratum, scores.astype(np.int64)


def test_persons_have_the_errors_and_freedom_of_their_cells():
    stratum, scores = survey_of(4)
    known = (scores > 0).astype(np.int64)
    tables = [np.stack([part[stratum == h].sum(axis=0) for h in range(3)]) for part in (known, scores, scores**2)]
    cells = domain_means(Counts(*tables), Design(np.arange(3), N / RESPONDED, N, RESPONDED))
    survey = build(Columns(len(stratum), strata=[stratum], sizes=[N[stratum].astype(float)]))
    linear = ratio(survey, scores.astype(float), known.astype(float), np.ones(len(stratum), dtype=bool))
    assert linear.estimate == pytest.approx(cells.value, rel=1e-13)
    assert np.diag(linear.vcov) == pytest.approx(cells.variance, rel=1e-12)
    assert satterthwaite(survey, linear.influence) == pytest.approx(cells.df, rel=1e-12)


def test_one_stratum_has_its_units_less_one_and_clusters_fewer_than_people():
    chance = np.random.default_rng(9)
    y, everyone = chance.normal(5, 1, (40, 1)), np.ones(40, dtype=bool)
    people = build(Columns(40))
    villages = build(Columns(40, ids=[np.repeat(np.arange(8), 5)]))
    ones = np.ones_like(y)
    assert satterthwaite(people, ratio(people, y, ones, everyone).influence) == pytest.approx([39.0])
    assert satterthwaite(villages, ratio(villages, y, ones, everyone).influence) == pytest.approx([7.0])


def test_without_variance_there_is_no_freedom():
    same, everyone = np.full((6, 1), 3.0), np.ones(6, dtype=bool)
    survey = build(Columns(6))
    assert np.isnan(satterthwaite(survey, ratio(survey, same, np.ones_like(same), everyone).influence)).all()
