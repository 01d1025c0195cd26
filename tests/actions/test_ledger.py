"""The ledger only grows: two people for each entry, dense numbers under load, one reversal an entry."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError

from api.actions import ledger
from api.actions.inspections import decide_finding
from api.objects import Objects
from api.store.ledger import body_numbered, entries_of, entry_numbered, ledger_entry
from api.store.owed import outbox
from api.store.uploads import upload
from survey_forms.refusal import Refused
from survey_forms.transparency import canonical_json, leaf_hash, tree_root
from tests.deductions import a_cast, a_told_entry, an_objection
from tests.inspections import NOW, a_check_in, a_finding, a_photo, a_town, an_entry, hashed
from worker.photos import render


@pytest.fixture
def town(connection):
    return a_town(connection)


def owed(connection) -> list[tuple[str, int]]:
    rows = connection.execute(select(outbox.c.key, outbox.c.version).where(outbox.c.topic == "compose"))
    return [(row.key, row.version) for row in rows]


def test_an_entry_owes_a_new_composite_and_is_hashed_over_what_it_says(connection, town):
    seq = an_entry(connection, town, points="2.50")
    row = connection.execute(select(ledger_entry).where(ledger_entry.c.seq == seq)).one()
    assert bytes(row.leaf_hash) == leaf_hash(canonical_json(row.body))
    assert (row.body["points"], row.body["unit"], row.body["seq"]) == ("2.5", "civil", seq)
    assert owed(connection) == [(f"{town.evaluation_id}:ledger", seq)]


def test_one_person_alone_enters_nothing(connection, town):
    with pytest.raises(Refused) as refused:
        an_entry(connection, town, filed_by=town.office, decided_by=town.office)
    assert refused.value.code == "second_person_needed"
    with pytest.raises(IntegrityError, match="second_person"):
        connection.execute(
            ledger_entry.insert().values(
                seq=1, evaluation_id=town.evaluation_id, unit_id=town.unit_id, component="inspection", rule="r",
                points=1, basis="b", filed_by=town.office, decided_by=town.office, entered_at=NOW, body={},
                leaf_hash=bytes(32),
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"component": "public_review"}, "ledger_component_unknown"),
        ({"component": "nowhere"}, "ledger_component_unknown"),
        ({"unit_id": 999_999}, "ledger_unit_unknown"),
        ({"points": "0"}, "ledger_points_unfit"),
        ({"points": "0.00001"}, "ledger_points_unfit"),
        ({"points": "NaN"}, "ledger_points_unfit"),
    ],
)
def test_what_the_scheme_does_not_know_is_not_entered(connection, town, facts, code):
    with pytest.raises(Refused) as refused:
        an_entry(connection, town, **facts)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE field.ledger_entry SET points = 1",
        "DELETE FROM field.ledger_entry",
        "TRUNCATE field.ledger_entry CASCADE",
    ],
)
def test_the_database_refuses_to_change_the_ledger(connection, town, statement):
    an_entry(connection, town)
    with pytest.raises(IntegrityError, match="the ledger only grows"):
        connection.execute(text(statement))


def test_a_reversal_takes_two_people_and_happens_once(connection, town):
    seq = an_entry(connection, town, points="3")
    request = ledger.ask_reversal(connection, seq, town.office, "窗口当日经批准停办", NOW)
    assert ledger.ask_reversal(connection, seq, town.office, "窗口当日经批准停办", NOW) == request
    with pytest.raises(Refused) as own:
        ledger.decide_reversal(connection, request, town.office, True, "", NOW)
    assert own.value.code == "second_person_needed"

    reversing = ledger.decide_reversal(connection, request, town.second_office, True, "", NOW)
    assert ledger.decide_reversal(connection, request, town.second_office, True, "", NOW) == reversing
    entry = entry_numbered(connection, reversing)
    assert entry is not None
    assert (entry.reverses, entry.points, entry.unit_id) == (seq, Decimal(3), town.unit_id)
    assert owed(connection)[-1] == (f"{town.evaluation_id}:ledger", reversing)

    for again, code in ((seq, "entry_reversed"), (reversing, "entry_is_reversal"), (reversing + 1, "not_found")):
        with pytest.raises(Refused) as refused:
            ledger.ask_reversal(connection, again, town.office, "再次", NOW)
        assert refused.value.code == code


def test_a_reversal_for_which_one_person_stands_is_none(connection, town):
    seq = an_entry(connection, town)
    with pytest.raises(Refused) as refused:
        ledger.reverse(connection, seq, "异议成立", town.office, town.office, NOW)
    assert refused.value.code == "second_person_needed"
    assert ledger.reverse(connection, seq, "异议成立", town.office, town.second_office, NOW) == seq + 1


@pytest.mark.parametrize("who", ["inspector", "office"])
def test_who_filed_or_confirmed_an_entry_does_not_grant_its_reversal(connection, town, who):
    seq, person = an_entry(connection, town), getattr(town, who)
    request = ledger.ask_reversal(connection, seq, town.second_office, "理由", NOW)
    with pytest.raises(Refused) as granted:
        ledger.decide_reversal(connection, request, person, True, "", NOW)
    assert granted.value.code == "third_person_needed"
    with pytest.raises(Refused) as reversed_:
        ledger.reverse(connection, seq, "理由", town.second_office, person, NOW)
    assert reversed_.value.code == "third_person_needed"
    values = {
        "seq": seq + 1, "evaluation_id": town.evaluation_id, "unit_id": town.unit_id, "component": "inspection",
        "rule": "r", "points": Decimal(2), "basis": "b", "filed_by": town.second_office, "decided_by": person,
        "entered_at": NOW, "body": {}, "leaf_hash": bytes(32), "reverses": seq,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="a third person grants"):
        connection.execute(ledger_entry.insert().values(values))


def test_nothing_is_reversed_by_the_way_while_its_objection_waits(connection, tmp_path):
    cast = a_cast(connection)
    seq = a_told_entry(connection, cast)
    request = ledger.ask_reversal(connection, seq, cast.town.office, "理由", NOW)
    an_objection(connection, Objects(tmp_path), cast, seq)
    with pytest.raises(Refused) as granted:
        ledger.decide_reversal(connection, request, cast.third_office, True, "", NOW)
    assert granted.value.code == "reversal_objected"
    assert ledger.decide_reversal(connection, request, cast.third_office, False, "待异议决定", NOW) is None
    with pytest.raises(Refused) as asked:
        ledger.ask_reversal(connection, seq, cast.town.office, "理由", NOW)
    assert asked.value.code == "reversal_objected"


def test_a_reduced_deduction_rests_on_what_the_reversed_one_rested_on(connection, town, tmp_path):
    objects = Objects(tmp_path)
    visit_id = a_check_in(connection, town).visit_id
    photo = a_photo(connection, objects, town, visit_id)
    render(connection, objects, photo.sha256.hex(), NOW)
    finding = a_finding(connection, town, visit_id, photos=(photo.sha256,))
    uploads = [an_upload_row(connection, town, visit_id, number) for number in (2, 1)]
    seq = decide_finding(connection, finding.id, town.office, True, "", NOW)
    ledger.reverse(connection, seq, "异议部分成立", town.office, town.second_office, NOW)
    reduced = an_entry(connection, town, points="1", instead_of=seq)

    first, second = entry_numbered(connection, seq), entry_numbered(connection, reduced)
    body = body_numbered(connection, reduced)
    assert body["evidence"] == [photo.sha256.hex()]
    assert body["uploads"] == sorted(digest.hex() for digest in uploads)
    leaves = [{"photo": photo.sha256.hex()}] + [{"upload": digest} for digest in body["uploads"]]
    assert tree_root(leaf_hash(canonical_json(leaf)) for leaf in leaves).hex() == body["evidence_root"]
    assert first.evidence_root == second.evidence_root == bytes.fromhex(body["evidence_root"])
    assert (first.instead_of, second.instead_of) == (None, seq)


def test_nothing_is_entered_instead_of_an_entry_that_is_not_there(connection, town):
    with pytest.raises(Refused) as refused:
        an_entry(connection, town, instead_of=99)
    assert refused.value.code == "not_found"


def test_the_unit_is_owed_a_slip_for_every_entry(connection, town):
    seq = an_entry(connection, town)
    ledger.reverse(connection, seq, "异议成立", town.office, town.second_office, NOW)
    rows = connection.execute(select(outbox.c.key).where(outbox.c.topic == "slips").order_by(outbox.c.version))
    assert [row.key for row in rows] == [str(seq), str(seq + 1)]


def an_upload_row(connection, town, visit_id, number: int) -> bytes:
    digest = hashed(bytes([number]))
    values = {
        "id": uuid4(), "staff_id": town.inspector, "assignment_id": uuid4(), "visit_id": visit_id, "digest": digest,
        "status": "settled", "settled_at": NOW,
        "body": bytes([number]), "received_at": NOW, "blobs": [], "problems": [],
    }  # fmt: skip
    connection.execute(upload.insert().values(values))
    return digest


def test_a_second_request_waits_for_the_first(connection, town):
    seq = an_entry(connection, town)
    request = ledger.ask_reversal(connection, seq, town.office, "理由", NOW)
    with pytest.raises(Refused) as waiting:
        ledger.ask_reversal(connection, seq, town.second_office, "另一理由", NOW)
    assert waiting.value.code == "reversal_asked"
    with pytest.raises(Refused) as silent:
        ledger.decide_reversal(connection, request, town.second_office, False, "", NOW)
    assert silent.value.code == "decision_note_missing"
    assert ledger.decide_reversal(connection, request, town.second_office, False, "证据充分", NOW) is None
    with pytest.raises(Refused) as decided:
        ledger.decide_reversal(connection, request, town.second_office, True, "", NOW)
    assert decided.value.code == "reversal_decided"
    assert ledger.ask_reversal(connection, seq, town.second_office, "新的证据", NOW) != request


def test_a_request_of_ones_own_is_not_granted_by_the_database_either(connection, town):
    request = ledger.ask_reversal(connection, an_entry(connection, town), town.office, "理由", NOW)
    alone = "status = 'granted', decided_by = asked_by, decided_at = asked_at"
    with pytest.raises(IntegrityError, match="second_person"):
        connection.execute(text(f"UPDATE field.reversal_request SET {alone} WHERE id = :id"), {"id": request})  # noqa: S608


def test_thirty_entries_at_once_are_numbered_without_a_gap(engine: Engine):
    with engine.begin() as connection:
        town = a_town(connection)

    def one(number: int) -> int:
        with engine.begin() as connection:
            return an_entry(connection, town, basis=f"第 {number} 次")

    with ThreadPoolExecutor(15) as pool:
        seqs = list(pool.map(one, range(30)))
    assert sorted(seqs) == list(range(1, 31))
    with engine.connect() as connection:
        entries = entries_of(connection, town.evaluation_id)
        assert [entry.seq for entry in entries] == list(range(1, 31))
        assert len({entry.leaf_hash for entry in entries}) == 30
        assert len(owed(connection)) == 30


def test_twenty_confirmations_of_one_finding_make_one_entry(engine: Engine):
    with engine.begin() as connection:
        town = a_town(connection)
        finding = a_finding(connection, town, a_check_in(connection, town).visit_id)

    def confirm(_: int) -> int | None:
        with engine.begin() as connection:
            return decide_finding(connection, finding.id, town.office, True, "", NOW)

    with ThreadPoolExecutor(15) as pool:
        assert set(pool.map(confirm, range(20))) == {1}
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(ledger_entry)).scalar_one() == 1


def test_two_reversals_at_once_make_one_entry(engine: Engine):
    with engine.begin() as connection:
        town = a_town(connection)
        request = ledger.ask_reversal(connection, an_entry(connection, town), town.office, "理由", NOW)

    def grant(_: int) -> int | None:
        with engine.begin() as connection:
            return ledger.decide_reversal(connection, request, town.second_office, True, "", NOW)

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(grant, range(10))) == {2}
