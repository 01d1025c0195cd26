"""The demonstration's living directories and its double random: sites, inspectors, an item, a sealed week."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import Connection, insert

from api.actions.assignments import open_due
from api.actions.directories import InspectorSaid, declare_recusal, enter_inspector, import_sites
from api.actions.inspection_draws import commit, draw_inspection
from api.actions.inspection_items import ItemSaid, enter_item
from api.actions.inspection_plan import Said
from api.actions.site_file import COLUMNS, read_sites
from api.demonstration import town
from api.store import evaluations, surveys
from api.store.site_directory import entries
from survey_forms.forms.workbook import convert_workbook
from survey_forms.inspection.datum import Position
from survey_forms.inspection.mornings import CHINA
from survey_forms.scheme.load import DOCUMENTS

CHECKLIST = "hall_inspection"
RATES = {"A": ("10", "1", "1"), "B": ("20", "1", "2"), "C": ("40", "1", "2"), "D": ("100", "1", "4")}
SKILLS = {"inspector": ("窗口作风",), "inspector2": ("窗口作风", "消防"), "inspector3": ("第三方核验",)}
THIRD_PARTY = "鹭岛调查咨询（演示）"
RECUSED = ("inspector2", "sports")
RECUSAL = "配偶在该单位任职"
BASE = Position(24.4798, 118.0894)
MOST_KM = 60
SOURCE = "演示：福建体彩 3D 与 4 位数（虚构），前一日 20:30 开奖"
FORM, RANDOMNESS = "### ####", "314 2718"
WEEKEND = 5


@dataclass(frozen=True, slots=True)
class Field:
    """What the visits need of the directories: sites in the order of `town.PLACES`, the item and its checklist."""

    sites: tuple[int, ...]
    item_id: int
    form_version: str


def load_directories(connection: Connection, evaluation_id: int, staff: Mapping[str, int], now: datetime) -> Field:
    """Enter sites, inspectors, the recusal and the item, as the office does on its pages."""
    office = staff["office"]
    units = evaluations.units_of(connection, evaluation_id)
    import_sites(connection, evaluation_id, read_sites(io.BytesIO(_site_file()), units), office, now)
    known = {one.code: one.id for one in entries(connection, evaluation_id)}
    for name, skills in SKILLS.items():
        organisation = THIRD_PARTY if name == "inspector3" else ""
        enter_inspector(connection, InspectorSaid(staff[name], organisation, skills, BASE, MOST_KM), office, now)
    name, code = RECUSED
    recused_from = next(unit.id for unit in units if unit.code == code)
    declare_recusal(connection, staff[name], recused_from, RECUSAL, office, now)
    version = _checklist(connection, now)
    said = ItemSaid("W1", "服务大厅窗口作风", "Conduct at service windows", True, "inspection", "", RATES, version)
    item_id = enter_item(connection, evaluation_id, said, office, now)
    return Field(tuple(known[_code(number)] for number in range(len(town.PLACES))), item_id, version)


def draw_week(connection: Connection, field: Field, staff: Mapping[str, int], secret_key: bytes, now: datetime) -> None:
    """A plan committed yesterday by one, drawn in the evening by another; today's seals open, the others stay shut."""
    today = now.astimezone(CHINA).date()

    def yesterday(hour: int, minute: int = 0) -> datetime:
        return datetime.combine(today - timedelta(days=1), time(hour, minute), CHINA).astimezone(now.tzinfo)

    plan = Said(
        field.item_id,
        "本周服务大厅双随机抽查（演示）",
        today,
        today + timedelta(days=6),
        SOURCE,
        yesterday(20, 30),
        FORM,
        also=frozenset({today} if today.weekday() >= WEEKEND else ()),
    )
    draw_id = commit(connection, plan, secret_key, staff["office"], yesterday(10))
    draw_inspection(connection, draw_id, RANDOMNESS, secret_key, staff["office2"], yesterday(21))
    open_due(connection, secret_key, now)


def _code(number: int) -> str:
    return f"S{number + 1:02}"


def _site_file() -> bytes:
    """The sites as the office's file has them; the first, a hall beside a road, has a polygon."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for number, place in enumerate(town.PLACES):
        fence = "" if number else _fence(place)
        rows.writerow(
            [
                place.unit, _code(number), place.name_zh, place.name_en, place.address, place.lat, place.lon, "WGS-84",
                place.radius_m, fence, "ABCD"[number % 4],
            ]
        )  # fmt: skip
    return written.getvalue().encode("utf-8-sig")


def _fence(place: town.Place) -> str:
    """Five corners about a place, some 100 m away, as the file writes them."""
    corners = ((9e-4, -1.1e-3), (9e-4, 6e-4), (2e-4, 1.2e-3), (-8e-4, 1.1e-3), (-9e-4, -9e-4))
    return "; ".join(f"{place.lat + north:.6f} {place.lon + east:.6f}" for north, east in corners)


def _checklist(connection: Connection, now: datetime) -> str:
    """Keep the hall's checklist; its version."""
    workbook = (DOCUMENTS / town.SCHEME / "forms" / f"{CHECKLIST}.xlsx").read_bytes()
    converted = convert_workbook(workbook)
    connection.execute(
        insert(surveys.form_version).values(
            version=converted.version, name=CHECKLIST, workbook=workbook, xform=converted.xform, uploaded_at=now
        )
    )
    return converted.version
