"""Whoever has the web's rights in the database and SQL to type rewrites nothing that was decided, column by column."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from api.actions import devices, ledger, uploads
from api.actions.crew_changes import replace_inspector, withdraw_assignment
from api.actions.directories import declare_recusal, withdraw_recusal
from api.actions.field_flags import review
from api.actions.inspection_draws import publish
from api.actions.inspections import decide_finding
from api.actions.objections import DecisionSent, decide
from api.actions.papers import read_papers
from api.actions.rectifications import ProofSent, close, prove
from api.actions.slips import open_slip
from api.objects import Objects
from api.store import people
from api.store.crews import crew, crews_of, rows_of_draw
from api.store.indicators import batch, score
from api.store.inspections import check_in
from api.store.photos import photo as photo_table
from api.store.results import latest_composite
from api.store.roles import WEB, WORKER, grant_roles
from api.store.slips import slip_of
from survey_forms.refusal import Refused
from tests.actions.test_publication import LATER, deduct, published
from tests.actions.test_rounds import settle
from tests.actions.test_shortfalls import KEPT, LOST, Desk
from tests.deductions import PDF, Cast, a_cast, a_told_entry, an_explained_objection, an_objection, an_order
from tests.double_random import DRAWN, SECRET_KEY, a_directory, a_draw
from tests.inspections import NOW, a_check_in, a_finding, a_photo
from tests.phones import Phone
from tests.worker.town import a_town

NEW_VALUE = {
    "smallint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "bigint": "coalesce({0}, 0) + 1",
    "numeric": "coalesce({0}, 0) + 1",
    "double precision": "coalesce({0}, 0) + 1",
    "text": "coalesce({0}, '') || 'x'",
    "date": "coalesce({0}, current_date) + 1",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 day'",
    "uuid": "gen_random_uuid()",
    "jsonb": "'{{\"forged\": true}}'",
    "bytea": "sha256(coalesce({0}, ''))",
    "boolean": "NOT coalesce({0}, false)",
    "ARRAY": "array_append({0}, 'forged')",
}
DECIDED = {
    "field.reversal_request": "true",
    "field.finding": "true",
    "field.finding_photo": "true",
    "field.upload": "settled_at IS NOT NULL AND receipt IS NOT NULL",
    "field.visit": "closed_at IS NOT NULL AND signature IS NOT NULL",
    "field.photo": "verdict <> 'pending'",
    "field.device": "ended_at IS NOT NULL",
    "field.assignment": "site_id IS NOT NULL",
    "field.crew": "left_at IS NULL",
    "field.check_in": "true",
    "field.objection": "decided_by IS NOT NULL",
    "field.rectification": "status = 'closed'",
    "field.rectification_step": "true",
    "field.paper": "true",
    "field.slip": "read_at IS NOT NULL",
    "field.flag_review": "true",
    "field.ledger_entry": "true",
    "indicator.batch": "true",
    "indicator.score": "true",
    "field.recusal": "withdrawn_at IS NOT NULL",
}
"""Which rows hold something decided."""
DRAWN_LOTS = {
    "field.assignment": "withdrawn_at IS NOT NULL",
    "field.crew": "left_at IS NOT NULL",
    "field.inspection_draw": "published_at IS NOT NULL",
}
FREE_IN_A_DRAW = {"field.inspection_draw": {"plan"}}  # held to `plan_hash`; `verify` tells
A_FORGED_RESULT = """
INSERT INTO result.composite OVERRIDING SYSTEM VALUE
SELECT (jsonb_populate_record(one, '{"id": 999999, "inputs_digest": "forged", "was_published": false}')).*
FROM result.composite AS one
"""
FREE_ON_THE_WEB = {
    # Taken in again: a flag more. Its problems are told anew, but what the office said of them stays.
    "field.upload": {"flags", "settled_at"},
    "field.visit": {"note"},  # the crew's other phone has words of its own, under the first
    "field.photo": {"blurred_at", "blurred_by", "blurs"},  # what units see of it
    "field.assignment": {"inspector_id", "withdrawn_at", "withdrawn_reason"},  # another leads; nobody goes
    "field.crew": {"left_reason"},  # a place that was left stays so
}
"""What the web alone may still write, and why."""


def refused(connection: Connection, statement: str, **facts: Any) -> bool:
    """Whether the database refuses it by a rule, not because the statement is wrong; what it does is undone."""
    tried = connection.begin_nested()
    try:
        assert connection.execute(text(statement), facts).rowcount, f"found nothing to change: {statement}"
    except IntegrityError:
        return True
    except ProgrammingError as error:
        if "permission denied" not in str(error):
            raise
        return True
    finally:
        tried.rollback()
    return False


def rewritable(connection: Connection, table: str, where: str) -> set[str]:
    """The columns of these rows that somebody can change, and DELETE where the rows can go."""
    facts = dict(zip(("schema", "name"), table.split("."), strict=True))
    query = "SELECT column_name, data_type FROM information_schema.columns WHERE (table_schema, table_name) = "
    found = set()
    for column, kind in connection.execute(text(f"{query}(:schema, :name)"), facts).all():
        for value in (NEW_VALUE[kind].format(f'"{column}"'), "NULL"):
            changed = f'({where}) AND "{column}" IS DISTINCT FROM {value}'
            if value == "NULL" and not count(connection, table, changed):
                continue
            if not refused(connection, f'UPDATE {table} SET "{column}" = {value} WHERE {changed}'):  # noqa: S608
                found.add(column)
    if not refused(connection, f"DELETE FROM {table} WHERE {where}"):  # noqa: S608
        found.add("DELETE")
    return found


def count(connection: Connection, table: str, where: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())  # noqa: S608


def become(connection: Connection, role: str) -> None:
    grant_roles(connection)
    connection.execute(text(f"SET LOCAL ROLE {role}"))


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path / "objects")


@pytest.fixture
def cast(connection, objects) -> Cast:
    """A town in which one of each was decided."""
    cast = a_cast(connection)
    town = cast.town
    kept = a_check_in(connection, town)
    photo = a_photo(connection, objects, town, kept.visit_id)
    seen = {"verdict": "clean", "blurs": [[0, 0, 1, 1]], "blurred_by": town.inspector, "blurred_at": NOW}
    connection.execute(update(photo_table).values(seen))
    filed = a_finding(connection, town, kept.visit_id, photos=(photo.sha256,))
    decide_finding(connection, filed.id, town.office, True, "", NOW)
    for grant in (True, False):
        seq = a_told_entry(connection, cast)
        request = ledger.ask_reversal(connection, seq, town.second_office, "误记", NOW)
        ledger.decide_reversal(connection, request, cast.third_office, grant, "核过", NOW)
    seq = a_told_entry(connection, cast)
    open_slip(connection, slip_of(connection, seq).id, town.unit_id, cast.unit, NOW)
    key = an_explained_objection(connection, objects, cast, seq)
    decide(connection, DecisionSent(key, cast.third_office, "dismissed", "属实"), NOW)
    an_objection(connection, objects, cast, a_told_entry(connection, cast), papers=read_papers([("批文.pdf", PDF)]))
    order = an_order(connection, cast, seq)
    prove(connection, objects, ProofSent(order, town.unit_id, cast.unit, "已改"), NOW)
    close(connection, order, SECRET_KEY, town.second_office, "到位", NOW)
    connection.execute(update(check_in).values(flags=["flag_mocked"]))
    review(connection, "check_in", str(kept.id), "flag_mocked", "doubtful", "再问", town.office, NOW)
    values = {"evaluation_id": town.evaluation_id, "file_name": "x.csv", "sha256": b"x", "content": b"x", "rows": 1}
    made = {"filed_by": town.office, "filed_at": NOW, "status": "confirmed", "decided_by": town.second_office}
    number = connection.execute(insert(batch).values(**values, **made, decided_at=NOW).returning(batch.c.id)).scalar()
    given = {"batch_id": number, "unit_id": town.unit_id, "component": "indicator", "points": 1, "basis": "依据"}
    connection.execute(insert(score).values(**given))
    declare_recusal(connection, town.inspector, town.unit_id, "亲属", town.office, NOW)
    withdraw_recusal(
        connection, connection.execute(text("SELECT id FROM field.recusal")).scalar_one(), town.office, NOW
    )
    handed_in(connection, objects, cast)
    return cast


def handed_in(connection: Connection, objects: Objects, cast: Cast) -> None:
    """What a phone recorded, that ended since: brought as a file and dealt with by the office, and taken in short."""
    inspector, second, third = (people.staff_named(connection, name)[0] for name in ("inspector", "office2", "office3"))
    phone = Phone()
    devices.enrol(connection, inspector, phone.id, phone.public_key, "Phone", NOW)
    desk = Desk(connection, objects, cast.town, phone)
    whole = desk.record(KEPT).add("signature", sha256=sha256(KEPT).hexdigest(), signed_by="李四").add("note", text="雨")
    whole.add("checklist", form="unknown", answers={})
    desk.send(KEPT)
    assert desk.hand_in(whole.body(), by=second.id).status == "held"
    uploads.resolve(connection, whole.id, third, "清单不在册", NOW)
    short = desk.record(LOST)
    desk.hand_in(short.body())
    assert desk.take(short.id).status == "settled"
    connection.execute(insert(crew).values(assignment_id=whole.assignment, staff_id=inspector.id, position=0))
    devices.end(connection, phone.id, inspector, NOW)


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(("role", "free"), [(WEB, FREE_ON_THE_WEB), (WORKER, {})])
def test_what_was_decided_stays_column_by_column(connection, role, free):
    become(connection, role)
    found = {table: rewritable(connection, table, where) for table, where in DECIDED.items()}
    assert {table: columns for table, columns in found.items() if columns} == free


UNWRITTEN = (
    "UPDATE field.upload SET flags = '{}' WHERE flags @> '{flag_brought_as_file}'",
    "UPDATE field.upload SET flags = array_remove(flags, 'flag_photo_missing') WHERE flags @> '{flag_photo_missing}'",
    "UPDATE field.upload SET problems = '[]' WHERE problems @> '[{\"code\": \"upload_resolved\"}]'",
    "UPDATE field.upload SET status = 'waiting', settled_at = NULL WHERE settled_at IS NOT NULL",
    "UPDATE field.visit SET note = '' WHERE closed_at IS NOT NULL",
    "UPDATE field.visit SET signature = NULL, signed_by = '' WHERE signature IS NOT NULL",
    "UPDATE field.photo SET verdict = 'pending' WHERE verdict = 'clean'",
    "UPDATE field.photo SET verdict = 'refused', verdict_code = 'photo_other_kind' WHERE verdict = 'clean'",
    "UPDATE field.photo SET verdict = 'clean' WHERE verdict = 'pending'",  # the worker looks at photos, not the web
    "UPDATE field.device SET ended_at = NULL WHERE ended_at IS NOT NULL",
    "UPDATE field.device SET public_key = 'other'",
    "UPDATE field.assignment SET site_id = NULL, sealed = 'other' WHERE site_id IS NOT NULL",
    "UPDATE field.crew SET position = position + 1",
    "UPDATE field.finding SET decided_at = now() WHERE status = 'filed'",
    "UPDATE field.finding SET decision_note = 'x' WHERE status = 'filed'",
)


@pytest.mark.usefixtures("cast")
def test_nothing_that_was_taken_in_is_unsaid(connection):
    become(connection, WEB)
    assert [statement for statement in UNWRITTEN if not refused(connection, statement)] == []


def test_lots_that_were_drawn_and_places_that_were_left_stay(connection):
    directory = a_directory(connection)
    office, second = directory.town.office, directory.town.second_office
    draw = a_draw(connection, directory)
    first, other = rows_of_draw(connection, draw)[:2]
    leader = crews_of(connection, [first.id])[first.id][0].staff_id
    replace_inspector(connection, first.id, leader, "生病", SECRET_KEY, office, DRAWN)
    withdraw_assignment(connection, other.id, "停电", second, DRAWN)
    publish(connection, draw, SECRET_KEY, office, DRAWN + timedelta(days=9))
    become(connection, WEB)
    found = {table: rewritable(connection, table, where) for table, where in DRAWN_LOTS.items()}
    assert {table: columns for table, columns in found.items() if columns} == FREE_IN_A_DRAW
    opened = "UPDATE field.assignment SET site_id = :site WHERE id = :id"
    assert refused(connection, opened, site=directory.sites[0], id=other.id)  # nobody writes where it would have led


def test_a_publication_stays_until_another_person_corrects_it(connection):
    town = a_town(connection)
    digest = published(connection, town)
    become(connection, WEB)
    for table, where in (("office.round", "published_by IS NOT NULL"), ("result.composite", "was_published")):
        assert rewritable(connection, table, where) == set()
    assert refused(connection, A_FORGED_RESULT)  # the worker computes; whoever publishes writes no figures
    connection.execute(text("RESET ROLE"))
    deduct(connection, town, now=LATER)
    settle(connection)
    latest = latest_composite(connection, town.evaluation_id).inputs_digest
    become(connection, WEB)
    correction = "UPDATE office.round SET published_digest = :to, corrected_by = :by, corrected_at = :at"
    values, publisher = {"by": town.staff_ids["office"], "at": LATER}, town.staff_ids["office2"]
    assert refused(connection, correction, to=latest, **(values | {"by": publisher}))
    assert refused(connection, correction, to=digest, **values)
    assert refused(connection, "UPDATE office.round SET published_digest = :to", to=latest)
    assert not refused(connection, correction, to=latest, **values)
    pinned = "UPDATE result.composite SET was_published = true WHERE inputs_digest = :to"
    assert not refused(connection, pinned, to=latest)


ANSWER = """
UPDATE field.reversal_request SET status = :status, decided_by = :who, decided_at = now(), decision_note = '属实'
WHERE id = :id
"""


def test_a_request_is_decided_by_a_third_person_of_the_office_alone(connection):
    cast = a_cast(connection)
    town = cast.town
    seq = a_told_entry(connection, cast)
    request = ledger.ask_reversal(connection, seq, town.second_office, "误记", NOW)
    become(connection, WEB)
    hands = town.inspector, town.office  # who filed and who confirmed the entry
    for who in (*hands, town.second_office, town.other_inspector, cast.unit):
        for status in ("granted", "declined"):
            assert refused(connection, ANSWER, id=request, who=who, status=status), (who, status)
    assert refused(connection, ANSWER, id=request, who=cast.third_office, status="granted")  # nothing reverses it
    for who in hands:
        for grant in (True, False):
            with pytest.raises(Refused, match="third_person_needed"):
                ledger.decide_reversal(connection, request, who, grant, "属实", NOW)
    assert not refused(connection, ANSWER, id=request, who=cast.third_office, status="declined")
    assert ledger.decide_reversal(connection, request, cast.third_office, True, "", NOW) == seq + 1


def test_a_request_begins_undecided(connection):
    cast = a_cast(connection)
    seq = a_told_entry(connection, cast)
    become(connection, WEB)
    ask = (
        "INSERT INTO field.reversal_request(seq, reason, asked_by, asked_at, status, decided_by, decided_at) "
        "VALUES (:seq, '误记', :who, now(), :status, :by, :at)"
    )
    facts = {"seq": seq, "who": cast.town.second_office}
    assert refused(connection, ask, status="declined", by=cast.third_office, at=NOW, **facts)
    assert not refused(connection, ask, status="asked", by=None, at=None, **facts)


def test_what_is_made_of_a_flag_changes_by_a_word_that_the_audit_has(connection, cast):
    about = connection.execute(text("SELECT subject_id FROM field.flag_review")).scalar_one()
    become(connection, WEB)
    review(connection, "check_in", about, "flag_mocked", "explained", "", cast.town.second_office, NOW)
    assert connection.execute(text("SELECT verdict FROM field.flag_review")).scalar_one() == "explained"
    assert rewritable(connection, "field.flag_review", "true") == set()
