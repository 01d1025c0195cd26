"""What must hold of every estimate, whatever the data and the design."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.estimation.domains import Domains, domain_means, domain_totals
from survey_forms.estimation.linear import mean, ratio, total
from survey_forms.estimation.replicate import jackknife_vcov, replicates
from survey_forms.estimation.stages import Columns, build

FAST = settings(max_examples=60, deadline=None)


@st.composite
def samples(draw):
    """A two-stage stratified sample with unequal weights, values of two variables and three groups."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    strata = draw(st.integers(1, 4))
    rows = []
    for stratum in range(strata):
        for unit in range(draw(st.integers(2, 5))):
            rows += [(stratum, unit, person) for person in range(draw(st.integers(2, 4)))]
    stratum, unit, person = np.asarray(rows).T
    sizes = [np.full(len(rows), 9.0), np.full(len(rows), 6.0)]
    weights = chance.uniform(0.5, 20, len(rows))
    columns = Columns(len(rows), (unit, person), (stratum,), sizes if draw(st.booleans()) else (), weights)
    values = chance.normal(50, 10, (len(rows), 2))
    return columns, values, chance.integers(0, 3, len(rows))


def everywhere(values) -> np.ndarray:
    return np.ones(len(values), dtype=bool)


@FAST
@given(samples(), st.floats(-1e6, 1e6))
def test_a_constant_has_no_error(sample, constant):
    columns, values, _ = sample
    found = mean(build(columns), np.full((len(values), 1), constant), everywhere(values))
    assert found.estimate[0] == pytest.approx(constant)
    assert found.se[0] <= 1e-9 * (1 + abs(constant))


@FAST
@given(samples())
def test_a_mean_is_the_ratio_of_two_totals(sample):
    columns, values, _ = sample
    survey, ones = build(columns), np.ones((len(values), 2))
    one, other = mean(survey, values, everywhere(values)), ratio(survey, values, ones, everywhere(values))
    np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-12)
    np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-9, atol=1e-12)


@FAST
@given(samples(), st.floats(0.01, 100), st.floats(-100, 100))
def test_scale_and_shift_carry_over(sample, factor, shift):
    columns, values, _ = sample
    survey = build(columns)
    before = mean(survey, values, everywhere(values))
    after = mean(survey, factor * values + shift, everywhere(values))
    np.testing.assert_allclose(after.estimate, factor * before.estimate + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after.vcov, factor**2 * before.vcov, rtol=1e-6, atol=1e-9 * factor**2)


@FAST
@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(sample, chance):
    columns, values, groups = sample
    order = np.asarray(chance.sample(range(len(values)), len(values)))
    moved = Columns(
        columns.rows,
        [ids[order] for ids in columns.ids],
        [strata[order] for strata in columns.strata],
        [size[order] for size in columns.sizes],
        columns.weights[order],
    )
    survey, other = build(columns), build(moved)
    one, two = mean(survey, values, everywhere(values)), mean(other, values[order], everywhere(values))
    np.testing.assert_allclose(one.estimate, two.estimate, rtol=1e-12)
    np.testing.assert_allclose(one.vcov, two.vcov, rtol=1e-10, atol=1e-12)
    by, moved_by = (
        domain_means(survey, values, Domains(groups, 3)),
        domain_means(other, values[order], Domains(groups[order], 3)),
    )
    np.testing.assert_allclose(by.se(survey), moved_by.se(other), rtol=1e-9, atol=1e-9)


@FAST
@given(samples())
def test_domain_totals_add_up_and_so_do_their_covariances(sample):
    columns, values, groups = sample
    survey = build(columns)
    found = domain_totals(survey, values, Domains(groups, 3))
    whole = total(survey, values, everywhere(values))
    np.testing.assert_allclose(np.nansum(found.estimate, axis=0), whole.estimate, rtol=1e-12)
    vcov = np.nan_to_num(found.vcov(survey))[:3, :3]
    assert vcov.sum() == pytest.approx(whole.vcov[0, 0], rel=1e-9, abs=1e-6)


@FAST
@given(samples())
def test_the_short_way_to_domain_errors_is_the_long_way(sample):
    columns, values, groups = sample
    survey = build(columns)
    found = domain_means(survey, values, Domains(groups, 3))
    diagonal = np.sqrt(np.diag(found.vcov(survey))).reshape(2, 3).T
    np.testing.assert_allclose(found.se(survey), diagonal, rtol=1e-7, atol=1e-7)
    for group in range(3):
        inside = groups == group
        one = mean(survey, values, inside)
        np.testing.assert_allclose(found.estimate[group], one.estimate, rtol=1e-12)
        if inside.any():
            np.testing.assert_allclose(found.se(survey)[group], one.se, rtol=1e-7, atol=1e-7)


@FAST
@given(samples())
def test_a_covariance_has_no_negative_direction(sample):
    columns, values, groups = sample
    survey = build(columns)
    vcov = domain_means(survey, values, Domains(groups, 3)).vcov(survey)
    known = ~np.isnan(np.diag(vcov))
    roots = np.linalg.eigvalsh(vcov[np.ix_(known, known)])
    assert roots.min() >= -1e-9 * max(1.0, roots.max())


@FAST
@given(samples())
def test_a_census_has_no_error(sample):
    columns, values, _ = sample
    survey = build(Columns(columns.rows, (), (), (np.ones(columns.rows),)))
    assert mean(survey, values, everywhere(values)).se.tolist() == [0.0, 0.0]


@FAST
@given(samples())
def test_the_jackknife_of_a_total_of_one_stratum_is_the_linear_error(sample):
    columns, values, _ = sample
    whole = Columns(columns.rows, (np.arange(columns.rows) % 5,), (), (), columns.weights)
    if columns.rows >= 5:
        survey = build(whole)
        found = replicates(survey, values, everywhere(values))
        linear = total(survey, values, everywhere(values))
        np.testing.assert_allclose(jackknife_vcov(found.without, found.factor), linear.vcov, rtol=1e-8, atol=1e-6)


def test_units_keep_their_place_in_n_outside_the_domain():
    # Five units, two of them in the domain: with n = 2 the error would be another.
    survey = build(Columns(5))
    values, inside = np.asarray([[1.0], [2.0], [9.0], [9.0], [9.0]]), np.asarray([True, True, False, False, False])
    z = np.asarray([-0.25, 0.25, 0, 0, 0])
    assert mean(survey, values, inside).vcov[0, 0] == pytest.approx(5 / 4 * (z**2).sum())
