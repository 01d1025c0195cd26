"""Double random at the desk and in public: one commits, another draws, nobody sees where; the record afterwards."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from api.actions.crew_changes import replace_inspector
from api.actions.inspection_draws import commit, draw_inspection, publish
from api.store.crews import crews_of, rows_of_draw
from api.store.inspection_draws import draw_numbered
from api.store.inspections import assignment
from api.store.people import audit
from api.store.site_directory import entries
from api.store.sites import site
from survey_forms.inspection.double_random_record import first_difference
from survey_forms.inspection.mornings import CHINA, morning_of
from tests.double_random import RANDOMNESS, a_directory, said
from tests.inspections import PASSWORD
from tests.live import PHONE, a_phone, faults_of, serving
from tests.pages.test_desk_looks import DESK, NARROW

NOW = datetime.now(UTC)
TOMORROW = NOW.astimezone(CHINA).date() + timedelta(days=1)
WEEK = [TOMORROW + timedelta(days=number) for number in range(5)]
PAGES = (
    "/office/inspections", "/office/inspections/new", "/office/inspections/1", "/office/assignments",
    "/office/assignments/new", "/office/directories", "/office/directories/inspectors", "/office/directories/items",
    "/inspections/draws", "/inspections/draws/1",
)  # fmt: skip
SITES_CSV = (
    "单位,编号,名称,纬度,经度,坐标系,半径,围栏,风险\n"
    "civil,S00,察访地点第00号（新址）,24.4600,118.0900,GCJ-02,200,,C\n"
    "transport,N1,新客运站,24.5000,118.1000,WGS-84,,24.4995 118.0995;24.4995 118.1005;24.5005 118.1005,A\n"
)


@pytest.fixture
def directory(engine):
    with engine.begin() as connection:
        return a_directory(connection)


def this_week(directory, **facts):
    """A plan for the days to come whose numbers are known by now."""
    given = {
        "first_day": WEEK[0],
        "last_day": WEEK[-1],
        "also": frozenset(WEEK),
        "known_from": NOW - timedelta(hours=1),
    }
    return said(directory, **given | facts)


@pytest.fixture
def drawn(engine, settings, directory):
    """Committed two days ago, drawn now; the number of the draw."""
    with engine.begin() as connection:
        key, town = settings.secret_key, directory.town
        number = commit(connection, this_week(directory), key, town.office, NOW - timedelta(days=2))
        draw_inspection(connection, number, RANDOMNESS, key, town.second_office, NOW)
        return number


def desk(app, username: str):
    client = app.test_client()
    assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
    return client


def post(client, page: str, address: str, **fields):
    """Send a form of a page with its token; files as (content, name)."""
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(page).text)
    return client.post(address, data={"form_token": token[1], **fields}, content_type="multipart/form-data")


def a_plan_form(directory, **changes) -> dict[str, str]:
    known = (NOW + timedelta(hours=1)).astimezone(CHINA)
    return {
        "title": "窗口作风抽查", "item": str(directory.item_id), "first_day": WEEK[1].isoformat(),
        "last_day": WEEK[-1].isoformat(), "also": " ".join(day.isoformat() for day in WEEK), "crew": "2",
        "randomness_source": "排列五第 1 期", "randomness_form": "### ###", "checked": "yes",
        "known_from": known.strftime("%Y-%m-%dT%H:%M"), "raised": "civil/S00 三起投诉", "raised_share": "100",
    } | changes  # fmt: skip


def test_the_office_commits_a_plan_with_a_raised_site_by_form(app, engine, directory):
    client = desk(app, "office")
    answer = post(client, "/office/inspections/new", "/office/inspections/new", **a_plan_form(directory))
    assert answer.status_code == 303, re.sub(r"<[^>]+>", " ", answer.text)
    with engine.connect() as connection:
        held = draw_numbered(connection, int(answer.location.rpartition("/")[2]))
    raised = [one for one in held.plan["sites"] if one["group"] == "raised"]
    assert [(one["because"], held.plan["rates"]["raised"]["share"]) for one in raised] == [("三起投诉", "1")]
    assert "等随机数" in client.get(answer.location).text
    assert held.commitment.hex() in app.test_client().get(f"/inspections/draws/{held.id}").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"checked": ""}, "勾选"),
        ({"first_day": "soon"}, "不是日期"),
        ({"crew": "1"}, "2 到 6"),
        ({"randomness_form": "#"}, "#"),
        ({"raised": "nowhere/S1 投诉"}, "nowhere/S1"),
        ({"title": ""}, "名称"),
        ({"known_from": ""}, "随机数"),
    ],
)
def test_a_plan_that_cannot_be_is_said_in_words_and_keeps_what_was_typed(app, directory, changes, words):
    client = desk(app, "office")
    answer = post(client, "/office/inspections/new", "/office/inspections/new", **a_plan_form(directory, **changes))
    assert answer.status_code == 422
    summary = answer.text.partition('class="error-summary"')[2].partition("</div>")[0]
    assert words in summary
    assert 'value="排列五第 1 期"' in answer.text


def test_who_committed_may_not_draw_and_the_try_is_shown_to_everybody(app, engine, settings, directory):
    with engine.begin() as connection:
        number = commit(
            connection, this_week(directory), settings.secret_key, directory.town.office, NOW - timedelta(days=2)
        )
    page = f"/office/inspections/{number}"
    first, second = desk(app, "office"), desk(app, "office2")
    answer = post(first, page, f"{page}/draw", randomness=RANDOMNESS, checked="yes")
    assert answer.status_code == 403
    assert "draw_same_person" in app.test_client().get(f"/inspections/draws/{number}").text
    assert post(second, page, f"{page}/draw", randomness=RANDOMNESS, checked="yes").status_code == 303
    again = post(second, page, f"{page}/draw", randomness=RANDOMNESS, checked="yes")
    assert again.status_code == 409


def test_no_page_of_the_office_tells_where_before_it_may(app, engine, drawn):
    client = desk(app, "office2")
    with engine.connect() as connection:
        names = set(connection.execute(select(site.c.name_zh)).scalars())
    for address in (
        f"/office/inspections/{drawn}",
        "/office/assignments",
        f"/inspections/draws/{drawn}",
        "/office/audit",
    ):
        text = client.get(address).text
        assert not [name for name in names if name in text], address
    assert client.get(f"/inspections/draws/{drawn}/record.json").status_code == 404
    assert client.get("/office/assignments").text.count("封存") >= 12


def test_an_inspector_is_replaced_and_work_withdrawn_from_the_list(app, engine, drawn):
    client = desk(app, "office")
    with engine.connect() as connection:
        row, other = rows_of_draw(connection, drawn)[:2]
        leader = crews_of(connection, [row.id])[row.id][0]
    address = f"/office/assignments/{row.id}/replace"
    page = "/office/assignments"
    assert post(client, page, address, leaver=str(leader.staff_id), reason="").status_code == 422
    answer = post(client, page, address, leaver=str(leader.staff_id), reason="生病")
    assert answer.status_code == 303, answer.text.partition("error-summary-title")[2][:600]
    shown = client.get("/office/assignments").text
    assert f'<s class="soft">{leader.name}</s>' in shown
    assert post(client, page, address, leaver=str(leader.staff_id), reason="再换").status_code == 409
    told = client.get("/office/audit").text
    assert "替换检查人员被拒绝" in told
    assert "stand_in_not_there" in told
    assert "（密封）" in told
    assert not re.search(r"[0-9a-f]{65}", told)
    assert post(client, page, f"/office/assignments/{other.id}/withdraw", reason="台风").status_code == 303
    assert "已撤回" in client.get("/office/assignments").text


def test_on_its_day_one_person_asks_for_a_withdrawal_and_another_agrees(app, engine, drawn, monkeypatch):
    with engine.connect() as connection:
        row = rows_of_draw(connection, drawn)[0]
    monkeypatch.setattr("api.pages.assignments.utc_now", lambda: morning_of(row.day))
    page, address = "/office/assignments", f"/office/assignments/{row.id}/withdraw"
    first, second = desk(app, "office"), desk(app, "office2")
    assert post(first, page, address, reason="车辆故障").status_code == 303
    shown = first.get(page).text
    assert "已申请撤回" in shown
    assert "已撤回" not in shown
    refused = post(first, page, address, reason="车辆故障")
    assert refused.status_code == 409
    assert "须两人办理" in refused.text
    assert post(second, page, address, reason="属实").status_code == 303
    assert "已撤回" in second.get(page).text


def test_the_record_is_published_to_everybody_and_repeats(app, engine, settings, directory, drawn):
    with engine.begin() as connection:
        row = rows_of_draw(connection, drawn)[0]
        leader = crews_of(connection, [row.id])[row.id][0].staff_id
        replace_inspector(connection, row.id, leader, "生病", settings.secret_key, directory.town.office, NOW)
        publish(connection, drawn, settings.secret_key, None, morning_of(WEEK[-1]) + timedelta(days=1))
    client = app.test_client()
    shown = client.get(f"/inspections/draws/{drawn}").text
    assert "换成" in shown
    record = client.get(f"/inspections/draws/{drawn}/record.json").get_json()
    assert first_difference(record) is None
    assert record["record_sha256"] in shown


def test_special_work_is_made_once_by_form_and_not_against_a_recusal(app, engine, directory):
    client = desk(app, "office")
    town, key = directory.town, str(uuid4())
    fields = {
        "id": key, "kind": "special", "site": str(town.site_id), "day": TOMORROW.isoformat(), "announced": "no",
        "crew": [str(town.inspector), str(town.other_inspector)], "item": "",
    }  # fmt: skip
    page = "/office/assignments/new"
    for _ in range(2):
        assert post(client, page, page, **fields).status_code == 303
    with engine.connect() as connection:
        assert list(connection.execute(select(assignment.c.kind)).scalars()) == ["special"]
    assert "湖滨南路办事大厅" not in client.get("/office/assignments").text
    refused = post(client, page, page, **fields | {"id": str(uuid4()), "crew": [str(directory.inspectors[0])]})
    assert refused.status_code == 422
    assert "配偶在该单位任职" in refused.text


def test_sites_come_by_file_after_a_look_at_what_changes(app, engine, directory):
    client = desk(app, "office")
    page = "/office/directories"
    looked = post(client, page, f"{page}/sites/file", file=(BytesIO(SITES_CSV.encode("gb18030")), "sites.csv"))
    assert "新增 1 处，改动 1 处" in looked.text
    name = re.search(r'name="file" value="([0-9a-f]{64})"', looked.text)[1]
    with engine.connect() as connection:
        assert len(entries(connection, directory.town.evaluation_id)) == 21
    assert post(client, page, f"{page}/sites/import", file=name).status_code == 303
    with engine.connect() as connection:
        found = {one.code: one for one in entries(connection, directory.town.evaluation_id)}
    assert (found["S00"].datum, found["S00"].risk, len(found["N1"].fence)) == ("GCJ-02", "C", 3)
    assert post(client, page, f"{page}/sites/import", file=name).status_code == 404
    again = BytesIO(client.get(f"{page}/sites.csv").data)
    told = post(client, page, f"{page}/sites/file", file=(again, "sites.csv")).text
    assert "新增 0 处，改动 0 处" in told, told.partition("error-summary-title")[2][:600]


@pytest.mark.usefixtures("directory")
def test_a_faulty_file_names_rows_and_columns(app):
    client = desk(app, "office")
    bad = SITES_CSV.replace("GCJ-02", "").replace(";24.5005 118.1005", "")
    told = post(client, "/office/directories", "/office/directories/sites/file", file=(BytesIO(bad.encode()), "a.csv"))
    assert told.status_code == 422
    assert "第 2 行“坐标系”" in told.text
    assert "第 3 行“围栏”：围栏有 2 个顶点" in told.text


def test_inspectors_recusals_and_items_are_kept_by_form(app, engine, directory):
    client, town = desk(app, "office"), directory.town
    page = "/office/directories/inspectors"
    entered = {"staff": str(town.inspector), "skills": "消防、食品", "lat": "24.48", "lon": "118.08", "datum": "GCJ-02"}
    assert post(client, page, page, **entered, most_km="20").status_code == 303
    assert post(client, page, page, **entered | {"lat": ""}, most_km="20").status_code == 422
    recused = {"staff": str(town.inspector), "unit": str(town.unit_id), "reason": "原单位"}
    assert post(client, page, "/office/directories/recusals", **recused).status_code == 303
    assert "原单位" in client.get(page).text
    rates = {f"{name}_{group}": value for group in "ABCD" for name, value in (("share", "10"), ("times", "2"))}
    item = {"code": "W9", "name_zh": "食品安全", "component": "inspection", "key_item": "yes"} | rates
    assert post(client, "/office/directories/items", "/office/directories/items", **item).status_code == 303
    assert "<td>察访核验</td>" in client.get("/office/directories/items").text
    refused = post(client, "/office/directories/items", "/office/directories/items", **item | {"share_A": "200"})
    assert (refused.status_code, "A 类" in refused.text) == (422, True)
    with engine.connect() as connection:
        acts = set(connection.execute(select(audit.c.act)).scalars())
    assert {"inspector_entered", "recusal_declared", "item_entered"} <= acts


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB"), (NARROW, "zh-CN")])
def test_every_page_is_well_made(browser, app, engine, settings, drawn, size, language):  # noqa: PLR0917 - fixtures
    with engine.begin() as connection:
        publish(connection, drawn, settings.secret_key, None, morning_of(WEEK[-1]) + timedelta(days=1))
        connection.execute(
            update(assignment).values(withdrawn_at=NOW, withdrawn_reason="演练").where(assignment.c.day == WEEK[0])
        )
    with serving(app) as address, a_phone(browser, size=size, language=language) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/login")
        page.fill("#username", "office")
        page.fill("#password", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_load_state()
        for one in PAGES:
            page.goto(f"{address}{one}")
            assert faults_of(page) == [], one
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), one
        assert complaints == []
