"""The living directories: sites by file, inspectors with recusals, the item list; nothing is deleted."""

import io
from dataclasses import replace

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from api.actions.assignments import Work, assign
from api.actions.directories import (
    InspectorSaid,
    declare_recusal,
    enter_inspector,
    import_sites,
    look_at_import,
    set_risk,
    withdraw_inspector,
    withdraw_recusal,
    withdraw_site,
)
from api.actions.inspection_items import ItemSaid, enter_item, rate_of, withdraw_item
from api.actions.site_file import read_datum, read_sites
from api.store import directories
from api.store.evaluations import units_of
from api.store.inspection_draws import item_numbered
from api.store.inspections import opened_assignments
from api.store.people import audit
from api.store.site_directory import entries, entry_numbered
from survey_forms.inspection.datum import Datum, Position
from survey_forms.refusal import Refused
from tests.double_random import SECRET_KEY, a_directory
from tests.inspections import NOW, TODAY

HEAD = "单位,编号,名称,英文名,地址,纬度,经度,坐标系,半径,围栏,风险\n"
GOOD = (
    HEAD
    + "civil,H1,湖滨大厅,,湖滨南路1号,24.4798,118.0894,GCJ-02,120,,A\n"
    + "市交通局,T1,枋湖客运站,Fanghu station,枋湖北二路,24.5210,118.1330,百度,,24.5205 118.1325;24.5205 118.1335;24.5215 118.1335;24.5215 118.1325,d\n"  # noqa: E501
)


@pytest.fixture
def directory(connection):
    return a_directory(connection)


@pytest.fixture
def units(connection, directory):
    return units_of(connection, directory.town.evaluation_id)


def faults_of(act, *facts, **named) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        act(*facts, **named)
    return [(fault.code, fault.path) for fault in refused.value.faults]


def read(text: str, units, encoding: str = "utf-8"):
    return read_sites(io.BytesIO(text.encode(encoding)), units)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_of_sites_is_read_in_the_encodings_that_excel_writes(units, encoding):
    hall, station = read(GOOD, units, encoding)
    assert (hall.unit.code, hall.datum, hall.radius_m, hall.fence, hall.risk) == ("civil", "GCJ-02", 120, None, "A")
    assert (station.unit.code, station.datum, station.radius_m, station.risk) == ("transport", "BD-09", 150, "D")
    assert station.fence[0] == [24.5205, 118.1325]
    assert (hall.name_en, station.name_en) == ("湖滨大厅", "Fanghu station")


def test_a_workbook_of_sites_is_read_as_well(units):
    book = Workbook()
    for line in GOOD.splitlines():
        book.active.append(line.split(","))
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    assert [row.code for row in read_sites(content, units)] == ["H1", "T1"]


def test_a_file_without_a_datum_column_is_refused(units):
    assert faults_of(read, "单位,编号,名称,纬度,经度\ncivil,H1,大厅,24.4,118.0\n", units) == [
        ("csv_column_missing", "1")
    ]


@pytest.mark.parametrize(
    ("written", "datum"),
    [
        ("ＷＧＳ－８４", "WGS-84"),
        ("GPS坐标", "WGS-84"),
        ("天地图", "WGS-84"),
        ("火星坐标系", "GCJ-02"),
        ("高德地图", "GCJ-02"),
        ("GCJ-02（高德、腾讯）", "GCJ-02"),
        ("百度地图坐标", "BD-09"),
        ("GCJ-02（百度）", None),
        ("地图", None),
    ],
)
def test_a_datum_is_known_by_what_people_call_it(written, datum):
    assert read_datum(written) == datum


def test_figures_may_be_wide_and_have_their_unit(units):
    (row,) = read(HEAD + "civil,H1,大厅,,,２４.４８,１１８．０９,高德,150.0米,,ａ\n", units)
    assert (row.lat, row.lon, row.radius_m, row.risk) == (24.48, 118.09, 150, "A")


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (
            "civil,H1,大厅,,,24.48,118.09,GPS,,24.4 118.0;24.401 118.0;24.401 118.001,",
            ("site_beyond_fence", "2:围栏"),
        ),
        ("civil,H1,大厅,,,24.4,118.0,,,,", ("site_datum_missing", "2:坐标系")),
        ("civil,H1,大厅,,,24.4,118.0,北京54,,,", ("site_datum", "2:坐标系")),
        ("nobody,H1,大厅,,,24.4,118.0,GPS,,,", ("csv_unit_unknown", "2:单位")),
        ("civil,,大厅,,,24.4,118.0,GPS,,,", ("csv_cell_missing", "2:编号")),
        ("civil,H1,,,,24.4,118.0,GPS,,,", ("csv_cell_missing", "2:名称")),
        ("civil,H1,大厅,,,北纬24度,118.0,GPS,,,", ("site_degrees", "2:纬度")),
        ("civil,H1,大厅,,,24.4,181,GPS,,,", ("site_degrees", "2:经度")),
        ("civil,H1,大厅,,,89.9,24.4,GPS,,,", ("site_swapped", "2:纬度 / 经度")),
        ("civil,H1,大厅,,,24.4,118.0,GPS,5,,", ("site_radius", "2:半径")),
        ("civil,H1,大厅,,,24.4,118.0,GPS,五百,,", ("site_radius", "2:半径")),
        ("civil,H1,大厅,,,24.4,118.0,GPS,,,E", ("site_risk", "2:风险")),
        ("civil,H1,大厅,,,24.4,118.0,GPS,,24.4 118.0;24.5,", ("site_corner", "2:围栏")),
        ("civil,H1,大厅,,,24.4,118.0,GPS,,24.4 118.0;24.401 118.0,", ("fence_corners", "2:围栏")),
        (
            "civil,H1,大厅,,,24.4,118.0,GPS,,24.4 118.0;24.401 118.001;24.401 118.0;24.4 118.001,",
            ("fence_crosses_itself", "2:围栏"),
        ),
        ("civil,H1,大厅,,,24.4,118.0,GPS,,24.4 118.0;26.4 118.0;24.4 120.0,", ("fence_too_wide", "2:围栏")),
    ],
)
def test_each_fault_names_its_row_and_column(units, cells, fault):
    assert faults_of(read, HEAD + cells + "\n", units) == [fault]


def test_all_faults_are_told_at_once_and_a_code_twice_is_one(units):
    text = HEAD + "civil,H1,大厅,,,x,y,,,,\n" + "civil,H1,大厅,,,24.4,118.0,GPS,,,\n" * 2
    codes = [code for code, _ in faults_of(read, text, units)]
    assert codes == ["site_degrees", "site_degrees", "site_datum_missing", "csv_row_twice"]


def test_importing_shows_what_changes_and_again_changes_nothing(connection, directory, units):
    evaluation_id = directory.town.evaluation_id
    rows = read(GOOD, units)
    assert len(look_at_import(connection, evaluation_id, rows).new) == 2
    import_sites(connection, evaluation_id, rows, directory.town.office, NOW)
    again = import_sites(connection, evaluation_id, rows, directory.town.office, NOW)
    assert (again.new, again.changed, again.same) == ((), (), 2)
    moved = read(GOOD.replace("24.4798", "24.4801").replace("H1,湖滨大厅", "H1,湖滨南大厅"), units)
    found = look_at_import(connection, evaluation_id, moved)
    assert [(row.code, unlike) for row, _, unlike in found.changed] == [("H1", ("name_zh", "name_en", "lat"))]
    import_sites(connection, evaluation_id, moved, directory.town.office, NOW)
    entry = next(one for one in entries(connection, evaluation_id) if one.code == "H1")
    assert (entry.name_zh, entry.lat) == ("湖滨南大厅", 24.4801)
    about = connection.execute(select(audit.c.about).where(audit.c.act == "site_changed")).scalars().all()
    assert [one["before"]["lat"] for one in about] == [24.4798]


def test_a_withdrawn_site_stays_and_comes_back_with_its_file(connection, directory, units):
    town, rows = directory.town, read(GOOD, units)
    import_sites(connection, town.evaluation_id, rows, town.office, NOW)
    site_id = next(one.id for one in entries(connection, town.evaluation_id) if one.code == "H1")
    assert faults_of(withdraw_site, connection, site_id, "", town.office, NOW) == [("assignment_reason", "reason")]
    withdraw_site(connection, site_id, "大厅搬走了", town.office, NOW)
    assert entry_numbered(connection, site_id).withdrawn
    crew = (town.inspector, town.other_inspector)
    assert faults_of(assign, connection, Work(site_id, crew, TODAY, "special"), SECRET_KEY, town.office, NOW) == [
        ("assignment_site_unknown", "site")
    ]
    import_sites(connection, town.evaluation_id, rows, town.office, NOW)
    assert not entry_numbered(connection, site_id).withdrawn


def test_a_sites_risk_changes_with_a_line_in_the_audit(connection, directory):
    set_risk(connection, directory.sites[0], "D", directory.town.office, NOW)
    assert entry_numbered(connection, directory.sites[0]).risk == "D"
    assert (
        faults_of(set_risk, connection, directory.sites[0], "E", directory.town.office, NOW)[0][0] == "directory_risk"
    )
    acts = connection.execute(select(audit.c.about).where(audit.c.act == "site_changed")).scalars().all()
    assert acts == [{"site": directory.sites[0], "before": {"risk": "A"}}]


def test_an_inspector_is_entered_changed_and_withdrawn(connection, directory):
    town = directory.town
    base = Position(24.48, 118.09, Datum.GCJ_02)
    enter_inspector(
        connection, InspectorSaid(town.inspector, "诚信第三方", ("食品", "消防", "食品"), base, 30), town.office, NOW
    )
    found = {one.staff_id: one for one in directories.inspectors(connection)}[town.inspector]
    assert (found.organisation, found.skills, found.datum, found.most_km) == (
        "诚信第三方",
        ("消防", "食品"),
        "GCJ-02",
        30,
    )
    withdraw_inspector(connection, town.inspector, town.office, NOW)
    assert {one.staff_id: one for one in directories.inspectors(connection)}[town.inspector].withdrawn
    bad = InspectorSaid(town.office, "x" * 101, (), None, 30)
    assert [code for code, _ in faults_of(enter_inspector, connection, bad, town.office, NOW)] == [
        "directory_no_inspector", "directory_organisation", "directory_most_km",
    ]  # fmt: skip


def test_a_recusal_keeps_somebody_from_work_made_by_hand_until_it_is_withdrawn(connection, directory):
    town = directory.town
    declare_recusal(connection, town.inspector, town.unit_id, "原工作单位，未满三年", town.office, NOW)
    declare_recusal(connection, town.inspector, town.unit_id, "再报一次", town.office, NOW)
    crew = (town.inspector, town.other_inspector)
    work = Work(town.site_id, crew, TODAY, "special")
    assert faults_of(assign, connection, work, SECRET_KEY, town.office, NOW) == [("assignment_recused", "crew")]
    standing = [one for one in directories.recusals(connection) if one.staff_id == town.inspector]
    assert [one.reason for one in standing] == ["原工作单位，未满三年"]
    withdraw_recusal(connection, standing[0].id, town.office, NOW)
    assert assign(connection, work, SECRET_KEY, town.office, NOW)


def test_work_made_by_hand_goes_to_its_whole_crew_and_is_made_once(connection, directory):
    town = directory.town
    work = Work(town.site_id, (town.inspector, town.other_inspector), TODAY, "special", announced=True)
    key = assign(connection, work, SECRET_KEY, town.office, NOW)
    for who in work.crew:
        (seen,) = opened_assignments(connection, who, TODAY)
        assert (seen.id, seen.kind, seen.announced) == (key, "special", True)
    same = replace(work, id=key)
    assert assign(connection, same, SECRET_KEY, town.office, NOW) == key
    assert len(opened_assignments(connection, town.inspector, TODAY)) == 1
    again = Work(town.site_id, (town.inspector,), TODAY, "revisit")
    revisit = assign(connection, again, SECRET_KEY, town.office, NOW)
    assert {one.kind for one in opened_assignments(connection, town.inspector, TODAY)} == {"special", "revisit"}
    assert revisit != key


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"kind": "random"}, "assignment_kind_unknown"),
        ({"day": TODAY.replace(day=20)}, "assignment_day_past"),
        ({"crew": (3,)}, "assignment_crew_small"),
        ({"kind": "third_party"}, "assignment_not_third_party"),
        ({"item_id": 999_999}, "assignment_item_unknown"),
    ],
)
def test_work_that_breaks_a_rule_is_refused(connection, directory, facts, code):
    town = directory.town
    given = {"crew": (town.inspector, town.other_inspector), "day": TODAY, "kind": "special"} | facts
    work = Work(town.site_id, **given)
    assert code in {found for found, _ in faults_of(assign, connection, work, SECRET_KEY, town.office, NOW)}


def test_third_party_work_takes_one_of_a_third_party(connection, directory):
    town = directory.town
    enter_inspector(connection, InspectorSaid(town.inspector, "诚信第三方", (), None, None), town.office, NOW)
    crew = (town.other_inspector, town.inspector)
    assert assign(connection, Work(town.site_id, crew, TODAY, "third_party"), SECRET_KEY, town.office, NOW)


def an_item(**facts) -> ItemSaid:
    rates = dict(zip("ABCD", [("5", "1", "1"), ("10%", "", "2"), ("20.5", "0", ""), ("100", "", "4")], strict=True))
    given = {"code": "W2", "name_zh": "消防通道", "name_en": "", "key_item": True, "component": "inspection",
             "skill": "消防", "rates": rates, "form_version": ""}  # fmt: skip
    return ItemSaid(**given | facts)


def test_an_item_is_entered_changed_withdrawn_and_comes_back(connection, directory):
    town = directory.town
    item_id = enter_item(connection, town.evaluation_id, an_item(), town.office, NOW)
    item = item_numbered(connection, item_id)
    assert item.rates["A"] == {"share": "0.05", "least": 1, "times": 1}
    assert item.rates["C"] == {"share": "0.205", "least": 0, "times": None}
    assert enter_item(connection, town.evaluation_id, an_item(skill=""), town.office, NOW) == item_id
    withdraw_item(connection, item_id, town.office, NOW)
    assert item_numbered(connection, item_id).withdrawn
    enter_item(connection, town.evaluation_id, an_item(), town.office, NOW)
    assert not item_numbered(connection, item_id).withdrawn


def test_every_fault_of_an_item_is_told_at_once(connection, directory):
    bad = an_item(code="", component="nowhere", rates={"A": ("101", "", "")}, form_version="none")
    codes = [code for code, _ in faults_of(enter_item, connection, directory.town.evaluation_id, bad, 1, NOW)]
    assert codes == ["item_text", "item_component", *["item_rate"] * 4, "item_form"]


@pytest.mark.parametrize("rate", [("", "", ""), ("-1", "", ""), ("5", "x", ""), ("5", "", "0"), ("5", "", "367")])
def test_what_is_no_rate_is_none(rate):
    assert rate_of(*rate) is None
