"""The share of draws in which a unit takes a place."""

import numpy as np
import pytest
from scipy.special import ndtr

from survey_forms.estimation.stability import place_shares


def test_two_units_change_places_as_often_as_their_difference_says():
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])  # the difference has variance 4 + 2 − 2 = 4
    shares = place_shares([51.0, 50.0], covariance, draws=40_000, seed=3)
    assert shares[0, 0] == pytest.approx(ndtr(0.5), abs=0.01)
    assert shares.sum(axis=0) == pytest.approx(1)
    assert shares.sum(axis=1) == pytest.approx(1)


def test_what_goes_together_changes_no_places():
    shares = place_shares([51.0, 50.0, 49.0], np.full((3, 3), 9.0), seed=1)
    assert shares == pytest.approx(np.eye(3), abs=1e-3)


def test_without_error_everybody_keeps_the_place():
    assert (place_shares([3.0, 1.0, 2.0], np.zeros((3, 3))) == np.eye(3)[[0, 2, 1]]).all()


def test_one_seed_is_one_answer_and_another_seed_another():
    covariance = np.eye(6)
    values = np.linspace(0, 2, 6)
    first, again, other = (place_shares(values, covariance, 2_000, seed) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()
