"""The supervisor's pages: every figure is the stored one, nobody is named, and the bureau sees no interviewer."""

import csv
import io
from datetime import timedelta

import pytest

from api.app import create_app
from api.services import KEY
from tests.desk import a_person
from tests.pages.test_desk import signed_in, text_of
from tests.supervision import MORNING, Field, a_field, an_attempt

OUTCOMES = ("1.1",) * 6 + ("2.11", "2.11", "2.20", "2.32", "3.13", "4.70")


@pytest.fixture
def app(settings):
    made = create_app(settings)
    yield made
    made.extensions[KEY].database.engine.dispose()


@pytest.fixture
def field(engine) -> Field:
    with engine.begin() as connection:
        for role in ("office", "supervisor", "bureau", "interviewer"):
            a_person(connection, role, role)
        return worked(connection)


def worked(connection) -> Field:
    """Fourteen women and men, twelve of whom were tried by two interviewers."""
    field = a_field(connection, [{"sex": "fm"[place % 2]} for place in range(14)])
    for place, outcome in enumerate(OUTCOMES):
        began = MORNING + timedelta(minutes=20 * place)
        an_attempt(connection, field.cases[place], field.interviewers[place % 2], outcome, began=began)
    return field


def table(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))


def test_outcomes_and_rates_are_those_of_the_cases(app, field):
    client, address = signed_in(app, "supervisor"), f"/supervisor/{field.survey.id}"
    everybody = table(client, f"{address}/outcomes.csv")[0]
    assert {name: int(everybody[name]) for name in ("cases", "worked", "I", "R", "NC", "O", "NE")} == {
        "cases": 14, "worked": 12, "I": 6, "R": 2, "NC": 1, "O": 1, "NE": 1,
    }  # fmt: skip
    plain, weighted, *_ = table(client, f"{address}/rates.csv")
    known, unknown = 10, 3
    e = known / (known + 1)
    assert float(plain["e"]) == pytest.approx(e)
    assert float(plain["RR1"]) == pytest.approx(6 / (known + unknown))
    assert float(plain["RR3"]) == pytest.approx(6 / (known + e * unknown))
    assert float(weighted["RR1"]) == pytest.approx(float(plain["RR1"]))  # one inclusion probability for all
    assert plain["RR5"] == ""  # somebody's eligibility is unknown
    words = text_of(client.get(address).text)
    assert f"e = {e:.3f}" in words
    assert "46.2%" in words


def test_the_attempts_name_no_person(app, field):
    rows = table(signed_in(app, "supervisor"), f"/supervisor/{field.survey.id}/attempts.csv")
    assert len(rows) == len(OUTCOMES)
    assert set(rows[0]) == {
        "attempt", "case", "stratum", "mode", "interviewer", "began_at", "ended_at", "seconds", "outcome", "class",
    }  # fmt: skip
    assert {float(row["seconds"]) for row in rows} == {300.0}


@pytest.mark.parametrize("name", ["bureau", "interviewer"])
def test_only_supervisors_and_the_office_see_fieldwork(app, field, name):
    client = signed_in(app, name)
    for page in ("", "/interviewers", "/backchecks", "/flags", "/attempts.csv"):
        assert client.get(f"/supervisor/{field.survey.id}{page}").status_code == 403


def test_the_start_page_leads_to_the_sealed_survey(app, field):
    answer = signed_in(app, "supervisor").get("/supervisor")
    assert answer.headers["Location"] == f"/supervisor/{field.survey.id}"
