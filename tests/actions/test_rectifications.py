"""Putting right: ordered, proven, returned, extended, looked at again, closed by another; urged by the clock, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import IntegrityError

from api.actions import ledger
from api.actions.due import day_of, end_of
from api.actions.escalation import remind_due
from api.actions.inspections import close_visit
from api.actions.objections import DecisionSent, decide
from api.actions.papers import read_papers
from api.actions.rectifications import ProofSent, close, extend, prove, send_back
from api.actions.revisits import order_revisit
from api.objects import Objects
from api.store.inspection_overview import sites_shown
from api.store.inspections import assignment_numbered
from api.store.objections import objection_numbered
from api.store.papers import papers_of_rectification
from api.store.rectifications import overdue_in, rectification_numbered, steps_of
from api.store.sites import site
from api.store.slips import slips_about
from survey_forms.inspection.mornings import CHINA
from survey_forms.refusal import Refused
from tests.deductions import PDF, a_cast, a_told_entry, an_explained_objection, an_order, some_papers
from tests.double_random import SECRET_KEY
from tests.inspections import NOW, a_check_in, a_finding

TODAY = date(2026, 11, 21)
DUE = TODAY + timedelta(days=21)
DONE = "已安排双人值守。"


@pytest.fixture
def cast(connection):
    return a_cast(connection)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path / "objects")


@pytest.fixture
def key(connection, cast) -> int:
    return an_order(connection, cast, a_told_entry(connection, cast))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=CHINA)


def a_proof(connection, objects, cast, key, now=NOW, **facts) -> None:
    given = {"rectification_id": key, "unit_id": cast.town.unit_id, "staff_id": cast.unit, "note": DONE} | facts
    prove(connection, objects, ProofSent(**given), now)


def kinds(connection, key) -> list[str]:
    return [one.kind for one in steps_of(connection, key)]


def slips(connection, key) -> list[str]:
    return [one.kind for one in slips_about(connection, key)]


def refusal(call, *given, **named) -> str:
    with pytest.raises(Refused) as refused:
        call(*given, **named)
    return str(refused.value.code)


def test_an_order_is_due_after_21_days_and_told(connection, cast):
    seq = a_told_entry(connection, cast)
    key = an_order(connection, cast, seq)
    assert an_order(connection, cast, seq) == key
    found = rectification_numbered(connection, key)
    assert (found.due_on, found.status, kinds(connection, key)) == (DUE, "ordered", ["ordered"])
    (told,) = slips_about(connection, key)
    assert (told.kind, told.about["due_on"], told.due_at) == ("rectification", "2026-12-12", end_of(DUE))
    assert refusal(an_order, connection, cast, seq, demand="另一要求") == "rectification_ordered"


def test_another_day_needs_its_reason(connection, cast):
    seq = a_told_entry(connection, cast)
    sooner = {"due_on": TODAY + timedelta(days=7)}
    assert refusal(an_order, connection, cast, seq, **sooner) == "rectification_reason_missing"
    assert refusal(an_order, connection, cast, seq, due_on=TODAY, reason="急") == "rectification_due_unfit"
    assert refusal(an_order, connection, cast, seq, demand="") == "rectification_demand_missing"
    key = an_order(connection, cast, seq, reason="涉及群众安全", **sooner)
    assert rectification_numbered(connection, key).due_on == sooner["due_on"]


def test_proven_returned_proven_and_closed_by_another(connection, objects, cast, key):
    assert refusal(close, connection, key, SECRET_KEY, cast.town.second_office, "好", NOW) == "rectification_not_proven"
    assert refusal(send_back, connection, key, cast.town.office, "无", NOW) == "rectification_not_proven"
    for _ in range(2):
        a_proof(connection, objects, cast, key, papers=read_papers(some_papers()))
    assert refusal(a_proof, connection, objects, cast, key, note="又一次") == "rectification_proven"
    for _ in range(2):
        send_back(connection, key, cast.town.office, "没有排班表", NOW)
    a_proof(connection, objects, cast, key, note="附排班表")
    assert refusal(close, connection, key, SECRET_KEY, cast.town.office, "好", NOW) == "rectification_orderer"
    for _ in range(2):
        close(connection, key, SECRET_KEY, cast.town.second_office, "现场属实", NOW)
    assert kinds(connection, key) == ["ordered", "proven", "returned", "proven", "closed"]
    assert len(papers_of_rectification(connection, key)) == 2
    assert refusal(a_proof, connection, objects, cast, key, note="再来") == "rectification_closed"


def test_only_the_unit_itself_proves(connection, objects, cast, key):
    strange = {"unit_id": cast.town.other_unit_id, "staff_id": cast.other_unit}
    assert refusal(a_proof, connection, objects, cast, key, **strange) == "not_found"
    assert refusal(a_proof, connection, objects, cast, key, note="") == "rectification_proof_missing"


@pytest.mark.parametrize("who", ["orderer", "prover", "inspector"])
def test_the_database_lets_another_of_the_office_close(connection, objects, cast, key, who):
    a_proof(connection, objects, cast, key)
    wrong = {"orderer": cast.town.office, "prover": cast.unit, "inspector": cast.town.inspector}[who]
    closing = text("UPDATE field.rectification SET status = 'closed', closed_by = :who, closed_at = now()")
    with pytest.raises(IntegrityError, match=r"another person of the office"):
        connection.execute(closing, {"who": wrong})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE field.rectification_step SET note = 'x'",
        "DELETE FROM field.rectification_step",
        "UPDATE field.rectification SET demand = 'x'",
        "UPDATE field.rectification SET ordered_by = ordered_by + 1",
    ],
)
def test_what_was_ordered_and_done_stays(connection, key, statement):
    assert key
    with pytest.raises(IntegrityError, match=r"only grows|stays as it was"):
        connection.execute(text(statement))


def test_a_re_inspection_is_over_before_anything_is_closed(connection, objects, cast):
    visit = a_check_in(connection, cast.town).visit_id
    finding = a_finding(connection, cast.town, visit)
    key = an_order(connection, cast, a_told_entry(connection, cast, finding_id=finding.id))
    a_proof(connection, objects, cast, key)
    ask = (connection, key, [cast.town.inspector], TODAY, None, SECRET_KEY, cast.town.office, NOW)
    ordered = order_revisit(*ask)
    assert order_revisit(*ask) == ordered
    assert assignment_numbered(connection, ordered).site.id == cast.town.site_id
    other_day = (connection, key, [cast.town.inspector], DUE, None, SECRET_KEY, cast.town.office, NOW)
    assert refusal(order_revisit, *other_day) == "rectification_revisit_open"
    closing = (connection, key, SECRET_KEY, cast.town.second_office, "现场属实", NOW)
    assert refusal(close, *closing) == "rectification_revisit_open"
    again = a_check_in(connection, cast.town, ordered).visit_id
    assert refusal(close, *closing) == "rectification_revisit_open"
    close_visit(connection, again, cast.town.inspector, "", NOW)
    close(*closing)
    assert kinds(connection, key) == ["ordered", "proven", "revisit", "closed"]


def test_a_deduction_that_nobody_saw_on_site_needs_a_site_to_look_at(connection, cast, key):
    ask = (connection, key, [cast.town.inspector], TODAY)
    assert refusal(order_revisit, *ask, None, SECRET_KEY, cast.town.office, NOW) == "rectification_site_missing"
    place = {"name_zh": "别处", "name_en": "", "address": "", "datum": "WGS-84", "lat": 24.5, "lon": 118.1}
    values = {"unit_id": cast.town.other_unit_id, "radius_m": 100} | place
    anothers = connection.execute(insert(site).values(**values).returning(site.c.id)).scalar_one()
    assert refusal(order_revisit, *ask, anothers, SECRET_KEY, cast.town.office, NOW) == "assignment_site_unknown"
    assert order_revisit(*ask, cast.town.site_id, SECRET_KEY, cast.town.office, NOW)


def test_reminded_once_then_urged_weekly_and_escalated_after_the_second(connection, cast, key):
    wrote = {}
    for days in range(45):
        day = TODAY + timedelta(days=days)
        for _ in range(3):
            if remind_due(connection, noon(day)):
                wrote[day] = slips(connection, key)[-1]
    assert wrote == {
        DUE - timedelta(days=3): "reminder",
        DUE + timedelta(days=1): "urging",
        DUE + timedelta(days=8): "urging",
        DUE + timedelta(days=15): "urging",
        DUE + timedelta(days=22): "urging",
    }
    assert kinds(connection, key) == ["ordered", "reminded", "urged", "urged", "escalated", "urged", "urged"]
    numbers = [(one.number, one.about["times"]) for one in slips_about(connection, key) if one.kind == "urging"]
    assert numbers == [(1, 1), (2, 2), (3, 3), (4, 4)]
    today = DUE + timedelta(days=23)
    assert [one.id for one in overdue_in(connection, cast.town.evaluation_id, today)] == [key]


def test_the_last_day_is_whole(connection, key):
    remind_due(connection, noon(DUE))
    assert remind_due(connection, end_of(DUE)) == 0
    assert remind_due(connection, end_of(DUE) + timedelta(seconds=1)) == 1
    assert slips(connection, key) == ["rectification", "reminder", "urging"]


def test_a_clock_that_jumps_writes_each_slip_once(connection, key):
    month = noon(DUE + timedelta(days=30))
    assert [remind_due(connection, month + timedelta(minutes=n)) for n in range(4)] == [1, 0, 0, 0]
    assert remind_due(connection, noon(TODAY)) == 0
    remind_due(connection, noon(DUE))  # a clock put right again: the reminder that was never written
    assert remind_due(connection, noon(DUE + timedelta(days=2))) == 0
    assert remind_due(connection, noon(DUE + timedelta(days=37))) == 1
    assert slips(connection, key) == ["rectification", "urging", "reminder", "urging"]


def test_nobody_is_urged_who_has_proven_and_everybody_who_was_returned(connection, objects, cast, key):
    a_proof(connection, objects, cast, key, noon(DUE))
    late = noon(DUE + timedelta(days=2))
    assert remind_due(connection, late) == 0
    send_back(connection, key, cast.town.office, "不够", late)
    assert slips(connection, key) == ["rectification"]
    again = day_of(late) + timedelta(days=3)
    assert [remind_due(connection, noon(again + timedelta(days=n))) for n in (0, 1)] == [1, 1]
    assert slips(connection, key) == ["rectification", "reminder", "urging"]


@pytest.mark.parametrize(
    ("proven", "returned", "due"),
    [  # days after the order; 21 are given
        (11, 15, 25),  # ten were left
        (11, 200, 210),  # however long the office took
        (20, 20, 23),  # no fewer than a reminder's three
        (30, 40, 43),  # late was late, and there is time to do it right
        (1, 1, 21),
    ],
)
def test_a_returned_unit_has_the_days_that_it_had_left(  # noqa: PLR0917 - fixtures and a case
    connection, objects, cast, key, proven, returned, due
):
    a_proof(connection, objects, cast, key, noon(TODAY + timedelta(days=proven)))
    for _ in range(2):
        send_back(connection, key, cast.town.office, "不够", noon(TODAY + timedelta(days=returned)))
    found = rectification_numbered(connection, key)
    assert (found.due_on, found.status) == (TODAY + timedelta(days=due), "returned")
    moved = [one.note for one in steps_of(connection, key) if one.kind == "extended"]
    assert moved == ([f"{DUE} → {found.due_on}"] if due > 21 else [])


def test_a_proof_that_does_not_do_wipes_out_no_urging(connection, objects, cast, key):
    for days in (1, 8):
        remind_due(connection, noon(DUE + timedelta(days=days)))
    a_proof(connection, objects, cast, key, noon(DUE + timedelta(days=9)))
    send_back(connection, key, cast.town.office, "空的", noon(DUE + timedelta(days=9)))
    assert remind_due(connection, noon(DUE + timedelta(days=13))) == 0  # the third is a week after the second
    assert remind_due(connection, noon(DUE + timedelta(days=15))) == 1
    assert slips_about(connection, key)[-1].about["times"] == 3


def test_papers_that_come_with_the_same_words_again_are_added(connection, objects, cast, key):
    first, second = read_papers(some_papers())
    for papers in ((), (first,), (first, second), ()):
        a_proof(connection, objects, cast, key, papers=papers)
    assert [one.sha256 for one in papers_of_rectification(connection, key)] == [first.sha256, second.sha256]
    assert kinds(connection, key) == ["ordered", "proven"]
    many = read_papers([(f"{n}.pdf", PDF + bytes([n])) for n in range(4)])
    assert refusal(a_proof, connection, objects, cast, key, papers=many) == "papers_too_many"
    assert refusal(a_proof, connection, objects, cast, key, staff_id=cast.unit_again) == "rectification_proven"


def test_an_order_of_another_day_is_another_order(connection, cast):
    seq = a_told_entry(connection, cast)
    later = {"due_on": DUE + timedelta(days=40), "reason": "工期长"}
    key = an_order(connection, cast, seq, **later)
    assert an_order(connection, cast, seq, **later) == key
    for other in ({}, later | {"due_on": DUE}, later | {"reason": "雨季"}):
        assert refusal(an_order, connection, cast, seq, **other) == "rectification_ordered"
    extend(connection, key, DUE + timedelta(days=50), "雨季", cast.town.office, NOW)
    assert an_order(connection, cast, seq, **later) == key


def test_an_extension_begins_anew(connection, cast, key):
    overdue = noon(DUE + timedelta(days=10))
    remind_due(connection, overdue)
    later = DUE + timedelta(days=30)
    assert refusal(extend, connection, key, later, "", cast.town.office, overdue) == "rectification_reason_missing"
    assert refusal(extend, connection, key, DUE, "雨季", cast.town.office, overdue) == "rectification_due_unfit"
    for _ in range(2):
        extend(connection, key, later, "雨季施工", cast.town.office, overdue)
    assert remind_due(connection, overdue) == 0
    assert remind_due(connection, noon(later)) == 1
    assert remind_due(connection, noon(later + timedelta(days=1))) == 1
    assert slips(connection, key) == ["rectification", "urging", "reminder", "urging"]
    assert [one.about["times"] for one in slips_about(connection, key) if one.kind == "urging"] == [1, 1]
    assert kinds(connection, key).count("extended") == 1


def test_what_was_taken_back_is_not_urged_and_can_be_closed(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    key = an_order(connection, cast, seq)
    objection = an_explained_objection(connection, objects, cast, seq)
    decide(connection, DecisionSent(objection, cast.third_office, "upheld", "属实"), NOW)
    assert remind_due(connection, noon(DUE + timedelta(days=9))) == 0
    assert overdue_in(connection, cast.town.evaluation_id, DUE + timedelta(days=9)) == []
    close(connection, key, SECRET_KEY, cast.town.second_office, "扣分已冲销", NOW)
    reversing = ledger.entry_numbered(connection, 2)
    assert refusal(an_order, connection, cast, reversing.seq) == "rectification_of_reversed"


def test_what_was_only_reduced_is_still_to_be_put_right(connection, objects, cast):
    seq = a_told_entry(connection, cast, rule="rude_service", points="5")
    an_order(connection, cast, seq)
    objection = an_explained_objection(connection, objects, cast, seq)
    sent = DecisionSent(objection, cast.third_office, "reduced", "情节较轻", Decimal(3))
    decide(connection, sent, NOW)
    late = DUE + timedelta(days=9)
    assert remind_due(connection, noon(late)) == 1
    smaller = objection_numbered(connection, objection).replacement_seq
    assert refusal(an_order, connection, cast, smaller) == "rectification_ordered"  # one deduction, one order
    assert [one.seq for one in overdue_in(connection, cast.town.evaluation_id, late)] == [seq]
    ledger.reverse(connection, smaller, "误记", cast.town.second_office, cast.town.office, NOW)
    assert overdue_in(connection, cast.town.evaluation_id, late) == []


def test_the_map_counts_what_is_overdue_by_the_finding_behind_it(connection, objects, cast):
    visit = a_check_in(connection, cast.town).visit_id
    facts = {"finding_id": a_finding(connection, cast.town, visit).id, "rule": "rude_service", "points": "5"}
    seq = a_told_entry(connection, cast, **facts)
    objection = an_explained_objection(connection, objects, cast, seq)
    decide(connection, DecisionSent(objection, cast.third_office, "reduced", "情节较轻", Decimal(3)), NOW)
    smaller = objection_numbered(connection, objection).replacement_seq
    an_order(connection, cast, smaller)

    def overdue() -> int:
        shown = sites_shown(connection, cast.town.evaluation_id, DUE + timedelta(days=9))
        return next(one.overdue for one in shown if one.site.id == cast.town.site_id)

    assert overdue() == 1
    ledger.reverse(connection, smaller, "误记", cast.town.second_office, cast.town.office, NOW)
    assert overdue() == 0


def test_eight_clocks_at_once_write_one_slip(engine: Engine):
    with engine.begin() as connection:
        cast = a_cast(connection)
        keys = [an_order(connection, cast, a_told_entry(connection, cast, basis=str(n))) for n in range(3)]

    def tick(_: int) -> int:
        with engine.begin() as connection:
            return remind_due(connection, noon(DUE + timedelta(days=1)))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tick, range(16))) == 3
    with engine.connect() as connection:
        assert [slips(connection, key) for key in keys] == [["rectification", "urging"]] * 3
        assert day_of(slips_about(connection, keys[0])[1].issued_at) == DUE + timedelta(days=1)
