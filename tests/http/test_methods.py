"""Methods by the interface: rates, weights, covariances and claims as JSON and as files; nothing of hidden figures."""

import csv
import io
import zipfile

import numpy as np
import pytest

from api.actions.weighting import weigh_survey
from api.store import weightings
from survey_forms.estimation.weighting import Rules
from tests.desk import NOW, UNITS, a_scored_desk
from tests.pages.test_desk import signed_in

BASE = "/api/v1/evaluations/xiamen-2015"


@pytest.fixture
def desk(engine):
    """Delegates are 9, hence hidden, and residents with them; a covariance of each group is known."""
    with engine.begin() as connection:
        desk = a_scored_desk(connection)
        weigh_survey(connection, desk.survey_id, Rules(), desk.staff["office"], NOW)
        codes = [code for code, *_ in UNITS]
        matrix = [[4.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 6.0]]
        for group in ("residents", "party_delegates"):
            found = weightings.StoredCovariance(codes, np.array(matrix), 1)
            weightings.put_covariance(connection, desk.survey_id, group, found)
    return desk


def rows_of(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_rates_and_weights_are_the_same_in_json_and_in_files(app, desk):
    assert desk.survey_id
    bureau = signed_in(app, "bureau")
    rates = {one["group"]: one for one in bureau.get(f"{BASE}/rates").json}
    assert rates["party_delegates"]["rates"]["RR1"] == pytest.approx(0.9)
    assert rates["party_delegates"]["counts"] == {"I": 9, "UH": 1}
    told = {row["群体代码"]: row for row in rows_of(bureau.get(f"{BASE}/rates.csv"))}
    assert float(told["party_delegates"]["RR3"]) == rates["party_delegates"]["rates"]["RR3"]
    weights = {one["stratum"]: one for one in bureau.get(f"{BASE}/weights").json}
    assert weights["party_delegates"]["final"] == pytest.approx(320 / 9)
    files = {row["层"]: row for row in rows_of(bureau.get(f"{BASE}/weights.csv"))}
    assert float(files["party_delegates"]["最终"]) == weights["party_delegates"]["final"]
    outcomes = {row["层"]: row for row in rows_of(bureau.get(f"{BASE}/outcomes.csv"))}
    assert (outcomes["party_delegates"]["I"], outcomes["party_delegates"]["UH"]) == ("9", "1")


def test_no_covariance_is_told_of_a_hidden_figure(app, desk, engine):
    bureau = signed_in(app, "bureau")
    assert bureau.get(f"{BASE}/covariances").json == []  # both groups of every unit are hidden
    assert rows_of(bureau.get(f"{BASE}/covariances.csv")) == []
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE result.estimate SET n = 40 WHERE group_code = 'party_delegates'")
    shown = bureau.get(f"{BASE}/covariances").json
    assert len(shown) == 2 * 6
    assert {one["covariance"] for one in shown if one["one"] == one["other"]} == {4.0, 5.0, 6.0}
    assert desk.survey_id


def test_claims_and_the_workbook_come_with_the_figures(app, desk):
    assert desk.survey_id
    bureau = signed_in(app, "bureau")
    codes = {one["code"] for one in bureau.get(f"{BASE}/claims").json}
    assert codes >= {"claim_years", "claim_counts", "claim_nonresponse", "claim_group_below_ten"}
    assert {row["代码"] for row in rows_of(bureau.get(f"{BASE}/claims.csv"))} == codes
    book = zipfile.ZipFile(io.BytesIO(bureau.get(f"{BASE}/methods.xlsx").data))
    assert sum(name.startswith("xl/worksheets/sheet") for name in book.namelist()) == 6


@pytest.mark.parametrize("what", ["rates", "weights", "covariances", "claims", "outcomes.csv", "methods.xlsx"])
def test_a_unit_reads_none_of_it(app, desk, what):
    assert desk.survey_id
    assert signed_in(app, "unit").get(f"{BASE}/{what}").status_code == 403
