"""Quotas on the desk: the sheet is taken whole or not at all, and every fault of it is told."""

import re

import pytest

from api.store.quotas import cells_of
from tests.desk import a_person
from tests.pages.test_desk import signed_in, text_of
from tests.supervision import a_cell, a_field

SHEET = (
    "名称,英文名,特征,名额,优先\n青年女性,Young women,sex=f|age=18-34,20,0\n青年男性,Young men,age=18-34|sex=m,20,90\n"
)


@pytest.fixture
def field(engine):
    with engine.begin() as connection:
        a_person(connection, "office", "office")
        a_person(connection, "supervisor", "supervisor")
        a_person(connection, "bureau", "bureau")
        return a_field(connection)


def send(client, address, **data):
    shown = client.get(re.sub(r"(/office/quotas/\d+).*", r"\1", address)).text
    token = re.search(r'name="form_token" value="([^"]+)"', shown)
    return client.post(address, data={**data, "form_token": token[1]})


def stored(engine, field):
    with engine.begin() as connection:
        return [(dict(c.traits), c.places, c.priority) for c in cells_of(connection, field.survey.id)]


def test_a_pasted_sheet_makes_the_cells_and_comes_back_as_it_was(app, engine, field):
    client, address = signed_in(app, "office"), f"/office/quotas/{field.survey.id}"
    assert send(client, address, sheet=SHEET).status_code == 303
    assert stored(engine, field) == [({"sex": "f", "age": "18-34"}, 20, 100), ({"sex": "m", "age": "18-34"}, 20, 90)]
    page = client.get(address).text
    assert "青年女性" in text_of(page)
    assert page.count("<svg") >= 2
    again = client.get(f"{address}.csv").get_data(as_text=True)
    assert send(client, address, sheet=again.lstrip("\ufeff")).status_code == 303
    assert len(stored(engine, field)) == 2


def test_every_fault_of_a_sheet_is_told_and_nothing_is_kept(app, engine, field):
    client, address = signed_in(app, "office"), f"/office/quotas/{field.survey.id}"
    wrong = "名称,英文名,特征,名额\n甲,A,sex,20\n乙,B,sex=f,二十\n丙,C,sex=m,3\n丁,D,sex=m,4\n"
    answer = send(client, address, sheet=wrong)
    assert answer.status_code == 422
    for told in ("第 2 行“特征”", "第 3 行“名额”", "第 5 行“特征”"):
        assert told in answer.text
    assert stored(engine, field) == []


def test_a_cell_in_use_neither_shrinks_below_its_places_nor_goes(app, engine, field):
    with engine.begin() as connection:
        cell = a_cell(connection, field.survey.id, 5, sex="f")
        connection.exec_driver_sql(f"UPDATE roll.quota_cell SET taken = 3 WHERE id = {cell}")  # noqa: S608
    client, address = signed_in(app, "office"), f"/office/quotas/{field.survey.id}"
    head = "名称,英文名,特征,名额,优先\n"
    assert "已经有 3 个名额" in send(client, address, sheet=f"{head}甲,A,sex=f,2,0\n").text
    assert "不能从表里去掉" in send(client, address, sheet=f"{head}甲,A,sex=m,2,0\n").text
    assert stored(engine, field) == [({"sex": "f"}, 5, 100)]


def test_a_supervisor_closes_a_cell_with_a_reason_and_the_bureau_sees_none(app, engine, field):
    with engine.begin() as connection:
        cell = a_cell(connection, field.survey.id, 5, sex="f")
    client, address = signed_in(app, "supervisor"), f"/office/quotas/{field.survey.id}"
    assert send(client, f"{address}/{cell}", closing="soft", reason=" ").status_code == 422
    assert send(client, f"{address}/{cell}", closing="hard", reason="样本已足").status_code == 303
    assert "已关闭" in text_of(client.get(address).text)
    assert send(client, f"{address}/{cell}", closing="open", reason="再补两位").status_code == 303
    assert send(client, address, sheet=SHEET).status_code == 403
    assert signed_in(app, "bureau").get(address).status_code == 403
