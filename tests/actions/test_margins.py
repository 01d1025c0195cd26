"""Margins from a sheet: every fault is told by its row, and traits that disagree are named."""

import pytest

from api.actions.margins import read_margins, set_margins
from api.store.weightings import Margin, margins_of
from survey_forms.refusal import Refused
from tests.desk import NOW, a_desk
from tests.weighing import draw_cases

HEAD = "group,trait,level,total\n"
POPULATIONS = {"residents": 100, "delegates": 40}
LEVELS = {"residents": {"sex": {"f", "m"}, "age": {"18-34", "35+"}}}


def faults(sheet: str) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        read_margins(sheet.encode(), POPULATIONS, LEVELS)
    return [(fault.code, fault.path) for fault in refused.value.faults]


def test_a_sheet_that_agrees_is_read_line_by_line():
    sheet = HEAD + "residents,sex,f,55\nresidents,sex,m,45\nresidents,age,18-34,30\nresidents,age,35+,70\n"
    assert read_margins(sheet.encode(), POPULATIONS, LEVELS) == [
        Margin("residents", "sex", "f", 55),
        Margin("residents", "sex", "m", 45),
        Margin("residents", "age", "18-34", 30),
        Margin("residents", "age", "35+", 70),
    ]


def test_every_cell_that_is_wrong_is_told_by_row_and_column():
    sheet = HEAD + "nobody,sex,f,55\nresidents,Sex,m,45\nresidents,age,18|34,30\nresidents,age,,x\nresidents,sex,f,-3\n"
    assert faults(sheet) == [
        ("margin_group_unknown", "2:群体代码"),
        ("margin_trait_unfit", "3:特征"),
        ("margin_trait_unfit", "4:特征"),
        ("csv_cell_missing", "5:取值"),
        ("csv_population_unfit", "5:人数"),
        ("csv_population_unfit", "6:人数"),
    ]


def test_totals_that_differ_from_the_population_are_named():
    sheet = HEAD + "residents,sex,f,55\nresidents,sex,m,45\nresidents,age,18-34,30\nresidents,age,35+,71\n"
    with pytest.raises(Refused) as refused:
        read_margins(sheet.encode(), POPULATIONS, LEVELS)
    (fault,) = refused.value.faults
    assert fault.code == "margin_sum_differs"
    assert (fault.facts["trait"], fault.facts["total"], fault.facts["population"]) == ("age", 101, 100)


def test_levels_are_those_of_the_sample():
    assert faults(HEAD + "residents,sex,f,50\nresidents,sex,x,50\nresidents,town,a,100\n") == [
        ("margin_level_unknown", "3:取值"),
        ("margin_level_missing", "2:取值"),
        ("margin_trait_unknown", "4:特征"),
    ]


def test_a_level_given_twice_is_told_with_its_first_row():
    sheet = HEAD + "delegates,sex,f,10\ndelegates,sex,m,20\ndelegates,sex,f,10\n"
    assert faults(sheet) == [("margin_level_twice", "4:取值")]


def test_a_new_sheet_replaces_the_old_one(connection):
    desk = a_desk(connection)
    draw_cases(connection, desk.survey_id, [("residents", "sex=f", 3), ("residents", "sex=m", 3)])
    for women in (11000, 9000):
        sheet = f"{HEAD}residents,sex,f,{women}\nresidents,sex,m,{20000 - women}\n"
        assert set_margins(connection, desk.survey_id, sheet.encode(), desk.staff["office"], NOW) == 2
    assert [one.total for one in margins_of(connection, desk.survey_id)] == [9000, 11000]


def test_no_survey_takes_no_margins(connection):
    desk = a_desk(connection)
    with pytest.raises(Refused, match="not_found"):
        set_margins(connection, 10**6, HEAD.encode(), desk.staff["office"], NOW)
