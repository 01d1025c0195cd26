"""The covariance of units' scores from pair cells: against sums over persons; its diagonal against the cells' SE²."""

import random

import numpy as np
import pytest

from survey_forms.estimation.cells import Cell, merge_cells
from survey_forms.estimation.pairs import covariance, pair_counts
from survey_forms.estimation.scores import Reading, StratumFrame, unit_scores

UNITS = ("a", "b", "c")
FRAMES = (StratumFrame("n", 400, 60), StratumFrame("s", 90, 25))


def people(seed: int) -> list[tuple[tuple[str, str], dict[str, int]]]:
    """Persons of two strata with two weighting cells each; leniency goes with the person, and not all rate all."""
    chance = random.Random(seed)
    found = []
    for frame in FRAMES:
        for number in range(frame.n):
            lenient = chance.randrange(0, 5000)
            scores = {unit: lenient + chance.randrange(0, 5000) for unit in UNITS if chance.random() < 0.7}
            found.append(((frame.stratum, f"{frame.stratum}{number % 2}"), scores))
    return found


def weights(persons) -> dict[tuple[str, str], float]:
    return {cell: 2.0 + 3.5 * place for place, cell in enumerate(sorted({cell for cell, _ in persons}))}


def by_persons(persons, weight, predicted=None) -> np.ndarray:
    """The definition, person by person."""
    z = np.zeros((len(persons), len(UNITS)))
    for column, unit in enumerate(UNITS):
        rated = [(row, weight[cell], scores[unit]) for row, (cell, scores) in enumerate(persons) if unit in scores]
        total = sum(w for _, w, _ in rated)
        mean = sum(w * y for _, w, y in rated) / total
        for row, w, y in rated:
            z[row, column] = w * (y - mean) / total
    if predicted is not None:
        z -= np.array([predicted[cell] for cell, _ in persons])
    found = np.zeros((len(UNITS), len(UNITS)))
    for frame in FRAMES:
        of = z[[row for row, (cell, _) in enumerate(persons) if cell[0] == frame.stratum]]
        n = len(of)
        found += (1 - n / frame.N) * n / (n - 1) * (of.T @ of - np.outer(of.sum(0), of.sum(0)) / n)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_pair_cells_give_what_the_persons_give(seed):
    persons = people(seed)
    for weight in (None, weights(persons)):
        told = covariance(pair_counts(persons, UNITS), FRAMES, weight)
        used = weight or {cell: {"n": 400 / 60, "s": 90 / 25}[cell[0]] for cell, _ in persons}
        np.testing.assert_allclose(told, by_persons(persons, used), rtol=1e-9)


def test_what_the_margins_predict_is_taken_off():
    persons = people(9)
    weight = weights(persons)
    predicted = {cell: np.array([1.5, -2.0, 0.25]) * (place + 1) for place, cell in enumerate(sorted(weight))}
    told = covariance(pair_counts(persons, UNITS), FRAMES, weight, predicted)
    np.testing.assert_allclose(told, by_persons(persons, weight, predicted), rtol=1e-9)


def test_the_diagonal_is_the_variance_that_the_cells_give():
    persons = people(3)
    cells = merge_cells(
        Cell("1", *cell, unit=unit, item="*", n=1, s1=y, s2=y * y)
        for cell, scores in persons
        for unit, y in scores.items()
    )
    weight = weights(persons)
    scores = unit_scores(cells, FRAMES, Reading(0.0, 10_000.0, weights=weight))
    told = covariance(pair_counts(persons, UNITS), FRAMES, weight)
    assert np.sqrt(np.diag(told)) == pytest.approx([scores[unit, "*"].se for unit in UNITS], rel=1e-12)


def test_the_order_of_the_persons_changes_no_bit():
    persons = people(4)
    turned = persons[::-1]
    first, second = (covariance(pair_counts(order, UNITS), FRAMES) for order in (persons, turned))
    assert (first == second).all()


def test_a_census_has_no_error_and_a_lonely_person_an_unknown_one():
    persons = [(("n", "n"), {"a": 1, "b": 4}), (("n", "n"), {"a": 3, "b": 2})]
    pairs = pair_counts(persons, ("a", "b"))
    assert covariance(pairs, [StratumFrame("n", 2, 2)]).tolist() == [[0, 0], [0, 0]]
    alone = pair_counts(persons[:1], ("a", "b"))
    assert np.isnan(covariance(alone, [StratumFrame("n", 7, 1)])).all()


def test_a_unit_that_nobody_rated_has_no_covariance_and_leaves_the_others_theirs():
    persons = [(cell, {unit: y for unit, y in scores.items() if unit != "c"}) for cell, scores in people(3)]
    found = covariance(pair_counts(persons, UNITS), FRAMES)
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(found[:2, :2], covariance(pair_counts(persons, UNITS[:2]), FRAMES))


def test_two_persons_by_hand():
    pairs = pair_counts([(("n", "n"), {"a": 1, "b": 4}), (("n", "n"), {"a": 3, "b": 2})], ("a", "b"))
    # of 10 persons: (1 - 2/10) · 2/1 · Σ z_a z_b with z = (y - mean)/2 = ∓1/2 and ±1/2
    assert covariance(pairs, [StratumFrame("n", 10, 2)]) == pytest.approx(np.array([[0.8, -0.8], [-0.8, 0.8]]))
