"""The ledger as anybody reads it: notes, keys and proofs by everyone, entries by those who may."""

import secrets
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import insert, select

from api.actions.checkpoints import keep_checkpoint, signer_of
from api.services import utc_now
from api.store import people
from api.store.results import composite
from survey_forms.ledger_copy import read_line
from survey_forms.ledger_examination import examine
from survey_forms.signed_notes import Verifier, read_checkpoint
from survey_forms.transparency import canonical_json, leaf_hash, verify_consistency, verify_inclusion
from tests.desk import GROUPS
from tests.inspections import NOW, a_town, an_entry

BASE = "/api/v1/ledger"


@pytest.fixture
def log(engine, settings):
    """Seven entries, the last of another unit, with checkpoints at 0, 3 and 7."""
    with engine.begin() as connection:
        town = a_town(connection)
        for size in range(8):
            if size:
                an_entry(connection, town, **({"unit_id": town.other_unit_id} if size == 7 else {}))
            if size in {0, 3, 7}:
                assert keep_checkpoint(connection, signer_of(settings), "hourly", NOW) is None
    return town


@pytest.fixture
def as_(app, engine, log):
    assert log  # there is a ledger to be read

    def of(username: str):
        client = app.test_client()
        token, now = secrets.token_urlsafe(32), utc_now()
        with engine.begin() as connection:
            key = connection.execute(select(people.staff.c.id).where(people.staff.c.username == username)).scalar_one()
            people.add_token(connection, key, sha256(token.encode()).digest(), "t", now, now + timedelta(days=1))
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return of


@pytest.fixture
def anyone(app, log):
    assert log
    return app.test_client()


def test_anybody_reads_the_checkpoint_and_its_key_as_text(anyone, settings):
    key = anyone.get(f"{BASE}/key")
    verifier = Verifier.read(key.text)
    assert str(verifier) == str(signer_of(settings).verifier)
    for query, size in (("", 7), ("?size=3", 3), ("?size=0", 0)):
        answer = anyone.get(f"{BASE}/checkpoint{query}")
        assert answer.mimetype == "text/plain"
        assert read_checkpoint(answer.data, verifier)[1].size == size
    assert [one["size"] for one in anyone.get(f"{BASE}/checkpoints").json] == [0, 3, 7]
    assert anyone.get(f"{BASE}/checkpoint?size=5").status_code == 404
    assert anyone.get(f"{BASE}/checkpoint?size=-1").status_code == 422


def test_anybody_gets_proofs_that_hold_and_no_entry_with_them(anyone):
    for size in (3, 7):
        for seq in range(1, size + 1):
            told = anyone.get(f"{BASE}/proof/inclusion?seq={seq}&size={size}").json
            path = [bytes.fromhex(one) for one in told["path"]]
            leaf, root = bytes.fromhex(told["leaf"]), bytes.fromhex(told["root"])
            assert verify_inclusion(leaf, seq - 1, size, path, root)
            assert told["entry"] is None
    roots = {one["size"]: bytes.fromhex(one["root"]) for one in anyone.get(f"{BASE}/checkpoints").json}
    for earlier, size in ((0, 3), (0, 7), (3, 7), (7, 7)):
        told = anyone.get(f"{BASE}/proof/consistency?from={earlier}&to={size}").json
        assert (told["from"], bytes.fromhex(told["root"])) == (earlier, roots[size])
        assert verify_consistency(
            earlier, size, [bytes.fromhex(one) for one in told["path"]], roots[earlier], roots[size]
        )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("inclusion?seq=8&size=7", 404),
        ("inclusion?seq=0&size=7", 404),
        ("inclusion?seq=1&size=5", 404),
        ("inclusion?seq=x", 422),
        ("inclusion", 422),
        ("inclusion?seq=99999999999999999999999", 422),
        ("consistency?from=7&to=3", 422),
        ("consistency?from=1&to=7", 404),
        ("consistency?from=3", 422),
    ],
)
def test_what_cannot_be_proved_is_refused_in_words(anyone, query, status):
    answer = anyone.get(f"{BASE}/proof/{query}")
    assert answer.status_code == status
    assert all(one["zh"] and one["en"] for one in answer.json["errors"])


def test_an_entry_is_read_by_office_bureau_and_its_own_unit(as_):
    for username, readable in (
        ("office", {1, 7}),
        ("bureau", {1, 7}),
        ("unit", {1}),
        ("unit2", {7}),
        ("inspector", set()),
    ):
        client = as_(username)
        for seq in (1, 7):
            told = client.get(f"{BASE}/proof/inclusion?seq={seq}").json
            assert (told["entry"] is not None) == (seq in readable), (username, seq)
            if told["entry"]:
                assert leaf_hash(canonical_json(told["entry"])).hex() == told["leaf"]


def test_the_copy_is_for_office_and_bureau_and_agrees_with_every_checkpoint(as_, anyone):
    assert anyone.get(f"{BASE}/entries").status_code == 401
    for username in ("unit", "inspector"):
        assert as_(username).get(f"{BASE}/entries").status_code == 403
    verifier = Verifier.read(anyone.get(f"{BASE}/key").text)
    notes = [read_checkpoint(anyone.get(f"{BASE}/checkpoint?size={size}").data, verifier)[1] for size in (0, 3, 7)]
    answer = as_("bureau").get(f"{BASE}/entries")
    assert answer.mimetype == "application/jsonl"
    found = examine([read_line(line) for line in answer.data.splitlines(keepends=True)], notes)
    assert (found.faults, found.proven) == ((), 7)
    some = as_("office").get(f"{BASE}/entries?from=3&to=4").data.splitlines(keepends=True)
    assert [read_line(line).seq for line in some] == [3, 4]


def test_a_past_score_is_told_with_its_checkpoint(as_, engine, log):
    scores = {"indicator": {"differential": "900"}, "public_review": dict.fromkeys(GROUPS, "850")}
    document = {
        "scheme": "xiamen-wf-2015",
        "supplied": {"public_review.shares": dict.fromkeys(GROUPS, "10"), "outstanding_base": "15"},
        "units": [{"id": code, "scores": scores, "deductions": []} for code in ("civil", "transport")],
    }
    values = {"evaluation_id": log.evaluation_id, "inputs_digest": "d", "scheme_digest": "d", "ledger_seq": 0}
    with engine.begin() as connection:
        connection.execute(insert(composite).values(**values, input=document, problems=[], errors={}, computed_at=NOW))
    client = as_("bureau")
    for size, composite_then in ((0, "904.00"), (3, "898.00"), (7, "892.00")):  # 2 points an entry, civil's six
        told = client.get(f"{BASE}/score?evaluation=city-2026&size={size}").json
        assert (told["size"], told["result"]["units"][0]["composite"]) == (size, composite_then)
    assert client.get(f"{BASE}/score?evaluation=nowhere").status_code == 404
    assert client.get(f"{BASE}/score?evaluation=city-2026&size=5").status_code == 404


def test_before_the_first_checkpoint_there_is_none(app):
    for name in ("checkpoint", "key"):
        answer = app.test_client().get(f"{BASE}/{name}")
        assert (answer.status_code, answer.json["code"]) == (404, "checkpoint_none")
