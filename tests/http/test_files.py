"""The downloads: Chinese names and headings, what they were computed from, numbers as numbers, nothing live in them."""

import csv
import io
from urllib.parse import unquote

import openpyxl
import pytest
from sqlalchemy import text

BASE = "/api/v1/evaluations/town-2026"


@pytest.fixture
def bureau(client_of):
    return client_of("bureau")


def rows(answer) -> list[list[object]]:
    assert answer.data.startswith(b"\xef\xbb\xbf")
    text_ = answer.data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text_, newline=""), quoting=csv.QUOTE_NONNUMERIC))


def test_results_come_with_their_error_and_what_they_were_computed_from(bureau):
    answer = bureau.get(f"{BASE}/results.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    name = answer.headers["Content-Disposition"]
    assert 'filename="results.csv"' in name
    assert unquote(name.partition("filename*=UTF-8''")[2]) == "小镇考评-综合得分.csv"
    head, first, second = rows(answer)
    row = dict(zip(head, first, strict=True))
    assert (row["单位"], row["综合得分"], row["公众评议(计入分数)"]) == ("harbour局", 83.08, 11.88)
    assert (row["名次区间最好"], row["名次区间最差"], row["同时区间最好"], row["同时区间最差"]) == (1.0, 1.0, 1.0, 1.0)
    assert "名次" not in head  # a bare rank is told nowhere
    assert row["察访核验(计入分数)"] == -2.0
    assert row["95%区间下限"] < 83.08 < row["95%区间上限"]
    assert "模拟数据" in row["数据性质"]
    assert row["输入SHA-256"] == bureau.get(f"{BASE}/results").json["inputs_digest"]
    assert "mingcha score" in row["复算办法"]
    assert second[0] == "library"


def test_a_cell_of_the_ledger_cannot_become_a_formula(bureau):
    head, first, *_ = rows(bureau.get(f"{BASE}/ledger.csv"))
    assert dict(zip(head, first, strict=True))["依据"] == "'=1+1"


def test_the_workbook_holds_everything_and_says_that_it_is_simulated(bureau):
    answer = bureau.get(f"{BASE}/results.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["综合得分", "分组评价", "扣分台账", "说明"]
    assert book["综合得分"]["G2"].value == 83.08
    assert {cell.data_type for sheet in book for line in sheet for cell in line} <= {"s", "n"}
    notes = {line[0].value: line[1].value for line in book["说明"].iter_rows(min_row=2)}
    assert "模拟数据" in notes["数据性质"]
    assert notes["输入SHA-256"]


def test_real_data_are_not_called_simulated(bureau, engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE office.evaluation SET simulated = false"))
    assert "真实数据" in bureau.get(f"{BASE}/results.csv").text
    assert "模拟" not in bureau.get(f"{BASE}/results.csv").text


def test_a_hidden_cell_has_no_figure_in_any_file(bureau):
    for line in rows(bureau.get(f"{BASE}/estimates.csv"))[1:]:
        if line[0] == "deputies":
            assert line[4:11] == ["", "", "", "", "", "", "隐去"]


def test_who_took_which_file_is_recorded(bureau, engine, town):
    bureau.get(f"{BASE}/results.csv")
    with engine.connect() as connection:
        act = connection.execute(text("SELECT staff_id, about FROM office.audit WHERE act = 'downloaded'")).one()
    assert act.staff_id == town.staff_ids["bureau"]
    assert act.about == {"evaluation": "town-2026", "file": "results.csv"}
