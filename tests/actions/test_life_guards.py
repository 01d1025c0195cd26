"""What the database refuses by itself about the life of a deduction, to whoever writes past the verbs."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from api.actions import ledger
from api.actions.objections import DecisionSent, decide
from api.objects import Objects
from api.store.objections import objection_numbered
from api.store.roles import WEB, grant_roles
from survey_forms.refusal import Refused
from tests.deductions import Cast, a_cast, a_told_entry, an_explained_objection, an_order
from tests.inspections import NOW

FILE = """
INSERT INTO field.objection(seq, unit_id, entry_filed_by, entry_decided_by, grounds, filed_by, filed_at, due_at)
SELECT seq, :unit, filed_by, decided_by, '无', :who, now(), now() FROM field.ledger_entry WHERE seq = :seq
"""
ORDER = """
INSERT INTO field.rectification(evaluation_id, seq, unit_id, demand, ordered_by, ordered_at, due_on, status, closed_by,
                                closed_at)
SELECT evaluation_id, seq, :unit, '整改', :who, now(), current_date, :status, :closer,
       CASE WHEN CAST(:closer AS integer) IS NULL THEN NULL ELSE now() END
FROM field.ledger_entry WHERE seq = :seq
"""
DECIDE = """
UPDATE field.objection SET status = 'upheld', decided_by = :who, decided_at = now(), decision_note = '无', points = 0,
       reversal_seq = :by WHERE id = :key
"""
TELL = """
INSERT INTO field.slip(evaluation_id, unit_id, kind, key, number, seq, about, issued_at, read_by, read_at)
SELECT evaluation_id, :unit, 'deduction', 'x', 99, seq, '{}', now(), :reader,
       CASE WHEN CAST(:reader AS integer) IS NULL THEN NULL ELSE now() END
FROM field.ledger_entry WHERE seq = :seq
"""


@pytest.fixture
def cast(connection) -> Cast:
    return a_cast(connection)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path / "objects")


def refused(connection: Connection, statement: str, reason: str, **facts: Any) -> None:
    with pytest.raises(IntegrityError, match=reason), connection.begin_nested():
        connection.execute(text(statement), facts)


def test_an_objection_begins_with_the_units_own_people(connection, cast):
    town = cast.town
    facts = {"seq": a_told_entry(connection, cast)}
    refused(connection, FILE, "its own unit", unit=town.other_unit_id, who=cast.other_unit, **facts)
    refused(connection, FILE, "its own unit", unit=town.unit_id, who=cast.other_unit, **facts)
    refused(connection, FILE, "its own unit", unit=town.unit_id, who=town.office, **facts)
    connection.execute(text(FILE), {"unit": town.unit_id, "who": cast.unit, **facts})


def test_an_objection_ends_with_the_reversal_of_its_own_entry(connection, objects, cast):
    seq, other = a_told_entry(connection, cast), a_told_entry(connection, cast, basis="另一件")
    key = an_explained_objection(connection, objects, cast, seq)
    foreign = ledger.reverse(connection, other, "误记", cast.town.second_office, cast.third_office, NOW)
    for by in (seq, other, foreign):
        refused(connection, DECIDE, "about the one", key=key, by=by, who=cast.third_office)


def test_who_explained_may_have_become_something_else_since(connection, objects, cast):
    key = an_explained_objection(connection, objects, cast, a_told_entry(connection, cast))
    moved = {"id": cast.town.second_office}
    connection.execute(text("UPDATE office.staff SET role = 'supervisor' WHERE id = :id"), moved)
    decide(connection, DecisionSent(key, cast.third_office, "dismissed", "属实"), NOW)
    assert objection_numbered(connection, key).status == "dismissed"


def test_a_rectification_begins_as_an_order_of_the_office(connection, cast):
    town = cast.town
    right = {"seq": a_told_entry(connection, cast), "unit": town.unit_id, "who": town.office}
    right |= {"status": "ordered", "closer": None}
    for wrong in (
        {"status": "closed", "closer": town.office},
        {"status": "proven"},
        {"unit": town.other_unit_id},
        {"who": cast.unit},
    ):
        refused(connection, ORDER, "begins as an order", **(right | wrong))
    connection.execute(text(ORDER), right)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE field.rectification SET due_on = due_on + 60",
        "UPDATE field.rectification SET due_on = due_on - 1",
        "UPDATE field.rectification SET escalated = 3",
        "UPDATE field.rectification SET status = 'proven'",
        (
            "UPDATE field.rectification SET status = 'closed', closed_at = now(), "
            "closed_by = (SELECT id FROM office.staff WHERE username = 'office3')"
        ),
    ],
)
def test_a_rectification_moves_by_its_steps_alone(connection, cast, change):
    an_order(connection, cast, a_told_entry(connection, cast))
    refused(connection, change, "by the steps")


def test_a_slip_goes_unread_to_the_entrys_unit(connection, cast):
    town = cast.town
    facts = {"seq": a_told_entry(connection, cast)}
    refused(connection, TELL, "goes unread", unit=town.other_unit_id, reader=None, **facts)
    refused(connection, TELL, "goes unread", unit=town.unit_id, reader=cast.unit, **facts)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM field.reversal_request",
        "UPDATE field.reversal_request SET reason = 'x'",
        "UPDATE field.reversal_request SET asked_by = asked_by",
        "DELETE FROM field.checklist",
        "UPDATE field.checklist SET complete = true",
    ],
)
def test_the_web_cannot_rewrite_what_was_asked_or_filled_in(engine: Engine, statement):
    with engine.begin() as connection:
        grant_roles(connection)
    with engine.connect() as connection:
        connection.execute(text(f"SET ROLE {WEB}"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(statement))
        connection.rollback()


def test_the_web_still_decides_requests(engine: Engine):
    with engine.begin() as connection:
        grant_roles(connection)
        cast = a_cast(connection)
        seq = a_told_entry(connection, cast)
        key = ledger.ask_reversal(connection, seq, cast.town.second_office, "误记", NOW)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {WEB}"))
        with pytest.raises(Refused, match="decision_note_missing"):
            ledger.decide_reversal(connection, key, cast.third_office, False, "", NOW)
        ledger.decide_reversal(connection, key, cast.third_office, False, "记录无误", NOW + timedelta(hours=1))
