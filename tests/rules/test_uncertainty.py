"""The error of a composite follows from the scheme's own arithmetic, whatever the scheme."""

import json
import math
from copy import deepcopy
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.estimation.scores import Estimate
from survey_forms.scheme.load import load_scheme
from survey_forms.scoring.compute import score
from survey_forms.scoring.uncertainty import composite_errors

SHARES = {"deputies": "40", "enterprises": "20", "urban_residents": "30", "rural_residents": "10"}


def a_document(**scores: str) -> dict:
    review = {group: scores.get(group, "80") for group in SHARES}
    return {
        "scheme": "bailian",
        "supplied": {"public_review.shares": SHARES},
        "units": [{"id": "u", "scores": {"indicator": "90", "public_review": review}, "deductions": []}],
    }


def estimates(document: dict, se: dict[str, float]) -> dict[str, dict[str, Estimate]]:
    review = document["units"][0]["scores"]["public_review"]
    return {
        "u": {
            f"public_review.{group}": Estimate(float(review[group]), se.get(group, 0.0), 20.0, 21, 0.0, 100.0)
            for group in review
        }
    }


def errors_of(document: dict, se: dict[str, float]):
    scheme = load_scheme(document["scheme"])
    return composite_errors(scheme, document, score(document), estimates(document, se))["u"]


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({group: st.floats(0.01, 9) for group in SHARES}))
def test_the_standard_error_is_the_weighted_root_of_squares(se):
    error = errors_of(a_document(), se)
    expected = math.sqrt(sum((0.2 * float(SHARES[group]) / 100 * se[group]) ** 2 for group in SHARES))
    assert error.estimate.se == pytest.approx(expected, rel=1e-12)
    assert error.estimate.value == pytest.approx(88)
    assert error.estimate.low < 88 < error.estimate.high
    assert sum(error.grades.values()) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries({group: st.integers(0, 1000).map(lambda n: str(Decimal(n) / 10)) for group in SHARES}))
def test_the_coefficients_do_not_depend_on_where_the_scores_stand(scores):
    error = errors_of(a_document(**scores), dict.fromkeys(SHARES, 1.0))
    assert {path.partition(".")[2]: share for path, share in error.coefficients.items()} == {
        group: Decimal(share) * Decimal("0.002") for group, share in SHARES.items()
    }


def test_a_ledger_at_its_cap_changes_no_coefficient():
    document = a_document()
    document["units"][0]["deductions"] = [{"id": "d", "to": "inspection", "points": "9"}]
    assert (
        errors_of(document, {"deputies": 1.0}).coefficients == errors_of(a_document(), {"deputies": 1.0}).coefficients
    )


def test_a_score_that_a_binding_condition_sets_to_zero_brings_no_error():
    """Jinfeng: a violated condition sets its indicator to zero, so that its error is nobody's."""
    document = _example_with_a_zeroed_indicator()
    scheme = load_scheme("jinfeng")
    unit = document["units"][0]
    quarter, indicator = "q1", next(iter(document["supplied"]["binding_indicators"].values()))
    path = f"quarters.{quarter}.{indicator}"
    value = float(unit["scores"]["quarters"][quarter][indicator])
    surveyed = {unit["id"]: {path: Estimate(value, 5.0, 20.0, 21, 0.0, 100.0)}}
    free = deepcopy(document)
    free["units"][0]["binding"] = []
    held = composite_errors(scheme, free, score(free), surveyed)[unit["id"]]
    gone = composite_errors(scheme, document, score(document), surveyed)[unit["id"]]
    assert held.estimate.se > 0
    assert (gone.estimate.se, gone.coefficients[path]) == (0.0, 0)
    assert gone.estimate.low == gone.estimate.value == gone.estimate.high


def _example_with_a_zeroed_indicator() -> dict:
    indicators = {"a": "60", "b": "40"}
    scores = {f"q{n}": {"a": "80", "b": "70"} for n in range(1, 5)}
    return {
        "scheme": "jinfeng",
        "supplied": {
            "quarter_shares": {f"q{n}": "25" for n in range(1, 5)},
            "indicator_weights": indicators,
            "binding_indicators": {"family_planning": "a", "public_order": "a", "work_safety": "a"},
        },
        "units": [{"id": "u", "class": "town", "scores": {"quarters": scores}, "binding": ["work_safety"]}],
    }


def test_nothing_surveyed_means_no_error():
    document = a_document()
    assert composite_errors(load_scheme("bailian"), document, score(document), {}) == {}
    assert json.dumps(document) == json.dumps(a_document())  # the document itself is never moved
