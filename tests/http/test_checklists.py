"""Checklists as phones hand them in: kept as sent, read by the real form, and never a reason to lose a visit."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.actions import devices
from api.actions.checklists import forms_for_phones, unfit_for_phones
from api.actions.inspection_items import ItemSaid, enter_item
from api.demonstration.field_directories import RATES
from api.services import utc_now
from api.store import people
from api.store.uploads import checklist, upload
from survey_forms.inspection.mornings import CHINA
from survey_forms.inspection.visit_events import LONGEST as LENGTHS
from survey_forms.refusal import Refused
from tests.builders import a_form_version
from tests.checklists import hall
from tests.inspections import a_town, an_assignment
from tests.javarosa.books import YES_NO, a_book, a_row, as_xlsx
from tests.phones import Phone, Record

LONGEST = LENGTHS["answer"]

RIGHT = {
    "open": "no",
    "due": "",
    "private": "no",
    "displayed": "roster fees guide hours book",
    "extra": "no",
    "told": "yes",
    "files": "0",
    "manner_seen": "good",
}
ODD = {
    "a question that there is not": RIGHT | {"nobody": "asked"},
    "a choice that there is not": RIGHT | {"told": "maybe"},
    "both of what excludes itself": RIGHT | {"displayed": "none roster"},
    "words for a number": RIGHT | {"files": "三件"},
    "more than there can be": RIGHT | {"files": "3", "overdue": "4", "overdue_which": "一二三四"},
    "nothing at all": {},
    "signs that nobody can read": RIGHT | {"praise": "\x00\ufffe"},
    "half a character": RIGHT | {"praise": "\ud83d"},
    "a calculate of its own": RIGHT | {"seen_bad": "0", "is_rude": "0", "files": ""},
    "markup": RIGHT | {"private": "yes", "private_what": "<script>alert(1)</script>"},
    "a long text": RIGHT | {"praise": "好" * 5000},
    "keys like Python's": {"__class__": "x", "constructor": "y", "0": "z", "": "w"},
}


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def version(engine):
    with engine.begin() as connection:
        return a_form_version(connection, hall())


@pytest.fixture
def hand_in(app, engine, town):
    """Hands in a visit with one checklist; what the server said, and the row that it kept."""
    phone = Phone()
    with engine.begin() as connection:
        staff = people.staff_named(connection, "inspector")[0]
        phone.token, _ = devices.enrol(connection, staff, phone.id, phone.public_key, "Phone", utc_now())
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {phone.token}"

    def of(version, answers):
        with engine.begin() as connection:
            task = an_assignment(connection, town, day=utc_now().date())
        record = Record(phone, task, at=utc_now()).check_in()
        record.add("checklist", form=version, answers=answers)
        record.events[-1] = record.events[-1].replace("\ud83d", r"\ud83d")  # as JSON can say it and UTF-8 cannot
        said = client.post("/api/v1/visits", data=record.body())
        with engine.connect() as connection:
            row = connection.execute(select(checklist).where(checklist.c.upload_id == record.id)).one_or_none()
            assert connection.execute(select(upload.c.body).where(upload.c.id == record.id)).scalar_one()
        return said, row

    return of


def test_a_whole_checklist_is_complete(hand_in, version):
    said, row = hand_in(version, RIGHT)
    assert (said.status_code, said.json["problems"]) == (201, [])
    assert (row.answers, row.faults, row.complete) == (RIGHT, [], True)


@pytest.mark.parametrize("answers", ODD.values(), ids=ODD.keys())
def test_odd_answers_are_kept_and_told_beside_the_visit(hand_in, version, answers):
    said, row = hand_in(version, answers)
    assert said.status_code == 201
    if row is None:  # not even the event could be read: then the office is told, and the bytes are kept
        assert said.json["status"] == "held"
        return
    assert said.json["status"] == "settled"
    assert row.complete == (row.faults == [])
    assert all(fault["zh"] and fault["en"] for fault in row.faults)
    kept = {name: text for name, text in answers.items() if len(text) < LONGEST and text.isprintable()}
    assert kept.items() <= row.answers.items()


@pytest.mark.parametrize(
    "name", ["words for a number", "more than there can be", "nothing at all", "both of what excludes itself"]
)
def test_what_is_wrong_is_told_by_question(hand_in, version, name):
    _, row = hand_in(version, ODD[name])
    wrong = {fault["path"] for fault in row.faults}
    told = {
        "words for a number": {"files"},
        "more than there can be": {"overdue"},
        "both of what excludes itself": {"displayed"},
    }
    assert wrong >= told.get(name, {"open", "private", "displayed", "told", "files", "manner_seen"})
    assert not row.complete


def test_a_form_that_there_is_not_holds_the_visit_and_keeps_it(hand_in):
    said, row = hand_in("0" * 64, RIGHT)
    assert (said.status_code, said.json["status"], row) == (201, "held", None)
    assert [one["code"] for one in said.json["problems"]] == ["checklist_form_unknown"]


@pytest.mark.parametrize(("off", "codes"), [(0, []), (1, ["answer_constraint"])])
def test_the_day_of_the_visit_is_the_forms_today(engine, hand_in, off, codes):
    survey = [a_row("date", "day", constraint=". = today()")]
    with engine.begin() as connection:
        version = a_form_version(connection, as_xlsx(a_book("dated", survey, YES_NO)))
    _, row = hand_in(version, {"day": (utc_now().astimezone(CHINA).date() - timedelta(off)).isoformat()})
    assert [fault["code"] for fault in row.faults] == codes


def test_an_item_takes_no_form_that_phones_cannot_ask(connection):
    survey = [a_row("image", "photo"), a_row("text", "words")]
    version = a_form_version(connection, as_xlsx(a_book("pictures", survey, YES_NO)))
    assert [fault.facts["question"] for fault in unfit_for_phones(connection, version)] == ["photo"]
    said = ItemSaid("W1", "窗口", "", True, "inspection", "", RATES, version)
    with pytest.raises(Refused) as refused:
        enter_item(connection, a_town(connection).evaluation_id, said, 1, utc_now())
    assert [(fault.code, fault.path) for fault in refused.value.faults] == [("form_not_portable", "form_version")]
    assert forms_for_phones(connection, [version]) == {}
