"""The demonstration's inspections as visitors find them: handed in by phones, followed to their ends, sealed ahead."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from api.actions.checkpoints import keep_checkpoint
from api.actions.frames import registry_of
from api.actions.running_totals import running_totals
from api.app import create_app
from api.config import Settings
from api.demonstration import town
from api.demonstration.field_directories import RECUSED
from api.demonstration.load import Service, load
from api.object_store import open_objects
from api.services import KEY
from api.store import evaluations
from api.store.directories import inspector
from api.store.evaluations import Evaluation
from api.store.inspection_overview import days_shown, sites_shown
from api.store.inspections import assignment, crew
from api.store.ledger import entries_of
from api.store.objections import objections_in
from api.store.people import staff
from api.store.rectifications import overdue_in
from api.store.sites import site
from api.store.slips import slips_in
from api.store.uploads import checklist, upload
from survey_forms.inspection.mornings import CHINA
from survey_forms.signed_notes import Signer

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()


@pytest.fixture
def demonstration(engine, settings):
    service = Service(
        open_objects(settings), registry_of(settings.objects, settings.secret_key), settings.pepper, settings.secret_key
    )
    with engine.begin() as connection:
        loaded = load(connection, service, NOW)
    with engine.connect() as connection:
        yield connection, evaluations.evaluation_called(connection, town.EVALUATION), loaded


def test_visitors_find_a_whole_inspection(demonstration, settings):
    connection, evaluation, loaded = demonstration
    _everything_was_handed_in_and_followed_to_its_end(connection, evaluation)
    _a_drawn_week_stays_sealed_and_keeps_recusals(connection, evaluation)
    _a_unit_signs_in_and_reads_its_own(settings, loaded.passwords["unit"])


def _everything_was_handed_in_and_followed_to_its_end(connection: Connection, evaluation: Evaluation) -> None:
    every = list(connection.execute(select(upload.c.status, upload.c.receipt, upload.c.flags)))
    assert len(every) == 20
    assert all(one.status == "settled" and one.receipt for one in every)
    complete = list(connection.execute(select(checklist.c.complete)).scalars())
    assert complete == [True] * 20

    entries = entries_of(connection, evaluation.id)
    assert [entry.reverses is None for entry in entries].count(False) == 2  # one asked for, one by an objection
    assert [entry.entered_at for entry in entries] == sorted(entry.entered_at for entry in entries)
    assert [entry.instead_of for entry in entries if entry.instead_of] == [entries[0].seq]
    totals = running_totals(evaluation, entries)
    inspected = [total.counts for total in totals if total.component.path == "inspection"]
    assert sorted(inspected) == [2, 5, 7]

    assert [one.status for one in objections_in(connection, evaluation.id)] == ["reduced", "filed"]
    assert len(overdue_in(connection, evaluation.id, TODAY)) == 1
    slips = slips_in(connection, evaluation.id)
    assert {one.kind for one in slips} >= {"deduction", "decision", "rectification"}
    assert any(one.read_at for one in slips)
    assert any(one.read_at is None for one in slips)

    states = {one.state for one in sites_shown(connection, evaluation.id, TODAY)}
    assert {
        "overdue",
        "deducted",
        "visited",
    } <= states  # what is due is unannounced: not on the map yet
    assert keep_checkpoint(connection, Signer("demo", bytes(range(32))), "asked", NOW) is None


def _a_unit_signs_in_and_reads_its_own(settings: Settings, password: str) -> None:
    app = create_app(settings)
    client = app.test_client()
    assert client.post("/login", data={"username": "unit", "password": password}).status_code == 302
    assert client.get("/unit/entries").text.count('<th scope="row"><a href="/unit/entries/') == 5
    app.extensions[KEY].database.engine.dispose()


def _a_drawn_week_stays_sealed_and_keeps_recusals(connection: Connection, evaluation: Evaluation) -> None:
    drawn = list(connection.execute(select(assignment).where(assignment.c.kind == "random")))
    assert drawn
    opened = [one for one in drawn if one.site_id is not None]
    assert all(one.day == TODAY for one in opened)
    ahead = days_shown(connection, evaluation.id, TODAY, TODAY + timedelta(days=6), TODAY)
    untold = list(connection.execute(select(assignment).where(assignment.c.day >= TODAY, ~assignment.c.announced)))
    assert sum(day.sealed for day in ahead.values()) == len(untold) > len(drawn)
    third_party = connection.execute(select(inspector.c.organisation).where(inspector.c.organisation != "")).scalars()
    assert len(list(third_party)) == 1
    name, unit_code = RECUSED
    unit = next(one for one in evaluations.units_of(connection, evaluation.id) if one.code == unit_code)
    went = (
        select(assignment.c.id)
        .join(crew, crew.c.assignment_id == assignment.c.id)
        .join(staff, staff.c.id == crew.c.staff_id)
        .join(site, site.c.id == assignment.c.site_id)
        .where(staff.c.username == name, site.c.unit_id == unit.id)
    )
    assert list(connection.execute(went)) == []
