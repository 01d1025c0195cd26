"""What became of the demonstration's findings: decisions, slips, objections, a reversal, rectifications."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection

from api.actions.inspections import decide_finding
from api.actions.ledger import ask_reversal, decide_reversal
from api.actions.objections import DecisionSent, ObjectionSent, decide, explain, file_objection
from api.actions.rectifications import OrderSent, order
from api.actions.slips import open_slip, tell_deduction
from api.demonstration.told import Told
from api.objects import Objects
from api.store.ledger import entry_numbered
from api.store.slips import slip_of
from survey_forms.inspection.mornings import CHINA

REVERSAL = "复核照片与现场记录：值班安排公示在大厅东侧立牌上，原认定不成立。"
LEFT = Decimal(2)  # of the four points, after the objection
DAY = timedelta(days=1)


def live(  # noqa: PLR0913, PLR0917 - whose finding, with what people, and from when
    connection: Connection, objects: Objects, staff: Mapping[str, int], told: Told, finding_id: UUID, at: datetime
) -> None:
    """Let a finding be decided and whatever follows follow, from an hour after it was filed."""
    if told.fate == "waiting":
        return
    office, second = staff["office"], staff["office2"]
    confirm = True
    seq = decide_finding(connection, finding_id, office, confirm, "照片清楚，认定成立。", at)
    if seq is None:
        raise RuntimeError("a confirmed finding has its entry")
    tell_deduction(connection, seq, at)
    if told.fate == "reversed":
        request = ask_reversal(connection, seq, second, REVERSAL, at + timedelta(minutes=20))
        grant = True
        decide_reversal(connection, request, office, grant, "同意冲销。", at + timedelta(minutes=50))
    elif told.fate == "overdue":
        due = (at + 3 * DAY).astimezone(CHINA).date()
        demand = "严格考勤和外出登记，报送整改情况。"
        order(connection, OrderSent(seq, second, demand, due, "问题简单，限三日内整改。"), at + timedelta(hours=2))
    elif told.fate == "reduced":
        _reduced(connection, objects, staff, seq, at)
    elif told.fate == "objected":
        _objected(connection, objects, staff, seq, at)


def _reduced(connection: Connection, objects: Objects, staff: Mapping[str, int], seq: int, at: datetime) -> None:
    """The unit reads its slip and objects; the office explains; a third person takes half of the points back."""
    unit_id = _unit_of(connection, seq)
    told = slip_of(connection, seq)
    if told is not None:
        open_slip(connection, told.id, unit_id, staff["unit"], at + timedelta(hours=4))
    grounds = "其中一件因材料补正中止计时，不应计入超时。附件从略。"
    key = file_objection(connection, objects, ObjectionSent(seq, unit_id, staff["unit"], grounds), at + DAY)
    explanation = "系统导出的办件时限未扣除补正时间，两件分别超时 6 个和 1 个工作日。"
    explain(connection, key, staff["office2"], explanation, at + 2 * DAY)
    note = "扣除补正时间后仅一件超时，按 2 分计。"
    decide(connection, DecisionSent(key, staff["office3"], "reduced", note, LEFT), at + 4 * DAY)


def _objected(connection: Connection, objects: Objects, staff: Mapping[str, int], seq: int, at: datetime) -> None:
    """A rectification is ordered and runs; the unit has objected all the same, and waits for the explanation."""
    order(connection, OrderSent(seq, staff["office"], "设置 AB 岗，窗口不得空岗。"), at + timedelta(hours=1))
    grounds = "当时窗口人员正引导老年人自助取号，并非空岗，请核对监控。"
    sent = ObjectionSent(seq, _unit_of(connection, seq), staff["unit"], grounds)
    file_objection(connection, objects, sent, at + timedelta(hours=20))


def _unit_of(connection: Connection, seq: int) -> int:
    entry = entry_numbered(connection, seq)
    if entry is None:
        raise RuntimeError("an entry that was just made is there")
    return entry.unit_id
