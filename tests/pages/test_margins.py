"""Margins at the desk: the sheet comes from the page itself, faults come back by row, and only the office enters."""

import re
from io import BytesIO

import pytest

from api.store.weightings import margins_of
from tests.desk import a_desk
from tests.pages.test_desk import signed_in, text_of
from tests.weighing import draw_cases


@pytest.fixture
def survey(engine) -> int:
    with engine.begin() as connection:
        desk = a_desk(connection)
        draw_cases(connection, desk.survey_id, [("residents", "sex=f", 2), ("residents", "sex=m", 2)])
    return desk.survey_id


def handed_in(client, survey: int, content: bytes):
    address = f"/office/margins/{survey}"
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(address).text)
    assert token
    data = {"form_token": token[1], "sheet": (BytesIO(content), "margins.csv")}
    return client.post(address, data=data, content_type="multipart/form-data")


def test_the_sheet_of_the_page_lists_the_samples_levels_and_is_read_once_filled_in(app, engine, survey):
    office = signed_in(app, "office")
    sheet = office.get(f"/office/margins/{survey}/margins.csv").data.decode("utf-8-sig")
    assert sheet.splitlines()[1:] == ['"residents","sex","f",""', '"residents","sex","m",""']
    filled = sheet.replace('"f",""', '"f",11000').replace('"m",""', '"m",9000')
    assert handed_in(office, survey, filled.encode()).status_code == 303
    with engine.connect() as connection:
        assert [(one.level, one.total) for one in margins_of(connection, survey)] == [("f", 11000), ("m", 9000)]
    page = text_of(office.get(f"/office/margins/{survey}").text)
    assert "55.0%" in page


def test_faults_come_back_by_row_and_nothing_changes(app, engine, survey):
    answer = handed_in(signed_in(app, "office"), survey, b"group,trait,level,total\nresidents,sex,f,5\n")
    assert answer.status_code == 422
    page = text_of(answer.text)
    assert "第 2 行起，群体 residents 的特征 sex：各取值相加为 5 人，而该群体总体为 20000 人" in page
    assert "sex 为“m”" in page
    with engine.connect() as connection:
        assert margins_of(connection, survey) == []


def test_nobody_else_enters_and_another_survey_is_not_there(app, survey):
    assert signed_in(app, "bureau").get(f"/office/margins/{survey}").status_code == 403
    assert signed_in(app, "office").get(f"/office/margins/{survey + 1}").status_code == 404
