"""What became of the demonstration's findings: decisions, slips, objections, a reversal, rectifications."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
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


@dataclass(frozen=True, slots=True)
class Agenda:
    """What people will do and when, so that the ledger gets its entries in the order of their times."""

    connection: Connection
    objects: Objects
    staff: Mapping[str, int]
    waiting: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)

    def add(self, at: datetime, act: Callable[[datetime], None]) -> None:
        """Let somebody do something then; acts of the same moment keep their order."""
        heappush(self.waiting, (at, len(self.waiting), act))

    def run(self, until: datetime) -> None:
        """Let everything happen that is due by a moment, what is added meanwhile included."""
        while self.waiting and self.waiting[0][0] <= until:
            at, _, act = heappop(self.waiting)
            act(at)

    def finding(self, told: Told, finding_id: UUID, at: datetime) -> None:
        """Let a finding be decided then, and whatever follows follow."""
        if told.fate != "waiting":
            self.add(at, lambda now: self._decided(told, finding_id, now))

    def _decided(self, told: Told, finding_id: UUID, now: datetime) -> None:
        confirm = True
        seq = decide_finding(self.connection, finding_id, self.staff["office"], confirm, "照片清楚，认定成立。", now)
        if seq is None:
            raise RuntimeError("a confirmed finding has its entry")
        tell_deduction(self.connection, seq, now)
        follow = {
            "reversed": self._reverse, "overdue": self._demand, "reduced": self._reduce, "objected": self._object,
        }.get(told.fate)  # fmt: skip
        if follow:
            follow(seq, now)

    def _reverse(self, seq: int, at: datetime) -> None:
        """One person asks for a reversal, another grants it who had no part in the entry."""
        request = ask_reversal(self.connection, seq, self.staff["office2"], REVERSAL, at)
        grant = True

        def decided(now: datetime) -> None:
            decide_reversal(self.connection, request, self.staff["office3"], grant, "同意冲销。", now)

        self.add(at + timedelta(minutes=50), decided)

    def _demand(self, seq: int, at: datetime) -> None:
        """A short term, which the unit lets pass."""
        due = (at + 3 * DAY).astimezone(CHINA).date()
        sent = OrderSent(
            seq, self.staff["office2"], "严格考勤和外出登记，报送整改情况。", due, "问题简单，限三日内整改。"
        )
        order(self.connection, sent, at)

    def _reduce(self, seq: int, at: datetime) -> None:
        """The unit reads its slip and objects; the office explains; a third person takes half of the points back."""
        unit, unit_id = self.staff["unit"], self._unit_of(seq)
        told = slip_of(self.connection, seq)
        if told is not None:
            open_slip(self.connection, told.id, unit_id, unit, at + timedelta(hours=4))
        sent = ObjectionSent(seq, unit_id, unit, "其中一件因材料补正中止计时，不应计入超时。附件从略。")
        key = file_objection(self.connection, self.objects, sent, at + DAY)
        words = "系统导出的办件时限未扣除补正时间，两件分别超时 6 个和 1 个工作日。"
        explain(self.connection, key, self.staff["office2"], words, at + 2 * DAY)
        note = "扣除补正时间后仅一件超时，按 2 分计。"
        decision = DecisionSent(key, self.staff["office3"], "reduced", note, LEFT)
        self.add(at + 4 * DAY, lambda now: decide(self.connection, decision, now))

    def _object(self, seq: int, at: datetime) -> None:
        """A rectification is ordered and runs; the unit has objected all the same, and waits for the explanation."""
        order(self.connection, OrderSent(seq, self.staff["office"], "设置 AB 岗，窗口不得空岗。"), at)
        grounds = "当时窗口人员正引导老年人自助取号，并非空岗，请核对监控。"
        sent = ObjectionSent(seq, self._unit_of(seq), self.staff["unit"], grounds)
        file_objection(self.connection, self.objects, sent, at + timedelta(hours=20))

    def _unit_of(self, seq: int) -> int:
        entry = entry_numbered(self.connection, seq)
        if entry is None:
            raise RuntimeError("an entry that was just made is there")
        return entry.unit_id
