"""Check-ins are classified and never blocked; findings keep to the catalogue; retries change nothing."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from api.actions.inspections import close_visit, decide_finding, opened
from api.objects import Objects
from api.store.inspections import (
    assignment_numbered,
    check_in,
    check_ins_of,
    opened_assignments,
    sealed_days,
    visit,
)
from api.store.ledger import entry_numbered, ledger_entry
from api.store.photos import judge_photo
from survey_forms.refusal import Refused
from tests.inspections import (
    NOW,
    TODAY,
    a_check_in,
    a_finding,
    a_fix,
    a_jpeg,
    a_photo,
    a_town,
    an_assignment,
)

TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def town(connection):
    return a_town(connection)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path)


def code_of(act, *facts, **named) -> str:
    with pytest.raises(Refused) as refused:
        act(*facts, **named)
    return refused.value.code


def test_an_assignment_is_sealed_until_its_day_in_china(connection, town):
    sealed = an_assignment(connection, town, day=TOMORROW)
    an_assignment(connection, town)
    an_assignment(connection, town, inspector=town.other_inspector)
    assert len(opened_assignments(connection, town.inspector, TODAY)) == 1
    assert sealed_days(connection, town.inspector, TODAY) == [TOMORROW]
    assert code_of(opened, connection, sealed, town.inspector, NOW) == "not_found"
    six = NOW.replace(hour=22, minute=0)  # 06:00 of the next day in China
    assert code_of(opened, connection, sealed, town.inspector, six - timedelta(seconds=1)) == "not_found"
    assert opened(connection, sealed, town.inspector, six).id == sealed
    assert code_of(opened, connection, sealed, town.other_inspector, six) == "not_found"


@pytest.mark.parametrize(
    ("north_m", "accuracy_m", "presence"),
    [(20, 12, "certain"), (160, 40, "likely"), (120, 400, "unclear"), (900, 20, "outside")],
)
def test_a_check_in_gets_its_class(connection, town, north_m, accuracy_m, presence):
    fixes = (a_fix(north_m=north_m, accuracy_m=accuracy_m), a_fix(north_m=5000, accuracy_m=900))
    found = a_check_in(connection, town, fixes=fixes, reason="隧道口信号差")
    assert (found.presence, found.accuracy_m, len(found.fixes)) == (presence, accuracy_m, 2)
    assert found.distance_m == pytest.approx(north_m, rel=0.01)


def test_no_position_needs_a_reason_and_nothing_else(connection, town):
    assignment = an_assignment(connection, town)
    assert code_of(a_check_in, connection, town, assignment, fixes=()) == "check_in_reason_missing"
    assert assignment_numbered(connection, assignment).visit_id is None
    found = a_check_in(connection, town, assignment, fixes=(), reason="手机不支持定位")
    assert (found.presence, found.lat, found.flags) == ("unclear", None, ("flag_no_position",))


def test_the_same_check_in_again_is_the_same_row(connection, town):
    assignment = an_assignment(connection, town)
    given = {"id": uuid4(), "visit_id": uuid4()}
    first = a_check_in(connection, town, assignment, **given)
    assert a_check_in(connection, town, assignment, **given) == first
    assert code_of(a_check_in, connection, town, assignment, reason="别的", **given) == "sent_before_otherwise"
    assert connection.execute(select(func.count()).select_from(check_in)).scalar_one() == 1


def test_a_second_check_in_joins_the_visit_that_there_is(connection, town):
    assignment = an_assignment(connection, town)
    first = a_check_in(connection, town, assignment, fixes=(), reason="室内无信号")
    second = a_check_in(connection, town, assignment)
    assert second.visit_id == first.visit_id
    assert [seen.presence for seen in check_ins_of(connection, first.visit_id)] == ["unclear", "certain"]
    assert connection.execute(select(func.count()).select_from(visit)).scalar_one() == 1


def test_a_visit_id_of_another_assignment_is_refused(connection, town):
    first = a_check_in(connection, town)
    assert code_of(a_check_in, connection, town, visit_id=first.visit_id) == "sent_before_otherwise"


def test_a_closed_visit_takes_nothing_more_but_answers_retries(connection, town, objects):
    assignment = an_assignment(connection, town)
    given = {"id": uuid4(), "visit_id": uuid4()}
    seen = a_check_in(connection, town, assignment, **given)
    photo = a_photo(connection, objects, town, seen.visit_id)
    finding = a_finding(connection, town, seen.visit_id, photos=(photo.sha256,))
    for _ in range(2):
        close_visit(connection, seen.visit_id, town.inspector, "完", NOW)
    assert code_of(a_check_in, connection, town, assignment) == "visit_closed"
    assert code_of(a_finding, connection, town, seen.visit_id) == "visit_closed"
    assert code_of(a_photo, connection, objects, town, seen.visit_id, a_jpeg(color="red")) == "visit_closed"
    assert a_check_in(connection, town, assignment, **given) == seen
    assert a_photo(connection, objects, town, seen.visit_id) == photo
    assert a_finding(connection, town, seen.visit_id, id=finding.id, photos=finding.photos) == finding


def test_nobody_closes_anothers_visit(connection, town):
    seen = a_check_in(connection, town)
    assert code_of(close_visit, connection, seen.visit_id, town.other_inspector, "", NOW) == "not_found"


@pytest.mark.parametrize(
    ("rule", "points", "entered"),
    [
        ("unattended_window", None, "5"),
        ("unattended_window", "5.00", "5"),
        ("unattended_window", "4", None),
        ("rude_service", "2", "2"),
        ("rude_service", "6", "6"),
        ("rude_service", "2.5", "2.5"),
        ("rude_service", "6.01", None),
        ("rude_service", "2.001", None),
        ("rude_service", "-3", None),
        ("rude_service", "NaN", None),
        ("rude_service", "1e400", None),
        ("rude_service", "1e-400", None),
        ("rude_service", None, None),
    ],
)
def test_points_are_those_of_the_catalogue(connection, town, rule, points, entered):
    visit_id = a_check_in(connection, town).visit_id
    facts = {"rule": rule, "points": Decimal(points) if points else None}
    if entered is None:
        assert code_of(a_finding, connection, town, visit_id, **facts) == "finding_points_unfit"
    else:
        assert a_finding(connection, town, visit_id, **facts).points == Decimal(entered)


def test_a_finding_keeps_to_the_catalogue_and_to_its_visit(connection, town, objects):
    visit_id = a_check_in(connection, town).visit_id
    elsewhere = a_photo(connection, objects, town, a_check_in(connection, town).visit_id)
    assert code_of(a_finding, connection, town, visit_id, rule="no_such") == "finding_rule_unknown"
    assert code_of(a_finding, connection, town, visit_id, description="") == "finding_description_missing"
    assert code_of(a_finding, connection, town, visit_id, photos=(elsewhere.sha256,)) == "finding_photo_unfit"
    assert code_of(a_finding, connection, town, visit_id, photos=(bytes(32),)) == "finding_photo_unfit"


def test_the_same_finding_again_is_the_same_row_and_another_content_a_conflict(connection, town, objects):
    visit_id = a_check_in(connection, town).visit_id
    photo = a_photo(connection, objects, town, visit_id)
    first = a_finding(connection, town, visit_id, photos=(photo.sha256,))
    assert a_finding(connection, town, visit_id, id=first.id, photos=(photo.sha256,)) == first
    for other in ({"description": "别的"}, {"rule": "no_duty_roster"}, {"photos": ()}):
        facts = {"id": first.id, "photos": (photo.sha256,)} | other
        assert code_of(a_finding, connection, town, visit_id, **facts) == "sent_before_otherwise"


def test_a_confirmed_finding_is_in_the_ledger_with_its_photos(connection, town, objects):
    visit_id = a_check_in(connection, town).visit_id
    photo = a_photo(connection, objects, town, visit_id)
    finding = a_finding(connection, town, visit_id, photos=(photo.sha256,))
    assert code_of(decide_finding, connection, finding.id, town.office, True, "", NOW) == "finding_photos_pending"
    judge_photo(connection, photo.sha256, {"verdict": "clean"})
    seq = decide_finding(connection, finding.id, town.office, True, "", NOW)
    assert decide_finding(connection, finding.id, town.office, True, "", NOW) == seq
    entry = entry_numbered(connection, seq)
    assert (entry.component, entry.aspect, entry.rule, entry.points) == (
        "inspection", "duties", "unattended_window", Decimal(5),
    )  # fmt: skip
    assert (entry.finding_id, entry.filed_by, entry.decided_by) == (finding.id, town.inspector, town.office)
    body = connection.execute(select(ledger_entry.c.body).where(ledger_entry.c.seq == seq)).scalar_one()
    assert body["evidence"] == [photo.sha256.hex()]
    assert code_of(decide_finding, connection, finding.id, town.second_office, True, "", NOW) == "finding_decided"
    assert code_of(decide_finding, connection, finding.id, town.office, False, "改判", NOW) == "finding_decided"


def test_a_rejection_says_why_and_enters_nothing(connection, town):
    finding = a_finding(connection, town, a_check_in(connection, town).visit_id)
    assert code_of(decide_finding, connection, finding.id, town.office, False, "", NOW) == "decision_note_missing"
    assert decide_finding(connection, finding.id, town.office, False, "照片不足以证明", NOW) is None
    assert decide_finding(connection, finding.id, town.office, False, "照片不足以证明", NOW) is None
    assert connection.execute(select(func.count()).select_from(ledger_entry)).scalar_one() == 0


def test_whoever_filed_it_does_not_decide_on_it(connection, town):
    finding = a_finding(connection, town, a_check_in(connection, town).visit_id)
    assert code_of(decide_finding, connection, finding.id, town.inspector, True, "", NOW) == "second_person_needed"
    alone = "UPDATE field.finding SET status = 'confirmed', decided_by = filed_by, decided_at = filed_at WHERE id = :id"
    with pytest.raises(IntegrityError, match="second_person"):
        connection.execute(text(alone), {"id": finding.id})
