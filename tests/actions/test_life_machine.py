"""The life of deductions as a state machine: anybody may try anything in any order, and what must hold always holds.

Never two decisions or one by a person involved; one reversal an entry; points that stand = the ledger folded from its
beginning = what the decisions say; every slip once, numbered without a gap.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, select

from api.actions import ledger
from api.actions.escalation import remind_due
from api.actions.objections import DecisionSent, ObjectionSent, decide, explain, file_objection
from api.actions.rectifications import ProofSent, close, extend, prove, send_back
from api.actions.slips import tell_deduction
from api.objects import Objects
from api.store.ledger import entries_of
from api.store.objections import objections_in
from api.store.rectifications import rectifications_in, steps_of
from api.store.slips import slip
from survey_forms.refusal import Refused
from tests.deductions import a_cast, a_told_entry, an_explained_objection, an_order, standing
from tests.double_random import SECRET_KEY
from tests.inspections import NOW, an_entry

WHO = st.sampled_from(["inspector", "office", "second_office", "third_office", "unit", "unit_again", "other_unit"])
WHICH = st.integers(0, 5)
PLACES = ("office", "second_office", "inspector")


class Life(RuleBasedStateMachine):
    """One evaluation, six entries at most, seven people, and a clock that moves both ways."""

    connection: Connection
    reached: set[str]

    @initialize()
    def begin(self) -> None:
        self.nested = self.connection.begin_nested()
        self.folder = TemporaryDirectory()
        self.objects = Objects(Path(self.folder.name))
        self.cast = a_cast(self.connection)
        self.now = NOW
        self.decided: dict[int, tuple[Any, ...]] = {}
        self.closed: dict[int, int] = {}
        seq = a_told_entry(self.connection, self.cast, rule="rude_service", points="6")
        an_explained_objection(self.connection, self.objects, self.cast, seq)
        an_order(self.connection, self.cast, seq)

    def teardown(self) -> None:
        if hasattr(self, "nested"):
            self.nested.rollback()
            self.folder.cleanup()

    def person(self, who: str) -> int:
        town = self.cast.town
        return int(getattr(self.cast, who, None) or getattr(town, who))

    def unit_of(self, who: str) -> int:
        return self.cast.town.other_unit_id if who == "other_unit" else self.cast.town.unit_id

    def attempt(self, act: Callable[[], object]) -> bool:
        """Try it in a savepoint, as a request does in its transaction; a refusal leaves nothing."""
        point = self.connection.begin_nested()
        try:
            act()
        except Refused:
            point.rollback()
            return False
        point.commit()
        return True

    def entry(self, which: int) -> int:
        known = [one.seq for one in entries_of(self.connection, self.cast.town.evaluation_id)]
        return known[which % len(known)] if known else 1

    def objection(self, which: int) -> int:
        known = [one.id for one in objections_in(self.connection, self.cast.town.evaluation_id)]
        return known[which % len(known)] if known else 0

    def rectification(self, which: int) -> int:
        known = [one.id for one in rectifications_in(self.connection, self.cast.town.evaluation_id)]
        return known[which % len(known)] if known else 0

    @rule(points=st.sampled_from(["2", "4", "6"]), told=st.booleans())
    def deduct(self, points: str, told: bool) -> None:  # noqa: FBT001 - whether the worker was there
        if len(entries_of(self.connection, self.cast.town.evaluation_id)) < 6:
            seq = an_entry(self.connection, self.cast.town, rule="rude_service", points=points, now=self.now)
            if told:
                tell_deduction(self.connection, seq, self.now)

    @rule(which=WHICH)
    def tell(self, which: int) -> None:
        self.attempt(lambda: tell_deduction(self.connection, self.entry(which), self.now))

    @rule(days=st.sampled_from([-5, -1, 0, 1, 4, 8, 23]))
    def time_goes_on(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.tick()

    @rule(which=WHICH, who=WHO, grounds=st.sampled_from(["", "理由", "另一理由"]))
    def object(self, which: int, who: str, grounds: str) -> None:
        sent = ObjectionSent(self.entry(which), self.unit_of(who), self.person(who), grounds)
        if who in {"unit", "unit_again", "other_unit"}:
            self.attempt(lambda: file_objection(self.connection, self.objects, sent, self.now))

    @rule(which=WHICH, who=st.sampled_from(["office", "second_office", "third_office"]))
    def explain(self, which: int, who: str) -> None:
        self.attempt(lambda: explain(self.connection, self.objection(which), self.person(who), "说明", self.now))

    @rule(
        which=WHICH,
        who=st.sampled_from(["office", "second_office", "third_office"]),
        verdict=st.sampled_from(["upheld", "reduced", "dismissed"]),
        points=st.sampled_from([None, "1", "2", "3", "5"]),
    )
    def decide(self, which: int, who: str, verdict: str, points: str | None) -> None:
        left = Decimal(points) if points else None
        sent = DecisionSent(self.objection(which), self.person(who), verdict, "决定", left)
        self.attempt(lambda: decide(self.connection, sent, self.now))

    @rule(which=WHICH, asker=st.sampled_from(PLACES), decider=st.sampled_from(PLACES))
    def reverse(self, which: int, asker: str, decider: str) -> None:
        def both() -> None:
            people = self.person(asker), self.person(decider)
            request = ledger.ask_reversal(self.connection, self.entry(which), people[0], "录错", self.now)
            ledger.decide_reversal(self.connection, request, people[1], True, "", self.now)

        self.attempt(both)

    @rule(which=WHICH, who=st.sampled_from(["office", "second_office"]))
    def order(self, which: int, who: str) -> None:
        seq, person = self.entry(which), self.person(who)
        self.attempt(lambda: an_order(self.connection, self.cast, seq, self.now, staff_id=person))

    @rule(
        which=WHICH, who=st.sampled_from(["unit", "unit_again", "other_unit"]), note=st.sampled_from(["", "已改", "补"])
    )
    def prove(self, which: int, who: str, note: str) -> None:
        sent = ProofSent(self.rectification(which), self.unit_of(who), self.person(who), note)
        self.attempt(lambda: prove(self.connection, self.objects, sent, self.now))

    @rule(which=WHICH, who=st.sampled_from(["office", "second_office", "third_office"]), act=st.integers(0, 2))
    def attend(self, which: int, who: str, act: int) -> None:
        key, person = self.rectification(which), self.person(who)
        later = (self.now + timedelta(days=30)).date()
        acts: list[Callable[[], object]] = [
            lambda: close(self.connection, key, SECRET_KEY, person, "属实", self.now),
            lambda: send_back(self.connection, key, person, "不够", self.now),
            lambda: extend(self.connection, key, later, "雨季", person, self.now),
        ]
        self.attempt(acts[act])

    def tick(self) -> None:
        remind_due(self.connection, self.now)
        assert remind_due(self.connection, self.now) == 0

    @invariant()
    def decisions_are_one_each_and_by_others(self) -> None:
        for one in objections_in(self.connection, self.cast.town.evaluation_id):
            if one.is_decided:
                assert one.decided_by not in one.involved
                assert one.explained_by is not None
                what = (one.status, one.decided_by, one.points, one.reversal_seq, one.replacement_seq)
                assert self.decided.setdefault(one.id, what) == what
            self.reached.add(one.status)
        assert len(self.decided) <= len(objections_in(self.connection, self.cast.town.evaluation_id))

    @invariant()
    def points_are_the_ledger_folded(self) -> None:
        entries = entries_of(self.connection, self.cast.town.evaluation_id)
        reversed_ = [one.reverses for one in entries if one.reverses is not None]
        assert len(set(reversed_)) == len(reversed_)
        by_hand = sum((one.points for one in entries if one.reverses is None and one.seq not in reversed_), Decimal(0))
        assert standing(entries) == by_hand
        by_number = {one.seq: one for one in entries}
        for one in objections_in(self.connection, self.cast.town.evaluation_id):
            if one.status in {"upheld", "reduced"}:
                assert by_number[one.reversal_seq].reverses == one.seq
            if one.status == "reduced":
                assert 0 < by_number[one.replacement_seq].points == one.points < by_number[one.seq].points

    @invariant()
    def slips_are_once_and_without_a_gap(self) -> None:
        rows = self.connection.execute(
            select(slip.c.kind, slip.c.number, slip.c.key).where(slip.c.evaluation_id == self.cast.town.evaluation_id)
        ).all()
        assert len({row.key for row in rows}) == len(rows)
        for kind in {row.kind for row in rows}:
            own = sorted(row.number for row in rows if row.kind == kind)
            assert own == list(range(1, len(own) + 1))

    @invariant()
    def orders_are_closed_by_another_and_stay_closed(self) -> None:
        for one in rectifications_in(self.connection, self.cast.town.evaluation_id):
            steps = steps_of(self.connection, one.id)
            assert steps[0].kind == "ordered"
            self.reached.update(step.kind for step in steps)
            assert [step.kind for step in steps].count("closed") == (one.status == "closed")
            if one.closed_by is not None:
                assert one.closed_by != one.ordered_by
                assert one.closed_by not in {step.staff_id for step in steps if step.kind == "proven"}
                assert self.closed.setdefault(one.id, len(steps)) == len(steps)


def test_whatever_anybody_tries_in_whatever_order(connection):

    class Here(Life):
        pass

    Here.connection, Here.reached = connection, set()
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Here.reached & {"upheld", "reduced", "dismissed"}, "the machine must come to decisions"
    assert {"proven", "returned"} <= Here.reached
