"""Weights at the desk: weigh by the form, see every step, be told what is missing; only the office enters."""

import re

import pytest

from api.actions.margins import set_margins
from tests.desk import NOW, a_scored_desk
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look
from tests.weighing import answer_case, draw_cases, try_case

FORM = {"fewest": "20", "largest_factor": "3", "trim_by": "median", "trim_at": "4"}
MARGINS = b"group,trait,level,total\nresidents,sex,f,11000\nresidents,sex,m,9000\n"


def sampled(connection) -> int:
    """A desk whose residents were drawn: 60 women with 40 answers, 60 men with 30."""
    desk = a_scored_desk(connection)
    cases = draw_cases(connection, desk.survey_id, [("residents", "sex=f", 60), ("residents", "sex=m", 60)])
    for place, case in enumerate(cases):
        wcell = "sex=f" if place < 60 else "sex=m"
        if place % 60 < (40 if wcell == "sex=f" else 30):
            answer_case(connection, desk.survey_id, case, "residents", wcell)
        else:
            try_case(connection, case, "2.11" if place % 2 else "3.13", NOW)
    set_margins(connection, desk.survey_id, MARGINS, desk.staff["office"], NOW)
    return desk.survey_id


@pytest.fixture
def survey(engine) -> int:
    with engine.begin() as connection:
        return sampled(connection)


def weigh(client, survey: int, **changes: str):
    address = f"/office/weights/{survey}"
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(address).text)
    assert token
    return client.post(address, data={**FORM, **changes, "form_token": token[1]})


def test_the_form_weighs_and_the_page_shows_every_step(app, survey):
    office = signed_in(app, "office")
    assert "还没有加权" in text_of(office.get(f"/office/weights/{survey}").text)
    assert weigh(office, survey).status_code == 303
    page = text_of(office.get(f"/office/weights/{survey}").text)
    # women: 20000/120; known 50 of 60; answered 40 of 50; raked to 11000
    for figure in ("166.67", "200.00", "250.00", "275.00", "300.00", "deff_w"):
        assert figure in page, figure
    women_rr1, all_rr1 = 40 / 60, 70 / 120
    assert f"{100 * all_rr1:.1f}%" in page
    assert women_rr1 > all_rr1


def test_rules_out_of_their_limits_are_told_and_nothing_is_weighed(app, survey):
    answer = weigh(signed_in(app, "office"), survey, fewest="0", largest_factor="x")
    assert answer.status_code == 422
    page = text_of(answer.text)
    assert "“一个调整组最少几份答卷”要写成 1 到 1000 之间的数" in page
    assert "还没有加权" in page


def test_nobody_else_enters(app, survey):
    assert signed_in(app, "bureau").get(f"/office/weights/{survey}").status_code == 403
    assert signed_in(app, "office").get(f"/office/weights/{survey + 1}").status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (NARROW, "en-GB")])
def test_both_pages_are_well_made(app, browser, site, survey, size, language):  # noqa: PLR0917 - fixtures
    assert weigh(signed_in(app, "office"), survey).status_code == 303
    with at_desk(browser, site, "office", size, language) as (page, complaints):
        for address in (f"/office/weights/{survey}", f"/office/margins/{survey}", "/office/survey"):
            look(page, f"{site}{address}")
        assert complaints == []
