"""What a group's review says of places: only with covariances of these very answers, and never surer than they are."""

import pytest

from api.actions import covariances, methods
from api.actions.report import read_report
from api.actions.results import compose
from api.actions.tally import fold
from api.app import create_app
from api.pages.reviews_shown import reviews
from api.services import KEY
from api.store import evaluations
from api.store.results import latest_composite
from tests.worker.town import GROUPS, NOW, a_town, answer, rate, rate_all, score_indicators


@pytest.fixture
def shown(connection, settings):
    """Count and compose, then read the reviews as a page does."""
    app = create_app(settings)

    def read(town):
        fold(connection, 5000)
        compose(connection, town.evaluation_id, NOW)
        report = read_report(connection, evaluations.evaluation_numbered(connection, town.evaluation_id))
        with app.test_request_context("/"):
            return report, reviews(connection, report)

    yield read
    app.extensions[KEY].database.engine.dispose()


def answer_all(connection, town, *given) -> None:
    for group in GROUPS:
        answer(connection, town, *[(group, one) for one in given])


@pytest.fixture
def few_while_open(monkeypatch):
    monkeypatch.setattr(covariances, "MOST_WHILE_OPEN", 70)


@pytest.mark.usefixtures("few_while_open")
def test_a_covariance_of_before_a_unit_was_rated_gives_no_places(connection, shown):
    town = a_town(connection)
    answer_all(connection, town, *[rate(choice) for choice in ("v5", "v4", "v3")] * 4)
    shown(town)
    later = [{**rate("v5"), **rate(choice, unit="library")} for choice in ("v5", "v4", "v1")] * 10
    answer_all(connection, town, *later)
    _, found = shown(town)
    assert len(found) == len(GROUPS)
    assert not any(one.together for one in found)
    assert all(judged.place is not None for one in found for judged in one.judged)


@pytest.mark.usefixtures("few_while_open")
def test_covariances_of_other_answers_are_not_handed_out(connection, shown):
    town = a_town(connection)
    answer_all(connection, town, *[rate_all(choice) for choice in ("v5", "v4", "v3", "v2")] * 4)
    report, found = shown(town)
    assert methods.covariances_of(connection, report)
    assert all(one.together for one in found)
    answer_all(connection, town, *[rate_all(choice) for choice in ("v5", "v1", "v1", "v1")] * 9)
    report, found = shown(town)
    assert methods.covariances_of(connection, report) == []
    assert not any(one.together for one in found)


def test_equal_answers_of_a_sample_make_no_place_and_no_grade_certain(connection, shown):
    town = a_town(connection)
    answer_all(connection, town, *[{**rate("v5", "v4"), **rate("v4", unit="library")}] * 31)
    score_indicators(connection, town, {"harbour": "90", "library": "92"})  # 90 each: the cut of the best grade
    report, found = shown(town)
    assert {one.se for one in report.estimates} == {0.0}  # by the formula; the interval is the exact bound
    for one in found:
        assert {(judged.place.best, judged.place.worst) for judged in one.judged} == {(1, 2)}
    errors = latest_composite(connection, town.evaluation_id).errors
    assert errors["harbour"]["se"] == 0.0
    assert [probability for _, probability in errors["harbour"]["grades"][:2]] == pytest.approx([0.5, 0.5])
    assert {tuple(one["place"][1:]) for one in errors.values()} == {(1, 2)}
